"""Writes tests/golden/lrp: what zennit 0.5.1 and captum make of the networks of lrp_nets.py, in double precision.

Batch norm stands in the files: zennit sees it folded (its canonizer, our pass) and as a layer of its own (no pass)."""
import copy
import pathlib
import shutil

import numpy as np
import torch
from captum.attr import LRP
from captum.attr._utils.custom_modules import Addition_Module
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, IdentityRule
from torch import nn
from zennit import rules as Z
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import (BetaSmooth, EpsilonAlpha2Beta1, EpsilonAlpha2Beta1Flat, EpsilonGammaBox, EpsilonPlus, EpsilonPlusFlat,
                               ExcitationBackprop, MixedComposite, NameMapComposite, SpecialFirstLayerMapComposite)
from zennit.core import Stabilizer
from zennit.layer import Sum
from zennit.types import Activation, AvgPool, BatchNorm, Convolution, Linear

from lrp_nets import NETS, build
from nets import Add

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "lrp"
CASES = []
FOLDED, UNFOLDED = "", " [drop_identity, dense]"
BASE = "{match: {trait: [merge, sum_pool]}, rule: lrp.norm}, {match: {trait: [activation, norm]}, rule: lrp.pass}"
NO_BIAS = {"zero_params": "bias"}
CLIP, RMS, SIGN = Stabilizer(0.3, clip=True), Stabilizer(0.2, norm_scale=True), 0.1
# zennit's rule, ours in dialect zennit; where `zero_params` drops the bias ours is the published rule with zennit's stabilizer.
RULES = {
    "epsilon": (lambda: Z.Epsilon(1e-6), "{type: lrp.epsilon, epsilon: 1.0e-6}"),
    "epsilon_nobias": (lambda: Z.Epsilon(0.1, **NO_BIAS), "{type: lrp.epsilon, epsilon: 0.1, bias: false}"),
    "epsilon_clip": (lambda: Z.Epsilon(CLIP), "{type: lrp.epsilon, epsilon: 0.3, stabilizer: clip}"),
    "epsilon_rms": (lambda: Z.Epsilon(RMS), "{type: lrp.epsilon, epsilon: 0.2, stabilizer: rms}"),
    "z_plus": (Z.ZPlus, "lrp.z_plus"),
    "z_plus_rms": (lambda: Z.ZPlus(RMS), "{type: lrp.z_plus, epsilon: 0.2, stabilizer: rms}"),
    "z_plus_nobias": (lambda: Z.ZPlus(SIGN, **NO_BIAS), "{type: lrp.alpha_beta, alpha: 1, bias: none, epsilon: 0.1}"),
    "alpha_2_beta_1": (lambda: Z.AlphaBeta(2, 1), "{type: lrp.alpha_beta, alpha: 2}"),
    "alpha_3_beta_2_clip": (lambda: Z.AlphaBeta(3, 2, CLIP), "{type: lrp.alpha_beta, beta: 2, epsilon: 0.3, stabilizer: clip}"),
    "alpha_1_beta_0_nobias": (lambda: Z.AlphaBeta(1, 0, **NO_BIAS), "{type: lrp.alpha_beta, alpha: 1, beta: 0, bias: none}"),
    "gamma": (lambda: Z.Gamma(0.25), "lrp.gamma"),
    "gamma_5_clip": (lambda: Z.Gamma(5, CLIP), "{type: lrp.gamma, gamma: 5, epsilon: 0.3, stabilizer: clip}"),
    "gamma_rms": (lambda: Z.Gamma(0.5, RMS), "{type: lrp.gamma, gamma: 0.5, epsilon: 0.2, stabilizer: rms}"),
    "w_square": (Z.WSquare, "lrp.w_square"),
    "w_square_clip": (lambda: Z.WSquare(CLIP), "{type: lrp.w_square, epsilon: 0.3, stabilizer: clip}"),
    "flat": (Z.Flat, "lrp.flat"),
    "flat_sign": (lambda: Z.Flat(SIGN), "{type: lrp.flat, stabilizer: sign, epsilon: 0.1}"),
}
IMAGE = (9, 8)
FIRST = {
    "box": (lambda: Z.ZBox(-3.5, 3), "{type: lrp.bounded, low: -3.5, high: 3}"),
    "box_rms": (lambda: Z.ZBox(-3.5, 3, RMS), "{type: lrp.bounded, low: -3.5, high: 3, epsilon: 0.2, stabilizer: rms}"),
    "box_channels": (lambda: Z.ZBox(*torch.tensor([[-3, -3.5, -4], [4, 3.5, 3]]).double()[:, None, :, None, None].expand(2, 1, 3, *IMAGE)),
                     "{type: lrp.bounded, low: [-3, -3.5, -4], high: [4, 3.5, 3]}"),
}
COMPOSITES = {
    "EpsilonPlus": (lambda c: EpsilonPlus(canonizers=c), "lrp.epsilon_plus"),
    "EpsilonPlusFlat": (lambda c: EpsilonPlusFlat(canonizers=c), "lrp.epsilon_plus_flat"),
    "EpsilonAlpha2Beta1": (lambda c: EpsilonAlpha2Beta1(canonizers=c), "lrp.epsilon_alpha2_beta1"),
    "EpsilonAlpha2Beta1Flat": (lambda c: EpsilonAlpha2Beta1Flat(canonizers=c, epsilon=0.25), "{type: lrp.epsilon_alpha2_beta1_flat, epsilon: 0.25}"),
    "EpsilonGammaBox": (lambda c: EpsilonGammaBox(-3.5, 3, gamma=0.5, canonizers=c), "{type: lrp.epsilon_gamma_box, low: -3.5, high: 3, gamma: 0.5}"),
    "ExcitationBackprop": (lambda c: ExcitationBackprop(canonizers=c), "excitation_backprop"),
    "BetaSmooth": (lambda c: BetaSmooth(3, canonizers=c), "{type: beta_smooth, beta: 3}"),
}
# Inner layers whose relevance is compared: modules, and the nodes that they became.
INNER = {
    "windows": (("act0", "/act0/Relu"), ("one", "/one/Conv"), ("mean", "/mean/AveragePool")),
    "blocks": (("a", "/a/Conv"), ("add", "/add/Add"), ("head", "/head/Gemm")),
}


