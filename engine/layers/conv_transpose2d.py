"""2-D transposed convolution: every input cell stamps the kernel, scaled by its value, onto a larger map.

It computes what a convolution with the same weight computes backwards, and runs backwards as that convolution runs
forwards. Therefore its geometry is that convolution's ``Frame`` with input and output exchanged.

Source: https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.blocks import along, flat_index, make_block, source_name
from engine.errors import ScenarioError
from engine.layer import Arrays, Context, Layer, Pair, Shape, boolean, integer, need_ndim, pair, register
from engine.layers import _common as common
from engine.layers import _conv_steps as steps
from engine.network import Grads, Node
from engine.steps import OUTSIDE, Block

#: cells of stamps that are made at a time (16 MiB of float32)
BAND = 1 << 22


@register
@dataclass(frozen=True)
class ConvTranspose2d(Layer):
    """x [N, C, H, W] → y [N, out_channels, (H − 1)·s − 2p + d·(k − 1) + output_padding + 1, …].

    ``weight`` is [C, out_channels / groups, k_h, k_w], ``bias`` [out_channels].
    """

    kind = "conv_transpose2d"
    out_channels: int = integer()
    kernel_size: Pair = pair()
    stride: Pair = pair((1, 1))
    padding: Pair = pair((0, 0), low=0)
    output_padding: Pair = pair((0, 0), low=0)
    groups: int = integer(1)
    bias: bool = boolean(True)
    dilation: Pair = pair((1, 1))
    penalised = ("weight",)

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """Shape of the output; checks groups, ``output_padding`` and that the padding leaves something."""
        (x,) = xs
        need_ndim(x, 4, self.kind)
        self._check_groups(x)
        for i in (0, 1):
            most = max(self.stride[i], self.dilation[i]) - 1
            if self.output_padding[i] > most:
                raise ScenarioError(
                    f"output_padding {self.output_padding[i]} must be smaller than stride {self.stride[i]} or "
                    f"dilation {self.dilation[i]}; use ≤ {most}",
                    reason="output_padding_too_wide",
                    field="output_padding",
                    value=self.output_padding[i],
                    bound=most,
                    remedy=f"use ≤ {most}",
                )
        wide = self._wide(x)
        for size, pad in zip(wide, self.padding, strict=True):
            if size <= 2 * pad:
                most = (size - 1) // 2
                raise ScenarioError(
                    f"padding {pad} on both sides takes all of {size} cells away; use ≤ {most}",
                    reason="padding_too_wide",
                    field="padding",
                    value=pad,
                    bound=most,
                    remedy=f"use ≤ {most}",
                )
        height, width = (size - 2 * pad for size, pad in zip(wide, self.padding, strict=True))
        return (x[0], self.out_channels, height, width)

    def _check_groups(self, x: Shape) -> None:
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

    def _wide(self, x: Shape) -> Pair:
        """Height and width of what the stamps cover, before ``padding`` is cut off."""
        height, width = (
            (x[2 + i] - 1) * self.stride[i]
            + self.dilation[i] * (self.kernel_size[i] - 1)
            + 1
            + self.output_padding[i]
            for i in (0, 1)
        )
        return height, width

    def param_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """``weight`` and, unless switched off, ``bias``."""
        weight = (xs[0][1], self.out_channels // self.groups, *self.kernel_size)
        return {"weight": weight} | ({"bias": (self.out_channels,)} if self.bias else {})

    def flops(self, xs: Sequence[Shape]) -> int:
        """Two per product, one per bias."""
        products = math.prod(xs[0]) * self.out_channels // self.groups * math.prod(self.kernel_size)
        return 2 * products + int(self.bias) * math.prod(self.out_shape(xs))

    def workspace(self, xs: Sequence[Shape]) -> int:
        """The output before its padding is cut off, and one band of stamps."""
        n, _, height, width = xs[0]
        row = self.out_channels * math.prod(self.kernel_size) * width
        return n * self.out_channels * math.prod(self._wide(xs[0])) + min(n * height * row, max(BAND, row))

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """(n − 1)·s − 2p + d·(k − 1) + o + 1 with its numbers."""
        out = self.out_shape(xs)
        high, wide = (
            f"({xs[0][2 + i]} − 1)·{self.stride[i]} − 2·{self.padding[i]} + {self.dilation[i]}·"
            f"({self.kernel_size[i]} − 1) + {self.output_padding[i]} + 1 = {out[2 + i]}"
            for i in (0, 1)
        )
        return high if high == wide else f"{high};  {wide}"

    # --- numbers --------------------------------------------------------------------------------------------------

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """All stamps of a band from one matrix product per group; each kernel cell adds its layer of them."""
        (x,) = xs
        out = self.out_shape([x.shape])
        wide = np.zeros((*out[:2], *self._wide(x.shape)), x.dtype)
        weight = params["weight"].reshape(self.groups, x.shape[1] // self.groups, -1).swapaxes(1, 2)
        for samples, rows in self._bands(x.shape):
            part = x[samples, :, rows]
            stamps = weight @ part.reshape(len(part), self.groups, weight.shape[2], -1)
            stamps = stamps.reshape(len(part), self.out_channels, -1, *part.shape[2:])
            for k, view in enumerate(self._landing(wide[samples], rows, x.shape[3])):
                view += stamps[:, :, k]
        y = self._cut(wide, out)
        if self.bias:
            y += params["bias"][:, None, None]
        return y, {"_x": x}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """∂input: the kernel slides over δ; ∂weight: each input cell times the δ under its stamp."""
        x = cache["_x"]
        wide = np.zeros((*dy.shape[:2], *self._wide(x.shape)), dy.dtype)
        self._cut(wide, dy.shape)[...] = dy
        weight = params["weight"].reshape(self.groups, x.shape[1] // self.groups, -1)
        total, dx = np.zeros_like(weight), np.empty(x.shape, dy.dtype) if ctx.dx else None
        for samples, rows in self._bands(x.shape):
            part = x[samples, :, rows]
            under = np.stack(self._landing(wide[samples], rows, x.shape[3]), axis=2)
            under = under.reshape(len(part), self.groups, weight.shape[2], -1)
            columns = part.reshape(len(part), self.groups, weight.shape[1], -1)
            total += (columns @ under.swapaxes(2, 3)).sum(axis=0)
            if dx is not None:
                dx[samples, :, rows] = (weight @ under).reshape(part.shape)
        grads = {"weight": total.reshape(params["weight"].shape)}
        if self.bias:
            grads["bias"] = dy.sum(axis=(0, 2, 3))
        return [] if dx is None else [dx], grads

    def _bands(self, x: Shape) -> Iterator[tuple[slice, slice]]:
        """Samples and rows of the input to take at a time, so that their stamps stay below ``BAND`` cells."""
        n, _, height, width = x
        row = self.out_channels * math.prod(self.kernel_size) * width
        rows, samples = max(1, min(height, BAND // row)), max(1, BAND // (row * height))
        for sample in range(0, n, samples):
            for first in range(0, height, rows):
                yield slice(sample, sample + samples), slice(first, min(first + rows, height))

    def _landing(self, wide: np.ndarray, rows: slice, width: int) -> list[np.ndarray]:
        """For each kernel cell the view of a map before cutting on which these rows of the input put it."""
        (sy, sx), (dy, dx) = self.stride, self.dilation
        top, bottom, right = rows.start * sy, (rows.stop - 1) * sy + 1, (width - 1) * sx + 1
        return [
            wide[:, :, top + ky * dy : bottom + ky * dy : sy, kx * dx : right + kx * dx : sx]
            for ky, kx in np.ndindex(*self.kernel_size)
        ]

    def _cut(self, wide: np.ndarray, out: Shape) -> np.ndarray:
        """What is left of a map when ``padding`` is cut off."""
        top, left = self.padding
        return wide[:, :, top : top + out[2], left : left + out[3]]

    # --- steps ----------------------------------------------------------------------------------------------------

    def _frame(self, node: Node) -> steps.Frame:
        """The convolution that this one computes backwards: it would make the input out of the output."""
        return steps.Frame(
            node.name,
            node.kind,
            node.shape,
            node.in_shapes[0],
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )

    def blocks(self, node: Node) -> list[Block]:
        """``out`` in both readings.

        *Scatter*: the stamps x·w that landed on the cell; of the most that a cell can get, those that it does not get
        are ABSENT. *Gather*: the turned kernel slides over the input, with zeros around it and between its cells.
        """
        frame, x = self._frame(node), source_name(node.reads[0])
        (kh, kw), (sy, sx) = self.kernel_size, self.stride
        most = [(k - 1) * d // s + 1 for k, d, s in zip(self.kernel_size, self.dilation, self.stride, strict=True)]
        per_in = frame.per_out
        batch = "" if node.shape[0] == 1 else "{n}, "
        o = "{o}" if self.groups == 1 else f"{{o}} % {frame.per_in}"
        plus, tail = (" + b_o", " + b[{o}]") if self.bias else ("", "")
        group = "" if self.groups == 1 else ",\\; c \\in g(o)"

        def block(
            reading: str,
            cells: tuple,
            terms: Pair,
            names: tuple[str, str],
            formula: str,
            body: list[str],
            others: tuple,
        ) -> Block:
            return make_block(
                node.name,
                node.kind,
                node.out,
                node.shape,
                [("x", node.reads[0], "value", cells[0]), ("w", f"{node.name}.weight", "weight", cells[1])],
                common.product,
                phase="forward",
                loops=("n", "o", "y", "x"),
                combine="sum",
                terms=(("c", per_in), (names[0], terms[0]), (names[1], terms[1])),
                addends=[("b", f"{node.name}.bias", "weight", along(1))] if self.bias else [],
                formula=formula + plus,
                body=body,
                reading=reading,
                others=others,
                partial=("c", per_in),
            )

        hops = "" if self.stride == (1, 1) else f", {sy - 1}×{sx - 1} zeros between"
        gather = block(
            "gather",
            steps._gather_cells(frame),
            (kh, kw),
            ("ky", "kx"),
            r"y_{o,y,x} = \sum_{c,k_y,k_x} \tilde x_{c,\,y+k_y,\,x+k_x}\, "
            rf"w_{{c,o,\,{kh - 1}-k_y,\,{kw - 1}-k_x}}",
            [
                f"window = spread({x})[{batch}c, y:y + {kh}, x:x + {kw}]  # zeros around{hops}",
                f"out[@] = (window * w[c, {o}, ::-1, ::-1]).sum(){tail}",
            ],
            (),
        )
        stamps = block(
            "scatter",
            steps._scatter_cells(frame),
            (most[0], most[1]),
            ("sy", "sx"),
            r"y_{o,y,x} = \sum_{c,i,j} x_{c,i,j}\, w_{c,o,k_y,k_x}"
            rf"\;\big[\,{steps._place(0, 'i', 'k_y', frame)} = y,\; "
            rf"{steps._place(1, 'j', 'k_x', frame)} = x{group}\,\big]",
            [
                f"# stamps: {x}[{batch}c, i, j] puts w[c, {o}, ky, kx] on this cell",
                f"out[@] = sum({x}[{batch}c, i, j] * w[c, {o}, ky, kx] for c, i, j, ky, kx in stamps){tail}",
            ],
            (gather,),
        )
        return [stamps]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """∂bias, ∂weight, ∂input."""
        frame = self._frame(node)
        at_y = replace(frame, y=node.shape)  # its sum runs over the output
        found = [steps.bias_block(at_y, grads.params["bias"], grads.out)] if self.bias else []
        return [*found, self._weight_block(node, frame, grads), self._input_block(node, frame, grads)]

    def _delta(self, out: Shape, n: np.ndarray, o: np.ndarray, at: tuple[np.ndarray, ...]) -> np.ndarray:
        """Flat index of the δ on which the input cell (y, x) puts the kernel cell (k_y, k_x); ``at`` is all four."""
        y, x, ky, kx = at
        row = y * self.stride[0] - self.padding[0] + ky * self.dilation[0]
        col = x * self.stride[1] - self.padding[1] + kx * self.dilation[1]
        outside = (row < 0) | (row >= out[2]) | (col < 0) | (col >= out[3])
        return np.where(outside, OUTSIDE, flat_index((n, o, row, col), out))

    def _weight_block(self, node: Node, frame: steps.Frame, grads: Grads) -> Block:
        """∂weight: for one kernel cell all the input cells, each times the δ on which it put this kernel cell."""
        (n, c, height, width), out = node.in_shapes[0], node.shape
        area = height * width

        def input_cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            return (terms // area * c + coords[0]) * area + terms % area

        def delta_cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            o = coords[0] // frame.per_out * frame.per_in + coords[1]
            at = (terms // width % height, terms % width, coords[2], coords[3])
            return self._delta(out, terms // area, o, at)

        channel = "{o}" if self.groups == 1 else f"{{c}} // {frame.per_out} * {frame.per_in} + {{o}}"
        return make_block(
            node.name,
            node.kind,
            grads.params["weight"],
            (c, frame.per_in, *self.kernel_size),
            [("x", node.reads[0], "value", input_cell), ("d", grads.out, "grad", delta_cell)],
            lambda values, _coords: (values["x"] * values["d"], {}),
            loops=("c", "o", "ky", "kx"),
            combine="sum",
            terms=(("n", n), ("y", height), ("x", width)),
            formula=r"\frac{\partial L}{\partial w_{c,o,k_y,k_x}} = \sum_{n,y,x} x_{n,c,y,x}\, "
            rf"\delta_{{n,o,\,{steps._place(0, 'y', 'k_y', frame)},\,{steps._place(1, 'x', 'k_x', frame)}}}",
            body=[
                f"met = dy[:, {channel}, {self._span(0, height)}, {self._span(1, width)}]{self._note()}",
                f"dw[@] = ({source_name(node.reads[0])}[:, {{c}}] * met).sum()",
            ],
            slots={f"{a}0": ({f"k{a}": self.dilation[i]}, -self.padding[i]) for i, a in enumerate("yx")},
        )

    def _input_block(self, node: Node, frame: steps.Frame, grads: Grads) -> Block:
        """∂input: an ordinary convolution of δ with the kernel, with the stride and padding of this layer."""
        kh, kw = self.kernel_size

        def delta_cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            n, c, y, x = coords
            o = c // frame.per_out * frame.per_in + terms // (kh * kw)
            return self._delta(node.shape, n, o, (y, x, terms // kw % kh, terms % kw))

        def weight_cell(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            return coords[1] * (frame.per_in * kh * kw) + terms

        batch = "" if node.shape[0] == 1 else "{n}, "
        channels = ":" if self.groups == 1 else f"g:g + {frame.per_in}"
        first = [] if self.groups == 1 else [f"g = {{c}} // {frame.per_out} * {frame.per_in}"]
        hop = [f":{d}" if d > 1 else "" for d in self.dilation]
        return make_block(
            node.name,
            node.kind,
            grads.xs[0],
            node.in_shapes[0],
            [("d", grads.out, "grad", delta_cell), ("w", f"{node.name}.weight", "weight", weight_cell)],
            lambda values, _coords: (values["d"] * values["w"], {}),
            combine="sum",
            terms=(("o", frame.per_in), ("ky", kh), ("kx", kw)),
            formula=r"\delta^x_{c,y,x} = \sum_{o,k_y,k_x} "
            rf"\delta_{{o,\,{steps._place(0, 'y', 'k_y', frame)},\,{steps._place(1, 'x', 'k_x', frame)}}}\, "
            r"w_{c,o,k_y,k_x}",
            body=[
                *first,
                f"window = dy[{batch}{channels}, {{y0}}:{{y1}}{hop[0]}, {{x0}}:{{x1}}{hop[1]}]{self._note()}",
                "dx[@] = (window * w[{c}]).sum()",
            ],
            slots={
                f"{a}{end}": ({a: self.stride[i]}, -self.padding[i] + reach)
                for i, a in enumerate("yx")
                for end, reach in enumerate((0, self.dilation[i] * (self.kernel_size[i] - 1) + 1))
            },
            partial=("o", frame.per_in),
        )

    def _span(self, i: int, size: int) -> str:
        """``{y0}:{y0} + 13:2``: the rows, or columns, of δ that one kernel cell met."""
        start, hop = "{" + "yx"[i] + "0}", f":{self.stride[i]}" if self.stride[i] > 1 else ""
        return f"{start}:{start} + {(size - 1) * self.stride[i] + 1}{hop}"

    def _note(self) -> str:
        return "  # cells outside count as 0" if any(self.padding) else ""
