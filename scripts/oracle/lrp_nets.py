"""Networks of the LRP golden tests: biases everywhere, batch norm, sums, concatenation, and every way to slide a window."""
import torch
from captum.attr._utils.custom_modules import Addition_Module
from torch import nn

from nets import Add


class Cat(nn.Module):
    def forward(self, a, b):
        return torch.cat([a, b], 1)


class Windows(nn.Module):
    """Padding, strides, dilation, groups, depthwise and 1x1 convolutions, concatenation, both kinds of pooling."""

    def __init__(self):
        super().__init__()
        self.stem, self.bn0, self.act0 = nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU()
        self.group, self.bn1, self.act1 = nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.BatchNorm2d(6), nn.ReLU()
        self.deep, self.bn2, self.act2 = nn.Conv2d(6, 6, 3, padding=2, dilation=2, groups=6), nn.BatchNorm2d(6), nn.ReLU()
        self.cat, self.one, self.bn3, self.act3 = Cat(), nn.Conv2d(12, 5, 1), nn.BatchNorm2d(5), nn.ReLU()
        self.top, self.mean, self.flat, self.head = nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2, 1), nn.Flatten(), nn.Linear(10, 4)

    def forward(self, x):
        h = self.act0(self.bn0(self.stem(x)))
        g = self.act1(self.bn1(self.group(h)))
        h = self.cat(g, self.act2(self.bn2(self.deep(h))))
        h = self.act3(self.bn3(self.one(h)))
        return self.head(self.flat(self.mean(self.top(h))))


class Blocks(nn.Module):
    """A residual network: one shortcut by a convolution, one straight."""

    def __init__(self, add=Add):
        super().__init__()
        self.stem, self.bn0, self.act0 = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()
        self.a, self.bna, self.acta = nn.Conv2d(6, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU()
        self.b, self.bnb = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.skip, self.bns = nn.Conv2d(6, 6, 1, stride=2), nn.BatchNorm2d(6)
        self.add, self.act1 = add(), nn.ReLU()
        self.c, self.bnc, self.actc = nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()
        self.d, self.bnd = nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6)
        self.add2, self.act2 = add(), nn.ReLU()
        self.mean, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 4)

    def forward(self, x):
        h = self.act0(self.bn0(self.stem(x)))
        h = self.act1(self.add(self.bns(self.skip(h)), self.bnb(self.b(self.acta(self.bna(self.a(h)))))))
        h = self.act2(self.add2(h, self.bnd(self.d(self.actc(self.bnc(self.c(h)))))))
        return self.head(self.mean(h).flatten(1))


class Chain(nn.Module):
    """Layers, then a dense one; captum knows no module that flattens."""

    def __init__(self, *layers, out):
        super().__init__()
        self.body, self.head = nn.Sequential(*layers), nn.Linear(out, 4)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


def chain(*layers, out):
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(out, 4))


class Unbiased(nn.Module):
    """Nothing keeps relevance here: no biases, and every sum is of what the layers pass on."""

    def __init__(self):
        super().__init__()
        self.stem, self.act0 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.ReLU()
        self.a, self.acta, self.b = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False)
        self.add, self.act1, self.top = Add(), nn.ReLU(), nn.MaxPool2d(2)
        self.c, self.act2, self.mean = nn.Conv2d(8, 8, 3, bias=False), nn.ReLU(), nn.AvgPool2d(2)
        self.flat, self.d, self.act3, self.head = nn.Flatten(), nn.Linear(8, 9, bias=False), nn.ReLU(), nn.Linear(9, 4, bias=False)

    def forward(self, x):
        h = self.act0(self.stem(x))
        h = self.top(self.act1(self.add(h, self.b(self.acta(self.a(h))))))
        return self.head(self.act3(self.d(self.flat(self.mean(self.act2(self.c(h)))))))


NETS = {
    "windows": (Windows, (2, 3, 9, 8)),
    "blocks": (Blocks, (2, 3, 8, 8)),
    "volume": (lambda: chain(nn.Conv3d(2, 4, 3, padding=1), nn.BatchNorm3d(4), nn.ReLU(), nn.AvgPool3d(2), nn.Conv3d(4, 3, 2), nn.ReLU(), out=3), (2, 2, 4, 4, 4)),
    "line": (lambda: chain(nn.Conv1d(3, 6, 3, padding=1), nn.BatchNorm1d(6), nn.ReLU(), nn.Conv1d(6, 4, 3, stride=2), nn.ReLU(), nn.AvgPool1d(2), out=4), (2, 3, 8)),
    "upward": (lambda: chain(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), nn.BatchNorm2d(3),
                             nn.ReLU(), out=108), (2, 3, 8, 8)),
    "unbiased": (Unbiased, (2, 3, 8, 8)),
    "captum": (lambda: Chain(nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 4, 3), nn.ReLU(), nn.AvgPool2d(2), out=4), (2, 3, 8, 8)),
    "captum_blocks": (lambda: Blocks(Addition_Module), (2, 3, 8, 8)),
}


def build(name):
    make, shape = NETS[name]
    torch.manual_seed(100 + list(NETS).index(name))
    net = make().eval()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
                m.weight.copy_(torch.randn_like(m.weight) * 0.3 + 1)
                m.weight[0] = -0.7
                m.bias.copy_(torch.randn_like(m.bias) * 0.3)
                m.running_mean.copy_(torch.randn_like(m.running_mean) * 0.4)
                m.running_var.copy_(torch.rand_like(m.running_var) + 0.4)
                m.eps = 2.0 ** -10
            elif hasattr(m, "weight"):
                m.weight.copy_(torch.randn_like(m.weight) * (1.5 / m.weight[0].numel()) ** 0.5)
                if m.bias is not None:
                    m.bias.copy_(torch.randn_like(m.bias) * 0.3)
    return net, torch.randn(shape)
