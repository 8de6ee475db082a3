"""Padding with zeros.

Source: https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.blocks import make_block, source_name, term_of
from engine.errors import ScenarioError
from engine.layer import Arrays, Context, Layer, Shape, custom, is_int, need_ndim, register
from engine.layers import _common as common
from engine.network import Grads, Node
from engine.steps import OUTSIDE, Block


def _parse_padding(value: Any, path: str) -> tuple[int, int, int, int]:
    sides = [value] * 4 if is_int(value) else value
    ok = isinstance(sides, list | tuple) and len(sides) == 4
    if not ok or not all(is_int(side) and 0 <= side <= 4096 for side in sides):
        wanted = "a whole number from 0 to 4096, or [left, right, top, bottom] of such"
        shown = str(value)[:40]
        raise ScenarioError(
            f"{path}: {shown} is not allowed; use {wanted}",
            reason="bad_value",
            field=path,
            value=shown,
            bound=wanted,
            remedy=f"use {wanted}",
        )
    left, right, top, bottom = map(int, sides)
    return left, right, top, bottom


def _plus(loop: str, shift: int, gap: str = "") -> str:
    """``y + 2``, ``y - 2``, or ``y`` alone for 0."""
    return f"{loop}{gap}{'-' if shift < 0 else '+'}{gap}{abs(shift)}" if shift else loop


@register
@dataclass(frozen=True)
class ZeroPad2d(Layer):
    """x [N, C, H, W] → y [N, C, H + top + bottom, W + left + right]; ``padding`` is [left, right, top, bottom]."""

    kind = "zero_pad2d"
    padding: tuple[int, int, int, int] = custom((1, 1, 1, 1), _parse_padding)

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape with its sides."""
        need_ndim(xs[0], 4, self.kind)
        n, c, height, width = xs[0]
        left, right, top, bottom = self.padding
        return (n, c, height + top + bottom, width + left + right)

    def flops(self, xs: Sequence[Shape]) -> int:
        """None: nothing is computed."""
        return 0

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """Height and width with their sides."""
        (_, _, height, width), (left, right, top, bottom) = xs[0], self.padding
        high = f"{height} + {top} + {bottom} = {height + top + bottom}"
        wide = f"{width} + {left} + {right} = {width + left + right}"
        return high if high == wide else f"{high};  {wide}"

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The input in the middle of zeros, in its memory order."""
        (x,), (left, _, top, _) = xs, self.padding
        y = np.zeros_like(x, shape=self.out_shape([x.shape]))
        y[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
        return y, {}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The gradient without its sides."""
        left, right, top, bottom = self.padding
        return [dy[:, :, top : dy.shape[2] - bottom, left : dy.shape[3] - right]], {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``map`` block; a cell of the padding reads nothing."""
        (x,) = node.in_shapes
        left, _, top, _ = self.padding

        def cell(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> np.ndarray:
            n, c, y, col = coords
            row, column = y - top, col - left
            inside = (row >= 0) & (row < x[2]) & (column >= 0) & (column < x[3])
            return np.where(inside, ((n * x[1] + c) * x[2] + row) * x[3] + column, OUTSIDE)

        batch = "" if x[0] == 1 else "{n}, "
        source = f"{source_name(node.reads[0])}[{batch}{{c}}, {{row}}, {{col}}]"
        return [
            make_block(
                node.name,
                node.kind,
                node.out,
                node.shape,
                [("x", node.reads[0], "value", cell)],
                term_of("x"),
                phase="forward",
                formula=rf"y_{{c,y,x}} = \begin{{cases}} x_{{c,\,{_plus('y', -top)},\,{_plus('x', -left)}}} "
                r"& \text{inside} \\ 0 & \text{outside} \end{cases}",
                body=[
                    f"inside = 0 <= {{row}} < {x[2]} and 0 <= {{col}} < {x[3]}",
                    f"out[@] = {source} if inside else 0",
                ],
                slots={"row": ({"y": 1}, -top), "col": ({"x": 1}, -left)},
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """Each gradient is copied back."""
        (x,), (_, c, height, width) = node.in_shapes, node.shape
        left, _, top, _ = self.padding

        def cell(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> np.ndarray:
            return ((coords[0] * c + coords[1]) * height + coords[2] + top) * width + coords[3] + left

        batch = "" if x[0] == 1 else "{n}, "
        formula = rf"\delta^x_{{c,y,x}} = \delta_{{c,\,{_plus('y', top)},\,{_plus('x', left)}}}"
        body = [f"dx[@] = dy[{batch}{{c}}, {_plus('{y}', top, ' ')}, {_plus('{x}', left, ' ')}]"]
        return [common.copy_block(node, grads.xs[0], x, grads.out, cell, formula, body)]
