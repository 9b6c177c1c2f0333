"""What the networks' scripts share: where files go, and how inputs and gradients are kept."""
import pathlib

import numpy as np

DEFAULT_CACHE = pathlib.Path.home() / ".cache" / "innvestigate" / "zoo"
SAMPLES = 16


def store(cache, name, x, double, single):
    """NET.x.npy, and what the framework says of each sample alone, so that memory stays small: NET.y.npy its output, NET.target its
    largest class, NET.g.npy the gradient of that class in double precision, NET.f.npy the same in single precision.

    double, single: of a sample and of a class (None: the largest) to output, gradient and class."""
    y, g, target = zip(*(double(x[i:i + 1], None) for i in range(len(x))))
    f = [single(x[i:i + 1], target[i])[1] for i in range(len(x))]
    for suffix, value in (("x", x), ("y", np.concatenate(y)), ("g", np.concatenate(g)), ("f", np.concatenate(f))):
        np.save(cache / f"{name}.{suffix}.npy", value)
    (cache / f"{name}.target").write_text("\n".join(str(int(t)) for t in np.concatenate(target)) + "\n")


def errors(got, want):
    """The normalised mean square error of every sample."""
    axes = tuple(range(1, want.ndim))
    return ((got.astype(np.float64) - want) ** 2).sum(axes) / (want ** 2).sum(axes)
