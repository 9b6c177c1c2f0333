"""Ours, PyTorch with zennit and Captum, ONNX Runtime, and TensorFlow with the released iNNvestigate, on the same networks and inputs,
turn by turn, with equal threads, and the floor beside them. One command measures, and writes table, plot and numbers:

    python3 tests/bench/bench.py                  # installs the other tools into build/bench first, if they are missing
    python3 tests/bench/bench.py --networks vgg16 --batches 1 --fresh
    python3 tests/bench/bench.py --tensorflow OTHER/bin/python

It ends after --minutes; called again, it goes on with what is missing. --show makes the table anew of the numbers that are there."""
import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import select
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "bench"
NETWORKS = ["vgg16", "resnet50", "inception_v3", "densenet121", "efficientnet_lite0"]
METHODS = ["forward", "gradient", "guided_backprop", "lrp.epsilon", "lrp.z_plus", "lrp.alpha2_beta1", "smoothgrad", "integrated_gradients"]
REPEATED = ["smoothgrad", "integrated_gradients"]  # 50 passes: with a batch of 1 only, unless asked for
TURNS = 40
PACKAGES = ["torch", "torchvision", "zennit", "captum", "onnx", "onnxruntime", "matplotlib", "numpy"]

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--networks", nargs="*", default=NETWORKS, choices=NETWORKS)
p.add_argument("--batches", nargs="*", type=int, default=[1, 8])
p.add_argument("--methods", nargs="*", choices=METHODS)
p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
p.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: processor time, for machines that do other work too")
p.add_argument("--minutes", type=float, default=15)
p.add_argument("--seconds", type=float, default=10, help="of turns for one method, after the first two")
p.add_argument("--patience", type=float, default=60, help="seconds that one call may take; after that the tool is left out")
p.add_argument("--python", help="one that has torch, torchvision, zennit, captum, onnx and onnxruntime")
p.add_argument("--tensorflow", help="a python that has tensorflow and innvestigate")
p.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
p.add_argument("--results", type=pathlib.Path, default=ROOT / "docs" / "performance.json")
p.add_argument("--fresh", action="store_true", help="forget earlier numbers")
p.add_argument("--show", action="store_true", help="measure nothing")
o = p.parse_args()
FOLDER = o.build / "bench"
START = time.monotonic()


def late():
    return time.monotonic() - START > 60 * o.minutes


def ready():
    """Goes on in a python that has what is needed; makes one if there is none."""
    python = o.python or sys.executable
    if subprocess.run([python, "-c", "import " + ", ".join(PACKAGES)], stderr=subprocess.DEVNULL).returncode:
        if o.python:
            sys.exit(f"{python} lacks one of {', '.join(PACKAGES)}")
        python = FOLDER / "venv" / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", FOLDER / "venv"], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    python = os.path.abspath(python)
    if python != sys.executable:
        os.execv(python, [python, *sys.argv, "--python", python])


class Worker:
    """A tool in its own process."""

    def __init__(self, tool, python):
        self.tool, self.loaded = tool, None
        self.command = [python, HERE / "worker.py", tool, FOLDER, "--threads", str(o.threads), "--clock", o.clock, "--library",
                        o.build / "libinnvestigate.so"]
        self.log = open(FOLDER / f"{tool}.log", "w")
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)

    def ask(self, **order):
        try:
            print(json.dumps(order), file=self.process.stdin, flush=True)
            if select.select([self.process.stdout], [], [], o.patience)[0]:
                return json.loads(self.process.stdout.readline() or '{"error": "the process ended"}')
        except OSError as e:
            return {"error": str(e)}
        self.end(kill=True)
        self.start()
        if self.loaded and order != self.loaded:
            self.ask(**self.loaded)
        return {"error": f"takes longer than {o.patience:g} s"}

    def load(self, name, batch):
        """The methods that it has for this network. A process that has ended, as of too little memory, begins anew."""
        if self.process.poll() is not None:
            self.end()
            self.start()
        self.loaded = {"load": name, "batch": batch}
        return self.ask(**self.loaded).get("methods", [])

    def end(self, kill=False):
        if kill:
            self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


def tools():
    """What is measured, and by which python."""
    return {"innvestigate": sys.executable, "pytorch": sys.executable, "onnxruntime": sys.executable} | \
        ({"tensorflow": o.tensorflow} if o.tensorflow else {})


def prepare(name):
    """Network and inputs as files that every tool reads."""
    if (FOLDER / f"{name}.npy").exists():
        return
    import numpy as np
    import torch
    from networks import export, images, network
    net, x = network(name), images(name, max(8, *o.batches))
    export(net, x, FOLDER / f"{name}.onnx")
    torch.save(net, FOLDER / f"{name}.pt")
    np.save(FOLDER / f"{name}.npy", x)


def floors(name, batch):
    """F and B, best and local, in ms for the batch."""
    text = subprocess.run([o.build / "tests" / "floor", "-m", FOLDER / f"{name}.onnx", "--batch", str(batch), "--threads", str(o.threads),
                           "--clock", o.clock, "-o", FOLDER / f"{name}.{batch}.floor"], check=True, capture_output=True, text=True).stdout
    found = re.findall(r"(forward|backward).*best +([\d.]+) local +([\d.]+)", text)
    return {f"{way}.{which}": float(v) for way, *pair in found for which, v in zip(("best", "local"), pair)}


