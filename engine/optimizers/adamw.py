"""AdamW: Adam with the weight decay beside the gradient instead of in it.

Source: https://arxiv.org/abs/1711.05101; https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.layer import real
from engine.optimizer import Place, register, tex
from engine.optimizers.adam import Adam
from engine.steps import Block


@register
@dataclass(frozen=True)
class AdamW(Adam):
    """w ← w − lr·λ·w − step: the decay is not scaled by the gradient's moments."""

    kind = "adamw"
    coupled: ClassVar[bool] = False
    weight_decay: float = real(1e-2, low=0.0)

    def after(self, w: np.ndarray, step: np.ndarray, iteration: int) -> np.ndarray:
        """w·(1 − lr·λ) − step."""
        return w * (1 - self.rate(iteration) * self.weight_decay) - step

    def next_block(self, at: Place) -> Block:
        """``next``: the weight, its decay and the step as three terms."""
        decay = self.rate(at.iteration) * self.weight_decay
        return self.block(
            at,
            "next",
            {"w": "", "s": "step"},
            lambda v: [v["w"], -decay * v["w"], -v["s"]],
            formula=rf"w' = w - {tex(self.rate(at.iteration))} \cdot {tex(self.weight_decay)}\, w - s",
            code=f"w_next[@] = w[@] - {self.rate(at.iteration):g} * {self.weight_decay:g} * w[@] - step[@]",
            parts=3,
            extra={"lr": self.rate(at.iteration)},
        )
