"""Operators for random graphs: each adds its nodes to a graph and computes the same with PyTorch in double precision.

A graph has `rng`, `opset`, `batch` ("n": free), `node(kind, inputs, **attributes)` and `const(array)`, which give names. An operator takes the
graph, a value's name and its tensor, and returns the new name and tensor, or None where the value does not suit it.
"""
import numpy as np
import torch
import torch.nn.functional as F


def pick(g, *choices):
    return choices[g.rng.integers(len(choices))]


def weight(g, *shape):
    scale = (1.5 / max(1, np.prod(shape[1:]))) ** 0.5 if len(shape) > 1 else 0.5
    return (scale * g.rng.standard_normal(shape)).astype(np.float32)


def double(a):
    return torch.from_numpy(np.asarray(a, np.float64))


def spatial(x):
    return x.dim() == 4 and min(x.shape[2:]) >= 2


# Elementwise.

def selu(x):  # by the constants of ONNX, which are not quite PyTorch's
    low = 1.67326319217681884765625 * (torch.exp(torch.clamp(x, max=0)) - 1)
    return 1.05070102214813232421875 * (torch.relu(x) + low)


UNARY = {
    "Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "Softplus": F.softplus, "Softsign": F.softsign, "Abs": torch.abs,
    "Neg": torch.neg, "Erf": torch.erf, "Sin": torch.sin, "Cos": torch.cos, "Atan": torch.atan, "Elu": F.elu, "Selu": selu,
    "Celu": F.celu, "Floor": torch.floor, "Ceil": torch.ceil, "Round": torch.round, "Sign": torch.sign, "Asinh": torch.asinh,
    "HardSwish": F.hardswish, "Identity": lambda x: x,
}
SINCE = {"HardSwish": 14, "Mish": 18, "Gelu": 20}


def unary(g, v, x):
    kind = pick(g, *[k for k in UNARY if SINCE.get(k, 1) <= g.opset])
    return g.node(kind, [v]), UNARY[kind](x)


def newer(g, v, x):
    kind = pick(g, "Gelu", "GeluTanh", "Mish", "LeakyRelu", "ThresholdedRelu", "Shrink", "HardSigmoid", "PRelu", "Clip")
    if kind == "Gelu" and g.opset >= 20:
        return g.node("Gelu", [v]), F.gelu(x)
    if kind == "GeluTanh" and g.opset >= 20:
        return g.node("Gelu", [v], approximate="tanh"), F.gelu(x, approximate="tanh")
    if kind == "Mish" and g.opset >= 18:
        return g.node("Mish", [v]), F.mish(x)
    if kind == "ThresholdedRelu":
        return g.node(kind, [v], alpha=0.25), F.threshold(x, 0.25, 0)
    if kind == "Shrink":
        return g.node(kind, [v], lambd=0.25, bias=0.25), F.softshrink(x, 0.25)
    if kind == "HardSigmoid":
        return g.node(kind, [v], alpha=0.25, beta=0.5), torch.clamp(x * 0.25 + 0.5, 0, 1)
    if kind == "PRelu":
        slope = weight(g, *[n if d == 1 else 1 for d, n in enumerate(x.shape)][1:])
        return g.node(kind, [v, g.const(slope)]), torch.where(x > 0, x, double(slope) * x)
    if kind == "Clip":
        return g.node(kind, [v, g.const(np.float32(-0.5)), g.const(np.float32(1.25))]), torch.clamp(x, -0.5, 1.25)
    return g.node("LeakyRelu", [v], alpha=0.125), F.leaky_relu(x, 0.125)


def safe(g, v, x):
    """Functions of positive numbers, behind |x| + 1."""
    p, q = g.node("Add", [g.node("Abs", [v]), g.const(np.float32(1))]), x.abs() + 1
    kind = pick(g, "Log", "Sqrt", "Reciprocal", "Pow", "Div", "Acosh")
    if kind == "Pow":
        return g.node("Pow", [p, g.const(np.float32(0.75))]), q ** 0.75
    if kind == "Div":
        return g.node("Div", [v, p]), x / q
    if kind == "Acosh":  # its derivative has a pole at 1
        return g.node(kind, [g.node("Add", [p, g.const(np.float32(1))])]), torch.acosh(q + 1)
    return g.node(kind, [p]), {"Log": torch.log, "Sqrt": torch.sqrt, "Reciprocal": torch.reciprocal}[kind](q)


