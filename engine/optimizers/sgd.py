"""Stochastic gradient descent with momentum.

Source: https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.document import refuse
from engine.layer import boolean, real
from engine.optimizer import Optimizer, Place, Tensors, register, tex
from engine.steps import Block


@register
@dataclass(frozen=True)
class SGD(Optimizer):
    """b ← μ·b + (1 − τ)·g;  w ← w − lr·b, or w − lr·(g + μ·b) with Nesterov.

    ``momentum_buffer`` begins as the first gradient itself, as in PyTorch.
    """

    kind = "sgd"
    momentum: float = real(0.0, low=0.0)
    dampening: float = real(0.0)
    nesterov: bool = boolean(False)

    def __post_init__(self) -> None:
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            raise refuse(
                "optimizer.nesterov",
                "bad_value",
                True,
                "momentum > 0 and dampening 0",
                "set momentum and leave dampening at 0",
            )

    def states(self) -> tuple[str, ...]:
        """``momentum_buffer``, with momentum."""
        return ("momentum_buffer",) if self.momentum else ()

    def update(
        self, w: np.ndarray, grad: np.ndarray, state: Tensors | None, iteration: int, factor: float
    ) -> Tensors:
        """``grad.total``, ``momentum_buffer``, ``step``, ``next``."""
        g = self.total(w, grad, factor)
        found = {"grad.total": g}
        direction = g
        if self.momentum:
            if state is None:
                buffer = g.copy()
            else:
                buffer = self.momentum * state["momentum_buffer"]
                buffer += (1 - self.dampening) * g
            found["momentum_buffer"] = buffer
            direction = g + self.momentum * buffer if self.nesterov else buffer
        step = self.rate(iteration) * direction
        return found | {"step": step, "next": w - step}

    def blocks(self, at: Place) -> list[Block]:
        """One block per tensor of ``update``."""
        mu, tau, lr = self.momentum, self.dampening, self.rate(at.iteration)
        found = [self.total_block(at)]
        if mu and not at.has_state:
            found.append(
                self.block(
                    at,
                    "momentum_buffer",
                    {"g": "grad.total"},
                    lambda v: [v["g"]],
                    formula=r"b = g_{\mathrm{total}}\quad(\text{first step})",
                    code="b[@] = total[@]  # the first step",
                )
            )
        elif mu:
            found.append(
                self.block(
                    at,
                    "momentum_buffer",
                    {"b": "momentum_buffer.prev", "g": "grad.total"},
                    lambda v: [mu * v["b"], (1 - tau) * v["g"]],
                    formula=rf"b' = {tex(mu)}\, b + {tex(1 - tau)}\, g_{{\mathrm{{total}}}}",
                    code=f"b[@] = {mu:g} * b[@] + {1 - tau:g} * total[@]",
                    parts=2,
                )
            )
        if self.nesterov:
            reads = {"g": "grad.total", "b": "momentum_buffer"}
            step = self.block(
                at,
                "step",
                reads,
                lambda v: [lr * v["g"], lr * mu * v["b"]],
                formula=rf"s = {tex(lr)}\,(g_{{\mathrm{{total}}}} + {tex(mu)}\, b')",
                code=f"step[@] = {lr:g} * (total[@] + {mu:g} * b[@])",
                parts=2,
                extra={"lr": lr},
            )
        else:
            name, symbol = ("momentum_buffer", "b'") if mu else ("grad.total", r"g_{\mathrm{total}}")
            step = self.block(
                at,
                "step",
                {"g": name},
                lambda v: [lr * v["g"]],
                formula=rf"s = {tex(lr)}\, {symbol}",
                code=f"step[@] = {lr:g} * {'b' if mu else 'total'}[@]",
                extra={"lr": lr},
            )
        return [*found, step, self.next_block(at)]
