"""The blocks of the normalising layers: mean, variance, x̂, output and their gradients.

A normalisation groups the cells of its input, M to a group; each group has a mean and a variance. Batch-norm groups
by channel, layer-norm by sample. Everything is computed in float64 from the tensors as they are stored, then rounded,
so that a step explains its cell whatever the rounding before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.blocks import Index, Operand, every, loops_of, make_block, nest, same, source_name, subscript, term_of
from engine.layer import Shape
from engine.steps import Block, Evaluate

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class Norm:
    """A normalisation at its place.

    ``stats`` is the shape of mean and variance, ``params`` that of weight and bias (γ, β). For a cell of the input
    ``stat`` and ``param`` find these; for one of these ``group`` and ``sharers`` find its cells of the input. Their
    loops are some of the input's. With ``inner`` γ stands inside the two sums of the backward pass.
    """

    node: str
    kind: str
    x: str
    shape: Shape
    stats: Shape
    params: Shape
    eps: float
    stat: Index
    param: Index
    group: Index
    sharers: Index
    stat_loops: tuple[str, ...]
    param_loops: tuple[str, ...]
    weight: bool
    bias: bool
    inner: bool
    mean: str = "mean"
    var: str = "var"

    @property
    def size(self) -> int:
        """M: the cells behind one mean."""
        return math.prod(self.shape) // math.prod(self.stats)

    def tensor(self, key: str) -> str:
        """Full name of one of the node's tensors."""
        return f"{self.node}.{key}"

    def operand(self, role: str, key: str, index: Index | None = None) -> Operand:
        """An operand that is one of the node's tensors: ``x_hat`` at the written cell unless ``index`` says other."""
        accent = "weight" if key in ("weight", "bias") else "grad" if "grad" in key else "value"
        return role, self.tensor(key), accent, index or same(self.shape)

    # --- forward --------------------------------------------------------------------------------------------------

    def mean_block(self) -> Block:
        """Σ x / M."""
        m, sub = self.size, _sub(self.stat_loops)
        return self._grouped(
            "mean",
            [("x", self.x, "value", self.group)],
            lambda values, _coords: (values["x"] / m, {}),
            rf"\mu{sub} = \frac{{1}}{{{m}}} {self._sum(self.stat_loops)} x{_sub(loops_of(self.shape))}",
            f"{self._part(source_name(self.x), self.stat_loops)}.mean()",
        )

    def var_block(self) -> Block:
        """Σ (x − mean)² / M: the biased variance around the mean as it is stored."""
        m, sub = self.size, _sub(self.stat_loops)
        part = self._part(source_name(self.x), self.stat_loops)
        return self._grouped(
            "var",
            [("x", self.x, "value", self.group), self.operand("m", "mean", same(self.stats))],
            lambda values, _coords: ((values["x"] - values["m"]) ** 2 / m, {}),
            rf"\sigma^2{sub} = \frac{{1}}{{{m}}} {self._sum(self.stat_loops)} "
            rf"\big(x{_sub(loops_of(self.shape))} - \mu{sub}\big)^2",
            f"(({part} - {self._stat('mean')}) ** 2).mean()",
        )

    def hat_block(self) -> Block:
        """x̂ = (x − mean) / √(var + ε); ``extra.std`` is the root."""

        def evaluate(values: Values, _coords: object) -> tuple[np.ndarray, Values]:
            std = np.sqrt(values["v"] + self.eps)
            return (values["x"] - values["m"]) / std, {"std": std[:, 0]}

        mean, var = self._stat(self.mean), self._stat(self.var)
        return make_block(
            self.node,
            self.kind,
            self.tensor("x_hat"),
            self.shape,
            [
                ("x", self.x, "value", same(self.shape)),
                self.operand("m", self.mean, self.stat),
                self.operand("v", self.var, self.stat),
            ],
            evaluate,
            formula=rf"\hat{{x}} = \frac{{x - \mu{_sub(self.stat_loops)}}}{{{self._root}}}",
            body=[f"x_hat[@] = ({source_name(self.x)}[@] - {mean}) / sqrt({var} + {self.eps:g})"],
            phase="forward",
            extra=("std",),
        )

    def out_block(self) -> Block:
        """y = γ · x̂ + β, or what there is of it."""
        sub = _sub(self.param_loops)
        scale = [self.operand("w", "weight", self.param)] if self.weight else []
        gamma, times = (rf"\gamma{sub}\, ", f"{self._param('weight')} * ") if self.weight else ("", "")
        beta, plus = (rf" + \beta{sub}", f" + {self._param('bias')}") if self.bias else ("", "")
        return make_block(
            self.node,
            self.kind,
            self.tensor("out"),
            self.shape,
            [self.operand("xhat", "x_hat"), *scale],
            lambda values, _coords: (values["xhat"] * values["w"] if self.weight else values["xhat"], {}),
            addends=[self.operand("b", "bias", self.param)] if self.bias else [],
            formula=rf"y = {gamma}\hat{{x}}{beta}",
            body=[f"out[@] = {times}x_hat[@]{plus}"],
            phase="forward",
        )

    # --- backward -------------------------------------------------------------------------------------------------

    def param_grads(self, dy: str, names: dict[str, str]) -> list[Block]:
        """∂β = Σ δ and ∂γ = Σ δ · x̂ over the cells that share them; ``names`` says what to write."""
        d, h = (self._part(name, self.param_loops) for name in ("dy", "x_hat"))
        delta: Operand = ("d", dy, "grad", self.sharers)
        hat = self.operand("xhat", "x_hat", self.sharers)
        found = []
        if self.bias:
            found.append(self._shared(names["bias"], [delta], r"\beta", r"\delta", f"db[@] = {d}.sum()"))
        if self.weight:
            line = f"dw[@] = ({d} * {h}).sum()"
            found.append(self._shared(names["weight"], [delta, hat], r"\gamma", r"\delta\, \hat{x}", line))
        return found

    def group_sums(self, dy: str) -> list[Block]:
        """``grad_sum`` = Σ δ and ``grad_dot`` = Σ δ · x̂ over each group; with γ inside, γδ stands for δ."""
        scaled = self.inner and self.weight
        operands: list[Operand] = [("d", dy, "grad", self.group)]
        operands += [self.operand("w", "weight", every)] if scaled else []
        symbol = (rf"\gamma{_sub(self.param_loops)}\, " if scaled else "") + r"\delta"
        d, h = (self._part(name, self.stat_loops) for name in ("dy", "x_hat"))
        d, alone = (f"{d} * weight", f"({d} * weight)") if scaled else (d, d)
        total, sub = self._sum(self.stat_loops), _sub(self.stat_loops)
        return [
            self._grouped(
                "grad_sum", operands, _product, rf"s{sub} = {total} {symbol}", f"{alone}.sum()", "backward"
            ),
            self._grouped(
                "grad_dot",
                [*operands, self.operand("xhat", "x_hat", self.group)],
                _product,
                rf"t{sub} = {total} {symbol}\, \hat{{x}}",
                f"({d} * {h}).sum()",
                "backward",
            ),
        ]

    def input_grad(self, writes: str, dy: str, sums: tuple[str, str] | None) -> Block:
        """∂input: through the cell itself, through the mean, and through the variance of its group.

        ``sums`` are the full names of the tensors of Σ δ and Σ δ · x̂; without them mean and variance are
        constants and only the first path is left. ``extra.std`` is √(var + ε).
        """
        m = self.size

        def evaluate(values: Values, _coords: object) -> tuple[np.ndarray, Values]:
            std = np.sqrt(values["v"] + self.eps)
            gamma = values["w"] if self.weight else 1.0
            paths = [gamma / std * values["d"]]
            if sums:
                scale = (1.0 if self.inner else gamma) / std / m
                paths += [-scale * values["sum"], -scale * values["dot"] * values["xhat"]]
            return np.concatenate(paths, axis=1), {"std": std[:, 0]}

        operands: list[Operand] = [("d", dy, "grad", same(self.shape))]
        operands += [self.operand("w", "weight", self.param)] if self.weight else []
        operands += [self.operand("v", self.var, self.stat)]
        if sums:
            operands += [self.operand("xhat", "x_hat"), ("sum", sums[0], "grad", self.stat)]
            operands += [("dot", sums[1], "grad", self.stat)]
        formula, body = self._input_texts(sums)
        return make_block(
            self.node,
            self.kind,
            writes,
            self.shape,
            operands,
            evaluate,
            formula=formula,
            body=body,
            combine="sum" if sums else "map",
            terms=(("path", 3 if sums else 1),),
            extra=("std",),
        )

    def _input_texts(self, sums: tuple[str, str] | None) -> tuple[str, list[str]]:
        gamma = rf"\gamma{_sub(self.param_loops)}" if self.weight else ""
        times = f"{self._param('weight')} * " if self.weight else ""
        std = f"std = sqrt({self._stat(self.var)} + {self.eps:g})"
        if not sums:
            return (
                rf"\delta^x = \frac{{{gamma or 1}}}{{{self._root}}}\, \delta",
                [std, f"dx[@] = {times}dy[@] / std"],
            )
        m, sub = self.size, _sub(self.stat_loops)
        named = sums[0] == self.tensor("grad_sum")  # γ and β have gradients that are these very sums
        s, t = (f"s{sub}", f"t{sub}") if named else (r"\sum\delta", r"\sum\delta\hat{x}")
        total, dot = (self._stat(name) for name in (("grad_sum", "grad_dot") if named else ("db", "dw")))
        shared = "" if self.inner else times
        front, own = (1, rf"{gamma}\, \delta" if gamma else r"\delta") if self.inner else (gamma or 1, r"\delta")
        return (
            rf"\delta^x = \frac{{{front}}}{{{self._root}}} \Big( {own} - \frac{{1}}{{{m}}} {s} "
            rf"- \frac{{\hat{{x}}}}{{{m}}} {t} \Big)",
            [
                std,
                f"own = {times}dy[@] / std",
                f"through_mean = -{shared}{total} / {m} / std",
                f"through_var = -{shared}x_hat[@] * {dot} / {m} / std",
                "dx[@] = own + through_mean + through_var",
            ],
        )

    # --- inside ---------------------------------------------------------------------------------------------------

    def _grouped(
        self, key: str, operands: list[Operand], evaluate: Evaluate, formula: str, value: str, phase: str = "forward"
    ) -> Block:
        """A sum over each group; the loops of length 1 that keep a statistic's dimensions are not shown."""
        block = make_block(
            self.node,
            self.kind,
            self.tensor(key),
            self.stats,
            operands,
            evaluate,
            formula=formula,
            body=[],
            phase=phase,
            combine="sum",
            terms=self._rest(self.stat_loops),
            loops=self.stat_loops if len(self.stats) == 1 else None,
        )
        head = nest(self.stat_loops, self._extents(self.stat_loops))
        line = f"{'    ' * len(head)}{self._stat(key)} = {value}"
        return replace(block, code=(*head, line), active=(len(head),))

    def _shared(self, writes: str, operands: list[Operand], symbol: str, term: str, line: str) -> Block:
        return make_block(
            self.node,
            self.kind,
            writes,
            self.params,
            operands,
            _product if len(operands) > 1 else term_of("d"),
            loops=self.param_loops,
            combine="sum",
            terms=self._rest(self.param_loops),
            formula=rf"\frac{{\partial L}}{{\partial {symbol}{_sub(self.param_loops)}}} = "
            f"{self._sum(self.param_loops)} {term}",
            body=[line],
        )

    def _rest(self, loops: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """The loops over the input that are not among ``loops``, with their extents."""
        found = tuple(pair for pair in zip(loops_of(self.shape), self.shape, strict=True) if pair[0] not in loops)
        return found or (("i", 1),)

    def _extents(self, loops: Sequence[str]) -> Shape:
        return tuple(n for name, n in zip(loops_of(self.shape), self.shape, strict=True) if name in loops)

    def _sum(self, loops: Sequence[str]) -> str:
        return rf"\sum_{{{','.join(name for name, _ in self._rest(loops))}}}"

    @property
    def _root(self) -> str:
        return rf"\sqrt{{\sigma^2{_sub(self.stat_loops)} + \varepsilon}}"

    def _stat(self, name: str) -> str:
        """``mean[{c}]``: NumPy text of the statistic of a cell."""
        at = subscript(self.stat_loops, self._extents(self.stat_loops))
        return f"{name}[{at}]" if at else name

    def _param(self, name: str) -> str:
        """``weight[{c}]``: NumPy text of the parameter of a cell."""
        at = subscript(self.param_loops, self._extents(self.param_loops))
        return f"{name}[{at}]" if at else name

    def _part(self, name: str, loops: Sequence[str]) -> str:
        """``x[:, {c}]``: NumPy text of the cells with these coordinates; a batch of one is not written."""
        all_loops = loops_of(self.shape)
        slots = ["{" + loop + "}" if loop in loops else ":" for loop in all_loops]
        if self.shape[0] == 1 and all_loops[0] in loops:
            slots = slots[1:]
        while slots and slots[-1] == ":":
            slots.pop()
        return f"{name}[{', '.join(slots)}]" if slots else name


def _sub(loops: Sequence[str]) -> str:
    return f"_{{{','.join(loops)}}}" if loops else ""


def _product(values: Values, _coords: object) -> tuple[np.ndarray, Values]:
    """Terms that are the product of all operands."""
    term = values["d"]
    for name in ("w", "xhat"):
        if name in values:
            term = term * values[name]
    return term, {}
