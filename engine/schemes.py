"""Initialisation schemes: for each its settings, its distribution and its formula.

``orthogonal`` goes through LAPACK, so it is the same on every machine up to rounding; all others bit for bit.

Sources: Xavier — Glorot & Bengio 2010; He — https://arxiv.org/abs/1502.01852; LeCun — Efficient BackProp, 1998, §4.6;
orthogonal — https://arxiv.org/abs/1312.6120; fans and gains as in torch.nn.init.
"""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.document import refuse
from engine.layer import Shape, choice, custom, real

#: ("constant", value, value), ("normal", mean, σ) or ("uniform", low, high)
Law = tuple[str, float, float]
#: bound of every number that a scheme takes, so that float32 holds what is drawn
MOST = 1e6
GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "leaky_relu": None, "selu": 3 / 4}
SCHEMES: dict[str, type[Scheme]] = {}


def calculate_gain(nonlinearity: str, slope: float = 0.01) -> float:
    """What an activation asks of the weights before it, as torch.nn.init.calculate_gain."""
    gain = GAINS[nonlinearity]
    return math.sqrt(2 / (1 + slope**2)) if gain is None else gain


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight [out, in, …]: features per cell times the kernel's area.

    As in PyTorch these follow from the shape alone, so a transposed convolution's [in, out, …] has them swapped.
    """
    area = math.prod(shape[2:])
    return shape[1] * area, shape[0] * area


@dataclass(frozen=True)
class Scheme(ABC):
    """A scheme with its settings, which are the fields of a frozen dataclass."""

    kind: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Classes with a kind are the schemes that a scenario may name."""
        if "kind" in cls.__dict__:
            SCHEMES[cls.kind] = cls

    @abstractmethod
    def law(self, shape: Shape) -> Law:
        """How a single cell is distributed."""

    def reason(self, shape: Shape) -> str:
        """LaTeX of where the law's number comes from, with the numbers of this tensor."""
        return ""

    def factor(self) -> float | None:
        """The gain, where the scheme has one."""
        return None

    def draw(self, stream: np.random.Generator, shape: Shape) -> np.ndarray:
        """The numbers, in float64."""
        distribution, first, second = self.law(shape)
        if distribution == "constant":
            return np.full(shape, first)
        if distribution == "uniform":
            return stream.uniform(first, second, shape)
        return stream.standard_normal(shape) * second + first

    def spread(self, shape: Shape) -> tuple[float, float | None]:
        """(standard deviation, bound of a uniform distribution around 0 or None)."""
        distribution, first, second = self.law(shape)
        if distribution == "uniform":
            return (second - first) / math.sqrt(12), second if first == -second else None
        return (second, None) if distribution == "normal" else (0.0, None)

    def formula(self, symbol: str, shape: Shape) -> str:
        """LaTeX of the law with the numbers of this tensor."""
        distribution, first, second = self.law(shape)
        reason = self.reason(shape)
        number = f"{reason} = {second:.4g}" if reason else f"{second:g}"
        if distribution == "constant":
            return f"{symbol} = {first:g}"
        if distribution == "normal":
            return rf"{symbol} \sim \mathcal{{N}}({first:g}, \sigma^2),\quad \sigma = {number}"
        if first == -second:
            return rf"{symbol} \sim \mathcal{{U}}(-a, a),\quad a = {number}"
        return rf"{symbol} \sim \mathcal{{U}}({first:g}, {second:g})"

    @property
    def document(self) -> str | dict[str, Any]:
        """The canonical entry: the name alone where every setting is the default."""
        fields = dataclasses.fields(self)
        values = {field.name: getattr(self, field.name) for field in fields}
        same = all(values[field.name] == field.default for field in fields)
        return self.kind if same else {"kind": self.kind} | values


class Scaled(Scheme):
    """Around 0 with σ = gain / √fan, normal or uniform."""

    def factor(self) -> float:
        """The gain."""
        return 1.0

    def fan(self, shape: Shape) -> tuple[int, ...]:
        """The fans whose mean counts."""
        return fans(shape)[:1]

    def law(self, shape: Shape) -> Law:
        """A uniform distribution reaches to σ·√3."""
        fan = self.fan(shape)
        std = self.factor() / math.sqrt(sum(fan) / len(fan))
        bound = std * math.sqrt(3)
        return ("uniform", -bound, bound) if self.kind.endswith("uniform") else ("normal", 0.0, std)

    def reason(self, shape: Shape) -> str:
        """A root; a gain whose square is whole, such as √2, goes under it."""
        fan, square = self.fan(shape), round(self.factor() ** 2, 9)
        whole = square.is_integer()
        top = (int(square) if whole else 1) * len(fan) * (3 if self.kind.endswith("uniform") else 1)
        gain = "" if whole else rf"{self.factor():.4g}\,"
        return rf"{gain}\sqrt{{\frac{{{top}}}{{{' + '.join(map(str, fan))}}}}}"


# --- one entry per scheme -----------------------------------------------------------------------------------------


