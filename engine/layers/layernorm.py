"""Layer normalisation: the trailing dimensions of every sample get mean 0 and variance 1, then a learnt γ and β.

Source: https://arxiv.org/abs/1607.06450, https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.blocks import flat_index, loops_of
from engine.errors import ScenarioError
from engine.layer import Arrays, Context, Layer, Shape, boolean, custom, is_int, real, register
from engine.layers._norm import Norm
from engine.network import Grads, Node
from engine.steps import Block


def _parse_shape(value: Any, path: str) -> Shape:
    sizes = [value] if is_int(value) else value
    whole = isinstance(sizes, list | tuple) and all(is_int(n) and 1 <= n <= 1 << 24 for n in sizes)
    if not whole or not 1 <= len(sizes) <= 4:
        wanted = "a whole number, or a list of the last 1 to 4 dimensions"
        raise ScenarioError(
            f"{path}: {value!r} is not allowed; use {wanted}",
            reason="bad_value",
            field=path,
            value=value,
            bound=wanted,
            remedy=f"use {wanted}",
        )
    return tuple(int(n) for n in sizes)


@register
@dataclass(frozen=True)
class LayerNorm(Layer):
    """x → y of the same shape; ``weight`` γ and ``bias`` β are ``normalized_shape``, the last dimensions of x.

    Writes ``mean`` and ``var`` (biased), which keep the dimensions that they average over as 1, ``x_hat``, ``out``.
    """

    kind = "layernorm"
    normalized_shape: Shape = custom(dataclasses.MISSING, _parse_shape)
    eps: float = real(1e-5, low=0.0)
    elementwise_affine: bool = boolean(True)
    bias: bool = boolean(True)
    constants: ClassVar[Mapping[str, float]] = {"weight": 1.0, "bias": 0.0}

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape; ``normalized_shape`` must be its end."""
        (x,) = xs
        end = x[-len(self.normalized_shape) :]
        if end != self.normalized_shape:
            remedy = f"use {list(x[1:])}" if len(x) > 1 else f"use {list(x)}"
            raise ScenarioError(
                f"normalized_shape {list(self.normalized_shape)} is not the end of the input's shape "
                f"{'×'.join(map(str, x))}; {remedy}",
                reason="bad_normalized_shape",
                field="normalized_shape",
                value=list(self.normalized_shape),
                bound=list(end),
                remedy=remedy,
            )
        return x

    @property
    def has_bias(self) -> bool:
        """A bias needs ``elementwise_affine``, too."""
        return self.elementwise_affine and self.bias

    def param_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """``weight`` and ``bias`` as far as they are wanted."""
        wanted = {"weight": self.elementwise_affine, "bias": self.has_bias}
        return {key: self.normalized_shape for key, there in wanted.items() if there}

    def _stats(self, x: Shape) -> Shape:
        kept = len(x) - len(self.normalized_shape)
        return x[:kept] + (1,) * len(self.normalized_shape)

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``mean``, ``var``, ``x_hat``."""
        stats = self._stats(xs[0])
        return {"mean": stats, "var": stats, "x_hat": xs[0]}

    def flops(self, xs: Sequence[Shape]) -> int:
        """Per cell: mean 1, variance 3, x̂ 2, scale and shift 2."""
        return 8 * math.prod(xs[0])

    def workspace(self, xs: Sequence[Shape]) -> int:
        """One copy of the input in float64."""
        return 2 * math.prod(xs[0])

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Statistics, then x̂, then γ · x̂ + β; all in float64 from what is stored."""
        (x,) = xs
        axes = self._axes(x)
        mean = x.mean(axis=axes, dtype=np.float64, keepdims=True).astype(x.dtype)
        work = np.subtract(x, mean, dtype=np.float64)
        var = np.square(work).mean(axis=axes, keepdims=True).astype(x.dtype)
        work /= self._std(var)
        x_hat = work.astype(x.dtype)
        cache = {"mean": mean, "var": var, "x_hat": x_hat}
        if not self.elementwise_affine:
            return x_hat.copy(order="K"), cache
        np.multiply(x_hat, params["weight"], out=work, dtype=np.float64)
        if self.has_bias:
            work += params["bias"]
        return work.astype(x.dtype), cache

    def _axes(self, x: np.ndarray) -> tuple[int, ...]:
        return tuple(range(x.ndim - len(self.normalized_shape), x.ndim))

    def _std(self, var: np.ndarray) -> np.ndarray:
        return np.sqrt(var.astype(np.float64) + self.eps)

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """∂γ and ∂β sum over the samples; ``grad_sum`` and ``grad_dot`` over each sample's own cells."""
        x_hat, axes = cache["x_hat"], self._axes(dy)
        lead = tuple(range(axes[0]))
        grads: dict[str, np.ndarray] = {}
        if self.elementwise_affine:
            grads["weight"] = np.multiply(dy, x_hat, dtype=np.float64).sum(axis=lead).astype(dy.dtype)
        if self.has_bias:
            grads["bias"] = dy.sum(axis=lead, dtype=np.float64).astype(dy.dtype)
        if not ctx.dx:
            return [], grads
        scaled = dy.astype(np.float64)
        if self.elementwise_affine:
            scaled *= params["weight"]
        total = cache["grad_sum"] = scaled.sum(axis=axes, keepdims=True).astype(dy.dtype)
        dot = cache["grad_dot"] = (scaled * x_hat).sum(axis=axes, keepdims=True).astype(dy.dtype)
        m, std = math.prod(self.normalized_shape), self._std(cache["var"])
        scaled -= total.astype(np.float64) / m
        scaled -= dot.astype(np.float64) / m * x_hat
        scaled /= std
        return [scaled.astype(dy.dtype)], grads

    def _norm(self, node: Node) -> Norm:
        shape, stats, params = node.shape, self._stats(node.shape), self.normalized_shape
        m, loops = math.prod(params), loops_of(node.shape)
        kept = len(shape) - len(params)
        return Norm(
            node.name,
            node.kind,
            node.reads[0],
            shape,
            stats,
            params,
            self.eps,
            stat=lambda coords, _terms: flat_index(coords, shape) // m,
            param=lambda coords, _terms: flat_index(coords, shape) % m,
            group=lambda coords, terms: flat_index(coords, stats) * m + terms,
            sharers=lambda coords, terms: flat_index(coords, params) + terms * m,
            stat_loops=loops[:kept],
            param_loops=loops[kept:],
            weight=self.elementwise_affine,
            bias=self.has_bias,
            inner=True,
        )

    def blocks(self, node: Node) -> list[Block]:
        """``mean``, ``var``, ``x_hat``, ``out``."""
        norm = self._norm(node)
        return [norm.mean_block(), norm.var_block(), norm.hat_block(), norm.out_block()]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """∂β, ∂γ, ``grad_sum``, ``grad_dot``, ∂input."""
        norm = self._norm(node)
        found = norm.param_grads(grads.out, dict(grads.params)) + norm.group_sums(grads.out)
        return [*found, norm.input_grad(grads.xs[0], grads.out, (norm.tensor("grad_sum"), norm.tensor("grad_dot")))]
