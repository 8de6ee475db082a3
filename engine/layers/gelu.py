"""Gaussian error linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.layer import choice, register
from engine.layers._activation import Activation
from engine.layers._erfc import erfc


@register
@dataclass(frozen=True)
class GELU(Activation):
    """x · Φ(x) with Φ the normal distribution; ``approximate`` is ``none`` or ``tanh``."""

    kind = "gelu"
    approximate: str = choice("none", "none", "tanh")

    def f(self, x: np.ndarray) -> np.ndarray:
        """Evaluated in float64 and with erfc(−x/√2) for 1 + erf(x/√2), which cancels for large negative x."""
        wide = x.astype(np.float64)
        if self.approximate == "tanh":
            inner = math.sqrt(2 / math.pi) * (wide + 0.044715 * wide**3)
            return (0.5 * wide * (1 + np.tanh(inner))).astype(x.dtype)
        return (0.5 * wide * erfc(-wide / math.sqrt(2))).astype(x.dtype)

    def formula(self) -> str:
        """LaTeX."""
        if self.approximate == "tanh":
            return r"y = \tfrac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)"
        return r"y = \tfrac{x}{2}\left(1 + \mathrm{erf}(x / \sqrt{2})\right)"

    def call(self) -> str:
        """NumPy text."""
        return "gelu(x)" if self.approximate == "none" else "gelu_tanh(x)"
