"""What a scenario with a target adds to a network: loss, penalties, backward pass and update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import engine.losses
import engine.optimizers  # noqa: F401  (both register their kinds)
from engine import loss as losses
from engine import optimizer as optimizers
from engine.backprop import Backprop
from engine.document import nested, refuse
from engine.errors import ScenarioError
from engine.layer import Shape, is_int
from engine.loss import Loss, Prediction
from engine.network import Network
from engine.optimizer import Optimizer, Place
from engine.penalties import Penalty, sum_block
from engine.steps import Block

Tensors = dict[str, np.ndarray]
KEYS = ("target", "loss", "penalty", "optimizer")


@dataclass(frozen=True)
class Objective:
    """Target, loss, penalty and optimiser of a scenario, bound to its network."""

    network: Network
    prediction: Prediction
    end: str
    target: Any
    loss: Loss
    penalty: Penalty
    optimizer: Optimizer

    @cached_property
    def backprop(self) -> Backprop:
        """The backward pass from this loss."""
        return Backprop(self.network, self.end, self.penalty)

    @property
    def target_shape(self) -> Shape:
        """Shape of the tensor ``target``."""
        return self.prediction.shape[:1] if self.prediction.classes else self.prediction.shape

    @property
    def state_shapes(self) -> list[tuple[str, Shape]]:
        """Full name → shape of the optimiser's state before the update, without ``.prev``."""
        return [
            (f"{name}.{state}", shape)
            for name, shape in self.backprop.params.items()
            for state in self.optimizer.states()
        ]

    @cached_property
    def running(self) -> tuple[str, ...]:
        """The tensors in which a forward pass leaves its running statistics."""
        return tuple(f"{name}.next" for name in self.network.buffer_shapes)

    # --- numbers --------------------------------------------------------------------------------------------------

    def losses(
        self, values: Mapping[str, np.ndarray], target: np.ndarray, params: Mapping[str, np.ndarray]
    ) -> Tensors:
        """The tensors of the loss phase by their full names; ``values`` are those of the forward pass."""
        x = values[self.prediction.tensor]
        found = self.loss.forward(x, target, self._softmax(values))
        named = {f"loss.{key}": tensor for key, tensor in found.items()}
        named |= self.penalty.loss(params, self.covered)
        total = sum(float(named[f"loss.{part}"][0]) for part in self._parts)
        return named | {"loss": np.array([total], x.dtype)}

    def delta(
        self, values: Mapping[str, np.ndarray], target: np.ndarray, found: Mapping[str, np.ndarray]
    ) -> np.ndarray:
        """The loss's gradient with respect to the prediction; ``found`` are the tensors of the loss phase."""
        own = {name.removeprefix("loss."): tensor for name, tensor in found.items()}
        return self.loss.backward(values[self.prediction.tensor], target, own, self._softmax(values))

    def _softmax(self, values: Mapping[str, np.ndarray]) -> Tensors | None:
        name = self.prediction.softmax
        if name is None:
            return None
        return {key: values[f"{name}.{key}"] for key in ("max", "exp", "sum")} | {"softmax": values[f"{name}.out"]}

    def update(
        self, params: Mapping[str, np.ndarray], grads: Mapping[str, np.ndarray], state: Tensors | None, iteration: int
    ) -> Tensors:
        """The tensors of the update phase by their full names, in order."""
        mine = {name: grads[f"{name}.grad"] for name in self.backprop.params}
        written: Tensors = {}
        factor = 1.0
        if mine and self.optimizer.clip_norm is not None:
            written |= optimizers.clip_factor(mine, self.optimizer.clip_norm)
            factor = float(written["clip_factor"][0])
        for name, grad in mine.items():
            own = None if state is None else {key: state[f"{name}.{key}"] for key in self.optimizer.states()}
            found = self.optimizer.update(params[name], grad, own, iteration, factor)
            written |= {f"{name}.{key}": tensor for key, tensor in found.items()}
        return written

    # --- steps ----------------------------------------------------------------------------------------------------

    @cached_property
    def covered(self) -> tuple[str, ...]:
        """The weights that the penalties cover and that have a gradient."""
        return tuple(name for name in self.network.penalised if name in self.backprop.params)

    @property
    def _parts(self) -> tuple[str, ...]:
        """Names of the data term and of the penalties that there are."""
        return ("data", *(self.penalty.kinds if self.covered else ()))

    def blocks(self, iteration: int) -> list[Block]:
        """The blocks of the phases loss, backward and update."""
        covered = {name: self.network.param_shapes[name] for name in self.covered}
        symbols = {"data": r"L_{\mathrm{data}}", "l1": "L_1", "l2": "L_2"}
        parts = [(part, f"loss.{part}", symbols[part]) for part in self._parts]
        found = [*self.loss.blocks(self.prediction), *self.penalty.blocks(covered), sum_block("loss", parts, "L")]
        found.append(self.loss.backward_block(self.prediction, self.backprop.loss_writes))
        found += self.backprop.blocks()
        clipped = self.optimizer.clip_norm is not None
        if self.backprop.params and self.optimizer.clip_norm is not None:
            found += optimizers.clip_blocks(self.backprop.params, self.optimizer.clip_norm)
        for name, shape in self.backprop.params.items():
            stored = self.optimizer.state is not None
            place = Place(name.rsplit(".", 1)[0], name, shape, iteration, stored, clipped)
            found += self.optimizer.blocks(place)
        return found


