"""Run a scenario: weights, input, forward pass, trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import initializers
from engine.document import refuse
from engine.errors import BlobError, ScenarioError
from engine.layer import Context
from engine.objective import Objective
from engine.scenario import Scenario
from engine.trace import Trace

Blobs = Mapping[str, Any]


def run(scenario: Scenario, blobs: Blobs | None = None) -> Trace:
    """Compute a scenario and keep every tensor.

    ``blobs`` maps ``sha256:…`` to what it names: a picture as uint8[H, W, 3] or as bytes that Pillow reads, an input
    tensor as an array, weights as a mapping of arrays. Raises BlobError for one that is missing.
    """
    blobs = blobs or {}
    x, info = load_input(scenario, blobs)
    params = load_params(scenario, blobs)
    tensors: dict[str, np.ndarray] = {"input": x, **params}
    state = load_state(scenario, blobs)
    with np.errstate(all="ignore"):  # what overflows stays visible in the tensors as inf or NaN
        if scenario.objective is None:
            scenario.network.forward(params, x, context_of(scenario), keep=tensors)
        else:
            tensors["target"] = target = np.array(scenario.objective.target, scenario.dtype)
            tensors |= {f"{name}.prev": tensor for name, tensor in initial_state(scenario, state).items()}
            step(scenario.objective, params, x, target, state, context_of(scenario), keep=tensors)
    return Trace(scenario, tensors, info)


def context_of(scenario: Scenario) -> Context:
    """What the layers know of a scenario."""
    return Context(scenario.mode, scenario.params.seed, scenario.iteration)


def step(
    goal: Objective,
    params: Mapping[str, np.ndarray],
    x: np.ndarray,
    target: np.ndarray,
    state: dict[str, np.ndarray] | None,
    ctx: Context,
    keep: dict[str, np.ndarray] | None = None,
    outs: dict[str, np.ndarray] | None = None,
    dx: bool = False,
) -> dict[str, np.ndarray]:
    """One whole training step: forward, loss, backward, update.

    Returns the prediction, the tensors of loss and update, the gradients of the parameters and what forward makes of
    the buffers; with ``keep`` every tensor on the way is stored there, with ``outs`` those of the forward pass; with
    ``dx`` the input's gradient is computed, too, which a trace always has.
    ``state`` is the optimiser's, None where it begins.
    """
    wanted = (goal.prediction.tensor, *goal.running)
    values = keep if keep is not None else outs if outs is not None else {}
    values["input"] = x
    caches: dict[str, dict[str, np.ndarray]] = {}
    goal.network.forward(params, x, ctx, keep=values, caches=caches)
    losses = goal.losses(values, target, params)
    delta = goal.delta(values, target, losses)
    found = losses | {name: values[name] for name in wanted if name in values}
    grads = goal.backprop.run(params, caches, delta, ctx, keep, wants_input=dx or keep is not None)
    found |= grads | goal.update(params, grads, state, ctx.iteration)
    if keep is not None:
        keep |= found
    return found


def load_state(scenario: Scenario, blobs: Blobs) -> dict[str, np.ndarray] | None:
    """The stored state of the optimiser by ``<param>.<state>``; None where it begins."""
    goal = scenario.objective
    if goal is None or goal.optimizer.state is None:
        return None
    stored = _blob(blobs, goal.optimizer.state, "optimizer.state")
    dtype = np.dtype(scenario.dtype)
    return {name: _stored(stored, name, shape, dtype, "optimizer.state") for name, shape in goal.state_shapes}


def initial_state(scenario: Scenario, state: dict[str, np.ndarray] | None) -> dict[str, np.ndarray]:
    """The state that an update begins with: the stored one, or its initial values."""
    goal = scenario.objective
    if goal is None or state is not None:
        return state or {}
    optimizer = goal.optimizer
    return {
        name: np.full(shape, optimizer.initial(name.rsplit(".", 1)[1]), scenario.dtype)
        for name, shape in goal.state_shapes
    }


def load_params(scenario: Scenario, blobs: Blobs) -> dict[str, np.ndarray]:
    """Every parameter by its full name: drawn or stored, then whole values, then edits."""
    source, dtype = scenario.params, np.dtype(scenario.dtype)
    stored = _blob(blobs, source.weights, "params.weights") if source.weights else {}
    params = {}
    for node in scenario.network:
        for name, shape in (node.param_shapes | node.buffer_shapes).items():
            if name in source.values:
                params[name] = np.array(source.values[name], dtype)
            elif source.weights:
                params[name] = _stored(stored, name, shape, dtype, "params.weights")
            else:
                scheme = initializers.rule(node, name, source.scheme)
                params[name] = initializers.draw(scheme, name, shape, source.seed, dtype)
    for edit in source.edits:
        if edit.tensor != "input":
            params[edit.tensor][edit.cell] = edit.value
    return params


def load_input(scenario: Scenario, blobs: Blobs) -> tuple[np.ndarray, dict[str, Any] | None]:
    """The input tensor N×C×H×W and, for a picture, how it was fitted."""
    source, dtype = scenario.document["input"], np.dtype(scenario.dtype)
    info = None
    if "values" in source:
        x = np.array(source["values"], dtype)
    elif "tensor" in source:
        x = np.array(need_numbers(_blob(blobs, source["tensor"], "input.tensor"), "input.tensor"), dtype)
        if list(x.shape) != source["shape"]:
            raise ScenarioError(
                f"input.shape: the stored tensor is {list(x.shape)}, not {source['shape']}; use its shape",
                reason="bad_shape",
                field="input.shape",
                value=source["shape"],
                bound=list(x.shape),
                remedy="use the stored tensor's shape",
            )
    else:
        x, info = _pictures(source, blobs)
        x = x.astype(dtype)
    for edit in scenario.params.edits:
        if edit.tensor == "input":
            x[edit.cell] = edit.value
    return x, info


def _pictures(source: Mapping[str, Any], blobs: Blobs) -> tuple[np.ndarray, dict[str, Any]]:
    from engine.formats import image  # needs Pillow, which the core does not

    names = source.get("images") or [source["image"]]
    fitted = []
    for name in names:
        picture = _blob(blobs, name, "input.image")
        pixels = image.decode(picture) if isinstance(picture, bytes) else picture
        fitted.append(image.fit(pixels, tuple(source["shape"]), source["fit"], source["mean"], source["std"]))
    info = {"image": names[0], **fitted[0].info}
    return np.concatenate([one.tensor for one in fitted]), info


def _blob(blobs: Blobs, name: str, field: str) -> Any:
    if name in blobs:
        return blobs[name]
    reason, remedy = "missing_blob", "upload it again or choose another"
    if field in ("params.weights", "optimizer.state"):
        reason, remedy = "missing_weights", "advance again from the scenario that the run began with"
    raise BlobError(
        f"{field}: {name} is not here (any more); {remedy}", reason=reason, field=field, value=name, remedy=remedy
    )


def _stored(stored: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: np.dtype, field: str) -> np.ndarray:
    if name not in stored:
        raise ScenarioError(
            f"{field}: {name} is missing; use weights made for this network",
            reason="missing_weight",
            field=f"{field}.{name}",
            bound=list(shape),
            remedy="use weights made for this network",
        )
    if tuple(stored[name].shape) != shape:
        found = list(stored[name].shape)
        raise ScenarioError(
            f"{field}: {name} has shape {found}, but this network needs {list(shape)}; use its own weights",
            reason="bad_weight_shape",
            field=f"{field}.{name}",
            value=found,
            bound=list(shape),
            remedy="use weights made for this network",
        )
    return np.array(need_numbers(stored[name], f"{field}.{name}"), dtype)


def need_numbers(given: Any, field: str) -> np.ndarray:
    """The array of whole, real or truth values; raises ScenarioError for any other."""
    array = np.asarray(given)
    if array.dtype.kind not in "biuf":
        raise refuse(field, "bad_value", f"an array of {array.dtype}", "numbers", "use an array of real numbers")
    return array
