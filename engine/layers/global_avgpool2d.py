"""Global average pooling: each map becomes its mean.

Source: https://arxiv.org/abs/1312.4400 (Network in network)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import blocks
from engine.layer import Arrays, Context, Layer, Shape, need_ndim, register
from engine.network import Grads, Node
from engine.steps import Block, Role


@register
@dataclass(frozen=True)
class GlobalAvgPool2d(Layer):
    """x [N, C, H, W] → y [N, C]."""

    kind = "global_avgpool2d"

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """[N, C]."""
        need_ndim(xs[0], 4, self.kind)
        return xs[0][:2]

    def flops(self, xs: Sequence[Shape]) -> int:
        """One addition per cell."""
        n, c, height, width = xs[0]
        return n * c * height * width

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Mean over height and width."""
        return xs[0].mean(axis=(2, 3)), {"_x": xs[0]}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Every cell of a map gets an equal share."""
        x = cache["_x"]
        share = dy / np.asarray(x.shape[2] * x.shape[3], dy.dtype)
        dx = np.empty_like(x)
        dx[:] = share[:, :, None, None]
        return [dx], {}

    def blocks(self, node: Node) -> list[Block]:
        """One block; each term is a cell divided by the number of cells."""
        (x,) = node.in_shapes
        cells = x[2] * x[3]
        lines = blocks.nest(("n", "c"), node.shape)
        batch = "" if node.shape[0] == 1 else "{n}, "
        at, source = blocks.subscript(("n", "c"), node.shape), blocks.source_name(node.reads[0])
        lines.append(f"{'    ' * len(lines)}out[{at}] = {source}[{batch}{{c}}].mean()")
        return [
            Block(
                node=node.name,
                kind=node.kind,
                writes=node.out,
                shape=node.shape,
                loops=("n", "c"),
                roles=(Role("x", node.reads[0]),),
                gather=lambda coords, terms: {"x": blocks.flat_index(coords, node.shape) * cells + terms},
                evaluate=lambda values, coords: (
                    values["x"] / cells,
                    {"divisor": np.full(len(coords[0]), float(cells))},
                ),
                combine="sum",
                term_shape=(("y", x[2]), ("x", x[3])),
                extra=("divisor",),
                formula=rf"y_{{c}} = \frac{{1}}{{{x[2]} \cdot {x[3]}}} \sum_{{y,x}} x_{{c,y,x}}",
                code=tuple(lines),
                active=(len(lines) - 1,),
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """Every cell of a map gets an equal share of its gradient."""
        (x,) = node.in_shapes
        cells = x[2] * x[3]
        batch = "" if x[0] == 1 else "{n}, "
        return [
            blocks.make_block(
                node.name,
                node.kind,
                grads.xs[0],
                x,
                [("d", grads.out, "grad", lambda coords, _terms: coords[0] * x[1] + coords[1])],
                lambda values, _coords: (values["d"] / cells, {}),
                formula=rf"\delta^x_{{c,y,x}} = \frac{{1}}{{{x[2]} \cdot {x[3]}}}\, \delta_c",
                body=[f"dx[@] = dy[{batch}{{c}}] / {cells}"],
            )
        ]
