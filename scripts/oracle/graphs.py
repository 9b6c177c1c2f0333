"""ONNX files of the further golden tests: the same small networks, written in the ways that exporters write them.

Every entry gives a model and the PyTorch function, in double precision, that
says what the model computes.
"""
import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper, version_converter

OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20, 21)
IR = {7: 3, 8: 3, 9: 4, 10: 5, 11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 17: 8, 18: 8, 19: 9, 20: 9, 21: 10}


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs.split(), [output], **attributes)


def model(nodes, weights, shape, classes=5, opset=13, kind=TensorProto.FLOAT):
    """A graph x -> y; weights are arrays or TensorProtos by name."""
    stored = [w if isinstance(w, TensorProto) else numpy_helper.from_array(w, k)
              for k, w in weights.items()]
    inputs = [helper.make_tensor_value_info("x", kind, ["n", *shape])]
    if IR[opset] < 4:  # such files list every initializer among the inputs
        inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in stored]
    graph = helper.make_graph(
        nodes, "g", inputs,
        [helper.make_tensor_value_info("y", kind, ["n", classes])], stored)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR[opset])


def weights(seed, **shapes):
    rng = np.random.default_rng(seed)
    out = {}
    for name, shape in shapes.items():
        scale = (1.5 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.2
        out[name] = (scale * rng.standard_normal(shape)).astype(np.float32)
    return out


def double(w):
    return {k: torch.from_numpy(np.asarray(v).astype(np.float64)) for k, v in w.items()}


# A convolution, an activation or other layer in the middle, and a dense head.

def head(w, middle, seed, size=6, channels=4, opset=13, function=None):
    """x -> conv -> middle nodes (c -> m) -> flatten -> dense."""
    parts = weights(seed, w=(4, 3, 3, 3), b=(4,), v=(5, channels * size * size), u=(5,))
    nodes = [node("Conv", "x w b", "c"), *middle, node("Flatten", "m", "f"),
             node("Gemm", "f v u", "y", transB=1)]
    d = double(parts)

    def oracle(x):
        m = function(F.conv2d(x, d["w"], d["b"]))
        return m.flatten(1) @ d["v"].T + d["u"]
    return model(nodes, {**parts, **w}, (3, 8, 8), opset=opset), oracle


def batch_norm(seed):
    w = weights(seed, s=(4,), t=(4,), mean=(4,), var=(4,))
    w["s"] += 1
    w["var"] = np.abs(w["var"]) + np.float32(0.5)
    d = double(w)
    return head(w, [node("BatchNormalization", "c s t mean var", "k", epsilon=2.0 ** -10), node("Relu", "k", "m")], seed,
                function=lambda c: F.batch_norm(c, d["mean"], d["var"], d["s"], d["t"], eps=2.0 ** -10).relu())


def batch_norm_first(seed):
    """A batch norm between a ReLU and a padded convolution: folding it needs care at the border."""
    w = weights(seed, s=(4,), t=(4,), mean=(4,), var=(4,), w2=(4, 4, 3, 3))
    w["s"] += 1
    w["var"] = np.abs(w["var"]) + np.float32(0.5)
    d = double(w)
    middle = [node("Relu", "c", "r"), node("BatchNormalization", "r s t mean var", "k", epsilon=2.0 ** -10),
              node("Conv", "k w2", "q", pads=[1, 1, 1, 1]), node("Relu", "q", "m")]
    return head(w, middle, seed, function=lambda c: F.conv2d(
        F.batch_norm(c.relu(), d["mean"], d["var"], d["s"], d["t"], eps=2.0 ** -10), d["w2"], padding=1).relu())


def lrn(seed):
    return head({}, [node("LRN", "c", "m", size=3, alpha=0.5, beta=0.75, bias=2.0)], seed,
                function=lambda c: F.local_response_norm(c, 3, alpha=0.5, beta=0.75, k=2.0))


def pads(seed, mode):
    w = {"p": np.array([0, 0, 1, 2, 0, 0, 1, 0], np.int64)}
    inputs = "c p"
    if mode == "constant":
        w["value"] = np.float32(0.75)
        inputs += " value"
    torch_mode = {"constant": "constant", "edge": "replicate", "reflect": "reflect"}[mode]
    extra = {"value": 0.75} if mode == "constant" else {}
    parts = weights(seed, w2=(2, 4, 8, 8))
    middle = [node("Pad", inputs, "k", mode=mode), node("Conv", "k w2", "m")]
    d = double(parts)
    return head({**w, **parts}, middle, seed, size=1, channels=2, function=lambda c: F.conv2d(
        F.pad(c, (2, 0, 1, 1), mode=torch_mode, **extra), d["w2"]))


def pools(seed, kind, opset=13):
    """Pooling over the whole plane, by a layer of its own or by a reduction."""
    attributes, inputs, w = {}, "r", {}
    if kind.startswith("Reduce"):
        if opset >= 18:
            w["axes"], inputs = np.array([-2, -1], np.int64), "r axes"
            attributes = {"keepdims": 1}
        else:
            attributes = {"axes": [2, 3], "keepdims": 1}
    def function(c):
        return c.relu().amax((2, 3)) if kind.endswith("MaxPool") else c.relu().mean((2, 3))
    return head(w, [node("Relu", "c", "r"), node(kind, inputs, "m", **attributes)], seed, size=1, opset=opset,
                function=function)


def top_k(seed, k, axis, largest):
    found = helper.make_node("TopK", ["c", "k"], ["m", "at"], axis=axis, largest=largest)
    return head({"k": np.array([k], np.int64)}, [found], seed, channels=2,
                function=lambda c: c.topk(k, axis, bool(largest)).values)


def zoom_tie(seed):
    """1.5 / 0.6 - 0.5 is 2 in single precision and a little less in double: ONNX Runtime takes element 2."""
    kept = [0, 2, 3]
    found = helper.make_node("Resize", ["c", "", "s"], ["m"], nearest_mode="floor")
    return head({"s": np.array([1, 1, 0.6, 0.6], np.float32)}, [found], seed, size=3,
                function=lambda c: c[:, :, kept][:, :, :, kept])


def nhwc(seed):
    """As converters from TensorFlow write it: channels last outside, MatMul and Add."""
    w = weights(seed, w=(4, 3, 3, 3), b=(4,), w2=(4, 4, 3, 3), b2=(4,), v=(5, 36), u=(5,))
    d = double(w)
    dense = np.ascontiguousarray(w["v"].T)
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
             node("Conv", "t w b", "c", auto_pad="SAME_UPPER", strides=[2, 2]), node("Relu", "c", "r"),
             node("Transpose", "r", "h", perm=[0, 2, 3, 1]),
             node("Transpose", "h", "t2", perm=[0, 3, 1, 2]),
             node("Conv", "t2 w2", "c2", auto_pad="SAME_UPPER"),
             node("Reshape", "b2 shape4", "b24"), node("Add", "c2 b24", "a2"), node("Relu", "a2", "r2"),
             node("Transpose", "r2", "h2", perm=[0, 2, 3, 1]),
             node("Slice", "h2 from to axes", "s"), node("Reshape", "s flat", "f"),
             node("MatMul", "f v", "q"), node("Add", "q u", "y")]
    stored = {**w, "v": dense, "shape4": np.array([1, 4, 1, 1], np.int64), "flat": np.array([-1, 36], np.int64),
              "from": np.array([0, 0], np.int64), "to": np.array([3, 3], np.int64), "axes": np.array([1, 2], np.int64)}

    def oracle(x):
        r = F.conv2d(F.pad(x.permute(0, 3, 1, 2), (0, 1, 0, 1)), d["w"], d["b"], stride=2).relu()
        r = F.conv2d(r, d["w2"], d["b2"], padding=1).relu()
        return r.permute(0, 2, 3, 1)[:, :3, :3].reshape(-1, 36) @ d["v"].T + d["u"]
    return model(nodes, stored, (8, 8, 3)), oracle


