"""Scenario: the JSON document that fully determines a computation.

``Scenario.from_dict`` checks a document before anything is allocated and fills in every default; ``to_dict`` is the
canonical form, whose compact JSON with sorted keys has the SHA-256 ``digest``.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import engine.layers  # noqa: F401  (registers every kind)
from engine import initializers, objective
from engine import layer as contract
from engine.document import hash_of, nested, one_of, refuse, shape_of
from engine.errors import ScenarioError
from engine.layer import Shape, is_int
from engine.network import Network, Node
from engine.objective import Objective
from engine.schemes import Scheme
from engine.steps import Block

KEYS = (
    "version", "input", "network", "params", "target", "loss", "penalty", "optimizer", "iteration", "mode", "dtype",
)  # fmt: skip
RESERVED = ("input", "target", "loss")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Limits:
    """What a scenario costs, known from its shapes alone."""

    flops: int
    bytes: int
    steps: int
    params: int
    #: bytes of the largest temporary of a layer, on top of ``bytes``
    workspace: int = 0


@dataclass(frozen=True)
class Edit:
    """One cell of ``input`` or of a parameter, set by hand."""

    tensor: str
    cell: tuple[int, ...]
    value: float


@dataclass(frozen=True)
class Params:
    """Where the weights come from: scheme and seed, or stored ``weights``; then whole ``values``, then ``edits``."""

    seed: int
    scheme: Scheme
    weights: str | None
    values: dict[str, Any]
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Scenario:
    """A checked document; make it with ``from_dict``."""

    document: dict[str, Any]
    network: Network
    params: Params
    mode: str
    dtype: str
    iteration: int = 0
    objective: Objective | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Scenario:
        """Check, fill in defaults and build; raises ScenarioError naming field, value, bound and remedy."""
        if not isinstance(document, Mapping):
            raise refuse("", "not_an_object", document, "a JSON object", "send an object with a network")
        for key in document:
            if key not in KEYS:
                raise refuse(str(key), "unknown_field", key, list(KEYS), "remove it or correct its name")
        if document.get("version", 1) != 1:
            raise refuse("version", "bad_version", document["version"], 1, "use version 1")
        mode = one_of(document.get("mode", "eval"), "mode", ("eval", "train"))
        dtype = one_of(document.get("dtype", "float32"), "dtype", ("float32", "float64"))
        most = float(np.finfo(dtype).max)
        given, input_shape = _input(document.get("input"), most)
        network, nodes = _network(document.get("network"), input_shape, mode)
        iteration = document.get("iteration", 0)
        if not is_int(iteration) or not 0 <= iteration < 2**31:
            raise refuse(
                "iteration", "bad_value", iteration, "a whole number from 0 to 2147483647", "use such a number"
            )
        goal, goal_doc = objective.parse(document, network, most)
        params, params_doc = _params(document.get("params", {}), network, most)
        canonical = {
            "version": 1,
            "input": given,
            "network": nodes,
            "params": params_doc,
            "mode": mode,
            "dtype": dtype,
        } | goal_doc
        if iteration or goal:  # a document without them keeps the digest that it had before there were any
            canonical["iteration"] = int(iteration)
        return cls(canonical, network, params, mode, dtype, int(iteration), goal)

    def to_dict(self) -> dict[str, Any]:
        """A copy of the canonical document."""
        return json.loads(self.canonical)

    @cached_property
    def canonical(self) -> str:
        """Compact JSON with sorted keys."""
        return json.dumps(self.document, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, hexadecimal."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @cached_property
    def limits(self) -> Limits:
        """Flops, bytes of all tensors, steps, parameters, and the largest temporary.

        A backward pass costs twice a forward one: a product for the weights, a product for the inputs.
        """
        params = sum(math.prod(shape) for shape in self.network.param_shapes.values())
        shapes = list(self.network.buffer_shapes.values())
        shapes += [shape for node in self.network for shape in node.drawn_shapes.values()]
        goal = self.objective
        if goal:
            shapes += [shape for _, shape in goal.state_shapes] + [goal.target_shape]
        steps = sum(block.n_steps for block in self.blocks)
        width = 4 if self.dtype == "float32" else 8
        flops = (3 if goal else 1) * sum(node.layer.flops(node.in_shapes) for node in self.network)
        workspace = max(node.layer.workspace(node.in_shapes) for node in self.network)
        kept = math.prod(self.network.input_shape) + params + steps + sum(map(math.prod, shapes))
        return Limits(flops, width * kept, steps, params, width * workspace)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every block of the computation in order, with its place in the index space."""
        found = self.network.blocks()
        if self.objective:
            found += self.objective.blocks(self.iteration)
        placed, start = [], 0
        for block in found:
            placed.append(block.placed(start))
            start = placed[-1].stop
        return tuple(placed)

    @property
    def blobs(self) -> list[str]:
        """Hashes of the pictures, tensors and weights that the scenario needs."""
        source = self.document["input"]
        images = source.get("images") or [source[key] for key in ("image", "tensor") if key in source]
        state = self.objective.optimizer.state if self.objective else None
        return [*images, *(name for name in (self.params.weights, state) if name)]

    @property
    def stored_names(self) -> frozenset[str]:
        """Parameters and buffers that stored weights supply: all of them, when there are stored weights."""
        return (
            frozenset(self.network.param_shapes | self.network.buffer_shapes) if self.params.weights else frozenset()
        )


