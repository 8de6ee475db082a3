"""Sigmoid linear unit, also called swish.

Source: https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import register
from engine.layers._activation import Activation, logistic

#: beyond ±800 σ is 0 or 1 even in float64; the limit keeps ∞ · 0 away
REACH = 800.0


@register
@dataclass(frozen=True)
class SiLU(Activation):
    """x · σ(x)."""

    kind = "silu"

    def f(self, x: np.ndarray) -> np.ndarray:
        """x · σ(x), evaluated in float64; its limit at −∞ is 0."""
        wide = np.maximum(x.astype(np.float64), -REACH)
        return (wide * logistic(wide)).astype(x.dtype)

    def df(self, x: np.ndarray) -> np.ndarray:
        """σ(x) (1 + x σ(−x))."""
        wide = np.clip(x.astype(np.float64), -REACH, REACH)
        return logistic(wide) * (1 + wide * logistic(-wide))

    def formula(self) -> str:
        """LaTeX."""
        return r"y = x \cdot \sigma(x) = \frac{x}{1 + e^{-x}}"

    def call(self) -> str:
        """NumPy text."""
        return "x / (1 + exp(-x))"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        return r"\sigma(x)\,\bigl(1 + x\,\sigma(-x)\bigr)", "sigmoid(x) * (1 + x * sigmoid(-x))"
