"""Rectified linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import Arrays, Context, register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class ReLU(Activation):
    """max(x, 0); NaN stays NaN. Its derivative at 0 is 0, as in PyTorch."""

    kind = "relu"

    def f(self, x: np.ndarray) -> np.ndarray:
        """max(x, 0); NaN stays NaN."""
        return np.maximum(x, 0)

    def df(self, x: np.ndarray) -> np.ndarray:
        """1 where x > 0."""
        return (x > 0).astype(np.float64)

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """dy where x > 0: multiplying by a mask takes a tenth of the time of choosing by it."""
        return [dy * (cache["_x"] > 0)], {}

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \max(0, x)"

    def call(self) -> str:
        """NumPy text."""
        return "max(x, 0)"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        return r"[x > 0]", "(x > 0)"
