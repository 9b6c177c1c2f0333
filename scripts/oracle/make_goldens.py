"""Writes tests/golden: networks, inputs, and what PyTorch, captum and zennit make of them, in double precision."""
import copy
import pathlib

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import nn
from zennit.attribution import Gradient
from zennit.composites import (EpsilonAlpha2Beta1, EpsilonAlpha2Beta1Flat, EpsilonGammaBox, EpsilonPlus, EpsilonPlusFlat, ExcitationBackprop,
                               SpecialFirstLayerMapComposite)
from zennit.rules import AlphaBeta, Epsilon, Gamma, Flat, Norm, Pass, WSquare, ZBox, ZPlus
from zennit.types import Activation, AvgPool, Convolution, Linear

from nets import NETS, ROUNDED, Add, build
from zennit.layer import Sum

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden"
CASES = []


def save(name, method, net, analyzer, target, array, tolerance):
    tolerance = max(tolerance, 1e-7) if name in ROUNDED else tolerance
    np.save(OUT / "expect" / f"{name}.{method}.npy", np.ascontiguousarray(array, np.float64))
    CASES.append(f"{name}.{method} | nets/{net}.onnx | nets/{name}.x.npy | {analyzer} | {target} | expect/{name}.{method}.npy | f64 | {tolerance}")


def gradient(net, x, pick):
    x = x.clone().requires_grad_()
    return torch.autograd.grad((net(x) * pick).sum(), x)[0]


