"""Initialisation: schemes against their formulas, streams by name, documents, the description for the learner."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import pytest

import engine
from engine import initializers
from engine.initializers import describe
from engine.scenario import Scenario
from engine.schemes import SCHEMES, Scheme, calculate_gain, fans

SHAPE = (64, 32, 3, 3)
F32, F64 = np.dtype("float32"), np.dtype("float64")
EXPECTED = [-0.09337825038136018, -0.39824451399724187, -0.7338945886666359, -0.938552857137548]
RELU = math.sqrt(2)
CONV = {"name": "c", "kind": "conv2d", "out_channels": 4, "kernel_size": 3}
NORM = {"name": "n", "kind": "batchnorm2d"}


def document(scheme: Any, *nodes: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {
        "input": {"values": np.ones((1, 3, 8, 8)).tolist()},
        "network": list(nodes) or [CONV],
        "params": {"scheme": scheme, "seed": 3} | params,
    }


def parsed(scheme: Any, *nodes: dict[str, Any]) -> Scheme:
    return Scenario.from_dict(document(scheme, *nodes)).params.scheme


def draw(scheme: Any, name: str, shape: tuple[int, ...], seed: int = 0, dtype: np.dtype = F32) -> np.ndarray:
    return initializers.draw(parsed(scheme), name, shape, seed, dtype)


@pytest.mark.parametrize(("scheme", "mean", "std", "bound"), [
    ("normal", 0, 0.1, None),
    ({"kind": "normal", "mean": 2, "std": 0.5}, 2, 0.5, None),
    ("uniform", 0, 0.2 / 12**0.5, 0.1),
    ({"kind": "uniform", "low": 0.25, "high": 0.75}, 0.5, 0.5 / 12**0.5, 0.75),
    ("xavier_uniform", 0, (2 / (288 + 576)) ** 0.5, (6 / (288 + 576)) ** 0.5),
    ({"kind": "xavier_uniform", "nonlinearity": "tanh"}, 0, 5 / 3 / 432**0.5, 5 / 3 * (3 / 432) ** 0.5),
    ("xavier_normal", 0, (2 / (288 + 576)) ** 0.5, None),
    ({"kind": "xavier_normal", "gain": 3, "nonlinearity": "tanh"}, 0, 3 / 432**0.5, None),
    ("he_uniform", 0, (2 / 288) ** 0.5, (6 / 288) ** 0.5),
    ("he_normal", 0, (2 / 288) ** 0.5, None),
    ({"kind": "he_normal", "mode": "fan_out"}, 0, (2 / 576) ** 0.5, None),
    ({"kind": "he_uniform", "nonlinearity": "leaky_relu", "a": 1}, 0, (1 / 288) ** 0.5, (3 / 288) ** 0.5),
    ({"kind": "he_normal", "nonlinearity": "selu"}, 0, 0.75 / 288**0.5, None),
    ("lecun_normal", 0, (1 / 288) ** 0.5, None),
    ("orthogonal", 0, 288**-0.5, None),
    ({"kind": "orthogonal", "gain": 2}, 0, 2 * 288**-0.5, None),
])  # fmt: skip
def test_moments(scheme: Any, mean: float, std: float, bound: float | None) -> None:
    values = draw(scheme, "conv1.weight", SHAPE).astype(np.float64)
    assert values.std() == pytest.approx(std, rel=0.02)  # 18 432 draws: the standard error is 0.5 %
    assert abs(values.mean() - mean) < 4 * std / values.size**0.5
    assert bound is None or np.abs(values).max() <= bound + 1e-7
    assert parsed(scheme).spread(SHAPE)[0] == pytest.approx(std)


@pytest.mark.parametrize(("scheme", "value"), [
    ("zeros", 0), ("ones", 1), ("constant", 0.1), ({"kind": "constant", "value": -2}, -2),
])  # fmt: skip
def test_constants(scheme: Any, value: float) -> None:
    assert (draw(scheme, "a", SHAPE) == np.float32(value)).all()


@pytest.mark.parametrize("shape", [(6, 40), (40, 6), (7, 7), (8, 1, 1, 1), (4, 3, 3, 3), (64, 2, 3, 3)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    weight = draw({"kind": "orthogonal", "gain": 3}, "a", shape, dtype=F64).reshape(shape[0], -1)
    gram = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
    np.testing.assert_allclose(gram, 9 * np.eye(len(gram)), atol=1e-12)


def test_orthogonal_is_uniform_in_sign() -> None:
    # without the correction of the signs LAPACK's first column would always point the same way as R says
    first = np.array([draw("orthogonal", "a", (4, 4), seed, F64)[0, 0] for seed in range(200)])
    assert 70 < (first > 0).sum() < 130


def test_fans_count_the_kernel() -> None:
    assert fans(SHAPE) == (32 * 9, 64 * 9)
    assert fans((10, 84)) == (84, 10)


def test_gains() -> None:
    found = [calculate_gain(name) for name in ("linear", "sigmoid", "tanh", "relu", "selu")]
    assert found == [1, 1, 5 / 3, RELU, 0.75]
    assert calculate_gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)


def test_bit_stream_is_the_documented_one() -> None:
    # the first numbers of this stream; another platform or NumPy must give the same
    values = draw("he_normal", "conv1.weight", (1, 1, 2, 2), dtype=F64)
    np.testing.assert_allclose(values.ravel(), EXPECTED, rtol=1e-15)


@pytest.mark.parametrize(("scheme", "digest"), [
    ("normal", "0972bbf1316d50eb"), ("uniform", "9be4313558123364"),
    ("xavier_uniform", "03f13ddf53726f80"), ("xavier_normal", "4c77ed06f1f0bcbc"),
    ("he_uniform", "4cd1a1d8ce75b76f"), ("he_normal", "c5437f161384ed36"),
    ("lecun_normal", "b3de2110978e9f69"),
])  # fmt: skip
def test_bits_do_not_change_between_versions(scheme: str, digest: str) -> None:
    values = draw(scheme, "conv1.weight", (5, 3, 3, 3), seed=7)
    assert hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()[:16] == digest


def test_adding_a_layer_reshuffles_nothing() -> None:
    conv = {"name": "conv1", "kind": "conv2d", "out_channels": 2, "kernel_size": 3, "padding": 1}
    base = {"input": {"values": np.zeros((1, 1, 5, 5)).tolist()}}
    one = engine.run(Scenario.from_dict(base | {"network": [conv]}))
    two = engine.run(Scenario.from_dict(base | {"network": [conv | {"name": "conv0"}, conv | {
        "inputs": ["input"]}]}))  # fmt: skip
    assert np.array_equal(one.tensors["conv1.weight"], two.tensors["conv1.weight"])
    assert not np.array_equal(two.tensors["conv0.weight"], two.tensors["conv1.weight"])


# --- documents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(SCHEMES))
def test_a_plain_name_stays_one(kind: str) -> None:
    for given in (kind, {"kind": kind}):
        assert Scenario.from_dict(document(given)).to_dict()["params"]["scheme"] == kind


def test_settings_at_their_defaults_are_left_out_others_are_all_written() -> None:
    def canonical(scheme: Any) -> Any:
        return Scenario.from_dict(document(scheme)).to_dict()["params"]["scheme"]

    assert canonical({"kind": "normal", "std": 0.1}) == "normal"
    assert canonical({"kind": "normal", "std": 1}) == {"kind": "normal", "mean": 0.0, "std": 1.0}
    assert canonical({"kind": "xavier_normal", "gain": None}) == "xavier_normal"
    assert canonical(canonical({"kind": "he_normal", "mode": "fan_out"})) == {
        "kind": "he_normal", "mode": "fan_out", "nonlinearity": "relu", "a": 0.01,
    }  # fmt: skip


@pytest.mark.parametrize(("scheme", "field"), [
    ("magic", "params.scheme"), (5, "params.scheme"), (["normal"], "params.scheme"), ({}, "params.scheme.kind"),
    ({"kind": "magic"}, "params.scheme.kind"), ({"kind": ["normal"]}, "params.scheme.kind"),
    ({"kind": "zeros", "value": 1}, "params.scheme.value"),
    ({"kind": "normal", "std": -1}, "params.scheme.std"),
    ({"kind": "normal", "std": 1e30}, "params.scheme.std"),
    ({"kind": "constant", "value": math.nan}, "params.scheme.value"),
    ({"kind": "uniform", "low": 1, "high": 0}, "params.scheme.high"),
    ({"kind": "he_normal", "mode": "fan"}, "params.scheme.mode"),
    ({"kind": "he_normal", "nonlinearity": "magic"}, "params.scheme.nonlinearity"),
    ({"kind": "he_normal", "nonlinearity": []}, "params.scheme.nonlinearity"),
    ({"kind": "xavier_normal", "gain": "large"}, "params.scheme.gain"),
])  # fmt: skip
def test_errors_name_the_field(scheme: Any, field: str) -> None:
    with pytest.raises(engine.ScenarioError) as caught:
        Scenario.from_dict(document(scheme))
    assert caught.value.field == field
    assert caught.value.remedy


def test_orthogonal_has_a_bound_known_from_the_shapes() -> None:
    wide = {"name": "f", "kind": "flatten"}, {"name": "d", "kind": "dense", "out_features": 60000}
    with pytest.raises(engine.ScenarioError, match="multiplications") as caught:
        parsed("orthogonal", {**CONV, "out_channels": 4000}, *wide)
    assert caught.value.reason == "too_large"
    parsed("orthogonal", *wide)


# --- what a layer begins with ---------------------------------------------------------------------------------------


def test_what_a_layer_fixes_wins_over_the_scheme() -> None:
    tensors = engine.run(Scenario.from_dict(document("constant", CONV, NORM))).tensors
    starts = {name: set(tensors[name].ravel().tolist()) for name in (
        "c.weight", "c.bias", "n.weight", "n.bias", "n.running_mean", "n.running_var",
    )}  # fmt: skip
    assert starts == {
        "c.weight": {float(np.float32(0.1))}, "c.bias": {0.0}, "n.weight": {1.0}, "n.bias": {0.0},
        "n.running_mean": {0.0}, "n.running_var": {1.0},
    }  # fmt: skip


def test_buffers_can_be_given_and_edited() -> None:
    given = document(
        "zeros", CONV, NORM, values={"n.running_mean": [1, 2, 3, 4]},
        edits=[{"tensor": "n.running_var", "cell": [2], "value": 9}],
    )  # fmt: skip
    trace = engine.run(Scenario.from_dict(given))
    assert trace.tensors["n.running_mean"].tolist() == [1, 2, 3, 4]
    assert trace.tensors["n.running_var"].tolist() == [1, 1, 9, 1]
    np.testing.assert_allclose(trace.tensors["n.out"][0, :, 0, 0], [-1, -2, -1, -4], rtol=1e-4)
    assert trace.origin("n.running_var", (2,))["from"] == "edit"
    assert trace.origin("n.running_var", (1,))["scheme"] == "ones"


def test_stored_weights_include_buffers() -> None:
    name = "sha256:" + "0" * 64
    scenario = Scenario.from_dict(document("zeros", CONV, NORM, weights=name))
    stored = {
        key: np.full(shape, 0.5)
        for key, shape in (scenario.network.param_shapes | scenario.network.buffer_shapes).items()
    }
    trace = engine.run(scenario, {name: stored})
    assert trace.tensors["n.running_var"].tolist() == [0.5] * 4
    assert trace.origin("n.running_var", (1,))["from"] == "stored"
    assert {entry["scheme"] for entry in describe(trace, "n")} == {"stored"}
    del stored["n.running_var"]
    with pytest.raises(engine.ScenarioError, match=r"n\.running_var is missing"):
        engine.run(scenario, {name: stored})


# --- the description ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_description_has_the_numbers(scheme: str) -> None:
    edit = {"tensor": "c.bias", "cell": [1], "value": 2}
    trace = engine.run(Scenario.from_dict(document(scheme, edits=[edit])))
    weight, bias = describe(trace, "c")
    assert (weight["fan_in"], weight["fan_out"], weight["scheme"]) == (27, 36, scheme)
    assert sum(weight["histogram"]["counts"]) == 4 * 27
    assert (bias["scheme"], bias["edited"], bias["mean"], bias["formula"]) == ("zeros", 1, 0.5, "b = 0")
    assert trace.origin("c.weight", (0, 0, 0, 0))["scheme"] == scheme
    if scheme.startswith(("he", "lecun", "orthogonal")):
        assert "27" in weight["formula"]


def test_buffers_are_described_too() -> None:
    found = describe(engine.run(Scenario.from_dict(document("normal", CONV, NORM))), "n")
    assert [(entry["tensor"], entry["formula"]) for entry in found] == [
        ("n.weight", "w = 1"), ("n.bias", "b = 0"),
        ("n.running_mean", r"\mathrm{running\_mean} = 0"), ("n.running_var", r"\mathrm{running\_var} = 1"),
    ]  # fmt: skip


@pytest.mark.parametrize(("scheme", "formula"), [
    ("zeros", "w = 0"),
    ({"kind": "constant", "value": 0.25}, "w = 0.25"),
    ("normal", r"w \sim \mathcal{N}(0, \sigma^2),\quad \sigma = 0.1"),
    ("uniform", r"w \sim \mathcal{U}(-a, a),\quad a = 0.1"),
    ({"kind": "uniform", "low": 0}, r"w \sim \mathcal{U}(0, 0.1)"),
    ("he_normal", r"w \sim \mathcal{N}(0, \sigma^2),\quad \sigma = \sqrt{\frac{2}{27}} = 0.2722"),
    ("he_uniform", r"w \sim \mathcal{U}(-a, a),\quad a = \sqrt{\frac{6}{27}} = 0.4714"),
    ("xavier_uniform", r"w \sim \mathcal{U}(-a, a),\quad a = \sqrt{\frac{6}{27 + 36}} = 0.3086"),
    ({"kind": "xavier_normal", "nonlinearity": "tanh"},
     r"w \sim \mathcal{N}(0, \sigma^2),\quad \sigma = 1.667\,\sqrt{\frac{2}{27 + 36}} = 0.297"),
    ("lecun_normal", r"w \sim \mathcal{N}(0, \sigma^2),\quad \sigma = \sqrt{\frac{1}{27}} = 0.1925"),
    ({"kind": "orthogonal", "gain": 2}, r"W W^T = 2^2\,I,\quad W \in \mathbb{R}^{4 \times 27}"),
])  # fmt: skip
def test_formulas(scheme: Any, formula: str) -> None:
    assert parsed(scheme).formula("w", (4, 3, 3, 3)) == formula