def with_constant(g, v, x):
    shape = [n if g.rng.random() < 0.5 else 1 for n in x.shape[1:]]
    c = weight(g, 1, *shape) + np.float32(0.25)
    kind = pick(g, "Add", "Mul", "Sub", "Max", "Min", "Mean", "Where")
    k = double(c)
    if kind == "Where":
        return g.node("Where", [g.node("Greater", [v, g.const(c)]), v, g.const(np.float32(0.125))]), torch.where(x > k, x, 0.125)
    return g.node(kind, [v, g.const(c)]), {"Add": x + k, "Mul": x * k, "Sub": x - k, "Max": torch.maximum(x, k), "Min": torch.minimum(x, k),
                                           "Mean": (x + k) / 2}[kind]


# Along an axis.

def reduction(g, v, x):
    kind = pick(g, "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp",
                "ReduceProd")
    axis = int(g.rng.integers(1, x.dim()))
    by_input = g.opset >= 18 or (kind == "ReduceSum" and g.opset >= 13)
    inputs = [v, g.const(np.array([axis], np.int64))] if by_input else [v]
    y = {"ReduceMean": x.mean(axis, True), "ReduceSum": x.sum(axis, True), "ReduceMax": x.amax(axis, True), "ReduceMin": x.amin(axis, True),
         "ReduceL1": x.abs().sum(axis, True), "ReduceL2": (x * x).sum(axis, True).sqrt(), "ReduceSumSquare": (x * x).sum(axis, True),
         "ReduceLogSumExp": torch.logsumexp(x, axis, True), "ReduceProd": x.prod(axis, True)}[kind]
    small = g.node("Mul", [g.node(kind, inputs, keepdims=1, **({} if by_input else {"axes": [axis]})), g.const(np.float32(0.25))])
    return g.node("Add", [v, small]), x + 0.25 * y


def along(g, v, x):
    axis = int(g.rng.integers(1, x.dim()))
    kind = pick(g, "Softmax", "LogSoftmax", "LpNormalization", "CumSum", "Gather", "GatherElements", "Split", "Slice", "Flip")
    n = x.shape[axis]
    if kind in ("Softmax", "LogSoftmax"):
        return g.node(kind, [v], axis=axis), (torch.softmax if kind == "Softmax" else torch.log_softmax)(x, axis)
    if kind == "LpNormalization":
        return g.node(kind, [v], axis=axis, p=2), x / (x * x).sum(axis, True).sqrt()
    if kind == "CumSum":
        how = pick(g, (0, 0), (1, 0), (0, 1))
        y = torch.flip(torch.cumsum(torch.flip(x, [axis]), axis), [axis]) if how[1] else torch.cumsum(x, axis)
        return g.node(kind, [v, g.const(np.int64(axis))], exclusive=how[0], reverse=how[1]), y - x if how[0] else y
    if kind == "Gather":
        i = g.rng.integers(-n, n, n)
        return g.node(kind, [v, g.const(i.astype(np.int64))], axis=axis), torch.index_select(x, axis, torch.from_numpy(i % n))
    if kind == "GatherElements":
        g.batch = 2  # the indices count the samples too
        i = np.broadcast_to(g.rng.integers(0, n, (1, *x.shape[1:])), x.shape).astype(np.int64)
        return g.node(kind, [v, g.const(i)], axis=axis), torch.gather(x, axis, torch.from_numpy(i.copy()))
    if kind == "Split" and n > 1:
        a, b = g.split(v, axis, [1, n - 1])
        return g.node("Concat", [b, a], axis=axis), torch.roll(x, -1, axis)
    if kind == "Slice" and n > 2:
        names = [g.const(np.array([k], np.int64)) for k in (1, n, axis, 2)]
        return g.node(kind, [v, *names]), x[tuple(slice(1, None, 2) if d == axis else slice(None) for d in range(x.dim()))]
    names = [g.const(np.array([k], np.int64)) for k in (-1, -n - 1, axis, -1)]
    return g.node("Slice", [v, *names]), torch.flip(x, [axis])


