"""Leaky rectified linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import real, register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """x where x > 0, else negative_slope · x."""

    kind = "leaky_relu"
    negative_slope: float = real(0.01)

    def f(self, x: np.ndarray) -> np.ndarray:
        """x where x > 0, else negative_slope · x."""
        return np.where(x > 0, x, x * x.dtype.type(self.negative_slope))

    def df(self, x: np.ndarray) -> np.ndarray:
        """1 where x > 0, else negative_slope; at 0 as in PyTorch."""
        return np.where(x > 0, 1.0, np.where(x <= 0, self.negative_slope, np.nan))

    def formula(self) -> str:
        """LaTeX."""
        return rf"y = \begin{{cases}} x & x > 0 \\ {self.negative_slope:g}\,x & x \le 0 \end{{cases}}"

    def call(self) -> str:
        """NumPy text."""
        return f"x if x > 0 else {self.negative_slope:g} * x"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        latex = rf"\begin{{cases}} 1 & x > 0 \\ {self.negative_slope:g} & x \le 0 \end{{cases}}"
        return latex, f"(1 if x > 0 else {self.negative_slope:g})"
