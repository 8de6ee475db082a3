"""Nearest-neighbour upsampling: every cell becomes a patch.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.blocks import make_block, source_name, term_of
from engine.layer import Arrays, Context, Layer, Pair, Shape, need_ndim, pair, register
from engine.network import Grads, Node
from engine.steps import Block


@register
@dataclass(frozen=True)
class Upsample(Layer):
    """x [N, C, H, W] → y [N, C, H·s, W·s] with the whole number s = ``scale_factor``."""

    kind = "upsample"
    scale_factor: Pair = pair((2, 2))

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """Height and width times their factors."""
        need_ndim(xs[0], 4, self.kind)
        n, c, height, width = xs[0]
        return (n, c, height * self.scale_factor[0], width * self.scale_factor[1])

    def flops(self, xs: Sequence[Shape]) -> int:
        """None: nothing is computed."""
        return 0

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """Height and width times their factors."""
        high, wide = (f"{xs[0][2 + i]} · {s} = {xs[0][2 + i] * s}" for i, s in enumerate(self.scale_factor))
        return high if high == wide else f"{high};  {wide}"

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Every cell as a patch, in the memory order of the input."""
        (x,), (high, wide) = xs, self.scale_factor
        y = np.empty_like(x, shape=self.out_shape([x.shape]))
        for ky, kx in np.ndindex(high, wide):
            y[:, :, ky::high, kx::wide] = x
        return y, {}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The sum over each patch, in float64: a patch of 64×64 cells would lose its last digits otherwise."""
        high, wide = self.scale_factor
        dx = np.zeros_like(dy[:, :, ::high, ::wide], dtype=np.float64)
        for ky, kx in np.ndindex(high, wide):
            dx += dy[:, :, ky::high, kx::wide]
        return [dx.astype(dy.dtype, copy=False)], {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``map`` block: the cell under each patch."""
        (x,), (high, wide) = node.in_shapes, self.scale_factor

        def cell(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> np.ndarray:
            return ((coords[0] * x[1] + coords[1]) * x[2] + coords[2] // high) * x[3] + coords[3] // wide

        batch = "" if x[0] == 1 else "{n}, "
        return [
            make_block(
                node.name,
                node.kind,
                node.out,
                node.shape,
                [("x", node.reads[0], "value", cell)],
                term_of("x"),
                phase="forward",
                formula=rf"y_{{c,y,x}} = x_{{c,\,\lfloor y/{high} \rfloor,\,\lfloor x/{wide} \rfloor}}",
                body=[f"out[@] = {source_name(node.reads[0])}[{batch}{{c}}, {{y}} // {high}, {{x}} // {wide}]"],
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """The gradients of a patch add up."""
        (x,), (high, wide) = node.in_shapes, self.scale_factor

        def cells(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            n, c, y, col = coords
            row, column = y * high + terms // wide, col * wide + terms % wide
            return ((n * x[1] + c) * x[2] * high + row) * x[3] * wide + column

        batch = "" if x[0] == 1 else "{n}, "
        return [
            make_block(
                node.name,
                node.kind,
                grads.xs[0],
                x,
                [("d", grads.out, "grad", cells)],
                term_of("d"),
                combine="sum",
                terms=(("ky", high), ("kx", wide)),
                formula=rf"\delta^x_{{c,y,x}} = \sum_{{k_y,k_x}} \delta_{{c,\,{high}y+k_y,\,{wide}x+k_x}}",
                body=[f"dx[@] = dy[{batch}{{c}}, {{y0}}:{{y0}} + {high}, {{x0}}:{{x0}} + {wide}].sum()"],
                slots={"y0": ({"y": high}, 0), "x0": ({"x": wide}, 0)},
            )
        ]