class Zeros(Scheme):
    """0 everywhere."""

    kind = "zeros"

    def law(self, shape: Shape) -> Law:
        """0."""
        return "constant", 0.0, 0.0


class Ones(Scheme):
    """1 everywhere."""

    kind = "ones"

    def law(self, shape: Shape) -> Law:
        """1."""
        return "constant", 1.0, 1.0


@dataclass(frozen=True)
class Constant(Scheme):
    """``value`` everywhere."""

    kind = "constant"
    value: float = real(0.1, low=-MOST, high=MOST)

    def law(self, shape: Shape) -> Law:
        """The setting."""
        return "constant", self.value, self.value


@dataclass(frozen=True)
class Normal(Scheme):
    """Normal with the given ``mean`` and ``std``, whatever the tensor's size."""

    kind = "normal"
    mean: float = real(0.0, low=-MOST, high=MOST)
    std: float = real(0.1, low=0.0, high=MOST)

    def law(self, shape: Shape) -> Law:
        """The settings."""
        return "normal", self.mean, self.std


@dataclass(frozen=True)
class Uniform(Scheme):
    """Uniform from ``low`` to ``high``, whatever the tensor's size."""

    kind = "uniform"
    low: float = real(-0.1, low=-MOST, high=MOST)
    high: float = real(0.1, low=-MOST, high=MOST)

    def __post_init__(self) -> None:
        """The bounds must be in order."""
        if self.low > self.high:
            wanted = f"a number from {self.low:g} to {MOST:g}"
            raise refuse("params.scheme.high", "bad_value", self.high, wanted, "swap low and high")

    def law(self, shape: Shape) -> Law:
        """The settings."""
        return "uniform", self.low, self.high


_POSITIVE = real(1.0, low=0.0, high=MOST).metadata["parse"]


@dataclass(frozen=True)
class XavierUniform(Scaled):
    """σ² = gain² · 2 / (fan_in + fan_out); ``gain``, where given, replaces that of the nonlinearity."""

    kind = "xavier_uniform"
    gain: float | None = custom(None, lambda value, path: None if value is None else _POSITIVE(value, path))
    nonlinearity: str = choice("linear", *GAINS)
    a: float = real(0.01, low=-MOST, high=MOST)

    def factor(self) -> float:
        """As given, or of the activation; ``a`` is the slope of a leaky one."""
        return calculate_gain(self.nonlinearity, self.a) if self.gain is None else self.gain

    def fan(self, shape: Shape) -> tuple[int, ...]:
        """Both."""
        return fans(shape)


class XavierNormal(XavierUniform):
    """The same, normal."""

    kind = "xavier_normal"


@dataclass(frozen=True)
class HeNormal(Scaled):
    """σ² = gain² / fan, with the fan that ``mode`` names."""

    kind = "he_normal"
    mode: str = choice("fan_in", "fan_in", "fan_out")
    nonlinearity: str = choice("relu", *GAINS)
    a: float = real(0.01, low=-MOST, high=MOST)

    def factor(self) -> float:
        """Of the activation; ``a`` is the slope of a leaky one."""
        return calculate_gain(self.nonlinearity, self.a)

    def fan(self, shape: Shape) -> tuple[int, ...]:
        """One of the two."""
        return fans(shape)[:1] if self.mode == "fan_in" else fans(shape)[1:]


class HeUniform(HeNormal):
    """The same, uniform."""

    kind = "he_uniform"


class LecunNormal(Scaled):
    """σ² = 1 / fan_in; the right one before SELU."""

    kind = "lecun_normal"


@dataclass(frozen=True)
class Orthogonal(Scheme):
    """Rows (columns where there are more rows) of length ``gain``, each at right angles to all others."""

    kind = "orthogonal"
    gain: float = real(1.0, low=0.0, high=MOST)

    def factor(self) -> float:
        """As given."""
        return self.gain

    def matrix(self, shape: Shape) -> tuple[int, int]:
        """The weight as a matrix: one row per output."""
        return shape[0], math.prod(shape[1:])

    def law(self, shape: Shape) -> Law:
        """A cell of a random unit vector as long as the longer side: about normal."""
        return "normal", 0.0, self.gain / math.sqrt(max(self.matrix(shape)))

    def draw(self, stream: np.random.Generator, shape: Shape) -> np.ndarray:
        """Q of a normal matrix; with R's diagonal positive it is uniform among all such matrices."""
        rows, columns = self.matrix(shape)
        normal = stream.standard_normal((rows, columns))
        q, r = np.linalg.qr(normal.T if rows < columns else normal)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q.T if rows < columns else q).reshape(shape)

    def formula(self, symbol: str, shape: Shape) -> str:
        """Which product is the identity."""
        rows, columns = self.matrix(shape)
        product = "W W^T" if rows <= columns else "W^T W"
        square = "" if self.gain == 1 else f"{self.gain:g}^2\\,"
        return rf"{product} = {square}I,\quad W \in \mathbb{{R}}^{{{rows} \times {columns}}}"
