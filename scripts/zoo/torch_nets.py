"""torchvision's and timm's networks with random weights, through both of torch's ONNX exporters, into a cache folder.

For every network: NET.x.npy, 16 inputs; NET.target, the class of each that is explained; NET.y.npy and NET.g.npy,
outputs and the gradient of those classes in double precision; NET.f.npy, the gradient in single precision;
NET.EXPORTER.onnx, the files.

    python scripts/zoo/torch_nets.py [--cache DIR] [--exporter NAME]... [--no-files] [NET...]
"""
import argparse
import copy
import pathlib
import warnings

import torch
import torchvision.models as models
from torch import nn

from cache import DEFAULT_CACHE, SAMPLES, store


def of_timm(name):
    def build():
        import timm  # only where one of its networks is asked for
        return timm.create_model(name)
    return build


NETS = {  # name: (constructor, image size)
    "resnet18": (models.resnet18, 224),
    "resnet50": (models.resnet50, 224),
    "densenet121": (models.densenet121, 224),
    "mobilenet_v2": (models.mobilenet_v2, 224),
    "mobilenet_v3_small": (models.mobilenet_v3_small, 224),
    "mobilenet_v3_large": (models.mobilenet_v3_large, 224),
    "efficientnet_b0": (models.efficientnet_b0, 224),
    "inception_v3": (lambda: models.inception_v3(init_weights=False, aux_logits=False), 299),
    "vgg16": (models.vgg16, 224),
    "convnext_tiny": (models.convnext_tiny, 224),
    "vit_b_16": (models.vit_b_16, 224),
    "shufflenet_v2": (models.shufflenet_v2_x1_0, 224),
    "squeezenet": (models.squeezenet1_1, 224),
    "swin_t": (models.swin_t, 224),
    "regnet_y": (models.regnet_y_400mf, 224),
    "alexnet": (models.alexnet, 224),
    "timm_resnet50": (of_timm("resnet50"), 224),
    "timm_inception_v3": (of_timm("inception_v3"), 299),
    "timm_inception_resnet_v2": (of_timm("inception_resnet_v2"), 299),
    "timm_densenet121": (of_timm("densenet121"), 224),
    "timm_nasnet_large": (of_timm("nasnetalarge"), 331),
    "timm_mobilenet_v3": (of_timm("mobilenetv3_large_100"), 224),
    "timm_efficientnet_b0": (of_timm("efficientnet_b0"), 224),
    "timm_efficientnet_b0_same": (of_timm("tf_efficientnet_b0"), 224),
    "timm_convnext_tiny": (of_timm("convnext_tiny"), 224),
    "timm_vit_b_16": (of_timm("vit_base_patch16_224"), 224),
}
EXPORTERS = {  # name: arguments of torch.onnx.export
    "ts": dict(opset_version=17),
    "ts_dyn": dict(opset_version=14, dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}),
    "dynamo": dict(dynamo=True),
    "dynamo_dyn": dict(dynamo=True, dynamic_shapes=({0: torch.export.Dim("n", min=1, max=64)},)),
}


@torch.no_grad()
def randomize(net, size):
    """No parameter keeps a trivial value (zero heads, unit scales), and the running statistics are those of noise."""
    for name, p in net.named_parameters():
        if p.dim() < 2 and "bias" not in name:
            p.copy_(p.abs().clamp(min=0.3) * (0.7 + 0.6 * torch.rand_like(p)))
        elif p.dim() < 2:
            p.add_(0.1 * torch.randn_like(p))
        elif p.std() < 1e-3:
            p.copy_(torch.randn_like(p) / p[0].numel() ** 0.5)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    for m in norms:
        m.momentum = None  # plain averages
        m.reset_running_stats()
    if norms:
        net.train()
        net(torch.randn(4, 3, size, size))
    for m in norms:
        m.running_mean += 0.1 * m.running_var.sqrt() * torch.randn_like(m.running_mean)
        m.running_var *= 0.8 + 0.5 * torch.rand_like(m.running_var)
    return net.eval()


def explainer(net):
    """As `store` asks for it, in the network's precision."""
    dtype = next(net.parameters()).dtype

    def explain(x, target):
        x = torch.from_numpy(x).to(dtype).requires_grad_()
        y = net(x)
        target = y.argmax(1) if target is None else torch.from_numpy(target)
        g, = torch.autograd.grad(y.gather(1, target[:, None]).sum(), x)
        return y.detach().numpy(), g.numpy(), target.numpy()
    return explain


def make(name, exporters, cache):
    build, size = NETS[name]
    torch.manual_seed(sum(map(ord, name)))
    net = randomize(build(), size)
    x = torch.randn(SAMPLES, 3, size, size)
    store(cache, name, x.numpy(), explainer(copy.deepcopy(net).double()), explainer(net))
    for exporter in exporters:
        sample = x[:2] if "dyn" in exporter.split("_") else x[:1]
        try:
            torch.onnx.export(net, (sample,), str(cache / f"{name}.{exporter}.onnx"), input_names=["x"],
                              output_names=["y"], verbose=False, **EXPORTERS[exporter])
            print(f"{name}.{exporter}: written", flush=True)
        except Exception as e:  # the exporter's own limits are a result, not a failure
            print(f"{name}.{exporter}: not exported: {str(e).splitlines()[0]}", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("--exporter", action="append", choices=EXPORTERS)
    p.add_argument("--no-files", action="store_true")
    p.add_argument("net", nargs="*", choices=[*NETS, []])
    a = p.parse_args()
    a.cache.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for name in a.net or NETS:
        make(name, [] if a.no_files else a.exporter or EXPORTERS, a.cache)


if __name__ == "__main__":
    main()
