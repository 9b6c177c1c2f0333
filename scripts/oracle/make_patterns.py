"""tests/golden/patterns: what patterns.py says of small networks, and what PyTorch makes of these patterns going back through
them, all in double precision from the weights as the ONNX files store them."""
import pathlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import patterns
from nets import build

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "patterns"
TYPES = ("linear", "relu", "relu.negative")
KERNELS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
ACTIVATIONS = (nn.ReLU,)
THROUGH = (nn.BatchNorm2d, nn.Flatten)  # behind these the next activation is looked for
N = 53  # no multiple of any batch


def batch_norm():
    torch.manual_seed(99)
    net = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4),
                        nn.Flatten(), nn.ReLU(), nn.Linear(16, 5)).eval()
    for m in net:
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.3)
            m.running_var.uniform_(0.5, 2)
            nn.init.uniform_(m.weight, -1, 1.5)
            nn.init.normal_(m.bias, 0, 0.3)
    return net


def in_order(net):
    """Kernel layers in the order of the file, each with the layer whose output decides which samples count (None: its own)."""
    if not isinstance(net, nn.Sequential):  # Residual of nets.py
        return [(net.stem, net.act0), (net.skip, net.act2), (net.a, net.act1), (net.b, net.act2), (net.head, None)]
    layers, out = list(net), []
    for i, m in enumerate(layers):
        if isinstance(m, KERNELS):
            rest = [r for r in layers[i + 1:] if not isinstance(r, THROUGH)]
            out.append((m, rest[0] if rest and isinstance(rest[0], ACTIVATIONS) else None))
    return out


def observe(net, x):
    """Inputs and outputs of every layer."""
    seen, hooks = {}, []
    for m in net.modules():
        hooks.append(m.register_forward_hook(lambda m, i, o: seen.update({m: (i[0].detach().numpy(), o.detach().numpy())})))
    with torch.no_grad():
        net(x)
    for h in hooks:
        h.remove()
    return seen


def folded(net, m):
    """The kernel as the batch norm behind it leaves it."""
    w = m.weight.detach().numpy()
    layers = list(net) if isinstance(net, nn.Sequential) else []
    behind = layers[layers.index(m) + 1] if m in layers and layers.index(m) + 1 < len(layers) else None
    if isinstance(behind, nn.BatchNorm2d):
        s = (behind.weight / torch.sqrt(behind.running_var + behind.eps)).detach().numpy()
        w = w * s.reshape(-1, *[1] * (w.ndim - 1))
    return w


def window(m):
    if isinstance(m, nn.Linear):
        return {}
    return {"stride": m.stride, "pad": m.padding, "dilation": m.dilation, "groups": m.groups}


def fitted(net, x):
    seen, out = observe(net, x), {}
    for i, (m, after) in enumerate(in_order(net)):
        given = seen[after or m][1].reshape(seen[m][1].shape)
        for kind in TYPES:
            a = patterns.closed_form(kind, seen[m][0], folded(net, m), given, **window(m))
            b = patterns.released(kind, seen[m][0], folded(net, m), given, 7, **window(m))
            assert np.abs(a - b).max() <= 1e-8 * np.abs(a).max(), (i, kind)
            out[f"layer_{i}.{kind}"] = a
    return out


def maps(net, x, pattern, attribution):
    """Values by the weights, derivatives by the patterns; batch norms lie in the weights. The head is the largest output."""
    def forward(m, a):
        apply = nn.functional.linear if isinstance(m, nn.Linear) else m._conv_forward

        def call(x):
            back = apply(x, a, None)
            return back + (apply(x, m.weight, m.bias) - back).detach()
        return call

    for i, (m, _) in enumerate(in_order(net)):
        a = torch.from_numpy(pattern[f"layer_{i}.relu"])
        m.forward = forward(m, a * m.weight.detach() if attribution else a)
    x = x.clone().requires_grad_()
    net(x).max(1).values.pow(2).sum().div(2).backward()  # the derivative of f^2/2 is f times that of f
    return x.grad.numpy()


def keras_layout(net, pattern, shape):
    """arr_0 ... with channels last."""
    out, image = {}, shape
    for i, (m, _) in enumerate(in_order(net)):
        a = pattern[f"layer_{i}.relu"]
        if isinstance(m, nn.Linear):
            a = a.T
            if image is not None and len(image) > 1 and np.prod(image) == len(a):
                a = np.moveaxis(a.reshape(*image, -1), 0, -2).reshape(len(a), -1)
            image = None
        else:
            a = np.moveaxis(a, (0, 1), (-1, -2))
            image = None
        out[f"arr_{i}"] = a
        layers = list(net)
        flat = next((k for k in layers[layers.index(m):] if isinstance(k, nn.Flatten)), None)
        if flat is not None and not isinstance(m, nn.Linear):
            image = observe_shape(net, flat, shape)
    return out


def observe_shape(net, layer, shape):
    return observe(net, torch.zeros(1, *shape, dtype=torch.float64))[layer][0].shape[1:]


def haufe():
    """x = y (1, 0) + e (1, 1): the weights of the regression cancel the distractor e, the pattern shows the signal (Haufe et al.
    2014)."""
    rng = np.random.default_rng(0)
    y, e = rng.uniform(-0.5, 0.5, 1000), rng.uniform(-0.5, 0.5, 1000)
    x = np.stack([y + e, e], 1).astype(np.float32)
    w = np.linalg.lstsq(x, y, rcond=None)[0][None].astype(np.float32)
    graph = helper.make_graph([helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)], "g",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])], [numpy_helper.from_array(w, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7), OUT / "haufe.onnx")
    np.save(OUT / "haufe.x.npy", x)
    x, w = x.astype(float), w.astype(float)
    after = x @ w.T
    np.savez(OUT / "haufe.npz", **{f"layer_0.{k}": patterns.closed_form(k, x, w, after) for k in TYPES})


def export(name, net, x):
    torch.onnx.export(net, x[:1], OUT / f"{name}.onnx", input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
                      opset_version=17, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, dynamo=False)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    haufe()
    for name in ("mlp", "cnn", "strided", "dilated", "grouped", "avgpool", "conv1d", "residual", "batch_norm"):
        net, x = (batch_norm(), torch.randn(2, 3, 8, 8)) if name == "batch_norm" else build(name)[:2]
        torch.manual_seed(sum(map(ord, name)))
        x = torch.randn(N, *x.shape[1:])
        export(name, net, x)
        np.save(OUT / f"{name}.x.npy", x.numpy())
        net, x = net.double(), x.double()
        pattern = fitted(net, x)
        np.savez(OUT / f"{name}.npz", **pattern)
        if name in ("mlp", "cnn"):
            np.savez(OUT / f"{name}.keras.npz", **keras_layout(net, pattern, x.shape[1:]))
        if name != "batch_norm":
            np.save(OUT / f"{name}.net.npy", maps(net, x[:6], pattern, False))
            net = build(name)[0].double()
            np.save(OUT / f"{name}.attribution.npy", maps(net, x[:6], pattern, True))


if __name__ == "__main__":
    main()
