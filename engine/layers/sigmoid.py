"""Logistic function.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class Sigmoid(Activation):
    """1 / (1 + e⁻ˣ), computed from e^−|x| so that nothing overflows."""

    kind = "sigmoid"

    def f(self, x: np.ndarray) -> np.ndarray:
        """1 / (1 + e⁻ˣ), computed from e^−|x| so that nothing overflows."""
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, small) / (1 + small)

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \frac{1}{1 + e^{-x}}"

    def call(self) -> str:
        """NumPy text."""
        return "1 / (1 + exp(-x))"
