"""Making blocks: the loop nest, its code and its gather from a short description."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.layer import Shape
from engine.steps import Block, Evaluate, Role

#: (coordinates of the written cells, int64[k, 1] each; term numbers int64[m]) → flat index [k or 1, m]
Index = Callable[[tuple[np.ndarray, ...], np.ndarray], np.ndarray]
#: name in the formula, tensor it reads, accent of its colour, where it reads
Operand = tuple[str, str, str, Index]

LOOPS = {2: ("n", "f"), 4: ("n", "c", "y", "x")}
ONE: tuple[tuple[str, int], ...] = (("i", 1),)


def loops_of(shape: Shape) -> tuple[str, ...]:
    """Names of the loops over a tensor of this shape."""
    return LOOPS.get(len(shape)) or tuple(f"i{d}" for d in range(len(shape)))


def nest(loops: Sequence[str], shape: Shape) -> list[str]:
    """The ``for`` lines over a tensor; a loop of one is not shown for the batch and for lone scalars."""
    shown = [(name, n) for name, n in zip(loops, shape, strict=True) if not _hidden(name, n)]
    return [f"{'    ' * depth}for {name} in range({n}):" for depth, (name, n) in enumerate(shown)]


def subscript(loops: Sequence[str], shape: Shape) -> str:
    """``{c}, {y}, {x}``: the slots of the written cell, without the loops that are not shown."""
    shown = [name for name, n in zip(loops, shape, strict=True) if not _hidden(name, n)]
    return ", ".join("{" + name + "}" for name in shown)


def _hidden(name: str, extent: int) -> bool:
    return extent == 1 and name in ("n", "i0")


def source_name(tensor: str) -> str:
    """The tensor's name in the code: the node that made it, or ``input``."""
    return tensor.removesuffix(".out")


def flat_index(coords: Sequence[np.ndarray], shape: Shape) -> np.ndarray:
    """Row-major flat index of broadcastable coordinates."""
    index = coords[0]
    for coord, extent in zip(coords[1:], shape[1:], strict=True):
        index = index * extent + coord
    return index


def same(shape: Shape) -> Index:
    """The operand's cell with the coordinates of the written cell."""
    return lambda coords, _terms: flat_index(coords, shape)


def along(axis: int) -> Index:
    """The cell of a vector that belongs to one axis of the written tensor, such as a channel's scale."""
    return lambda coords, _terms: coords[axis]


def lone(_coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> np.ndarray:
    """The only cell of a tensor of shape (1,)."""
    return np.zeros((1, 1), np.int64)


def every(_coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
    """All cells of a tensor, one per term."""
    return terms[None, :]


def term_of(name: str) -> Evaluate:
    """Terms that are the cells of one operand."""
    return lambda values, _coords: (values[name], {})


def make_block(
    node: str,
    kind: str,
    writes: str,
    shape: Shape,
    operands: Sequence[Operand],
    evaluate: Evaluate,
    *,
    formula: str,
    body: Sequence[str],
    phase: str = "backward",
    combine: str = "map",
    terms: tuple[tuple[str, int], ...] = ONE,
    addends: Sequence[Operand] = (),
    loops: tuple[str, ...] | None = None,
    **more: Any,
) -> Block:
    """A block that writes ``writes`` [shape], one step per cell.

    ``body`` are the lines inside the loop nest; ``[@]`` in them stands for the subscript of the written cell.
    """
    loops = loops or loops_of(shape)
    head = nest(loops, shape)
    at = subscript(loops, shape) or "0"
    lines = [*head, *("    " * len(head) + line.replace("[@]", f"[{at}]") for line in body)]
    everyone = {name: index for name, _, _, index in (*operands, *addends)}

    def gather(coords: tuple[np.ndarray, ...], numbers: np.ndarray) -> dict[str, np.ndarray]:
        return {name: index(coords, numbers) for name, index in everyone.items()}

    return Block(
        node=node,
        kind=kind,
        writes=writes,
        shape=shape,
        loops=loops,
        roles=tuple(Role(name, tensor, accent) for name, tensor, accent, _ in operands),
        addends=tuple(Role(name, tensor, accent) for name, tensor, accent, _ in addends),
        gather=gather,
        evaluate=evaluate,
        combine=combine,
        term_shape=terms,
        formula=formula,
        code=tuple(lines),
        active=tuple(range(len(head), len(lines))),
        phase=phase,
        **more,
    )
