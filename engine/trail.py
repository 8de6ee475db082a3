"""The chain-rule trail: how the gradient of one cell was handed down from the loss, path by path.

A backward pass is linear in its gradients, so each step of a backward block says by which local derivative it reads
each gradient above it. Those derivatives, in float64 from the numbers of the trace and exact for every kind of layer,
followed upwards from a cell, give ∂u/∂cell for every u between it and the loss: ``total`` = Σ_u ∂L/∂u · ∂u/∂cell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.backprop import grad_of
from engine.derivatives import Blocks, Reads, local_derivatives
from engine.document import finite, refuse
from engine.errors import RangeError
from engine.network import Network
from engine.nudging import one_cell
from engine.steps import Block
from engine.trace import Trace

#: terms that are looked at together
CHUNK = 1 << 19
#: terms in all, ≈ 2 s; Tiny VGG's first kernels need 2 million
MAX_TERMS = 40_000_000
#: contributors named per layer
TOP = 8


Tensors = dict[str, np.ndarray]


def trail(trace: Trace, tensor: str, cell: Sequence[int]) -> dict[str, Any]:
    """Where the gradient of a cell of ``input``, a parameter or ``<node>.out`` came from; JSON-able.

    - ``total``: that gradient. ``penalty``: the part of it that a penalty added, which no path from the data has.
    - ``links``: one path from the loss to the cell, found by following the largest term upwards from the cell. Each
      has ``tensor`` ``cell`` ``step`` of a gradient, its ``value``, ``label`` (its node), the ``factor`` by which the
      one before is multiplied (of the first, its value), of how many terms that are not 0 it was chosen (``of``) and
      its ``share`` of their sum. ``path`` is the product of the factors, ``complete`` is False where every term is 0.
    - ``layers``: per node above the cell, in forward order, ``sum`` = Σ_u ∂L/∂u · ∂u/∂cell over the cells u of its
      output, the ``count`` of those that are not 0 and the largest of them. Where every path passes the node
      (``cut``) the sum is ``total`` − ``penalty`` but for ``residual``, the rounding of the stored gradients.

    Raises ScenarioError without a target, RangeError for a cell without a gradient.

    Source: https://arxiv.org/abs/1502.05767 (Automatic differentiation in machine learning: a survey)
    """
    blocks = {block.writes: block for block in trace.blocks if block.phase == "backward"}
    _check(trace, blocks, tensor, cell)
    goal = f"{tensor}.grad"
    at = tuple(int(c) for c in cell)
    total = float(trace.tensors[goal][at])
    data = float(trace.tensors[f"{goal}@data"][at]) if f"{goal}@data" in trace.tensors else total
    links, path, complete = _links(trace, blocks, goal, at)
    return {
        "tensor": tensor,
        "cell": list(at),
        "total": finite(total),
        "penalty": finite(total - data),
        "links": links,
        "path": path,
        "complete": complete,
        "layers": _layers(trace, blocks, goal, at, data),
    }


def _check(trace: Trace, blocks: Blocks, tensor: str, cell: Sequence[int]) -> None:
    if not blocks:
        raise refuse("target", "missing_field", None, "a target", "choose a target: without one there is no gradient")
    if f"{tensor}.grad" not in blocks:
        known = [name.removesuffix(".grad") for name in blocks if name.endswith(".grad")]
        raise RangeError(
            f"{tensor} has no gradient; use one of {', '.join(known)}",
            reason="unknown_tensor",
            field="tensor",
            value=tensor,
            bound=known,
            remedy="use the input, a parameter or an output that leads to the loss",
        )
    trace.find(f"{tensor}.grad", cell)  # raises RangeError for a cell outside


# --- one path -----------------------------------------------------------------------------------------------------


def _links(
    trace: Trace, blocks: Blocks, tensor: str, cell: tuple[int, ...]
) -> tuple[list[dict[str, Any]], float | None, bool]:
    """The links from the loss to the cell, the product of their factors, and whether the loss was reached."""
    found: list[dict[str, Any]] = []
    complete = False
    while True:
        block, value = blocks[tensor], float(trace.tensors[tensor][cell])
        within = int(np.ravel_multi_index(cell, block.shape))
        link = {"tensor": tensor, "cell": list(cell), "step": block.start + within, "label": block.node}
        found.append(link | {"value": finite(value), "factor": finite(value), "of": 1, "share": 1.0})
        reads = list(local_derivatives(trace, blocks, block, np.array([within])))
        if not reads:  # the loss's own gradient reads no other
            complete = True
            break
        best = _largest(trace, reads)
        if best is None:
            break
        read, j, of, share = best
        found[-1] |= {"factor": finite(float(read.derivative[0, j])), "of": of, "share": share}
        tensor = read.tensor
        cell = tuple(int(c) for c in np.unravel_index(int(read.index[0, j]), trace.tensors[tensor].shape))
    found.reverse()
    factors = [link["factor"] for link in found]
    return found, None if None in factors else finite(math.prod(factors)), complete


def _largest(trace: Trace, reads: list[Reads]) -> tuple[Reads, int, int, float | None] | None:
    """The largest term of a step: what is read, which of it, of how many ≠ 0, its share; None where all are 0."""
    terms = [read.derivative[0] * trace.take(trace.tensors[read.tensor], read.index[0], 0.0) for read in reads]
    sizes = [np.where(np.isfinite(term), np.abs(term), 0.0) for term in terms]
    which = max(range(len(reads)), key=lambda i: float(sizes[i].max(initial=0.0)))
    if sizes[which].max(initial=0.0) == 0:
        return None
    j = int(sizes[which].argmax())
    total = float(sum(term.sum() for term in terms))
    share = finite(float(terms[which][j]) / total) if total else None
    return reads[which], j, int(sum(np.count_nonzero(term) for term in terms)), share


# --- all paths ----------------------------------------------------------------------------------------------------


def _layers(trace: Trace, blocks: Blocks, tensor: str, cell: tuple[int, ...], data: float) -> list[dict[str, Any]]:
    """Per node between the cell and the loss, in forward order, the sum over all paths through its output."""
    reached = _derivatives(trace, blocks, tensor, cell)
    found = []
    for node in trace.network:
        name = grad_of(node.name)
        if name not in reached or name == tensor:
            continue
        derivative, gradient = reached[name], trace.tensors[name].astype(np.float64)
        with np.errstate(all="ignore"):
            part = (derivative * gradient).reshape(-1)
            total = float(part.sum())
        size = np.where(np.isnan(part), np.inf, np.abs(part))
        order = np.argsort(-size, kind="stable")[:TOP]
        cut = _is_cut(trace.network, trace.scenario.objective.end, tensor, node.name)  # type: ignore[union-attr]
        found.append(
            {
                "node": node.name,
                "tensor": name,
                "sum": finite(total),
                "count": int(np.count_nonzero(size)),
                "cut": cut,
                "residual": finite(total - data) if cut else None,
                "top": [_contributor(trace, blocks[name], derivative, int(i)) for i in order if size[i] > 0],
            }
        )
    return found


def _contributor(trace: Trace, block: Block, derivative: np.ndarray, flat: int) -> dict[str, Any]:
    at = tuple(int(c) for c in np.unravel_index(flat, block.shape))
    gradient, slope = float(trace.tensors[block.writes][at]), float(derivative[at])
    return {
        "cell": list(at),
        "step": block.start + flat,
        "gradient": finite(gradient),
        "derivative": finite(slope),
        "contribution": finite(gradient * slope),
    }


def _derivatives(trace: Trace, blocks: Blocks, tensor: str, cell: tuple[int, ...]) -> Tensors:
    """∂u/∂cell for every u whose gradient the cell's gradient was made of, by the gradient's name; float64."""
    reached: Tensors = {tensor: one_cell(blocks[tensor].shape, cell, tensor).astype(np.float64)}
    left = MAX_TERMS
    for block in reversed(list(blocks.values())):
        if block.writes not in reached:
            continue
        weights = reached[block.writes].reshape(-1)
        wanted = np.flatnonzero(weights)
        left -= len(wanted) * block.n_terms
        if left < 0:
            raise _too_many(tensor, cell)
        size = max(1, CHUNK // block.n_terms)
        for first in range(0, len(wanted), size):
            flat = wanted[first : first + size]
            for read in local_derivatives(trace, blocks, block, flat):
                into = reached.setdefault(read.tensor, np.zeros(blocks[read.tensor].shape))
                some = read.index >= 0
                scaled = (read.derivative * weights[flat][:, None])[some]
                into += np.bincount(read.index[some], scaled, into.size).reshape(into.shape)
    return reached


def _too_many(tensor: str, cell: Sequence[int]) -> RangeError:
    remedy = "choose a cell nearer to the loss, or a smaller network"
    return RangeError(
        f"more than {MAX_TERMS:,} terms lie between the loss and {tensor}{list(cell)}; {remedy}",
        reason="too_many_terms",
        field="cell",
        value=list(cell),
        bound=MAX_TERMS,
        remedy=remedy,
    )


def _is_cut(network: Network, end: str, tensor: str, node: str) -> bool:
    """Whether every path from the cell to the loss passes the node's output."""
    source = tensor.removesuffix(".grad").split(".")[0]
    whole = tensor in ("input.grad", grad_of(source))  # what a node reads; a parameter belongs to its node
    reached = {source}
    if source == (end if whole else node):
        return not whole
    for other in network:
        if other.name != node and reached.intersection(other.inputs):
            reached.add(other.name)
    return end not in reached
