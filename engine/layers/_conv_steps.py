"""The backward blocks of a convolution y[o, i, j] = Σ x[c, s·i − p + d·k, …] · w[o, c, k, …] + b[o]."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.blocks import make_block, term_of
from engine.layer import Pair, Shape
from engine.steps import ABSENT, OUTSIDE, STRIDE_ZERO, Block


@dataclass(frozen=True)
class Frame:
    """A convolution at its place: whose blocks they are, the shapes around it and its geometry.

    ``x`` is the shape of what the windows slide over, ``pads`` the zeros before its first row and column.
    """

    node: str
    kind: str
    x: Shape
    y: Shape
    kernel: Pair
    stride: Pair
    pads: Pair
    dilation: Pair
    groups: int

    @property
    def per_in(self) -> int:
        """Input channels of a group."""
        return self.x[1] // self.groups

    @property
    def per_out(self) -> int:
        """Output channels of a group."""
        return self.y[1] // self.groups


def _place(i: int, out: str, kernel: str, frame: Frame) -> str:
    """``2y+3k_y-1``: where a window's cell lies along one axis, for formulas."""
    head = out if frame.stride[i] == 1 else f"{frame.stride[i]}{out}"
    tail = kernel if frame.dilation[i] == 1 else f"{frame.dilation[i]}{kernel}"
    return f"{head}+{tail}" + (f"-{frame.pads[i]}" if frame.pads[i] else "")


