"""Nudges: one cell moved through the real forward pass, in float64, beside the gradient that predicts the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from engine.compute import load_input, load_params
from engine.document import refuse
from engine.errors import RangeError
from engine.layer import Context
from engine.scenario import Scenario
from engine.trace import Trace

Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Nudge:
    """A finite difference beside the gradient: losses in float64 with the cell at value − eps, value, value + eps."""

    tensor: str
    cell: tuple[int, ...]
    value: float
    eps: float
    loss: float
    loss_low: float
    loss_high: float
    gradient: float

    @property
    def difference(self) -> float:
        """(loss_high − loss_low) / 2·eps."""
        return (self.loss_high - self.loss_low) / (2 * self.eps)

    @property
    def relative(self) -> float:
        """|difference − gradient| over the larger of the two; 0 where both are 0, NaN where one is not finite."""
        largest = max(abs(self.difference), abs(self.gradient))
        return abs(self.difference - self.gradient) / largest if largest else 0.0

    @property
    def digits(self) -> int:
        """To how many digits they agree, at most 15; 0 where one of them is not finite."""
        if not math.isfinite(self.relative):
            return 0
        return 15 if self.relative == 0 else max(0, min(15, math.floor(-math.log10(self.relative))))


@dataclass
class _Drawing(Context):
    """Random numbers are drawn in the dtype ``drawn`` whatever the layers compute in, so that masks stay the same."""

    drawn: str = "float32"

    def at(self, name: str, dx: bool = True, own: bool = False) -> _Drawing:
        return _Drawing(self.mode, self.seed, self.iteration, name, dx, self.work, own, self.drawn)

    def stream(self) -> np.random.Generator:
        return cast(np.random.Generator, _Draws(super().stream(), self.drawn))


@dataclass(frozen=True)
class _Draws:
    """What layers ask of a random stream."""

    of: np.random.Generator
    drawn: str

    def random(self, size: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self.of.random(size, dtype=np.dtype(self.drawn).type).astype(dtype)


class Probe:
    """A scenario in float64 whose loss can be asked for with one cell of the input, a parameter or a buffer moved.

    Masks of dropout stay those of the scenario. Raises ScenarioError without a target, RangeError for a cell that
    is none.
    """

    def __init__(
        self, scenario: Scenario, tensor: str, cell: Sequence[int], blobs: Mapping[str, Any] | None = None
    ) -> None:
        wide = _wide(scenario)
        x, _ = load_input(wide, blobs or {})
        self._begin(wide, scenario.dtype, tensor, cell, x, load_params(wide, blobs or {}))

    @classmethod
    def of(cls, trace: Trace, tensor: str, cell: Sequence[int]) -> Probe:
        """A probe that begins with the very numbers of a trace, and needs no blobs."""
        network, made = trace.network, cls.__new__(cls)
        numbers = {name: trace.tensors[name].astype("float64") for name in ("input", *network.param_shapes)}
        numbers |= {name: trace.tensors[name].astype("float64") for name in network.buffer_shapes}
        made._begin(_wide(trace.scenario), trace.scenario.dtype, tensor, cell, numbers.pop("input"), numbers)
        return made

    def _begin(
        self, wide: Scenario, drawn: str, tensor: str, cell: Sequence[int], x: np.ndarray, params: Tensors
    ) -> None:
        assert wide.objective is not None  # _wide has made sure
        self._context = _Drawing(wide.mode, wide.params.seed, wide.iteration, drawn=drawn)
        self._scenario, self._goal, self._x, self._params = wide, wide.objective, x, params
        self._target = np.array(self._goal.target, "float64")
        movable = {"input": x, **params}
        if tensor not in movable:
            raise no_cell(tensor, cell, list(movable))
        one_cell(movable[tensor].shape, cell, tensor)
        self.tensor, self.cell = tensor, tuple(cell)
        self._moved = movable[tensor]
        self.value = float(self._moved[self.cell])

    def loss(self, value: float) -> float:
        """The loss with the cell at ``value``."""
        self._moved[self.cell] = value
        try:
            return float(self._losses({}, None)["loss"][0])
        finally:
            self._moved[self.cell] = self.value

    def gradient(self) -> float:
        """∂loss/∂cell where it is, by backpropagation; 0 for a cell that does not lead to the loss."""
        values: Tensors = {}
        caches: dict[str, Tensors] = {}
        found = self._losses(values, caches)
        with np.errstate(all="ignore"):
            delta = self._goal.delta(values, self._target, found)
            grads = self._goal.backprop.run(self._params, caches, delta, self._context)
        gradient = grads.get(f"{self.tensor}.grad")
        return 0.0 if gradient is None else float(gradient[self.cell])

    def _losses(self, values: Tensors, caches: dict[str, Tensors] | None) -> Tensors:
        values["input"] = self._x
        with np.errstate(all="ignore"):
            self._scenario.network.forward(self._params, self._x, self._context, keep=values, caches=caches)
            return self._goal.losses(values, self._target, self._params)


def nudge(
    scenario: Scenario, tensor: str, cell: Sequence[int], eps: float = 1e-5, blobs: Mapping[str, Any] | None = None
) -> Nudge:
    """Move one cell of the input, a parameter or a buffer both ways through the real forward pass, in float64.

    At a kink (ReLU at 0, a tie in max pooling) the difference is the mean of both slopes, the gradient one of them.
    Raises ScenarioError without a target, RangeError for a cell that is none.
    """
    return nudge_with(Probe(scenario, tensor, cell, blobs), eps)


def nudge_with(at: Probe, eps: float = 1e-5) -> Nudge:
    """The nudge of a probe's cell; raises ScenarioError for an ``eps`` that is not positive."""
    if not 0 < eps < math.inf:
        raise refuse("eps", "bad_value", eps, "a number > 0", "use for example 1e-5")
    low, middle, high = (at.loss(at.value + move) for move in (-eps, 0.0, eps))
    return Nudge(at.tensor, at.cell, at.value, eps, middle, low, high, at.gradient())


def losses_at(
    scenario: Scenario,
    tensor: str,
    cell: Sequence[int],
    moves: Sequence[float],
    blobs: Mapping[str, Any] | None = None,
) -> list[float]:
    """The loss with the cell at its value + each of ``moves``, in float64: where the straight line stops being true.

    Raises as ``nudge`` does.
    """
    at = Probe(scenario, tensor, cell, blobs)
    return [at.loss(at.value + move) for move in moves]


def _wide(scenario: Scenario) -> Scenario:
    if scenario.objective is None:
        raise refuse("target", "missing_field", None, "a target", "choose a target: without one there is no loss")
    return Scenario.from_dict(scenario.to_dict() | {"dtype": "float64"})


def one_cell(shape: tuple[int, ...], cell: Sequence[int], tensor: str) -> np.ndarray:
    """A mask bool[shape] of one cell; raises RangeError for a cell outside."""
    inside = len(cell) == len(shape) and all(0 <= c < n for c, n in zip(cell, shape, strict=True))
    if not inside:
        raise no_cell(tensor, cell, list(shape))
    mask = np.zeros(shape, bool)
    mask[tuple(cell)] = True
    return mask


def no_cell(tensor: str, cell: Sequence[int], bound: list[Any]) -> RangeError:
    """The error for a cell that is none; ``bound`` is a shape, or the names of the tensors that can be meant."""
    shown = ", ".join(map(str, bound))
    return RangeError(
        f"{list(cell)} is not a cell of {tensor}; use one inside {shown}",
        reason="bad_cell",
        field="cell",
        value=list(cell),
        bound=bound,
        remedy=f"use a cell inside {shown}",
    )
