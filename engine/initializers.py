"""How weights come to be: initialisation schemes, their random streams, and a description for the learner.

Bit stream: ``numpy.random.Generator(PCG64(SeedSequence([seed, *four 32-bit words of SHA-256(tensor name)])))``. One
stream per tensor name, so that adding a layer leaves the numbers of all others as they were. Biases start at zero.

Sources: Xavier — Glorot & Bengio 2010; He — https://arxiv.org/abs/1502.01852; fans as in torch.nn.init.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import streams
from engine.layer import Shape

#: scheme → (distribution, gain, which fan); ``normal`` has a fixed standard deviation
SCHEMES: dict[str, tuple[str, float, str]] = {
    "zeros": ("zeros", 0.0, ""),
    "normal": ("normal", 1.0, ""),
    "xavier_uniform": ("uniform", 1.0, "both"),
    "xavier_normal": ("normal", 1.0, "both"),
    "he_uniform": ("uniform", math.sqrt(2), "in"),
    "he_normal": ("normal", math.sqrt(2), "in"),
}
NORMAL_STD = 0.1


def fans(shape: Shape) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight [out, in, …]: features per cell times the kernel's area."""
    area = math.prod(shape[2:])
    return shape[1] * area, shape[0] * area


def spread(scheme: str, shape: Shape) -> tuple[float, float | None]:
    """(standard deviation, bound of the uniform distribution or None)."""
    distribution, gain, fan = SCHEMES[scheme]
    if distribution == "zeros":
        return 0.0, None
    if not fan:
        return NORMAL_STD, None
    fan_in, fan_out = fans(shape)
    mean_fan = fan_in if fan == "in" else (fan_in + fan_out) / 2
    std = gain / math.sqrt(mean_fan)
    return std, std * math.sqrt(3) if distribution == "uniform" else None


def draw(scheme: str, name: str, shape: Shape, seed: int, dtype: np.dtype) -> np.ndarray:
    """The tensor ``name`` as the scheme draws it; one-dimensional tensors (biases) are zero."""
    if len(shape) == 1 or scheme == "zeros":
        return np.zeros(shape, dtype)
    stream = streams.stream(seed, name)
    std, bound = spread(scheme, shape)
    values = stream.standard_normal(shape) * std if bound is None else stream.uniform(-bound, bound, shape)
    return values.astype(dtype)


def formula(scheme: str, shape: Shape) -> str:
    """LaTeX of the scheme with the numbers of this tensor."""
    if len(shape) == 1 or scheme == "zeros":
        return "b = 0" if len(shape) == 1 else "w = 0"
    fan_in, fan_out = fans(shape)
    std, bound = spread(scheme, shape)
    if scheme == "normal":
        return rf"w \sim \mathcal{{N}}(0, \sigma^2),\quad \sigma = {NORMAL_STD:g}"
    number = f"{std if bound is None else bound:.4g}"
    inside = {
        "he_normal": rf"\sqrt{{\frac{{2}}{{{fan_in}}}}}",
        "he_uniform": rf"\sqrt{{\frac{{6}}{{{fan_in}}}}}",
        "xavier_normal": rf"\sqrt{{\frac{{2}}{{{fan_in} + {fan_out}}}}}",
        "xavier_uniform": rf"\sqrt{{\frac{{6}}{{{fan_in} + {fan_out}}}}}",
    }[scheme]
    if bound is None:
        return rf"w \sim \mathcal{{N}}(0, \sigma^2),\quad \sigma = {inside} = {number}"
    return rf"w \sim \mathcal{{U}}(-a, a),\quad a = {inside} = {number}"


def describe(trace: Any, node_name: str) -> list[dict[str, Any]]:
    """How each parameter of a node came to be, JSON-able: scheme, fans, formula, histogram of its values."""
    scenario = trace.scenario
    described = []
    for name, shape in trace.network[node_name].param_shapes.items():
        values = trace.tensors[name].astype(np.float64)
        bias = len(shape) == 1
        stored = name in scenario.params.values or name in scenario.stored_names
        scheme = "stored" if stored else "zeros" if bias else scenario.params.scheme
        std, bound = (0.0, None) if bias or stored else spread(scheme, shape)
        fan_in, fan_out = (None, None) if bias else fans(shape)
        gain = None if bias or stored else SCHEMES[scheme][1]
        finite = values[np.isfinite(values)]
        counts, edges = np.histogram(finite, bins=min(24, max(4, values.size // 2)))
        described.append(
            {
                "tensor": name,
                "shape": list(shape),
                "scheme": scheme,
                "seed": scenario.params.seed,
                "fan_in": fan_in,
                "fan_out": fan_out,
                "gain": gain,
                "std": std,
                "bound": bound,
                "formula": "" if stored else formula(scheme, shape),
                "mean": float(values.mean()),
                "sd": float(values.std()),
                "histogram": {"edges": edges.tolist(), "counts": counts.tolist()},
                "edited": sum(edit.tensor == name for edit in scenario.params.edits),
            }
        )
    return described
