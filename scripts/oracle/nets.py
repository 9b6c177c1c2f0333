"""Small random networks for the golden tests, one for each kind of layer."""
import torch
from torch import nn
from zennit.layer import Sum


class Add(nn.Module):
    """a + b; stacked for zennit, which has a rule for sums over an axis."""

    stacked = False

    def __init__(self):
        super().__init__()
        self.sum = Sum(dim=-1)

    def forward(self, a, b):
        return self.sum(torch.stack([a, b], -1)) if Add.stacked else a + b


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.act0 = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU()
        self.a, self.act1, self.b = nn.Conv2d(6, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 1)
        self.skip, self.add, self.act2 = nn.Conv2d(6, 6, 1), Add(), nn.ReLU()
        self.pool, self.flat, self.head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)

    def forward(self, x):
        h = self.act0(self.stem(x))
        h = self.act2(self.add(self.skip(h), self.b(self.act1(self.a(h)))))
        return self.head(self.flat(self.pool(h)))


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.act1 = nn.Conv2d(3, 4, 3, padding=1), nn.ReLU()
        self.b, self.act2 = nn.Conv2d(4, 3, 3, padding=1), nn.ReLU()
        self.c, self.act3 = nn.Conv2d(7, 4, 3, stride=2), nn.ReLU()
        self.flat, self.head = nn.Flatten(), nn.Linear(4 * 9, 5)

    def forward(self, x):
        h = self.act1(self.a(x))
        h = torch.cat([h, self.act2(self.b(h))], 1)
        return self.head(self.flat(self.act3(self.c(h))))


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.down, self.up = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 2, 1), nn.Conv2d(2, 6, 1)
        self.head = nn.Linear(6, 5)

    def forward(self, x):
        h = torch.relu(self.conv(x))
        g = torch.sigmoid(self.up(torch.relu(self.down(h.mean((2, 3), keepdim=True)))))
        return self.head((h * g).mean((2, 3)))


class Views(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(16, 5)

    def forward(self, x):
        h = self.conv(nn.functional.pad(x, (1, 0, 0, 2)))
        a, c = h.split([1, 3], 1)
        h = torch.cat([c.tanh(), a * 0.5], 1).permute(0, 2, 3, 1)[:, 1:, ::2]
        h = h.unsqueeze(1).squeeze(1).amax(1) + h.mean(1)
        return self.head(h.reshape(-1, 16))


class Tokens(nn.Module):
    """Dense layers over an inner axis: exported as MatMul and Add."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(6, 8), nn.Linear(8, 4), nn.LayerNorm(8)

    def forward(self, x):
        return self.b(nn.functional.gelu(self.norm(self.a(x)))).mean(1)


def activation(act):
    return nn.Sequential(nn.Conv2d(3, 4, 3), act, nn.Flatten(), nn.Linear(4 * 36, 5))


def conv(*layers, out):
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(out, 5))


R = nn.ReLU
IMAGE = (2, 3, 8, 8)
# Their constants (slopes, 1/6, sqrt 2) stand in the file as float32, in the oracle as doubles.
ROUNDED = ("hardsigmoid", "hardswish", "leaky", "selu", "gelu", "tokens")
# name: (network, input shape, ReLU network that zennit's rules know)
NETS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(10, 12), R(), nn.Linear(12, 8), R(), nn.Linear(8, 5)), (2, 10), True),
    "cnn": (lambda: conv(nn.Conv2d(3, 6, 3, padding=1), R(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), R(), nn.MaxPool2d(2), out=32), IMAGE, True),
    "strided": (lambda: conv(nn.Conv2d(3, 6, 3, stride=2, padding=1), R(), nn.Conv2d(6, 4, (3, 2), stride=(1, 2), padding=(1, 0)), R(), out=32), IMAGE, True),
    "dilated": (lambda: conv(nn.Conv2d(3, 6, 3, dilation=2, padding=2), R(), nn.Conv2d(6, 4, 3, dilation=(1, 2)), R(), out=4 * 6 * 4), IMAGE, True),
    "grouped": (lambda: conv(nn.Conv2d(3, 6, 3, groups=3, padding=1), R(), nn.Conv2d(6, 6, 3, groups=6, padding=1), R(), nn.Conv2d(6, 4, 1, bias=False), R(), out=256), IMAGE, True),
    "avgpool": (lambda: conv(nn.Conv2d(3, 6, 3, padding=1), R(), nn.AvgPool2d(2), nn.Conv2d(6, 4, 3, padding=1), R(), nn.AvgPool2d(2), out=16), IMAGE, True),
    "avgpool_pad": (lambda: conv(nn.Conv2d(3, 6, 3, padding=1), R(), nn.AvgPool2d(3, 2, 1, count_include_pad=False), R(), nn.AvgPool2d(2, 1, 1), out=150), IMAGE, False),
    "maxpool_pad": (lambda: conv(nn.Conv2d(3, 6, 3, padding=1), R(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(6, 4, 3, padding=1), R(), out=64), IMAGE, True),
    "maxpool_ceil": (lambda: conv(nn.Conv2d(3, 6, 2), R(), nn.MaxPool2d(2, 2, ceil_mode=True), out=96), IMAGE, False),
    "residual": (Residual, IMAGE, True),
    "dense": (Dense, IMAGE, True),
    "se": (SqueezeExcite, IMAGE, False),
    "relu6": (lambda: activation(nn.ReLU6()), IMAGE, False),
    "hardswish": (lambda: activation(nn.Hardswish()), IMAGE, False),
    "hardsigmoid": (lambda: activation(nn.Hardsigmoid()), IMAGE, False),
    "leaky": (lambda: activation(nn.LeakyReLU(0.1)), IMAGE, False),
    "elu": (lambda: activation(nn.ELU()), IMAGE, False),
    "selu": (lambda: activation(nn.SELU()), IMAGE, False),
    "softplus": (lambda: activation(nn.Softplus()), IMAGE, False),
    "tanh": (lambda: activation(nn.Tanh()), IMAGE, False),
    "sigmoid": (lambda: activation(nn.Sigmoid()), IMAGE, False),
    "prelu": (lambda: activation(nn.PReLU(4)), IMAGE, False),
    "gelu": (lambda: activation(nn.GELU()), IMAGE, False),
    "silu": (lambda: activation(nn.SiLU()), IMAGE, False),
    "conv1d": (lambda: conv(nn.Conv1d(3, 5, 3, padding=1), R(), nn.MaxPool1d(2), nn.Conv1d(5, 4, 3), R(), out=8), (2, 3, 8), True),
    "conv3d": (lambda: conv(nn.Conv3d(2, 3, 3, padding=1), R(), nn.MaxPool3d(2), nn.Conv3d(3, 4, 2), R(), out=4), (2, 2, 4, 4, 4), True),
    "transposed": (lambda: conv(nn.Conv2d(3, 4, 3, stride=2), R(), nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1), R(), out=108), IMAGE, False),
    "views": (Views, IMAGE, False),
    "tokens": (Tokens, (2, 5, 6), False),
}


def build(name):
    make, shape, zennit = NETS[name]
    torch.manual_seed(sorted(NETS).index(name) + 1)
    net = make().eval()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn_like(p) * (0.7 / max(1, p[0].numel()) ** 0.5 if p.ndim > 1 else 0.2))
    return net, torch.randn(shape), zennit
