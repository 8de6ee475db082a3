"""Dropout of whole feature maps.

Source: https://arxiv.org/abs/1411.4280; https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.layer import Shape, need_ndim, real, register
from engine.layers._dropout import Drop


@register
@dataclass(frozen=True)
class Dropout2d(Drop):
    """Each map is dropped with probability ``p``."""

    kind = "dropout2d"
    p: float = real(0.5, low=0.0, high=1.0)

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape."""
        need_ndim(xs[0], 4, self.kind)
        return xs[0]

    def mask_shape(self, x: Shape) -> Shape:
        """One cell per map."""
        return (x[0], x[1], 1, 1)
