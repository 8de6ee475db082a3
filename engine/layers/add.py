"""Addition of two or more tensors of one shape: where a skip connection joins.

Source: https://arxiv.org/abs/1512.03385 (Deep residual learning)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine import blocks
from engine.errors import ScenarioError
from engine.layer import Arrays, Context, Layer, Shape, register
from engine.layers import _common as common
from engine.network import Grads, Node
from engine.steps import Block, Role

NAMES = "abcdefgh"


@register
@dataclass(frozen=True)
class Add(Layer):
    """xs of one shape → their sum, cell by cell."""

    kind = "add"
    arity: ClassVar[tuple[int, int | None]] = (2, len(NAMES))

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The common shape."""
        for x in xs[1:]:
            if x != xs[0]:
                first, other = ("×".join(map(str, s)) for s in (xs[0], x))
                remedy = "give all inputs the same shape"
                raise ScenarioError(
                    f"add needs inputs of one shape, but gets {first} and {other}; {remedy}",
                    reason="shapes_differ",
                    field="inputs",
                    value=list(x),
                    bound=list(xs[0]),
                    remedy=remedy,
                )
        return xs[0]

    def flops(self, xs: Sequence[Shape]) -> int:
        """One per cell and further input."""
        return (len(xs) - 1) * math.prod(xs[0])

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Left to right."""
        y = xs[0] + xs[1]
        for x in xs[2:]:
            y += x
        return y, {"_inputs": np.array(len(xs))}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Each input gets the same gradient, in an array of its own: who gets it may write into it."""
        return [dy, *(dy.copy(order="K") for _ in range(int(cache["_inputs"]) - 1))], {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``sum`` block with a role per input."""
        names = NAMES[: len(node.inputs)]
        loops = blocks.loops_of(node.shape)
        lines = blocks.nest(loops, node.shape)
        at = blocks.subscript(loops, node.shape)
        lines.append(
            f"{'    ' * len(lines)}out[{at}] = "
            + " + ".join(f"{a}[{at}]" for a in map(blocks.source_name, node.reads))
        )

        def gather(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> dict[str, np.ndarray]:
            return dict.fromkeys(names, blocks.flat_index(coords, node.shape))

        return [
            Block(
                node=node.name,
                kind=node.kind,
                writes=node.out,
                shape=node.shape,
                loops=loops,
                roles=tuple(Role(a, tensor) for a, tensor in zip(names, node.reads, strict=True)),
                gather=gather,
                evaluate=lambda values, _coords: (np.concatenate([values[a] for a in names], axis=1), {}),
                combine="sum",
                term_shape=(("input", len(names)),),
                formula="y = " + " + ".join(names),
                code=tuple(lines),
                active=(len(lines) - 1,),
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """One copy per input."""
        same = blocks.same(node.shape)
        return [
            common.copy_block(
                node, writes, node.shape, grads.out, same, rf"\delta^{{{name}}} = \delta", ["dx[@] = dy[@]"]
            )
            for name, writes in zip(NAMES, grads.xs, strict=False)
        ]
