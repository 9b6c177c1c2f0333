"""The opencl backend against the cpu backend on the same machine, turn by turn in one process: milliseconds a gradient and the
ratio; then whole commands, whose second start the two backends differ by. Networks are files of scripts/zoo. With --profile,
what opencl's kernels took, largest first."""
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
p.add_argument("--library", default="build/libinnvestigate.so")
p.add_argument("--command", default="build/innvestigate")
p.add_argument("--cache", type=pathlib.Path, default=pathlib.Path.home() / ".cache" / "innvestigate" / "zoo")
p.add_argument("--networks", nargs="*", default=["resnet50", "vgg16"])
p.add_argument("--analyzer", default="gradient")
p.add_argument("--opencl", default="opencl", help="the backend that is compared, as a name or {type: opencl, ...}")
p.add_argument("--repeat", type=int, default=9)
p.add_argument("--threads", type=int, default=os.cpu_count())
p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
p.add_argument("--profile", action="store_true")
o = p.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["POCL_MAX_PTHREAD_COUNT"] = str(o.threads)  # read when the libraries are loaded
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:o.threads])

import numpy as np

from native import Job


def children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def steady(model, x):
    """Milliseconds an input, for each backend."""
    clock = time.process_time if o.clock == "cpu" else time.perf_counter
    calls, ms = [], {}
    for backend in (o.opencl, "cpu"):
        job = Job(o.library, backend)
        calls.append((backend, job.analyzer(job.model(model), o.analyzer)))
    for turn in range(o.repeat + 1):
        for backend, call in calls:
            start = clock()
            call(x)
            if turn:  # the first one compiles
                ms.setdefault(backend, []).append(1000 * (clock() - start))
    return [statistics.median(ms[b]) for b, _ in calls]


def whole(model, folder):
    """Seconds that the command takes for one input, for each backend; everything was done before once."""
    clock = children if o.clock == "cpu" else time.perf_counter
    seconds = {}
    for turn in range(o.repeat + 1):
        for backend in (o.opencl, "cpu"):
            start = clock()
            subprocess.run([o.command, "analyze", "-m", model, "-i", f"{folder}/x.npy", "-a", o.analyzer, "-b", backend, "-o", f"{folder}/r.npy",
                            "--quiet"], check=True)
            if turn:
                seconds.setdefault(backend, []).append(clock() - start)
    return [statistics.median(s) for s in seconds.values()]


def main():
    with tempfile.TemporaryDirectory() as folder:
        x = np.random.default_rng(5).normal(0, 1, (1, 3, 224, 224)).astype(np.float32)
        np.save(f"{folder}/x.npy", x)
        for name in o.networks:
            model = o.cache / f"{name}.ts_dyn.onnx"
            ocl, cpu = steady(model, x)
            start = whole(model, folder)
            print(f"{name:14} {o.analyzer}: opencl {ocl:.1f} ms, cpu {cpu:.1f} ms, ratio {ocl / cpu:.2f}; "
                  f"whole command {start[0]:.2f} s and {start[1]:.2f} s, {start[0] - start[1]:+.2f} s", flush=True)
            if o.profile:
                backend = o.opencl.replace("}", ", profile: true}") if "{" in o.opencl else "{type: opencl, profile: true}"
                said = subprocess.run([o.command, "analyze", "-m", model, "-i", f"{folder}/x.npy", "-a", o.analyzer, "-b", backend,
                                       "-o", f"{folder}/r.npy"], check=True, capture_output=True, text=True).stderr
                print("\n".join(line for line in said.splitlines() if "opencl:" in line)[:2000], file=sys.stdout, flush=True)


if __name__ == "__main__":
    main()
