"""x − t, where the losses of values begin."""

from __future__ import annotations

import numpy as np

from engine.blocks import same
from engine.loss import Loss, Prediction, wide
from engine.steps import Block


def difference(x: np.ndarray, target: np.ndarray) -> np.ndarray:
    """x − t."""
    return (wide(x) - wide(target)).astype(x.dtype)


def diff_block(loss: Loss, at: Prediction) -> Block:
    """``loss.diff`` = x − t."""
    return loss.part(
        "diff",
        at.shape,
        [("x", at.tensor, "value", same(at.shape)), ("t", "target", "value", same(at.shape))],
        lambda values, _coords: (np.concatenate([values["x"], -values["t"]], axis=1), {}),
        combine="sum",
        terms=(("part", 2),),
        formula="e = x - t",
        body=[f"diff[@] = {at.source}[@] - target[@]"],
    )
