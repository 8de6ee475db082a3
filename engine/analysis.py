"""What a trace says about its network: who sees what, what it costs, where gradients vanish, whether they are right.

Who reads what is taken from the blocks themselves, step by step, so that it is exact for every kind of layer, stride,
padding and graph: the same description that explains a step on the screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backprop import Backprop
from engine.compute import context_of, load_input, load_params
from engine.document import refuse
from engine.errors import RangeError
from engine.network import Network
from engine.penalties import Penalty
from engine.scenario import Scenario
from engine.steps import Block
from engine.trace import Trace

#: cells that are looked at together
CHUNK = 1 << 20


@dataclass(frozen=True)
class Region:
    """Cells of one tensor: ``mask`` in its shape, and the smallest box around them, half-open per dimension."""

    tensor: str
    mask: np.ndarray

    @property
    def count(self) -> int:
        """Number of cells."""
        return int(self.mask.sum())

    @property
    def box(self) -> tuple[tuple[int, int], ...]:
        """(first, past the last) per dimension; (0, 0) where there is no cell."""
        found = []
        for axis in range(self.mask.ndim):
            others = tuple(i for i in range(self.mask.ndim) if i != axis)
            at = np.flatnonzero(self.mask.any(axis=others))
            found.append((int(at[0]), int(at[-1]) + 1) if at.size else (0, 0))
        return tuple(found)


def receptive_field(network: Network, node: str, cell: Sequence[int]) -> Region:
    """The input cells from which the cell of a node's output is computed.

    Source: https://distill.pub/2019/computing-receptive-fields/ (here step by step, so exact at borders).
    """
    wanted = {f"{node}.out": _one(network[node].shape, cell, f"{node}.out")}
    for block in reversed(network.blocks()):
        mask = wanted.pop(block.writes, None)
        if mask is None:
            continue
        for flat in _chunks(np.flatnonzero(mask), block):
            for role, cells in _reads(block, flat):
                shape = _shape_of(network, role)
                if shape:
                    there = wanted.setdefault(role, np.zeros(shape, bool))
                    there.reshape(-1)[cells[cells >= 0]] = True
    return Region("input", wanted.get("input", np.zeros(network.input_shape, bool)))


def reach(network: Network, cell: Sequence[int], node: str) -> Region:
    """The cells of a node's output that an input cell takes part in."""
    marked = {"input": _one(network.input_shape, cell, "input")}
    for block in network.blocks():
        hit = np.zeros(block.shape, bool)
        for flat in _chunks(np.arange(block.n_steps), block):
            for role, cells in _reads(block, flat):
                if role in marked:
                    known = marked[role].reshape(-1)[np.maximum(cells, 0)] & (cells >= 0)
                    hit.reshape(-1)[flat] |= np.broadcast_to(known, (len(flat), known.shape[1])).any(axis=1)
        marked[block.writes] = hit
        if block.writes == f"{node}.out":
            break
    return Region(f"{node}.out", marked[f"{network[node].name}.out"])


def effective_weights(trace: Trace, node: str, cell: Sequence[int]) -> np.ndarray:
    """∂(cell of a node's output)/∂input, in the shape of the input: what each pixel weighs for it, here and now.

    Source: https://arxiv.org/abs/1701.04128 (Understanding the effective receptive field)
    """
    network, context = trace.network, context_of(trace.scenario)
    params = {name: trace.tensors[name] for name in network.param_shapes | network.buffer_shapes}
    caches: dict[str, dict[str, Any]] = {}
    with np.errstate(all="ignore"):
        network.forward(params, trace.tensors["input"], context, caches=caches)
        seed = _one(network[node].shape, cell, f"{node}.out").astype(trace.scenario.dtype)
        found = Backprop(network, node, Penalty()).run(params, caches, seed, context)
    return found.get("input.grad", np.zeros(network.input_shape, trace.scenario.dtype))


def counts(network: Network) -> dict[str, dict[str, Any]]:
    """Per node: ``params``, ``flops`` of a forward pass (a multiply-add is two), ``shape``, ``cells``, size rule."""
    return {
        node.name: {
            "params": sum(map(math.prod, node.param_shapes.values())),
            "flops": node.layer.flops(node.in_shapes),
            "shape": node.shape,
            "cells": sum(map(math.prod, node.tensor_shapes.values())),
            "size_formula": node.size_formula,
        }
        for node in network
    }


def gradient_times_input(trace: Trace) -> np.ndarray:
    """input · ∂loss/∂input, cell by cell. Source: https://arxiv.org/abs/1605.01713"""
    return trace.tensors["input"] * _gradient(trace, "input")


def gradient_norms(trace: Trace) -> dict[str, float]:
    """The Euclidean norm of every gradient that stands in a trace, by its tensor's name."""
    _gradient(trace, "input")
    found = {}
    for name, tensor in trace.tensors.items():
        if name.endswith(".grad"):
            found[name] = float(np.sqrt(np.square(tensor, dtype=np.float64).sum()))
    return found


