"""Fully connected layer: y = W x + b.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.blocks import along, make_block, source_name, term_of
from engine.layer import Arrays, Context, Layer, Shape, boolean, integer, need_ndim, register
from engine.layers import _common as common
from engine.network import Grads, Node
from engine.steps import Block


@register
@dataclass(frozen=True)
class Dense(Layer):
    """x [N, F] → y [N, out_features] with weight [out_features, F] and bias [out_features]."""

    kind = "dense"
    out_features: int = integer()
    bias: bool = boolean(True)
    penalised = ("weight",)

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
        (x,) = xs
        y = x @ params["weight"].T
        if self.bias:
            y += params["bias"]
        return y, {"_x": x}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """dW = dyᵀ x, db = Σ dy over the samples, dx = dy W."""
        grads = {"weight": dy.T @ cache["_x"]} | ({"bias": dy.sum(axis=0)} if self.bias else {})
        return [dy @ params["weight"]] if ctx.dx else [], grads

    def blocks(self, node: Node) -> list[Block]:
        """One ``sum`` block with a term per input feature."""
        features = node.in_shapes[0][1]
        x = source_name(node.reads[0]) + ("" if node.shape[0] == 1 else "[{n}]")
        tail = " + b[{o}]" if self.bias else ""
        return [
            make_block(
                node.name,
                node.kind,
                node.out,
                node.shape,
                [
                    ("x", node.reads[0], "value", lambda coords, terms: coords[0] * features + terms),
                    ("w", f"{node.name}.weight", "weight", lambda coords, terms: coords[1] * features + terms),
                ],
                common.product,
                phase="forward",
                loops=("n", "o"),
                combine="sum",
                terms=(("i", features),),
                addends=[("b", f"{node.name}.bias", "weight", along(1))] if self.bias else [],
                formula=r"y_o = \sum_i w_{o,i}\, x_i" + (" + b_o" if self.bias else ""),
                body=[f"out[@] = w[{{o}}] @ {x}{tail}"],
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """∂bias: sum of δ over the samples; ∂weight: the outer product, summed over the samples; ∂x = Wᵀδ."""
        (n, features), out = node.in_shapes[0], node.shape[1]
        x, weight = node.reads[0], f"{node.name}.weight"
        bias = (
            make_block(
                node.name,
                node.kind,
                grads.params["bias"],
                (out,),
                [("d", grads.out, "grad", lambda coords, terms: terms * out + coords[0])],
                term_of("d"),
                loops=("o",),
                combine="sum",
                terms=(("n", n),),
                formula=r"\frac{\partial L}{\partial b_o} = \sum_n \delta_{n,o}",
                body=["db[@] = dy[:, {o}].sum()"],
            )
            if self.bias
            else None
        )
        product = make_block(
            node.name,
            node.kind,
            grads.params["weight"],
            (out, features),
            [
                ("d", grads.out, "grad", lambda coords, terms: terms * out + coords[0]),
                ("x", x, "value", lambda coords, terms: terms * features + coords[1]),
            ],
            lambda values, _coords: (values["d"] * values["x"], {}),
            loops=("o", "i"),
            combine="sum",
            terms=(("n", n),),
            formula=r"\frac{\partial L}{\partial w_{o,i}} = \sum_n \delta_{n,o}\, x_{n,i}",
            body=[f"dw[@] = dy[:, {{o}}] @ {source_name(x)}[:, {{i}}]"],
        )
        back = make_block(
            node.name,
            node.kind,
            grads.xs[0],
            node.in_shapes[0],
            [
                ("d", grads.out, "grad", lambda coords, terms: coords[0] * out + terms),
                ("w", weight, "weight", lambda coords, terms: terms * features + coords[1]),
            ],
            lambda values, _coords: (values["d"] * values["w"], {}),
            loops=("n", "i"),
            combine="sum",
            terms=(("o", out),),
            formula=r"\delta^x_i = \sum_o w_{o,i}\, \delta_o",
            body=["dx[@] = w[:, {i}] @ dy" + ("" if n == 1 else "[{n}]")],
        )
        return [*([bias] if bias else []), product, back]
