"""How weights come to be: which scheme a tensor follows, its random stream, and a description for the learner.

Each tensor is drawn in float64 from the stream of its name (``engine.streams``), then cast. What a layer fixes
(``Layer.constants``) and every other vector, biases above all, follow no scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine import streams
from engine.document import one_of
from engine.errors import ScenarioError
from engine.layer import Shape, fields_of
from engine.network import Network, Node
from engine.schemes import SCHEMES, Constant, Ones, Orthogonal, Scheme, Zeros, fans

#: most multiplications that the orthogonal tensors of a network may take: about a second
MOST_WORK = 2**33


def parse(given: Any, network: Network) -> Scheme:
    """A scheme from its name, or from its ``kind`` and settings; raises ScenarioError."""
    path = "params.scheme"
    if isinstance(given, Mapping):
        scheme = fields_of(SCHEMES, given, path)
    else:
        scheme = SCHEMES[one_of(given, path, tuple(SCHEMES))]()
    if isinstance(scheme, Orthogonal):
        sides = [scheme.matrix(shape) for shape in network.param_shapes.values() if len(shape) > 1]
        work = sum(rows * columns * min(rows, columns) for rows, columns in sides)
        if work > MOST_WORK:
            remedy = "use he_normal or smaller layers"
            raise ScenarioError(
                f"{path}: orthogonal takes {work} multiplications here, more than {MOST_WORK}; {remedy}",
                reason="too_large",
                field=path,
                value=work,
                bound=MOST_WORK,
                remedy=remedy,
            )
    return scheme


def rule(node: Node, name: str, scheme: Scheme) -> Scheme:
    """What a parameter or buffer of a node begins with: the layer's constant, 0 for other vectors, or the scheme."""
    constant = node.layer.constants.get(name.partition(".")[2])
    if constant is None:
        vector = len((node.param_shapes | node.buffer_shapes)[name]) == 1
        return Zeros() if vector else scheme
    return {0.0: Zeros(), 1.0: Ones()}.get(constant) or Constant(constant)


def origin(network: Network, name: str, scheme: Scheme) -> str:
    """The kind of scheme behind a tensor that no step wrote and nobody gave; noise is drawn uniformly."""
    for node in network:
        if name in node.param_shapes or name in node.buffer_shapes:
            return rule(node, name, scheme).kind
        if name in node.drawn_shapes:
            return "uniform"
    return "zeros"


def draw(scheme: Scheme, name: str, shape: Shape, seed: int, dtype: np.dtype) -> np.ndarray:
    """The tensor ``name`` as the scheme draws it."""
    return scheme.draw(streams.stream(seed, name), shape).astype(dtype, order="C")


def describe(trace: Any, node_name: str) -> list[dict[str, Any]]:
    """How each parameter and buffer of a node came to be, JSON-able: scheme, fans, formula, histogram."""
    scenario, node = trace.scenario, trace.network[node_name]
    described = []
    for name, shape in (node.param_shapes | node.buffer_shapes).items():
        values = trace.tensors[name].astype(np.float64)
        stored = name in scenario.params.values or name in scenario.stored_names
        scheme = rule(node, name, scenario.params.scheme)
        std, bound = (0.0, None) if stored else scheme.spread(shape)
        fan_in, fan_out = (None, None) if len(shape) == 1 else fans(shape)
        finite = values[np.isfinite(values)]
        counts, edges = np.histogram(finite, bins=min(24, max(4, values.size // 2)))
        described.append(
            {
                "tensor": name,
                "shape": list(shape),
                "scheme": "stored" if stored else scheme.kind,
                "seed": scenario.params.seed,
                "fan_in": fan_in,
                "fan_out": fan_out,
                "gain": None if stored else scheme.factor(),
                "std": std,
                "bound": bound,
                "formula": "" if stored else scheme.formula(_symbol(name), shape),
                "mean": float(values.mean()),
                "sd": float(values.std()),
                "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
                "edited": sum(edit.tensor == name for edit in scenario.params.edits),
            }
        )
    return described


def _symbol(name: str) -> str:
    short = name.partition(".")[2]
    words = short.replace("_", r"\_")
    return {"weight": "w", "bias": "b"}.get(short, rf"\mathrm{{{words}}}")
