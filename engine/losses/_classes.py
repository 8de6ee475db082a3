"""What the losses of classes share: the wanted distribution, and the loss of one sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.layer import Shape
from engine.loss import Loss, Prediction, Tensors, target_cell, wide
from engine.steps import Block


def wanted(target: np.ndarray, shape: Shape, smoothing: float, dtype: np.dtype) -> np.ndarray:
    """Wanted probabilities [N, classes] from class indices [N] or probabilities; smoothing spreads a part evenly."""
    y = wide(target) if target.ndim == 2 else (np.arange(shape[1]) == target[:, None]).astype(np.float64)
    return ((1 - smoothing) * y + smoothing / shape[1]).astype(dtype) if smoothing else y.astype(dtype)


def wanted_block(loss: Loss, at: Prediction, smoothing: float) -> Block:
    """``loss.y``: 1 for the class of the sample and 0 for all others, or the given probability; then smoothed."""
    classes = at.shape[1]

    def evaluate(values: Tensors, coords: Any) -> tuple[np.ndarray, Tensors]:
        y = (values["t"] == coords[1]).astype(np.float64) if at.classes else values["t"]
        return ((1 - smoothing) * y + smoothing / classes if smoothing else y), {}

    plain, code = (r"[t_n = f]", "(target[{n}] == {f})") if at.classes else ("t_{n,f}", "target[@]")
    if at.classes and at.shape[0] == 1:
        code = "(target == {f})"
    return loss.part(
        "y",
        at.shape,
        [("t", "target", "value", target_cell(at))],
        evaluate,
        formula=rf"y_{{n,f}} = {1 - smoothing:g}\,{plain} + \frac{{{smoothing:g}}}{{{classes}}}"
        if smoothing
        else rf"y_{{n,f}} = {plain}",
        body=[f"y[@] = {1 - smoothing:g} * {code} + {smoothing:g} / {classes}" if smoothing else f"y[@] = {code}"],
    )


def sample_block(loss: Loss, at: Prediction, log_p: str, symbol: str, name: str, sign: int = -1) -> Block:
    """``loss.sample`` [N]: −Σ y·log p, or with ``sign`` 1 the sum itself."""
    n, classes = at.shape
    minus = "-" if sign < 0 else ""

    def row(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
        return coords[0] * classes + terms

    index = "[{n}]" if n > 1 else ""
    return loss.part(
        "sample",
        (n,),
        [("y", "loss.y", "value", row), ("l", log_p, "value", row)],
        lambda values, _coords: (sign * values["y"] * values["l"], {}),
        loops=("n",),
        combine="sum",
        terms=(("f", classes),),
        formula=rf"\ell_n = {minus}\sum_f y_f\, {symbol}",
        body=[f"sample{index} = {minus}(y{index} * {name}{index}).sum()"],
    )
