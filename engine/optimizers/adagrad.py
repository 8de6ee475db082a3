"""Adagrad: steps divided by the root of the sum of all squared gradients so far.

Source: https://jmlr.org/papers/v12/duchi11a.html; https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import real
from engine.optimizer import Optimizer, Place, Tensors, register, tex
from engine.steps import Block


@register
@dataclass(frozen=True)
class Adagrad(Optimizer):
    """a ← a + g²;  w ← w − lr/(1 + (t − 1)·lr_decay) · g / (√a + ε)."""

    kind = "adagrad"
    lr: float = real(1e-2, low=0.0)
    lr_decay: float = real(0.0, low=0.0)
    initial_accumulator_value: float = real(0.0, low=0.0)
    eps: float = real(1e-10, low=0.0)

    def states(self) -> tuple[str, ...]:
        """``sum``: of the squared gradients."""
        return ("sum",)

    def initial(self, state: str) -> float:
        """``initial_accumulator_value``."""
        return self.initial_accumulator_value

    def rate(self, iteration: int) -> float:
        """The scheduled rate over 1 + iteration·lr_decay."""
        return super().rate(iteration) / (1 + iteration * self.lr_decay)

    def update(
        self, w: np.ndarray, grad: np.ndarray, state: Tensors | None, iteration: int, factor: float
    ) -> Tensors:
        """``grad.total``, ``sum``, ``step``, ``next``."""
        g = self.total(w, grad, factor)
        total = np.square(g)
        total += self.initial_accumulator_value if state is None else state["sum"]
        step = g / (np.sqrt(total) + self.eps)
        step *= self.rate(iteration)
        return {"grad.total": g, "sum": total, "step": step, "next": w - step}

    def blocks(self, at: Place) -> list[Block]:
        """One block per tensor of ``update``."""
        lr = self.rate(at.iteration)
        return [
            self.total_block(at),
            self.block(
                at,
                "sum",
                {"a": "sum.prev", "g": "grad.total"},
                lambda v: [v["a"], v["g"] ** 2],
                formula=r"a' = a + g_{\mathrm{total}}^2",
                code="a[@] = a[@] + total[@] ** 2",
                parts=2,
            ),
            self.block(
                at,
                "step",
                {"g": "grad.total", "a": "sum"},
                lambda v: [lr * v["g"] / (np.sqrt(v["a"]) + self.eps)],
                formula=rf"s = \frac{{{tex(lr)}\, g_{{\mathrm{{total}}}}}}{{\sqrt{{a'}} + {tex(self.eps)}}}",
                code=f"step[@] = {lr:g} * total[@] / (sqrt(a[@]) + {self.eps:g})",
                extra={"lr": lr},
            ),
            self.next_block(at),
        ]
