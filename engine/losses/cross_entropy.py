"""Cross-entropy from logits: −Σ y·log softmax(x), the mean over the samples.

Source: https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from engine.blocks import along, make_block, same, source_name
from engine.layer import Context, Shape, need_ndim, real
from engine.layers.softmax import Softmax
from engine.loss import Loss, Prediction, Tensors, mean, register, wide
from engine.losses._classes import sample_block, wanted, wanted_block
from engine.network import Node
from engine.steps import Block

INNER = ("max", "exp", "sum", "softmax")


@register
@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Writes ``max exp sum softmax`` (unless that is read through), ``y``, ``log_softmax``, ``sample``, ``data``.

    The target is a class index per sample or probabilities; ``label_smoothing`` ε makes y = (1 − ε)·y + ε / classes.
    """

    kind = "cross_entropy"
    takes_classes: ClassVar[bool] = True
    reads_logits: ClassVar[bool] = True
    label_smoothing: float = real(0.0, low=0.0, high=1.0)

    def check(self, shape: Shape) -> None:
        """One row of logits per sample."""
        need_ndim(shape, 2, self.kind)

    def forward(self, x: np.ndarray, target: np.ndarray, softmax: Tensors | None) -> Tensors:
        """log softmax = x − max − log Σ e^(x − max): right at logits of ±1e4, too."""
        found: Tensors = {}
        if softmax is None:
            p, cache = Softmax().forward({}, [x], Context())
            found = {key: cache[key] for key in INNER[:3]} | {"softmax": p}
        read = softmax or found
        y = wanted(target, x.shape, self.label_smoothing, x.dtype)
        log_p = (wide(x) - read["max"] - np.log(wide(read["sum"]))).astype(x.dtype)
        sample = -(wide(y) * log_p).sum(axis=1).astype(x.dtype)
        return found | {"y": y, "log_softmax": log_p, "sample": sample, "data": mean(sample, x.dtype)}

    def backward(self, x: np.ndarray, target: np.ndarray, found: Tensors, softmax: Tensors | None) -> np.ndarray:
        """(p − y) / N."""
        p = (softmax or found)["softmax"]
        return ((wide(p) - found["y"]) / max(1, len(x))).astype(x.dtype)

    def _names(self, at: Prediction) -> dict[str, str]:
        """Where max, exp, sum and softmax are: in the loss, or in the softmax that is read through."""
        if at.softmax is None:
            return {key: f"loss.{key}" for key in INNER}
        return {key: f"{at.softmax}.{key}" for key in INNER[:3]} | {"softmax": f"{at.softmax}.out"}

    def blocks(self, at: Prediction) -> list[Block]:
        """From the logits to the mean."""
        n = at.shape[0]
        names = self._names(at)
        inner = self._softmax(at) if at.softmax is None else []

        def evaluate(values: Tensors, _coords: Any) -> tuple[np.ndarray, Tensors]:
            return np.concatenate([values["x"], -values["m"], -np.log(values["s"])], axis=1), {}

        log_softmax = self.part(
            "log_softmax",
            at.shape,
            [
                ("x", at.tensor, "value", same(at.shape)),
                ("m", names["max"], "value", along(0)),
                ("s", names["sum"], "value", along(0)),
            ],
            evaluate,
            combine="sum",
            terms=(("part", 3),),
            formula=r"\log p_f = x_f - m - \log s",
            body=[f"log_p[@] = {at.source}[@] - m{_row(n)} - log(s{_row(n)})"],
        )
        return [
            *inner,
            wanted_block(self, at, self.label_smoothing),
            log_softmax,
            sample_block(self, at, "loss.log_softmax", r"\log p_f", "log_p"),
            self.mean_block("sample", (n,), "l", r"\ell_n"),
        ]

    def _softmax(self, at: Prediction) -> list[Block]:
        """The blocks of a softmax layer, as part of the loss."""
        node = Node("loss", Softmax(), (at.tensor.removesuffix(".out"),), (at.shape,), at.shape)
        made = []
        for block in node.layer.blocks(node):
            writes = "loss.softmax" if block.writes == "loss.out" else block.writes
            made.append(replace(block, kind=self.kind, phase="loss", writes=writes))
        return made

    def backward_block(self, at: Prediction, writes: str) -> Block:
        """*Fused*: (p − y) / N. *Unfolded*: the Jacobian's row of softmax times the gradient at its output."""
        n, classes = at.shape
        p = self._names(at)["softmax"]

        def row(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            return coords[0] * classes + terms

        def fused(values: Tensors, _coords: Any) -> tuple[np.ndarray, Tensors]:
            return np.concatenate([values["p"] / n, -values["y"] / n], axis=1), {}

        def unfolded(values: Tensors, coords: Sequence[np.ndarray]) -> tuple[np.ndarray, Tensors]:
            own = coords[1] == np.arange(classes)
            p_own = np.take_along_axis(values["p"], np.broadcast_to(coords[1], (len(values["p"]), 1)), axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                upstream = np.where(values["y"] == 0, 0.0, -values["y"] / (values["p"] * n))
            jacobian = values["p"] * (own - p_own)
            # the product of the two factors with p cancelled: p may have underflowed to 0
            return -values["y"] * (own - p_own) / n, {"upstream": upstream, "jacobian": jacobian}

        other = make_block(
            "loss",
            self.kind,
            writes,
            at.shape,
            [("p", p, "value", row), ("y", "loss.y", "value", row)],
            unfolded,
            combine="sum",
            terms=(("j", classes),),
            formula=r"\delta_f = \sum_j \underbrace{\frac{-y_j}{N\,p_j}}_{\partial L/\partial p_j}\;"
            r"\underbrace{p_j\,([f = j] - p_f)}_{\partial p_j/\partial x_f}",
            body=[f"upstream = -y{_row(n)} / ({n} * p{_row(n)})", "dy[@] = jacobian[{f}] @ upstream"],
            reading="unfolded",
            factors=("upstream", "jacobian"),
        )
        return make_block(
            "loss",
            self.kind,
            writes,
            at.shape,
            [("p", p, "value", same(at.shape)), ("y", "loss.y", "value", same(at.shape))],
            fused,
            combine="sum",
            terms=(("part", 2),),
            formula=rf"\delta_f = \frac{{1}}{{{n}}}\,(p_f - y_f)" if n > 1 else r"\delta_f = p_f - y_f",
            body=[f"dy[@] = ({source_name(p).removeprefix('loss.')}[@] - y[@])" + (f" / {n}" if n > 1 else "")],
            reading="fused",
            others=(other,),
        )


def _row(n: int) -> str:
    return "[{n}]" if n > 1 else ""
