"""ONNX's own tests, ours and onnxruntime's: how many with floating-point results agree.

    build/tests/node_tests build/innvestigate /usr/share/libonnx-testdata/data -v > ours.txt
    python scripts/oracle/compare_nodes.py ours.txt [FOLDER]

Both are held to 1e-4, results of half precision to their own rounding too. A table of ours against theirs, with the tests' names
where the two differ.
"""
import collections
import pathlib
import re
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

GROUPS = ("node", "pytorch-converted", "pytorch-operator", "simple")
FLOATS = (1, 10, 11, 16)
OPTIONS = onnxruntime.SessionOptions()
OPTIONS.log_severity_level = 4


class NoTensor(Exception):
    pass


def read(path, port):
    if port.type.WhichOneof("value") != "tensor_type":
        raise NoTensor
    return numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))


def close(got, want):
    rounding = 2.0 ** -11 if want.dtype == np.float16 else 0
    return got.shape == want.shape and np.allclose(got.astype(float), want.astype(float), 1e-4 + rounding, 1e-4, equal_nan=True)


def theirs(folder, model):
    stored = {i.name for i in model.graph.initializer}
    ports = [v for v in model.graph.input if v.name not in stored]
    try:
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), OPTIONS, providers=["CPUExecutionProvider"])
        for data in sorted(folder.glob("test_data_set_*")):
            y = session.run(None, {v.name: read(data / f"input_{k}.pb", v) for k, v in enumerate(ports)})
            if not all(close(y[k], read(data / f"output_{k}.pb", v)) for k, v in enumerate(model.graph.output)):
                return "wrong"
    except NoTensor:
        return "no tensors"
    except Exception:  # whatever onnxruntime refuses with
        return "refused"
    return "agrees"


def main():
    rows = (re.match(r"(\S+): (agrees|refused|no tensors|FAILED)", line) for line in open(sys.argv[1]))
    ours = {m[1]: m[2] for m in rows if m}
    root = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share/libonnx-testdata/data")
    table = collections.defaultdict(list)
    for folder in sorted(d.parent for g in GROUPS for d in (root / g).glob("*/model.onnx")):
        model = onnx.load(folder / "model.onnx")
        if all(o.type.tensor_type.elem_type in FLOATS for o in model.graph.output):
            table[ours.get(folder.name, "not run"), theirs(folder, model)].append(folder.name)
    for (a, b), names in sorted(table.items()):
        print(f"ours {a}, onnxruntime {b}: {len(names)}" + ("" if a == b else "\n    " + " ".join(names)))


if __name__ == "__main__":
    main()
