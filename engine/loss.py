"""The contract that every loss obeys, and the registry by ``kind``.

A loss is a frozen dataclass of hyper-parameters. It reads the prediction and the tensor ``target``, writes its
intermediates ``loss.<name>`` and at last ``loss.data`` [1], the mean over samples (or cells), and hands the gradient
back to the prediction. Everything is evaluated in float64 from the tensors as they are stored, then cast.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.blocks import Index, Operand, make_block, same, source_name
from engine.layer import Shape, fields_of
from engine.steps import Block

Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Prediction:
    """What the loss reads: the tensor, the form of the target, and the final softmax that is read through.

    ``classes`` is True where ``target`` [N] holds class indices, False where it has the prediction's shape.
    """

    tensor: str
    shape: Shape
    classes: bool
    softmax: str | None = None

    @property
    def cells(self) -> int:
        """Number of predicted numbers."""
        return math.prod(self.shape)

    @property
    def source(self) -> str:
        """The prediction's name in code."""
        return source_name(self.tensor)


class Loss(ABC):
    """One loss; see the module's text for the contract."""

    kind: ClassVar[str]
    #: which targets it understands
    takes_classes: ClassVar[bool] = False
    takes_values: ClassVar[bool] = True
    #: True where a final softmax is read through, to its logits
    reads_logits: ClassVar[bool] = False

    def check(self, shape: Shape) -> None:
        """Raise ScenarioError where the prediction has an impossible shape."""
        return None

    @abstractmethod
    def forward(self, x: np.ndarray, target: np.ndarray, softmax: Tensors | None) -> Tensors:
        """Intermediates by short name, at last ``data``; ``softmax`` has the tensors of a softmax read through."""

    @abstractmethod
    def backward(self, x: np.ndarray, target: np.ndarray, found: Tensors, softmax: Tensors | None) -> np.ndarray:
        """Gradient of ``data`` with respect to ``x``, from what ``forward`` found."""

    @abstractmethod
    def blocks(self, at: Prediction) -> list[Block]:
        """The blocks of the phase ``loss`` up to ``loss.data``."""

    @abstractmethod
    def backward_block(self, at: Prediction, writes: str) -> Block:
        """The first block of the phase ``backward``."""

    def config(self) -> dict[str, Any]:
        """``kind`` and every hyper-parameter."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {"kind": self.kind} | {f.name: getattr(self, f.name) for f in fields}

    # --- what several losses share --------------------------------------------------------------------------------

    def part(self, name: str, shape: Shape, operands: list[Operand], evaluate: Callable, **more: Any) -> Block:
        """A block of the loss phase that writes ``loss.<name>``."""
        return make_block("loss", self.kind, f"loss.{name}", shape, operands, evaluate, phase="loss", **more)

    def mean_block(self, of: str, shape: Shape, role: str, latex: str | None = None) -> Block:
        """``loss.data``: the mean of ``loss.<of>``."""
        count = math.prod(shape)
        return self.part(
            "data",
            (1,),
            [(role, f"loss.{of}", "value", lambda _coords, terms: terms[None, :])],
            lambda values, _coords: (values[role] / count, {"divisor": np.full(1, float(count))}),
            combine="sum",
            terms=tuple(zip("nfyx", shape, strict=False)) if len(shape) < 5 else (("i", count),),
            extra=("divisor",),
            formula=rf"L = \frac{{1}}{{{count}}} \sum {latex or role}",
            body=[f"data = {of}.mean()"],
        )


REGISTRY: dict[str, type[Loss]] = {}


def register(cls: type[Loss]) -> type[Loss]:
    """Class decorator: make the loss known to scenarios."""
    REGISTRY[cls.kind] = cls
    return cls


def build(given: Any, path: str = "loss") -> Loss:
    """A loss from its scenario entry; raises ScenarioError."""
    return fields_of(REGISTRY, given, path)


def mean(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The mean of all cells as a tensor [1]; of none it is NaN, as in PyTorch."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array([np.divide(values.sum(dtype=np.float64), values.size)], dtype)


def wide(x: np.ndarray) -> np.ndarray:
    """The array in float64."""
    return x.astype(np.float64, copy=False)


def target_cell(at: Prediction) -> Index:
    """The target's cell under a cell of the prediction."""
    return (lambda coords, _terms: coords[0]) if at.classes else same(at.shape)
