"""docs/networks.md: which analyzers take which networks of a zoo, from which exporter, and what loading costs.

For every file three parts. numbers: the largest difference of `predict` from onnxruntime over all inputs, by the output's largest
magnitude; median and largest of the normalised mean square errors of the inputs' gradients against the framework's in double precision,
and the same of the framework's own in single precision. load: processor time and peak memory of `check` with the cheapest analyzer
(reading, shapes, passes, plan), the least of three runs; peak memory of the gradient of one input. analyzers: for every analyzer and
preset whether `check` takes it, which records the method on the network and closes its plan, or with which sentence it is refused. What
was measured is kept in the cache; --again PART measures that part again (`--again load` wants a quiet machine).

    python scripts/zoo/table.py [--cache DIR] [--again PART]... [--only-write] PATH/TO/innvestigate [NET.EXPORTER...]
"""
import argparse
import collections
import itertools
import json
import pathlib
import re
import resource
import subprocess
import tempfile

import numpy as np

from cache import DEFAULT_CACHE, errors
from check import command, expected

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "networks.md"
EXPORTERS = {
    "ts": "torch 2.7 TorchScript, opset 17, batch 1", "ts_dyn": "torch 2.7 TorchScript, opset 14, free batch",
    "dynamo": "torch 2.7 dynamo, opset 18, batch 1, weights beside the model", "dynamo_dyn": "the same, free batch",
    "tf": "Keras 2.14 by tf2onnx 1.17, opset 15, batch 1", "tf_dyn": "the same, free batch",
    "k2o": "Keras of TensorFlow 2.2 by keras2onnx 1.7, opset 15, free batch",
    "paddle": "paddle 3.3 by paddle2onnx 2.1, opset 7 to 11, batch 1", "paddle_dyn": "the same, free batch",
}
GIVEN = {  # what analyzers must be told
    "deep_taylor.bounded": "low: -3, high: 3", "lrp.epsilon_gamma_box": "low: -3, high: 3", "lrp.composite": "rule: lrp.epsilon",
    "lrp": "rules: [{match: {trait: affine}, rule: lrp.epsilon}], default: gradient",
}
HEAD = """# Networks

Whole networks with random weights, as their exporters write them, made and measured by `scripts/zoo`. *predict*: the largest difference
from ONNX Runtime over 16 inputs, by the output's largest magnitude. *gradient*: the normalised mean square error against the framework's
own gradient in double precision, the median of those inputs, and the *worst* of them. *framework*: the same two of the framework's own
gradient in single precision. *load*: processor seconds and peak memory of `innvestigate check -a input`, which reads the file, infers
shapes, runs the passes and records a plan; weights stay in the mapped file, so that what is counted of them are pages of the file.
*gradient MiB*: peak memory of one gradient, of one sample, on the default backend. *analyzers*: how many of `innvestigate list analyzer`
take the network; the second table says with which sentence the others are refused. Where *worst* is empty, one or two inputs were taken.

Deep rectifier networks switch on the last bit: one rectifier or maximum that goes the other way changes a gradient by 1e-5 to 1e-3, in
whatever framework. Exporters fold batch norms in single precision, and then the file is another function than the network. An example is
keras_inception_v3.tf: its gradient in double precision is off TensorFlow's by 1.7e-4. `scripts/zoo/by_file.py` evaluates the file in double
precision with PyTorch and agrees with innvestigate's f64 to 6e-16. The folded weights are off by up to 1.7e-7 of themselves; exactly
folded ones in their place bring the file's gradient to TensorFlow's, to 5e-30.

Two networks are above 1e-4 and above twice the framework's own median, by keras2onnx' folding: of the first inputs of
keras22_inception_v3 and keras22_mobilenet_v2 the file's function, in double precision, is 7e-4 and 2e-4 from TensorFlow's, and
innvestigate's gradient 1.5e-4 and 6e-7 from the file's. Where others of 16 inputs are above 1e-4, as Inception v3 and ResNet50 are, so is
the framework. The backend `cpu` takes Winograd's tiles of 4x4 for large products only, as their rounding shows here: with them
everywhere inception_v3.dynamo has 3.0e-4, and paddle_inception_v3, whose own is 6e-5, 2.3e-4.

"""


