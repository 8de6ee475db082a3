"""Learning-rate schedules: the rate of an iteration, in closed form.

Source: https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.layer import fields_of, integer, real


class Schedule(ABC):
    """One schedule: ``rate(lr, i)`` of the 0-based iteration ``i``."""

    kind: ClassVar[str]

    @abstractmethod
    def rate(self, lr: float, iteration: int) -> float:
        """The learning rate of this iteration."""

    def config(self) -> dict[str, Any]:
        """``kind`` and every setting."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]
        return {"kind": self.kind} | {f.name: getattr(self, f.name) for f in fields}


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate throughout."""

    kind = "constant"

    def rate(self, lr: float, iteration: int) -> float:
        """lr."""
        return lr


@dataclass(frozen=True)
class Step(Schedule):
    """Times ``gamma`` after every ``step_size`` iterations (PyTorch's StepLR)."""

    kind = "step"
    step_size: int = integer(high=2**31 - 1)
    gamma: float = real(0.1, low=0.0)

    def rate(self, lr: float, iteration: int) -> float:
        """lr · gamma^⌊i / step_size⌋."""
        try:
            return lr * self.gamma ** (iteration // self.step_size)
        except OverflowError:  # gamma > 1, long ago: where NumPy would have infinity, Python raises
            return math.inf if lr else 0.0


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine from lr down to ``eta_min`` at ``T_max``, and back again (PyTorch's CosineAnnealingLR)."""

    kind = "cosine"
    T_max: int = integer(high=2**31 - 1)
    eta_min: float = real(0.0, low=0.0)

    def rate(self, lr: float, iteration: int) -> float:
        """eta_min + (lr − eta_min) · (1 + cos(π·i / T_max)) / 2."""
        return self.eta_min + (lr - self.eta_min) * (1 + math.cos(math.pi * iteration / self.T_max)) / 2


@dataclass(frozen=True)
class Warmup(Schedule):
    """From lr·``start_factor`` in equal steps up to lr at ``total_iters`` (PyTorch's LinearLR)."""

    kind = "warmup"
    start_factor: float = real(1 / 3, low=0.0, high=1.0)
    total_iters: int = integer(5, high=2**31 - 1)

    def rate(self, lr: float, iteration: int) -> float:
        """lr · (start_factor + (1 − start_factor) · min(i, total_iters) / total_iters)."""
        part = min(iteration, self.total_iters) / self.total_iters
        return lr * (self.start_factor + (1 - self.start_factor) * part)


SCHEDULES: dict[str, type[Schedule]] = {cls.kind: cls for cls in (Constant, Step, Cosine, Warmup)}


def build(given: Any, path: str) -> Schedule:
    """A schedule from its scenario entry; raises ScenarioError."""
    return fields_of(SCHEDULES, given, path)
