"""What several kinds share: element-wise blocks, output sizes, pooling geometry."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from engine import blocks
from engine.blocks import Index
from engine.errors import ScenarioError
from engine.layer import Pair, Shape
from engine.network import Node
from engine.steps import OUTSIDE, Block, Role


def same_cell(shape: Shape) -> Callable:
    """A gather for blocks whose one operand cell has the same flat index as the written cell."""

    def gather(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> dict[str, np.ndarray]:
        return {"x": blocks.flat_index(coords, shape)}

    return gather


def map_block(node: Node, function: Callable[[np.ndarray], np.ndarray], formula: str, call: str) -> Block:
    """The block of an element-wise function ``out = f(x)``, evaluated in float64."""
    loops = blocks.loops_of(node.shape)
    lines = blocks.nest(loops, node.shape)
    at = blocks.subscript(loops, node.shape)
    source = f"{blocks.source_name(node.reads[0])}[{at}]"
    lines.append(f"{'    ' * len(lines)}out[{at}] = " + re.sub(r"\bx\b", source, call))
    return Block(
        node=node.name,
        kind=node.kind,
        writes=node.out,
        shape=node.shape,
        loops=loops,
        roles=(Role("x", node.reads[0]),),
        gather=same_cell(node.shape),
        evaluate=lambda values, _coords: (function(values["x"]), {}),
        combine="map",
        term_shape=(("i", 1),),
        formula=formula,
        code=tuple(lines),
        active=(len(lines) - 1,),
    )


def copy_block(node: Node, writes: str, shape: Shape, dy: str, index: Index, formula: str, body: list[str]) -> Block:
    """A backward block that hands gradients on as they are."""
    return blocks.make_block(
        node.name,
        node.kind,
        writes,
        shape,
        [("d", dy, "grad", index)],
        blocks.term_of("d"),
        formula=formula,
        body=body,
    )


def cell_of(tensor: str) -> str:
    """NumPy text of the tensor's cell under the written one: ``relu1[@]``, ``dy[@]`` for an upstream gradient."""
    return "dy[@]" if ".grad" in tensor else f"{blocks.source_name(tensor)}[@]"


def at_cell(text: str, source: str) -> str:
    """NumPy text of x with the cell in its place."""
    return re.sub(r"\bx\b", source, text)


def product(values: dict[str, np.ndarray], _coords: tuple[np.ndarray, ...]) -> tuple[np.ndarray, dict]:
    """Terms of a weighted sum: x · w."""
    return values["x"] * values["w"], {}


def out_size(n: int, k: int, s: int, p: int, d: int = 1, ceil: bool = False) -> int:
    """⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1, PyTorch's rule; with ``ceil`` the last window must start inside."""
    span = n + 2 * p - d * (k - 1) - 1
    if not ceil:
        return span // s + 1
    size = -(-span // s) + 1
    return size - 1 if (size - 1) * s >= n + p else size


def size_text(n: int, k: int, s: int, p: int, d: int = 1, ceil: bool = False) -> str:
    """The size rule with its numbers, as plain text."""
    left, right = ("⌈", "⌉") if ceil else ("⌊", "⌋")
    return f"{left}({n} + 2·{p} − {d}·({k} − 1) − 1) / {s}{right} + 1 = {out_size(n, k, s, p, d, ceil)}"


def size_texts(x: Shape, k: Pair, s: Pair, p: Pair, d: Pair = (1, 1), ceil: bool = False) -> str:
    """The size rule for height and width, once where both are the same."""
    high, wide = (size_text(x[2 + i], k[i], s[i], p[i], d[i], ceil) for i in (0, 1))
    return high if high == wide else f"{high};  {wide}"


def need_fit(kind: str, x: Shape, kernel: Pair, pads: tuple[int, int], dilation: Pair = (1, 1)) -> None:
    """Raise ScenarioError unless the dilated kernel fits into the padded input (``pads`` per side, summed)."""
    for i in (0, 1):
        reach, room = dilation[i] * (kernel[i] - 1) + 1, x[2 + i] + pads[i]
        if reach > room:
            padded = f"{x[2] + pads[0]}×{x[3] + pads[1]}"
            most = (room - 1) // dilation[i] + 1
            more = -(-(reach - room) // 2)
            extra = f" (dilated to {reach})" if dilation[i] > 1 else ""
            remedy = f"use ≤ {most} or padding ≥ {pads[i] // 2 + more}"
            raise ScenarioError(
                f"kernel_size {kernel[i]}{extra} exceeds its padded input {padded}; {remedy}",
                reason="kernel_too_big",
                field="kernel_size",
                value=kernel[i],
                bound=most,
                remedy=remedy,
            )


def window_gather(x: Shape, out: Shape, kernel: Pair, stride: Pair, padding: Pair) -> Callable:
    """A gather of pooling windows: role ``x``, terms in (ky, kx) order, OUTSIDE where the window leaves the map."""
    height, width = x[2:]

    def gather(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> dict[str, np.ndarray]:
        n, c, y, col = coords
        row = y * stride[0] - padding[0] + terms // kernel[1]
        column = col * stride[1] - padding[1] + terms % kernel[1]
        index = ((n * x[1] + c) * height + row) * width + column
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        return {"x": np.where(inside, index, OUTSIDE)}

    return gather


def windows(x: np.ndarray, out: Shape, kernel: Pair, stride: Pair) -> list[np.ndarray]:
    """For each kernel offset the strided view of (padded) ``x`` that lies under it, one cell per output cell."""
    rows, cols = (out[2] - 1) * stride[0] + 1, (out[3] - 1) * stride[1] + 1
    return [
        x[:, :, ky : ky + rows : stride[0], kx : kx + cols : stride[1]]
        for ky in range(kernel[0])
        for kx in range(kernel[1])
    ]


def pool_pads(x: Shape, out: Shape, kernel: Pair, stride: Pair, padding: Pair) -> tuple[Pair, Pair]:
    """Rows and columns to add before and after, so that every window of ``out`` is whole (ceil_mode included)."""
    after = [max(padding[i], (out[2 + i] - 1) * stride[i] + kernel[i] - x[2 + i] - padding[i]) for i in (0, 1)]
    return (padding[0], after[0]), (padding[1], after[1])
