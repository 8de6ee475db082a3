"""Softmax over the features (dimension 1), with the maximum taken off first so that nothing overflows.

Source: https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import blocks
from engine.layer import Arrays, Context, Layer, Shape, need_ndim, register
from engine.network import Grads, Node
from engine.steps import Block, Role


@register
@dataclass(frozen=True)
class Softmax(Layer):
    """x [N, F] → y [N, F]; writes ``max`` [N, 1], ``exp`` [N, F], ``sum`` [N, 1], ``out``."""

    kind = "softmax"

    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """The input's shape."""
        need_ndim(xs[0], 2, self.kind)
        return xs[0]

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """``max``, ``exp``, ``sum``."""
        n = xs[0][0]
        return {"max": (n, 1), "exp": xs[0], "sum": (n, 1)}

    def flops(self, xs: Sequence[Shape]) -> int:
        """Maximum, exponential, sum and quotient: four per cell."""
        return 4 * xs[0][0] * xs[0][1]

    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The exponential is taken in float64: a rounded x − max would be off by |x − max| · 6e-8."""
        (x,) = xs
        high = x.max(axis=1, keepdims=True)
        exp = np.exp(x.astype(np.float64) - high).astype(x.dtype)
        total = exp.sum(axis=1, keepdims=True)
        y = exp / total
        return y, {"max": high, "exp": exp, "sum": total, "_y": y}

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """p·(δ − Σ δ·p), from the sum as it is stored."""
        p = cache["_y"].astype(np.float64, copy=False)
        cache["grad_dot"] = dot = (p * dy).sum(axis=1, keepdims=True).astype(dy.dtype)
        return [(p * (dy.astype(np.float64, copy=False) - dot)).astype(dy.dtype)], {}

    def blocks(self, node: Node) -> list[Block]:
        """``max``, ``exp``, ``sum``, ``out``."""
        n, f = node.shape
        name, source = node.name, node.reads[0]
        batch = n > 1

        def block(key: str, shape: Shape, code: str, **fields: Any) -> Block:
            loops = ("n", "f") if shape[1] > 1 or f == 1 else ("n", "i")
            lines = [line for line in blocks.nest(loops, shape) if "i in" not in line]
            row = "[{n}]" if batch else ""
            lines.append("    " * len(lines) + code.replace("@", row))
            return Block(
                node=name,
                kind=node.kind,
                writes=f"{name}.{key}",
                shape=shape,
                loops=loops,
                code=tuple(lines),
                active=(len(lines) - 1,),
                **fields,
            )

        def row(tensor: str, combine: str, formula: str) -> dict[str, Any]:
            return {
                "roles": (Role("x" if combine == "max" else "e", tensor),),
                "gather": lambda coords, terms: {"x" if combine == "max" else "e": coords[0] * f + terms},
                "evaluate": _row_max if combine == "max" else _row_sum,
                "combine": combine,
                "term_shape": (("j", f),),
                "formula": formula,
                "extra": ("argmax",) if combine == "max" else (),
            }

        def cell(a: str, tensor_a: str, b: str, tensor_b: str, formula: str, divide: bool) -> dict[str, Any]:
            return {
                "roles": (Role(a, tensor_a), Role(b, tensor_b)),
                "gather": lambda coords, terms: {a: coords[0] * f + coords[1], b: coords[0]},
                "evaluate": lambda v, _coords: (v[a] / v[b] if divide else np.exp(v[a] - v[b]), {}),
                "combine": "map",
                "term_shape": (("i", 1),),
                "formula": formula,
            }

        at = "{n}, {f}" if batch else "{f}"
        return [
            block(
                "max",
                (n, 1),
                f"m@ = {blocks.source_name(source)}@.max()",
                **row(source, "max", r"m = \max_j x_j"),
            ),
            block(
                "exp",
                (n, f),
                f"e[{at}] = exp({blocks.source_name(source)}[{at}] - m@)",
                **cell("x", source, "m", f"{name}.max", r"e_f = e^{x_f - m}", False),
            ),
            block("sum", (n, 1), "s@ = e@.sum()", **row(f"{name}.exp", "sum", r"s = \sum_j e_j")),
            block(
                "out",
                (n, f),
                f"out[{at}] = e[{at}] / s@",
                **cell("e", f"{name}.exp", "s", f"{name}.sum", r"p_f = \frac{e_f}{s}", True),
            ),
        ]

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """``grad_dot``: Σ δ·p; then p·(δ − grad_dot)."""
        n, f = node.shape
        row = "[{n}]" if n > 1 else ""
        dot = f"{node.name}.grad_dot"

        def cells(coords: tuple[np.ndarray, ...], terms: np.ndarray) -> np.ndarray:
            return coords[0] * f + terms

        def spread(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return np.concatenate([values["p"] * values["d"], -values["p"] * values["g"]], axis=1), {}

        return [
            blocks.make_block(
                node.name,
                node.kind,
                dot,
                (n, 1),
                [("d", grads.out, "grad", cells), ("p", node.out, "value", cells)],
                lambda values, _coords: (values["d"] * values["p"], {}),
                combine="sum",
                terms=(("j", f),),
                loops=("n", "i0"),
                formula=r"g = \sum_j \delta_j\, p_j",
                body=[f"g{row} = (dy{row} * p{row}).sum()"],
            ),
            blocks.make_block(
                node.name,
                node.kind,
                grads.xs[0],
                node.shape,
                [
                    ("d", grads.out, "grad", blocks.same(node.shape)),
                    ("p", node.out, "value", blocks.same(node.shape)),
                    ("g", dot, "grad", blocks.along(0)),
                ],
                spread,
                combine="sum",
                terms=(("part", 2),),
                formula=r"\delta^x_f = p_f\,(\delta_f - g)",
                body=[f"dx[@] = p[@] * (dy[@] - g{row})"],
            ),
        ]


def _row_max(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    return values["x"], {"argmax": np.argmax(values["x"], axis=1).astype(np.float64)}


def _row_sum(values: dict[str, np.ndarray], _coords: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    return values["e"], {}
