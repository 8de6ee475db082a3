"""Hyperbolic tangent.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class Tanh(Activation):
    """tanh x."""

    kind = "tanh"

    def f(self, x: np.ndarray) -> np.ndarray:
        """tanh x."""
        return np.tanh(x)

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \tanh x"

    def call(self) -> str:
        """NumPy text."""
        return "tanh(x)"
