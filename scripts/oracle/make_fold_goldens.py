"""Writes tests/golden/fold: networks whose batch norms can be folded, their gradients by PyTorch, and zennit's rules on the same
networks with the batch norms folded by hand: threshold units, and convolutions with one bias for each output element."""
import copy
import pathlib

import numpy as np
import torch
from torch import nn
from zennit.attribution import Gradient
from zennit.composites import LayerMapComposite
from zennit.rules import AlphaBeta, Epsilon, Norm, Pass, ZPlus
from zennit.types import Activation, AvgPool, Convolution, Linear

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "fold"
ALL = "[drop_identity, strip_softmax, fold_batch_norm, fold_batch_norm_right, dense]"
CASES = []


class Threshold(nn.ReLU):
    def __init__(self, s, t):
        super().__init__()
        self.s, self.t = s[:, None, None], t[:, None, None]
        self.level = torch.where(self.s == 0, 0 * self.t, -self.t / torch.where(self.s == 0, 1 + 0 * self.s, self.s))

    def forward(self, x):
        return torch.where(self.s * x + self.t > 0, x, self.level)


class MapConv(nn.Conv2d):
    """A convolution whose bias has one number for each output element."""

    def forward(self, x):
        return self._conv_forward(x, self.weight, None) + self.bias


def scale_shift(norm):
    s = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return s, norm.bias - norm.running_mean * s


def right(norm, layer, shape, relu=False):
    """What follows a batch norm (and a ReLU) with both folded into the layer; shape: of the layer's input, without samples."""
    s, t = scale_shift(norm)
    cut = torch.where((s == 0) & (t < 0), 0 * t, t) if relu else t
    layer = copy.deepcopy(layer)
    with torch.no_grad():
        if isinstance(layer, nn.Linear):
            bias = layer.bias + layer.weight @ cut
            layer.weight *= s
            layer.bias.copy_(bias)
        else:
            images = cut[:, None, None].expand(shape)[None]
            bias = layer(images)
            group = layer.in_channels // layer.groups
            for k in range(layer.out_channels):
                first = k // (layer.out_channels // layer.groups) * group
                layer.weight[k] *= s[first:first + group, None, None]
            layer.__class__ = MapConv
            layer.bias = nn.Parameter(bias)
    return layer, Threshold(s, t) if relu else nn.Identity()


def left(conv, norm):
    s, t = scale_shift(norm)
    conv = copy.deepcopy(conv)
    with torch.no_grad():
        bias = (0 if conv.bias is None else conv.bias * s) + t
        conv.weight *= s[:, None, None, None]
        conv.bias = nn.Parameter(bias)
    return conv


def part(norm, a, b):
    p = nn.BatchNorm2d(b - a).eval().double()
    with torch.no_grad():
        for key in ("weight", "bias", "running_mean", "running_var"):
            getattr(p, key).copy_(getattr(norm, key)[a:b])
    return p


class Net(nn.Module):
    """Batch norms over a concatenation, before ReLU and a padded strided convolution, before a grouped one, before pooling."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.over = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.Conv2d(3, 5, 1), nn.BatchNorm2d(9)
        self.act = nn.ReLU()
        self.n1, self.r1, self.c1 = nn.BatchNorm2d(9), nn.ReLU(), nn.Conv2d(9, 6, 3, padding=(1, 2), stride=2)
        self.n2, self.c2 = nn.BatchNorm2d(6), nn.Conv2d(6, 6, 3, padding=1, groups=2, bias=False)
        self.n3, self.r3, self.pool, self.fc = nn.BatchNorm2d(12), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Linear(12, 5)

    def forward(self, x):
        h = self.act(self.over(torch.cat([self.a(x), self.b(x)], 1)))
        h = self.c1(self.r1(self.n1(h)))
        h = torch.cat([h, self.c2(self.n2(h))], 1)
        return self.fc(self.pool(self.r3(self.n3(h))).flatten(1))

    def folded(self):
        f = copy.deepcopy(self)
        f.a, f.b = left(self.a, part(self.over, 0, 4)), left(self.b, part(self.over, 4, 9))
        f.c1, f.r1 = right(self.n1, self.c1, (9, 9, 9), relu=True)
        f.c2, _ = right(self.n2, self.c2, (6, 5, 6))
        f.fc, f.r3 = right(self.n3, self.fc, None, relu=True)
        f.over = f.n1 = f.n2 = f.n3 = nn.Identity()
        return f


def save(method, passes, analyzer, array):
    np.save(OUT / "expect" / f"{method}.npy", np.ascontiguousarray(array.detach(), np.float64))
    CASES.append(f"fold.{method} | net.onnx {passes} | net.x.npy | {analyzer} | all | expect/{method}.npy | f64 | 1e-09")


def by_zennit(net, x, rule):
    composite = LayerMapComposite([(Activation, Pass()), (AvgPool, Norm()), (Convolution, rule), (Linear, rule)])
    with Gradient(model=net, composite=composite) as attributor:
        return attributor(x.clone().requires_grad_(), lambda y: y.detach())[1]


def main():
    (OUT / "expect").mkdir(parents=True, exist_ok=True)
    torch.manual_seed(5)
    net, x = Net().eval(), torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):
                for p in (m.running_mean, m.weight, m.bias):
                    p.normal_()
                m.running_var.uniform_(0.5, 2)
                m.weight[0], m.weight[2], m.bias[0], m.bias[2] = 0, 0, 1, -1
    torch.onnx.export(net, x, str(OUT / "net.onnx"), input_names=["x"], output_names=["y"], opset_version=13, dynamo=False, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE, dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
    np.save(OUT / "net.x.npy", x.numpy())
    net, x = net.double(), x.double().requires_grad_()
    y = net(x)
    gradient = torch.autograd.grad((y * y.detach()).sum(), x)[0]
    folded = net.folded()
    assert torch.allclose(folded(x), y, atol=1e-12)
    for name, passes in (("none", "[]"), ("left", "[fold_batch_norm]"), ("right", "[fold_batch_norm_right]"), ("all", ALL)):
        save(f"gradient_{name}", passes, "{type: lrp, head: value, default: gradient}", gradient)
    for name, rule, ours in (("epsilon", Epsilon(1e-6), "{type: lrp.epsilon, epsilon: 1.0e-6"), ("z_plus", ZPlus(), "{type: lrp.z_plus"),
                             ("alpha_beta", AlphaBeta(2, 1), "{type: lrp.alpha_2_beta_1")):
        save(name, ALL, f"{ours}, dialect: zennit}}", by_zennit(folded, x.detach(), rule))
    head = "# name | net | input | analyzer | target | expected | dtype | tolerance relative to the largest expected value\n"
    (OUT / "cases.txt").write_text(head + "\n".join(CASES) + "\n")


if __name__ == "__main__":
    main()
