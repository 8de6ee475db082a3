"""What opening tells of a trace: its nodes, blocks and tensors, and what a target adds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import engine
from engine import analysis
from engine.document import finite


def opened(trace: engine.Trace, re: Any) -> dict[str, Any]:
    """The summary of a trace: its nodes, blocks, tensors and costs."""
    limits = trace.scenario.limits
    return {
        "re": re,
        "type": "opened",
        "trace": trace.scenario.digest,
        "scenario": trace.scenario.to_dict(),
        "steps": len(trace),
        "nodes": [_node(node) for node in trace.network],
        "blocks": [block.header() for block in trace.blocks],
        "tensors": [_tensor_summary(trace, name) for name in trace.tensors],
        "input": trace.input_info,
        "limits": {"flops": limits.flops, "bytes": limits.bytes, "steps": limits.steps, "params": limits.params},
        **_objective(trace),
    }


def _objective(trace: engine.Trace) -> dict[str, Any]:
    """What a target adds: the target, the loss and its parts, the gradients' norms, the change that they predict."""
    goal = trace.scenario.objective
    if goal is None:
        return {}
    parts = [f"loss.{part}" for part in ("data", "l1", "l2") if f"loss.{part}" in trace.tensors]
    return {
        "target": goal.target,
        "loss": finite(float(trace.tensors["loss"][0])),
        "loss_parts": {name: finite(float(trace.tensors[name][0])) for name in parts},
        "norms": {name: finite(norm) for name, norm in analysis.gradient_norms(trace).items()},
        "predicted_change": finite(analysis.predicted_change(trace)),
    }


def _node(node: Any) -> dict[str, Any]:
    params = [{"name": name, "shape": list(shape)} for name, shape in node.param_shapes.items()]
    return {
        "name": node.name,
        "kind": node.kind,
        "inputs": list(node.inputs),
        "config": node.layer.config(),
        "out": node.out,
        "shape": list(node.shape),
        "params": params,
        "n_params": sum(int(np.prod(param["shape"])) for param in params),
        "size_formula": node.size_formula,
    }


def _tensor_summary(trace: engine.Trace, name: str) -> dict[str, Any]:
    tensor = trace.tensors[name]
    low, high, bad = _range(tensor)
    return {
        "name": name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype.name,
        "min": low,
        "max": high,
        "first_bad": bad,
        "source": _source(trace, name),
        "role": _role(trace, name),
    }


def _range(tensor: np.ndarray) -> tuple[float | None, float | None, list[int] | None]:
    """Least and largest finite number, and the first cell that is not finite."""
    if not tensor.size:
        return None, None, None
    low, high = float(tensor.min()), float(tensor.max())  # NaN wins in both
    if math.isfinite(low) and math.isfinite(high):
        return low, high, None
    whole = np.isfinite(tensor)
    cells = tensor[whole]
    bad = [int(c) for c in np.unravel_index(int(np.argmin(whole)), tensor.shape)]
    return (float(cells.min()), float(cells.max()), bad) if cells.size else (None, None, bad)


def _source(trace: engine.Trace, name: str) -> str:
    """Where its numbers are from: a ``step`` wrote them, or they are given or drawn."""
    if name in ("input", "target"):
        return name
    if name in trace.network.param_shapes:
        return "param"
    if name in trace.network.buffer_shapes:
        return "buffer"
    if name.endswith(".prev"):
        return "state"
    return "step" if trace.block_of(name) else "drawn"


def _role(trace: engine.Trace, name: str) -> str:
    """What sort of number it is: ``value``, ``weight``, ``grad`` or an optimiser's ``state``."""
    block = trace.block_of(name)
    if name in trace.network.param_shapes or (name.endswith(".next") and block and block.phase == "update"):
        return "weight"
    if name.endswith(".prev"):
        return "state"
    if block is None or block.phase in ("forward", "loss"):
        return "value"
    goal = trace.scenario.objective
    states = goal.optimizer.states() if goal else ()
    return "state" if block.phase == "update" and name.rsplit(".", 1)[-1] in states else "grad"