# --- input --------------------------------------------------------------------------------------------------------


def _input(given: Any, most: float) -> tuple[dict[str, Any], Shape]:
    """Canonical input entry and the N×C×H×W shape it will have."""
    if given is None:
        given = {"values": [[[[0.0]]]]}
    if not isinstance(given, Mapping):
        raise refuse("input", "bad_value", given, "an object", "name an image, a tensor or values")
    kinds = [key for key in ("image", "images", "tensor", "values") if key in given]
    if len(kinds) != 1:
        raise refuse(
            "input",
            "bad_value",
            ", ".join(kinds) or None,
            "one of image, images, tensor, values",
            "give exactly one of them",
        )
    (kind,) = kinds
    allowed = {
        "values": ("values",),
        "tensor": ("tensor", "shape"),
    }.get(kind, (kind, "shape", "fit", "mean", "std"))
    for key in given:
        if key not in allowed:
            raise refuse(f"input.{key}", "unknown_field", key, list(allowed), "remove it")
    if kind == "values":
        values, shape = nested(given["values"], "input.values", 4, most)
        return {"values": values}, shape
    if kind == "tensor":
        hash_of(given["tensor"], "input.tensor")
        shape = shape_of(given.get("shape"), "input.shape", 4)
        return {"tensor": given["tensor"], "shape": list(shape)}, shape
    return _pictures(given, kind, most)


def _pictures(given: Mapping[str, Any], kind: str, most: float) -> tuple[dict[str, Any], Shape]:
    names = given[kind] if kind == "images" else [given[kind]]
    if not isinstance(names, list) or not names:
        raise refuse(f"input.{kind}", "bad_value", names, "a list of sha256:… names", "name at least one image")
    for name in names:
        hash_of(name, f"input.{kind}")
    shape = shape_of(given.get("shape"), "input.shape", 3)
    if shape[0] not in (1, 3):
        raise refuse("input.shape[0]", "bad_value", shape[0], [1, 3], "use 1 (grey) or 3 (RGB)")
    canonical: dict[str, Any] = {
        kind: given[kind],
        "shape": list(shape),
        "fit": one_of(given.get("fit", "contain"), "input.fit", ("contain", "cover", "stretch")),
    }
    for key, default in (("mean", 0.0), ("std", 1.0)):
        values = given.get(key, [default] * shape[0])
        numbers, (length,) = nested(values, f"input.{key}", 1, most)
        if length != shape[0] or (key == "std" and min(numbers) <= 0):
            wanted = f"{shape[0]} numbers" + (" > 0" if key == "std" else "")
            raise refuse(f"input.{key}", "bad_value", str(values), wanted, f"give {wanted}")
        canonical[key] = numbers
    return canonical, (len(names), *shape)


