"""Fitting patterns against an epoch of forward passes and weight gradients in PyTorch: the Fashion-MNIST network and its training
images, turn by turn; whole runs of the command, with reading, unpacking and writing. Prints seconds and the ratio."""
import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--command", default="build/innvestigate")
p.add_argument("--samples", type=int, default=60000)
p.add_argument("--batch", type=int, default=64)
p.add_argument("--repeat", type=int, default=3)
p.add_argument("--threads", type=int, default=os.cpu_count())
p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
o = p.parse_args()
os.environ["OMP_NUM_THREADS"] = str(o.threads)

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "oracle"))
from train_fashion import idx, network


def folded():
    """Without batch norms, as the fit sees it."""
    layers, out = list(network().eval()), []
    for a, b in zip(layers, layers[1:] + [None]):
        if isinstance(a, nn.Conv2d):
            out.append(fuse_conv_bn_eval(a, b))
        elif not isinstance(a, (nn.BatchNorm2d, nn.Dropout)):
            out.append(a)
    return nn.Sequential(*out)


def theirs(net, x):
    before = time.process_time() if o.clock == "cpu" else time.perf_counter()
    for batch in x.split(o.batch):
        net.zero_grad()
        net(batch).sum().backward()
    return (time.process_time() if o.clock == "cpu" else time.perf_counter()) - before


def ours(images, state):
    def spent():
        r = resource.getrusage(resource.RUSAGE_CHILDREN)
        return r.ru_utime + r.ru_stime if o.clock == "cpu" else time.perf_counter()
    before = spent()
    subprocess.run([o.command, "fit", "-m", ROOT / "models/fashion/fashion.onnx", "-i", images, "-p", "fashion_mnist", "-a", "pattern.net",
                    "--batch", str(o.batch), "--threads", str(o.threads), "--quiet", "-o", state], check=True)
    return spent() - before


def main():
    torch.set_num_threads(o.threads)
    pictures = idx("train-images-idx3-ubyte")[:o.samples]
    x, net = torch.from_numpy(pictures.copy()).float()[:, None] / 255, folded()
    theirs(net, x[:o.batch])
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", pictures)
        pairs = [(ours(f"{folder}/x.npy", f"{folder}/state.npz"), theirs(net, x)) for _ in range(o.repeat)]
    a, b = (statistics.median(side) for side in zip(*pairs))
    print(f"{o.samples} images, {o.clock} seconds: fit {a:.2f}, PyTorch epoch {b:.2f}, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
