"""Nodes in order, each with named inputs (default: the node before), so residual and inception graphs work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.layer import Context, Layer, Shape
from engine.steps import Block


@dataclass(frozen=True)
class Node:
    """A layer at its place: its name, what it reads, and the shapes that follow."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    in_shapes: tuple[Shape, ...]
    shape: Shape

    @property
    def kind(self) -> str:
        """The layer's kind."""
        return self.layer.kind

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the tensors it reads: ``input`` or ``<node>.out``."""
        return tuple("input" if name == "input" else f"{name}.out" for name in self.inputs)

    @property
    def out(self) -> str:
        """Name of the tensor it hands on."""
        return f"{self.name}.out"

    @property
    def param_shapes(self) -> dict[str, Shape]:
        """Full parameter name → shape."""
        return {f"{self.name}.{key}": s for key, s in self.layer.param_shapes(self.in_shapes).items()}

    @property
    def tensor_shapes(self) -> dict[str, Shape]:
        """Full name → shape of every tensor its forward pass writes, in order."""
        inner = self.layer.inner_shapes(self.in_shapes)
        return {f"{self.name}.{key}": s for key, s in inner.items()} | {self.out: self.shape}

    @property
    def size_formula(self) -> str | None:
        """The output-size formula with its numbers."""
        return self.layer.size_formula(self.in_shapes)


@dataclass(frozen=True)
class Network:
    """The graph: ``input_shape`` is N×C×H×W, ``nodes`` are in the order in which they are computed."""

    input_shape: Shape
    nodes: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return next(node for node in self.nodes if node.name == name)

    @property
    def param_shapes(self) -> dict[str, Shape]:
        """Full parameter name → shape for the whole network."""
        return {name: shape for node in self.nodes for name, shape in node.param_shapes.items()}

    def blocks(self) -> list[Block]:
        """The forward blocks of all nodes in order; their ``start`` is still 0."""
        return [block for node in self.nodes for block in node.layer.blocks(node)]

    def forward(
        self, params: Mapping[str, np.ndarray], x: np.ndarray, ctx: Context, keep: dict | None = None
    ) -> np.ndarray:
        """Output of the last node; with ``keep`` every tensor on the way is stored there under its full name.

        Without ``keep`` a tensor is dropped as soon as no later node reads it.
        """
        values: dict[str, np.ndarray] = {"input": x}
        last_use = {name: i for i, node in enumerate(self.nodes) for name in node.inputs}
        y = x
        for i, node in enumerate(self.nodes):
            prefix = node.name + "."
            own = {key: params[prefix + key] for key in node.layer.param_shapes(node.in_shapes)}
            y, cache = node.layer.forward(own, [values[name] for name in node.inputs], ctx)
            values[node.name] = y
            if keep is not None:
                for key in node.layer.inner_shapes(node.in_shapes):
                    keep[prefix + key] = cache[key]
                keep[node.out] = y
                continue
            for name in node.inputs:
                if last_use[name] == i:
                    values.pop(name, None)
        return y
