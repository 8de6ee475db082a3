"""What a trace says about its network: who sees what, what it costs, where gradients vanish, whether they are right.

Who reads what is taken from the blocks themselves, step by step, so that it is exact for every kind of layer, stride,
padding and graph: the same description that explains a step on the screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backprop import Backprop
from engine.compute import context_of
from engine.document import refuse
from engine.network import Network
from engine.nudging import Nudge, losses_at, nudge, one_cell
from engine.penalties import Penalty
from engine.steps import Block
from engine.trace import Trace

__all__ = [
    "Nudge",
    "Region",
    "counts",
    "dead_units",
    "effective_weights",
    "gradient_norms",
    "gradient_times_input",
    "losses_at",
    "nudge",
    "predicted_change",
    "reach",
    "receptive_field",
]

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
    wanted = {f"{node}.out": one_cell(network[node].shape, cell, f"{node}.out")}
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
    marked = {"input": one_cell(network.input_shape, cell, "input")}
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
        seed = one_cell(network[node].shape, cell, f"{node}.out").astype(trace.scenario.dtype)
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
            with np.errstate(all="ignore"):
                found[name] = float(np.sqrt(np.square(tensor, dtype=np.float64).sum()))
    return found


def predicted_change(trace: Trace) -> float:
    """Σ ∂loss/∂w · (w′ − w) over all parameters: how the loss changes with the update, to first order.

    For plain gradient descent this is −lr · ‖g‖². Raises ScenarioError without a target.
    """
    _gradient(trace, "input")
    total = 0.0
    with np.errstate(all="ignore"):
        for name in trace.network.param_shapes:
            if f"{name}.next" in trace.tensors:
                moved = trace.tensors[f"{name}.next"].astype(np.float64) - trace.tensors[name]
                total += float((moved * trace.tensors[f"{name}.grad"]).sum())
    return total


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


# --- inside -------------------------------------------------------------------------------------------------------


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
