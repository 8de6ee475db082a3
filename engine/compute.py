"""Run a scenario: weights, input, forward pass, trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import initializers
from engine.errors import BlobError, ScenarioError
from engine.layer import Context
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
    with np.errstate(all="ignore"):  # what overflows stays visible in the tensors as inf or NaN
        scenario.network.forward(params, x, Context(scenario.mode, scenario.params.seed), keep=tensors)
    return Trace(scenario, tensors, info)


def load_params(scenario: Scenario, blobs: Blobs) -> dict[str, np.ndarray]:
    """Every parameter by its full name: drawn or stored, then whole values, then edits."""
    source, dtype = scenario.params, np.dtype(scenario.dtype)
    stored = _blob(blobs, source.weights, "params.weights") if source.weights else {}
    params = {}
    for name, shape in scenario.network.param_shapes.items():
        if name in source.values:
            params[name] = np.array(source.values[name], dtype)
        elif source.weights:
            params[name] = _stored(stored, name, shape, dtype)
        else:
            params[name] = initializers.draw(source.scheme, name, shape, source.seed, dtype)
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
        x = np.array(_blob(blobs, source["tensor"], "input.tensor"), dtype)
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
    if name not in blobs:
        raise BlobError(
            f"{field}: {name} is not here; upload it again or choose another",
            reason="missing_blob",
            field=field,
            value=name,
            remedy="upload it again or choose another",
        )
    return blobs[name]


def _stored(stored: Mapping[str, Any], name: str, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    if name not in stored or tuple(stored[name].shape) != shape:
        found = list(stored[name].shape) if name in stored else None
        raise ScenarioError(
            f"params.weights: {name} has shape {found}, but this network needs {list(shape)}; use its own weights",
            reason="bad_weight_shape",
            field=f"params.weights.{name}",
            value=found,
            bound=list(shape),
            remedy="use weights made for this network",
        )
    return np.array(stored[name], dtype)
