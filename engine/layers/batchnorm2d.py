"""Batch normalisation: every channel gets mean 0 and variance 1, then a scale and a shift that are learnt.

Source: https://arxiv.org/abs/1502.03167, https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.blocks import along, make_block, same
from engine.errors import ScenarioError
from engine.layer import Arrays, Context, Layer, Shape, boolean, need_ndim, real, register
from engine.layers._norm import Norm
from engine.network import Grads, Node
from engine.steps import Block

CELLS = (0, 2, 3)


@register
@dataclass(frozen=True)
class BatchNorm2d(Layer):
    """x [N, C, H, W] → y of the same shape; ``weight`` γ and ``bias`` β are [C].

    With batch statistics (mode ``train``, or no running ones) it writes ``mean``, ``var`` (biased), the new running
    statistics, ``x_hat``, ``out``; otherwise ``x_hat`` from the running statistics and ``out``.
    """

    kind = "batchnorm2d"
    eps: float = real(1e-5, low=0.0)
    momentum: float = real(0.1, low=0.0, high=1.0)
    affine: bool = boolean(True)
    track_running_stats: bool = boolean(True)
    constants: ClassVar[Mapping[str, float]] = {"weight": 1.0, "running_var": 1.0}

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape."""
        need_ndim(xs[0], 4, self.kind)
        return xs[0]

    def of_batch(self, mode: str) -> bool:
        """True where mean and variance are those of the batch: without running ones in both modes, as in PyTorch."""
        return mode == "train" or not self.track_running_stats

    def check(self, xs: Sequence[Shape], mode: str) -> None:
        """One value per channel has no variance; PyTorch refuses it, too."""
        n, _, height, width = xs[0]
        if self.of_batch(mode) and n * height * width == 1:
            remedy = "use a larger batch or larger maps" + ("" if mode == "eval" else ", or mode 'eval'")
            raise ScenarioError(
                "batch statistics need more than 1 value per channel, but the input is "
                f"{'×'.join(map(str, xs[0]))}; {remedy}",
                reason="batch_too_small",
                field="inputs",
                value=list(xs[0]),
                bound=2,
                remedy=remedy,
            )

    def param_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """``weight`` and ``bias``, unless ``affine`` is off."""
        return {"weight": (xs[0][1],), "bias": (xs[0][1],)} if self.affine else {}

    def buffer_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """``running_mean`` and ``running_var``, unless ``track_running_stats`` is off."""
        return {"running_mean": (xs[0][1],), "running_var": (xs[0][1],)} if self.track_running_stats else {}

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``mean``, ``var`` and the new running statistics where the batch's are used; ``x_hat`` always."""
        names = ("mean", "var") if self.of_batch(mode) else ()
        names += ("running_mean.next", "running_var.next") if names and self.track_running_stats else ()
        return dict.fromkeys(names, (xs[0][1],)) | {"x_hat": xs[0]}

    def flops(self, xs: Sequence[Shape]) -> int:
        """Per cell: mean 1, variance 3, x̂ 2, scale and shift 2."""
        return 8 * math.prod(xs[0])

    def workspace(self, xs: Sequence[Shape]) -> int:
        """One copy of the input in float64."""
        return 2 * math.prod(xs[0])

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Statistics, then x̂, then γ · x̂ + β."""
        (x,) = xs
        cache: dict[str, np.ndarray] = {}
        if self.of_batch(ctx.mode):
            m = x.size // x.shape[1]
            mean = cache["mean"] = x.mean(axis=CELLS, dtype=np.float64).astype(x.dtype)
            square = np.subtract(x, _wide(mean), dtype=np.float64)
            np.square(square, out=square)
            var = cache["var"] = square.mean(axis=CELLS).astype(x.dtype)
            if self.track_running_stats:
                for key, new in (("running_mean", _double(mean)), ("running_var", _double(var) * m / (m - 1))):
                    kept = _double(params[key]) * (1 - self.momentum)
                    cache[f"{key}.next"] = (kept + self.momentum * new).astype(x.dtype)
        else:
            mean, var = params["running_mean"], params["running_var"]
        work = np.subtract(x, _wide(mean), dtype=np.float64)
        work /= _wide(self._std(var))
        x_hat = cache["x_hat"] = work.astype(x.dtype)
        if not self.affine:
            return x_hat.copy(order="K"), cache
        np.multiply(x_hat, _wide(params["weight"]), out=work)
        work += _wide(params["bias"])
        return work.astype(x.dtype), cache

    def _std(self, var: np.ndarray) -> np.ndarray:
        return np.sqrt(_double(var) + self.eps)

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """∂β = Σ δ, ∂γ = Σ δ · x̂; both sums are also what reaches ∂input through mean and variance."""
        x_hat, batch = cache["x_hat"], self.of_batch(ctx.mode)
        if not (self.affine or ctx.dx):
            return [], {}
        total = dy.sum(axis=CELLS, dtype=np.float64).astype(dy.dtype)
        dot = np.multiply(dy, x_hat, dtype=np.float64).sum(axis=CELLS).astype(dy.dtype)
        grads = {"weight": dot, "bias": total} if self.affine else {}
        if not ctx.dx:
            return [], grads
        scale = 1 / self._std(cache["var"] if batch else params["running_var"])
        if self.affine:
            scale *= params["weight"]
        dx = np.multiply(dy, _wide(scale))
        if batch:
            m = dy.size // dy.shape[1]
            dx -= _wide(scale * total / m)
            dx -= _wide(scale * dot / m) * x_hat
            if not self.affine:
                cache["grad_sum"], cache["grad_dot"] = total, dot
        return [dx.astype(dy.dtype)], grads

    def _norm(self, node: Node) -> Norm:
        _, c, height, width = node.shape
        area, batch = height * width, self.of_batch(node.mode)

        def group(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            return (terms // area * c + coords[0]) * area + terms % area

        return Norm(
            node.name,
            node.kind,
            node.reads[0],
            node.shape,
            (c,),
            (c,),
            self.eps,
            along(1),
            along(1),
            group,
            group,
            ("c",),
            ("c",),
            weight=self.affine,
            bias=self.affine,
            inner=False,
            mean="mean" if batch else "running_mean",
            var="var" if batch else "running_var",
        )

    def blocks(self, node: Node) -> list[Block]:
        """With batch statistics ``mean``, ``var`` and the new running ones; then ``x_hat``, ``out``."""
        norm = self._norm(node)
        found = []
        if self.of_batch(node.mode):
            found = [norm.mean_block(), norm.var_block()]
            if self.track_running_stats:
                found += [self._running_block(norm, "mean"), self._running_block(norm, "var")]
        return [*found, norm.hat_block(), norm.out_block()]

    def _running_block(self, norm: Norm, key: str) -> Block:
        """(1 − momentum) · running + momentum · new, where the new variance is the unbiased one, · M / (M − 1)."""
        m, rate = norm.size, self.momentum
        unbiased = m / (m - 1) if key == "var" else 1.0
        symbol = {"mean": r"\mu", "var": r"\sigma^2"}[key]
        factor, times = (rf"\frac{{{m}}}{{{m - 1}}}\, ", f" * {m} / {m - 1}") if key == "var" else ("", "")

        def evaluate(values: dict[str, np.ndarray], _coords: object) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return np.concatenate([(1 - rate) * values["r"], rate * unbiased * values["s"]], axis=1), {}

        return make_block(
            norm.node,
            norm.kind,
            norm.tensor(f"running_{key}.next"),
            norm.stats,
            [norm.operand("r", f"running_{key}", same(norm.stats)), norm.operand("s", key, same(norm.stats))],
            evaluate,
            formula=rf"{symbol}_{{\mathrm{{run}}}}' = {1 - rate:g}\, {symbol}_{{\mathrm{{run}}}} + {rate:g}\, "
            rf"{factor}{symbol}_{{c}}",
            body=[f"running_{key}_next[@] = {1 - rate:g} * running_{key}[@] + {rate:g} * {key}[@]{times}"],
            phase="forward",
            loops=("c",),
            combine="sum",
            terms=(("part", 2),),
        )

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """∂β, ∂γ (or ``grad_sum``, ``grad_dot`` where they are needed and there is no γ), ∂input."""
        norm, batch = self._norm(node), self.of_batch(node.mode)
        if self.affine:
            found = norm.param_grads(grads.out, dict(grads.params))
            sums = (grads.params["bias"], grads.params["weight"])
        else:
            found = norm.group_sums(grads.out) if batch else []
            sums = (norm.tensor("grad_sum"), norm.tensor("grad_dot"))
        return [*found, norm.input_grad(grads.xs[0], grads.out, sums if batch else None)]


def _wide(channel: np.ndarray) -> np.ndarray:
    """[C] → [C, 1, 1], in float64."""
    return _double(channel)[:, None, None]


def _double(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64)
