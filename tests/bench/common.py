"""What the programs of this folder share: their options, and what a call costs."""
import argparse
import os
import resource
import time


def options(doc):
    """Parsed by the caller, who may add its own first; then `begin`."""
    p = argparse.ArgumentParser(description=doc)
    p.add_argument("--command", default="build/innvestigate")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    return p


def begin(threads):
    """Before libraries are loaded: all of this process and its children keep to so many processors."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def now(clock):
    """Seconds of the wall, or of processors, children included."""
    if clock == "wall":
        return time.perf_counter()
    return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def seconds(clock, call):
    start = now(clock)
    result = call()
    return now(clock) - start, result
