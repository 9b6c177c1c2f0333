"""Whole networks of torchvision's, random weights, small inputs: our LRP composites on the exported file against zennit's, both in double.

    python compare_zoo.py INNVESTIGATE [NETWORK ...]

zennit has canonizers for ResNet and VGG. Elsewhere the forward pass is written anew so that sums and functional layers are
seen: a sum and an average share by value, activations pass, gates get nothing. Prints the largest deviation for every
network and composite, relative to the largest of the map."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import types

import numpy as np
import torch
import torch.nn.functional as F
import torchvision.models as models
from torch import nn
from torchvision.models import densenet, efficientnet, inception, mobilenetv2, mobilenetv3
from torchvision.ops.misc import SqueezeExcitation
from zennit.attribution import Gradient
from zennit.canonizers import MergeBatchNorm, SequentialMergeBatchNorm
from zennit.composites import EpsilonAlpha2Beta1, EpsilonGammaBox, EpsilonPlus, EpsilonPlusFlat
from zennit.rules import Pass
from zennit.torchvision import ResNetCanonizer

COMPOSITES = {
    "lrp.epsilon_plus": EpsilonPlus, "lrp.epsilon_plus_flat": EpsilonPlusFlat, "lrp.epsilon_alpha2_beta1": EpsilonAlpha2Beta1,
    "{type: lrp.epsilon_gamma_box, low: -5, high: 5}": lambda **more: EpsilonGammaBox(-5, 5, **more),
}
ACTIVATIONS = [((nn.SiLU, nn.Hardswish, nn.Hardsigmoid, nn.ReLU6, nn.Sigmoid), Pass())]


class Norm(torch.autograd.Function):
    """f's inputs share by value."""

    @staticmethod
    def forward(ctx, f, *x):
        ctx.f, ctx.x = f, [v.detach() for v in x]
        return f(*x)

    @staticmethod
    def backward(ctx, r):
        x = [v.requires_grad_() for v in ctx.x]
        with torch.enable_grad():
            y = ctx.f(*x)
        g = torch.autograd.grad(y, x, r / (y + torch.where(y >= 0, 1e-6, -1e-6)))
        return (None, *(v.detach() * d for v, d in zip(x, g)))


class Passed(torch.autograd.Function):
    """f of x and of what gets no relevance."""

    @staticmethod
    def forward(ctx, f, x, *more):
        return f(x, *more)

    @staticmethod
    def backward(ctx, r):
        return (None, r, None)


def shared(f):
    return lambda x, *more, **options: Norm.apply(lambda v: f(v, *more, **options), x)


FUNCTIONS = types.SimpleNamespace(relu=lambda x, inplace=False: Passed.apply(torch.clamp_min, x, 0), avg_pool2d=shared(F.avg_pool2d), max_pool2d=F.max_pool2d,
                                  adaptive_avg_pool2d=shared(F.adaptive_avg_pool2d), dropout=F.dropout)


def mobile_v2(self, x):
    return self.classifier(FUNCTIONS.adaptive_avg_pool2d(self.features(x), (1, 1)).flatten(1))


@contextlib.contextmanager
def seen():
    """Sums, averages and gates as zennit would have them; the modules' own forward again behind it."""
    add = lambda x, y: Norm.apply(torch.add, x, y)  # noqa: E731
    new = [
        (inception, "F", FUNCTIONS), (densenet, "F", FUNCTIONS), (mobilenetv2.MobileNetV2, "_forward_impl", mobile_v2),
        (mobilenetv2.InvertedResidual, "forward", lambda s, x: add(x, s.conv(x)) if s.use_res_connect else s.conv(x)),
        (mobilenetv3.InvertedResidual, "forward", lambda s, x: add(s.block(x), x) if s.use_res_connect else s.block(x)),
        (efficientnet.MBConv, "forward", lambda s, x: add(s.block(x), x) if s.use_res_connect else s.block(x)),
        (SqueezeExcitation, "forward", lambda s, x: Passed.apply(torch.mul, x, s._scale(x).detach())),
    ]
    old = [(owner, key, getattr(owner, key)) for owner, key, _ in new]
    for owner, key, value in new:
        setattr(owner, key, value)
    try:
        yield
    finally:
        for owner, key, value in old:
            setattr(owner, key, value)


