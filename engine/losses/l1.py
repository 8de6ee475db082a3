"""Mean absolute error: the mean of |x − t| over all cells.

Source: https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html
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
class L1(Loss):
    """Writes ``diff``, ``abs``, ``data``; the derivative at 0 is 0, as in PyTorch."""

    kind = "l1"

    def forward(self, x: np.ndarray, target: np.ndarray, softmax: Tensors | None) -> Tensors:
        """Difference, absolute value, mean."""
        diff = difference(x, target)
        size = np.abs(diff)
        return {"diff": diff, "abs": size, "data": mean(size, x.dtype)}

    def backward(self, x: np.ndarray, target: np.ndarray, found: Tensors, softmax: Tensors | None) -> np.ndarray:
        """sign(x − t) / M."""
        return (np.sign(wide(found["diff"])) / max(1, x.size)).astype(x.dtype)

    def blocks(self, at: Prediction) -> list[Block]:
        """Difference, absolute value, mean."""
        size = self.part(
            "abs",
            at.shape,
            [("e", "loss.diff", "value", same(at.shape))],
            lambda values, _coords: (np.abs(values["e"]), {}),
            formula=r"a = |e|",
            body=["size[@] = abs(diff[@])"],
        )
        return [diff_block(self, at), size, self.mean_block("abs", at.shape, "a")]

    def backward_block(self, at: Prediction, writes: str) -> Block:
        """The sign of the difference, over the number of cells."""
        cells = max(1, at.cells)
        return make_block(
            "loss",
            self.kind,
            writes,
            at.shape,
            [("e", "loss.diff", "value", same(at.shape))],
            lambda values, _coords: (np.sign(values["e"]) / cells, {}),
            formula=rf"\delta = \frac{{1}}{{{cells}}}\, \mathrm{{sign}}(e)",
            body=[f"dy[@] = sign(diff[@]) / {cells}"],
        )
