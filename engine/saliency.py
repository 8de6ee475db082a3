"""Saliency: which pixels speak for a class, as gradients of its score.

A map is made from the trace of the *score scenario*: the same network on the same input, whose loss is the score of
the class. So every number of a map is a gradient of that trace, with a step that wrote it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.backprop import grad_of
from engine.document import refuse
from engine.errors import RangeError
from engine.scenario import Scenario
from engine.trace import Trace


@dataclass(frozen=True)
class Saliency:
    """``map`` float [N, 1, H, W], and the ``tensor`` of gradients it was made of.

    Those are of the mean ``score`` of the N samples; a sample's own, in the map, are N times as large. ``channel``
    int32 [N, 1, H, W] is where a pixel's largest gradient was; ``alpha`` [N, C] are Grad-CAM's weights of the maps of
    ``node``. None where a method has no such thing.
    """

    map: np.ndarray
    tensor: str
    score: float
    node: str | None = None
    alpha: np.ndarray | None = None
    channel: np.ndarray | None = None


def score_scenario(scenario: Scenario, target: int) -> Scenario:
    """The scenario whose loss is the score of class ``target``, in every sample; without penalty.

    Raises RangeError for a class that there is not, ScenarioError for an output that is not one row of scores.
    """
    shape = scenario.network.nodes[-1].shape
    if len(shape) == 2 and not 0 <= target < shape[1]:
        raise RangeError(
            f"class {target} is none of this network's; use one from 0 to {shape[1] - 1}",
            reason="bad_class",
            field="class",
            value=target,
            bound=[0, shape[1] - 1],
            remedy=f"use a class from 0 to {shape[1] - 1}",
        )
    document = scenario.to_dict() | {"loss": {"kind": "score"}, "target": [target] * shape[0]}
    for key in ("penalty", "optimizer"):  # neither changes the gradients of a score
        document.pop(key, None)
    return Scenario.from_dict(document)


def gradient(trace: Trace, node: str | None = None) -> Saliency:
    """|∂score/∂input|, of each pixel the largest of its channels. Source: https://arxiv.org/abs/1312.6034"""
    score, size = _score(trace), np.abs(trace.tensors["input.grad"]) * _samples(trace)
    channel = size.argmax(axis=1, keepdims=True)
    largest = np.take_along_axis(size, channel, axis=1)
    return Saliency(largest, "input.grad", score, channel=channel.astype(np.int32))


def gradient_input(trace: Trace, node: str | None = None) -> Saliency:
    """input · ∂score/∂input, added up over the channels. Source: https://arxiv.org/abs/1605.01713"""
    score, slope = _score(trace), trace.tensors["input.grad"] * _samples(trace)
    with np.errstate(all="ignore"):
        return Saliency((slope * trace.tensors["input"]).sum(axis=1, keepdims=True), "input.grad", score)


def grad_cam(trace: Trace, node: str | None = None) -> Saliency:
    """max(0, Σ_c α_c·A_c) over a node's maps A, α_c the mean of ∂score/∂A_c over the map; by default its last maps.

    Raises RangeError for a node that has no maps or does not lead to the score.

    Source: https://arxiv.org/abs/1610.02391
    """
    score = _score(trace)
    known = [one.name for one in trace.network if len(one.shape) == 4 and grad_of(one.name) in trace.tensors]
    chosen = node or (known[-1] if known else "")
    if chosen not in known:
        raise RangeError(
            f"{chosen or 'this network'} has no maps that lead to the score; use one of {', '.join(known)}",
            reason="no_maps",
            field="node",
            value=node,
            bound=known,
            remedy="use a node with maps",
        )
    maps, slope = trace.tensors[f"{chosen}.out"], trace.tensors[grad_of(chosen)] * _samples(trace)
    alpha = slope.mean(axis=(2, 3), dtype=np.float64)
    with np.errstate(all="ignore"):
        total = (alpha[:, :, None, None] * maps).sum(axis=1, keepdims=True)
    made = np.maximum(total, 0.0).astype(maps.dtype)
    return Saliency(made, grad_of(chosen), score, chosen, alpha.astype(maps.dtype))


#: the methods by name; each takes the trace of a score scenario and, for Grad-CAM, a node
METHODS: dict[str, Callable[[Trace, str | None], Saliency]] = {
    "gradient": gradient,
    "gradient_input": gradient_input,
    "grad_cam": grad_cam,
}


def _samples(trace: Trace) -> int:
    """The score is a mean over the samples; each sample's own gradient is as many times as large."""
    return len(trace.tensors["input"])


def _score(trace: Trace) -> float:
    goal = trace.scenario.objective
    if goal is None or goal.loss.kind != "score":
        kind = None if goal is None else goal.loss.kind
        raise refuse("loss.kind", "bad_value", kind, "score", "make the trace of score_scenario(…)")
    return float(trace.tensors["loss.data"][0])
