"""Average pooling: the mean of each window.

Source: https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.layer import Arrays, Context, Pair, Shape, boolean, integer, pair, register
from engine.layers._pool import Pool
from engine.network import Node
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
        y = views[0].copy()
        for view in views[1:]:
            y += view
        out = self.out_shape([x.shape])
        y /= self._divisor(x.shape, np.arange(out[2])[:, None], np.arange(out[3])[None, :]).astype(x.dtype)
        return y, {}

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