# --- network ------------------------------------------------------------------------------------------------------


def _network(given: Any, input_shape: Shape, mode: str) -> tuple[Network, list[dict[str, Any]]]:
    if not isinstance(given, list) or not given:
        raise refuse(
            "network",
            "bad_value",
            given if not isinstance(given, list) else "[]",
            "a list of at least one node",
            "add a node",
        )
    entries = [_entry(item, f"network[{i}]") for i, item in enumerate(given)]
    names = [entry["name"] for entry in entries]
    for i, name in enumerate(names):
        if name in names[:i]:
            first = names.index(name)
            raise ScenarioError(
                f"network[{i}].name: {name!r} is already the name of network[{first}]; use another name",
                reason="duplicate_name",
                field=f"network[{i}].name",
                value=name,
                bound=names[:i],
                remedy="use another name",
            )
    shapes: dict[str, Shape] = {"input": input_shape}
    nodes, canonical = [], []
    before = "input"
    for i, entry in enumerate(entries):
        node = _node(entry, f"network[{i}]", before, shapes, names, mode)
        nodes.append(node)
        shapes[node.name] = node.shape
        before = node.name
        canonical.append({"name": node.name, "kind": node.kind, "inputs": list(node.inputs)} | node.layer.config())
    return Network(input_shape, tuple(nodes)), canonical


