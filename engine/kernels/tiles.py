"""Cutting a convolution of images [H, C, W, N] into tiles that stay in the second-level cache.

A tile is a band of output rows times a strip of w columns (neighbouring positions and samples). Its unfolded input
is a contiguous block [rows, k_w·C, w]; k_h consecutive rows are the window matrix [k_h·k_w·C, w] of an output row, as
a view. Products are cut to a million multiplications: OpenBLAS then multiplies on the calling thread without packing
its operands first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from engine.kernels.geometry import Geometry

#: most multiplications in one product, and cells of an unfolded tile
PRODUCT, TILE = 1_000_000, 160_000
#: fewest and most columns of a strip
NARROW, WIDE = 64, 384


@dataclass(frozen=True)
class Strip:
    """Output columns [left, right) of the samples [first, last); ``columns`` of the flat W'·N."""

    left: int
    right: int
    first: int
    last: int
    columns: slice


@lru_cache(256)
def strips(width: int, n: int, share: int) -> tuple[Strip, ...]:
    """Strips of about PRODUCT / share columns; ``share`` is the multiplications per column."""
    wanted = min(WIDE, max(NARROW, PRODUCT // max(1, share)))
    if n > wanted:
        parts = -(-n // wanted)
        cuts = [n * i // parts for i in range(parts + 1)]
        spans = [(j, j + 1, a, b) for j in range(width) for a, b in pairwise(cuts)]
    else:
        parts = -(-width // max(1, wanted // max(1, n)))
        cuts = [width * i // parts for i in range(parts + 1)]
        spans = [(a, b, 0, n) for a, b in pairwise(cuts)]
    return tuple(Strip(a, b, c, d, slice(a * n + c, (b - 1) * n + d)) for a, b, c, d in spans)


def most_columns(cut: tuple[Strip, ...]) -> int:
    """Columns of the widest strip."""
    return max(strip.columns.stop - strip.columns.start for strip in cut)


def bands(rows: slice, most: int) -> Iterator[slice]:
    """The rows in bands of about equal height, at most ``most`` high."""
    count = rows.stop - rows.start
    parts = -(-count // most)
    for i in range(parts):
        yield slice(rows.start + count * i // parts, rows.start + count * (i + 1) // parts)


def band_height(row: int, extra: int, stride: int) -> int:
    """Output rows of a band, if an unfolded input row has ``row`` cells and the last window ``extra`` more rows."""
    return max(4, (TILE // max(1, row) - extra) // stride)


def chunks(rows: int, share: int) -> list[slice]:
    """The rows of a matrix, cut so that a product with ``share`` multiplications per row stays within PRODUCT.

    Whole where fewer than four rows would be left: then OpenBLAS packs, and uses its own threads.
    """
    most = PRODUCT // max(1, share)
    if most >= rows or most < 4:
        return [slice(0, rows)]
    most -= most % 4
    return [slice(i, min(rows, i + most)) for i in range(0, rows, most)]


def alone(cut: list[slice], share: int) -> bool:
    """True where every product stays on the thread that asks for it."""
    return (cut[0].stop - cut[0].start) * share <= PRODUCT


class Unfolded:
    """The windows of one tile after the other, unfolded into one buffer."""

    def __init__(self, rows: np.ndarray, geometry: Geometry, buffer: np.ndarray) -> None:
        """``rows`` is the input [H, C, W, N], ``buffer`` flat with at least ``cells()`` cells."""
        self.rows, self.geometry, self.buffer = rows, geometry, buffer
        self.spans = [geometry.span(1, k, rows.shape[2]) for k in range(geometry.kernel[1])]

    @staticmethod
    def cells(geometry: Geometry, channels: int, high: int, columns: int) -> int:
        """Cells of the buffer for bands of ``high`` rows."""
        kh, kw = geometry.kernel
        deep = high * kh if geometry.dilation[0] > 1 else (high - 1) * geometry.stride[0] + kh
        return deep * kw * channels * columns

    def windows(self, band: slice, strip: Strip) -> np.ndarray:
        """[rows, k_h·k_w·C, w] of the output rows ``band``: a view, with overlapping rows."""
        (kh, kw), (step, _) = self.geometry.kernel, self.geometry.stride
        high, channels = band.stop - band.start, self.rows.shape[1]
        columns = strip.columns.stop - strip.columns.start
        row, item = kw * channels * columns, self.buffer.itemsize
        top = band.start * step - self.geometry.pads[0][0]
        if self.geometry.dilation[0] > 1:  # rows of a window are not neighbours: each gets its own copy
            cells = self._shaped((high, kh, kw, channels), strip)
            for k in range(kh):
                self._fill(cells[:, k], top + k * self.geometry.dilation[0], step, strip)
            pitch = kh * row
        else:
            cells = self._shaped(((high - 1) * step + kh, kw, channels), strip)
            self._fill(cells, top, 1, strip)
            pitch = step * row
        shape, strides = (high, kh * kw * channels, columns), (pitch * item, columns * item, item)
        return np.ndarray(shape, self.buffer.dtype, self.buffer, 0, strides)

    def _shaped(self, shape: tuple[int, ...], strip: Strip) -> np.ndarray:
        shape = (*shape, strip.right - strip.left, strip.last - strip.first)
        return np.ndarray(shape, self.buffer.dtype, self.buffer)

    def _fill(self, cells: np.ndarray, top: int, step: int, strip: Strip) -> None:
        """``cells`` [rows, k_w, C, columns, n] from the input rows top, top + step, …; zeros outside the input."""
        height = self.rows.shape[0]
        above = min(len(cells), max(0, -(top // step)))
        below = max(above, min(len(cells), (height - 1 - top) // step + 1))
        if above:
            cells[:above] = 0
        if below < len(cells):
            cells[below:] = 0
        if below == above:
            return
        source = self.rows[top + above * step : top + (below - 1) * step + 1 : step, ..., strip.first : strip.last]
        stride = self.geometry.stride[1]
        for k, (first, last) in enumerate(self.spans):
            inside = cells[above:below, k]
            first, last = max(first, strip.left), min(last, strip.right)
            if last <= first:
                inside[...] = 0
                continue
            if first > strip.left:
                inside[:, :, : first - strip.left] = 0
            if last < strip.right:
                inside[:, :, last - strip.left :] = 0
            at = k * self.geometry.dilation[1] - self.geometry.pads[1][0] + first * stride
            cut = source[:, :, at : at + (last - first - 1) * stride + 1 : stride]
            inside[:, :, first - strip.left : last - strip.left] = cut
