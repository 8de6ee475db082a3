"""Naive loops, one per kind: slow, obvious, and independent of the engine's vectorised code. All in float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Config = dict[str, Any]


def _pad_index(i: int, n: int, mode: str) -> int | None:
    """Index that padding puts at position ``i`` of an axis of ``n`` cells; None for a zero."""
    if 0 <= i < n:
        return i
    if mode == "zeros":
        return None
    if mode == "replicate":
        return 0 if i < 0 else n - 1
    if mode == "circular":
        return i % n
    return -i if i < 0 else 2 * (n - 1) - i


def conv2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    (x,), w = xs, params["weight"]
    kh, kw = cfg["kernel_size"]
    (sy, sx), (dy, dx) = cfg["stride"], cfg["dilation"]
    if cfg["padding"] == "same":
        py, px = dy * (kh - 1) // 2, dx * (kw - 1) // 2
    else:
        py, px = (0, 0) if cfg["padding"] == "valid" else cfg["padding"]
    y = np.zeros(out_shape)
    per_in, per_out = x.shape[1] // cfg["groups"], out_shape[1] // cfg["groups"]
    for n, o, i, j in np.ndindex(*out_shape):
        total = float(params["bias"][o]) if cfg["bias"] else 0.0
        for c, a, b in np.ndindex(per_in, kh, kw):
            row = _pad_index(i * sy - py + a * dy, x.shape[2], cfg["padding_mode"])
            col = _pad_index(j * sx - px + b * dx, x.shape[3], cfg["padding_mode"])
            if row is not None and col is not None:
                total += x[n, o // per_out * per_in + c, row, col] * w[o, c, a, b]
        y[n, o, i, j] = total
    return y


def conv_transpose2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    (x,), w = xs, params["weight"]
    (sy, sx), (py, px), (dy, dx) = cfg["stride"], cfg["padding"], cfg["dilation"]
    y = np.zeros(out_shape)
    if cfg["bias"]:
        y += params["bias"][:, None, None]
    per_in, per_out = x.shape[1] // cfg["groups"], out_shape[1] // cfg["groups"]
    for n, c, i, j in np.ndindex(*x.shape):
        for o, a, b in np.ndindex(per_out, *cfg["kernel_size"]):
            row, col = i * sy - py + a * dy, j * sx - px + b * dx
            if 0 <= row < out_shape[2] and 0 <= col < out_shape[3]:
                y[n, c // per_in * per_out + o, row, col] += x[n, c, i, j] * w[c, o, a, b]
    return y


def _window(x: np.ndarray, cfg: Config, n: int, c: int, i: int, j: int) -> list[float]:
    (kh, kw), (sy, sx), (py, px) = cfg["kernel_size"], cfg["stride"], cfg["padding"]
    cells = []
    for a, b in np.ndindex(kh, kw):
        row, col = i * sy - py + a, j * sx - px + b
        if 0 <= row < x.shape[2] and 0 <= col < x.shape[3]:
            cells.append(float(x[n, c, row, col]))
    return cells


def maxpool2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for at in np.ndindex(*out_shape):
        y[at] = max(_window(xs[0], cfg, *at))
    return y


def avgpool2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    (x,) = xs
    (kh, kw), (sy, sx), (py, px) = cfg["kernel_size"], cfg["stride"], cfg["padding"]
    y = np.zeros(out_shape)
    for n, c, i, j in np.ndindex(*out_shape):
        cells = _window(x, cfg, n, c, i, j)
        rows = [r for r in range(i * sy - py, i * sy - py + kh) if r < x.shape[2] + py]
        cols = [r for r in range(j * sx - px, j * sx - px + kw) if r < x.shape[3] + px]
        divisor = len(rows) * len(cols) if cfg["count_include_pad"] else len(cells)
        y[n, c, i, j] = sum(cells) / (cfg["divisor_override"] or divisor)
    return y


def global_avgpool2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for n, c in np.ndindex(*out_shape):
        cells = [float(xs[0][n, c, i, j]) for i, j in np.ndindex(*xs[0].shape[2:])]
        y[n, c] = sum(cells) / len(cells)
    return y


def flatten(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for n in range(out_shape[0]):
        for f, at in enumerate(np.ndindex(*xs[0].shape[1:])):
            y[n, f] = xs[0][(n, *at)]
    return y


def batchnorm2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    """In mode ``eval``: running statistics, 0 and 1 unless they are given, or the batch's where there are none."""
    (x,), y = xs, np.zeros(out_shape)
    for c in range(x.shape[1]):
        cells = [float(x[n, c, i, j]) for n, i, j in np.ndindex(x.shape[0], *x.shape[2:])]
        mean = sum(cells) / len(cells)
        var = sum((v - mean) ** 2 for v in cells) / len(cells)
        if cfg["track_running_stats"]:
            mean = float(params["running_mean"][c]) if "running_mean" in params else 0.0
            var = float(params["running_var"][c]) if "running_var" in params else 1.0
        weight, bias = (params["weight"][c], params["bias"][c]) if cfg["affine"] else (1, 0)
        for n, i, j in np.ndindex(x.shape[0], *x.shape[2:]):
            y[n, c, i, j] = weight * (x[n, c, i, j] - mean) / math.sqrt(var + cfg["eps"]) + bias
    return y


