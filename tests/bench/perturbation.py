"""A pixel-flipping curve against Quantus: the same ResNet50, images, order and fill, the whole of both runs. Prints seconds an image
and the ratio."""
import argparse
import csv
import os
import pathlib
import resource
import subprocess
import tempfile
import time

p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--command", default="build/innvestigate")
p.add_argument("--images", type=int, default=100)
p.add_argument("--steps", type=int, default=21, help="three times a divisor of 50176, as Quantus wants it")
p.add_argument("--batch", type=int, default=8)
p.add_argument("--threads", type=int, default=os.cpu_count())
p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
o = p.parse_args()
os.environ["OMP_NUM_THREADS"] = str(o.threads)  # read when the libraries are loaded

import numpy as np
import quantus
import torch
import torchvision


def network():
    torch.manual_seed(1)
    net = torchvision.models.resnet50(weights=None).eval()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.1)
                m.running_var.uniform_(0.5, 2)
    return net


def seconds(call):
    """Of processors, children included, or of the wall."""
    def now():
        if o.clock == "wall":
            return time.perf_counter()
        return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    start = now()
    result = call()
    return now() - start, result


def main():
    torch.set_num_threads(o.threads)
    folder = pathlib.Path(tempfile.mkdtemp())
    net, x = network(), torch.randn(o.images, 3, 224, 224)
    torch.onnx.export(net, x[:1], str(folder / "net.onnx"), opset_version=13, dynamo=False, input_names=["x"], output_names=["y"],
                      dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
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
    ours, _ = seconds(lambda: subprocess.run([o.command, "run", folder / "run.yaml", "--quiet"], check=True, stdout=subprocess.DEVNULL))
    maps = np.load(folder / "out" / "random.npy")
    with torch.no_grad():
        forward, y = seconds(lambda: torch.cat([net(b) for b in x.split(o.batch)]))
    flip = quantus.PixelFlipping(features_in_step=features, normalise=False, perturb_baseline=0.0, disable_warnings=True)
    theirs, curves = seconds(lambda: flip(model=net, x_batch=x.numpy(), y_batch=y.argmax(1).numpy(), a_batch=maps, softmax=True,
                                          channel_first=True, batch_size=o.batch))
    with open(folder / "out" / "curves.csv") as f:
        mean = [float(r["mean"]) for r in csv.DictReader(f)]
    print(f"{o.images} images, {o.steps} steps, batch {o.batch}, threads {o.threads}, seconds of {o.clock} an image")
    print(f"ours {ours / o.images:.3f}, Quantus {theirs / o.images:.3f}, ratio {theirs / ours:.2f}")
    print(f"PyTorch alone, {o.steps} forward passes: {forward / o.images * o.steps:.3f}")
    print(f"mean curves apart by {np.abs(np.mean(np.array(curves), 0) - mean).max():.1e}")


if __name__ == "__main__":
    main()
