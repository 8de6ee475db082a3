"""Backpropagation through the graph: which gradients flow where, their numbers and their blocks.

The loss hands its gradient to one node, where the prediction leaves the network (a final ``softmax`` before
``cross_entropy`` is read through). Nodes that do not lead there have no gradient. Where a tensor feeds several nodes
each writes a gradient of its own, ``<producer>.out.grad@<consumer>.<slot>``, and an ``accumulate`` block adds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.blocks import make_block, same
from engine.layer import Context, Shape
from engine.network import Grads, Network, Node
from engine.penalties import Penalty, penalty_block
from engine.steps import Block

Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Backprop:
    """The backward pass of a network whose loss reads the output of ``end`` (a node's name, or ``input``)."""

    network: Network
    end: str
    penalty: Penalty

    @cached_property
    def live(self) -> tuple[Node, ...]:
        """The nodes that lead to the loss, in reverse order."""
        wanted, found = {self.end}, []
        for node in reversed(self.network.nodes):
            if node.name in wanted:
                found.append(node)
                wanted.update(node.inputs)
        return tuple(found)

    @cached_property
    def parts(self) -> dict[str, tuple[str, ...]]:
        """For each tensor with a gradient (a node's name, or ``input``) the names of what flows into it, in order."""
        users: dict[str, list[str]] = {self.end: ["loss.0"]}
        for node in self.live:
            for slot, name in enumerate(node.inputs):
                users.setdefault(name, []).append(f"{node.name}.{slot}")
        return {
            name: (grad_of(name),) if len(found) == 1 else tuple(f"{grad_of(name)}@{user}" for user in found)
            for name, found in users.items()
        }

    @property
    def params(self) -> dict[str, Shape]:
        """Full name → shape of the parameters that have a gradient, in the order of the network."""
        return {name: shape for node in reversed(self.live) for name, shape in node.param_shapes.items()}

    @property
    def loss_writes(self) -> str:
        """The tensor that the loss's gradient is written to."""
        return self.parts[self.end][0]

    @cached_property
    def grads(self) -> dict[str, Grads]:
        """Names around each live node."""
        taken = dict.fromkeys(self.parts, 0) | {self.end: 1}
        found = {}
        for node in self.live:
            xs = []
            for name in node.inputs:
                parts = self.parts[name]
                xs.append(parts[taken[name]])
                taken[name] += 1
            params = {name.rsplit(".", 1)[1]: self._data_grad(name) for name in node.param_shapes}
            found[node.name] = Grads(grad_of(node.name), tuple(xs), params)
        return found

    def _data_grad(self, param: str) -> str:
        return f"{param}.grad@data" if self.penalty.covers(self.network, param) else f"{param}.grad"

    # --- numbers --------------------------------------------------------------------------------------------------

    def run(
        self,
        params: Mapping[str, np.ndarray],
        caches: Mapping[str, Tensors],
        dy: np.ndarray,
        ctx: Context,
        keep: Tensors | None = None,
        wants_input: bool = True,
    ) -> Tensors:
        """Gradients of all parameters by ``<param>.grad``, and ``input.grad`` if it is wanted.

        ``dy`` is the loss's gradient at ``end``. With ``keep`` every gradient on the way is stored there.
        """
        flow: dict[str, list[np.ndarray]] = {self.end: [dy]}
        grads: Tensors = {}
        alone = keep is None  # nobody else looks at what flows, so that it may be written into
        keep = {} if keep is None else keep
        keep[self.loss_writes] = dy
        for node in self.live:
            upstream = self._gather(node.name, flow.pop(node.name), keep)
            wants = wants_input or node.inputs != ("input",)
            cache = caches[node.name]
            before = set(cache)
            own = self.network.own(node, params)
            dxs, dparams = node.layer.backward(own, cache, upstream, ctx.at(node.name, wants, alone))
            keep |= {f"{node.name}.{key}": cache[key] for key in cache if key not in before and key[0] != "_"}
            names = self.grads[node.name]
            for name, tensor, written in zip(node.inputs, dxs, names.xs, strict=False):
                flow.setdefault(name, []).append(tensor)
                keep[written] = tensor
            for short, tensor in dparams.items():
                name = f"{node.name}.{short}"
                keep[names.params[short]] = tensor
                if names.params[short] != f"{name}.grad":
                    tensor = keep[f"{name}.grad"] = self.penalty.gradient(tensor, params[name])
                grads[f"{name}.grad"] = tensor
        if "input" in flow and wants_input:
            grads["input.grad"] = self._gather("input", flow["input"], keep)
        return grads

    def _gather(self, name: str, parts: list[np.ndarray], keep: Tensors) -> np.ndarray:
        if len(parts) == 1:
            return parts[0]
        total = parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        keep[grad_of(name)] = total
        return total

    # --- steps ----------------------------------------------------------------------------------------------------

    def blocks(self) -> list[Block]:
        """All backward blocks after the loss's own, in order."""
        found: list[Block] = []
        for node in self.live:
            found += self._accumulate(node.name, node.shape)
            for block in node.layer.backward_blocks(node, self.grads[node.name]):
                found.append(block)
                if block.writes.endswith(".grad@data"):
                    found.append(penalty_block(block, self.penalty))
        return found + self._accumulate("input", self.network.input_shape)

    def _accumulate(self, name: str, shape: Shape) -> list[Block]:
        parts = self.parts.get(name, ())
        if len(parts) < 2:
            return []
        names = [f"d{i}" for i in range(1, len(parts) + 1)]

        def evaluate(values: Tensors, _coords: object) -> tuple[np.ndarray, Tensors]:
            return np.concatenate([values[name] for name in names], axis=1), {}

        return [
            make_block(
                name,
                "accumulate",
                grad_of(name),
                shape,
                [(short, part, "grad", same(shape)) for short, part in zip(names, parts, strict=True)],
                evaluate,
                combine="sum",
                terms=(("part", len(parts)),),
                formula=r"\delta = " + " + ".join(rf"\delta_{{{i + 1}}}" for i in range(len(parts))),
                body=["dy[@] = " + " + ".join(f"{short}[@]" for short in names)],
            )
        ]


def grad_of(name: str) -> str:
    """The gradient tensor of a node's output, or of the input."""
    return "input.grad" if name == "input" else f"{name}.out.grad"
