"""Flatten: the maps of a sample, one after the other, as one vector.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import blocks
from engine.layer import Arrays, Context, Layer, Shape, register
from engine.layers import _common as common
from engine.network import Grads, Node
from engine.steps import Block, Role


@register
@dataclass(frozen=True)
class Flatten(Layer):
    """x [N, …] → y [N, product of the rest], row-major."""

    kind = "flatten"

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """[N, features]."""
        return (xs[0][0], math.prod(xs[0][1:]))

    def flops(self, xs: Sequence[Shape]) -> int:
        """None: nothing is computed."""
        return 0

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """The product of the sizes."""
        return " · ".join(map(str, xs[0][1:])) + f" = {math.prod(xs[0][1:])}"

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """A reshape; a copy only where the input is not contiguous."""
        return xs[0].reshape(len(xs[0]), math.prod(xs[0].shape[1:])), {"_x": xs[0]}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The same cells in their old shape."""
        return [dy.reshape(cache["_x"].shape)], {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``map`` block: each cell is copied."""
        lines = blocks.nest(("n", "f"), node.shape)
        at = blocks.subscript(("n", "f"), node.shape)
        name = blocks.source_name(node.reads[0])
        source = f"{name}.ravel()[{{f}}]" if node.shape[0] == 1 else f"{name}[{{n}}].ravel()[{{f}}]"
        lines.append(f"{'    ' * len(lines)}out[{at}] = {source}")
        return [
            Block(
                node=node.name,
                kind=node.kind,
                writes=node.out,
                shape=node.shape,
                loops=("n", "f"),
                roles=(Role("x", node.reads[0]),),
                gather=common.same_cell(node.shape),
                evaluate=lambda values, _coords: (values["x"], {}),
                combine="map",
                term_shape=(("i", 1),),
                formula=r"y_f = x_{c,y,x},\quad f = (c H + y) W + x",
                code=tuple(lines),
                active=(len(lines) - 1,),
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """One ``map`` block: each gradient is copied back."""
        (x,) = node.in_shapes
        maps = r"\delta^x_{c,y,x} = \delta_f,\quad f = (c H + y) W + x"
        formula = maps if len(x) == 4 else r"\delta^x_f = \delta_f"
        flat = "dy[{n}]" if x[0] > 1 else "dy"
        index = "[{c}, {y}, {x}]" if len(x) == 4 else "[{f}]"
        body = [f"dx[@] = {flat}.reshape({', '.join(map(str, x[1:]))}){index}"]
        return [common.copy_block(node, grads.xs[0], x, grads.out, blocks.same(x), formula, body)]
