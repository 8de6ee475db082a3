"""Dropout: in training cells are set to zero at random and the others scaled up; otherwise nothing happens."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.blocks import Index, make_block, nest, same, source_name, term_of
from engine.layer import Arrays, Context, Layer, Shape
from engine.network import Grads, Node
from engine.steps import Block


class Drop(Layer):
    """In training: ``noise`` is drawn in [0, 1), ``mask`` = [noise ≥ p] / (1 − p), out = x · mask.

    With p = 1 the mask is zero, as in PyTorch.
    """

    p: float

    @abstractmethod
    def mask_shape(self, x: Shape) -> Shape:
        """Shape of noise and mask: that of the input, with ones where whole maps go."""

    @property
    def scale(self) -> float:
        """1 / (1 − p), which keeps the expectation."""
        return 1 / (1 - self.p) if self.p < 1 else 0.0

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape."""
        return xs[0]

    def drawn_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``noise``, in training."""
        return {"noise": self.mask_shape(xs[0])} if mode == "train" else {}

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``mask``, in training."""
        return {"mask": self.mask_shape(xs[0])} if mode == "train" else {}

    def flops(self, xs: Sequence[Shape]) -> int:
        """One product per cell."""
        return math.prod(xs[0])

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """x · mask in training, x itself otherwise."""
        (x,) = xs
        if not ctx.training:
            return x, {}
        noise = ctx.stream().random(self.mask_shape(x.shape), dtype=x.dtype)
        mask = np.empty_like(x, shape=noise.shape)  # the noise is row-major; what is computed keeps the order of x
        np.multiply(self._kept(noise), np.asarray(self.scale, x.dtype), out=mask)
        return np.multiply(x, mask, out=np.empty_like(x)), {"noise": noise, "mask": mask}

    def _kept(self, noise: np.ndarray) -> np.ndarray:
        """Which cells stay; a p rounded to float32 would decide otherwise where the noise is just that number."""
        return noise >= np.float64(self.p)

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The same mask."""
        return [np.multiply(dy, cache["mask"], out=np.empty_like(dy)) if ctx.training else dy], {}

    def _mask_cell(self, shape: Shape) -> Index:
        """The mask's cell under a cell of the tensor."""
        mask = self.mask_shape(shape)
        if mask == shape:
            return same(shape)
        return lambda coords, _terms: coords[0] * shape[1] + coords[1]

    def blocks(self, node: Node) -> list[Block]:
        """``mask`` and ``out`` in training; otherwise a copy."""
        x, source = node.reads[0], source_name(node.reads[0])
        if node.mode != "train":
            return [
                make_block(
                    node.name,
                    node.kind,
                    node.out,
                    node.shape,
                    [("x", x, "value", same(node.shape))],
                    term_of("x"),
                    phase="forward",
                    formula="y = x",
                    body=[f"out[@] = {source}[@]"],
                )
            ]
        shape = self.mask_shape(node.shape)
        all_go = self.p == 1
        mask = make_block(
            node.name,
            node.kind,
            f"{node.name}.mask",
            shape,
            [("u", f"{node.name}.noise", "value", same(shape))],
            lambda values, _coords: (self._kept(values["u"]) * self.scale, {}),
            phase="forward",
            formula="m = 0" if all_go else rf"m = \frac{{[u \ge {self.p:g}]}}{{1 - {self.p:g}}}",
            body=["mask[@] = 0" if all_go else f"mask[@] = (noise[@] >= {self.p:g}) / (1 - {self.p:g})"],
        )
        if shape != node.shape:  # one cell per map: no loops over its row and column
            head, last = nest(("n", "c"), shape[:2]), mask.code[-1].lstrip().replace(", {y}, {x}", "")
            mask = replace(mask, code=(*head, "    " * len(head) + last), active=(len(head),))
        body = [f"out[@] = {source}[@] * mask[{self._mask_text(node.shape)}]"]
        return [mask, self._product(node, node.out, "x", x, r"y = x \cdot m", body, "forward")]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """δ · mask in training; otherwise a copy."""
        if node.mode != "train":
            return [
                make_block(
                    node.name,
                    node.kind,
                    grads.xs[0],
                    node.shape,
                    [("d", grads.out, "grad", same(node.shape))],
                    term_of("d"),
                    formula=r"\delta^x = \delta",
                    body=["dx[@] = dy[@]"],
                )
            ]
        body = [f"dx[@] = dy[@] * mask[{self._mask_text(node.shape)}]"]
        return [self._product(node, grads.xs[0], "d", grads.out, r"\delta^x = \delta \cdot m", body, "backward")]

    def _mask_text(self, shape: Shape) -> str:
        if self.mask_shape(shape) == shape:
            return "@"
        return "{c}" if shape[0] == 1 else "{n}, {c}"

    def _product(
        self, node: Node, writes: str, name: str, tensor: str, formula: str, body: list[str], phase: str
    ) -> Block:
        accent = "value" if phase == "forward" else "grad"
        return make_block(
            node.name,
            node.kind,
            writes,
            node.shape,
            [
                (name, tensor, accent, same(node.shape)),
                ("m", f"{node.name}.mask", "value", self._mask_cell(node.shape)),
            ],
            lambda values, _coords: (values[name] * values["m"], {}),
            phase=phase,
            formula=formula,
            body=body,
        )
