"""Training as a pure function: ``run_chunk(state, data, k) -> state′, events``.

Nothing is hidden: the order of the samples and every random mask follow from (seed, name, iteration), so that a run
is the same bit for bit however it is cut into chunks, and any iteration can be opened as a scenario with the same
numbers. An epoch is one permutation of the samples; what does not fill a last batch is left out of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.compute import context_of, load_params, load_state, need_numbers, step
from engine.document import refuse
from engine.errors import Diverged, ScenarioError
from engine.kernels.work import Workspace
from engine.objective import Objective
from engine.scenario import Scenario
from engine.streams import stream

Tensors = dict[str, np.ndarray]
#: stands for a batch's inputs in the scenario of a run, whose batches are handed over as arrays
NO_BLOB = "sha256:" + "0" * 64


@dataclass(frozen=True)
class Data:
    """``inputs`` [M, C, H, W], and ``targets``: class indices [M], or an array [M, …] like the prediction."""

    inputs: np.ndarray
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class State:
    """All that a run is after some iterations; a new one is made, nothing is changed in place.

    ``scenario`` is that of one batch (its weights are those of the start), ``weights`` are parameters and running
    statistics, ``optimizer`` the optimiser's state by ``<param>.<state>``, None before the first iteration.
    """

    scenario: Scenario
    weights: Tensors
    optimizer: Tensors | None
    iteration: int

    @property
    def batch_size(self) -> int:
        """Samples of a batch."""
        return self.scenario.network.input_shape[0]

    @property
    def seed(self) -> int:
        """The seed of weights, masks and order."""
        return self.scenario.params.seed

    @property
    def objective(self) -> Objective:
        """Loss, penalties and optimiser."""
        assert self.scenario.objective is not None  # start() has made sure
        return self.scenario.objective


@dataclass(frozen=True)
class Event:
    """What one iteration did. Norms are by node; ``accuracy`` is None where the targets are no classes."""

    iteration: int
    loss: float
    data: float
    penalty: float
    accuracy: float | None
    lr: float
    gradient_norms: dict[str, float]
    update_norms: dict[str, float]
    seconds: float = field(compare=False)


def start(scenario: Scenario, batch_size: int, blobs: Mapping[str, Any] | None = None) -> State:
    """The state before the first iteration of a run of this scenario's network, loss, penalty and optimiser.

    The scenario's own target is an example of the form that targets have. Raises ScenarioError without one.
    """
    if scenario.objective is None:
        raise refuse("target", "missing_field", None, "a target", "give the scenario an example of the targets")
    document = scenario.to_dict()
    shape = [batch_size, *scenario.network.input_shape[1:]]
    edits = [edit for edit in document["params"]["edits"] if edit["tensor"] != "input"]
    document |= {
        "input": {"tensor": NO_BLOB, "shape": shape},
        "target": [document["target"][0]] * batch_size,
        "params": document["params"] | {"edits": edits},
        "mode": "train",
    }
    batch = Scenario.from_dict(document)
    return State(batch, load_params(batch, blobs or {}), load_state(batch, blobs or {}), batch.iteration)


def run_chunk(state: State, data: Data, k: int) -> tuple[State, list[Event]]:
    """``k`` iterations further: the new state, and one event per iteration.

    Raises Diverged where a tensor is not finite, ScenarioError for data of the wrong shape.
    """
    work = Workspace()
    batches = Batches(state, data)
    events = []
    for _ in range(k):
        began = time.perf_counter()
        x, target = batches.at(state.iteration)
        after, event = iterate(state, x, target, work)
        events.append(replace(event, seconds=time.perf_counter() - began))
        state = after
    return state, events


def check(state: State, data: Data) -> None:
    """Raise ScenarioError unless the data fit the run."""
    wanted, goal = state.scenario.network.input_shape[1:], state.objective
    targets = goal.target_shape[1:]
    need_numbers(data.inputs, "data.inputs")
    need_numbers(data.targets, "data.targets")
    if data.inputs.shape[1:] != wanted:
        raise _misfit("data.inputs", data.inputs.shape[1:], wanted)
    if data.targets.shape[1:] != targets or len(data.targets) != len(data):
        raise _misfit("data.targets", data.targets.shape, (len(data), *targets))
    if len(data) < state.batch_size:
        bound = f"at least {state.batch_size} samples, one batch"
        raise refuse("data.inputs", "too_few_samples", len(data), bound, "use more samples or a smaller batch")
    if goal.prediction.classes and len(data):
        classes = goal.prediction.shape[1]
        low, high = int(data.targets.min()), int(data.targets.max())
        if low < 0 or high >= classes:
            bad = low if low < 0 else high
            raise refuse("data.targets", "bad_target", bad, f"0 to {classes - 1}", "give the network enough outputs")


def _misfit(field: str, value: tuple[int, ...], wanted: tuple[int, ...]) -> ScenarioError:
    size = "×".join(map(str, wanted)) or "one number"
    return refuse(field, "bad_shape", "×".join(map(str, value)), size, f"give them the shape {size}")


class Batches:
    """The samples of each iteration: one permutation per epoch."""

    def __init__(self, state: State, data: Data) -> None:
        check(state, data)
        self.data, self.size, self.seed = data, state.batch_size, state.seed
        self.dtype = np.dtype(state.scenario.dtype)
        self.epoch, self.order = -1, np.empty(0, np.int64)

    def at(self, iteration: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets of an iteration."""
        per_epoch = len(self.data) // self.size
        epoch, place = divmod(iteration, per_epoch)
        if epoch != self.epoch:
            self.epoch = epoch
            self.order = stream(self.seed, "data.order", epoch).permutation(len(self.data))
        chosen = self.order[place * self.size : (place + 1) * self.size]
        return self.data.inputs[chosen].astype(self.dtype), self.data.targets[chosen].astype(self.dtype)


