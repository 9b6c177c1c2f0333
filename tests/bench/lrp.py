"""LRP against zennit: the same network, input and machine, turn by turn. Prints milliseconds an image, the ratio, our gradient, what the
method costs in gradients, and how far the maps are apart."""
import argparse
import os
import pathlib
import statistics
import tempfile
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--library", default="build/libinnvestigate.so")
p.add_argument("--networks", nargs="*", default=["vgg16", "resnet50"])
p.add_argument("--repeat", type=int, default=7)
p.add_argument("--threads", type=int, default=os.cpu_count())
p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
o = p.parse_args()
os.environ["OMP_NUM_THREADS"] = str(o.threads)  # read when the libraries are loaded

import numpy as np
import torch
import torchvision
from zennit.attribution import Gradient
from zennit.composites import EpsilonAlpha2Beta1, EpsilonPlus, EpsilonPlusFlat
from zennit.torchvision import ResNetCanonizer, VGGCanonizer

from native import Job

METHODS = {"lrp.epsilon_plus": EpsilonPlus, "lrp.epsilon_plus_flat": EpsilonPlusFlat, "lrp.epsilon_alpha2_beta1": EpsilonAlpha2Beta1}
NETWORKS = {"vgg16": VGGCanonizer, "resnet50": ResNetCanonizer}


def network(name):
    torch.manual_seed(1)
    net = getattr(torchvision.models, name)(weights=None).eval()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1)
                m.running_var.uniform_(0.5, 2)
            if isinstance(m, torch.nn.ReLU):
                m.inplace = False
    return net


def timed(call, clock):
    start = clock()
    result = call()
    return 1000 * (clock() - start), result


def main():
    clock = time.process_time if o.clock == "cpu" else time.perf_counter
    torch.set_num_threads(o.threads)
    job = Job(o.library, "cpu")
    print(f"{'network':10} {'method':26} {'ours':>9} {'zennit':>9} {'ratio':>6} {'gradient':>9} {'cost':>6} {'apart':>8}")
    for name in o.networks:
        net, x = network(name), torch.randn(1, 3, 224, 224)
        path = pathlib.Path(tempfile.mkdtemp()) / f"{name}.onnx"
        torch.onnx.export(net, x, str(path), opset_version=13, dynamo=False)
        model, target = job.model(path), int(net(x).argmax())
        gradient = job.analyzer(model, "gradient")
        for method, composite in METHODS.items():
            analyze = job.analyzer(model, method)
            seed = torch.zeros_like(net(x))
            seed[0, target] = 1
            ms = {"ours": [], "zennit": [], "gradient": []}
            with Gradient(model=net, composite=composite(canonizers=[NETWORKS[name]()])) as attributor:
                for i in range(o.repeat + 1):
                    a, r = timed(lambda: analyze(x.numpy()), clock)
                    z, (_, want) = timed(lambda: attributor(x.clone(), seed), clock)
                    g, _ = timed(lambda: gradient(x.numpy()), clock)
                    if i:
                        for key, v in zip(ms, (a, z, g)):
                            ms[key].append(v)
            ours, zennit, g = (statistics.median(v) for v in ms.values())
            want = want.detach().numpy()
            apart = np.abs(r - want).max() / np.abs(want).max()
            print(f"{name:10} {method:26} {ours:9.1f} {zennit:9.1f} {zennit / ours:6.2f} {g:9.1f} {ours / g:6.2f} {apart:8.1e}", flush=True)


if __name__ == "__main__":
    main()
