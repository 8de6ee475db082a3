"""Convolution of a batch: images as (H, C, W, N), the batch innermost.

The input is unfolded along the width only: ``wide[h, kx, c, j, n]`` is the cell that output column j meets under
kernel column kx. The k_h rows under an output row then follow one another in memory, so that its whole window matrix
[k_h·k_w·C, W'·N] is a view, and y[i] = W · view[i] one stacked product; ∂weight is the same product the other way
round; ∂input is the convolution of δ with the turned kernel. k_w copies instead of k_h·k_w.

Products are cut to about a million multiplications: OpenBLAS then multiplies without packing its operands first.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.kernels.geometry import Geometry
from engine.kernels.parallel import CELLS, PRODUCTS, halves
from engine.kernels.work import Workspace

#: multiplications in one product
PRODUCT = 1_000_000
#: cells of δ that are unfolded at a time: 1 MiB of float32, which stays in the cache until it is multiplied
BAND = 1 << 18


@dataclass
class Saved:
    """The unfolded input, and the shape of the input."""

    wide: np.ndarray
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
    n = x.shape[0]
    out = weight.shape[0]
    height, width = geometry.out(0, x.shape[2]), geometry.out(1, x.shape[3])
    wide = _unfold(x, geometry, work, (key, "wide"))
    y = work.result((key, "y"), (height, out, width, n), x.dtype)
    _multiply(_flat(weight), wide, geometry, y)
    if bias is not None:
        y += bias[:, None, None]
    return y.transpose(3, 1, 0, 2), Saved(wide, x.shape)


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
    out, channels, kh, kw = weight.shape
    delta = np.ascontiguousarray(dy.transpose(2, 1, 3, 0))
    rows = delta.reshape(delta.shape[0], out, -1)
    dweight = np.empty((out, kh, kw, channels), weight.dtype)
    for ky, part in _row_parts(saved.wide, geometry, delta.shape[0]):
        product = _outer(rows, part, dweight.dtype).reshape(out, -1, kw, channels)
        dweight[:, ky : ky + product.shape[1]] = product
    dbias = (rows @ np.ones(rows.shape[2], rows.dtype)).sum(axis=0)
    grads = np.ascontiguousarray(dweight.transpose(0, 3, 1, 2)), dbias
    if not dx:
        return None, *grads
    if geometry.stride == (1, 1):
        return _turned(weight, delta, saved.shape, geometry, work, key), *grads
    return _stamped(weight, rows, saved.shape, geometry), *grads


def _flat(weight: np.ndarray) -> np.ndarray:
    """[O, k_h·k_w·C], in the order of the window matrix."""
    return np.ascontiguousarray(weight.transpose(0, 2, 3, 1)).reshape(weight.shape[0], -1)


def _unfold(x: np.ndarray, geometry: Geometry, work: Workspace, key: Hashable, split: bool = True) -> np.ndarray:
    """``wide`` [H + padding, k_w, C, W', N] of a logical NCHW input."""
    n, channels, height, size = x.shape
    (top, bottom), _ = geometry.pads
    kw, width = geometry.kernel[1], geometry.out(1, size)
    wide = work.take(key, (height + top + bottom, kw, channels, width, n), x.dtype)
    rows = np.ascontiguousarray(x.transpose(2, 1, 3, 0))
    wide[:top] = 0
    wide[top + height :] = 0
    stride = geometry.stride[1]

    def run(some: slice) -> None:
        for k in range(kw):
            first, last = geometry.span(1, k, size)
            at = k * geometry.dilation[1] - geometry.pads[1][0] + first * stride
            inside = wide[top + some.start : top + some.stop, k]
            inside[:, :, :first] = 0
            inside[:, :, last:] = 0
            if last > first:
                inside[:, :, first:last] = rows[some, :, at : at + (last - first - 1) * stride + 1 : stride]

    halves(height, split and wide.size > CELLS, run)
    return wide


def _windows(wide: np.ndarray, geometry: Geometry, height: int, first: int, count: int) -> np.ndarray:
    """For each output row the window matrix [count·k_w·C, W'·N] of ``count`` kernel rows, as a view."""
    step = wide.strides[0]
    cells, columns = wide.shape[1] * wide.shape[2], wide.shape[3] * wide.shape[4]
    begin = wide[first * geometry.dilation[0] :]
    return as_strided(
        begin,
        (height, count * cells, columns),
        (step * geometry.stride[0], columns * wide.itemsize, wide.itemsize),
        writeable=False,
    )


def _row_parts(wide: np.ndarray, geometry: Geometry, height: int) -> list[tuple[int, np.ndarray]]:
    """(first kernel row, window matrices): all kernel rows at once, or one by one where they are dilated."""
    kh = geometry.kernel[0]
    if not wide.size or not height:
        return []
    if geometry.dilation[0] == 1:
        return [(0, _windows(wide, geometry, height, 0, kh))]
    return [(ky, _windows(wide, geometry, height, ky, 1)) for ky in range(kh)]


def _cut(columns: int, rest: int) -> int:
    """Into how many equal pieces to cut this many columns, so that a product stays near PRODUCT multiplications."""
    pieces = max(1, -(-columns * rest // PRODUCT))
    while columns % pieces:
        pieces += 1
    return pieces


def _multiply(flat: np.ndarray, wide: np.ndarray, geometry: Geometry, y: np.ndarray, split: bool = True) -> None:
    """y[i] = flat · windows[i] for every output row; ``y`` is [H', O, W', N]."""
    height, out = y.shape[:2]
    result = y.reshape(height, out, -1)
    parts = _row_parts(wide, geometry, height)
    if not parts:
        y[:] = 0
        return
    share = flat.shape[1] // len(parts)
    for i, (_, part) in enumerate(parts):
        own = flat[:, i * share : (i + 1) * share]
        into, cells = _pieces(result, share), _pieces(part, out)

        def run(
            rows: slice, own: np.ndarray = own, cells: np.ndarray = cells, into: np.ndarray = into, i: int = i
        ) -> None:
            if i == 0:
                np.matmul(own, cells[rows], out=into[rows])
            else:
                into[rows] += np.matmul(own, cells[rows])

        halves(height, split and result.size * share > PRODUCTS, run)


def _pieces(matrices: np.ndarray, rest: int) -> np.ndarray:
    """[H', R, columns] as [H', pieces, R, columns / pieces]: a view."""
    height, rows, columns = matrices.shape
    pieces = _cut(columns, rows * rest)
    step, row, item = matrices.strides
    width = columns // pieces
    return as_strided(matrices, (height, pieces, rows, width), (step, width * item, row, item))


def _outer(rows: np.ndarray, part: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Σ δ[i] · windows[i]ᵀ over the output rows: [O, K]."""
    a, b = _pieces(rows, part.shape[1]), _pieces(part, rows.shape[1]).swapaxes(2, 3)
    products = np.empty((*a.shape[:3], b.shape[3]), dtype)

    def run(some: slice) -> None:
        np.matmul(a[some], b[some], out=products[some])

    halves(len(a), rows.size * part.shape[1] > PRODUCTS, run)
    return products.sum(axis=(0, 1))


def _turned(
    weight: np.ndarray, delta: np.ndarray, shape: tuple[int, ...], geometry: Geometry, work: Workspace, key: Hashable
) -> np.ndarray:
    """∂input for stride 1: δ, with zeros around it, convolved with the kernel turned by 180°."""
    n, channels, height, width = shape
    before = [geometry.reach(i) - geometry.pads[i][0] for i in (0, 1)]
    after = [size - 1 + geometry.pads[i][0] - (delta.shape[2 * i] - 1) for i, size in enumerate((height, width))]
    crop = [max(0, -side) for side in before]
    tail = [max(0, -side) for side in after]
    # padding wider than the kernel's reach: the outermost δ never touched the input
    delta = delta[crop[0] : delta.shape[0] - tail[0], :, crop[1] : delta.shape[2] - tail[1]]
    left, right = max(0, before[1]), max(0, after[1])
    turned = np.ascontiguousarray(weight[:, :, ::-1, ::-1].transpose(1, 2, 3, 0)).reshape(channels, -1)
    dx = work.result((key, "dx"), (height, channels, width, n), delta.dtype)
    band = max(1, BAND // max(1, geometry.kernel[1] * delta.shape[1] * width * n))

    def run(rows: slice) -> None:
        for first in range(rows.start, rows.stop, band):
            last = min(rows.stop, first + band)
            # row r of dx meets the rows r − before … r − before + reach of δ
            low, high = first - max(0, before[0]), last - max(0, before[0]) + geometry.reach(0)
            met = delta[max(0, low) : max(0, min(len(delta), high))]
            top = min(max(0, -low), high - low)
            pads = ((top, high - low - top - len(met)), (left, right))
            part = Geometry(geometry.kernel, (1, 1), pads, geometry.dilation)
            wide = _unfold(met.transpose(3, 1, 0, 2), part, work, ("delta", rows.start, last - first), split=False)
            _multiply(turned, wide, part, dx[first:last], split=False)

    halves(height, dx.size * turned.shape[1] > PRODUCTS, run)
    return dx.transpose(3, 1, 0, 2)


def _stamped(weight: np.ndarray, rows: np.ndarray, shape: tuple[int, ...], geometry: Geometry) -> np.ndarray:
    """∂input for any stride: every δ stamps δ·w onto its window, kernel cell by kernel cell."""
    n, channels, height, width = shape
    dx = np.zeros((height, channels, width, n), rows.dtype)
    out_width = geometry.out(1, width)
    for ky, kx in np.ndindex(*geometry.kernel):
        (top, bottom), (left, right) = geometry.span(0, ky, height), geometry.span(1, kx, width)
        if top == bottom or left == right:
            continue
        stamp = np.matmul(np.ascontiguousarray(weight[:, :, ky, kx].T), rows[top:bottom])
        stamp = stamp.reshape(bottom - top, channels, out_width, n)[:, :, left:right]
        place = []
        for axis, k, (first, last) in ((0, ky, (top, bottom)), (1, kx, (left, right))):
            stride = geometry.stride[axis]
            at = k * geometry.dilation[axis] - geometry.pads[axis][0] + first * stride
            place.append(slice(at, at + (last - first - 1) * stride + 1, stride))
        dx[place[0], :, place[1]] += stamp
    return dx.transpose(3, 1, 0, 2)
