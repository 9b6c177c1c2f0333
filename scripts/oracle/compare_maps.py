"""Whole maps in single precision against the reference backend in double precision, on networks of the zoo (scripts/zoo) and on
models/efficientnet_lite0: the median and the largest normalised mean square error over random inputs, one line a network,
method and backend. Deep rectifier networks switch on the last bit, so only the median is held, to 1e-4.

    python compare_maps.py [--cache DIR] [--inputs N] [--backend YAML]... [--analyzer NAME]... INNVESTIGATE [NETWORK ...]

Exit code 1 if a median is above. `--last-bit` measures the switching itself: how much the map in double precision changes when the
input moves by one unit in the last place of single precision.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

CACHE = pathlib.Path.home() / ".cache" / "innvestigate" / "zoo"
ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORKS = ["vgg16", "resnet50", "densenet121", "efficientnet_lite0"]
F64 = "{type: reference, dtype: f64}"
HELD = 1e-4


def analyze(program, model, x, analyzer, backend, folder):
    np.save(folder / "x.npy", x)
    subprocess.run([program, "analyze", "-m", model, "-i", folder / "x.npy", "-a", analyzer, "-t", "7", "-b", backend,
                    "-o", folder / "r.npy", "--quiet"], check=True)
    return np.load(folder / "r.npy").astype(np.float64)


def errors(r, want):
    axes = tuple(range(1, want.ndim))
    return ((r - want) ** 2).sum(axes) / (want ** 2).sum(axes)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--cache", type=pathlib.Path, default=CACHE)
    p.add_argument("--inputs", type=int, default=16)
    p.add_argument("--backend", action="append")
    p.add_argument("--analyzer", action="append")
    p.add_argument("--last-bit", action="store_true")
    p.add_argument("program")
    p.add_argument("network", nargs="*", default=NETWORKS)
    a = p.parse_args()
    above = False
    with tempfile.TemporaryDirectory() as f:
        folder = pathlib.Path(f)
        for name in a.network:
            lite = name == "efficientnet_lite0"
            model = ROOT / "models" / name / f"{name}.onnx" if lite else a.cache / f"{name}.ts_dyn.onnx"
            x = np.random.default_rng(11).normal(0, 1, (a.inputs, 3, 224, 224)).astype(np.float32)
            for analyzer in a.analyzer or ["gradient", "lrp.epsilon_plus"]:
                want = analyze(a.program, model, x, analyzer, F64, folder)
                runs = {b: (x, b) for b in a.backend or ["cpu", "opencl"]}
                if a.last_bit:
                    runs["the input's last bit, f64"] = (np.nextafter(x, np.float32(np.inf)), F64)
                for label, (y, backend) in runs.items():
                    e = errors(analyze(a.program, model, y, analyzer, backend, folder), want)
                    above |= label in (a.backend or ["cpu", "opencl"]) and not np.median(e) <= HELD
                    print(f"{name:20} {analyzer:18} {label:28} median {np.median(e):.2g} largest {e.max():.2g}", flush=True)
    return above


if __name__ == "__main__":
    sys.exit(main())