def products(g, v, x):
    kind = pick(g, "MatMul", "Einsum", "LayerNormalization", "Gemm")
    n = x.shape[-1]
    if kind == "Gemm":
        flat, f = g.node("Flatten", [v], axis=1), x.flatten(1)
        w, b = weight(g, 12, f.shape[1]), weight(g, 12)
        y = g.node("Gemm", [flat, g.const(w), g.const(b)], transB=1)
        return g.node("Reshape", [y, g.const(np.array([-1, 3, 4], np.int64))]), (f @ double(w).T + double(b)).reshape(-1, 3, 4)
    if kind == "LayerNormalization" and g.opset >= 17:
        w, b = 1 + weight(g, n), weight(g, n)
        return g.node(kind, [v, g.const(w), g.const(b)], axis=-1, epsilon=2.0 ** -10), F.layer_norm(x, (n,), double(w), double(b), 2.0 ** -10)
    if kind == "Einsum" and x.dim() == 4:
        w = weight(g, 5, x.shape[1])
        return g.node(kind, [v, g.const(w)], equation="nchw,kc->nkhw"), torch.einsum("nchw,kc->nkhw", x, double(w))
    if kind == "Einsum" and x.dim() == 3:
        return g.node(kind, [v, v], equation="nij,nkj->nik"), torch.einsum("nij,nkj->nik", x, x)
    w = weight(g, 5, n)
    return g.node("MatMul", [v, g.const(np.ascontiguousarray(w.T))]), x @ double(w).T


# Planes.

