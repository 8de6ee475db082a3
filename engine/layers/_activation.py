"""The element-wise layers: out = f(x), cell by cell, and dx = dy · f′(x)."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from engine.blocks import make_block, same
from engine.layer import Arrays, Context, Layer, Shape
from engine.layers import _common as common
from engine.network import Grads, Node
from engine.steps import Block


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ˣ) in float64, from e^−|x| so that nothing overflows; NaN stays NaN."""
    small = np.exp(-np.abs(x.astype(np.float64, copy=False)))
    return np.where(x >= 0, 1, small) / (1 + small)


class Activation(Layer):
    """An element-wise function; a subclass gives function and derivative with their formulas and NumPy texts."""

    @abstractmethod
    def f(self, x: np.ndarray) -> np.ndarray:
        """The function, in the dtype of ``x``."""

    @abstractmethod
    def df(self, x: np.ndarray) -> np.ndarray:
        """The derivative, in float64 whatever the dtype of ``x``."""

    @abstractmethod
    def formula(self) -> str:
        """LaTeX with the hyper-parameters' numbers."""

    @abstractmethod
    def call(self) -> str:
        """NumPy text; its first ``x`` stands for the cell."""

    @abstractmethod
    def slope(self) -> tuple[str, str]:
        """The derivative as LaTeX and as NumPy text, both of ``x``."""

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
        return self.f(xs[0]), {"_x": xs[0]}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """dy · f′(x), with f′ in float64: a rounded 1 − tanh² would have lost its digits where tanh saturates."""
        return [(dy * self.df(cache["_x"])).astype(dy.dtype)], {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``map`` block."""
        return [common.map_block(node, self.f, self.formula(), self.call())]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """One ``map`` block; ``extra.slope`` is f′(x)."""
        latex, text = self.slope()
        source, upstream = common.cell_of(node.reads[0]), common.cell_of(grads.out)

        def evaluate(values: dict[str, np.ndarray], _coords: object) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            slope = self.df(values["x"])
            return values["d"] * slope, {"slope": slope[:, 0]}

        return [
            make_block(
                node.name,
                node.kind,
                grads.xs[0],
                node.shape,
                [("d", grads.out, "grad", same(node.shape)), ("x", node.reads[0], "value", same(node.shape))],
                evaluate,
                formula=rf"\delta^{{x}} = \delta^{{y}} \cdot {latex}",
                body=[f"dx[@] = {upstream} * {common.at_cell(text, source)}"],
                extra=("slope",),
            )
        ]
