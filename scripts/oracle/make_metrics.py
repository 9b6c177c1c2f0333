"""Writes tests/golden/metrics: small networks for the tests of metrics, and curves as Quantus computes them."""
import pathlib
import sys

import numpy as np
import onnx
import quantus
import torch
from onnx import TensorProto, helper, numpy_helper

from nets import build

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "metrics"


def linear(name, shape, weight, bias, first="Identity"):
    """An elementwise operator, Flatten and one Gemm."""
    nodes = [helper.make_node(first, ["x"], ["e"]), helper.make_node("Flatten", ["e"], ["f"]), helper.make_node("Gemm", ["f", "w", "b"], ["y"])]
    values = [numpy_helper.from_array(weight.astype(np.float32), "w"), numpy_helper.from_array(bias.astype(np.float32), "b")]
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", weight.shape[1]])], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, OUT / f"{name}.onnx")


def pair(name, shapes, weights, bias):
    """The sum of two linear networks, each with an input of its own."""
    nodes = []
    for k in "xz":
        nodes += [helper.make_node("Flatten", [k], [f"{k}f"]), helper.make_node("MatMul", [f"{k}f", f"{k}w"], [f"{k}y"])]
    nodes += [helper.make_node("Add", ["xy", "zy"], ["s"]), helper.make_node("Add", ["s", "b"], ["y"])]
    values = [numpy_helper.from_array(v.astype(np.float32), k) for k, v in zip(("xw", "zw", "b"), (*weights, bias))]
    inputs = [helper.make_tensor_value_info(k, TensorProto.FLOAT, ["n", *s]) for k, s in zip("xz", shapes)]
    graph = helper.make_graph(nodes, name, inputs, [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", len(bias)])], values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, OUT / f"{name}.onnx")


def curves(name, features, patch):
    net, x, _ = build(name)
    net = net.eval()
    x = x.numpy()
    t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    y = net.double()(t)
    target = y.argmax(1).numpy()
    a = torch.autograd.grad(y[range(len(x)), target].sum(), t)[0].numpy()
    net.float()
    common = dict(model=net, x_batch=x, y_batch=target, a_batch=a, softmax=True, channel_first=True)
    flip = quantus.PixelFlipping(features_in_step=features, normalise=False, perturb_baseline=0.0, disable_warnings=True)
    np.save(OUT / f"{name}.pixel_flipping.npy", np.array(flip(**common), np.float64))
    for order in ("morf", "lerf"):
        region = quantus.RegionPerturbation(patch_size=patch, order=order, regions_evaluation=1000, normalise=False, perturb_baseline=0.0,
                                            disable_warnings=True)
        np.save(OUT / f"{name}.{order}.npy", np.array(region(**common), np.float64))


def main():
    OUT.mkdir(exist_ok=True)
    # iNNvestigate's test of its perturbation analysis: channels last, weights 0 ... 15
    linear("line", (4, 4, 1), np.arange(16.0)[:, None], np.zeros(1))
    # y_k = sum_i w_ik x_i + k / 10 with w_ik = ((7 i + 3 k) mod 11 - 5) / 8
    i, k = np.meshgrid(np.arange(60), np.arange(3), indexing="ij")
    linear("linear", (3, 4, 5), ((7 * i + 3 * k) % 11 - 5) / 8, np.arange(3) / 10)
    weight = ((7 * i + 3 * k) % 11 - 5) / 8
    pair("pair", ((3, 4, 5), (2, 3, 3)), (weight, weight[:18]), np.arange(3) / 10)
    linear("constant", (3, 4, 5), np.zeros((60, 3)), np.arange(3) / 10)
    # at 0 the gradient is infinite and the output is not
    linear("root", (3, 4, 5), np.ones((60, 3)), np.zeros(3), "Sqrt")
    torch.set_num_threads(1)
    curves("cnn", 4, 2)
    curves("residual", 16, 3)
    print(quantus.__version__, [p.name for p in sorted(OUT.glob("*.npy"))], file=sys.stderr)


if __name__ == "__main__":
    main()
