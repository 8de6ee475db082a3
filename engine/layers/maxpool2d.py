"""Max pooling: the largest cell of each window; padding counts as −∞, the first of equal cells wins.

Source: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.layer import Arrays, Context, Pair, boolean, pair, register
from engine.layers._pool import Pool
from engine.network import Node
from engine.steps import Block


@register
@dataclass(frozen=True)
class MaxPool2d(Pool):
    """x [N, C, H, W] → y [N, C, H', W']; ``stride`` defaults to ``kernel_size``."""

    kind = "maxpool2d"
    kernel_size: Pair = pair()
    stride: Pair | None = pair(None, optional=True)
    padding: Pair = pair((0, 0), low=0)
    ceil_mode: bool = boolean(False)

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Pairwise maxima over the kernel's offsets; NaN wins, as in PyTorch."""
        (x,) = xs
        views = self.views(x, -np.inf)
        y = views[0].copy()
        for view in views[1:]:
            np.maximum(y, view, out=y)
        return y, {}

    def blocks(self, node: Node) -> list[Block]:
        """One block; ``extra.argmax`` is the winning term."""

        def evaluate(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return values["x"], {"argmax": np.argmax(values["x"], axis=1).astype(np.float64)}

        return [
            self.block(
                node,
                evaluate,
                "max",
                r"y_{c,y,x} = \max_{k_y,k_x} x_{c,\,%s,\,%s}" % self.indices(),
                "max",
                extra=("argmax",),
                outside=-np.inf,
            )
        ]
