"""Block, Window, Step: how a scalar step is described and derived from whole tensors.

A step reads cells, forms terms, combines them and writes one cell. A block says how, for all cells of one tensor;
nothing here is stored per step. Columns of a window are arrays over k steps; a column that is the same for all of
them may have a leading dimension of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

OUTSIDE, STRIDE_ZERO, ABSENT = -1, -2, -3

#: (coordinates of the written cells, one int64[k, 1] per dimension; term numbers int64[m]) → role → flat index
Gather = Callable[[tuple[np.ndarray, ...], np.ndarray], dict[str, np.ndarray]]
#: (role → float64 values [k or 1, m], coordinates) → (terms float64[k, m], extra columns: [k], or factors [k, m])
Evaluate = Callable[[dict[str, np.ndarray], tuple[np.ndarray, ...]], tuple[np.ndarray, dict[str, np.ndarray]]]


@dataclass(frozen=True)
class Role:
    """One operand of a block: a name for the formula, the tensor it reads, and the colour accent of that tensor."""

    name: str
    tensor: str
    accent: str = "value"

    def header(self) -> dict[str, str]:
        """JSON-able form."""
        return {"name": self.name, "tensor": self.tensor, "accent": self.accent}


@dataclass(frozen=True)
class Block:
    """A contiguous run of steps of one sort: one node, one phase, one tensor written.

    ``loops`` names the dimensions of the written tensor, outermost first. ``gather`` and ``evaluate`` derive the
    columns; ``combine`` is ``sum``, ``max`` or ``map`` (one term, the formula itself), after which the ``addends``
    (one cell each) are added. ``outside`` is the value that a cell outside its tensor has. ``code`` is the loop nest
    in NumPy-style Python with ``{slot}`` for numbers; a slot is a loop's name or an affine form of loops.

    ``others`` are further readings of the same cells, in the same order: blocks with other roles, terms and formula.
    ``factors`` names columns ``factor.<name>`` [k, m] whose product is the term.
    """

    node: str
    kind: str
    writes: str
    shape: tuple[int, ...]
    loops: tuple[str, ...]
    roles: tuple[Role, ...]
    gather: Gather
    evaluate: Evaluate
    combine: str
    term_shape: tuple[tuple[str, int], ...]
    formula: str
    code: tuple[str, ...]
    active: tuple[int, ...]
    addends: tuple[Role, ...] = ()
    slots: Mapping[str, tuple[Mapping[str, int], int]] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    partial: tuple[str, int] | None = None
    outside: float = 0.0
    phase: str = "forward"
    reading: str = "gather"
    others: tuple[Block, ...] = ()
    factors: tuple[str, ...] = ()
    start: int = 0

    @property
    def readings(self) -> tuple[str, ...]:
        """Names of all readings, its own first."""
        return (self.reading, *(other.reading for other in self.others))

    def placed(self, start: int) -> Block:
        """This block, and its readings, at a place in the index space."""
        return replace(self, start=start, others=tuple(other.placed(start) for other in self.others))

    def read_as(self, reading: str) -> Block:
        """This block in one of its readings."""
        return next(block for block in (self, *self.others) if block.reading == reading)

    @property
    def n_steps(self) -> int:
        """Number of steps: one per cell of the written tensor."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def stop(self) -> int:
        """One past the global index of the last step."""
        return self.start + self.n_steps

    @property
    def n_terms(self) -> int:
        """Number of terms of each step."""
        return int(np.prod([extent for _, extent in self.term_shape], dtype=np.int64))

    def header(self) -> dict[str, Any]:
        """What is sent once per block, JSON-able."""
        entries: dict[str, Any] = {
            "node": self.node,
            "kind": self.kind,
            "phase": self.phase,
            "writes": self.writes,
            "shape": list(self.shape),
            "start": self.start,
            "stop": self.stop,
            "loops": [[name, extent] for name, extent in zip(self.loops, self.shape, strict=True)],
            "roles": [role.header() for role in self.roles],
            "addends": [role.header() for role in self.addends],
            "combine": self.combine,
            "term_shape": [list(pair) for pair in self.term_shape],
            "formula": self.formula,
            "code": list(self.code),
            "active": list(self.active),
            "slots": {key: {"of": dict(of), "plus": plus} for key, (of, plus) in self.slots.items()},
            "extra": list(self.extra),
            "readings": list(self.readings),
        }
        if self.partial is not None:
            entries["partial"] = list(self.partial)
        if self.factors:
            entries["factors"] = list(self.factors)
        if self.others:
            shared = ("node", "kind", "phase", "writes", "shape", "start", "stop", "loops", "readings")
            entries["others"] = {
                other.reading: {key: value for key, value in other.header().items() if key not in shared}
                for other in self.others
            }
        return entries


@dataclass(frozen=True)
class Window:
    """Columns for the steps ``[start, stop)`` of one block.

    ``columns`` has ``cell`` int32[k], ``result`` [k], ``term`` [k, m], ``<role>.index`` int32 and ``<role>.value``
    [k or 1, m] for every role and addend (m = 1), ``extra.<name>`` [k], ``combined`` and ``residual`` float64[k]
    (combine + addends evaluated in float64, and its difference from the stored result), ``partial`` float64[k, C]
    where the block has partial sums.
    """

    block: Block
    start: int
    stop: int
    columns: dict[str, np.ndarray]

    def __len__(self) -> int:
        return self.stop - self.start


@dataclass(frozen=True)
class Step:
    """One scalar written to one cell, with every cell it read; ``trace[i]`` makes it."""

    index: int
    node: str
    phase: str
    writes: str
    cell: tuple[int, ...]
    reads: dict[str, list[tuple[tuple[int, ...] | None, float]]]
    terms: list[float]
    result: float
    residual: float
    formula: str
    text: str
