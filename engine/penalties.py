"""Penalties on the weights of convolutions and dense layers: L1 = λ₁·Σ|w| and L2 = λ₂/2·Σw².

They are part of the loss, and of each weight's gradient: data gradient + λ₂·w + λ₁·sign(w), with sign(0) = 0.

Source: https://www.deeplearningbook.org/contents/regularization.html (7.1)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.blocks import every, lone, make_block, same
from engine.layer import Shape
from engine.network import Network
from engine.steps import Block


@dataclass(frozen=True)
class Penalty:
    """The two strengths; 0 switches a penalty off."""

    l1: float = 0.0
    l2: float = 0.0

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those that are on, in the order of the loss."""
        return tuple(kind for kind in ("l1", "l2") if getattr(self, kind))

    def covers(self, network: Network, param: str) -> bool:
        """Whether a parameter's gradient has a penalty part."""
        return bool(self.kinds) and param in network.penalised

    def gradient(self, grad: np.ndarray, w: np.ndarray) -> np.ndarray:
        """Data gradient + penalty part; a float32 sum of three is rounded once."""
        total = grad.astype(np.float64)
        if self.l2:
            total += self.l2 * w.astype(np.float64)
        if self.l1:
            total += self.l1 * np.sign(w)
        return total.astype(grad.dtype)

    def loss(self, params: Mapping[str, np.ndarray], names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """``loss.l1@<param>`` each, their sum ``loss.l1``, then the same of ``l2``: all of shape (1,)."""
        found: dict[str, np.ndarray] = {}
        for kind in self.kinds if names else ():
            parts = []
            for name in names:
                w = params[name]
                wide = w.astype(np.float64, copy=False)
                value = self.l1 * np.abs(wide).sum() if kind == "l1" else self.l2 / 2 * np.square(wide).sum()
                found[f"loss.{kind}@{name}"] = part = np.array([value], w.dtype)
                parts.append(part)
            total = sum(float(part[0]) for part in parts)
            found[f"loss.{kind}"] = np.array([total], parts[0].dtype)
        return found

    def blocks(self, shapes: Mapping[str, Shape]) -> list[Block]:
        """One block per penalised tensor, then their sum, for each penalty that is on."""
        found = []
        for kind in self.kinds if shapes else ():
            found += [self._part(kind, name, shape) for name, shape in shapes.items()]
            parts = [(f"p{i}", f"loss.{kind}@{name}", f"p_{{{i}}}") for i, name in enumerate(shapes, start=1)]
            found.append(sum_block(f"loss.{kind}", parts, rf"L_{{{kind}}}"))
        return found

    def _part(self, kind: str, name: str, shape: Shape) -> Block:
        strength = getattr(self, kind)
        l1 = kind == "l1"

        def evaluate(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return (strength * np.abs(values["w"]) if l1 else strength / 2 * values["w"] ** 2), {}

        return make_block(
            "loss",
            kind,
            f"loss.{kind}@{name}",
            (1,),
            [("w", name, "weight", every)],
            evaluate,
            phase="loss",
            combine="sum",
            terms=tuple((f"i{d}", n) for d, n in enumerate(shape)),
            formula=rf"{strength:g} \sum_i |w_i|" if l1 else rf"\tfrac{{{strength:g}}}{{2}} \sum_i w_i^2",
            body=[f"part = {strength:g} * abs(w).sum()" if l1 else f"part = {strength:g} / 2 * (w ** 2).sum()"],
        )


def sum_block(writes: str, parts: list[tuple[str, str, str]], symbol: str) -> Block:
    """A scalar of the loss that is the sum of others; each part is (name in the code, tensor, LaTeX)."""

    def evaluate(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return np.concatenate([values[name] for name, _, _ in parts], axis=1), {}

    return make_block(
        "loss",
        "sum",
        writes,
        (1,),
        [(name, tensor, "value", lone) for name, tensor, _ in parts],
        evaluate,
        phase="loss",
        combine="sum",
        terms=(("part", len(parts)),),
        formula=f"{symbol} = " + " + ".join(latex for _, _, latex in parts),
        body=[f"{writes.rsplit('.', 1)[-1]} = " + " + ".join(name for name, _, _ in parts)],
    )


def penalty_block(data: Block, penalty: Penalty) -> Block:
    """``<param>.grad``: the data gradient and what the penalties add."""
    param = data.writes.removesuffix(".grad@data")
    parts, terms = ["g[@]"], [r"g_{\mathrm{data}}"]
    if penalty.l2:
        parts.append(f"{penalty.l2:g} * w[@]")
        terms.append(rf"{penalty.l2:g}\, w")
    if penalty.l1:
        parts.append(f"{penalty.l1:g} * sign(w[@])")
        terms.append(rf"{penalty.l1:g}\, \mathrm{{sign}}(w)")

    def evaluate(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        columns = [values["g"]]
        if penalty.l2:
            columns.append(penalty.l2 * values["w"])
        if penalty.l1:
            columns.append(penalty.l1 * np.sign(values["w"]))
        return np.concatenate(columns, axis=1), {}

    return make_block(
        data.node,
        "penalty",
        f"{param}.grad",
        data.shape,
        [("g", data.writes, "grad", same(data.shape)), ("w", param, "weight", same(data.shape))],
        evaluate,
        combine="sum",
        loops=data.loops,
        terms=(("part", len(parts)),),
        formula="g = " + " + ".join(terms),
        body=["dw[@] = " + " + ".join(parts)],
    )
