"""2-D convolution (cross-correlation, as every deep-learning library computes it).

Source: https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine import blocks
from engine.errors import ScenarioError
from engine.kernels import conv
from engine.kernels.geometry import Geometry
from engine.kernels.unfold import BAND
from engine.layer import (
    Arrays,
    Context,
    Layer,
    Pair,
    Shape,
    boolean,
    choice,
    custom,
    integer,
    need_ndim,
    pair,
    parse_pair,
    register,
)
from engine.layers import _common as common
from engine.layers._conv_steps import Frame, bias_block, fold_block, input_block, weight_block
from engine.network import Grads, Node
from engine.steps import OUTSIDE, Block, Role

_PAD_MODE = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _parse_padding(value: Any, path: str) -> Pair | str:
    return value if value in ("same", "valid") else parse_pair(value, path, 0)


@register
@dataclass(frozen=True)
class Conv2d(Layer):
    """x [N, C, H, W] → y [N, out_channels, H', W'].

    ``weight`` is [out_channels, C / groups, k_h, k_w], ``bias`` [out_channels].
    """

    kind = "conv2d"
    out_channels: int = integer()
    kernel_size: Pair = pair()
    stride: Pair = pair((1, 1))
    padding: Pair | str = custom((0, 0), _parse_padding)
    dilation: Pair = pair((1, 1))
    groups: int = integer(1)
    bias: bool = boolean(True)
    padding_mode: str = choice("zeros", "zeros", "reflect", "replicate", "circular")
    penalised = ("weight",)

    def pads(self) -> tuple[Pair, Pair]:
        """((top, bottom), (left, right)); ``same`` puts the odd cell after, as PyTorch does."""
        if self.padding == "valid":
            return (0, 0), (0, 0)
        if self.padding == "same":
            total = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
            return (total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2)
        py, px = self.padding
        return (int(py), int(py)), (int(px), int(px))

    def copies_padding(self) -> bool:
        """True when the padding is a copy of input cells, written to a tensor of its own."""
        return self.padding_mode != "zeros" and any(map(any, self.pads()))

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """Shape of the output; checks groups, ``same`` and the kernel against the padded input."""
        (x,) = xs
        need_ndim(x, 4, self.kind)
        for name, value in (("in_channels", x[1]), ("out_channels", self.out_channels)):
            if value % self.groups:
                divisors = [g for g in range(1, value + 1) if value % g == 0]
                raise ScenarioError(
                    f"groups {self.groups} does not divide {name} {value}; use one of {divisors}",
                    reason="bad_groups",
                    field="groups",
                    value=self.groups,
                    bound=divisors,
                    remedy=f"use one of {divisors}",
                )
        if self.padding == "same" and self.stride != (1, 1):
            raise ScenarioError(
                f"padding 'same' needs stride 1, but stride is {list(self.stride)}; use stride 1 or a number",
                reason="same_needs_stride_1",
                field="padding",
                value="same",
                bound=1,
                remedy="use stride 1 or a number",
            )
        (top, bottom), (left, right) = self.pads()
        self._check_mode(x, (top, bottom), (left, right))
        common.need_fit(self.kind, x, self.kernel_size, (top + bottom, left + right), self.dilation)
        height, width = (
            (x[2 + i] + total - self.dilation[i] * (self.kernel_size[i] - 1) - 1) // self.stride[i] + 1
            for i, total in enumerate((top + bottom, left + right))
        )
        return (x[0], self.out_channels, height, width)

    def _check_mode(self, x: Shape, *pads: Pair) -> None:
        most = {"reflect": -1, "circular": 0}.get(self.padding_mode)
        if most is None:
            return
        for size, sides in zip(x[2:], pads, strict=True):
            if max(sides) > size + most:
                remedy = f"use ≤ {size + most} or padding_mode 'zeros'"
                raise ScenarioError(
                    f"padding {max(sides)} is too wide for padding_mode {self.padding_mode!r} "
                    f"on an input of {size}; {remedy}",
                    reason="padding_too_wide",
                    field="padding",
                    value=max(sides),
                    bound=size + most,
                    remedy=remedy,
                )

    def param_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """``weight`` and, unless switched off, ``bias``."""
        weight = (self.out_channels, xs[0][1] // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``padded``, when the padding copies cells."""
        if not self.copies_padding():
            return {}
        (top, bottom), (left, right) = self.pads()
        n, c, height, width = xs[0]
        return {"padded": (n, c, height + top + bottom, width + left + right)}

    def flops(self, xs: Sequence[Shape]) -> int:
        """Two per product, one per bias."""
        out = self.out_shape(xs)
        cells = out[0] * out[1] * out[2] * out[3]
        return cells * (2 * (xs[0][1] // self.groups) * self.kernel_size[0] * self.kernel_size[1] + int(self.bias))

    def workspace(self, xs: Sequence[Shape]) -> int:
        """The zero-padded copy of the input and one band of unfolded windows."""
        n, c, height, width = xs[0]
        _, _, out_height, out_width = self.out_shape(xs)
        (top, bottom), (left, right) = self.pads()
        padded = top + bottom + left + right > 0 and not self.copies_padding()
        copy = n * c * (height + top + bottom) * (width + left + right) if padded else 0
        row = c * self.kernel_size[0] * self.kernel_size[1] * out_width
        return copy + min(n * out_height * row, max(BAND, row))

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1 with its numbers."""
        if isinstance(self.padding, str):
            out = self.out_shape(xs)
            return f"padding {self.padding}: {out[2]} × {out[3]}"
        return common.size_texts(xs[0], self.kernel_size, self.stride, self.padding, self.dilation)

    @cached_property
    def geometry(self) -> Geometry:
        """Where the windows lie on what they slide over: the input, or its padded copy."""
        pads = ((0, 0), (0, 0)) if self.copies_padding() else self.pads()
        return Geometry(self.kernel_size, self.stride, pads, self.dilation, self.groups)

    def forward(self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context) -> tuple[np.ndarray, dict[str, Any]]:
        """Matrix products over the unfolded windows; see ``engine.kernels.conv``."""
        (x,) = xs
        cache: dict[str, Any] = {"_shape": x.shape}
        if self.copies_padding():
            x = cache["padded"] = np.pad(x, ((0, 0), (0, 0), *self.pads()), mode=_PAD_MODE[self.padding_mode])  # type: ignore[call-overload]
        bias = params["bias"] if self.bias else None
        y, cache["_saved"] = conv.forward(x, params["weight"], bias, self.geometry, ctx.work, ctx.name)
        return y, cache

    def backward(
        self, params: Arrays, cache: dict[str, Any], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """∂weight: windows times δ; ∂input: each δ stamps δ·w onto its window; copies of a cell add up."""
        dx, weight, bias = conv.backward(
            cache["_saved"], params["weight"], dy, self.geometry, ctx.dx, ctx.work, ctx.name
        )
        grads = {"weight": weight} | ({"bias": bias} if self.bias else {})
        if dx is None:
            return [], grads
        if self.copies_padding():
            cache["padded.grad"] = dx
            dx = self._fold(dx, cache["_shape"])
        return [dx], grads

    def _fold(self, wide: np.ndarray, x: Shape) -> np.ndarray:
        """The gradient of a padded input back onto the cells that the padding copied."""
        for axis, (source, size) in enumerate(zip(self._sources(x), x[2:], strict=True), start=2):
            moved = np.moveaxis(wide, axis, 0)
            narrow = np.zeros((size, *moved.shape[1:]), wide.dtype)
            np.add.at(narrow, source, moved)
            wide = np.moveaxis(narrow, 0, axis)
        return wide

    def _sources(self, x: Shape) -> tuple[np.ndarray, np.ndarray]:
        """For each padded row, and column, the one of the input that it copies."""
        mode = _PAD_MODE[self.padding_mode]
        rows, cols = (np.pad(np.arange(x[2 + i]), pad, mode=mode) for i, pad in enumerate(self.pads()))  # type: ignore[call-overload]
        return rows, cols

    def blocks(self, node: Node) -> list[Block]:
        """``padded`` where cells are copied, then ``out``."""
        return ([self._padded_block(node)] if self.copies_padding() else []) + [self._out_block(node)]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """∂bias, ∂weight, ∂input; with copied padding ∂padded before ∂input."""
        copied = self.copies_padding()
        (x,) = node.in_shapes
        (top, _), (left, _) = self.pads()
        frame = Frame(
            node.name,
            node.kind,
            self.inner_shapes(node.in_shapes, node.mode)["padded"] if copied else x,
            node.shape,
            self.kernel_size,
            self.stride,
            (0, 0) if copied else (top, left),
            self.dilation,
            self.groups,
        )
        reads = f"{node.name}.padded" if copied else node.reads[0]
        source = "padded" if copied else blocks.source_name(reads)
        found = [bias_block(frame, grads.params["bias"], grads.out)] if self.bias else []
        found.append(weight_block(frame, grads.params["weight"], reads, grads.out, source))
        weight = f"{node.name}.weight"
        if not copied:
            return [*found, input_block(frame, grads.xs[0], grads.out, weight)]
        wide = f"{node.name}.padded.grad"
        folded = fold_block(node.name, node.kind, grads.xs[0], wide, x, self._sources(x))
        return [*found, input_block(frame, wide, grads.out, weight), folded]

    def _padded_block(self, node: Node) -> Block:
        (x,) = node.in_shapes
        shape = self.inner_shapes(node.in_shapes, node.mode)["padded"]
        rows, cols = self._sources(x)
        loops = ("n", "c", "y", "x")
        lines = blocks.nest(loops, shape)
        at = blocks.subscript(loops, shape)
        batch = "" if shape[0] == 1 else "{n}, "
        source = f"{blocks.source_name(node.reads[0])}[{batch}{{c}}, row[{{y}}], col[{{x}}]]  # {self.padding_mode}"
        lines.append(f"{'    ' * len(lines)}padded[{at}] = {source}")

        def gather(coords: tuple[np.ndarray, ...], _terms: np.ndarray) -> dict[str, np.ndarray]:
            n, c, y, col = coords
            return {"x": blocks.flat_index((n, c, rows[y], cols[col]), x)}

        return Block(
            node=node.name,
            kind=node.kind,
            writes=f"{node.name}.padded",
            shape=shape,
            loops=loops,
            roles=(Role("x", node.reads[0]),),
            gather=gather,
            evaluate=lambda values, _coords: (values["x"], {}),
            combine="map",
            term_shape=(("i", 1),),
            formula=r"\hat{x}_{c,y,x} = x_{c,\,\mathrm{row}(y),\,\mathrm{col}(x)}",
            code=tuple(lines),
            active=(len(lines) - 1,),
        )

    def _out_block(self, node: Node) -> Block:
        copied = self.copies_padding()
        x = self.inner_shapes(node.in_shapes, node.mode)["padded"] if copied else node.in_shapes[0]
        (top, _), (left, _) = ((0, 0), (0, 0)) if copied else self.pads()
        loops = ("n", "o", "y", "x")
        code, active = self._code(node, loops)
        per_group = x[1] // self.groups
        return Block(
            node=node.name,
            kind=node.kind,
            writes=node.out,
            shape=node.shape,
            loops=loops,
            roles=(
                Role("x", f"{node.name}.padded" if copied else node.reads[0]),
                Role("w", f"{node.name}.weight", "weight"),
            ),
            addends=(Role("b", f"{node.name}.bias", "weight"),) if self.bias else (),
            gather=self._gather(x, node.shape, top, left),
            evaluate=common.product,
            combine="sum",
            term_shape=(("c", per_group), ("ky", self.kernel_size[0]), ("kx", self.kernel_size[1])),
            formula=self._formula(),
            code=code,
            active=active,
            slots={
                "y0": ({"y": self.stride[0]}, -top),
                "x0": ({"x": self.stride[1]}, -left),
                "y1": ({"y": self.stride[0]}, -top + self.dilation[0] * (self.kernel_size[0] - 1) + 1),
                "x1": ({"x": self.stride[1]}, -left + self.dilation[1] * (self.kernel_size[1] - 1) + 1),
            },
            partial=("c", per_group),
        )

    def _gather(self, x: Shape, out: Shape, top: int, left: int) -> Any:
        per_group, per_out = x[1] // self.groups, out[1] // self.groups
        kh, kw = self.kernel_size
        padded = any(map(any, self.pads())) and not self.copies_padding()

        def gather(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> dict[str, np.ndarray]:
            n, o, y, col = coords
            c, ky, kx = terms // (kh * kw), terms // kw % kh, terms % kw
            first = ((n * x[1] + o // per_out * per_group) * x[2] + y * self.stride[0] - top) * x[3]
            first = first + col * self.stride[1] - left
            index = first + ((c * x[2] + ky * self.dilation[0]) * x[3] + kx * self.dilation[1])
            if padded:
                row = y * self.stride[0] - top + ky * self.dilation[0]
                column = col * self.stride[1] - left + kx * self.dilation[1]
                outside = (row < 0) | (row >= x[2]) | (column < 0) | (column >= x[3])
                index[outside] = OUTSIDE
            return {"x": index, "w": o * (per_group * kh * kw) + terms, "b": o}

        return gather

    def _formula(self) -> str:
        def index(loop: str, k: str, i: int) -> str:
            head = loop if self.stride[i] == 1 else f"{self.stride[i]}{loop}"
            tail = k if self.dilation[i] == 1 else f"{self.dilation[i]}{k}"
            pad = 0 if self.copies_padding() else self.pads()[i][0]
            return f"{head}+{tail}" + (f"-{pad}" if pad else "")

        bias = " + b_{o}" if self.bias else ""
        channel = "c" if self.groups == 1 else "g(o)+c"
        name = r"\hat{x}" if self.copies_padding() else "x"
        inner = f"{channel},\\,{index('y', 'k_y', 0)},\\,{index('x', 'k_x', 1)}"
        return rf"y_{{o,y,x}} = \sum_{{c,k_y,k_x}} {name}_{{{inner}}}\, w_{{o,c,k_y,k_x}}{bias}"

    def _code(self, node: Node, loops: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
        lines = blocks.nest(loops, node.shape)
        pad = "    " * len(lines)
        batch = "" if node.shape[0] == 1 else "{n}, "
        channels = ":"
        if self.groups > 1:
            lines.append(
                f"{pad}g = {'{o}'} // {self.out_channels // self.groups} * {node.in_shapes[0][1] // self.groups}"
            )
            channels = f"g:g + {node.in_shapes[0][1] // self.groups}"
        step_y, step_x = (f":{d}" if d > 1 else "" for d in self.dilation)
        source = "padded" if self.copies_padding() else blocks.source_name(node.reads[0])
        if source != "padded" and any(map(any, self.pads())):
            lines.insert(0, f"# cells outside {source} count as 0")
        first = len(lines)
        lines.append(f"{pad}window = {source}[{batch}{channels}, {{y0}}:{{y1}}{step_y}, {{x0}}:{{x1}}{step_x}]")
        bias = f" + b[{'{o}'}]" if self.bias else ""
        lines.append(f"{pad}out[{blocks.subscript(loops, node.shape)}] = (window * w[{{o}}]).sum(){bias}")
        return tuple(lines), (first, first + 1)
