"""Rectified linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class ReLU(Activation):
    """max(x, 0); NaN stays NaN."""

    kind = "relu"

    def f(self, x: np.ndarray) -> np.ndarray:
        """max(x, 0); NaN stays NaN."""
        return np.maximum(x, 0)

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \max(0, x)"

    def call(self) -> str:
        """NumPy text."""
        return "max(x, 0)"
