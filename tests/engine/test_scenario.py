"""Scenario documents: defaults, canonical form, digest, limits, and every error with its field."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import engine

CONV = {"name": "conv1", "kind": "conv2d", "out_channels": 2, "kernel_size": 3}


def scenario(*network: dict[str, Any], size: int = 5, channels: int = 1, **more: Any) -> dict[str, Any]:
    values = [[[[0.5] * size for _ in range(size)] for _ in range(channels)]]
    return {"input": {"values": values}, "network": list(network) or [CONV]} | more


def test_defaults_are_filled_in_and_the_canonical_form_is_stable() -> None:
    once = engine.Scenario.from_dict(scenario())
    again = engine.Scenario.from_dict(once.to_dict())
    assert once.to_dict() == again.to_dict()
    assert once.digest == again.digest
    assert once.to_dict()["network"][0] == {
        "name": "conv1", "kind": "conv2d", "inputs": ["input"], "out_channels": 2, "kernel_size": [3, 3],
        "stride": [1, 1], "padding": [0, 0], "dilation": [1, 1], "groups": 1, "bias": True, "padding_mode": "zeros",
    }  # fmt: skip


def test_digest_knows_meaning_not_spelling() -> None:
    whole = scenario(CONV | {"kernel_size": [3, 3], "stride": 1.0}, params={"seed": 0.0})
    assert engine.Scenario.from_dict(whole).digest == engine.Scenario.from_dict(scenario()).digest
    other = engine.Scenario.from_dict(scenario(params={"seed": 1}))
    assert other.digest != engine.Scenario.from_dict(scenario()).digest


def test_digest_does_not_change_between_versions() -> None:
    found = engine.Scenario.from_dict({"input": {"values": [[[[1]]]]}, "network": [{"name": "a", "kind": "relu"}]})
    assert found.canonical == (
        '{"dtype":"float32","input":{"values":[[[[1.0]]]]},"mode":"eval","network":[{"inputs":["input"],'
        '"kind":"relu","name":"a"}],"params":{"edits":[],"scheme":"he_normal","seed":0,"values":{},'
        '"weights":null},"version":1}'
    )


def test_edits_are_sorted_the_last_one_wins_and_minus_zero_is_zero() -> None:
    def edit(x: int, value: float) -> dict[str, Any]:
        return {"tensor": "input", "cell": [0, 0, 0, x], "value": value}

    found = engine.Scenario.from_dict(scenario(params={"edits": [edit(3, 1), edit(1, 5), edit(3, -0.0)]}))
    assert [(e["cell"][3], e["value"]) for e in found.to_dict()["params"]["edits"]] == [(1, 5.0), (3, 0.0)]
    assert '"value":-0' not in found.canonical
    trace = engine.run(found)
    assert trace.tensors["input"][0, 0, 0].tolist() == [0.5, 5.0, 0.5, 0.0, 0.5]
    assert trace.origin("input", (0, 0, 0, 1))["from"] == "edit"
    assert trace.origin("input", (0, 0, 0, 0))["from"] == "value"


def test_limits_are_known_without_computing() -> None:
    huge = scenario({"name": "c", "kind": "conv2d", "out_channels": 4096, "kernel_size": 1}, size=200)
    limits = engine.Scenario.from_dict(huge).limits
    assert limits.steps == 4096 * 200 * 200
    assert limits.flops == 3 * limits.steps
    assert limits.params == 2 * 4096
    assert limits.bytes == 4 * (limits.steps + limits.params + 200 * 200)


ERRORS: list[tuple[dict[str, Any], str, str]] = [
    (scenario({"name": "a", "kind": "conv3d"}), "network[0].kind", "unknown_kind"),
    (scenario(CONV | {"colour": 1}), "network[0].colour", "unknown_field"),
    (scenario() | {"netwrok": []}, "netwrok", "unknown_field"),
    (scenario(params={"sede": 1}), "params.sede", "unknown_field"),
    (scenario({"name": "a", "kind": "conv2d", "out_channels": 2}), "network[0].kernel_size", "missing_field"),
    (scenario(CONV | {"out_channels": 0}), "network[0].out_channels", "bad_value"),
    (scenario(CONV | {"kernel_size": "big"}), "network[0].kernel_size", "bad_value"),
    (scenario(CONV | {"kernel_size": 2.5}), "network[0].kernel_size", "bad_value"),
    (scenario(CONV | {"bias": 1}), "network[0].bias", "bad_value"),
    (scenario(CONV | {"padding_mode": "mirror"}), "network[0].padding_mode", "bad_value"),
    (scenario(CONV | {"kernel_size": 7}), "network[0].kernel_size", "kernel_too_big"),
    (scenario(CONV | {"dilation": 3}), "network[0].kernel_size", "kernel_too_big"),
    (scenario(CONV | {"groups": 2}, channels=3), "network[0].groups", "bad_groups"),
    (scenario(CONV | {"padding": "same", "stride": 2}), "network[0].padding", "same_needs_stride_1"),
    (scenario(CONV | {"padding": 5, "padding_mode": "reflect"}), "network[0].padding", "padding_too_wide"),
    (scenario({"name": "p", "kind": "maxpool2d", "kernel_size": 2, "padding": 2}), "network[0].padding",
     "padding_too_wide"),
    (scenario({"name": "fc", "kind": "dense", "out_features": 2}), "network[0].inputs", "bad_input_shape"),
    (scenario(CONV, CONV), "network[1].name", "duplicate_name"),
    (scenario(CONV | {"name": "loss"}), "network[0].name", "bad_name"),
    (scenario(CONV | {"name": "Conv 1"}), "network[0].name", "bad_name"),
    (scenario(CONV | {"inputs": ["later"]}, {"name": "later", "kind": "relu"}), "network[0].inputs[0]", "cycle"),
    (scenario(CONV | {"inputs": ["conv1"]}), "network[0].inputs[0]", "cycle"),
    (scenario(CONV | {"inputs": ["nowhere"]}), "network[0].inputs[0]", "missing_input"),
    (scenario(CONV, {"name": "a", "kind": "add"}), "network[1].inputs", "bad_arity"),
    (scenario(CONV, {"name": "a", "kind": "add", "inputs": ["conv1", "input"]}), "network[1].inputs",
     "shapes_differ"),
    (scenario(CONV, {"name": "a", "kind": "concat", "inputs": ["conv1", "input"]}), "network[1].inputs",
     "shapes_differ"),
    (scenario(params={"values": {"conv1.weight": [[[[1, 2], [3, 4]]]]}}), "params.values.conv1.weight",
     "bad_weight_shape"),
    (scenario(params={"values": {"conv9.weight": [1]}}), "params.values.conv9.weight", "unknown_tensor"),
    (scenario(params={"values": {"conv1.bias": [1, float("nan")]}}), "params.values.conv1.bias[1]", "not_finite"),
    (scenario(params={"edits": [{"tensor": "conv1.bias", "cell": [0], "value": float("inf")}]}),
     "params.edits[0].value", "not_finite"),
    (scenario(params={"edits": [{"tensor": "conv1.bias", "cell": [2], "value": 1}]}), "params.edits[0].cell",
     "bad_cell"),
    (scenario(params={"edits": [{"tensor": "conv1.out", "cell": [0, 0, 0, 0], "value": 1}]}),
     "params.edits[0].tensor", "unknown_tensor"),
    (scenario(params={"seed": -1}), "params.seed", "bad_value"),
    (scenario(params={"scheme": "magic"}), "params.scheme", "bad_value"),
    (scenario(params={"weights": "abc"}), "params.weights", "bad_value"),
    (scenario(dtype="float16"), "dtype", "bad_value"),
    (scenario(version=2), "version", "bad_version"),
    ({"network": [CONV], "input": {"values": [[[[1, 2], [3]]]]}}, "input.values[0][0][1]", "bad_shape"),
    ({"network": [CONV], "input": {"values": [[[[]]]]}}, "input.values[0][0][0]", "bad_shape"),
    ({"network": [CONV], "input": {"values": [[[[float("inf")]]]]}}, "input.values[0][0][0][0]", "not_finite"),
    ({"network": [CONV], "input": {"image": "cat.png", "shape": [1, 8, 8]}}, "input.image", "bad_value"),
    ({"network": [CONV], "input": {"image": "sha256:" + "0" * 64, "shape": [2, 8, 8]}}, "input.shape[0]",
     "bad_value"),
    ({"network": [CONV], "input": {"image": "sha256:" + "0" * 64, "shape": [1, 8, 8], "std": [0]}}, "input.std",
     "bad_value"),
    ({"network": [], "input": {"values": [[[[1]]]]}}, "network", "bad_value"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "field", "reason"), ERRORS, ids=[f"{r}-{f}" for _, f, r in ERRORS])
def test_errors_name_field_value_and_remedy(document: dict[str, Any], field: str, reason: str) -> None:
    before = copy.deepcopy(document)
    with pytest.raises(engine.ScenarioError) as caught:
        engine.Scenario.from_dict(document)
    error = caught.value
    assert (error.field, error.reason) == (field, reason)
    assert error.remedy
    assert error.message.count("\n") == 0
    json.dumps(error.to_dict(), allow_nan=False)
    assert repr(document) == repr(before)


def test_kernel_error_reads_as_promised() -> None:
    with pytest.raises(engine.ScenarioError, match=(
        r"^conv2d 'conv2': kernel_size 7 exceeds its padded input 5×5; use ≤ 5 or padding ≥ 1$"
    )):  # fmt: skip
        engine.Scenario.from_dict(scenario(CONV | {"name": "conv2", "kernel_size": 7}))


def test_a_missing_picture_is_named() -> None:
    name = "sha256:" + "0" * 64
    found = engine.Scenario.from_dict({"network": [CONV], "input": {"image": name, "shape": [1, 8, 8]}})
    assert found.blobs == [name]
    with pytest.raises(engine.BlobError) as caught:
        engine.run(found)
    assert caught.value.value == name


def test_stored_weights_are_taken_and_checked() -> None:
    import numpy as np

    name = "sha256:" + "1" * 64
    found = engine.Scenario.from_dict(scenario(params={"weights": name}))
    weights = {"conv1.weight": np.ones((2, 1, 3, 3)), "conv1.bias": np.zeros(2)}
    trace = engine.run(found, {name: weights})
    assert trace.tensors["conv1.out"][0, 0, 0, 0] == pytest.approx(4.5)
    assert trace.origin("conv1.weight", (0, 0, 0, 0))["from"] == "stored"
    with pytest.raises(engine.ScenarioError, match=r"conv1\.bias has shape \[3\]"):
        engine.run(found, {name: weights | {"conv1.bias": np.zeros(3)}})


def test_what_every_kind_writes_can_be_read_again() -> None:
    from tests.engine.cases import CASES, document

    for cases in CASES.values():
        for case in cases:
            once = engine.Scenario.from_dict(document(case))
            assert engine.Scenario.from_dict(once.to_dict()).digest == once.digest
