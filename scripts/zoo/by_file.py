"""What a file itself computes: PyTorch evaluates the exported graph in double precision, apart from innvestigate and from the framework.

A line a file, normalised mean square errors of the first input's gradient: innvestigate's f64 reference backend against the file's
function, the file's function against the framework's (what the exporter changed: folded norms are rounded to single precision), and the
largest difference of the two outputs by the largest output.

    python scripts/zoo/by_file.py [--cache DIR] PATH/TO/innvestigate NET.EXPORTER...

Operators: those of convolutional networks.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

from cache import DEFAULT_CACHE


def padded(x, a, value):
    """x with the operator's pads, which PyTorch takes only where they are symmetric."""
    pads, n = a.get("pads", [0] * 4), x.dim() - 2
    return F.pad(x, [p for d in reversed(range(n)) for p in (pads[d], pads[n + d])], value=value) if any(pads) else x


def pool_average(x, a):
    k, s = a["kernel_shape"], a.get("strides", [1, 1])
    total = F.avg_pool2d(padded(x, a, 0.0), k, s, divisor_override=1)
    if a.get("count_include_pad", 0):
        return total / (k[0] * k[1])
    return total / F.avg_pool2d(padded(torch.ones_like(x), a, 0.0), k, s, divisor_override=1)


def pad(a, x, pads, value=None):
    n = x.dim()
    p = [int(v) for d in reversed(range(n)) for v in (pads[d], pads[n + d])]
    return F.pad(x, p, value=float(value) if value is not None else 0.0)


def part(a, x, starts, ends, axes, steps=None):
    for s, e, d in zip(starts.tolist(), ends.tolist(), axes.tolist()):
        x = x.narrow(int(d), int(s) % x.shape[int(d)], len(range(x.shape[int(d)])[int(s):int(e)]))
    return x


OPERATORS = {
    "Add": lambda a, x, y: x + y,
    "AveragePool": lambda a, x: pool_average(x, a),
    "BatchNormalization": lambda a, x, w, b, m, v: F.batch_norm(x, m, v, w, b, eps=a.get("epsilon", 1e-5)),
    "Clip": lambda a, x, low, high: x.clamp(low, high),
    "Concat": lambda a, *x: torch.cat(x, a["axis"]),
    "Conv": lambda a, x, w, b=None: F.conv2d(padded(x, a, 0.0), w, b, a.get("strides", [1, 1]), 0, a.get("dilations", [1, 1]), a.get("group", 1)),
    "Gemm": lambda a, x, w, b: x @ (w.T if a.get("transB") else w) + b,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Identity": lambda a, x: x,
    "MatMul": lambda a, x, y: x @ y,
    "MaxPool": lambda a, x: F.max_pool2d(padded(x, a, -torch.inf), a["kernel_shape"], a.get("strides", [1, 1])),
    "Mul": lambda a, x, y: x * y,
    "Pad": pad,
    "Relu": lambda a, x: x.relu(),
    "Reshape": lambda a, x, s: x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(s.tolist())]),
    "Sigmoid": lambda a, x: x.sigmoid(),
    "Slice": part,
    "Squeeze": lambda a, x, axes: x.squeeze(tuple(int(d) for d in axes)),
    "Transpose": lambda a, x: x.permute(a["perm"]),
}


def evaluate(model, x):
    values = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in model.graph.initializer}
    values = {k: v.double() if v.is_floating_point() else v for k, v in values.items()}
    values |= {model.graph.input[0].name: x, "": None}
    for n in model.graph.node:
        a = {t.name: helper.get_attribute_value(t) for t in n.attribute}
        if a.get("auto_pad", b"NOTSET") != b"NOTSET" or a.get("ceil_mode", 0):
            raise SystemExit(f"{n.name}: this form of {n.op_type} is not evaluated")
        values[n.output[0]] = OPERATORS[n.op_type](a, *(values[k] for k in n.input))
    return values[model.graph.output[0].name]


def nmse(got, want):
    return ((got - want) ** 2).sum() / (want ** 2).sum()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("innvestigate", type=pathlib.Path)
    p.add_argument("files", nargs="+")
    a = p.parse_args()
    for file in a.files:
        kept = {k: np.load(a.cache / f"{file.split('.')[0]}.{k}.npy")[:1] for k in "xyg"}
        target = (a.cache / f"{file.split('.')[0]}.target").read_text().split()[0]
        x = torch.from_numpy(kept["x"]).double().requires_grad_()
        y = evaluate(onnx.load(a.cache / f"{file}.onnx"), x)
        g = torch.autograd.grad(y[0, int(target)], x)[0].numpy()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            np.save(folder / "x.npy", kept["x"])
            subprocess.run([a.innvestigate, "analyze", "-m", a.cache / f"{file}.onnx", "-i", folder / "x.npy", "-a", "gradient", "-t", target,
                            "-b", "{type: reference, dtype: f64}", "-o", folder / "g.npy", "--quiet"], check=True)
            ours = np.load(folder / "g.npy").astype(np.float64)
        change = np.abs(y.detach().numpy() - kept["y"]).max() / np.abs(kept["y"]).max()
        print(f"{file:30} ours, file {nmse(ours, g):.1e}   file, framework {nmse(g, kept['g']):.1e}   outputs of these {change:.1e}", flush=True)


if __name__ == "__main__":
    main()
