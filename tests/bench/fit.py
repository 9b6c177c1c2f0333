"""Fitting patterns: by default Fashion-MNIST's network and training images against an epoch of forward passes and weight gradients in
PyTorch, turn by turn; with --floor VGG16 and random images against one forward pass and two weight gradients, each layer by oneDNN's
fastest primitive. Whole runs of the command, with reading, unpacking and writing."""
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

from common import begin, options, seconds

p = options(__doc__)
p.add_argument("--samples", type=int, help="60000; 320 with --floor")
p.add_argument("--batch", type=int, help="64; 8 with --floor")
p.add_argument("--repeat", type=int, default=3)
p.add_argument("--floor", help="the program of that name, build/tests/floor")
o = p.parse_args()
o.samples = o.samples or (320 if o.floor else 60000)
o.batch = o.batch or (8 if o.floor else 64)
begin(o.threads)

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "oracle"))
from train_fashion import idx, network as fashion


def folded():
    """Without batch norms, as the fit sees it."""
    layers, out = list(fashion().eval()), []
    for a, b in zip(layers, layers[1:] + [None]):
        if isinstance(a, nn.Conv2d):
            out.append(fuse_conv_bn_eval(a, b))
        elif not isinstance(a, (nn.BatchNorm2d, nn.Dropout)):
            out.append(a)
    return nn.Sequential(*out)


def epoch(net, x):
    for batch in x.split(o.batch):
        net.zero_grad()
        net(batch).sum().backward()


def fit(model, images, state, *more):
    subprocess.run([o.command, "fit", "-m", model, "-i", images, "-a", "{type: pattern.net, pattern_type: relu}", "--batch", str(o.batch),
                    "--threads", str(o.threads), "--quiet", "-b", "cpu", "-o", state, *more], check=True)


def against_pytorch(folder):
    pictures = idx("train-images-idx3-ubyte")[:o.samples]
    x, net = torch.from_numpy(pictures.copy()).float()[:, None] / 255, folded()
    epoch(net, x[:o.batch])
    np.save(f"{folder}/x.npy", pictures)
    pairs = [(seconds(o.clock, lambda: fit(ROOT / "models/fashion/fashion.onnx", f"{folder}/x.npy", f"{folder}/state.npz", "-p", "fashion_mnist"))[0],
              seconds(o.clock, lambda: epoch(net, x))[0]) for _ in range(o.repeat)]
    ours, theirs = (statistics.median(side) for side in zip(*pairs))
    print(f"{o.samples} images, {o.clock} seconds: fit {ours:.2f}, PyTorch epoch {theirs:.2f}, ratio {ours / theirs:.2f}")


def against_floor(folder):
    from networks import export, images, network
    model, times = f"{folder}/net.onnx", []
    export(network("vgg16"), images("vgg16", 1), model)
    for n in (o.batch, o.batch + o.samples):  # what a start and an end cost shows in the first
        np.save(f"{folder}/x.npy", images("vgg16", n))
        times.append(seconds(o.clock, lambda: fit(model, f"{folder}/x.npy", f"{folder}/state.npz"))[0])
    text = subprocess.run([o.floor, "-m", model, "--fit", "{type: pattern.net, pattern_type: relu}", "--batch", str(o.batch), "--threads",
                           str(o.threads), "--clock", o.clock], check=True, capture_output=True, text=True).stdout
    batch = sum(float(v) for v in re.findall(r"best +([\d.]+)", text)) / 1000
    floor = batch * o.samples / o.batch
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"VGG16, {o.samples} images more than {o.batch}, {o.clock} seconds: {times[1] - times[0]:.2f}, floor {floor:.2f}, ratio "
          f"{(times[1] - times[0]) / floor:.2f}; the whole {times[1]:.2f} ({times[1] / (floor + batch):.2f}); {memory:.2f} GiB")


def main():
    torch.set_num_threads(o.threads)
    with tempfile.TemporaryDirectory() as folder:
        against_floor(folder) if o.floor else against_pytorch(folder)


if __name__ == "__main__":
    main()
