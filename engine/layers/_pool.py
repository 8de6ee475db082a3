"""What max and average pooling share: geometry, views, the shape of their block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import blocks
from engine.errors import ScenarioError
from engine.layer import Layer, Pair, Shape, need_ndim
from engine.layers import _common as common
from engine.network import Node
from engine.steps import Block, Evaluate, Role


class Pool(Layer):
    """A pooling layer with PyTorch's ``kernel_size``, ``stride``, ``padding`` and ``ceil_mode``."""

    kernel_size: Pair
    stride: Pair | None
    padding: Pair
    ceil_mode: bool

    @property
    def strides(self) -> Pair:
        """The stride, which defaults to the kernel size."""
        return self.stride or self.kernel_size

    def config(self) -> dict[str, Any]:
        """Hyper-parameters with the stride filled in."""
        return super().config() | {"stride": list(self.strides)}

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """Shape of the output; padding may be at most half the kernel, as in PyTorch."""
        (x,) = xs
        need_ndim(x, 4, self.kind)
        for k, p in zip(self.kernel_size, self.padding, strict=True):
            if p > k // 2:
                raise ScenarioError(
                    f"padding {p} is more than half of kernel_size {k}; use ≤ {k // 2}",
                    reason="padding_too_wide",
                    field="padding",
                    value=p,
                    bound=k // 2,
                    remedy=f"use ≤ {k // 2}",
                )
        common.need_fit(self.kind, x, self.kernel_size, (2 * self.padding[0], 2 * self.padding[1]))
        size = [
            common.out_size(x[2 + i], self.kernel_size[i], self.strides[i], self.padding[i], ceil=self.ceil_mode)
            for i in (0, 1)
        ]
        return (x[0], x[1], size[0], size[1])

    def flops(self, xs: Sequence[Shape]) -> int:
        """One comparison or addition per cell of each window."""
        n, c, height, width = self.out_shape(xs)
        return n * c * height * width * self.kernel_size[0] * self.kernel_size[1]

    def workspace(self, xs: Sequence[Shape]) -> int:
        """The padded copy of the input."""
        (x,) = xs
        rows, cols = common.pool_pads(x, self.out_shape(xs), self.kernel_size, self.strides, self.padding)
        return x[0] * x[1] * (x[2] + sum(rows)) * (x[3] + sum(cols)) if any(map(any, (rows, cols))) else 0

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """The size rule with its numbers."""
        return common.size_texts(xs[0], self.kernel_size, self.strides, self.padding, ceil=self.ceil_mode)

    def views(self, x: np.ndarray, fill: float) -> list[np.ndarray]:
        """For each kernel offset the cells under it; padding cells hold ``fill``."""
        out = self.out_shape([x.shape])
        pads = common.pool_pads(x.shape, out, self.kernel_size, self.strides, self.padding)
        if any(map(any, pads)):
            x = np.pad(x, ((0, 0), (0, 0), *pads), constant_values=fill)
        return common.windows(x, out, self.kernel_size, self.strides)

    def indices(self) -> tuple[str, str]:
        """Row and column of the cell under the kernel's offset, for the formula."""
        texts = []
        for i, (loop, k) in enumerate((("y", "k_y"), ("x", "k_x"))):
            head = loop if self.strides[i] == 1 else f"{self.strides[i]}{loop}"
            texts.append(f"{head}+{k}" + (f"-{self.padding[i]}" if self.padding[i] else ""))
        return texts[0], texts[1]

    def block(self, node: Node, evaluate: Evaluate, combine: str, formula: str, method: str, **more: Any) -> Block:
        """The block of this pool; ``method`` is the NumPy reduction shown in the code."""
        loops = ("n", "c", "y", "x")
        lines = blocks.nest(loops, node.shape)
        indent = "    " * len(lines)
        batch = "" if node.shape[0] == 1 else "{n}, "
        lines.append(
            f"{indent}window = {blocks.source_name(node.reads[0])}[{batch}{{c}}, {{y0}}:{{y1}}, {{x0}}:{{x1}}]"
        )
        lines.append(f"{indent}out[{blocks.subscript(loops, node.shape)}] = window.{method}()")
        slots = {}
        for i, loop in enumerate("yx"):
            slots[f"{loop}0"] = ({loop: self.strides[i]}, -self.padding[i])
            slots[f"{loop}1"] = ({loop: self.strides[i]}, self.kernel_size[i] - self.padding[i])
        (x,) = node.in_shapes
        return Block(
            node=node.name,
            kind=node.kind,
            writes=node.out,
            shape=node.shape,
            loops=loops,
            roles=(Role("x", node.reads[0]),),
            gather=common.window_gather(x, node.shape, self.kernel_size, self.strides, self.padding),
            evaluate=evaluate,
            combine=combine,
            term_shape=(("ky", self.kernel_size[0]), ("kx", self.kernel_size[1])),
            formula=formula,
            code=tuple(lines),
            active=(len(lines) - 2, len(lines) - 1),
            slots=slots,
            **more,
        )
