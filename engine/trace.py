"""Trace: every tensor of a computation, and the index space of its steps.

Steps are never stored. ``window(i0, i1)`` gathers the columns of any steps of one block from the tensors in one
vectorised pass; its cost depends on the window alone, not on the length of the trace.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from engine import initializers
from engine.errors import RangeError
from engine.network import Network
from engine.scenario import Scenario
from engine.steps import OUTSIDE, Block, Step, Window


class Trace:
    """Tensors of one run of ``scenario`` by name (NCHW, read-only) and the blocks that wrote them.

    ``input_info`` says how a picture was fitted to the input, None for other inputs.
    """

    def __init__(
        self, scenario: Scenario, tensors: Mapping[str, np.ndarray], input_info: dict[str, Any] | None = None
    ) -> None:
        self.scenario = scenario
        self.network: Network = scenario.network
        self.input_info = input_info
        for tensor in tensors.values():
            tensor.flags.writeable = False
        self.tensors: Mapping[str, np.ndarray] = MappingProxyType(dict(tensors))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block in order; made when first asked for, and once for all traces of a scenario."""
        return self.scenario.blocks

    @cached_property
    def _starts(self) -> list[int]:
        return [block.start for block in self.blocks]

    @cached_property
    def _writer(self) -> dict[str, Block]:
        return {block.writes: block for block in self.blocks}

    def __len__(self) -> int:
        return self.blocks[-1].stop

    def locate(self, i: int) -> tuple[Block, tuple[int, ...]]:
        """The block of step ``i`` and the cell that it writes; raises RangeError."""
        block = self._block_of(i)
        return block, tuple(int(c) for c in np.unravel_index(i - block.start, block.shape))

    def block_of(self, tensor: str) -> Block | None:
        """The block that wrote a tensor; None for tensors that no step wrote."""
        return self._writer.get(tensor)

    def find(self, tensor: str, cell: Sequence[int]) -> int | None:
        """The step that wrote a cell; None for tensors that no step wrote (input, weights)."""
        self._check_cell(tensor, cell)
        block = self._writer.get(tensor)
        return None if block is None else block.start + int(np.ravel_multi_index(tuple(cell), block.shape))

    def window(
        self,
        start: int,
        stop: int,
        reading: str | None = None,
        terms: tuple[int, int] | None = None,
        top: int | None = None,
    ) -> Window:
        """Columns of the steps ``[start, stop)``, all in one block.

        ``terms=(t0, t1)`` keeps only these terms of each step, ``top=n`` only the n largest by magnitude; the sum of
        the others is then ``extra.rest`` (their maximum where the block takes one). Raises RangeError for anything
        outside; nothing is clamped.
        """
        block = self._block_of(start)
        if not start < stop <= block.stop:
            raise RangeError(
                f"steps [{start}, {stop}) do not lie in the block [{block.start}, {block.stop}) "
                f"of {block.writes}; use {start} < stop ≤ {block.stop}",
                reason="bad_range",
                field="stop",
                value=stop,
                bound=[start + 1, block.stop],
                remedy=f"use a stop from {start + 1} to {block.stop}",
            )
        if reading is not None and reading not in block.readings:
            raise RangeError(
                f"{block.writes} has no reading {reading!r}; use one of {', '.join(block.readings)}",
                reason="bad_reading",
                field="reading",
                value=reading,
                bound=list(block.readings),
                remedy="use one of these",
            )
        read = block.read_as(reading) if reading else block
        _check_terms(read, terms, top)
        return Window(read, start, stop, self._columns(read, start - block.start, stop - block.start, terms, top))

    def __getitem__(self, i: int) -> Step:
        """Step ``i`` alone, with every cell it read spelt out."""
        window = self.window(i, i + 1)
        block, columns = window.block, window.columns
        cell = tuple(int(c) for c in np.unravel_index(i - block.start, block.shape))
        reads: dict[str, list[tuple[tuple[int, ...] | None, float]]] = {}
        for role in (*block.roles, *block.addends):
            shape = self.tensors[role.tensor].shape
            pairs = zip(columns[f"{role.name}.index"][0], columns[f"{role.name}.value"][0], strict=True)
            reads.setdefault(role.tensor, []).extend(
                (tuple(int(c) for c in np.unravel_index(at, shape)) if at >= 0 else None, float(value))
                for at, value in pairs
            )
        result = float(columns["result"][0])
        place = f"{block.writes}[{', '.join(map(str, cell))}]"
        verb = {"sum": "Σ", "max": "max", "map": "f"}[block.combine]
        plus = " + " + " + ".join(r.tensor for r in block.addends) if block.addends else ""
        return Step(
            index=i,
            node=block.node,
            phase=block.phase,
            writes=block.writes,
            cell=cell,
            reads=reads,
            terms=columns["term"][0].tolist(),
            result=result,
            residual=float(columns["residual"][0]),
            formula=block.formula,
            text=f"{place} = {verb} of {block.n_terms}{plus} = {result:g}",
        )

    def origin(self, tensor: str, cell: Sequence[int]) -> dict[str, Any]:
        """Where a number came from: a step, or a pixel, a value, a seed, stored weights, an edit."""
        self._check_cell(tensor, cell)
        scenario, at = self.scenario, tuple(int(c) for c in cell)
        found: dict[str, Any] = {"tensor": tensor, "cell": list(at), "value": float(self.tensors[tensor][at])}
        step = self.find(tensor, at)
        if step is not None:
            return found | {"from": "step", "step": step}
        if any(e.tensor == tensor and e.cell == at for e in scenario.params.edits):
            return found | {"from": "edit"}
        if tensor == "input":
            source = scenario.document["input"]
            return found | {"from": "value" if "values" in source else "pixel"}
        if tensor in scenario.params.values:
            return found | {"from": "value"}
        if tensor in scenario.stored_names:
            return found | {"from": "stored", "weights": scenario.params.weights}
        scheme = initializers.origin(scenario.network, tensor, scenario.params.scheme)
        return found | {"from": "seed", "scheme": scheme, "seed": scenario.params.seed}

    # --- inside ---------------------------------------------------------------------------------------------------

    def _block_of(self, i: int) -> Block:
        if not 0 <= i < len(self):
            raise RangeError(
                f"step {i} is outside this trace; use 0 ≤ step < {len(self)}",
                reason="bad_range",
                field="start",
                value=i,
                bound=[0, len(self) - 1],
                remedy=f"use a step from 0 to {len(self) - 1}",
            )
        return self.blocks[bisect_right(self._starts, i) - 1]

    def _check_cell(self, tensor: str, cell: Sequence[int]) -> None:
        if tensor not in self.tensors:
            raise RangeError(
                f"there is no tensor {tensor!r} in this trace; use one of {', '.join(self.tensors)}",
                reason="unknown_tensor",
                field="tensor",
                value=tensor,
                bound=list(self.tensors),
                remedy="use a tensor of this trace",
            )
        shape = self.tensors[tensor].shape
        whole = len(cell) == len(shape) and all(isinstance(c, int | np.integer) for c in cell)
        if not whole or not all(0 <= c < n for c, n in zip(cell, shape, strict=True)):
            raise RangeError(
                f"{list(cell)} is not a cell of {tensor}, which is {'×'.join(map(str, shape))}",
                reason="bad_cell",
                field="cell",
                value=list(cell),
                bound=list(shape),
                remedy="use a cell inside the tensor",
            )

    def _columns(
        self, block: Block, start: int, stop: int, terms: tuple[int, int] | None, top: int | None
    ) -> dict[str, np.ndarray]:
        flat = np.arange(start, stop)  # within the block
        coords = tuple(axis[:, None] for axis in np.unravel_index(flat, block.shape))
        index = block.gather(coords, np.arange(block.n_terms))
        roles = {role.name: role for role in (*block.roles, *block.addends)}
        value = {
            name: self.take(self.tensors[role.tensor], index[name], block.outside) for name, role in roles.items()
        }
        wide = {role.name: value[role.name].astype(np.float64) for role in block.roles}
        with np.errstate(all="ignore"):  # NaN and inf are shown, not warned about
            term, extra = block.evaluate(wide, coords)
        result = self.take(self.tensors[block.writes], flat, 0.0)
        columns: dict[str, np.ndarray] = {"cell": flat.astype(np.int32), "result": result}
        with np.errstate(invalid="ignore", over="ignore"):
            combined = term.max(axis=1) if block.combine == "max" else term.sum(axis=1)
            for role in block.addends:
                combined = combined + value[role.name][:, 0]
            columns["combined"], columns["residual"] = combined, combined - result
            if block.partial is not None:
                columns["partial"] = term.reshape(len(term), block.partial[1], -1).sum(axis=2)
        keep = _kept(term, terms, top)
        width = term.shape[1]
        if keep is not None:
            picked = np.take_along_axis(term, keep, axis=1)
            rest = _rest(block, term, picked, keep)
            extra = {
                name: _narrow(column, keep) if name in block.factors else column for name, column in extra.items()
            }
            extra["rest"] = rest
            term = picked
        with np.errstate(over="ignore"):
            columns["term"] = term.astype(result.dtype)
        for name, column in extra.items():
            columns[f"{'factor' if name in block.factors else 'extra'}.{name}"] = column
        for role in (*block.roles, *block.addends):
            at, values = index[role.name], value[role.name]
            if keep is not None and role in block.roles and at.shape[1] == width:
                at, values = _narrow(at, keep), _narrow(values, keep)
            columns[f"{role.name}.index"] = at.astype(np.int32)
            columns[f"{role.name}.value"] = values
        return columns

    @staticmethod
    def take(tensor: np.ndarray, index: np.ndarray, outside: float) -> np.ndarray:
        """Cells by logical flat index; never flattens a strided tensor, which would copy all of it."""
        negative = index < 0
        some = bool(negative.any())
        safe = np.where(negative, 0, index) if some else index
        if tensor.flags.c_contiguous:
            values = tensor.reshape(-1).take(safe)
        else:
            values = tensor[np.unravel_index(safe, tensor.shape)]
        if some:
            values[index == OUTSIDE] = outside
            values[index < OUTSIDE] = 0
        return values


