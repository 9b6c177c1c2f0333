"""Compares innvestigate with onnxruntime and with PyTorch on the networks of a zoo, one line a file.

predict: largest difference from onnxruntime, by the output's largest magnitude (held to 1e-4).
gradient: normalised mean square error against PyTorch's in double precision; with --f64 by the f64 reference backend,
which is slow, else by the default one. A refusal is printed with its sentence.

    python scripts/zoo/check.py [--cache DIR] [--f64] PATH/TO/innvestigate [NET.EXPORTER...]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnxruntime

from cache import DEFAULT_CACHE

F64 = "{type: reference, dtype: f64}"


def command(*words):
    """Exit code, the message's first line, seconds and peak memory in MiB."""
    done = subprocess.run(["/usr/bin/time", "-f", "\n%e %M", *map(str, words)], capture_output=True, text=True)
    *text, cost = done.stderr.strip().splitlines()
    seconds, kib = cost.split()
    said = [t for t in text if "error" in t] or [t for t in text if t] or [""]
    return done.returncode, said[0], float(seconds), int(kib) / 1024


def expected(path, x):
    """onnxruntime's first output for every sample; one by one where the batch is fixed."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1  # its threads wait by turning
    s = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    port, = s.get_inputs()
    parts = x if not isinstance(port.shape[0], int) else np.split(x, len(x) // port.shape[0])
    parts = [parts] if isinstance(parts, np.ndarray) else parts
    return np.concatenate([s.run(None, {port.name: p})[0] for p in parts])


def check(exe, path, f64, folder):
    net = path.name.split(".")[0]
    x = path.with_name(f"{net}.x.npy")
    out = folder / "out.npy"
    line = f"{path.name.removesuffix('.onnx'):28}"
    code, said, seconds, mib = command(exe, "predict", "-m", path, "-i", x, "-o", out)
    if code:
        print(f"{line} refused: {said}", flush=True)
        return False
    want, got = expected(path, np.load(x)), np.load(out)
    error = np.abs(got - want).max() / np.abs(want).max() if got.shape == want.shape else np.inf
    line += f" predict {error:.1e} {seconds:5.1f} s {mib:5.0f} MiB"
    target = path.with_name(f"{net}.target")
    if target.exists():
        classes = target.read_text().split()
        backend = ["-b", F64] if f64 else []
        code, said, seconds, mib = command(exe, "analyze", "-m", path, "-i", x, "-a", "gradient", "-t", ",".join(classes),
                                           "-o", out, *backend)
        if code:
            print(f"{line}  gradient refused: {said}", flush=True)
            return False
        want, got = np.load(path.with_name(f"{net}.g.npy")), np.load(out).astype(np.float64)
        nmse = ((got - want) ** 2).sum() / (want ** 2).sum()
        line += f"  gradient {nmse:.1e} {seconds:5.1f} s {mib:5.0f} MiB"
    print(line, flush=True)
    return bool(error <= 1e-4)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("--f64", action="store_true")
    p.add_argument("innvestigate", type=pathlib.Path)
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    paths = [a.cache / f"{f}.onnx" for f in a.files] or sorted(a.cache.glob("*.onnx"))
    with tempfile.TemporaryDirectory() as folder:
        good = [check(a.innvestigate, path, a.f64, pathlib.Path(folder)) for path in paths]
    print(f"{sum(good)} of {len(good)} agree")
    sys.exit(sum(good) < len(good))


if __name__ == "__main__":
    main()
