"""The score of a class: x of the target's class, the mean over the samples; what saliency maps are gradients of.

It is no loss to train with: a step of descent makes the score lower. A final softmax is read through, because the
probability of a class rises, too, where the scores of the others fall.

Source: https://arxiv.org/abs/1312.6034 (Deep inside convolutional networks, section 3)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.blocks import make_block, same
from engine.layer import Shape, need_ndim
from engine.loss import Loss, Prediction, Tensors, mean, register, wide
from engine.losses._classes import sample_block, wanted, wanted_block
from engine.steps import Block


@register
@dataclass(frozen=True)
class Score(Loss):
    """Writes ``y`` (one-hot), ``sample``, ``data``."""

    kind = "score"
    takes_classes: ClassVar[bool] = True
    takes_values: ClassVar[bool] = False
    reads_logits: ClassVar[bool] = True

    def check(self, shape: Shape) -> None:
        """One row of scores per sample."""
        need_ndim(shape, 2, self.kind)

    def forward(self, x: np.ndarray, target: np.ndarray, softmax: Tensors | None) -> Tensors:
        """x of the target's class."""
        y = wanted(target, x.shape, 0.0, x.dtype)
        sample = (wide(y) * x).sum(axis=1).astype(x.dtype)
        return {"y": y, "sample": sample, "data": mean(sample, x.dtype)}

    def backward(self, x: np.ndarray, target: np.ndarray, found: Tensors, softmax: Tensors | None) -> np.ndarray:
        """y / N."""
        return (wide(found["y"]) / max(1, len(x))).astype(x.dtype)

    def blocks(self, at: Prediction) -> list[Block]:
        """One-hot, sample, mean."""
        return [
            wanted_block(self, at, 0.0),
            sample_block(self, at, at.tensor, "x_f", at.source, sign=1),
            self.mean_block("sample", at.shape[:1], "l", r"\ell_n"),
        ]

    def backward_block(self, at: Prediction, writes: str) -> Block:
        """1 / N at the target's class, 0 elsewhere."""
        n = max(1, at.shape[0])
        return make_block(
            "loss",
            self.kind,
            writes,
            at.shape,
            [("y", "loss.y", "value", same(at.shape))],
            lambda values, _coords: (values["y"] / n, {}),
            formula=rf"\delta_f = \frac{{1}}{{{n}}}\, y_f" if n > 1 else r"\delta_f = y_f",
            body=[f"dy[@] = y[@] / {n}" if n > 1 else "dy[@] = y[@]"],
        )
