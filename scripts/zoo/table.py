"""The tables of docs/networks.md: what check.py measures, and which analyzers take which network.

    python scripts/zoo/table.py [--cache DIR] PATH/TO/innvestigate [NET.EXPORTER...]

An analyzer is asked by `innvestigate check`, which records and closes its plan; a refusal is printed with its sentence, with
the names of layers left out. Load time is that of `check` with the cheapest analyzer: reading, shapes, passes and the plan, the
shortest of three runs.
"""
import argparse
import collections
import pathlib
import re
import subprocess
import tempfile

import numpy as np

from check import DEFAULT_CACHE, command, expected

EXPORTERS = {
    "ts": "torch 2.7 TorchScript, opset 17, batch 1", "ts_dyn": "torch 2.7 TorchScript, opset 14, free batch",
    "dynamo": "torch 2.7 dynamo, opset 18, batch 1", "dynamo_dyn": "torch 2.7 dynamo, opset 18, free batch",
    "tf": "Keras 2.14 by tf2onnx 1.17, opset 15, batch 1", "tf_dyn": "Keras 2.14 by tf2onnx 1.17, opset 15, free batch",
}


GIVEN = {  # what analyzers must be told
    "deep_taylor.bounded": "low: -3, high: 3", "lrp.epsilon_gamma_box": "low: -3, high: 3", "lrp.composite": "rule: lrp.epsilon",
    "lrp": "rules: [{match: {trait: affine}, rule: lrp.epsilon}], default: lrp.gradient",
}


def asked(name):
    return f"{{type: {name}, {GIVEN[name]}}}" if name in GIVEN else name


def analyzers(exe):
    lines = subprocess.run([exe, "list", "analyzer"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split()[0] for line in lines if line.startswith(" ")]


def sentence(said):
    """Without what differs from network to network."""
    said = re.sub(r"^.*?error: ", "", said)
    said = re.sub(r"[\w./:+-]+ \((\w+)(, opset \d+)?\)", r"LAYER (\1)", said)
    said = re.sub(r"^[\w./:+-]+: ", "LAYER: ", said)
    return said.strip()


def measure(exe, path, folder):
    net = path.name.split(".")[0]
    x, out = path.with_name(f"{net}.x.npy"), folder / "y.npy"
    code, said, _, mib = command(exe, "predict", "-m", path, "-i", x, "-o", out)
    if code:
        return f"refused: {sentence(said)}", "", "", ""
    want, got = expected(path, np.load(x)), np.load(out)
    error = np.abs(got - want).max() / np.abs(want).max()
    load = min(command(exe, "check", "-m", path, "-a", "input")[2] for _ in range(3))
    classes = ",".join(path.with_name(f"{net}.target").read_text().split())
    code, said, *_ = command(exe, "analyze", "-m", path, "-i", x, "-a", "gradient", "-t", classes, "-o", out)
    if code:
        return f"{error:.0e}", f"refused: {sentence(said)}", f"{load:.2f}", f"{mib:.0f}"
    want, got = np.load(path.with_name(f"{net}.g.npy")), np.load(out).astype(np.float64)
    nmse = ((got - want) ** 2).sum() / (want ** 2).sum()
    return f"{error:.0e}", f"{nmse:.0e}", f"{load:.2f}", f"{mib:.0f}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--cache", type=pathlib.Path, default=DEFAULT_CACHE)
    p.add_argument("innvestigate", type=pathlib.Path)
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    paths = [a.cache / f"{f}.onnx" for f in a.files] or sorted(a.cache.glob("*.onnx"))
    names = analyzers(a.innvestigate)
    refused = collections.defaultdict(lambda: collections.defaultdict(list))
    print("| network | exporter | predict | gradient | load s | MiB | analyzers |\n|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            net, exporter, _ = path.name.split(".")
            cells = measure(a.innvestigate, path, pathlib.Path(folder))
            taken = 0
            for name in names:
                code, said, *_ = command(a.innvestigate, "check", "-m", path, "-a", asked(name))
                taken += not code
                if code:
                    refused[sentence(said)][name].append(f"{net}.{exporter}")
            print(f"| {net} | {exporter} | " + " | ".join(cells) + f" | {taken} of {len(names)} |", flush=True)
    print("\n| exporter | |\n|---|---|")
    for name, text in EXPORTERS.items():
        print(f"| {name} | {text} |")
    print("\n| refused with | analyzers | networks |\n|---|---|---|")
    for text, by in refused.items():
        nets = sorted({n for v in by.values() for n in v})
        print(f"| {text} | {', '.join(by)} | {'all' if len(nets) == len(paths) else ', '.join(nets)} |")


if __name__ == "__main__":
    main()