class Merge(SequentialMergeBatchNorm):
    """zennit 0.5.1 leaves eps to the batch norm that it has merged, which then divides by sqrt(1 + eps)."""

    def register(self, linears, batch_norm):
        super().register(linears, batch_norm)
        self.eps, batch_norm.eps = batch_norm.eps, 0.0

    def remove(self):
        super().remove()
        self.batch_norm.eps = self.eps


def save(net, case, passes, analyzer, arrays, tolerance=1e-9, x="x"):
    files = []
    for k, array in enumerate(arrays):
        files.append(f"expect/{case}{'.%d' % k if k else ''}.npy")
        np.save(OUT / files[-1], np.ascontiguousarray(array.numpy(), np.float64))
    CASES.append(f"{case} | nets/{net}.onnx{passes} | nets/{net}.{x}.npy | {analyzer} | max | {' '.join(files)} | f64 | {tolerance}")


def table(rule, first=None):
    entries = f"{{match: {{position: first, trait: affine}}, rule: {first}}}, " if first else ""
    return f"{{type: lrp, dialect: zennit, head: one, rules: [{entries}{{match: {{trait: affine}}, rule: {rule}}}, {BASE}], default: gradient}}"


def by_zennit(net, x, composite, inner=()):
    """The map and, after it, what arrived at the outputs of the modules named."""
    net, outputs = copy.deepcopy(net), {}
    top = net(x).argmax(1)

    def keep(name):
        def hook(module, inputs, output):
            output.retain_grad()
            outputs[name] = output
        return hook

    Add.stacked = True
    with Gradient(model=net, composite=composite) as attributor:
        handles = [net.get_submodule(name).register_forward_hook(keep(name)) for name in inner]
        y, r = attributor(x.clone().requires_grad_(), lambda y: nn.functional.one_hot(top, y.shape[1]).double())
        for handle in handles:
            handle.remove()
    Add.stacked = False
    return [r.detach()] + [outputs[name].grad for name in inner]


