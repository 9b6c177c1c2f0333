"""Patterns of PatternNet (Kindermans et al. 2018) in double precision, twice over: by the closed form over all samples, and by
the running averages of iNNvestigate 1.0.8.3. Layers are seen one at a time: their input, kernel, stride, padding ... and the
activation behind them."""
import itertools

import numpy as np


def pair(v, n):
    return (v,) * n if np.isscalar(v) else tuple(v)


def patches(x, size, stride=1, pad=0, dilation=1):
    """[N, C, ...] to [N, positions, C, *size], with zeros for padding."""
    n = x.ndim - 2
    stride, pad, dilation = pair(stride, n), pair(pad, n), pair(dilation, n)
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in pad])
    out = [(x.shape[2 + d] - dilation[d] * (size[d] - 1) - 1) // stride[d] + 1 for d in range(n)]
    rows = []
    for at in itertools.product(*map(range, out)):
        cut = tuple(slice(a * s, a * s + e * (k - 1) + 1, e) for a, s, e, k in zip(at, stride, dilation, size))
        rows.append(x[(slice(None), slice(None)) + cut])
    return np.stack(rows, 1)


def rows_of(x, w, groups=1, **window):
    """For each output channel the rows of inputs it sees, [K, rows, inputs], and the weights [K, inputs]; w: [K, C/groups, ...]."""
    if w.ndim == 2:
        return np.broadcast_to(x, (len(w),) + x.shape), w
    p = patches(x, w.shape[2:], **window)
    per, c = len(w) // groups, w.shape[1]
    r = [p[:, :, k // per * c:(k // per + 1) * c].reshape(-1, w[k].size) for k in range(len(w))]
    return np.stack(r), w.reshape(len(w), -1)


def channel_rows(a):
    """[N, K, ...] to [K, rows]."""
    return np.moveaxis(a, 1, 0).reshape(a.shape[1], -1)


def masks(kind, after):
    return np.ones_like(after) if kind == "linear" else (after <= 0 if kind == "relu.negative" else after > 0).astype(float)


def closed_form(kind, x, w, after, **window):
    """One layer's patterns, of w's shape. after: the output of the next activation, [N, K, ...]."""
    out = np.zeros((len(w), w[0].size))
    for k, (rows, weights, mask) in enumerate(zip(*rows_of(x, w, **window), masks(kind, channel_rows(after)))):
        y = rows @ weights
        count = max(mask.sum(), 1)
        cov = (rows * (mask * y)[:, None]).sum(0) / count - (rows * mask[:, None]).sum(0) / count * y.mean()
        out[k] = cov / ((weights @ cov) or 1)
    return out.reshape(w.shape)


def released(kind, x, w, after, batch, **window):
    """As iNNvestigate 1.0.8.3 goes about it: averages per mini-batch, merged by their share; E[y] over all rows."""
    r, weights = rows_of(x, w, **window)
    m = masks(kind, channel_rows(after))
    per = r.shape[1] // len(x)
    K, D = weights.shape
    count, mean_x, mean_xy, total, mean_y = np.zeros(K), np.zeros((K, D)), np.zeros((K, D)), 0, np.zeros(K)
    for at in range(0, len(x), batch):
        rows, mask = r[:, at * per:(at + batch) * per], m[:, at * per:(at + batch) * per]
        y = np.einsum("kid,kd->ki", rows, weights)
        n = mask.sum(1)
        safe = np.maximum(n, 1)
        share = np.where(count + n > 0, n / np.maximum(count + n, 1), 0)
        mean_x = mean_x * (1 - share)[:, None] + share[:, None] * np.einsum("kid,ki->kd", rows, mask) / safe[:, None]
        mean_xy = mean_xy * (1 - share)[:, None] + share[:, None] * np.einsum("kid,ki->kd", rows, mask * y) / safe[:, None]
        count += n
        rows_now = y.shape[1]
        mean_y = mean_y * (total / (total + rows_now)) + y.mean(1) * (rows_now / (total + rows_now))
        total += rows_now
    cov = mean_xy - mean_x * mean_y[:, None]
    v = (weights * cov).sum(1)
    return (cov / np.where(v == 0, 1, v)[:, None]).reshape(w.shape)
