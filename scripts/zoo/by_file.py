"""What a file itself computes: PyTorch evaluates the exported graph, apart from innvestigate and from the framework.

A line a file, normalised mean square errors of gradients. f64: innvestigate's f64 reference backend against the file's function, of the
first input. Then medians of all inputs: file, framework: the file's function against the framework's, both in double precision (what the
exporter changed: folded norms are rounded to single precision); ours, file: innvestigate's default backend against the file's function;
single, file: PyTorch's single precision against it. At last the largest difference of the two functions' outputs by the largest output.

    python scripts/zoo/by_file.py [--cache DIR] [--samples N] PATH/TO/innvestigate NET.EXPORTER...

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

from cache import DEFAULT_CACHE, SAMPLES, errors


def same(a, size):
    """The pads that auto_pad means."""
    k, strides = a["kernel_shape"], a.get("strides", [1, 1])
    both = [max((-(-n // s) - 1) * s + m - n, 0) for n, m, s in zip(size, k, strides)]
    less, more = [b // 2 for b in both], [b - b // 2 for b in both]
    return less + more if a["auto_pad"] == b"SAME_UPPER" else more + less


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
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Gemm": lambda a, x, w, b: x @ (w.T if a.get("transB") else w) + b,
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True),
    "Identity": lambda a, x: x,
    "MatMul": lambda a, x, y: x @ y,
    "MaxPool": lambda a, x: F.max_pool2d(padded(x, a, -torch.inf), a["kernel_shape"], a.get("strides", [1, 1])),
    "Mul": lambda a, x, y: x * y,
    "Pad": pad,
    "ReduceMean": lambda a, x, axes=None: x.mean(a["axes"] if axes is None else axes.tolist(), keepdim=bool(a.get("keepdims", 1))),
    "Relu": lambda a, x: x.relu(),
    "Reshape": lambda a, x, s: x.reshape([x.shape[i] if n == 0 else int(n) for i, n in enumerate(s.tolist())]),
    "Sigmoid": lambda a, x: x.sigmoid(),
    "Slice": part,
    "Squeeze": lambda a, x, axes: x.squeeze(tuple(int(d) for d in axes)),
    "Transpose": lambda a, x: x.permute(a["perm"]),
}


def evaluate(model, x):
    def value(t):
        v = torch.from_numpy(numpy_helper.to_array(t).copy())
        return v.to(x.dtype) if v.is_floating_point() else v

    values = {t.name: value(t) for t in model.graph.initializer} | {model.graph.input[0].name: x, "": None}
    for n in model.graph.node:
        a = {t.name: helper.get_attribute_value(t) for t in n.attribute}
        if a.get("auto_pad", b"").startswith(b"SAME"):
            a["pads"] = same(a, values[n.input[0]].shape[2:])
        if a.get("ceil_mode", 0) or a.get("dilations", [1, 1]) != [1, 1] and "auto_pad" in a:
            raise SystemExit(f"{n.name}: this form of {n.op_type} is not evaluated")
        values[n.output[0]] = value(a["value"]) if n.op_type == "Constant" else OPERATORS[n.op_type](a, *(values[k] for k in n.input))
    return values[model.graph.output[0].name]


def gradients(model, x, targets, dtype):
    """Of every sample alone, so that memory stays small; and the outputs."""
    g, y = [], []
    for sample, target in zip(x, targets):
        one = torch.from_numpy(sample[None]).to(dtype).requires_grad_()
        out = evaluate(model, one)
        g.append(torch.autograd.grad(out[0, target], one)[0].numpy())
        y.append(out.detach().numpy())
    return np.concatenate(g), np.concatenate(y)


def ours(exe, path, x, targets, *options):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        np.save(folder / "x.npy", x)
        subprocess.run([exe, "analyze", "-m", path, "-i", folder / "x.npy", "-a", "gradient", "-t", ",".join(map(str, targets)),
                        *options, "-o", folder / "g.npy", "--quiet"], check=True)
        return np.load(folder / "g.npy")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("--samples", type=int, default=SAMPLES)
    p.add_argument("innvestigate", type=pathlib.Path)
    p.add_argument("files", nargs="+")
    a = p.parse_args()
    for file in a.files:
        net, path = file.split(".")[0], a.cache / f"{file}.onnx"
        x, y, g = (np.load(a.cache / f"{net}.{k}.npy")[:a.samples] for k in "xyg")
        targets = [int(t) for t in (a.cache / f"{net}.target").read_text().split()[:len(x)]]
        model = onnx.load(path)
        own, outputs = gradients(model, x, targets, torch.float64)
        exact = errors(ours(a.innvestigate, path, x[:1], targets[:1], "-b", "{type: reference, dtype: f64}"), own[:1])[0]
        medians = {"file, framework": errors(own, g), "ours, file": errors(ours(a.innvestigate, path, x, targets), own),
                   "single, file": errors(gradients(model, x, targets, torch.float32)[0], own)}
        said = "".join(f"   {k} {np.median(v):.1e}" for k, v in medians.items())
        print(f"{file:30} f64 {exact:.1e}{said}   outputs {np.abs(outputs - y).max() / np.abs(y).max():.1e}", flush=True)


if __name__ == "__main__":
    main()
