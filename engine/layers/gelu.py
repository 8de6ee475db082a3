"""Gaussian error linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.layer import choice, register
from engine.layers._activation import Activation, logistic
from engine.layers._erfc import erfc

ROOT, CUBE = math.sqrt(2 / math.pi), 0.044715
#: beyond ±40 Φ and the derivative are 0 or 1 to the last digit of float64; the limit keeps the powers finite
REACH = 40.0


@register
@dataclass(frozen=True)
class GELU(Activation):
    """x · Φ(x) with Φ the normal distribution; ``approximate`` is ``none`` or ``tanh``."""

    kind = "gelu"
    approximate: str = choice("none", "none", "tanh")

    def f(self, x: np.ndarray) -> np.ndarray:
        """Evaluated in float64 and with erfc(−x/√2) for 1 + erf(x/√2), which cancels for large negative x."""
        wide = np.maximum(x.astype(np.float64), -REACH)  # at −∞ the limit 0
        if self.approximate == "tanh":
            near = np.minimum(wide, REACH)
            return (0.5 * wide * (1 + np.tanh(ROOT * (near + CUBE * near**3)))).astype(x.dtype)
        return (0.5 * wide * erfc(-wide / math.sqrt(2))).astype(x.dtype)

    def df(self, x: np.ndarray) -> np.ndarray:
        """Φ(x) + x φ(x); with ``tanh`` s (1 + 2 x u′ (1 − s)), where s = (1 + tanh u) / 2 is σ(2u)."""
        wide = np.clip(x.astype(np.float64), -REACH, REACH)
        if self.approximate == "tanh":
            twice = 2 * ROOT * (wide + CUBE * wide**3)
            return logistic(twice) * (1 + 2 * wide * ROOT * (1 + 3 * CUBE * wide**2) * logistic(-twice))
        return 0.5 * erfc(-wide / math.sqrt(2)) + wide * np.exp(-0.5 * wide**2) / math.sqrt(2 * math.pi)

    def formula(self) -> str:
        """LaTeX."""
        if self.approximate == "tanh":
            return r"y = \tfrac{x}{2}\left(1 + \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)\right)"
        return r"y = \tfrac{x}{2}\left(1 + \mathrm{erf}(x / \sqrt{2})\right)"

    def call(self) -> str:
        """NumPy text."""
        return "gelu(x)" if self.approximate == "none" else "gelu_tanh(x)"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        if self.approximate == "tanh":
            tanh = r"t = \tanh\left(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\right)"
            inner = r"\sqrt{2/\pi}\,(1 + 0.134145\,x^2)"
            return (
                rf"\left(\tfrac{{1 + t}}{{2}} + \tfrac{{x}}{{2}}(1 - t^2)\,{inner}\right),\quad {tanh}",
                "gelu_tanh_slope(x)",
            )
        return r"\left(\Phi(x) + x\,\tfrac{1}{\sqrt{2\pi}}\,e^{-x^2/2}\right)", "(cdf(x) + x * pdf(x))"