def analyzers(exe):
    lines = subprocess.run([exe, "list", "analyzer"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith(" ")]


def asked(name):
    return f"{{type: {name}, {GIVEN[name]}}}" if name in GIVEN else name


def sentence(said):
    """Without what differs from network to network."""
    said = re.sub(r"^.*?error: ", "", said)
    said = re.sub(r"\S+ \((\w+)(, opset \d+)?\)", r"LAYER (\1)", said)
    said = re.sub(r"\[[\d,]+\]", "SHAPE", said)
    return re.sub(r"^[\w./:+-]+: ", "LAYER: ", said).strip()


def processor(exe, *words):
    """Exit code, the message's first line, processor seconds and peak memory in MiB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code, said, _, mib = command(exe, *words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return code, said, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, mib


def samples(path, folder, count):
    """The first inputs in a file, and their classes as `-t` takes them."""
    net = path.name.split(".")[0]
    x = np.load(path.with_name(f"{net}.x.npy"))[:count]
    np.save(folder / "x.npy", x)
    return x, ",".join(path.with_name(f"{net}.target").read_text().split()[:len(x)])


def load(exe, path, folder):
    runs = [processor(exe, "check", "-m", path, "-a", "input") for _ in range(3)]
    _, target = samples(path, folder, 1)
    *_, mib = command(exe, "analyze", "-m", path, "-i", folder / "x.npy", "-a", "gradient", "-t", target, "-o", folder / "y.npy")
    return {"load": min(t for _, _, t, _ in runs), "load_mib": min(m for *_, m in runs), "gradient_mib": mib}


def numbers(exe, path, folder):
    """A refusal takes the place of a number."""
    x, target = samples(path, folder, None)
    out = folder / "y.npy"
    code, said, *_ = command(exe, "predict", "-m", path, "-i", folder / "x.npy", "-o", out)
    if code:
        return {"predict": sentence(said), "gradient": ""}
    want, got = expected(path, x), np.load(out)
    row = {"predict": float(np.abs(got - want).max() / np.abs(want).max()) if got.shape == want.shape else float("inf")}
    code, said, *_ = command(exe, "analyze", "-m", path, "-i", folder / "x.npy", "-a", "gradient", "-t", target, "-o", out)
    if code:
        return {**row, "gradient": sentence(said)}
    net = path.name.split(".")[0]
    want, single = (np.load(path.with_name(f"{net}.{k}.npy")) for k in "gf")
    ours, own = errors(np.load(out), want), errors(single, want)
    return {**row, "gradient": float(np.median(ours)), "worst": float(ours.max()),
            "own": float(np.median(own)), "own_worst": float(own.max())}


def refusals(exe, path, folder):
    names, refused = analyzers(exe), {}
    for name in names:
        code, said, *_ = command(exe, "check", "-m", path, "-a", asked(name))
        if code:
            refused[name] = sentence(said)
    return {"refused": refused, "analyzers": len(names)}


PARTS = {"numbers": (numbers, "own"), "load": (load, "load"), "analyzers": (refusals, "refused")}  # and a key of what it gives


def cell(row, key, form):
    v = row.get(key)
    return "" if v is None else v if isinstance(v, str) else form.format(v)


def page(rows):
    lines = ["| network | exporter | predict | gradient | worst | framework | worst | load s | load MiB | gradient MiB | analyzers |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    refused = collections.defaultdict(lambda: collections.defaultdict(list))
    for file, row in sorted(rows.items()):
        net, exporter = file.split(".")
        cells = [*(cell(row, key, "{:.0e}") for key in ("predict", "gradient", "worst", "own", "own_worst")), cell(row, "load", "{:.2f}"),
                 cell(row, "load_mib", "{:.0f}"), cell(row, "gradient_mib", "{:.0f}"),
                 f"{row['analyzers'] - len(row['refused'])} of {row['analyzers']}" if "refused" in row else ""]
        lines.append(f"| {net} | {exporter} | " + " | ".join(cells) + " |")
        for name, said in row.get("refused", {}).items():
            refused[said][name].append(file)
    lines += ["", "| refused with | analyzers | networks |", "|---|---|---|"]
    for said, by in sorted(refused.items()):
        files = sorted({f for v in by.values() for f in v})
        nets = sorted({f.split(".")[0] for f in files})
        whole = [n for n in nets if all(f in files for f in rows if f.split(".")[0] == n)]
        names = whole + [f for f in files if f.split(".")[0] not in whole]
        lines.append(f"| {said} | {', '.join(sorted(by))} | {'all' if len(files) == len(rows) else ', '.join(sorted(names))} |")
    lines += ["", "| exporter | |", "|---|---|"]
    used = {f.split(".")[1] for f in rows}
    lines += [f"| {name} | {text} |" for name, text in EXPORTERS.items() if name in used]
    return HEAD + "\n".join(lines) + "\n\nTo measure: `python scripts/zoo/table.py build/innvestigate` (see `scripts/zoo/README`).\n"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("--again", action="append", default=[], choices=PARTS)
    p.add_argument("--only-write", action="store_true")
    p.add_argument("innvestigate", type=pathlib.Path)
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    kept = a.cache / "table.json"
    rows = json.loads(kept.read_text()) if kept.exists() else {}
    files = a.files or sorted(f.name.removesuffix(".onnx") for f in a.cache.glob("*.onnx"))
    with tempfile.TemporaryDirectory() as folder:
        for file, (part, (measure, key)) in itertools.product([] if a.only_write else files, PARTS.items()):
            row = rows.setdefault(file, {})
            if part in a.again or key not in row:
                row.update(measure(a.innvestigate, a.cache / f"{file}.onnx", pathlib.Path(folder)))
                print(file, part, row, flush=True)
                kept.write_text(json.dumps(rows, indent=1))
    PAGE.write_text(page(rows))


if __name__ == "__main__":
    main()