class Pairs(MergeBatchNorm):
    """DenseNet's batch norms that follow a convolution alone; the others stand before a ReLU and stay."""

    def apply(self, root):
        out = []
        pairs = [(root.features.conv0, root.features.norm0)]
        pairs += [(m.conv1, m.norm2) for m in root.modules() if isinstance(m, densenet._DenseLayer)]
        for conv, norm in pairs:
            instance = self.copy()
            instance.register((conv,), norm)
            out.append(instance)
        return out


def without_epsilon():
    """zennit 0.5.1 leaves eps to the batch norms that it has merged."""
    register, remove = MergeBatchNorm.register, MergeBatchNorm.remove

    def registered(self, linears, norm):
        register(self, linears, norm)
        self.eps, norm.eps = norm.eps, 0.0

    def removed(self):
        remove(self)
        self.batch_norm.eps = self.eps
    MergeBatchNorm.register, MergeBatchNorm.remove = registered, removed


def vgg16():
    net = models.vgg16()
    net.avgpool, net.classifier[0] = nn.Identity(), nn.Linear(512 * 4, 4096)
    return net


LEFT = "[drop_identity, fold_batch_norm, dense]"
NETWORKS = {  # the network, its input's size, canonizer, passes (None: the default ones)
    "resnet18": (models.resnet18, 64, ResNetCanonizer, None),
    "resnet50": (models.resnet50, 64, ResNetCanonizer, None),
    "vgg16": (vgg16, 64, SequentialMergeBatchNorm, None),
    "mobilenet_v2": (models.mobilenet_v2, 64, SequentialMergeBatchNorm, None),
    "mobilenet_v3_small": (models.mobilenet_v3_small, 64, SequentialMergeBatchNorm, None),
    "efficientnet_b0": (models.efficientnet_b0, 64, SequentialMergeBatchNorm, None),
    "densenet121": (models.densenet121, 64, Pairs, LEFT),
    "inception_v3": (lambda: models.inception_v3(aux_logits=False, init_weights=False), 75, SequentialMergeBatchNorm, None),
}


def build(make):
    torch.manual_seed(3)
    net = make().eval()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.weight.uniform_(0.6, 1.4)
                m.bias.normal_(0, 0.2)
                m.running_mean.normal_(0, 0.2)
                m.running_var.uniform_(0.5, 1.5)
    return net


def by_zennit(net, x, composite, canonizer):
    pick = F.one_hot(net(x).argmax(1), 1000).double()
    with seen(), Gradient(model=net, composite=composite(layer_map=ACTIVATIONS, canonizers=[canonizer()])) as attributor:
        return attributor(x.clone().requires_grad_(), pick)[1].detach().numpy()


def main(program, names):
    without_epsilon()
    with tempfile.TemporaryDirectory() as folder:
        file, inputs, output = (str(pathlib.Path(folder) / n) for n in ("net.onnx", "x.npy", "r.npy"))
        for name in names or NETWORKS:
            make, size, canonizer, passes = NETWORKS[name]
            net, x = build(make), torch.randn(1, 3, size, size)
            torch.onnx.export(net, x, file, input_names=["x"], output_names=["y"], opset_version=17, dynamo=False,
                              training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
            np.save(inputs, x.numpy())
            model = f"{{path: {file}, passes: {passes}}}" if passes else file
            for analyzer, composite in COMPOSITES.items():
                want = by_zennit(net.double(), x.double(), composite, canonizer)
                subprocess.run([program, "analyze", "-m", model, "-i", inputs, "-a", analyzer, "-b", "{type: reference, dtype: f64}", "-o", output, "--quiet"], check=True)
                print(f"{name:20} {analyzer:50} {np.abs(np.load(output) - want).max() / np.abs(want).max():.2g}", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], sys.argv[2:])
