"""Max pooling: the largest cell of each window; padding counts as −∞, the first of equal cells wins.

Source: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import blocks
from engine.kernels import pool
from engine.kernels.work import FRESH
from engine.layer import Arrays, Context, Pair, Shape, boolean, pair, register
from engine.layers._pool import Pool
from engine.network import Grads, Node
from engine.steps import Block


@register
@dataclass(frozen=True)
class MaxPool2d(Pool):
    """x [N, C, H, W] → y [N, C, H', W']; ``stride`` defaults to ``kernel_size``."""

    kind = "maxpool2d"
    kernel_size: Pair = pair()
    stride: Pair | None = pair(None, optional=True)
    padding: Pair = pair((0, 0), low=0)
    ceil_mode: bool = boolean(False)

    @property
    def in_pairs(self) -> bool:
        """True for 2×2 windows that touch and leave the padding alone."""
        touch = self.kernel_size == self.strides == (2, 2)
        return touch and self.padding == (0, 0) and not self.ceil_mode

    def forward(self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context) -> tuple[np.ndarray, dict[str, Any]]:
        """Pairwise maxima over the kernel's offsets; NaN wins, as in PyTorch."""
        (x,) = xs
        if self.in_pairs:
            y, pairs = pool.forward(x, ctx.work or FRESH, ctx.name)
            return y, {"_x": x, "_y": y, "_pairs": pairs}
        views = self.views(x, -np.inf)
        y = views[0].copy(order="K")
        for view in views[1:]:
            np.maximum(y, view, out=y)
        return y, {"_x": x, "_y": y}

    def backward(
        self, params: Arrays, cache: dict[str, Any], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Each δ goes to the first maximum of its window; where windows overlap they add up."""
        if not ctx.dx:
            return [], {}
        x, y = cache["_x"], cache["_y"]
        finite, plain = bool(np.isfinite(dy.sum())), bool(np.isfinite(y.sum()))
        if "_pairs" in cache and finite and plain:
            return [pool.backward(cache["_pairs"], dy, ctx.work or FRESH, ctx.name)], {}
        dx, targets = self.targets(dy, x.shape)
        open_ = np.ones_like(y, bool)  # windows whose winner has not been met yet
        nan = not plain and bool(np.isnan(y).any())
        # where all cells are −∞ padding must not win
        inside = None if plain else self.views(np.ones_like(x, bool), False)
        for i, (view, target) in enumerate(zip(self.views(x, -np.inf), targets, strict=True)):
            won = view == y
            if nan:
                won |= np.isnan(view)
            if inside is not None:
                won &= inside[i]
            won &= open_
            open_ ^= won
            if finite:  # a product with the mask takes a tenth of the time of a choice by it
                target += dy * won
            else:
                np.add(target, dy, out=target, where=won)
        return [dx], {}

    def blocks(self, node: Node) -> list[Block]:
        """One block; ``extra.argmax`` is the winning term."""

        def evaluate(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return values["x"], {"argmax": np.argmax(values["x"], axis=1).astype(np.float64)}

        return [
            self.block(
                node,
                evaluate,
                "max",
                r"y_{c,y,x} = \max_{k_y,k_x} x_{c,\,%s,\,%s}" % self.indices(),
                "max",
                extra=("argmax",),
                outside=-np.inf,
            )
        ]

    def first_inside(self, x: Shape, row: np.ndarray, col: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """The winners [k, m] of the windows (row, col), whose ``cells`` are [k, m, k_h · k_w]: padding never wins."""
        kh, kw = self.kernel_size
        offset = np.arange(kh * kw)
        down = row[..., None] * self.strides[0] - self.padding[0] + offset // kw
        across = col[..., None] * self.strides[1] - self.padding[1] + offset % kw
        inside = (down >= 0) & (down < x[2]) & (across >= 0) & (across < x[3])
        return np.argmax(np.where(inside, np.maximum(cells, -np.finfo(np.float64).max), -np.inf), axis=2)

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """One block: δ of each window that covers the cell, where this cell is the window's first maximum.

        ``factor.won`` is 1 for the windows that the cell won, ``extra.wins`` how many they are.
        """
        (x,), (kh, kw) = node.in_shapes, self.kernel_size
        high, wide = self.spans(node.shape)

        def evaluate(
            values: dict[str, np.ndarray], coords: tuple[np.ndarray, ...]
        ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            delta = values["d"]
            row, col, met = self.covering(node.shape, coords, np.arange(high * wide))
            own_row = coords[2] + self.padding[0] - row * self.strides[0]
            own_col = coords[3] + self.padding[1] - col * self.strides[1]
            cells = values["x"].reshape(*met.shape, kh * kw)
            winner = np.argmax(cells, axis=2)
            if np.isneginf(np.take_along_axis(cells, winner[..., None], axis=2)).any():
                winner = self.first_inside(x, row, col, cells)
            won = met & (winner == own_row * kw + own_col)
            terms = np.where(won, delta, 0.0)  # not δ · won: an infinite δ stays with the winner
            return terms, {"delta": delta, "won": won.astype(np.float64), "wins": won.sum(axis=1).astype(np.float64)}

        source = blocks.source_name(node.reads[0])
        return [
            self.backward_block(
                node,
                grads,
                [("x", node.reads[0], "value", self.window_cells(x, node.shape))],
                evaluate,
                r"\delta^x_{c,y,x} = \sum_{i,j} \delta_{c,i,j} \cdot "
                r"\big[\,(y,x) = \operatorname{arg\,max}_{k_y,k_x} x_{c,\,%s,\,%s}\,\big]" % self.indices("i", "j"),
                [
                    f"# windows (i, j) of {source} over this cell; the first maximum of a window takes its dy",
                    "dx[@] = sum(dy[%s{c}, i, j] for i, j in over({y}, {x}) if winner(i, j) == ({y}, {x}))"
                    % ("" if x[0] == 1 else "{n}, "),
                ],
                outside=-np.inf,
                extra=("wins",),
                factors=("delta", "won"),
            )
        ]
