"""The contract that every optimiser obeys, and the registry by ``kind``.

An optimiser is a frozen dataclass of hyper-parameters, named and defaulted as in PyTorch. It holds no state: the
state tensors of a parameter come in as ``<param>.<state>.prev`` and go out as ``<param>.<state>``. ``update`` writes,
per parameter and in this order: ``grad.total`` (the clipped gradient + weight_decay·w), its new states, what is made
of them, ``step`` (what is taken off) and ``next``. Each of these tensors has a block of its own.

Numbers are computed in the parameter's dtype; each tensor follows from those stored before it in a few roundings.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine import schedule as schedules
from engine.blocks import every, lone, make_block, same
from engine.document import hash_of, refuse
from engine.layer import FLOAT32_MAX, Shape, custom, fields_of, real
from engine.schedule import Constant, Schedule
from engine.steps import Block

Tensors = dict[str, np.ndarray]
#: role name → (tensor's short name: ``w`` for the parameter itself, ``g`` for its gradient, else as written)
Reads = Mapping[str, str]


def _parse_state(value: Any, path: str) -> str | None:
    if value is not None:
        hash_of(value, path)
    return value


def _parse_positive(value: Any, path: str) -> float | None:
    ok = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= FLOAT32_MAX
    if value is not None and not ok:
        raise refuse(path, "bad_value", value, "a finite number > 0, or null", "use null to switch it off")
    return None if value is None else float(value)


def tex(number: float) -> str:
    """A number in a formula: 0.01, 10^{-8}, 2.5 \\cdot 10^{-5}."""
    mantissa, _, exponent = f"{number:g}".partition("e")
    if not exponent:
        return {"inf": r"\infty"}.get(mantissa, mantissa)
    power = f"10^{{{int(exponent)}}}"
    return {"1": power, "-1": f"-{power}"}.get(mantissa, rf"{mantissa} \cdot {power}")


@dataclass(frozen=True)
class Place:
    """Where blocks of an update stand: node, parameter, shape, iteration; whether there is state, and clipping."""

    node: str
    param: str
    shape: Shape
    iteration: int
    has_state: bool
    clipped: bool


@dataclass(frozen=True)
class Optimizer(ABC):
    """What all optimisers have; ``state`` names a blob of stored state tensors by ``<param>.<state>``."""

    kind: ClassVar[str]
    lr: float = real(1e-3, low=0.0)
    weight_decay: float = real(0.0, low=0.0)
    clip_norm: float | None = custom(None, _parse_positive)
    clip_value: float | None = custom(None, _parse_positive)
    schedule: Schedule = custom(Constant(), schedules.build)
    state: str | None = custom(None, _parse_state)

    @abstractmethod
    def states(self) -> tuple[str, ...]:
        """Short names of the state tensors of each parameter."""

    def initial(self, state: str) -> float:
        """Value of a state tensor where nothing is stored."""
        return 0.0

    @abstractmethod
    def update(
        self, w: np.ndarray, grad: np.ndarray, state: Tensors | None, iteration: int, factor: float
    ) -> Tensors:
        """The tensors of one parameter's update by their short names, in order.

        ``state`` is None where nothing is stored; ``factor`` is what clipping by norm multiplies gradients with.
        """

    @abstractmethod
    def blocks(self, at: Place) -> list[Block]:
        """One block per tensor that ``update`` writes, in the same order."""

    def rate(self, iteration: int) -> float:
        """The learning rate of an iteration."""
        return self.schedule.rate(self.lr, iteration)

    def config(self) -> dict[str, Any]:
        """``kind`` and every hyper-parameter, JSON-able."""
        found: dict[str, Any] = {"kind": self.kind}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            found[field.name] = value.config() if isinstance(value, Schedule) else value
            if isinstance(value, tuple):
                found[field.name] = list(value)
        return found

    # --- what all optimisers share --------------------------------------------------------------------------------

    #: False where weight decay does not go through the gradient (AdamW)
    coupled: ClassVar[bool] = True

    def total(self, w: np.ndarray, grad: np.ndarray, factor: float) -> np.ndarray:
        """The gradient, clipped by norm and then by value, + weight_decay·w; itself where there is none of these.

        Row-major, because the states inherit its order: a layer may hand out a transposed view.
        """
        grad = np.ascontiguousarray(grad)
        if factor != 1.0:
            grad = grad * factor
        if self.clip_value is not None:
            grad = np.clip(grad, -self.clip_value, self.clip_value)
        if self.coupled and self.weight_decay:
            grad = grad + self.weight_decay * w
        return grad

    def total_block(self, at: Place) -> Block:
        """``grad.total``, with the term of the decay beside that of the gradient."""
        decay = self.weight_decay if self.coupled else 0.0
        limit = self.clip_value

        def evaluate(values: Tensors) -> list[np.ndarray]:
            g = values["g"] * values["c"] if at.clipped else values["g"]
            terms = [g if limit is None else np.clip(g, -limit, limit)]
            return [*terms, decay * values["w"]] if decay else terms

        latex, text = (r"c\, g", "c * g[@]") if at.clipped else ("g", "g[@]")
        if limit is not None:
            latex, text = rf"\mathrm{{clamp}}({latex}, \pm {tex(limit)})", f"clip({text}, -{limit:g}, {limit:g})"
        return self.block(
            at,
            "grad.total",
            {"g": "grad"} | ({"c": "clip_factor"} if at.clipped else {}) | ({"w": ""} if decay else {}),
            evaluate,
            formula=r"g_{\mathrm{total}} = " + latex + (rf" + {tex(decay)}\, w" if decay else ""),
            code=f"total[@] = {text}" + (f" + {decay:g} * w[@]" if decay else ""),
            parts=2 if decay else 1,
        )

    def next_block(self, at: Place) -> Block:
        """``next`` = w − step."""
        return self.block(
            at,
            "next",
            {"w": "", "s": "step"},
            lambda v: [v["w"], -v["s"]],
            formula=r"w' = w - s",
            code="w_next[@] = w[@] - step[@]",
            parts=2,
        )

    def block(
        self,
        at: Place,
        writes: str,
        reads: Reads,
        evaluate: Callable[[Tensors], Sequence[np.ndarray]],
        *,
        formula: str,
        code: str,
        parts: int = 1,
        combine: str = "sum",
        extra: Mapping[str, float] | None = None,
    ) -> Block:
        """A block of the update phase: cell by cell, ``parts`` terms combined (or the formula itself)."""
        constants = extra or {}

        def terms(values: Tensors, _coords: object) -> tuple[np.ndarray, Tensors]:
            columns = np.concatenate(list(evaluate(values)), axis=1)
            return columns, {name: np.full(len(columns), value) for name, value in constants.items()}

        accents = {"w": "weight", "c": "value"}
        operands = []
        for role, short in reads.items():
            tensor = short if short == "clip_factor" else f"{at.param}.{short}" if short else at.param
            operands.append(
                (role, tensor, accents.get(role, "grad"), lone if short == "clip_factor" else same(at.shape))
            )
        return make_block(
            at.node,
            self.kind,
            f"{at.param}.{writes}",
            at.shape,
            operands,
            terms,
            phase="update",
            combine=combine if parts > 1 else "map",
            terms=(("part", parts),) if parts > 1 else (("i", 1),),
            formula=formula,
            body=[code],
            extra=tuple(constants),
            loops=LOOPS.get(len(at.shape)),
        )


LOOPS = {1: ("o",), 2: ("o", "i"), 4: ("o", "c", "ky", "kx")}
REGISTRY: dict[str, type[Optimizer]] = {}


def register(cls: type[Optimizer]) -> type[Optimizer]:
    """Class decorator: make the optimiser known to scenarios."""
    REGISTRY[cls.kind] = cls
    return cls


def build(given: Any, path: str = "optimizer") -> Optimizer:
    """An optimiser from its scenario entry; raises ScenarioError."""
    return fields_of(REGISTRY, given, path)


# --- clipping by norm ---------------------------------------------------------------------------------------------

#: added to the norm before it divides, as torch.nn.utils.clip_grad_norm_ does
NORM_EPS = 1e-6


def clip_factor(grads: Mapping[str, np.ndarray], most: float) -> Tensors:
    """``<param>.grad.square_sum`` [1] each, ``grad_norm`` [1] and ``clip_factor`` [1] = min(1, most / (norm + 1e-6)).

    Source: https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
    """
    found, total, dtype = {}, 0.0, np.dtype(np.float32)
    for name, grad in grads.items():
        dtype = grad.dtype
        found[f"{name}.grad.square_sum"] = part = np.array([np.square(grad, dtype=np.float64).sum()], dtype)
        total += float(part[0])
    found["grad_norm"] = norm = np.array([math.sqrt(total)], dtype)
    factor = np.minimum(1.0, most / (float(norm[0]) + NORM_EPS))  # not min(): that would make 1 of NaN
    found["clip_factor"] = np.array([factor], dtype)
    return found


def clip_blocks(shapes: Mapping[str, Shape], most: float) -> list[Block]:
    """The blocks of ``clip_factor``."""

    def scalar(node: str, writes: str, reads: list, evaluate: Callable, **more: Any) -> Block:
        return make_block(
            node,
            "clip",
            writes,
            (1,),
            reads,
            lambda values, _coords: (evaluate(values), {}),
            phase="update",
            **more,
        )

    found = [
        scalar(
            name.rsplit(".", 1)[0],
            f"{name}.grad.square_sum",
            [("g", f"{name}.grad", "grad", every)],
            lambda values: values["g"] ** 2,
            combine="sum",
            terms=tuple(zip(LOOPS.get(len(shape), ("a", "b", "c", "d", "e")), shape, strict=False)),
            formula=r"q = \sum g^2",
            body=["q = (g ** 2).sum()"],
        )
        for name, shape in shapes.items()
    ]
    names = [f"q{i}" for i in range(1, len(shapes) + 1)]
    operands = [(q, f"{name}.grad.square_sum", "grad", lone) for q, name in zip(names, shapes, strict=True)]
    last = "clip"
    norm = scalar(
        last,
        "grad_norm",
        operands,
        lambda values: np.sqrt(np.concatenate([values[q] for q in names], axis=1).sum(axis=1, keepdims=True)),
        formula=r"\|g\| = \sqrt{" + " + ".join(f"q_{{{i}}}" for i in range(1, len(names) + 1)) + "}",
        body=["norm = sqrt(" + " + ".join(names) + ")"],
    )
    factor = scalar(
        last,
        "clip_factor",
        [("n", "grad_norm", "grad", lone)],
        lambda values: np.minimum(1.0, most / (values["n"] + NORM_EPS)),
        formula=rf"c = \min\left(1, \frac{{{tex(most)}}}{{\|g\| + 10^{{-6}}}}\right)",
        body=[f"c = min(1, {most:g} / (norm + 1e-6))"],
    )
    return [*found, norm, factor]