def bias_block(frame: Frame, writes: str, dy: str) -> Block:
    """∂bias: every δ of the channel, summed over samples and positions."""
    n, out, height, width = frame.y
    area = height * width
    return make_block(
        frame.node,
        frame.kind,
        writes,
        (out,),
        [("d", dy, "grad", lambda coords, terms: (terms // area * out + coords[0]) * area + terms % area)],
        term_of("d"),
        loops=("o",),
        combine="sum",
        terms=(("n", n), ("y", height), ("x", width)),
        partial=("n", n) if n > 1 else None,
        formula=r"\frac{\partial L}{\partial b_o} = \sum_{n,y,x} \delta_{n,o,y,x}",
        body=["db[@] = dy[:, {o}].sum()"],
    )


def weight_block(frame: Frame, writes: str, x: str, dy: str, source: str) -> Block:
    """∂weight: for one kernel cell all the input cells that it met, each times the δ of that window."""
    n, out, height, width = frame.y
    kh, kw = frame.kernel
    rows, cols = frame.x[2:]

    def split(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return terms // (height * width), terms // width % height, terms % width

    def input_cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        o, c, ky, kx = coords
        sample, y, col = split(terms)
        row = y * frame.stride[0] - frame.pads[0] + ky * frame.dilation[0]
        column = col * frame.stride[1] - frame.pads[1] + kx * frame.dilation[1]
        index = ((sample * frame.x[1] + o // frame.per_out * frame.per_in + c) * rows + row) * cols + column
        outside = (row < 0) | (row >= rows) | (column < 0) | (column >= cols)
        index[outside] = OUTSIDE
        return index

    def delta_cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        sample, y, col = split(terms)
        return ((sample * out + coords[0]) * height + y) * width + col

    stop = [
        f"{{{a}0}} + {(size - 1) * s + 1}" for a, size, s in zip("yx", (height, width), frame.stride, strict=True)
    ]
    hop = [f":{s}" if s > 1 else "" for s in frame.stride]
    channel = "{c}" if frame.groups == 1 else f"{{o}} // {frame.per_out} * {frame.per_in} + {{c}}"
    padded = "" if not any(frame.pads) and source == "padded" else "  # cells outside count as 0"
    return make_block(
        frame.node,
        frame.kind,
        writes,
        (out, frame.per_in, kh, kw),
        [("d", dy, "grad", delta_cell), ("x", x, "value", input_cell)],
        lambda values, _coords: (values["d"] * values["x"], {}),
        loops=("o", "c", "ky", "kx"),
        combine="sum",
        terms=(("n", n), ("y", height), ("x", width)),
        partial=("n", n) if n > 1 else None,
        formula=r"\frac{\partial L}{\partial w_{o,c,k_y,k_x}} = \sum_{n,y,x} \delta_{n,o,y,x}\, "
        rf"x_{{n,c,\,{_place(0, 'y', 'k_y', frame)},\,{_place(1, 'x', 'k_x', frame)}}}",
        body=[
            f"met = {source}[:, {channel}, {{y0}}:{stop[0]}{hop[0]}, {{x0}}:{stop[1]}{hop[1]}]{padded}",
            "dw[@] = (dy[:, {o}] * met).sum()",
        ],
        slots={
            "y0": ({"ky": frame.dilation[0]}, -frame.pads[0]),
            "x0": ({"kx": frame.dilation[1]}, -frame.pads[1]),
        },
    )


def input_block(frame: Frame, writes: str, dy: str, weight: str) -> Block:
    """∂input in both readings.

    *Gather*: the kernel turned by 180° slides over δ, with zeros around it (OUTSIDE) and, for a stride, between its
    cells (STRIDE_ZERO). *Scatter*: the stamps δ·w that landed on this cell, in the order in which δ stamps them; of
    the most that a cell can get, those that it does not get are ABSENT.
    """
    turned, stamped = _gather_cells(frame), _scatter_cells(frame)
    kh, kw = frame.kernel
    most = [(k - 1) * d // s + 1 for k, d, s in zip(frame.kernel, frame.dilation, frame.stride, strict=True)]
    group = "" if frame.groups == 1 else ",\\; o \\in g(c)"

    def block(reading: str, cells: tuple, terms: tuple, formula: str, body: list[str], others: tuple) -> Block:
        return make_block(
            frame.node,
            frame.kind,
            writes,
            frame.x,
            [("d", dy, "grad", cells[0]), ("w", weight, "weight", cells[1])],
            lambda values, _coords: (values["d"] * values["w"], {}),
            combine="sum",
            terms=terms,
            formula=formula,
            body=body,
            reading=reading,
            others=others,
            partial=("o", frame.per_out),
        )

    hops = "" if frame.stride == (1, 1) else f", {frame.stride[0] - 1}×{frame.stride[1] - 1} zeros between"
    scatter = block(
        "scatter",
        stamped,
        (("o", frame.per_out), ("sy", most[0]), ("sx", most[1])),
        r"\delta^x_{c,y,x} = \sum_{o,i,j} \delta_{o,i,j}\, w_{o,c,k_y,k_x}"
        rf"\;\big[\,{_place(0, 'i', 'k_y', frame)} = y,\; {_place(1, 'j', 'k_x', frame)} = x{group}\,\big]",
        ["dx[@] = sum(dy[o, i, j] * w[o, c, ky, kx] for o, i, j, ky, kx in stamps_on({y}, {x}))"],
        (),
    )
    return block(
        "gather",
        turned,
        (("o", frame.per_out), ("ky", kh), ("kx", kw)),
        r"\delta^x_{c,y,x} = \sum_{o,k_y,k_x} \tilde\delta_{o,\,y+k_y,\,x+k_x}\, "
        rf"w_{{o,c,\,{kh - 1}-k_y,\,{kw - 1}-k_x}}",
        [
            f"window = spread(dy)[o, y:y + {kh}, x:x + {kw}]  # zeros around{hops}",
            "dx[@] = (window * w[:, {c}, ::-1, ::-1]).sum()",
        ],
        (scatter,),
    )


def _channel(frame: Frame, c: np.ndarray, terms: np.ndarray, area: int) -> np.ndarray:
    """The output channel of a term: those of the input channel's group."""
    return c // frame.per_in * frame.per_out + terms // area


def _flat_weight(frame: Frame, o: np.ndarray, c: np.ndarray, ky: np.ndarray, kx: np.ndarray) -> np.ndarray:
    return ((o * frame.per_in + c % frame.per_in) * frame.kernel[0] + ky) * frame.kernel[1] + kx


def _gather_cells(frame: Frame) -> tuple:
    kh, kw = frame.kernel

    def kernel_cell(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return kh - 1 - terms // kw % kh, kw - 1 - terms % kw

    def axis(i: int, at: np.ndarray, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Position in δ along one axis, and what stands there instead where it has no cell (0 where it has)."""
        spread = at + frame.pads[i] - k * frame.dilation[i]
        outside = (spread < 0) | (spread > (frame.y[2 + i] - 1) * frame.stride[i])
        between = spread % frame.stride[i] != 0
        return spread // frame.stride[i], np.where(outside, OUTSIDE, np.where(between, STRIDE_ZERO, 0))

    def delta(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        n, c, y, x = coords
        ky, kx = kernel_cell(terms)
        (row, no_row), (col, no_col) = axis(0, y, ky), axis(1, x, kx)
        o = _channel(frame, c, terms, kh * kw)
        index = ((n * frame.y[1] + o) * frame.y[2] + row) * frame.y[3] + col
        # outside in one direction outweighs a zero between cells in the other
        missing = np.where((no_row == OUTSIDE) | (no_col == OUTSIDE), OUTSIDE, np.minimum(no_row, no_col))
        return np.where(missing < 0, missing, index)

    def weight(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        ky, kx = kernel_cell(terms)
        return _flat_weight(frame, _channel(frame, coords[1], terms, kh * kw), coords[1], ky, kx)

    return delta, weight


def _scatter_cells(frame: Frame) -> tuple:
    most = [(k - 1) * d // s + 1 for k, d, s in zip(frame.kernel, frame.dilation, frame.stride, strict=True)]
    area = math.prod(most)

    def axis(i: int, at: np.ndarray, number: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row of δ and of the kernel for the stamp with this number, and whether there is such a stamp."""
        reach = (frame.kernel[i] - 1) * frame.dilation[i]
        first = -((reach - at - frame.pads[i]) // frame.stride[i])  # ⌈(at + pad − reach) / stride⌉
        out = first + number
        distance = at + frame.pads[i] - out * frame.stride[i]
        k = distance // frame.dilation[i]
        met = (distance % frame.dilation[i] == 0) & (distance >= 0) & (k < frame.kernel[i])
        return out, k, met & (out >= 0) & (out < frame.y[2 + i])

    def both(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> tuple:
        rows = axis(0, coords[2], terms // most[1] % most[0])
        cols = axis(1, coords[3], terms % most[1])
        return rows, cols, _channel(frame, coords[1], terms, area)

    def delta(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        (row, _, met_row), (col, _, met_col), o = both(coords, terms)
        index = ((coords[0] * frame.y[1] + o) * frame.y[2] + row) * frame.y[3] + col
        return np.where(met_row & met_col, index, ABSENT)

    def weight(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        (_, ky, met_row), (_, kx, met_col), o = both(coords, terms)
        return np.where(met_row & met_col, _flat_weight(frame, o, coords[1], ky, kx), ABSENT)

    return delta, weight


def fold_block(
    node: str, kind: str, writes: str, padded: str, x: Shape, sources: tuple[np.ndarray, np.ndarray]
) -> Block:
    """∂input where the padding copied cells: the gradients of all copies of a cell add up.

    ``sources`` say for each padded row and column which row and column of the input it copied.
    """
    copies = [_copies(source, size) for source, size in zip(sources, x[2:], strict=True)]
    most = [found.shape[1] for found in copies]
    height, width = len(sources[0]), len(sources[1])

    def cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        n, c, y, col = coords
        row = copies[0][y[:, 0]][:, terms // most[1]]
        column = copies[1][col[:, 0]][:, terms % most[1]]
        return np.where((row < 0) | (column < 0), ABSENT, ((n * x[1] + c) * height + row) * width + column)

    return make_block(
        node,
        kind,
        writes,
        x,
        [("d", padded, "grad", cell)],
        term_of("d"),
        combine="sum",
        terms=(("row", most[0]), ("col", most[1])),
        formula=r"\delta^x_{c,y,x} = \sum_{\mathrm{row}(i)=y,\;\mathrm{col}(j)=x} \delta^{\hat x}_{c,i,j}",
        body=["dx[@] = sum(dpadded[c, i, j] for i, j in copies_of({y}, {x}))"],
    )


def _copies(source: np.ndarray, size: int) -> np.ndarray:
    """[size, most]: the padded positions that copied each position, −1 where there are fewer."""
    found = [np.flatnonzero(source == i) for i in range(size)]
    table = np.full((size, max(map(len, found))), -1, np.int64)
    for i, positions in enumerate(found):
        table[i, : len(positions)] = positions
    return table
