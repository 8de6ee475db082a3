"""The element-wise layers: out = f(x), cell by cell."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from engine.layer import Arrays, Context, Layer, Shape
from engine.layers import _common as common
from engine.network import Node
from engine.steps import Block


class Activation(Layer):
    """An element-wise function; a subclass gives the function, its formula and its NumPy text."""

    @abstractmethod
    def f(self, x: np.ndarray) -> np.ndarray:
        """The function, in the dtype of ``x``."""

    @abstractmethod
    def formula(self) -> str:
        """LaTeX with the hyper-parameters' numbers."""

    @abstractmethod
    def call(self) -> str:
        """NumPy text; its first ``x`` stands for the cell."""

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape."""
        return xs[0]

    def flops(self, xs: Sequence[Shape]) -> int:
        """Counted as one per cell, whatever the function costs."""
        return math.prod(xs[0])

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """f of every cell."""
        return self.f(xs[0]), {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``map`` block."""
        return [common.map_block(node, self.f, self.formula(), self.call())]