def conv(g, v, x):
    if not spatial(x):
        return None
    c, (h, w) = x.shape[1], x.shape[2:]
    groups = pick(g, 1, c) if c > 1 else 1
    k = [min(int(g.rng.integers(1, 4)), n) for n in (h, w)]
    d = [2 if (kk - 1) * 2 + 1 <= n and g.rng.random() < 0.3 else 1 for kk, n in zip(k, (h, w))]
    s = [int(g.rng.integers(1, 3)) for _ in k]
    pads = [int(p) for p in g.rng.integers(0, 2, 4)]
    out = groups * int(g.rng.integers(1, 4)) if groups > 1 else 4
    a, b = weight(g, out, c // groups, *k), weight(g, out)
    y = F.conv2d(F.pad(x, (pads[1], pads[3], pads[0], pads[2])), double(a), double(b), s, 0, d, groups)
    return g.node("Conv", [v, g.const(a), g.const(b)], pads=pads, strides=s, dilations=d, group=groups), y


def conv_transpose(g, v, x):
    if not spatial(x) or x.shape[2] > 8:
        return None
    c = x.shape[1]
    groups = pick(g, 1, c)
    s, k = pick(g, 1, 2), pick(g, 2, 3)
    p, more = pick(g, 0, 1), pick(g, 0, s - 1)
    a, b = weight(g, c, 2, k, k), weight(g, 2 * groups)
    y = F.conv_transpose2d(x, double(a), double(b), s, p, more, groups)
    return g.node("ConvTranspose", [v, g.const(a), g.const(b)], strides=[s, s], pads=[p] * 4, output_padding=[more] * 2, group=groups), y


def pool(g, v, x):
    if not spatial(x):
        return None
    k, s = pick(g, 1, 2, 3), pick(g, 1, 2)
    k = min(k, *x.shape[2:])
    p = pick(g, 0, k // 2)
    ceil = bool(g.rng.integers(2))
    if g.rng.random() < 0.5:
        d = 2 if 2 * (k - 1) + 1 <= min(x.shape[2:]) and g.rng.random() < 0.3 else 1
        return (g.node("MaxPool", [v], kernel_shape=[k, k], strides=[s, s], pads=[p] * 4, ceil_mode=int(ceil), dilations=[d, d]),
                F.max_pool2d(x, k, s, p, d, ceil))
    count = bool(g.rng.integers(2))
    return (g.node("AveragePool", [v], kernel_shape=[k, k], strides=[s, s], pads=[p] * 4, ceil_mode=int(ceil), count_include_pad=int(count)),
            F.avg_pool2d(x, k, s, p, ceil, count))


def norm(g, v, x):
    if not spatial(x):
        return None
    c = x.shape[1]
    w, b = 1 + weight(g, c), weight(g, c)
    kind = pick(g, "BatchNormalization", "InstanceNormalization", "LRN", "GroupNormalization")
    if kind == "BatchNormalization":
        m, var = weight(g, c), np.abs(weight(g, c)) + np.float32(0.5)
        return (g.node(kind, [v, *map(g.const, (w, b, m, var))], epsilon=2.0 ** -10),
                F.batch_norm(x, double(m), double(var), double(w), double(b), eps=2.0 ** -10))
    if kind == "LRN":
        return g.node(kind, [v], size=3, alpha=0.5, beta=0.75, bias=2.0), F.local_response_norm(x, 3, 0.5, 0.75, 2.0)
    if kind == "GroupNormalization" and g.opset >= 21 and c % 2 == 0:
        return g.node(kind, [v, g.const(w), g.const(b)], num_groups=2, epsilon=2.0 ** -10), F.group_norm(x, 2, double(w), double(b), 2.0 ** -10)
    return g.node("InstanceNormalization", [v, g.const(w), g.const(b)], epsilon=2.0 ** -10), F.instance_norm(
        x, weight=double(w), bias=double(b), eps=2.0 ** -10)


def resize(g, v, x):
    if not spatial(x) or x.shape[2] > 8:
        return None
    h, w = (max(2, int(n * pick(g, 0.5, 1, 1.5, 2))) for n in x.shape[2:])  # of one pixel PyTorch and ONNX think differently
    mode, where, align = pick(g, ("linear", "pytorch_half_pixel", False), ("linear", "align_corners", True), ("nearest", "asymmetric", None),
                              ("cubic", "pytorch_half_pixel", False), ("cubic", "align_corners", True))
    torch_mode = {"linear": "bilinear", "cubic": "bicubic", "nearest": "nearest"}[mode]
    g.batch = 2 if g.opset < 18 else g.batch  # the sizes name the batch too
    sizes = g.const(np.array([2, x.shape[1], h, w], np.int64)) if g.opset < 18 else g.const(np.array([h, w], np.int64))
    more = {"nearest_mode": "floor"} if mode == "nearest" else {"cubic_coeff_a": -0.75} if mode == "cubic" else {}
    if g.opset >= 18:
        more["axes"] = [2, 3]
    return (g.node("Resize", [v, "", "", sizes], mode=mode, coordinate_transformation_mode=where, **more),
            F.interpolate(x, (h, w), mode=torch_mode, align_corners=align))


def pad(g, v, x):
    if not spatial(x):
        return None
    p = [int(k) for k in g.rng.integers(0, 2, 4)]
    mode, torch_mode = pick(g, ("constant", "constant"), ("reflect", "reflect"), ("edge", "replicate"), ("wrap", "circular"))
    if mode == "wrap" and g.opset < 19:
        mode, torch_mode = "edge", "replicate"
    inputs = [v, g.const(np.array([0, 0, p[0], p[1], 0, 0, p[2], p[3]], np.int64))]
    if mode == "constant":
        inputs.append(g.const(np.float32(0.375)))
    y = F.pad(x, (p[1], p[3], p[0], p[2]), torch_mode, *([0.375] if mode == "constant" else []))
    return g.node("Pad", inputs, mode=mode), y


def rearrange(g, v, x):
    if x.dim() != 4:
        return None
    n, c, h, w = x.shape
    kind = pick(g, "DepthToSpace", "SpaceToDepth", "Transpose", "Tokens", "Shuffle", "Tile")
    if kind == "DepthToSpace" and c % 4 == 0 and h <= 8:
        return g.node(kind, [v], blocksize=2, mode="CRD"), F.pixel_shuffle(x, 2)
    if kind == "SpaceToDepth" and h % 2 == 0 and w % 2 == 0:
        y = x.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
        return g.node(kind, [v], blocksize=2), y
    if kind == "Tokens":
        t = g.node("Reshape", [v, g.const(np.array([0, c, -1], np.int64))])
        return g.node("Transpose", [t], perm=[0, 2, 1]), x.flatten(2).transpose(1, 2)
    if kind == "Shuffle" and c % 2 == 0:
        t = g.node("Reshape", [v, g.const(np.array([0, 2, c // 2, h, w], np.int64))])
        t = g.node("Transpose", [t], perm=[0, 2, 1, 3, 4])
        return g.node("Reshape", [t, g.const(np.array([0, c, h, w], np.int64))]), F.channel_shuffle(x, 2)
    if kind == "Tile" and c <= 4:
        return g.node(kind, [v, g.const(np.array([1, 2, 1, 1], np.int64))]), x.repeat(1, 2, 1, 1)
    return g.node("Transpose", [v], perm=[0, 1, 3, 2]), x.transpose(2, 3)


OPERATORS = (unary, unary, newer, safe, with_constant, reduction, along, products, conv, conv, conv_transpose, pool, pool, norm, resize, pad,
             rearrange)
