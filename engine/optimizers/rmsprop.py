"""RMSprop: steps divided by a running root mean square of the gradient.

Source: https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf;
https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.layer import boolean, real
from engine.optimizer import Optimizer, Place, Tensors, register, tex
from engine.steps import Block


@register
@dataclass(frozen=True)
class RMSprop(Optimizer):
    """v ← αv + (1 − α)g²;  d = g / (√v + ε);  w ← w − lr·d, or with momentum b ← μb + d, w ← w − lr·b.

    With ``centered`` the square of the mean gradient is taken off v under the root (``variance``).
    """

    kind = "rmsprop"
    lr: float = real(1e-2, low=0.0)
    alpha: float = real(0.99, low=0.0, high=1.0)
    eps: float = real(1e-8, low=0.0)
    momentum: float = real(0.0, low=0.0)
    centered: bool = boolean(False)

    def states(self) -> tuple[str, ...]:
        """``square_avg``, and ``grad_avg``, ``momentum_buffer`` where they are used."""
        more = [("grad_avg", self.centered), ("momentum_buffer", self.momentum)]
        return ("square_avg", *(name for name, used in more if used))

    def update(
        self, w: np.ndarray, grad: np.ndarray, state: Tensors | None, iteration: int, factor: float
    ) -> Tensors:
        """``grad.total``, ``square_avg``, (``grad_avg``, ``variance``), ``scaled``, (``momentum_buffer``), …"""
        a = self.alpha
        g = self.total(w, grad, factor)
        v = (1 - a) * np.square(g)
        if state is not None:
            v += a * state["square_avg"]
        found = {"grad.total": g, "square_avg": v}
        if self.centered:
            mean = (1 - a) * g
            if state is not None:
                mean += a * state["grad_avg"]
            # in float64: v − mean² cancels, and what is left must not be rounding
            wide = v.astype(np.float64) - np.square(mean, dtype=np.float64)
            found |= {"grad_avg": mean, "variance": (v := np.maximum(wide, 0).astype(w.dtype))}
        found["scaled"] = direction = g / (np.sqrt(v) + self.eps)
        if self.momentum:
            if state is not None:
                direction = direction + self.momentum * state["momentum_buffer"]
            else:
                direction = direction.copy()
            found["momentum_buffer"] = direction
        step = self.rate(iteration) * direction
        return found | {"step": step, "next": w - step}

    def blocks(self, at: Place) -> list[Block]:
        """One block per tensor of ``update``."""
        a, mu, lr = self.alpha, self.momentum, self.rate(at.iteration)
        found = [
            self.total_block(at),
            self.block(
                at,
                "square_avg",
                {"v": "square_avg.prev", "g": "grad.total"},
                lambda v: [a * v["v"], (1 - a) * v["g"] ** 2],
                formula=rf"v' = {tex(a)}\, v + {tex(1 - a)}\, g_{{\mathrm{{total}}}}^2",
                code=f"v[@] = {a:g} * v[@] + {1 - a:g} * total[@] ** 2",
                parts=2,
            ),
        ]
        if self.centered:
            found += [
                self.block(
                    at,
                    "grad_avg",
                    {"m": "grad_avg.prev", "g": "grad.total"},
                    lambda v: [a * v["m"], (1 - a) * v["g"]],
                    formula=rf"\bar g' = {tex(a)}\, \bar g + {tex(1 - a)}\, g_{{\mathrm{{total}}}}",
                    code=f"mean[@] = {a:g} * mean[@] + {1 - a:g} * total[@]",
                    parts=2,
                ),
                self.block(
                    at,
                    "variance",
                    {"v": "square_avg", "m": "grad_avg"},
                    lambda v: [np.maximum(v["v"] - v["m"] ** 2, 0)],
                    formula=r"\sigma^2 = \max(v' - \bar g'^2,\, 0)",
                    code="variance[@] = max(v[@] - mean[@] ** 2, 0)",
                ),
            ]
        second, symbol, name = ("variance", r"\sigma^2", "variance") if self.centered else ("square_avg", "v'", "v")
        found.append(
            self.block(
                at,
                "scaled",
                {"g": "grad.total", "v": second},
                lambda v: [v["g"] / (np.sqrt(v["v"]) + self.eps)],
                formula=rf"d = \frac{{g_{{\mathrm{{total}}}}}}{{\sqrt{{{symbol}}} + {tex(self.eps)}}}",
                code=f"d[@] = total[@] / (sqrt({name}[@]) + {self.eps:g})",
            )
        )
        if mu:
            found.append(
                self.block(
                    at,
                    "momentum_buffer",
                    {"b": "momentum_buffer.prev", "d": "scaled"},
                    lambda v: [mu * v["b"], v["d"]],
                    formula=rf"b' = {tex(mu)}\, b + d",
                    code=f"b[@] = {mu:g} * b[@] + d[@]",
                    parts=2,
                )
            )
        step = self.block(
            at,
            "step",
            {"d": "momentum_buffer" if mu else "scaled"},
            lambda v: [lr * v["d"]],
            formula=rf"s = {tex(lr)}\, {'b' if mu else 'd'}" + ("'" if mu else ""),
            code=f"step[@] = {lr:g} * {'b' if mu else 'd'}[@]",
            extra={"lr": lr},
        )
        return [*found, step, self.next_block(at)]
