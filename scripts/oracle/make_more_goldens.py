"""Writes tests/golden/more: ways to store a network and layers built by hand, against PyTorch in double precision.

Each file is also run by onnxruntime or by onnx itself, which must agree.
"""
import pathlib
import shutil

import numpy as np
import onnx
import onnxruntime
import torch
from onnx.reference import ReferenceEvaluator
from torch import nn

from graphs import GRAPHS

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "more"
ORDER = sorted(GRAPHS)
CASES = []


def save(name, method, net, analyzer, target, array, tolerance=1e-9):
    file = f"expect/{name}.{method}.npy"
    np.save(OUT / file, np.ascontiguousarray(array, np.float64))
    CASES.append(f"{name}.{method} | nets/{net} | nets/{name}.x.npy | {analyzer} | {target} | {file} | f64 | {tolerance}")


def gradient(net, x, pick):
    x = x.clone().requires_grad_()
    return torch.autograd.grad((net(x) * pick).sum(), x)[0]


def agrees(path, x, y):
    """The file against PyTorch: by onnxruntime, or by onnx itself in double, where onnxruntime has no convolution."""
    made = onnx.load(str(path))
    port = made.graph.input[0]
    if port.type.tensor_type.elem_type == onnx.TensorProto.DOUBLE:
        got, bound = ReferenceEvaluator(made).run(None, {port.name: x.numpy()})[0], 1e-12
    else:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        got, bound = session.run(None, {port.name: x.numpy().astype(np.float32)})[0], 1e-5
    error = np.abs(got - y.numpy()).max() / np.abs(y.numpy()).max()
    if error > bound:
        raise ValueError(f"{path.name}: off by {error:.2g}")


def cases(name, file, net, x, tolerance=1e-9):
    y = net(x).detach()
    agrees(OUT / "nets" / file, x, y)
    pick = nn.functional.one_hot(y.argmax(1), y.shape[1]).double()
    save(name, "predict", file, "predict", "max", y, tolerance)
    save(name, "gradient", file, "gradient", "max", gradient(net, x, pick), tolerance)
    if not name.startswith("opset_"):
        save(name, "gradient_all", file, "gradient", "all", gradient(net, x, torch.ones_like(y)), tolerance)


def by_dynamo():
    """A network of the newer exporter, with its weights in a file of their own."""
    torch.manual_seed(7)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.ReLU(),
                        nn.Flatten(), nn.Linear(16, 5)).eval()
    x = torch.randn(2, 3, 8, 8)
    path = OUT / "nets" / "dynamo.onnx"
    program = torch.onnx.export(net, (x,), dynamo=True, input_names=["x"], output_names=["y"],
                                dynamic_shapes=({0: torch.export.Dim("n")},), verbose=False)
    made = program.model_proto
    made.ClearField("metadata_props")
    for items in (made.graph.node, made.graph.value_info, made.graph.input, made.graph.output, made.graph.initializer):
        for item in items:
            item.ClearField("metadata_props")
            item.ClearField("doc_string")
    onnx.save_model(made, str(path), save_as_external_data=True, all_tensors_to_one_file=True,
                    location="dynamo.onnx.data", size_threshold=64)
    (OUT / "nets" / "dynamo.onnx.data").chmod(0o644)
    np.save(OUT / "nets" / "dynamo.x.npy", x.numpy())
    cases("dynamo", "dynamo.onnx", net.double(), x.double())


def main():
    for folder in ("nets", "expect"):
        shutil.rmtree(OUT / folder, ignore_errors=True)
        (OUT / folder).mkdir(parents=True)
    torch.set_num_threads(1)
    for name in ORDER:
        # All files of the same network share its weights.
        made, net = GRAPHS[name](11 if name.startswith("opset_") else 20 + ORDER.index(name))
        onnx.checker.check_model(made, full_check=True)
        onnx.save(made, OUT / "nets" / f"{name}.onnx")
        shape = [d.dim_value for d in made.graph.input[0].type.tensor_type.shape.dim][1:]
        x = np.random.default_rng(ORDER.index(name)).standard_normal((2, *shape)).astype(np.float32)
        np.save(OUT / "nets" / f"{name}.x.npy", x)
        cases(name, f"{name}.onnx", net, torch.from_numpy(x.astype(np.float64)))
    by_dynamo()
    head = "# name | net | input | analyzer | target | expected | dtype | tolerance relative to the largest expected value\n"
    (OUT / "cases.txt").write_text(head + "\n".join(CASES) + "\n")
    print(len(CASES), "cases")


if __name__ == "__main__":
    main()
