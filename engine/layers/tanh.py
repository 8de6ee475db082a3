"""Hyperbolic tangent.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import register
from engine.layers._activation import Activation, logistic

#: beyond ±400 the derivative is 0 even in float64; the limit keeps 2x from overflowing
REACH = 400.0


@register
@dataclass(frozen=True)
class Tanh(Activation):
    """tanh x."""

    kind = "tanh"

    def f(self, x: np.ndarray) -> np.ndarray:
        """tanh x."""
        return np.tanh(x)

    def df(self, x: np.ndarray) -> np.ndarray:
        """1 − tanh² x as 4 σ(2x) σ(−2x), which keeps its digits where tanh is close to ±1."""
        twice = np.clip(x.astype(np.float64, copy=False), -REACH, REACH) * 2
        return 4 * logistic(twice) * logistic(-twice)

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \tanh x"

    def call(self) -> str:
        """NumPy text."""
        return "tanh(x)"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        return r"(1 - \tanh^2 x)", "(1 - tanh(x) ** 2)"