def dead_units(trace: Trace) -> dict[str, np.ndarray]:
    """Per ReLU the channels (or features) whose output is 0 for every sample and position: bool[C].

    Source: https://arxiv.org/abs/1903.06733 (Dying ReLU and initialization)
    """
    found = {}
    for node in trace.network:
        if node.kind == "relu":
            out = trace.tensors[node.out]
            found[node.name] = (out == 0).all(axis=tuple(i for i in range(out.ndim) if i != 1))
    return found


@dataclass(frozen=True)
class Nudge:
    """A finite difference beside the gradient: losses with the cell at value − eps and value + eps, in float64."""

    tensor: str
    cell: tuple[int, ...]
    value: float
    eps: float
    loss_low: float
    loss_high: float
    gradient: float

    @property
    def difference(self) -> float:
        """(loss_high − loss_low) / 2·eps."""
        return (self.loss_high - self.loss_low) / (2 * self.eps)

    @property
    def relative(self) -> float:
        """|difference − gradient| over the larger of the two; 0 where both are 0."""
        largest = max(abs(self.difference), abs(self.gradient))
        return abs(self.difference - self.gradient) / largest if largest else 0.0

    @property
    def digits(self) -> int:
        """To how many digits they agree, at most 15."""
        return 15 if self.relative == 0 else max(0, min(15, math.floor(-math.log10(self.relative))))


def nudge(
    scenario: Scenario, tensor: str, cell: Sequence[int], eps: float = 1e-5, blobs: Mapping[str, Any] | None = None
) -> Nudge:
    """Move one cell of the input, a parameter or a buffer both ways through the real forward pass, in float64.

    Masks of dropout stay as they are. Raises ScenarioError without a target, RangeError for a cell that is none.
    """
    wide = Scenario.from_dict(scenario.to_dict() | {"dtype": "float64"})
    goal = wide.objective
    if goal is None:
        raise refuse("target", "missing_field", None, "a target", "choose a target: without one there is no loss")
    if not 0 < eps < math.inf:
        raise refuse("eps", "bad_value", eps, "a number > 0", "use for example 1e-5")
    x, _ = load_input(wide, blobs or {})
    params, context = load_params(wide, blobs or {}), context_of(wide)
    target = np.array(goal.target, "float64")
    movable = {"input": x, **params}
    if tensor not in movable:
        raise _no_cell(tensor, cell, list(movable))
    at = tuple(cell)
    _one(movable[tensor].shape, at, tensor)

    def loss(caches: dict[str, dict[str, Any]] | None = None) -> tuple[float, dict, dict]:
        values: dict[str, np.ndarray] = {"input": x}
        wide.network.forward(params, x, context, keep=values, caches=caches)
        found = goal.losses(values, target, params)
        return float(found["loss"][0]), values, found

    with np.errstate(all="ignore"):
        caches: dict[str, dict[str, Any]] = {}
        _, values, found = loss(caches)
        grads = goal.backprop.run(params, caches, goal.delta(values, target, found), context)
        value = float(movable[tensor][at])
        sides = []
        for side in (value - eps, value + eps):
            movable[tensor][at] = side
            sides.append(loss()[0])
    gradient = grads.get(f"{tensor}.grad")
    slope = 0.0 if gradient is None else float(gradient[at])
    return Nudge(tensor, at, value, eps, sides[0], sides[1], slope)


# --- inside -------------------------------------------------------------------------------------------------------


def _one(shape: tuple[int, ...], cell: Sequence[int], tensor: str) -> np.ndarray:
    """A mask of one cell."""
    inside = len(cell) == len(shape) and all(0 <= c < n for c, n in zip(cell, shape, strict=True))
    if not inside:
        raise _no_cell(tensor, cell, list(shape))
    mask = np.zeros(shape, bool)
    mask[tuple(cell)] = True
    return mask


def _no_cell(tensor: str, cell: Sequence[int], bound: list[Any]) -> RangeError:
    shown = ", ".join(map(str, bound))
    return RangeError(
        f"{list(cell)} is not a cell of {tensor}; use one inside {shown}",
        reason="bad_cell",
        field="cell",
        value=list(cell),
        bound=bound,
        remedy=f"use a cell inside {shown}",
    )


def _gradient(trace: Trace, name: str) -> np.ndarray:
    if f"{name}.grad" not in trace.tensors:
        raise refuse("target", "missing_field", None, "a target", "choose a target: without one there is no gradient")
    return trace.tensors[f"{name}.grad"]


def _chunks(flat: np.ndarray, block: Block) -> Iterator[np.ndarray]:
    size = max(1, CHUNK // block.n_terms)
    for first in range(0, len(flat), size):
        yield flat[first : first + size]


def _reads(block: Block, flat: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """(tensor, cells [k or 1, m]) for every role of these steps."""
    coords = tuple(axis[:, None] for axis in np.unravel_index(flat, block.shape))
    index = block.gather(coords, np.arange(block.n_terms))
    for role in (*block.roles, *block.addends):
        yield role.tensor, index[role.name]


def _shape_of(network: Network, tensor: str) -> tuple[int, ...] | None:
    """Shape of the input or of what a forward pass writes; None for parameters."""
    if tensor == "input":
        return network.input_shape
    return network[tensor.split(".", 1)[0]].tensor_shapes.get(tensor)
