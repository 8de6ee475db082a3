"""Dropout of single cells.

Source: https://jmlr.org/papers/v15/srivastava14a.html;
https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.layer import Shape, real, register
from engine.layers._dropout import Drop


@register
@dataclass(frozen=True)
class Dropout(Drop):
    """Each cell is dropped with probability ``p``."""

    kind = "dropout"
    p: float = real(0.5, low=0.0, high=1.0)

    def mask_shape(self, x: Shape) -> Shape:
        """That of the input."""
        return x
