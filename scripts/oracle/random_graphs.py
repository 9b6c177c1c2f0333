"""Random graphs: predictions against onnxruntime, gradients against PyTorch in double precision.

    python scripts/oracle/random_graphs.py PATH/TO/innvestigate [--seed N] [--count N]   compares
    python scripts/oracle/random_graphs.py --sample                                      writes tests/golden/random

Predictions are those of the default backend, held to 1e-4 of the largest; gradients those of the reference backend in
double precision, held to 1e-6 (they are written in single precision). A difference is printed with the seed, which alone makes the graph again.
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper

from random_ops import OPERATORS, double, weight

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "random"
IR = {13: 7, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10}
CLASSES = 5


class Graph:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.opset = int(self.rng.choice(list(IR)))
        self.batch = "n"
        self.nodes, self.stored = [], []

    def node(self, kind, inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [f"v{len(self.nodes)}"], f"n{len(self.nodes)}", **attributes))
        return self.nodes[-1].output[0]

    def split(self, v, axis, sizes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(len(sizes))]
        self.nodes.append(helper.make_node("Split", [v, self.const(np.array(sizes, np.int64))], names, f"n{len(self.nodes)}", axis=axis))
        return names

    def const(self, array):
        self.stored.append(numpy_helper.from_array(np.asarray(array), f"c{len(self.stored)}"))
        return self.stored[-1].name

    def model(self, shape, y):
        graph = helper.make_graph(self.nodes, "g", [helper.make_tensor_value_info("x", 1, [self.batch, *shape])],
                                  [helper.make_tensor_value_info(y, 1, [self.batch, CLASSES])], self.stored)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=IR[self.opset])


def make(seed):
    """A model, its input, PyTorch's output and the gradient of each sample's largest."""
    g = Graph(seed)
    shape = (int(g.rng.choice([2, 4])), *(int(n) for n in g.rng.integers(4, 9, 2)))
    x = g.rng.standard_normal((2, *shape)).astype(np.float32)
    leaf = double(x).requires_grad_()
    values = [("x", leaf)]
    want = int(g.rng.integers(3, 9))
    while len(values) <= want:
        name, v = values[-1]
        made = OPERATORS[g.rng.integers(len(OPERATORS))](g, name, v)
        if made is None:
            continue
        name, v = made
        others = [(n, o) for n, o in values if o.shape == v.shape]
        if others and g.rng.random() < 0.3:  # a branch that comes back
            n, o = others[g.rng.integers(len(others))]
            name, v = g.node("Add", [name, n]), v + o
        values.append((name, v))
    name, v = values[-1]
    flat = v.flatten(1)
    a, b = weight(g, CLASSES, flat.shape[1]), weight(g, CLASSES)
    y = g.node("Gemm", [g.node("Flatten", [name], axis=1), g.const(a), g.const(b)], transB=1)
    out = flat @ double(a).T + double(b)
    grad, = torch.autograd.grad(out.gather(1, out.argmax(1)[:, None]).sum(), leaf)
    return g.model(shape, y), x, out.detach().numpy(), grad.numpy()


def runtime(model, x):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": x})[0]
    except Exception:
        return np.full((2, CLASSES), np.inf)  # a form that it refuses


def off(got, want):
    top = np.abs(want).max()
    return np.abs(got - want).max() / top if top > 0 else np.abs(got).max()


def sound(model, x, y, grad, tolerance):
    """Both oracles agree, all is finite, and the gradient is not only rounding."""
    return np.isfinite(y).all() and np.isfinite(grad).all() and np.abs(grad).max() > 1e-6 and off(runtime(model, x), y) <= tolerance


def command(exe, folder, *words):
    done = subprocess.run([exe, *words, "-m", folder / "m.onnx", "-i", folder / "x.npy", "-o", folder / "y.npy"], capture_output=True, text=True)
    return (np.load(folder / "y.npy"), "") if not done.returncode else (None, done.stderr.strip().splitlines()[0] if done.stderr else "no message")


def compare(exe, seed, folder):
    """What is wrong with the graph of a seed, or "" or None where PyTorch and onnxruntime already differ."""
    model, x, y, grad = make(seed)
    onnx.save(model, folder / "m.onnx")
    np.save(folder / "x.npy", x)
    if not sound(model, x, y, grad, 1e-4):
        return None
    got, said = command(exe, folder, "predict")
    if got is None:
        return f"predict: {said}"
    if off(got, y) > 1e-4:
        return f"predict: off by {off(got, y):.1e}"
    got, said = command(exe, folder, "analyze", "-a", "gradient", "-b", "{type: reference, dtype: f64}", "-t", ",".join(map(str, y.argmax(1))))
    if got is None:
        return f"gradient: {said}"
    return f"gradient: off by {off(got, grad):.1e}" if off(got, grad) > 1e-6 else ""


def sample(count):
    """The first graphs on which PyTorch and onnxruntime agree, as golden files."""
    shutil.rmtree(OUT, ignore_errors=True)
    for folder in ("nets", "expect"):
        (OUT / folder).mkdir(parents=True)
    lines, seed = [], 0
    while len(lines) < 2 * count:
        seed += 1
        model, x, y, grad = make(seed)
        if not sound(model, x, y, grad, 1e-5) or model.ByteSize() > 20000:
            continue
        onnx.save(model, OUT / "nets" / f"r{seed}.onnx")
        np.save(OUT / "nets" / f"r{seed}.x.npy", x)
        for method, analyzer, array in (("predict", "predict", y), ("gradient", "gradient", grad)):
            np.save(OUT / "expect" / f"r{seed}.{method}.npy", np.ascontiguousarray(array))
            lines.append(f"r{seed}.{method} | nets/r{seed}.onnx | nets/r{seed}.x.npy | {analyzer} | max | expect/r{seed}.{method}.npy | f64 | 1e-09")
    head = "# name | net | input | analyzer | target | expected | dtype | tolerance relative to the largest expected value\n"
    (OUT / "cases.txt").write_text(head + "\n".join(lines) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("innvestigate", nargs="?", type=pathlib.Path)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--count", type=int, default=1000)
    p.add_argument("--sample", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    if a.sample:
        return sample(40)
    wrong = skipped = 0
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        for seed in range(a.seed, a.seed + a.count):
            found = compare(a.innvestigate.resolve(), seed, pathlib.Path(folder))
            skipped += found is None
            if found:
                wrong += 1
                print(f"seed {seed}: {found}", flush=True)
    print(f"{a.count - wrong - skipped} agree, {wrong} differ, {skipped} on which the oracles differ or are not finite")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
