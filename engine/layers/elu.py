"""Exponential linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.ELU.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import real, register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class ELU(Activation):
    """x where x > 0, else alpha · (eˣ − 1)."""

    kind = "elu"
    alpha: float = real(1.0)

    def f(self, x: np.ndarray) -> np.ndarray:
        """x where x > 0, else alpha · (eˣ − 1)."""
        return np.where(x > 0, x, x.dtype.type(self.alpha) * np.expm1(np.minimum(x, 0)))

    def df(self, x: np.ndarray) -> np.ndarray:
        """1 where x > 0, else alpha · eˣ; at 0 as in PyTorch."""
        return np.where(x > 0, 1.0, self.alpha * np.exp(np.minimum(x.astype(np.float64), 0)))

    def formula(self) -> str:
        """LaTeX."""
        return rf"y = \begin{{cases}} x & x > 0 \\ {self.alpha:g}\,(e^x - 1) & x \le 0 \end{{cases}}"

    def call(self) -> str:
        """NumPy text."""
        return f"x if x > 0 else {self.alpha:g} * expm1(x)"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        a = "" if self.alpha == 1 else f"{self.alpha:g}\\,"
        text = f"(1 if x > 0 else {self.alpha:g} * exp(x))"
        return rf"\begin{{cases}} 1 & x > 0 \\ {a}e^x & x \le 0 \end{{cases}}", text
