"""Rectified linear unit.

Source: https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.kernels.parallel import CELLS, halves
from engine.kernels.work import FRESH
from engine.layer import Arrays, Context, register
from engine.layers._activation import Activation


@register
@dataclass(frozen=True)
class ReLU(Activation):
    """max(x, 0); NaN stays NaN. Its derivative at 0 is 0, as in PyTorch."""

    kind = "relu"

    def f(self, x: np.ndarray) -> np.ndarray:
        """max(x, 0); NaN stays NaN."""
        return np.maximum(x, 0)

    def df(self, x: np.ndarray) -> np.ndarray:
        """1 where x > 0."""
        return (x > 0).astype(np.float64)

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """max(x, 0) of every cell."""
        (x,) = xs
        if x.size <= CELLS and ctx.work is None:
            return np.maximum(x, 0), {"_x": x}
        y = (ctx.work or FRESH).result_like((ctx.name, "y"), x)
        source, into = _rows_first(x), _rows_first(y)

        def run(some: slice) -> None:
            np.maximum(source[some], 0, out=into[some])

        halves(len(source), x.size > CELLS, run)
        return y, {"_x": x}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """dy where x > 0: multiplying by a mask takes a tenth of the time of choosing by it."""
        x = cache["_x"]
        dx = dy if ctx.own else (ctx.work or FRESH).result_like((ctx.name, "dx"), x)
        source, delta, into = _rows_first(x), _rows_first(dy), _rows_first(dx)

        def run(some: slice) -> None:
            np.multiply(delta[some], source[some] > 0, out=into[some])

        halves(len(source), x.size > CELLS, run)
        return [dx], {}

    def formula(self) -> str:
        """LaTeX."""
        return r"y = \max(0, x)"

    def call(self) -> str:
        """NumPy text."""
        return "max(x, 0)"

    def slope(self) -> tuple[str, str]:
        """LaTeX and NumPy text."""
        return r"[x > 0]", "(x > 0)"


def _rows_first(x: np.ndarray) -> np.ndarray:
    """The array with its rows first, along which halves are cut; vectors stay as they are."""
    return x.swapaxes(0, 2) if x.ndim == 4 else x