def layernorm(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    (x,), y, ends = xs, np.zeros(out_shape), tuple(cfg["normalized_shape"])
    for lead in np.ndindex(*out_shape[: len(out_shape) - len(ends)]):
        cells = [float(x[lead + end]) for end in np.ndindex(*ends)]
        mean = sum(cells) / len(cells)
        var = sum((v - mean) ** 2 for v in cells) / len(cells)
        for end in np.ndindex(*ends):
            weight = params["weight"][end] if cfg["elementwise_affine"] else 1
            bias = params["bias"][end] if cfg["elementwise_affine"] and cfg["bias"] else 0
            y[lead + end] = weight * (x[lead + end] - mean) / math.sqrt(var + cfg["eps"]) + bias
    return y


def dense(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for n, o in np.ndindex(*out_shape):
        total = float(params["bias"][o]) if cfg["bias"] else 0.0
        for i in range(xs[0].shape[1]):
            total += xs[0][n, i] * params["weight"][o, i]
        y[n, o] = total
    return y


def softmax(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for n in range(out_shape[0]):
        exps = [math.exp(v - max(xs[0][n])) for v in xs[0][n]]
        y[n] = [e / sum(exps) for e in exps]
    return y


def log_softmax(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for n in range(out_shape[0]):
        total = sum(math.exp(v) for v in xs[0][n])
        y[n] = [v - math.log(total) for v in xs[0][n]]
    return y


def zero_pad2d(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    (x,), (left, _, top, _) = xs, cfg["padding"]
    y = np.zeros(out_shape)
    for n, c, i, j in np.ndindex(*x.shape):
        y[n, c, i + top, j + left] = x[n, c, i, j]
    return y


def upsample(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    (high, wide), y = cfg["scale_factor"], np.zeros(out_shape)
    for n, c, i, j in np.ndindex(*out_shape):
        y[n, c, i, j] = xs[0][n, c, i // high, j // wide]
    return y


def add(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    for at in np.ndindex(*out_shape):
        y[at] = sum(float(x[at]) for x in xs)
    return y


def concat(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
    y = np.zeros(out_shape)
    first = 0
    for x in xs:
        for at in np.ndindex(*x.shape):
            y[(at[0], at[1] + first, *at[2:])] = x[at]
        first += x.shape[1]
    return y


def _each(function: Callable[[float, Config], float]) -> Callable[..., np.ndarray]:
    def run(params: dict, xs: list, cfg: Config, out_shape: tuple) -> np.ndarray:
        y = np.zeros(out_shape)
        for at in np.ndindex(*out_shape):
            y[at] = function(float(xs[0][at]), cfg)
        return y

    return run


def _gelu(x: float, cfg: Config) -> float:
    if cfg["approximate"] == "tanh":
        return x / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * math.erfc(-x / math.sqrt(2))


def _softplus(x: float, cfg: Config) -> float:
    beta = cfg["beta"]
    return x if beta * x > cfg["threshold"] else math.log(1 + math.exp(beta * x)) / beta


ORACLES: dict[str, Callable[..., np.ndarray]] = {
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "maxpool2d": maxpool2d,
    "avgpool2d": avgpool2d,
    "batchnorm2d": batchnorm2d,
    "layernorm": layernorm,
    "global_avgpool2d": global_avgpool2d,
    "flatten": flatten,
    "dense": dense,
    "softmax": softmax,
    "add": add,
    "concat": concat,
    "relu": _each(lambda x, cfg: x if x > 0 else 0.0),
    "leaky_relu": _each(lambda x, cfg: x if x > 0 else cfg["negative_slope"] * x),
    "sigmoid": _each(lambda x, cfg: 1 / (1 + math.exp(-x))),
    "tanh": _each(lambda x, cfg: (math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x))),
    "elu": _each(lambda x, cfg: x if x > 0 else cfg["alpha"] * (math.exp(x) - 1)),
    "gelu": _each(_gelu),
    "silu": _each(lambda x, cfg: x / (1 + math.exp(-x))),
    "softplus": _each(_softplus),
    "log_softmax": log_softmax,
    "zero_pad2d": zero_pad2d,
    "upsample": upsample,
    "dropout": _each(lambda x, cfg: x),
    "dropout2d": _each(lambda x, cfg: x),
}
