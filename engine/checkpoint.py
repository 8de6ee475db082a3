"""The state of a run as a file, and any iteration of a run as a scenario."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.document import refuse
from engine.errors import ScenarioError
from engine.scenario import Scenario
from engine.train import Batches, Data, State


def open_iteration(state: State, data: Data) -> tuple[Scenario, dict[str, Any]]:
    """The next iteration as a scenario with its blobs: ``engine.run`` gives the numbers of the run, bit for bit."""
    x, target = Batches(state, data).at(state.iteration)
    classes = state.objective.prediction.classes
    blobs: dict[str, Any] = {digest({"input": x}): x, (weights := digest(state.weights)): state.weights}
    document = state.scenario.to_dict()
    document |= {
        "input": {"tensor": next(iter(blobs)), "shape": list(x.shape)},
        "target": [int(t) for t in target] if classes else target.tolist(),
        "params": document["params"] | {"weights": weights, "values": {}, "edits": []},
        "iteration": state.iteration,
    }
    if state.optimizer:
        blobs[name := digest(state.optimizer)] = state.optimizer
        document["optimizer"]["state"] = name
    return Scenario.from_dict(document), blobs


def digest(tensors: Mapping[str, np.ndarray]) -> str:
    """A blob's name: SHA-256 over names, shapes, dtypes and cells."""
    found = hashlib.sha256()
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        found.update(json.dumps([name, tensor.dtype.str, tensor.shape]).encode())
        found.update(tensor.tobytes())
    return "sha256:" + found.hexdigest()


def save(state: State) -> bytes:
    """The state as a safetensors file; the scenario and the iteration are in its metadata."""
    from engine.formats import safetensors  # needs a library, which the core does not

    optimizer = {} if state.optimizer is None else state.optimizer
    metadata = {
        "scenario": state.scenario.canonical,
        "iteration": str(state.iteration),
        "begun": str(state.optimizer is not None).lower(),
    }
    return safetensors.write({**state.weights, **{f"optimizer.{key}": t for key, t in optimizer.items()}}, metadata)


def load(file: bytes) -> State:
    """The state that ``save`` wrote, without loss; raises FormatError or ScenarioError."""
    from engine.formats import safetensors

    tensors, metadata = safetensors.read(file)
    try:
        scenario = Scenario.from_dict(json.loads(metadata["scenario"]))
        iteration, begun = int(metadata["iteration"]), metadata["begun"] == "true"
    except (KeyError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        raise refuse(
            "metadata", "bad_value", str(error), "scenario, iteration, begun", "use a file of a run"
        ) from None
    if scenario.objective is None:
        raise refuse("metadata.scenario", "missing_field", None, "a target", "use a file of a run")
    weights = {name: tensor for name, tensor in tensors.items() if not name.startswith("optimizer.")}
    wanted = scenario.network.param_shapes | scenario.network.buffer_shapes
    if {name: tensor.shape for name, tensor in weights.items()} != wanted:
        raise refuse("weights", "bad_weight_shape", "other tensors", list(wanted), "use a file of this network")
    moments = {name.removeprefix("optimizer."): t for name, t in tensors.items() if name.startswith("optimizer.")}
    if begun and {name: tensor.shape for name, tensor in moments.items()} != dict(scenario.objective.state_shapes):
        raise refuse("optimizer", "bad_weight_shape", "other tensors", "its own state", "use a file of this run")
    return State(scenario, weights, moments if begun else None, iteration)