def iterate(
    state: State, x: np.ndarray, target: np.ndarray, work: Workspace, seen: Tensors | None = None
) -> tuple[State, Event]:
    """One iteration on these inputs and targets; ``seen`` is given the tensors of loss, gradients and update.

    Raises Diverged where a tensor is not finite.
    """
    goal = state.objective
    context = replace(context_of(state.scenario), iteration=state.iteration, work=work)
    outs: Tensors = {}
    with np.errstate(all="ignore"):  # what is not finite is found below
        found = step(goal, state.weights, x, target, state.optimizer, context, outs=outs)
        event = _event(state, found, target)
        doubt = sum(float(out.sum()) for out in outs.values()) + sum(event.gradient_norms.values())
    if not math.isfinite(doubt + event.loss + sum(event.update_norms.values())):
        _raise_if_diverged(state, x, target)
    if seen is not None:
        seen |= found
    weights = {name: found.get(f"{name}.next", tensor) for name, tensor in state.weights.items()}
    optimizer = {name: found[name] for name, _ in goal.state_shapes}
    return replace(state, weights=weights, optimizer=optimizer, iteration=state.iteration + 1), event


def _event(state: State, found: Tensors, target: np.ndarray) -> Event:
    goal = state.objective
    gradients: dict[str, float] = {}
    updates: dict[str, float] = {}
    for name in goal.backprop.params:
        node = name.rsplit(".", 1)[0]
        for norms, tensor in (
            (gradients, found[f"{name}.grad"]),
            (updates, found[f"{name}.next"] - state.weights[name]),
        ):
            flat = tensor.reshape(-1)
            norms[node] = norms.get(node, 0.0) + float(np.dot(flat, flat))
    data = float(found["loss.data"][0])
    accuracy = None
    if goal.prediction.classes:
        accuracy = float((found[goal.prediction.tensor].argmax(axis=1) == target).mean())
    return Event(
        iteration=state.iteration,
        loss=float(found["loss"][0]),
        data=data,
        penalty=sum(float(found[f"loss.{kind}"][0]) for kind in goal.penalty.kinds if f"loss.{kind}" in found),
        accuracy=accuracy,
        lr=goal.optimizer.rate(state.iteration),
        gradient_norms={node: math.sqrt(total) for node, total in gradients.items()},
        update_norms={node: math.sqrt(total) for node, total in updates.items()},
        seconds=0.0,
    )


def _raise_if_diverged(state: State, x: np.ndarray, target: np.ndarray) -> None:
    """Compute the iteration again with every tensor, and name the first that is not finite, in the order of steps."""
    keep: Tensors = {"input": x, "target": target, **state.weights}
    context = replace(context_of(state.scenario), iteration=state.iteration)
    with np.errstate(all="ignore"):
        step(state.objective, state.weights, x, target, state.optimizer, context, keep=keep)
    names = dict.fromkeys(["input", "target", *state.weights, *(block.writes for block in state.scenario.blocks)])
    for name in names:
        bad = ~np.isfinite(keep[name])
        if bad.any():
            cell = tuple(int(c) for c in np.unravel_index(int(bad.argmax()), bad.shape))
            raise Diverged(state.iteration, name, cell, float(keep[name][cell]))