# One convolutional network, stored in many ways.

def cnn(seed, opset=13, how="raw"):
    w = weights(seed, w=(4, 3, 3, 3), b=(4,), w2=(4, 4, 3, 3), b2=(4,), v=(5, 16), u=(5,))
    nodes = [node("Conv", "x w b", "c", pads=[1, 1, 1, 1]), node("Relu", "c", "r"),
             node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
             node("Conv", "p w2 b2", "c2", pads=[1, 1, 1, 1]), node("Relu", "c2", "r2"),
             node("MaxPool", "r2", "p2", kernel_shape=[2, 2], strides=[2, 2]),
             node("Flatten", "p2", "f"), node("Gemm", "f v u", "y", transB=1)]
    stored, kind, front = dict(w), TensorProto.FLOAT, []
    if how == "float_data":
        stored = {k: helper.make_tensor(k, TensorProto.FLOAT, v.shape, v.flatten().tolist()) for k, v in w.items()}
    elif how in ("f16", "bf16"):
        if how == "f16":
            stored = {k + "_": v.astype(np.float16) for k, v in w.items()}
            w = {k: v.astype(np.float16) for k, v in w.items()}
        else:
            w = {k: (v.view(np.uint32) & np.uint32(0xffff0000)).view(np.float32) for k, v in w.items()}
            stored = {k + "_": helper.make_tensor(k + "_", TensorProto.BFLOAT16, v.shape, (v.view(np.uint32) >> 16).astype(
                "<u2").tobytes(), raw=True) for k, v in w.items()}
        front = [node("Cast", k + "_", k, to=TensorProto.FLOAT) for k in w]
    elif how == "f64":
        kind = TensorProto.DOUBLE
        w = stored = {k: v.astype(np.float64) * (1 + 2.0 ** -40) for k, v in w.items()}
    elif how == "identity":
        stored = {"root_" + k: v for k, v in w.items()}
        front = [node("Identity", "root_" + k, k) for k in w]
    elif how == "constants":
        stored = {}
        front = [helper.make_node("Constant", [], [k], value=numpy_helper.from_array(v, k)) for k, v in w.items()]
    made = model(front + nodes, stored, (3, 8, 8), opset=min(opset, 13), kind=kind)
    if opset > 13:
        made = version_converter.convert_version(made, opset)
        made.ir_version = IR[opset]
    d = double(w)

    def oracle(x):
        h = F.max_pool2d(F.conv2d(x, d["w"], d["b"], padding=1).relu(), 2)
        h = F.max_pool2d(F.conv2d(h, d["w2"], d["b2"], padding=1).relu(), 2)
        return h.flatten(1) @ d["v"].T + d["u"]
    return made, oracle


GRAPHS = {
    "batch_norm": batch_norm,
    "batch_norm_first": batch_norm_first,
    "lrn": lrn,
    "pad_constant": lambda s: pads(s, "constant"),
    "pad_edge": lambda s: pads(s, "edge"),
    "pad_reflect": lambda s: pads(s, "reflect"),
    "global_average": lambda s: pools(s, "GlobalAveragePool"),
    "global_max": lambda s: pools(s, "GlobalMaxPool"),
    "reduce_mean_13": lambda s: pools(s, "ReduceMean"),
    "reduce_mean_18": lambda s: pools(s, "ReduceMean", 18),
    "nhwc": nhwc,
    "top_k": lambda s: top_k(s, 3, 3, 1),  # these three behind the others in order, whose weights follow from it
    "top_k_smallest": lambda s: top_k(s, 2, 1, 0),
    "zoom_tie": zoom_tie,
    **{how: (lambda s, how=how: cnn(s, how=how)) for how in ("float_data", "f16", "bf16", "f64", "identity", "constants")},
    **{f"opset_{n}": (lambda s, n=n: cnn(s, opset=n)) for n in OPSETS},
}
