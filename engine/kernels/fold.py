"""∂input of a convolution, for any stride and dilation, images as [H, C, W, N].

The gradient of an input row q (counted from the first padded row) meets the δ rows i with q = s·i + d·ky. Rows with
the same remainder q mod s meet the same kernel rows, and their δ rows follow one another. So for each remainder

    z[m, kx, c, j, n] = Σ_{i, o} w[o, c, ky(i), kx] · δ[i, o, j, n]        one product per row, δ rows as a view
    ∂x[q, c, s·j − p + d·kx, n] += z[m, kx, c, j, n]                       k_w additions of shifted slices

k_w additions in cache take the place of unfolding δ, and the products are k_w times as high.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from engine.kernels import tiles
from engine.kernels.geometry import Geometry
from engine.kernels.parallel import PRODUCTS, halves
from engine.kernels.work import Workspace


@dataclass(frozen=True)
class Part:
    """Input rows s·m + remainder − top, for m in [begin, end), and what reaches them: δ rows m − shift and above.

    ``matrix`` is [k_w·C, taps·O]; its columns run from the δ row m − shift − taps + 1 to the δ row m − shift.
    """

    remainder: int
    begin: int
    end: int
    shift: int
    taps: int
    matrix: np.ndarray


def input_grad(
    weight: np.ndarray,
    delta: np.ndarray,
    shape: tuple[int, ...],
    geometry: Geometry,
    work: Workspace,
    key: Hashable,
) -> np.ndarray:
    """∂input [N, C, H, W]; ``delta`` is [H', O, W'·N], contiguous."""
    n, channels, height, width = shape
    dx = work.result((key, "dx"), (height, channels, width, n), delta.dtype)
    parts = _parts(weight, geometry, height)
    whole = geometry.dilation[0] > 1 or geometry.stride[0] > geometry.kernel[0]
    if whole:  # some rows belong to several parts, or to none
        dx[...] = 0
    for part in parts:
        _Fold(part, delta, dx, geometry, work, (key, part.remainder), clear=not whole).run()
    return dx.transpose(3, 1, 0, 2)


def _parts(weight: np.ndarray, geometry: Geometry, height: int) -> list[Part]:
    """Kernel rows by the remainder of the input rows they reach; one by one where they are dilated."""
    _, channels, kh, kw = weight.shape
    stride, dilation, top = geometry.stride[0], geometry.dilation[0], geometry.pads[0][0]
    if dilation == 1:
        groups = [(slice(r, kh, stride), r, 0) for r in range(min(stride, kh))]
    else:
        groups = [(slice(k, k + 1), k * dilation % stride, k * dilation // stride) for k in range(kh)]
    parts = []
    for rows, remainder, shift in groups:
        taps = weight[:, :, rows][:, :, ::-1].transpose(3, 1, 2, 0)
        matrix = np.ascontiguousarray(taps).reshape(kw * channels, -1)
        begin, end = -((remainder - top) // stride), (height - 1 + top - remainder) // stride + 1
        if end > begin:
            parts.append(Part(remainder, begin, end, shift, taps.shape[2], matrix))
    return parts


class _Fold:
    """One part, tile by tile."""

    def __init__(
        self,
        part: Part,
        delta: np.ndarray,
        dx: np.ndarray,
        geometry: Geometry,
        work: Workspace,
        key: Hashable,
        clear: bool,
    ) -> None:
        self.part, self.delta, self.dx, self.geometry = part, delta, dx, geometry
        self.work, self.key, self.clear = work, key, clear
        self.height, self.out, _ = delta.shape
        self.spans = [geometry.span(1, k, dx.shape[2]) for k in range(geometry.kernel[1])]
        self.strips = tiles.strips(geometry.out(1, dx.shape[2]), dx.shape[3], part.matrix.size)
        self.columns = tiles.most_columns(self.strips)
        high, deep = part.matrix.shape
        self.cut = tiles.chunks(high, deep * self.columns)
        self.rows = tiles.band_height((high + self.out) * self.columns, part.taps - 1, 1)

    def run(self) -> None:
        """Fold all rows."""
        count = self.part.end - self.part.begin
        alone = tiles.alone(self.cut, self.part.matrix.shape[1] * self.columns)
        worth = alone and count * self.part.matrix.size * self.delta.shape[2] > PRODUCTS
        halves(count, worth, self._fold)

    def _fold(self, some: slice) -> None:
        high, _ = self.part.matrix.shape
        rows = min(self.rows, some.stop - some.start)
        dtype, start = self.delta.dtype, some.start
        deep = (rows + self.part.taps - 1) * self.out * self.columns
        tile = self.work.take((self.key, "delta", start), (deep,), dtype)
        made = self.work.take((self.key, "z", start), (rows * high * self.columns,), dtype)
        stride = self.geometry.stride[0]
        for band in tiles.bands(some, self.rows):
            first = stride * (self.part.begin + band.start) + self.part.remainder - self.geometry.pads[0][0]
            last = first + (band.stop - band.start - 1) * stride
            target = self.dx[first : last + 1 : stride]
            if self.clear:
                target[...] = 0
            for strip in self.strips:
                windows = self._windows(band, strip, tile)
                z = np.ndarray((len(windows), high, windows.shape[2]), dtype, made)
                for cut in self.cut:
                    np.matmul(self.part.matrix[cut], windows, out=z[:, cut])
                self._add(z, target, strip)

    def _windows(self, band: slice, strip: tiles.Strip, tile: np.ndarray) -> np.ndarray:
        """[rows, taps·O, w]: the δ rows that each row of the band meets, as a view of a copied tile."""
        part, columns = self.part, strip.columns.stop - strip.columns.start
        high = band.stop - band.start
        cells = np.ndarray((high + part.taps - 1, self.out, columns), tile.dtype, tile)
        top = part.begin + band.start - part.shift - part.taps + 1
        above = min(len(cells), max(0, -top))
        below = max(above, min(len(cells), self.height - top))
        cells[:above] = 0
        cells[below:] = 0
        cells[above:below] = self.delta[top + above : top + below, :, strip.columns]
        item = tile.itemsize
        strides = (self.out * columns * item, columns * item, item)
        return np.ndarray((high, part.taps * self.out, columns), tile.dtype, tile, 0, strides)

    def _add(self, z: np.ndarray, target: np.ndarray, strip: tiles.Strip) -> None:
        """Add z [rows, k_w·C, w] to the rows of ∂input, shifted by kernel column."""
        stride = self.geometry.stride[1]
        channels = target.shape[1]
        shape = (len(z), len(self.spans), channels, strip.right - strip.left, strip.last - strip.first)
        shifted = z.reshape(shape)
        for k, (first, last) in enumerate(self.spans):
            first, last = max(first, strip.left), min(last, strip.right)
            if last <= first:
                continue
            at = k * self.geometry.dilation[1] - self.geometry.pads[1][0] + first * stride
            place = target[:, :, at : at + (last - first - 1) * stride + 1 : stride, strip.first : strip.last]
            place += shifted[:, k, :, first - strip.left : last - strip.left]
