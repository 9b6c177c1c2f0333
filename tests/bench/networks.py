"""The networks that are compared, with random weights: torchvision's, and the demo's."""
import numpy as np
import torch
import torchvision
from torch import nn

SIZES = {"inception_v3": 299}  # all others: 224


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


def convolution(c, k, size=1, stride=1, groups=1, rectified=True):
    layers = [nn.Conv2d(c, k, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(k)]
    return layers + [nn.ReLU6(inplace=True)] if rectified else layers


def efficientnet_lite0():
    """The demo's network (Liu 2020): EfficientNet-B0 without squeeze-and-excitation, with ReLU6."""
    layers, c = convolution(3, 32, 3, 2), 32
    for expand, k, n, stride, size in ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5),
                                       (6, 320, 1, 1, 3)):
        for i in range(n):
            wide = c * expand
            block = convolution(c, wide) if expand > 1 else []
            block += convolution(wide, wide, size, 1 if i else stride, wide) + convolution(wide, k, rectified=False)
            layers += [Residual(*block)] if i else block
            c = k
    layers += convolution(c, 1280) + [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers)


def network(name):
    torch.manual_seed(1)
    if name == "efficientnet_lite0":
        net = efficientnet_lite0()
    else:
        more = {"init_weights": True, "transform_input": False} if name == "inception_v3" else {}
        net = getattr(torchvision.models, name)(weights=None, **more)
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1)
                m.running_var.uniform_(0.5, 2)
    return net.eval().requires_grad_(False)


def in_place(net, yes):
    """Whether activations overwrite their inputs: faster, but attribution by hooks wants to see them."""
    for m in net.modules():
        if isinstance(m, (nn.ReLU, nn.ReLU6)):
            m.inplace = yes


def images(name, n):
    size = SIZES.get(name, 224)
    return np.random.default_rng(1).standard_normal((n, 3, size, size), np.float32)


def export(net, x, path):
    """As ONNX, for any batch."""
    torch.onnx.export(net, torch.from_numpy(x[:1]), str(path), opset_version=13, dynamo=False, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
