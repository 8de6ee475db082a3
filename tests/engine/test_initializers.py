"""Initialisation: schemes against their formulas, streams by name, the description for the learner."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine import initializers
from engine.initializers import SCHEMES, describe, draw

SHAPE = (64, 32, 3, 3)
F32 = np.dtype("float32")
EXPECTED = [-0.09337825038136018, -0.39824451399724187, -0.7338945886666359, -0.938552857137548]


@pytest.mark.parametrize(("scheme", "std", "bound"), [
    ("normal", 0.1, None),
    ("xavier_uniform", (2 / (288 + 576)) ** 0.5, (6 / (288 + 576)) ** 0.5),
    ("xavier_normal", (2 / (288 + 576)) ** 0.5, None),
    ("he_uniform", (2 / 288) ** 0.5, (6 / 288) ** 0.5),
    ("he_normal", (2 / 288) ** 0.5, None),
])  # fmt: skip
def test_moments(scheme: str, std: float, bound: float | None) -> None:
    values = draw(scheme, "conv1.weight", SHAPE, 0, F32).astype(np.float64)
    assert values.std() == pytest.approx(std, rel=0.02)  # 18 432 draws: the standard error is 0.5 %
    assert abs(values.mean()) < 4 * std / values.size**0.5
    assert bound is None or np.abs(values).max() <= bound + 1e-7


def test_fans_count_the_kernel() -> None:
    assert initializers.fans(SHAPE) == (32 * 9, 64 * 9)
    assert initializers.fans((10, 84)) == (84, 10)


def test_zeros_and_biases() -> None:
    assert not draw("zeros", "a", SHAPE, 0, F32).any()
    assert not draw("he_normal", "a.bias", (7,), 0, F32).any()


def test_bit_stream_is_the_documented_one() -> None:
    # the first numbers of this stream; another platform or NumPy must give the same
    values = draw("he_normal", "conv1.weight", (1, 1, 2, 2), 0, np.dtype("float64"))
    np.testing.assert_allclose(values.ravel(), EXPECTED, rtol=1e-15)


def test_adding_a_layer_reshuffles_nothing() -> None:
    conv = {"name": "conv1", "kind": "conv2d", "out_channels": 2, "kernel_size": 3, "padding": 1}
    base = {"input": {"values": np.zeros((1, 1, 5, 5)).tolist()}}
    one = engine.run(engine.Scenario.from_dict(base | {"network": [conv]}))
    two = engine.run(engine.Scenario.from_dict(base | {"network": [conv | {"name": "conv0"}, conv | {
        "inputs": ["input"]}]}))  # fmt: skip
    assert np.array_equal(one.tensors["conv1.weight"], two.tensors["conv1.weight"])
    assert not np.array_equal(two.tensors["conv0.weight"], two.tensors["conv1.weight"])


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_description_has_the_numbers(scheme: str) -> None:
    trace = engine.run(engine.Scenario.from_dict({
        "input": {"values": np.ones((1, 3, 8, 8)).tolist()},
        "network": [{"name": "c", "kind": "conv2d", "out_channels": 4, "kernel_size": 3}],
        "params": {"scheme": scheme, "seed": 3, "edits": [{"tensor": "c.bias", "cell": [1], "value": 2}]},
    }))  # fmt: skip
    weight, bias = describe(trace, "c")
    assert (weight["fan_in"], weight["fan_out"], weight["scheme"]) == (27, 36, scheme)
    assert sum(weight["histogram"]["counts"]) == 4 * 27
    assert (bias["scheme"], bias["edited"], bias["mean"]) == ("zeros", 1, 0.5)
    if scheme.startswith("he"):
        assert "27" in weight["formula"]
