"""Mean squared error: the mean of (x − t)² over all cells.

Source: https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.blocks import make_block, same
from engine.loss import Loss, Prediction, Tensors, mean, register, wide
from engine.losses._difference import diff_block, difference
from engine.steps import Block


@register
@dataclass(frozen=True)
class MSE(Loss):
    """Writes ``diff``, ``square``, ``data``."""

    kind = "mse"

    def forward(self, x: np.ndarray, target: np.ndarray, softmax: Tensors | None) -> Tensors:
        """Difference, square, mean."""
        diff = difference(x, target)
        square = np.square(wide(diff)).astype(x.dtype)
        return {"diff": diff, "square": square, "data": mean(square, x.dtype)}

    def backward(self, x: np.ndarray, target: np.ndarray, found: Tensors, softmax: Tensors | None) -> np.ndarray:
        """2 (x − t) / M."""
        return (wide(found["diff"]) * (2 / max(1, x.size))).astype(x.dtype)

    def blocks(self, at: Prediction) -> list[Block]:
        """Difference, square, mean."""
        square = self.part(
            "square",
            at.shape,
            [("e", "loss.diff", "value", same(at.shape))],
            lambda values, _coords: (values["e"] ** 2, {}),
            formula=r"s = e^2",
            body=["square[@] = diff[@] ** 2"],
        )
        return [diff_block(self, at), square, self.mean_block("square", at.shape, "s")]

    def backward_block(self, at: Prediction, writes: str) -> Block:
        """2/M times the difference."""
        cells = max(1, at.cells)
        return make_block(
            "loss",
            self.kind,
            writes,
            at.shape,
            [("e", "loss.diff", "value", same(at.shape))],
            lambda values, _coords: (values["e"] * (2 / cells), {}),
            formula=rf"\delta = \frac{{2}}{{{cells}}}\, e",
            body=[f"dy[@] = 2 / {cells} * diff[@]"],
        )
