"""paddle.vision's networks with random weights, through paddle2onnx with a fixed and with a free batch, into a cache folder.

For every network: NET.x.npy, 16 inputs; NET.target, the class of each that is explained; NET.y.npy and NET.g.npy,
outputs and the gradient of those classes in double precision; NET.f.npy, the gradient in single precision;
NET.paddle.onnx and NET.paddle_dyn.onnx, the files.

    python scripts/zoo/paddle_nets.py [--cache DIR] [--no-files] [NET...]

Needs paddlepaddle 3.3, paddle2onnx 2.1, packaging and numpy.
"""
import argparse
import pathlib

import numpy as np
import paddle
from paddle.vision import models

from cache import DEFAULT_CACHE, SAMPLES, store

NETS = {  # name: (constructor, image size)
    "paddle_resnet50": (models.resnet50, 224),
    "paddle_vgg16": (models.vgg16, 224),
    "paddle_densenet121": (models.densenet121, 224),
    "paddle_inception_v3": (models.inception_v3, 299),
    "paddle_mobilenet_v1": (models.mobilenet_v1, 224),
    "paddle_mobilenet_v2": (models.mobilenet_v2, 224),
    "paddle_mobilenet_v3_large": (models.mobilenet_v3_large, 224),
    "paddle_shufflenet_v2": (models.shufflenet_v2_x1_0, 224),
    "paddle_squeezenet": (models.squeezenet1_1, 224),
    "paddle_alexnet": (models.alexnet, 224),
}
EXPORTERS = {"paddle": 1, "paddle_dyn": None}  # name: batch


def randomize(net, size, rng):
    """No trivial scales and shifts, and the running statistics are those of noise."""
    norms = [m for m in net.sublayers() if isinstance(m, (paddle.nn.BatchNorm, paddle.nn.BatchNorm2D))]
    for m in norms:
        m._momentum = 0.0  # the statistics become those of one batch
        m.weight.set_value(rng.uniform(0.7, 1.3, m.weight.shape).astype(np.float32))
    for name, p in net.named_parameters():
        if name.endswith("bias"):
            p.set_value(p.numpy() + 0.1 * rng.standard_normal(p.shape).astype(np.float32))
    net.train()
    with paddle.no_grad():
        net(paddle.to_tensor(rng.standard_normal((4, 3, size, size)).astype(np.float32)))
    for m in norms:
        mean, var = m._mean.numpy(), m._variance.numpy()
        m._mean.set_value((mean + 0.1 * np.sqrt(var) * rng.standard_normal(mean.shape)).astype(np.float32))
        m._variance.set_value((var * rng.uniform(0.8, 1.3, var.shape) + 1e-3).astype(np.float32))
    net.eval()


def doubled(build, net):
    twin = build()
    twin.set_state_dict(net.state_dict())
    twin.to(dtype="float64")
    twin.eval()
    return twin


def explainer(net, dtype):
    """As `store` asks for it."""
    def explain(x, target):
        x = paddle.to_tensor(x.astype(dtype), stop_gradient=False)
        y = net(x)
        target = y.numpy().argmax(1) if target is None else target
        g, = paddle.grad(y[0, int(target[0])], x)
        return y.numpy(), g.numpy(), target
    return explain


def make(name, exporters, cache):
    build, size = NETS[name]
    rng = np.random.default_rng(sum(map(ord, name)))
    paddle.seed(sum(map(ord, name)))
    net = build()
    randomize(net, size, rng)
    x = rng.standard_normal((SAMPLES, 3, size, size)).astype(np.float32)
    store(cache, name, x, explainer(doubled(build, net), np.float64), explainer(net, np.float32))
    for exporter, batch in exporters.items():
        paddle.onnx.export(net, str(cache / f"{name}.{exporter}"), input_spec=[paddle.static.InputSpec([batch, 3, size, size], name="x")])
        print(f"{name}.{exporter}: written", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("--no-files", action="store_true")
    p.add_argument("net", nargs="*", choices=[*NETS, []])
    a = p.parse_args()
    a.cache.mkdir(parents=True, exist_ok=True)
    for name in a.net or NETS:
        make(name, {} if a.no_files else EXPORTERS, a.cache)


if __name__ == "__main__":
    main()
