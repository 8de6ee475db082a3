"""Logistic function.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import register
from engine.layers._activation import Activation, logistic


@register
@dataclass(frozen=True)
class Sigmoid(Activation):
    """1 / (1 + e⁻ˣ), computed from e^−|x| so that nothing overflows."""

    kind = "sigmoid"

    def f(self, x: np.ndarray) -> np.ndarray:
        """1 / (1 + e⁻ˣ), computed from e^−|x| so that nothing overflows."""
        return logistic(x).astype(x.dtype)

    def df(self, x: np.ndarray) -> np.ndarray:
        """σ(x) σ(−x): in 1 − σ(x) all digits would be lost where σ is close to 1."""
        return logistic(x) * logistic(-x)

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \frac{1}{1 + e^{-x}}"

    def call(self) -> str:
        """NumPy text."""
        return "1 / (1 + exp(-x))"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        return r"\sigma(x)\,\underbrace{\sigma(-x)}_{1 - \sigma(x)}", "sigmoid(x) * sigmoid(-x)"
