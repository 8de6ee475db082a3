"""Gains, fans and moments of the schemes against torch.nn.init."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import schemes
from engine.schemes import Scheme

torch: Any = importlib.import_module("torch")
init: Any = importlib.import_module("torch.nn.init")

SHAPE = (96, 64, 3, 3)


@pytest.mark.parametrize("name", sorted(schemes.GAINS))
def test_gains(name: str) -> None:
    assert schemes.calculate_gain(name) == pytest.approx(init.calculate_gain(name), rel=1e-12)
    assert schemes.calculate_gain("leaky_relu", 0.3) == pytest.approx(init.calculate_gain("leaky_relu", 0.3))


@pytest.mark.parametrize("layer", [
    torch.nn.Conv2d(4, 8, 3), torch.nn.Conv2d(4, 8, 3, groups=2), torch.nn.ConvTranspose2d(4, 6, (2, 3), groups=2),
    torch.nn.Linear(5, 7),
])  # fmt: skip
def test_fans(layer: Any) -> None:
    assert schemes.fans(tuple(layer.weight.shape)) == init._calculate_fan_in_and_fan_out(layer.weight)


@pytest.mark.parametrize(("scheme", "theirs"), [
    (schemes.Normal(), lambda w: init.normal_(w, 0, 0.1)),
    (schemes.Uniform(low=-0.5, high=1.0), lambda w: init.uniform_(w, -0.5, 1.0)),
    (schemes.XavierUniform(nonlinearity="tanh"), lambda w: init.xavier_uniform_(w, 5 / 3)),
    (schemes.XavierNormal(gain=2.0), lambda w: init.xavier_normal_(w, 2.0)),
    (schemes.HeUniform(), lambda w: init.kaiming_uniform_(w, nonlinearity="relu")),
    (schemes.HeNormal(mode="fan_out", nonlinearity="leaky_relu", a=0.2),
     lambda w: init.kaiming_normal_(w, 0.2, "fan_out", "leaky_relu")),
    (schemes.LecunNormal(), lambda w: init.kaiming_normal_(w, nonlinearity="linear")),
    (schemes.Orthogonal(gain=3.0), lambda w: init.orthogonal_(w, 3.0)),
])  # fmt: skip
def test_moments(scheme: Scheme, theirs: Callable[[Any], Any]) -> None:
    torch.manual_seed(0)
    wanted = theirs(torch.empty(SHAPE)).double().numpy()
    found = scheme.draw(np.random.default_rng(0), SHAPE)
    assert found.shape == wanted.shape
    for moment in (1, 2, 4):  # 55 296 draws: mean, variance and fourth moment, which tells uniform from normal
        scale = (wanted**moment).std() / wanted.size**0.5
        assert abs((found**moment).mean() - (wanted**moment).mean()) < 6 * scale
