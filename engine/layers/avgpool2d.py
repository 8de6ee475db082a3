"""Average pooling: the mean of each window.

Source: https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import blocks
from engine.layer import Arrays, Context, Pair, Shape, boolean, integer, pair, register
from engine.layers._pool import Pool
from engine.network import Grads, Node
from engine.steps import Block


@register
@dataclass(frozen=True)
class AvgPool2d(Pool):
    """x [N, C, H, W] → y [N, C, H', W']; the divisor counts padding cells when ``count_include_pad``."""

    kind = "avgpool2d"
    kernel_size: Pair = pair()
    stride: Pair | None = pair(None, optional=True)
    padding: Pair = pair((0, 0), low=0)
    ceil_mode: bool = boolean(False)
    count_include_pad: bool = boolean(True)
    divisor_override: int | None = integer(None)

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Sum over the kernel's offsets, divided cell by cell."""
        (x,) = xs
        views = self.views(x, 0.0)
        y = views[0].copy(order="K")
        for view in views[1:]:
            y += view
        y /= self._divisors(x.shape, y.shape).astype(x.dtype)
        return y, {"_x": x}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Each window shares its δ out evenly; where windows overlap the shares add up."""
        if not ctx.dx:
            return [], {}
        x = cache["_x"].shape
        share = dy / self._divisors(x, dy.shape).astype(dy.dtype)
        dx, targets = self.targets(dy, x)
        for target in targets:
            target += share
        return [dx], {}

    def _divisors(self, x: Shape, out: Shape) -> np.ndarray:
        return self._divisor(x, np.arange(out[2])[:, None], np.arange(out[3])[None, :])

    def _divisor(self, x: Shape, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        if self.divisor_override is not None:
            return np.full(np.broadcast_shapes(row.shape, col.shape), float(self.divisor_override))
        counts = []
        for i, at in enumerate((row, col)):
            low = at * self.strides[i] - self.padding[i]
            high = np.minimum(low + self.kernel_size[i], x[2 + i] + self.padding[i])
            if not self.count_include_pad:
                low, high = np.maximum(low, 0), np.minimum(high, x[2 + i])
            counts.append(high - low)
        return (counts[0] * counts[1]).astype(np.float64)

    def blocks(self, node: Node) -> list[Block]:
        """One block; each term is a cell divided by ``extra.divisor``."""
        (x,) = node.in_shapes

        def evaluate(
            values: dict[str, np.ndarray], coords: tuple[np.ndarray, ...]
        ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            divisor = self._divisor(x, coords[2], coords[3])
            return values["x"] / divisor, {"divisor": divisor[:, 0]}

        formula = r"y_{c,y,x} = \frac{1}{n} \sum_{k_y,k_x} x_{c,\,%s,\,%s}" % self.indices()
        return [self.block(node, evaluate, "sum", formula, "mean", extra=("divisor",))]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """One block: δ / n of each window that covers the cell; ``factor.share`` is 1 / n."""
        (x,) = node.in_shapes
        high, wide = self.spans(node.shape)

        def evaluate(
            values: dict[str, np.ndarray], coords: tuple[np.ndarray, ...]
        ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            row, col, met = self.covering(node.shape, coords, np.arange(high * wide))
            divisor = np.where(met, self._divisor(x, row, col), np.inf)
            return values["d"] / divisor, {"delta": values["d"], "share": 1 / divisor}

        return [
            self.backward_block(
                node,
                grads,
                [],
                evaluate,
                r"\delta^x_{c,y,x} = \sum_{(i,j) \ni (y,x)} \frac{1}{n_{i,j}}\, \delta_{c,i,j}",
                [
                    f"# windows (i, j) of {blocks.source_name(node.reads[0])} over this cell, of n[i, j] cells each",
                    "dx[@] = sum(dy[%s{c}, i, j] / n[i, j] for i, j in over({y}, {x}))"
                    % ("" if x[0] == 1 else "{n}, "),
                ],
                factors=("delta", "share"),
            )
        ]
