"""Fully connected layer: y = W x + b.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import blocks
from engine.layer import Arrays, Context, Layer, Shape, boolean, integer, need_ndim, register
from engine.layers import _common as common
from engine.network import Node
from engine.steps import Block, Role


@register
@dataclass(frozen=True)
class Dense(Layer):
    """x [N, F] → y [N, out_features] with weight [out_features, F] and bias [out_features]."""

    kind = "dense"
    out_features: int = integer()
    bias: bool = boolean(True)

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """[N, out_features]."""
        need_ndim(xs[0], 2, self.kind)
        return (xs[0][0], self.out_features)

    def param_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """``weight`` and, unless switched off, ``bias``."""
        weight = {"weight": (self.out_features, xs[0][1])}
        return weight | ({"bias": (self.out_features,)} if self.bias else {})

    def flops(self, xs: Sequence[Shape]) -> int:
        """Two per product, one per bias."""
        return xs[0][0] * self.out_features * (2 * xs[0][1] + int(self.bias))

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """One matrix product."""
        y = xs[0] @ params["weight"].T
        if self.bias:
            y += params["bias"]
        return y, {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``sum`` block with a term per input feature."""
        features = node.in_shapes[0][1]
        loops = ("n", "o")
        lines = blocks.nest(loops, node.shape)
        x = blocks.source_name(node.reads[0]) + ("" if node.shape[0] == 1 else "[{n}]")
        tail = " + b[{o}]" if self.bias else ""
        lines.append(f"{'    ' * len(lines)}out[{blocks.subscript(loops, node.shape)}] = w[{{o}}] @ {x}{tail}")
        return [
            Block(
                node=node.name,
                kind=node.kind,
                writes=node.out,
                shape=node.shape,
                loops=loops,
                roles=(Role("x", node.reads[0]), Role("w", f"{node.name}.weight", "weight")),
                addends=(Role("b", f"{node.name}.bias", "weight"),) if self.bias else (),
                gather=lambda coords, terms: {
                    "x": coords[0] * features + terms,
                    "w": coords[1] * features + terms,
                    "b": coords[1],
                },
                evaluate=common.product,
                combine="sum",
                term_shape=(("i", features),),
                formula=r"y_o = \sum_i w_{o,i}\, x_i" + (" + b_o" if self.bias else ""),
                code=tuple(lines),
                active=(len(lines) - 1,),
            )
        ]