def _entry(item: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(item, Mapping):
        raise refuse(path, "bad_value", item, "an object with name and kind", "write the node as an object")
    for key in ("name", "kind"):
        if not isinstance(item.get(key), str):
            raise refuse(f"{path}.{key}", "missing_field", item.get(key), "a text", f"give the node a {key}")
    name = item["name"]
    if not _NAME.fullmatch(name) or name in RESERVED:
        raise refuse(
            f"{path}.name",
            "bad_name",
            name,
            "lower-case letter, then letters, digits, _; not input, target, loss",
            "rename the node",
        )
    return item


def _node(
    entry: Mapping[str, Any], path: str, before: str, shapes: dict[str, Shape], names: list[str], mode: str
) -> Node:
    fields = {key: value for key, value in entry.items() if key not in ("name", "kind", "inputs")}
    layer = contract.build(entry["kind"], fields, path)
    inputs = entry.get("inputs", [before])
    if not isinstance(inputs, list | tuple) or not all(isinstance(name, str) for name in inputs):
        raise refuse(f"{path}.inputs", "bad_value", inputs, "a list of node names", "list the names")
    for j, name in enumerate(inputs):
        if name in shapes:
            continue
        later = name in names
        known = ", ".join(shapes)
        why = "is this node or a later one, which would make a cycle" if later else "is not a node"
        raise ScenarioError(
            f"{path}.inputs[{j}]: {name!r} {why}; use one of {known}",
            reason="cycle" if later else "missing_input",
            field=f"{path}.inputs[{j}]",
            value=name,
            bound=list(shapes),
            remedy=f"use one of {known}",
        )
    low, high = layer.arity
    if len(inputs) < low or (high is not None and len(inputs) > high):
        wanted = str(low) if low == high else f"{low} to {high}"
        raise refuse(f"{path}.inputs", "bad_arity", len(inputs), f"{wanted} inputs", f"give it {wanted} inputs")
    in_shapes = tuple(shapes[name] for name in inputs)
    try:
        shape = layer.out_shape(in_shapes)
        layer.check(in_shapes, mode)
    except ScenarioError as error:
        raise ScenarioError(
            f"{entry['kind']} {entry['name']!r}: {error.message}",
            reason=error.reason,
            field=f"{path}.{error.field}",
            value=error.value,
            bound=error.bound,
            remedy=error.remedy,
        ) from None
    return Node(entry["name"], layer, tuple(inputs), in_shapes, shape, mode)


# --- parameters ---------------------------------------------------------------------------------------------------


def _params(given: Any, network: Network, most: float) -> tuple[Params, dict[str, Any]]:
    keys = ("seed", "scheme", "weights", "values", "edits")
    if not isinstance(given, Mapping):
        raise refuse("params", "bad_value", given, "an object", "write params as an object")
    for key in given:
        if key not in keys:
            raise refuse(f"params.{key}", "unknown_field", key, list(keys), "remove it")
    seed = given.get("seed", 0)
    if not is_int(seed) or not 0 <= seed < 2**32:
        raise refuse("params.seed", "bad_value", seed, "a whole number from 0 to 4294967295", "use such a number")
    scheme = initializers.parse(given.get("scheme", "he_normal"), network)
    weights = given.get("weights")
    if weights is not None:
        hash_of(weights, "params.weights")
    shapes = network.param_shapes | network.buffer_shapes
    values = _values(given.get("values", {}), shapes, most)
    edits = _edits(given.get("edits", []), shapes | {"input": network.input_shape}, most)
    params = Params(int(seed), scheme, weights, values, edits)
    document: dict[str, Any] = {
        "seed": params.seed,
        "scheme": scheme.document,
        "weights": weights,
        "values": values,
        "edits": [{"tensor": e.tensor, "cell": list(e.cell), "value": e.value} for e in edits],
    }
    return params, document


def _values(given: Any, shapes: Mapping[str, Shape], most: float) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise refuse("params.values", "bad_value", given, "an object of tensors", "name the tensors")
    values = {}
    for name, whole in given.items():
        field = f"params.values.{name}"
        if name not in shapes:
            raise refuse(field, "unknown_tensor", name, list(shapes), "name a parameter of this network")
        values[name], shape = nested(whole, field, len(shapes[name]), most)
        if shape != shapes[name]:
            wanted = "×".join(map(str, shapes[name]))
            raise ScenarioError(
                f"{field}: has shape {'×'.join(map(str, shape))}, but {name} is {wanted}; give it that shape",
                reason="bad_weight_shape",
                field=field,
                value=list(shape),
                bound=list(shapes[name]),
                remedy=f"give it the shape {wanted}",
            )
    return values


def _edits(given: Any, shapes: Mapping[str, Shape], most: float) -> tuple[Edit, ...]:
    if not isinstance(given, list):
        raise refuse("params.edits", "bad_value", given, "a list", "write a list of edits")
    edits: dict[tuple[str, tuple[int, ...]], Edit] = {}
    for i, item in enumerate(given):
        path = f"params.edits[{i}]"
        if not isinstance(item, Mapping) or set(item) != {"tensor", "cell", "value"}:
            raise refuse(path, "bad_value", str(item)[:80], "{tensor, cell, value}", "give these three")
        if not isinstance(item["tensor"], str) or item["tensor"] not in shapes:
            raise refuse(
                f"{path}.tensor",
                "unknown_tensor",
                item["tensor"],
                list(shapes),
                "name the input or a parameter of this network",
            )
        shape, cell = shapes[item["tensor"]], item["cell"]
        inside = isinstance(cell, list | tuple) and len(cell) == len(shape)
        if not inside or not all(is_int(c) and 0 <= c < n for c, n in zip(cell, shape, strict=True)):
            size = "×".join(map(str, shape))
            raise refuse(f"{path}.cell", "bad_cell", str(cell), f"a cell of {size}", f"use a cell inside {size}")
        value, _ = nested(item["value"], f"{path}.value", 0, most)
        key = (item["tensor"], tuple(int(c) for c in cell))
        edits[key] = Edit(*key, value)
    return tuple(edits[key] for key in sorted(edits))
