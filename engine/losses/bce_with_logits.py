"""Binary cross-entropy from logits: the mean of max(x, 0) − x·t + log(1 + e^−|x|), which never overflows.

Source: https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.blocks import make_block, same
from engine.loss import Loss, Prediction, Tensors, mean, register, wide
from engine.steps import Block


@register
@dataclass(frozen=True)
class BCEWithLogits(Loss):
    """Writes ``cell`` and ``data``; targets are probabilities, one per cell."""

    kind = "bce_with_logits"

    def forward(self, x: np.ndarray, target: np.ndarray, softmax: Tensors | None) -> Tensors:
        """Each cell's cross-entropy, then the mean."""
        cell = sum(_terms(wide(x), wide(target))).astype(x.dtype)  # type: ignore[union-attr]
        return {"cell": cell, "data": mean(cell, x.dtype)}

    def backward(self, x: np.ndarray, target: np.ndarray, found: Tensors, softmax: Tensors | None) -> np.ndarray:
        """(σ(x) − t) / M."""
        return ((_sigmoid(wide(x)) - wide(target)) / max(1, x.size)).astype(x.dtype)

    def blocks(self, at: Prediction) -> list[Block]:
        """Each cell's cross-entropy, then the mean."""
        cell = self.part(
            "cell",
            at.shape,
            [("x", at.tensor, "value", same(at.shape)), ("t", "target", "value", same(at.shape))],
            lambda values, _coords: (np.concatenate(_terms(values["x"], values["t"]), axis=1), {}),
            combine="sum",
            terms=(("part", 3),),
            formula=r"\ell = \max(x, 0) - x\,t + \log(1 + e^{-|x|})",
            body=[f"x, t = {at.source}[@], target[@]", "cell[@] = max(x, 0) - x * t + log1p(exp(-abs(x)))"],
        )
        return [cell, self.mean_block("cell", at.shape, "l", r"\ell")]

    def backward_block(self, at: Prediction, writes: str) -> Block:
        """σ(x) − t over the number of cells; ``extra.sigmoid`` is σ(x)."""
        cells = max(1, at.cells)

        def evaluate(values: Tensors, _coords: object) -> tuple[np.ndarray, Tensors]:
            sigmoid = _sigmoid(values["x"])
            return (sigmoid - values["t"]) / cells, {"sigmoid": sigmoid[:, 0]}

        return make_block(
            "loss",
            self.kind,
            writes,
            at.shape,
            [("x", at.tensor, "value", same(at.shape)), ("t", "target", "value", same(at.shape))],
            evaluate,
            extra=("sigmoid",),
            formula=rf"\delta = \frac{{1}}{{{cells}}}\,(\sigma(x) - t)",
            body=[f"dy[@] = (sigmoid({at.source}[@]) - target[@]) / {cells}"],
        )


def _terms(x: np.ndarray, t: np.ndarray) -> list[np.ndarray]:
    return [np.maximum(x, 0), -x * t, np.log1p(np.exp(-np.abs(x)))]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)
