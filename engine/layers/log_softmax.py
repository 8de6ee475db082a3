"""Logarithm of softmax over the features (dimension 1).

Source: https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.blocks import along, make_block, same, source_name
from engine.layer import Arrays, Context, Layer, Shape, need_ndim, register
from engine.layers.softmax import Softmax
from engine.network import Grads, Node
from engine.steps import Block


@register
@dataclass(frozen=True)
class LogSoftmax(Layer):
    """x [N, F] → y [N, F] = x − max − log Σ e^(x − max); writes ``max exp sum out``."""

    kind = "log_softmax"

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape."""
        need_ndim(xs[0], 2, self.kind)
        return xs[0]

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``max``, ``exp``, ``sum``."""
        return Softmax().inner_shapes(xs, mode)

    def flops(self, xs: Sequence[Shape]) -> int:
        """Maximum, exponential, sum and difference: four per cell."""
        return 4 * xs[0][0] * xs[0][1]

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """From the maximum and the sum as they are stored."""
        _, cache = Softmax().forward(params, xs, ctx)
        wide = xs[0].astype(np.float64, copy=False)
        y = (wide - cache["max"] - np.log(cache["sum"].astype(np.float64))).astype(xs[0].dtype)
        return y, {key: cache[key] for key in ("max", "exp", "sum")} | {"_y": y}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """δ − eʸ·Σδ."""
        wide = dy.astype(np.float64, copy=False)
        cache["grad_sum"] = total = wide.sum(axis=1, keepdims=True).astype(dy.dtype)
        return [(wide - np.exp(cache["_y"].astype(np.float64)) * total).astype(dy.dtype)], {}

    def blocks(self, node: Node) -> list[Block]:
        """``max``, ``exp``, ``sum`` as in softmax, then ``out``."""
        first = [replace(block, kind=self.kind) for block in Softmax().blocks(node)[:3]]
        row = "[{n}]" if node.shape[0] > 1 else ""

        def evaluate(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return np.concatenate([values["x"], -values["m"], -np.log(values["s"])], axis=1), {}

        out = make_block(
            node.name,
            node.kind,
            node.out,
            node.shape,
            [
                ("x", node.reads[0], "value", same(node.shape)),
                ("m", f"{node.name}.max", "value", along(0)),
                ("s", f"{node.name}.sum", "value", along(0)),
            ],
            evaluate,
            phase="forward",
            combine="sum",
            terms=(("part", 3),),
            formula=r"y_f = x_f - m - \log s",
            body=[f"out[@] = {source_name(node.reads[0])}[@] - m{row} - log(s{row})"],
        )
        return [*first, out]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """``grad_sum``: Σδ; then δ − eʸ·grad_sum."""
        n, f = node.shape
        row = "[{n}]" if n > 1 else ""
        total = f"{node.name}.grad_sum"

        def spread(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return np.concatenate([values["d"], -np.exp(values["y"]) * values["g"]], axis=1), {}

        return [
            make_block(
                node.name,
                node.kind,
                total,
                (n, 1),
                [("d", grads.out, "grad", lambda coords, terms: coords[0] * f + terms)],
                lambda values, _coords: (values["d"], {}),
                combine="sum",
                terms=(("j", f),),
                loops=("n", "i0"),
                formula=r"g = \sum_j \delta_j",
                body=[f"g{row} = dy{row}.sum()"],
            ),
            make_block(
                node.name,
                node.kind,
                grads.xs[0],
                node.shape,
                [
                    ("d", grads.out, "grad", same(node.shape)),
                    ("y", node.out, "value", same(node.shape)),
                    ("g", total, "grad", along(0)),
                ],
                spread,
                combine="sum",
                terms=(("part", 2),),
                formula=r"\delta^x_f = \delta_f - e^{y_f}\, g",
                body=[f"dx[@] = dy[@] - exp(out[@]) * g{row}"],
            ),
        ]
