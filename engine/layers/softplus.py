"""Softplus: a smooth relative of ReLU.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Softplus.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import real, register
from engine.layers._activation import Activation, logistic


@register
@dataclass(frozen=True)
class Softplus(Activation):
    """log(1 + e^(βx)) / β, and x itself where βx > threshold."""

    kind = "softplus"
    beta: float = real(1.0, low=1e-3, high=1e3)
    threshold: float = real(20.0)

    def f(self, x: np.ndarray) -> np.ndarray:
        """max(βx, 0) + log(1 + e^−|βx|), over β: the same number without an exponential that overflows."""
        z = self._scaled(x)
        curve = (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / self.beta
        return np.where(z > self.threshold, x, curve).astype(x.dtype)

    def df(self, x: np.ndarray) -> np.ndarray:
        """σ(βx), and 1 where βx > threshold."""
        z = self._scaled(x)
        return np.where(z > self.threshold, 1.0, logistic(z))

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # ∞ is as good as any βx beyond the largest float64
            return x.astype(np.float64) * self.beta

    def formula(self) -> str:
        """LaTeX."""
        curve = rf"\tfrac{{1}}{{{self.beta:g}}} \log\left(1 + e^{{{self._z()}}}\right)"
        if self.beta == 1:
            curve = r"\log\left(1 + e^x\right)"
        return rf"y = {self._cases('x', curve)}"

    def call(self) -> str:
        """NumPy text."""
        if self.beta == 1:
            return f"x if x > {self.threshold:g} else log1p(exp(x))"
        return f"x if {self.beta:g} * x > {self.threshold:g} else log1p(exp({self.beta:g} * x)) / {self.beta:g}"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        z = "x" if self.beta == 1 else f"{self.beta:g} * x"
        return self._cases("1", rf"\sigma({self._z()})"), f"(1 if {z} > {self.threshold:g} else sigmoid({z}))"

    def _z(self) -> str:
        return "x" if self.beta == 1 else rf"{self.beta:g}\,x"

    def _cases(self, beyond: str, below: str) -> str:
        z = self._z()
        return (
            rf"\begin{{cases}} {beyond} & {z} > {self.threshold:g} \\ "
            rf"{below} & {z} \le {self.threshold:g} \end{{cases}}"
        )
