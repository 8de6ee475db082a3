"""Adam: steps scaled by running moments of the gradient.

Source: https://arxiv.org/abs/1412.6980; https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.document import refuse
from engine.layer import boolean, custom, real
from engine.optimizer import Optimizer, Place, Tensors, register, tex
from engine.steps import Block


def _parse_betas(value: Any, path: str) -> tuple[float, float]:
    ok = isinstance(value, list | tuple) and len(value) == 2
    if not ok or not all(isinstance(b, int | float) and not isinstance(b, bool) and 0 <= b < 1 for b in value):
        raise refuse(
            path, "bad_value", str(value)[:40], "two numbers, each 0 ≤ β < 1", "use for example [0.9, 0.999]"
        )
    return float(value[0]), float(value[1])


@register
@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  w ← w − lr·m̂ / (√v̂ + ε), with m̂ = m/(1 − β₁ᵗ), v̂ likewise.

    With ``amsgrad`` v̂ is made of the largest v so far. t is the iteration + 1.
    """

    kind = "adam"
    betas: tuple[float, float] = custom((0.9, 0.999), _parse_betas)
    eps: float = real(1e-8, low=0.0)
    amsgrad: bool = boolean(False)

    def states(self) -> tuple[str, ...]:
        """First and second moment, and the largest second one with ``amsgrad``."""
        return ("exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if self.amsgrad else ()))

    def _second(self) -> str:
        return "max_exp_avg_sq" if self.amsgrad else "exp_avg_sq"

    def update(
        self, w: np.ndarray, grad: np.ndarray, state: Tensors | None, iteration: int, factor: float
    ) -> Tensors:
        """``grad.total``, the moments, their hats, ``step``, ``next``."""
        b1, b2 = self.betas
        g = self.total(w, grad, factor)
        m, v = (1 - b1) * g, np.square(g)
        v *= 1 - b2
        if state is not None:
            m += b1 * state["exp_avg"]
            v += b2 * state["exp_avg_sq"]
        found = {"grad.total": g, "exp_avg": m, "exp_avg_sq": v}
        if self.amsgrad:
            found["max_exp_avg_sq"] = v = v.copy() if state is None else np.maximum(state["max_exp_avg_sq"], v)
        found["exp_avg.hat"] = m_hat = m / (1 - b1 ** (iteration + 1))
        found[f"{self._second()}.hat"] = v_hat = v / (1 - b2 ** (iteration + 1))
        step = np.sqrt(v_hat)
        step += self.eps
        np.divide(m_hat, step, out=step)
        step *= self.rate(iteration)
        return found | {"step": step, "next": self.after(w, step, iteration)}

    def after(self, w: np.ndarray, step: np.ndarray, iteration: int) -> np.ndarray:
        """The weights after the step."""
        return w - step

    def blocks(self, at: Place) -> list[Block]:
        """One block per tensor of ``update``."""
        b1, b2 = self.betas
        t, lr = at.iteration + 1, self.rate(at.iteration)
        c1, c2 = 1 - b1**t, 1 - b2**t
        second = self._second()
        found = [
            self.total_block(at),
            self.block(
                at,
                "exp_avg",
                {"m": "exp_avg.prev", "g": "grad.total"},
                lambda v: [b1 * v["m"], (1 - b1) * v["g"]],
                formula=rf"m' = {tex(b1)}\, m + {tex(1 - b1)}\, g_{{\mathrm{{total}}}}",
                code=f"m[@] = {b1:g} * m[@] + {1 - b1:g} * total[@]",
                parts=2,
            ),
            self.block(
                at,
                "exp_avg_sq",
                {"v": "exp_avg_sq.prev", "g": "grad.total"},
                lambda v: [b2 * v["v"], (1 - b2) * v["g"] ** 2],
                formula=rf"v' = {tex(b2)}\, v + {tex(1 - b2)}\, g_{{\mathrm{{total}}}}^2",
                code=f"v[@] = {b2:g} * v[@] + {1 - b2:g} * total[@] ** 2",
                parts=2,
            ),
        ]
        if self.amsgrad:
            found.append(
                self.block(
                    at,
                    "max_exp_avg_sq",
                    {"a": "max_exp_avg_sq.prev", "v": "exp_avg_sq"},
                    lambda v: [v["a"], v["v"]],
                    formula=r"v_{\max}' = \max(v_{\max}, v')",
                    code="v_max[@] = max(v_max[@], v[@])",
                    parts=2,
                    combine="max",
                )
            )
        symbol = r"v_{\max}'" if self.amsgrad else "v'"
        found += [
            self.block(
                at,
                "exp_avg.hat",
                {"m": "exp_avg"},
                lambda v: [v["m"] / c1],
                formula=rf"\hat m = \frac{{m'}}{{1 - {{{tex(b1)}}}^{{{t}}}}} = \frac{{m'}}{{{tex(c1)}}}",
                code=f"m_hat[@] = m[@] / (1 - {b1:g} ** {t})",
                extra={"correction": c1},
            ),
            self.block(
                at,
                f"{second}.hat",
                {"v": second},
                lambda v: [v["v"] / c2],
                formula=rf"\hat v = \frac{{{symbol}}}{{1 - {{{tex(b2)}}}^{{{t}}}}} = \frac{{{symbol}}}{{{tex(c2)}}}",
                code=f"v_hat[@] = {'v_max' if self.amsgrad else 'v'}[@] / (1 - {b2:g} ** {t})",
                extra={"correction": c2},
            ),
            self.block(
                at,
                "step",
                {"m": "exp_avg.hat", "v": f"{second}.hat"},
                lambda v: [lr * v["m"] / (np.sqrt(v["v"]) + self.eps)],
                formula=rf"s = \frac{{{tex(lr)}\, \hat m}}{{\sqrt{{\hat v}} + {tex(self.eps)}}}",
                code=f"step[@] = {lr:g} * m_hat[@] / (sqrt(v_hat[@]) + {self.eps:g})",
                extra={"lr": lr},
            ),
        ]
        return [*found, self.next_block(at)]
