"""The engine's answers to a spec: tensors by name after its last step."""

from __future__ import annotations

from typing import Any

import numpy as np

import engine
from tests.golden.specs import Spec

WEIGHTS, STATE = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def start_weights(spec: Spec) -> dict[str, np.ndarray]:
    """Parameters and buffers of the first step."""
    trace = engine.run(engine.Scenario.from_dict(spec.document | {"target": None}))
    return {name: trace.tensors[name] for name in trace.network.param_shapes | trace.network.buffer_shapes}


def answer(spec: Spec) -> dict[str, np.ndarray]:
    """``out``, ``loss``, ``input.grad``, ``<param>.grad`` of the last step, ``<param>.next`` after it."""
    weights, state = start_weights(spec), None
    document = dict(spec.document)
    params = {key: value for key, value in document.get("params", {}).items() if key in ("seed", "scheme")}
    edits = [edit for edit in document.get("params", {}).get("edits", []) if edit["tensor"] == "input"]
    iteration = 0
    while True:
        optimizer: dict[str, Any] = dict(document.get("optimizer", {"kind": "sgd"}))
        if state:
            optimizer["state"] = STATE
        own = {
            "params": params | {"weights": WEIGHTS, "edits": edits},
            "optimizer": optimizer,
            "iteration": iteration,
        }
        scenario = engine.Scenario.from_dict(document | own)
        found = engine.run(scenario, {WEIGHTS: weights, STATE: state}).tensors
        goal = scenario.objective
        assert goal is not None
        weights = {name: found.get(f"{name}.next", tensor) for name, tensor in weights.items()}
        state = {name: found[name] for name, _ in goal.state_shapes}
        iteration += 1
        if iteration == spec.steps:
            break
    wanted = {"loss": found["loss"], "input.grad": found["input.grad"], "out": found[goal.prediction.tensor]}
    wanted |= {f"{name}.grad": found[f"{name}.grad"] for name in goal.backprop.params}
    return wanted | {f"{name}.next": tensor for name, tensor in weights.items()}