def hooked(net, x, pick, guided):
    """Deconvnet and guided backprop as iNNvestigate has them: the head is the picked value."""
    net = copy.deepcopy(net)

    class Back(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z.clamp(min=0)

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return g.clamp(min=0) * (z > 0) if guided else g.clamp(min=0)

    class Act(nn.Module):
        def forward(self, z):
            return Back.apply(z)

    for module in list(net.modules()):
        for key, child in list(module.named_children()):
            if isinstance(child, nn.ReLU):
                setattr(module, key, Act())
    return gradient(net, x, pick * net(x).detach())


def by_zennit(net, x, pick, rule, first=None):
    first_map = [(Convolution, first()), (Linear, first())] if first else []
    composite = SpecialFirstLayerMapComposite(
        [(Activation, Pass()), (Sum, Norm()), (AvgPool, Norm()), (Convolution, rule()), (Linear, rule())], first_map)
    return composed(net, x, lambda y: y * pick, composite)


def composed(net, x, seed, composite):
    """What a composite of zennit's gives; additions are stacked for it."""
    Add.stacked = True
    with Gradient(model=net, composite=composite) as attributor:
        _, r = attributor(x.clone().requires_grad_(), seed)
    Add.stacked = False
    return r.detach()


def methods(name, net, x, zennit):
    y = net(x).detach()
    top = y.argmax(1)
    pick = nn.functional.one_hot(top, y.shape[1]).double()
    save(name, "predict", name, "predict", "max", y, 1e-9)
    g = gradient(net, x, pick)
    save(name, "gradient", name, "gradient", "max", g, 1e-9)
    save(name, "input_t_gradient", name, "input_t_gradient", "max", x * g, 1e-9)
    save(name, "gradient_2", name, "{type: gradient, postprocess: abs}", "2", gradient(net, x, nn.functional.one_hot(top * 0 + 2, y.shape[1])).abs(), 1e-9)
    save(name, "gradient_all", name, "gradient", "all", gradient(net, x, torch.ones_like(y)), 1e-9)
    if name in ("cnn", "mlp", "silu", "residual"):
        left = sum(gradient(net, x * (i / 16), pick) for i in range(16)) / 16
        save(name, "ig", name, "{type: integrated_gradients, steps: 16}", "max", x * left, 1e-9)
        trapezoid = sum(gradient(net, x * (i / 16), pick) * (0.5 if i in (0, 16) else 1) for i in range(17)) / 16
        save(name, "ig_trapezoid", name, "{type: integrated_gradients, steps: 16, quadrature: trapezoid}", "max", x * trapezoid, 1e-9)
        captum = IntegratedGradients(net).attribute(x, target=top, n_steps=16).detach()
        save(name, "ig_captum", name, "{type: integrated_gradients, steps: 16, dialect: captum}", "max", captum, 2e-7)
    if not zennit:
        return
    save(name, "guided_backprop", name, "guided_backprop", "max", hooked(net, x, pick, True), 1e-9)
    save(name, "deconvnet", name, "deconvnet", "max", hooked(net, x, pick, False), 1e-9)
    for method, rule, analyzer in (
        ("epsilon", lambda: Epsilon(1e-6), "{type: lrp.epsilon, epsilon: 1.0e-6, dialect: zennit}"),
        ("z_plus", ZPlus, "{type: lrp.z_plus, dialect: zennit}"),
        ("flat", Flat, "{type: lrp.flat, dialect: zennit}"),
        ("w_square", WSquare, "{type: lrp.w_square, dialect: zennit}"),
        ("alpha_beta", lambda: AlphaBeta(2, 1), "{type: lrp.alpha_2_beta_1, dialect: zennit}"),
        ("gamma", lambda: Gamma(0.25), "{type: lrp.gamma, dialect: zennit}"),
    ):
        save(name, method, name, analyzer, "max", by_zennit(copy.deepcopy(net), x, pick, rule), 1e-9)
    for preset, composite in (
        ("lrp.epsilon_plus", EpsilonPlus()), ("lrp.epsilon_plus_flat", EpsilonPlusFlat()),
        ("lrp.epsilon_alpha2_beta1", EpsilonAlpha2Beta1()), ("lrp.epsilon_alpha2_beta1_flat", EpsilonAlpha2Beta1Flat()),
        ("excitation_backprop", ExcitationBackprop()),
        ("{type: lrp.epsilon_gamma_box, low: -3, high: 3}", EpsilonGammaBox(low=torch.full_like(x[:1], -3), high=torch.full_like(x[:1], 3))),
    ):
        short = type(composite).__name__
        if name in ("mlp", "cnn", "residual", "avgpool", "conv1d"):
            save(name, short, name, preset, "max", composed(copy.deepcopy(net), x, lambda y: pick, composite), 1e-9)
    for method, first, rule in (("box", lambda: ZBox(-3, 3), "{type: lrp.bounded, low: -3, high: 3}"), ("first_flat", Flat, "lrp.flat")):
        table = f"[{{match: {{position: first, trait: affine}}, rule: {rule}}}, {{match: {{trait: affine}}, rule: {{type: lrp.epsilon, epsilon: 1.0e-6}}}}, "
        table += "{match: {trait: [merge, sum_pool]}, rule: lrp.norm}, {match: {trait: activation}, rule: lrp.pass}]"
        save(name, method, name, f"{{type: lrp, dialect: zennit, rules: {table}, default: gradient}}", "max",
             by_zennit(copy.deepcopy(net), x, pick, lambda: Epsilon(1e-6), first), 1e-9)
    if name in ("mlp", "cnn", "strided", "grouped"):
        save(name, "z", name, "lrp.z", "max", x * g, 1e-6)


def main():
    (OUT / "nets").mkdir(parents=True, exist_ok=True)
    (OUT / "expect").mkdir(exist_ok=True)
    torch.set_num_threads(1)
    for name in NETS:
        net, x, zennit = build(name)
        opset = 17 if name in ("tokens", "hardswish") else 13
        torch.onnx.export(net, x, str(OUT / "nets" / f"{name}.onnx"), input_names=["x"], output_names=["y"], opset_version=opset,
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False)
        np.save(OUT / "nets" / f"{name}.x.npy", x.numpy())
        methods(name, net.double(), x.double(), zennit)
    head = "# name | net | input | analyzer | target | expected | dtype | tolerance relative to the largest expected value\n"
    (OUT / "cases.txt").write_text(head + "\n".join(CASES) + "\n")
    print(len(CASES), "cases")


if __name__ == "__main__":
    main()
