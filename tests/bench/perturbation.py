"""A pixel-flipping curve against Quantus: the same ResNet50, images, order and fill, the whole of both runs. Prints seconds an image
and the ratio."""
import csv
import pathlib
import subprocess
import tempfile

from common import begin, options, seconds

p = options(__doc__)
p.add_argument("--images", type=int, default=100)
p.add_argument("--steps", type=int, default=21, help="three times a divisor of 50176, as Quantus wants it")
p.add_argument("--batch", type=int, default=8)
o = p.parse_args()
begin(o.threads)

import numpy as np
import quantus
import torch

from networks import export, network


def compare(folder):
    net, x = network("resnet50"), torch.randn(o.images, 3, 224, 224)
    export(net, x.numpy(), folder / "net.onnx")
    np.save(folder / "x.npy", x.numpy())
    features = 3 * 224 * 224 // o.steps
    # The only analyzer is the control, so that one curve is measured. Quantus ranks the maps that it wrote: the same order.
    (folder / "run.yaml").write_text(f"""
model: net.onnx
input: x.npy
batch: {o.batch}
threads: {o.threads}
backend: cpu
analyzers: [random]
metrics: [{{type: pixel_flipping, regions_per_step: {features}, steps: {o.steps}}}]
output: {{dir: {folder}/out, plots: none}}
""")
    ours, _ = seconds(o.clock, lambda: subprocess.run([o.command, "run", folder / "run.yaml", "--quiet"], check=True, stdout=subprocess.DEVNULL))
    maps = np.load(folder / "out" / "random.npy")
    with torch.no_grad():
        forward, y = seconds(o.clock, lambda: torch.cat([net(b) for b in x.split(o.batch)]))
    flip = quantus.PixelFlipping(features_in_step=features, normalise=False, perturb_baseline=0.0, disable_warnings=True)
    theirs, curves = seconds(o.clock, lambda: flip(model=net, x_batch=x.numpy(), y_batch=y.argmax(1).numpy(), a_batch=maps, softmax=True,
                                          channel_first=True, batch_size=o.batch))
    with open(folder / "out" / "curves.csv") as f:
        mean = [float(r["mean"]) for r in csv.DictReader(f)]
    print(f"{o.images} images, {o.steps} steps, batch {o.batch}, threads {o.threads}, seconds of {o.clock} an image")
    print(f"ours {ours / o.images:.3f}, Quantus {theirs / o.images:.3f}, ratio {theirs / ours:.2f}")
    print(f"PyTorch alone, {o.steps} forward passes: {forward / o.images * o.steps:.3f}")
    print(f"mean curves apart by {np.abs(np.mean(np.array(curves), 0) - mean).max():.1e}")


def main():
    torch.set_num_threads(o.threads)
    with tempfile.TemporaryDirectory() as folder:
        compare(pathlib.Path(folder))


if __name__ == "__main__":
    main()
