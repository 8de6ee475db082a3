"""Nodes in order, each with named inputs (default: the node before), so residual and inception graphs work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

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
    mode: str = "eval"

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
    def buffer_shapes(self) -> dict[str, Shape]:
        """Full buffer name → shape."""
        return {f"{self.name}.{key}": s for key, s in self.layer.buffer_shapes(self.in_shapes).items()}

    @property
    def drawn_shapes(self) -> dict[str, Shape]:
        """Full name → shape of the random tensors of its forward pass."""
        return {f"{self.name}.{key}": s for key, s in self.layer.drawn_shapes(self.in_shapes, self.mode).items()}

    @property
    def tensor_shapes(self) -> dict[str, Shape]:
        """Full name → shape of every tensor its forward pass writes, in order."""
        inner = self.layer.inner_shapes(self.in_shapes, self.mode)
        return {f"{self.name}.{key}": s for key, s in inner.items()} | {self.out: self.shape}

    @property
    def size_formula(self) -> str | None:
        """The output-size formula with its numbers."""
        return self.layer.size_formula(self.in_shapes)


@dataclass(frozen=True)
class Grads:
    """Names of the gradient tensors around a node.

    ``out`` is the upstream gradient that it reads; it writes ``xs``, one per input, and ``params`` by short name.
    """

    out: str
    xs: tuple[str, ...]
    params: Mapping[str, str]


@dataclass(frozen=True)
class Network:
    """The graph: ``input_shape`` is N×C×H×W, ``nodes`` are in the order in which they are computed."""

    input_shape: Shape
    nodes: tuple[Node, ...]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def param_shapes(self) -> dict[str, Shape]:
        """Full parameter name → shape for the whole network, in the order of the update phase."""
        return {name: shape for node in self.nodes for name, shape in node.param_shapes.items()}

    @property
    def buffer_shapes(self) -> dict[str, Shape]:
        """Full name → shape of all running statistics."""
        return {name: shape for node in self.nodes for name, shape in node.buffer_shapes.items()}

    @property
    def penalised(self) -> tuple[str, ...]:
        """The weights that penalties cover: those of convolutions and dense layers."""
        return tuple(f"{node.name}.{key}" for node in self.nodes for key in node.layer.penalised)

    def blocks(self) -> list[Block]:
        """The forward blocks of all nodes in order; their ``start`` is still 0."""
        return [block for node in self.nodes for block in node.layer.blocks(node)]

    def own(self, node: Node, params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The parameters and buffers of a node by their short names."""
        return {name[len(node.name) + 1 :]: params[name] for name in self._owned[node.name]}

    @cached_property
    def _owned(self) -> dict[str, tuple[str, ...]]:
        return {node.name: (*node.param_shapes, *node.buffer_shapes) for node in self.nodes}

    @cached_property
    def _last_use(self) -> dict[str, int]:
        return {name: i for i, node in enumerate(self.nodes) for name in node.inputs}

    def forward(
        self,
        params: Mapping[str, np.ndarray],
        x: np.ndarray,
        ctx: Context,
        keep: dict[str, np.ndarray] | None = None,
        caches: dict[str, dict[str, np.ndarray]] | None = None,
    ) -> np.ndarray:
        """Output of the last node.

        With ``keep`` every tensor on the way is stored there under its full name; with ``caches`` what ``backward``
        needs of each node. Without either a tensor is dropped as soon as no later node reads it.
        """
        values: dict[str, np.ndarray] = {"input": x}
        y = x
        for i, node in enumerate(self.nodes):
            inputs = [values[name] for name in node.inputs]
            y, cache = node.layer.forward(self.own(node, params), inputs, ctx.at(node.name))
            values[node.name] = y
            if keep is not None:
                keep |= {f"{node.name}.{key}": tensor for key, tensor in cache.items() if key[0] != "_"}
                keep[node.out] = y
            if caches is not None:
                caches[node.name] = cache
            elif keep is None:
                for name in node.inputs:
                    if self._last_use[name] == i:
                        values.pop(name, None)
        return y