def _check_terms(block: Block, terms: tuple[int, int] | None, top: int | None) -> None:
    if terms is not None and not 0 <= terms[0] < terms[1] <= block.n_terms:
        raise RangeError(
            f"terms [{terms[0]}, {terms[1]}) do not lie in [0, {block.n_terms}) of {block.writes}",
            reason="bad_terms",
            field="terms",
            value=list(terms),
            bound=[0, block.n_terms],
            remedy=f"use 0 ≤ t0 < t1 ≤ {block.n_terms}",
        )
    if top is not None and top < 1:
        raise RangeError(
            f"top {top} is less than 1; use at least 1",
            reason="bad_terms",
            field="top",
            value=top,
            bound=1,
            remedy="use at least 1",
        )


def _narrow(column: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """The kept terms of a column [k or 1, m]."""
    return np.take_along_axis(np.broadcast_to(column, (len(keep), column.shape[1])), keep, axis=1)


def _rest(block: Block, term: np.ndarray, picked: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """What the terms that are not kept combine to: their sum, or their maximum (−∞ for none)."""
    with np.errstate(invalid="ignore"):
        if block.combine != "max":
            return term.sum(axis=1) - picked.sum(axis=1)
        others = term.copy()
        np.put_along_axis(others, keep, -np.inf, axis=1)
        return others.max(axis=1)


def _kept(term: np.ndarray, terms: tuple[int, int] | None, top: int | None) -> np.ndarray | None:
    """Numbers of the terms to keep per step, int64[k, m'], or None for all; ``top`` largest magnitude first."""
    if top is not None and top < term.shape[1]:
        size = -np.abs(term)
        part = np.argpartition(size, top - 1, axis=1)[:, :top]
        order = np.argsort(np.take_along_axis(size, part, axis=1), axis=1, kind="stable")
        return np.take_along_axis(part, order, axis=1)
    if terms is not None:
        return np.broadcast_to(np.arange(*terms), (len(term), terms[1] - terms[0]))
    return None