def layer_map(rule, first, canonizers, stabilizer=1e-6):
    return SpecialFirstLayerMapComposite(
        [(Activation, Z.Pass()), (Sum, Z.Norm(stabilizer)), (AvgPool, Z.Norm(stabilizer)), (BatchNorm, Z.Pass()), (Convolution, rule()), (Linear, rule())],
        [(Convolution, first()), (Linear, first())] if first else [], canonizers=canonizers)


def zennit_cases(name, net, x):
    inner = INNER.get(name, ())
    names = "".join(" " + node for _, node in inner)
    for way, passes, canonizers in (("folded", FOLDED, [Merge()]), ("layer", UNFOLDED, [])):
        for key, (rule, ours) in RULES.items():
            save(name, f"{name}.{way}.{key}", passes, table(ours) + (" @" + names if inner else ""),
                 by_zennit(net, x, layer_map(rule, None, canonizers), [m for m, _ in inner]))
        for key, (first, ours) in FIRST.items():
            if key != "box_channels" or name == "windows":
                save(name, f"{name}.{way}.{key}", passes, table("{type: lrp.epsilon, epsilon: 1.0e-6}", ours),
                     by_zennit(net, x, layer_map(lambda: Z.Epsilon(1e-6), first, canonizers)))
        for key, (composite, ours) in COMPOSITES.items():
            # zennit leaves batch norm to the gradient in two of them; ours pass it, so only the folded network is the same.
            if way == "folded" or key not in ("ExcitationBackprop", "BetaSmooth"):
                save(name, f"{name}.{way}.{key}", passes, ours, by_zennit(net, x, composite(canonizers)))


def laws(name, net, x):
    """LRP-Z from the output's value is input times gradient, with biases too. Where no input of a layer is negative three names are one rule."""
    v = x.clone().requires_grad_()
    top = net(v).max(1).values
    gradient = torch.autograd.grad(top.sum(), v)[0]
    product = x * gradient
    for way, passes in (("folded", FOLDED), ("layer", UNFOLDED)):
        save(name, f"{name}.{way}.z", passes, "lrp.z", [product])
    save(name, f"{name}.z_baseline", FOLDED, "lrp.z_baseline", [product])
    save(name, f"{name}.bn_layer_rule", UNFOLDED, "{type: lrp.z, bn_layer_rule: Z}", [product])
    every = ", ".join(f"{part}_rule: gradient" for part in ("merge", "norm", "pooling", "activation"))
    save(name, f"{name}.all_gradient", UNFOLDED, f"{{type: lrp.composite, rule: gradient, {every}, head: one}}", [gradient])
    x = x.abs()
    np.save(OUT / "nets" / f"{name}.positive.npy", x.float().numpy())
    expected = by_zennit(net, x, layer_map(lambda: Z.ZPlus(1e-30, zero_params="bias"), None, [Merge()], 1e-30))
    for ours in ("lrp.z_plus", "lrp.z_plus_fast", "lrp.alpha_1_beta_0_IB"):
        save(name, f"{name}.positive.{ours}", FOLDED, f"{{type: {ours}, head: one}}", expected, x="positive")