def turns(workers, method):
    """Median and least milliseconds of each tool, one call of each in turn; the first turn warms up."""
    times, errors, end = {w.tool: [] for w in workers}, {}, None
    for turn in range(1 + TURNS):
        for w in [w for w in workers if w.tool not in errors]:
            time.sleep(0.15)  # threads of the one before may still be spinning, and take a processor
            answer = w.ask(run=method)
            if "error" in answer:
                errors[w.tool] = {"error": answer["error"]}
            elif turn:
                times[w.tool].append(answer["ms"])
        if not turn:
            end = time.monotonic() + o.seconds
        elif time.monotonic() > end:
            break
    return {tool: {"ms": statistics.median(v), "best": min(v), "turns": len(v)} for tool, v in times.items() if tool not in errors} | errors


# A small process starts the one that is measured: a child's peak memory is never below its parent's.
LAUNCH = """
import json, os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
print(json.dumps([time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]))
"""


def first_map(name, tool):
    """Seconds and MiB of a process that starts, reads the network, and ends with one gradient map: the best of three."""
    if tool == "innvestigate":
        command = [o.build / "innvestigate", "analyze", "-m", FOLDER / f"{name}.onnx", "-i", FOLDER / "one.npy", "-a", "gradient", "-b", "cpu", "-o",
                   FOLDER / "map.npy", "--quiet"]
    else:
        command = [tools()[tool], HERE / "worker.py", tool, FOLDER, "--threads", str(o.threads), "--once", name]
    import numpy as np
    np.save(FOLDER / "one.npy", np.load(FOLDER / f"{name}.npy")[:1])
    runs = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-S", "-c", LAUNCH, *command], capture_output=True, text=True)
        wall, cpu, mib, code = json.loads(done.stdout.splitlines()[-1])
        if code:
            return {"error": (done.stderr.strip().splitlines() or ["it failed"])[-1]}
        runs.append((cpu if o.clock == "cpu" else wall, mib))
    return {"seconds": min(s for s, _ in runs), "mib": min(m for _, m in runs)}


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    versions = {}
    for tool, packages in {"pytorch": ["torch", "zennit", "captum", "onnxruntime"], "tensorflow": ["tensorflow", "innvestigate"]}.items():
        if tool in tools():
            code = "import importlib.metadata as m, sys; print(*[n + ' ' + m.version(n) for n in sys.argv[1:]], sep='\\n')"
            text = subprocess.run([tools()[tool], "-c", code, *packages], capture_output=True, text=True).stdout
            versions |= dict(line.split() for line in text.splitlines())
    return {"processor": model[1] if model else platform.processor(), "threads": o.threads, "clock": o.clock, "versions": versions}


class Results:
    def __init__(self):
        empty = {"machine": {}, "floor": {}, "cells": {}, "first": {}}
        self.all = empty if o.fresh or not o.results.exists() else json.loads(o.results.read_text())
        same = self.all["machine"].get("threads") in (None, o.threads) and self.all["machine"].get("clock") in (None, o.clock)
        if not o.show and not same:
            sys.exit(f"{o.results} was measured with other threads or another clock; --fresh begins anew")

    def missing(self, part, key):
        """Whether this is to be measured now."""
        return key not in self.all[part] and not late()

    def put(self, part, key, value):
        self.all[part][key] = value
        o.results.write_text(json.dumps(self.all, indent=1) + "\n")
        print(part, key, json.dumps(value), flush=True)


def wanted(batch):
    return o.methods or [m for m in METHODS if batch == 1 or m not in REPEATED]


def group(results, workers, name, batch):
    """All methods of one network at one batch."""
    key = f"{name}/{batch}"
    left = [m for m in wanted(batch) if results.missing("cells", f"{key}/{m}")]
    if not left:
        return
    if results.missing("floor", key):
        results.put("floor", key, floors(name, batch))
    can = {w.tool: w.load(name, batch) for w in workers}
    for method in left:
        able = [w for w in workers if method in can[w.tool]]
        if able and not late():
            results.put("cells", f"{key}/{method}", turns(able, method))
    # Again: whatever else the machine did the first time makes a floor too high, and the ratio to it too good.
    first = results.all["floor"][key]
    results.put("floor", key, {k: min(v, first[k]) for k, v in floors(name, batch).items()})


def measure(results):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:o.threads])
    FOLDER.mkdir(parents=True, exist_ok=True)
    results.all["machine"] = machine()
    workers = []
    try:
        workers += [Worker(tool, python) for tool, python in tools().items()]
        for batch in o.batches:
            for name in o.networks:
                prepare(name)
                group(results, workers, name, batch)
    finally:
        for w in workers:
            w.end()
    for name in o.networks:
        for tool in tools():
            if tool != "onnxruntime" and results.missing("first", f"{name}/{tool}"):
                results.put("first", f"{name}/{tool}", first_map(name, tool))


def main():
    ready()
    sys.path.insert(0, str(HERE))
    from report import write
    results = Results()
    try:
        if not o.show:
            measure(results)
    finally:
        write(results.all, o.results.with_suffix(".md"), o.results.with_suffix(".png"))
    if not o.show and late():
        print("time is up: called again, it goes on with what is missing")


if __name__ == "__main__":
    main()
