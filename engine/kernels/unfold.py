"""Convolution of few samples: windows unfolded channel by channel (im2col), a product per sample and group.

∂weight is δ times the unfolded windows; ∂input is the product with the turned kernel's columns added back, slice by
slice. Windows are unfolded a band of output rows at a time, so that a large kernel on a large image stays bounded.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.kernels.geometry import Geometry
from engine.kernels.work import Workspace

#: cells that are unfolded at a time (16 MiB of float32): a 51×51 kernel on 224×224×3 would unfold into 1.5 GiB
BAND = 1 << 22


@dataclass
class Saved:
    """The padded input, its unfolded windows where they fit into one band, and the shape of the input."""

    padded: np.ndarray
    columns: np.ndarray | None
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
    n, _, size_y, size_x = x.shape
    out = weight.shape[0]
    height, width = geometry.out(0, size_y), geometry.out(1, size_x)
    padded = pad(x, geometry.pads)
    flat = weight.reshape(geometry.groups, out // geometry.groups, -1)
    view = _windows(padded, geometry, height, width)
    columns = None
    if view.size <= BAND:
        columns = view.reshape(n, geometry.groups, flat.shape[2], height * width)
        y = np.matmul(flat, columns).reshape(n, out, height, width)
    else:
        y = np.empty((n, out, height, width), np.result_type(weight, x))
        for i, rows, band in _bands(view):
            y[i : i + 1, :, rows] = _product(flat, band)
    if bias is not None:
        y += bias[:, None, None]
    return y, Saved(padded, columns, x.shape)


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
    groups = geometry.groups
    delta = np.ascontiguousarray(dy).reshape(n, groups, out // groups, height * width)
    dbias = delta.reshape(n, out, height * width).sum(axis=2).sum(axis=0)
    flat = weight.reshape(groups, out // groups, -1)
    dweight = _weight_grad(saved, delta, flat, geometry, (height, width)).reshape(weight.shape)
    if not dx:
        return None, dweight, dbias
    wide = np.zeros_like(saved.padded, order="C")
    turned = np.ascontiguousarray(flat.swapaxes(1, 2))
    most = max(1, BAND // max(1, groups * flat.shape[2] * width))
    for i in range(n):
        for first in range(0, height, most):
            last = min(height, first + most)
            part = (
                delta[i]
                .reshape(groups, -1, height, width)[:, :, first:last]
                .reshape(groups, -1, (last - first) * width)
            )
            stamps = np.matmul(turned, part).reshape(-1, *geometry.kernel, last - first, width)
            _stamp(wide[i], stamps, geometry, first)
    (top, _), (left, _) = geometry.pads
    return wide[:, :, top : top + saved.shape[2], left : left + saved.shape[3]], dweight, dbias


def _weight_grad(
    saved: Saved, delta: np.ndarray, flat: np.ndarray, geometry: Geometry, out: tuple[int, int]
) -> np.ndarray:
    """Σ δ · windowsᵀ over samples and positions: [groups, O / groups, K]."""
    if saved.columns is not None:
        return np.matmul(delta, saved.columns.swapaxes(2, 3)).sum(axis=0)
    total = np.zeros(flat.shape, delta.dtype)
    view = _windows(saved.padded, geometry, *out)
    maps = delta.reshape(*delta.shape[:3], *out)
    for i, rows, band in _bands(view):
        total += _outer(maps[i, :, :, rows], band)
    return total


def _product(flat: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Output of a band. A function of its own, so that one band's cells are gone before the next one's are made."""
    _, _, _, _, rows, width = band.shape
    cells = band.reshape(1, len(flat), flat.shape[2], rows * width)
    return np.matmul(flat, cells).reshape(1, -1, rows, width)


def _outer(delta: np.ndarray, band: np.ndarray) -> np.ndarray:
    """δ [groups, O / groups, rows, W'] times the windows of a band: [groups, O / groups, K]."""
    groups, out, rows, width = delta.shape
    cells = band.reshape(groups, -1, rows * width)
    return np.matmul(delta.reshape(groups, out, rows * width), cells.swapaxes(1, 2))


def _stamp(wide: np.ndarray, stamps: np.ndarray, geometry: Geometry, first: int) -> None:
    """Add stamps [C, k_h, k_w, rows, W'] to the padded image [C, H, W]; ``first`` is the first output row."""
    rows, width = stamps.shape[3:]
    (sy, sx), (dy, dx) = geometry.stride, geometry.dilation
    for ky, kx in np.ndindex(*geometry.kernel):
        top, left = first * sy + ky * dy, kx * dx
        wide[:, top : top + (rows - 1) * sy + 1 : sy, left : left + (width - 1) * sx + 1 : sx] += stamps[:, ky, kx]


def pad(x: np.ndarray, pads: tuple[tuple[int, int], tuple[int, int]]) -> np.ndarray:
    """``x`` with zeros around it, or ``x`` itself where there is nothing to add."""
    (top, bottom), (left, right) = pads
    if not (top or bottom or left or right):
        return x
    n, c, height, width = x.shape
    out = np.zeros((n, c, height + top + bottom, width + left + right), x.dtype)
    out[:, :, top : top + height, left : left + width] = x
    return out


def _windows(padded: np.ndarray, geometry: Geometry, height: int, width: int) -> np.ndarray:
    """Every window as a view [n, c, k_h, k_w, height, width]; nothing is copied."""
    n, channels = padded.shape[:2]
    sn, sc, sy, sx = padded.strides
    (dy, dx), (ty, tx) = geometry.dilation, geometry.stride
    shape, strides = (n, channels, *geometry.kernel, height, width), (sn, sc, sy * dy, sx * dx, sy * ty, sx * tx)
    if (
        padded.flags.c_contiguous and padded.size
    ):  # a quarter of the time of as_strided, which counts for one small picture
        return np.ndarray(shape, padded.dtype, padded, 0, strides)
    return as_strided(padded, shape, strides, writeable=False)


def _bands(view: np.ndarray) -> Iterator[tuple[int, slice, np.ndarray]]:
    """(sample, output rows, their windows) in bands of at most BAND cells, at least one row."""
    n, height = view.shape[0], view.shape[4]
    most = max(1, BAND // max(1, view.size // (n * height)))
    for i in range(n):
        for first in range(0, height, most):
            rows = slice(first, min(height, first + most))
            yield i, rows, view[i : i + 1, ..., rows, :]