def depth_cases(name, net, x):
    """Gamma by depth: the layers with weights in the order in which they are called."""
    called, kinds = [], (nn.modules.conv._ConvNd, nn.Linear)
    names = {m: n for n, m in net.named_modules()}
    handles = [m.register_forward_hook(lambda m, *_: called.append(names[m])) for m in net.modules() if isinstance(m, kinds)]
    net(x)
    for handle in handles:
        handle.remove()
    rules = []
    for i, layer in enumerate(called):
        depth = i / (len(called) - 1)
        rules.append(([layer], Z.Epsilon(1e-6) if depth >= 0.9 else Z.Gamma(0.7 if depth <= 0.333 else 0.3 if depth <= 0.667 else 0.05)))
    composite = MixedComposite([NameMapComposite(rules, canonizers=[Merge()]), layer_map(lambda: Z.Epsilon(1e-6), None, [])])
    save(name, f"{name}.gamma_by_depth", FOLDED, "{type: lrp.gamma_by_depth, gamma_1: 0.7, gamma_2: 0.3, gamma_3: 0.05, top: 0.9, dialect: zennit, "
         "head: one}", by_zennit(net, x, composite))


# captum's rule, our dialect and rule. Without biases captum's is the published rule with captum's stabilizer.
CAPTUM = {
    "epsilon": (EpsilonRule, "captum", "{type: lrp.epsilon, epsilon: 1.0e-9}"),
    "epsilon_large": (lambda: EpsilonRule(0.25), "captum", "{type: lrp.epsilon, epsilon: 0.25}"),
    "gamma": (GammaRule, "captum", "{type: lrp.gamma, generalised: false}"),
    "alpha_1_beta_0": (Alpha1_Beta0_Rule, "captum", "lrp.z_plus_fast"),
    "alpha_1_beta_0_nobias": (lambda: Alpha1_Beta0_Rule(set_bias_to_zero=True), "paper", "{type: lrp.z_plus_fast, stabilizer: sign, epsilon: 1.0e-9}"),
}


def by_captum(net, x, rule, norm):
    net = copy.deepcopy(net)
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            m.rule = rule()
        elif isinstance(m, nn.BatchNorm2d):
            m.rule = norm()
    return LRP(net).attribute(x.clone().requires_grad_(), target=net(x).argmax(1)).detach()


def captum_cases(name, net, x):
    """Its default for everything but activations is the epsilon rule, maximum pooling among them."""
    for key, (rule, dialect, ours) in CAPTUM.items():
        for way, norm, passed in (("", EpsilonRule, "activation"), (".identity", IdentityRule, "[activation, norm]"))[:2 if name == "captum_blocks" else 1]:
            rules = f"[{{match: {{trait: affine}}, rule: {ours}}}, {{match: {{trait: {passed}}}, rule: lrp.pass}}, "
            rules += "{match: {trait: reshape}, rule: gradient}]"
            analyzer = f"{{type: lrp, dialect: {dialect}, head: value, rules: {rules}, default: {{type: lrp.norm, stabilizer: sign, epsilon: 1.0e-9}}}}"
            save(name, f"{name}.{key}{way}", UNFOLDED, analyzer, [by_captum(net, x, rule, norm)])


def main():
    for folder in ("nets", "expect"):
        shutil.rmtree(OUT / folder, ignore_errors=True)
        (OUT / folder).mkdir(parents=True)
    torch.set_num_threads(1)
    for name in NETS:
        net, x = build(name)
        torch.onnx.export(net, x, str(OUT / "nets" / f"{name}.onnx"), input_names=["x"], output_names=["y"], opset_version=13,
                          dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
        np.save(OUT / "nets" / f"{name}.x.npy", x.numpy())
        if name.startswith("captum"):
            captum_cases(name, net.double(), x.double())
        else:
            zennit_cases(name, net.double(), x.double())
            laws(name, net, x.double())
            if name in ("windows", "blocks"):
                depth_cases(name, net, x.double())
    head = "# name | net and passes | input | analyzer and layers | target | expected | dtype | tolerance relative to the largest expected value\n"
    (OUT / "cases.txt").write_text(head + "\n".join(CASES) + "\n")
    print(len(CASES), "cases")


if __name__ == "__main__":
    main()
