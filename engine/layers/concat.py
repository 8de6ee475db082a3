"""Concatenation along the channels (dimension 1): where the branches of an inception block join.

Source: https://arxiv.org/abs/1409.4842 (Going deeper with convolutions)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine import blocks
from engine.errors import ScenarioError
from engine.layer import Arrays, Context, Layer, Shape, register
from engine.layers import _common as common
from engine.layers.add import NAMES
from engine.network import Grads, Node
from engine.steps import ABSENT, Block, Role


@register
@dataclass(frozen=True)
class Concat(Layer):
    """xs [N, C_i, …] that agree but for C_i → [N, Σ C_i, …]."""

    kind = "concat"
    arity: ClassVar[tuple[int, int | None]] = (2, len(NAMES))

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """Channels add up; everything else must agree."""
        for x in xs[1:]:
            if len(x) != len(xs[0]) or x[:1] + x[2:] != xs[0][:1] + xs[0][2:]:
                first, other = ("×".join(map(str, s)) for s in (xs[0], x))
                remedy = "let them differ in their channels only"
                raise ScenarioError(
                    f"concat needs inputs that agree but for channels, but gets {first} and {other}; {remedy}",
                    reason="shapes_differ",
                    field="inputs",
                    value=list(x),
                    bound=list(xs[0]),
                    remedy=remedy,
                )
        return (xs[0][0], sum(x[1] for x in xs), *xs[0][2:])

    def flops(self, xs: Sequence[Shape]) -> int:
        """None: nothing is computed."""
        return 0

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """One copy."""
        return np.concatenate(xs, axis=1), {"_channels": np.array([x.shape[1] for x in xs])}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Each input gets its own channels."""
        return np.split(dy, np.cumsum(cache["_channels"])[:-1], axis=1), {}

    def blocks(self, node: Node) -> list[Block]:
        """One ``sum`` block with a role per input, of which exactly one takes part."""
        names = NAMES[: len(node.inputs)]
        loops = blocks.loops_of(node.shape)
        starts = np.cumsum([0, *(x[1] for x in node.in_shapes)])
        lines = blocks.nest(loops, node.shape)
        at = blocks.subscript(loops, node.shape)
        lines.append(
            f"{'    ' * len(lines)}out[{at}] = concat({', '.join(map(blocks.source_name, node.reads))})[{at}]"
        )

        def gather(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> dict[str, np.ndarray]:
            index = {}
            for i, name in enumerate(names):
                here = (coords[1] >= starts[i]) & (coords[1] < starts[i + 1])
                own = (coords[0], coords[1] - starts[i], *coords[2:])
                index[name] = np.where(here, blocks.flat_index(own, node.in_shapes[i]), ABSENT)
            return index

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
                formula=r"y = [\," + r";\,".join(names) + r"\,]",
                code=tuple(lines),
                active=(len(lines) - 1,),
            )
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """One copy per input, from its own channels."""
        starts = np.cumsum([0, *(x[1] for x in node.in_shapes)]).tolist()
        return [self._split(node, grads, slot, starts[slot]) for slot in range(len(node.inputs))]

    def _split(self, node: Node, grads: Grads, slot: int, first: int) -> Block:
        shape = node.in_shapes[slot]
        loops = blocks.loops_of(shape)
        channel = loops[1]
        shift = f" + {first}" if first else ""
        at = blocks.subscript(loops, shape).replace(f"{{{channel}}}", f"{{{channel}}}{shift}")

        def index(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> np.ndarray:
            return blocks.flat_index((coords[0], coords[1] + first, *coords[2:]), node.shape)

        formula = rf"\delta^{{{NAMES[slot]}}}_{{{channel}}} = \delta_{{{channel}{shift}}}"
        return common.copy_block(node, grads.xs[slot], shape, grads.out, index, formula, [f"dx[@] = dy[{at}]"])
