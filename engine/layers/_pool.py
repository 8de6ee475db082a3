"""What max and average pooling share: geometry, views, the shape of their blocks in both directions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import blocks
from engine.errors import ScenarioError
from engine.layer import Layer, Pair, Shape, need_ndim
from engine.layers import _common as common
from engine.network import Grads, Node
from engine.steps import ABSENT, OUTSIDE, Block, Evaluate, Role


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
        size = [
            common.out_size(x[2 + i], self.kernel_size[i], self.strides[i], self.padding[i], ceil=self.ceil_mode)
            for i in (0, 1)
        ]
        if min(size) < 1:  # with ceil_mode a window may be larger than its input
            common.need_fit(self.kind, x, self.kernel_size, (2 * self.padding[0], 2 * self.padding[1]))
        return (x[0], x[1], size[0], size[1])

    def flops(self, xs: Sequence[Shape]) -> int:
        """One comparison or addition per cell of each window."""
        n, c, height, width = self.out_shape(xs)
        return n * c * height * width * self.kernel_size[0] * self.kernel_size[1]

    def workspace(self, xs: Sequence[Shape]) -> int:
        """The padded copy of the input."""
        shape, _ = self.framed(xs[0])
        return math.prod(shape) if shape != xs[0] else 0

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """The size rule with its numbers."""
        return common.size_texts(xs[0], self.kernel_size, self.strides, self.padding, ceil=self.ceil_mode)

    def framed(self, x: Shape) -> tuple[Shape, Pair]:
        """Shape of the padded input in which every window is whole, and where the input begins in it."""
        rows, cols = common.pool_pads(x, self.out_shape([x]), self.kernel_size, self.strides, self.padding)
        return (x[0], x[1], x[2] + sum(rows), x[3] + sum(cols)), (rows[0], cols[0])

    def views(self, x: np.ndarray, fill: float) -> list[np.ndarray]:
        """For each kernel offset the cells under it; padding cells hold ``fill``. Any memory order is kept."""
        out = self.out_shape([x.shape])
        shape, (top, left) = self.framed(x.shape)
        if shape != x.shape:
            wide = np.full_like(x, fill, shape=shape)
            wide[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
            x = wide
        return common.windows(x, out, self.kernel_size, self.strides)

    def targets(self, dy: np.ndarray, x: Shape) -> tuple[np.ndarray, list[np.ndarray]]:
        """∂input, still zero, and for each kernel offset the view of it (and of its padding) to add to."""
        shape, (top, left) = self.framed(x)
        wide = np.zeros_like(dy, shape=shape)
        views = common.windows(wide, dy.shape, self.kernel_size, self.strides)
        return wide[:, :, top : top + x[2], left : left + x[3]], views

    def spans(self, out: Shape) -> Pair:
        """The most windows, down and across, that cover one cell: ⌈k / s⌉, or as many as there are."""
        high, wide = (min(-(-k // s), n) for k, s, n in zip(self.kernel_size, self.strides, out[2:], strict=True))
        return high, wide

    def covering(
        self, out: Shape, coords: tuple[np.ndarray, ...], terms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row and column [k, m] of the windows that cover the cells ``coords``, and which of them there are."""
        high, wide = self.spans(out)
        places, met = [], np.True_
        for i, number in enumerate((terms // wide % high, terms % wide)):
            last = coords[2 + i] + self.padding[i]  # the padded position: window w covers w·s … w·s + k − 1
            first = np.maximum(0, -((self.kernel_size[i] - 1 - last) // self.strides[i]))
            window = first + number
            places.append(window)
            met = met & (window <= np.minimum(last // self.strides[i], out[2 + i] - 1))
        return places[0], places[1], np.asarray(met)

    def delta_cells(self, out: Shape) -> blocks.Index:
        """Gather of the upstream gradients of the windows that cover a cell, ABSENT where there are fewer."""

        def index(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            row, col, met = self.covering(out, coords, terms)
            return np.where(met, blocks.flat_index((coords[0], coords[1], row, col), out), ABSENT)

        return index

    def window_cells(self, x: Shape, out: Shape) -> blocks.Index:
        """Gather [k, m · k_h · k_w] of all cells of the windows that cover a cell, window by window."""
        (kh, kw), (sy, sx), (py, px) = self.kernel_size, self.strides, self.padding
        down, across = np.divmod(np.arange(kh * kw), kw)
        offset = down * x[3] + across
        whole = self.framed(x)[0] == x  # no window reaches beyond its input

        def index(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            row, col, met = self.covering(out, coords, terms)
            top, left = row * sy - py, col * sx - px
            found = (((coords[0] * x[1] + coords[1]) * x[2] + top) * x[3] + left)[..., None] + offset
            if not whole:
                y, z = top[..., None] + down, left[..., None] + across
                found[(y < 0) | (y >= x[2]) | (z < 0) | (z >= x[3])] = OUTSIDE
            if not met.all():
                found[~np.broadcast_to(met, found.shape[:2])] = ABSENT
            return found.reshape(len(found), -1)

        return index

    def indices(self, row: str = "y", col: str = "x") -> tuple[str, str]:
        """Row and column of the cell under the kernel's offset in the window (row, col), for the formula."""
        texts = []
        for i, (loop, k) in enumerate(((row, "k_y"), (col, "k_x"))):
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

    def backward_block(
        self,
        node: Node,
        grads: Grads,
        operands: list[blocks.Operand],
        evaluate: Evaluate,
        formula: str,
        body: list[str],
        **more: Any,
    ) -> Block:
        """The block of ∂input: a term per window that covers the cell; its first operand is δ of those windows."""
        (x,) = node.in_shapes
        high, wide = self.spans(node.shape)
        return blocks.make_block(
            node.name,
            node.kind,
            grads.xs[0],
            x,
            [("d", grads.out, "grad", self.delta_cells(node.shape)), *operands],
            evaluate,
            formula=formula,
            body=body,
            combine="sum",
            terms=(("wy", high), ("wx", wide)),
            **more,
        )
