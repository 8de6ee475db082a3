"""Convolution with the batch innermost: images as [H, C, W, N], tile by tile.

The input is unfolded along the width only: ``cells[h, kx, c, j, n]`` is the cell that output column j meets under
kernel column kx. The k_h rows under an output row then follow one another in memory, so that its whole window matrix
[k_h·k_w·C, w] is a view: y[i] = W · windows[i], and ∂W = Σ δ[i] · windows[i]ᵀ. k_w copies instead of k_h·k_w, and
they stay in the cache (see ``tiles``): nothing unfolded is kept. ∂input is in ``fold``.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from engine.kernels import fold, tiles
from engine.kernels.geometry import Geometry
from engine.kernels.parallel import PRODUCTS, halves
from engine.kernels.work import Workspace


@dataclass
class Saved:
    """The input as [H, C, W, N], a view of it where it came batch innermost; and its shape."""

    rows: np.ndarray
    shape: tuple[int, ...]


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    work: Workspace,
    key: Hashable,
) -> tuple[np.ndarray, Saved]:
    """See ``engine.kernels.conv``."""
    n, channels, size_y, size_x = x.shape
    out = weight.shape[0]
    height, width = geometry.out(0, size_y), geometry.out(1, size_x)
    y = work.result((key, "y"), (height, out, width, n), x.dtype)
    saved = Saved(_batch_last(x, work, (key, "rows")), x.shape)
    if not y.size:
        return y.transpose(3, 1, 0, 2), saved
    flat = np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).reshape(out, -1)
    flat_y = y.reshape(height, out, -1)
    if not flat.size:
        y[...] = 0
        return _biased(y, bias), saved
    plan = _Plan(geometry, channels, out, width, n)
    cut = tiles.chunks(out, flat.shape[1] * plan.columns)

    def run(some: slice) -> None:
        unfolded = plan.unfolded(saved.rows, some, work, key)
        for band in tiles.bands(some, plan.rows):
            for strip in plan.strips:
                windows = unfolded.windows(band, strip)
                target = flat_y[band, :, strip.columns]
                for rows in cut:
                    np.matmul(flat[rows], windows, out=target[:, rows])
                if bias is not None:
                    target += bias[:, None]

    alone = tiles.alone(cut, flat.shape[1] * plan.columns)
    halves(height, alone and y.size * flat.shape[1] > PRODUCTS, run)
    return y.transpose(3, 1, 0, 2), saved


def backward(
    saved: Saved,
    weight: np.ndarray,
    dy: np.ndarray,
    geometry: Geometry,
    dx: bool,
    work: Workspace,
    key: Hashable,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """See ``engine.kernels.conv``."""
    n, out, height, width = dy.shape
    delta = np.ascontiguousarray(_batch_last(dy, work, (key, "delta"))).reshape(height, out, width * n)
    dweight = _weight_grad(saved, weight, delta, geometry, work, key)
    dbias = (delta @ np.ones(delta.shape[2], delta.dtype)).sum(axis=0)
    if not dx:
        return None, dweight, dbias
    if not (delta.size and weight.size):
        return np.zeros(saved.shape, dy.dtype), dweight, dbias
    return fold.input_grad(weight, delta, saved.shape, geometry, work, key), dweight, dbias


def _biased(y: np.ndarray, bias: np.ndarray | None) -> np.ndarray:
    """y [H', O, W', N] with its bias, as NCHW."""
    if bias is not None:
        y += bias[:, None, None]
    return y.transpose(3, 1, 0, 2)


class _Plan:
    """How the windows of a convolution are cut into tiles."""

    def __init__(self, geometry: Geometry, channels: int, out: int, width: int, n: int) -> None:
        kh, kw = geometry.kernel
        self.geometry, self.channels = geometry, channels
        self.strips = tiles.strips(width, n, kh * kw * channels * out)
        self.columns = tiles.most_columns(self.strips)
        row = kw * channels * self.columns
        dilated = geometry.dilation[0] > 1
        extra, stride = (0, kh) if dilated else (max(0, kh - geometry.stride[0]), geometry.stride[0])
        self.rows = tiles.band_height(row, extra, stride)

    def unfolded(self, rows: np.ndarray, some: slice, work: Workspace, key: Hashable) -> tiles.Unfolded:
        """An unfolder for the output rows ``some``, with a buffer of its own."""
        high = min(self.rows, some.stop - some.start)
        cells = tiles.Unfolded.cells(self.geometry, self.channels, high, self.columns)
        return tiles.Unfolded(rows, self.geometry, work.take((key, "tile", some.start), (cells,), rows.dtype))


def _batch_last(x: np.ndarray, work: Workspace, key: Hashable) -> np.ndarray:
    """NCHW of any memory order as [H, C, W, N] with neighbouring samples side by side; a view where it is so."""
    view = x.transpose(2, 1, 3, 0)
    n = x.shape[0]
    if n == 1 or view.strides[3] == x.itemsize:
        return view
    made = work.take(key, (*x.shape[1:], n), x.dtype)
    made[...] = x.transpose(1, 2, 3, 0)
    return made.transpose(1, 0, 2, 3)


def _weight_grad(
    saved: Saved, weight: np.ndarray, delta: np.ndarray, geometry: Geometry, work: Workspace, key: Hashable
) -> np.ndarray:
    """Σ windows[i] · δ[i]ᵀ over the output rows, each half of them apart, as [O, C, k_h, k_w]."""
    out, channels, kh, kw = weight.shape
    height, deep, n = len(delta), channels * kh * kw, saved.shape[0]
    totals = np.zeros((2, deep, out), delta.dtype)
    if not (delta.size and weight.size):
        return np.zeros(weight.shape, delta.dtype)
    plan = _Plan(geometry, channels, out, delta.shape[2] // n, n)
    cut = tiles.chunks(deep, out * plan.columns)

    def run(half: slice) -> None:  # the halves are added up last, however many threads there were
        for part in range(half.start, half.stop):
            some = slice(height * part // 2, height * (part + 1) // 2)
            if some.stop == some.start:
                continue
            unfolded = plan.unfolded(saved.rows, some, work, key)
            for band in tiles.bands(some, plan.rows):
                for strip in plan.strips:
                    windows = unfolded.windows(band, strip)
                    turned = delta[band, :, strip.columns].swapaxes(1, 2)
                    for rows in cut:
                        totals[part, rows] += np.matmul(windows[:, rows], turned).sum(axis=0)

    alone = tiles.alone(cut, out * plan.columns)
    halves(2, alone and delta.size * deep > PRODUCTS, run)
    total = (totals[0] + totals[1]).reshape(kh, kw, channels, out)
    return np.ascontiguousarray(total.transpose(3, 2, 0, 1))