def parse(document: Mapping[str, Any], network: Network, most: float) -> tuple[Objective | None, dict[str, Any]]:
    """The objective of a document, None without a target, and its part of the canonical document."""
    given = document.get("target")
    wanted = document.get("loss")
    loss = None if wanted is None else losses.build(wanted)
    penalty = _penalty(document.get("penalty", {}), most)
    optimizer = optimizers.build(document.get("optimizer", {"kind": "sgd"}))
    if given is None:
        return None, {}
    last = network.nodes[-1]
    classes = _is_classes(given, last.shape, loss)
    loss = loss or losses.build({"kind": "cross_entropy" if classes else "mse"})
    through = last.kind == "softmax" and loss.reads_logits
    end = last.inputs[0] if through else last.name
    tensor = last.reads[0] if through else last.out
    prediction = Prediction(tensor, last.shape, classes, last.name if through else None)
    try:
        loss.check(last.shape)
    except ScenarioError as error:
        raise ScenarioError(
            f"loss: {error.message}",
            reason=error.reason,
            field="loss.kind",
            value=loss.kind,
            bound=error.bound,
            remedy=error.remedy,
        ) from None
    target = _target(given, prediction, loss, most)
    found = Objective(network, prediction, end, target, loss, penalty, optimizer)
    return found, {
        "target": target,
        "loss": loss.config(),
        "penalty": {"l1": penalty.l1, "l2": penalty.l2},
        "optimizer": optimizer.config(),
    }


def _is_classes(given: Any, shape: Shape, loss: Loss | None) -> bool:
    """Class indices: a whole number, or one per sample; a flat list of one sample is its row of values."""
    if loss is not None and not loss.takes_classes:
        return False
    if is_int(given):
        return True
    flat = isinstance(given, list | tuple) and len(given) == shape[0] and all(is_int(v) for v in given)
    return flat and not (len(given) == 1 and shape[1:] == (1,) and loss is None)


def _target(given: Any, at: Prediction, loss: Loss, most: float) -> Any:
    n = at.shape[0]
    if at.classes:
        items = [given] if is_int(given) else list(given)
        if len(items) != n:
            raise refuse("target", "bad_target", str(given)[:80], f"{n} class indices", "give one per sample")
        for i, item in enumerate(items):
            if not 0 <= item < at.shape[1]:
                bound = f"0 to {at.shape[1] - 1}"
                raise refuse(
                    "target" if n == 1 else f"target[{i}]", "bad_target", item, bound, f"use a class from {bound}"
                )
        return [int(item) for item in items]
    if not loss.takes_values:
        raise refuse(
            "target", "bad_target", str(given)[:80], "class indices", f"{loss.kind} needs one class per sample"
        )
    depth = len(at.shape)
    if is_int(given) or isinstance(given, float):
        given = [[given]] if depth == 2 else given
    flat = n == 1 and isinstance(given, list | tuple) and bool(given) and _depth(given) == depth - 1
    values, shape = nested([given] if flat else given, "target", depth, most)
    if shape != at.shape:
        size = "×".join(map(str, at.shape))
        raise refuse(
            "target", "bad_target", "×".join(map(str, shape)), size, f"give it the prediction's shape {size}"
        )
    if loss.kind == "cross_entropy":
        for i, row in enumerate(values):
            if min(row) < 0 or abs(sum(row) - 1) > 1e-6:
                raise refuse(
                    f"target[{i}]", "bad_target", sum(row), "probabilities that add up to 1", "scale the row"
                )
    return values


def _depth(given: Any) -> int:
    depth = 0
    while isinstance(given, list | tuple):
        depth, given = depth + 1, given[0] if given else None
    return depth


def _penalty(given: Any, most: float) -> Penalty:
    if not isinstance(given, Mapping):
        raise refuse("penalty", "bad_value", given, "an object", 'write {"l1": …, "l2": …}')
    for key in given:
        if key not in ("l1", "l2"):
            raise refuse(f"penalty.{key}", "unknown_field", key, ["l1", "l2"], "remove it or correct its name")
    values = {key: nested(value, f"penalty.{key}", 0, most)[0] for key, value in given.items()}
    for key, value in values.items():
        if value < 0:
            raise refuse(f"penalty.{key}", "bad_value", value, "a number ≥ 0", "use 0 to switch it off")
    return Penalty(**values)
