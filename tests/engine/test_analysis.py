"""Analysis: fields against brute force, counts by hand, nudges against gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from app import presets
from engine import analysis
from engine.nudging import Probe, nudge_with

GRAPH: list[dict[str, Any]] = [
    {"name": "a", "kind": "conv2d", "out_channels": 2, "kernel_size": 3, "stride": 2, "padding": 1},
    {"name": "b", "kind": "avgpool2d", "kernel_size": 2, "stride": 1},
    {
        "name": "c",
        "kind": "conv2d",
        "out_channels": 2,
        "kernel_size": 2,
        "dilation": 2,
        "padding": 1,
        "inputs": ["a"],
    },
    {"name": "d", "kind": "conv_transpose2d", "out_channels": 2, "kernel_size": 2, "inputs": ["b"]},
    {"name": "e", "kind": "add", "inputs": ["a", "d"]},
    {"name": "f", "kind": "zero_pad2d", "padding": 1, "inputs": ["c"]},
]
LENET: list[dict[str, Any]] = [
    {"name": "conv1", "kind": "conv2d", "out_channels": 3, "kernel_size": 5, "padding": 2},
    {"name": "act1", "kind": "tanh"},
    {"name": "pool1", "kind": "maxpool2d", "kernel_size": 2},
    {"name": "drop1", "kind": "dropout"},
    {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "out_features": 4},
]


def made(network: list[dict[str, Any]], size: int = 9, **more: Any) -> engine.Scenario:
    values = np.random.default_rng(0).random((1, 2, size, size)) + 0.1
    document = {"input": {"values": values.tolist()}, "network": network, "dtype": "float64"}
    return engine.Scenario.from_dict(document | more)


def positive(scenario: engine.Scenario) -> engine.Trace:
    """All weights positive, so that no path cancels another."""
    values = {name: np.full(shape, 0.5).tolist() for name, shape in scenario.network.param_shapes.items()}
    return engine.run(engine.Scenario.from_dict(scenario.to_dict() | {"params": {"values": values}}))


@pytest.mark.parametrize("node", ["a", "b", "c", "d", "e", "f"])
def test_fields_are_what_the_gradient_says(node: str) -> None:
    trace = positive(made(GRAPH))
    shape = trace.network[node].shape
    stream = np.random.default_rng(1)
    for cell in [(0, 0, 0, 0), *[tuple(int(stream.integers(n)) for n in shape) for _ in range(5)]]:
        weights = analysis.effective_weights(trace, node, cell)
        field = analysis.receptive_field(trace.network, node, cell)
        assert np.array_equal(weights != 0, field.mask)
        pixel = tuple(int(stream.integers(n)) for n in trace.network.input_shape)
        spread = analysis.reach(trace.network, pixel, node)
        assert spread.mask[cell] == field.mask[pixel]


def test_a_field_by_hand() -> None:
    two = [GRAPH[0] | {"stride": 1, "padding": 0}, GRAPH[0] | {"name": "g", "stride": 2, "padding": 0}]
    field = analysis.receptive_field(made(two).network, "g", (0, 1, 1, 2))
    assert field.box == ((0, 1), (0, 2), (2, 7), (4, 9))  # 3 + (3 − 1)·1 = 5 wide, from 2·stride
    assert field.count == 2 * 25
    assert analysis.receptive_field(made(GRAPH).network, "f", (0, 0, 0, 0)).box[2] == (0, 0)  # a zero of the padding


def test_counts_by_hand() -> None:
    found = analysis.counts(made(LENET).network)
    assert found["conv1"]["params"] == 3 * 2 * 25 + 3
    assert found["conv1"]["flops"] == 3 * 81 * (2 * 50 + 1)
    assert found["fc"]["params"] == 4 * 3 * 16 + 4
    assert "(9 + 2·2" in found["conv1"]["size_formula"]


@pytest.mark.parametrize("tensor", ["input", "conv1.weight", "conv1.bias", "fc.weight", "fc.bias"])
@pytest.mark.parametrize("penalty", [{}, {"l1": 0.01, "l2": 0.1}])
def test_nudges_confirm_gradients(tensor: str, penalty: dict[str, float]) -> None:
    scenario = made(LENET, target=2, mode="train", penalty=penalty, dtype="float32")
    shapes = scenario.network.param_shapes | {"input": scenario.network.input_shape}
    stream = np.random.default_rng(3)
    cells = [tuple(int(stream.integers(n)) for n in shapes[tensor]) for _ in range(6)]
    small = [analysis.nudge(scenario, tensor, cell) for cell in cells]
    assert all(one.digits >= 6 or abs(one.difference - one.gradient) < 1e-9 for one in small)
    large = [analysis.nudge(scenario, tensor, cell, eps=0.5) for cell in cells]
    assert max(one.relative for one in large) > max(one.relative for one in small if one.gradient)


def test_losses_along_a_move_pass_through_those_of_the_nudge() -> None:
    scenario = made(LENET, target=2, penalty={"l2": 0.1})
    found = analysis.nudge(scenario, "fc.weight", (1, 3), eps=1e-3)
    low, middle, high, far = analysis.losses_at(scenario, "fc.weight", (1, 3), [-1e-3, 0, 1e-3, 5])
    assert (low, middle, high) == (found.loss_low, found.loss, found.loss_high)
    assert middle == engine.run(scenario).tensors["loss"][0]
    assert far != pytest.approx(middle + 5 * found.gradient, rel=1e-3)  # the straight line ends somewhere


def test_a_nudge_of_a_trace_begins_with_its_numbers() -> None:
    trace = engine.run(made(LENET, target=2, mode="train", dtype="float32"))
    cell = (1, 0, 2, 2)
    found = nudge_with(Probe.of(trace, "conv1.weight", cell))
    assert found.value == trace.tensors["conv1.weight"][cell]
    assert found.loss == pytest.approx(float(trace.tensors["loss"][0]), rel=1e-6)
    assert found.digits >= 6


def test_a_hundred_nudges_of_lenet_agree_to_four_digits() -> None:
    document = presets.lenet5("sha256:" + "0" * 64)
    stream = np.random.default_rng(5)
    values = stream.random((1, 1, 28, 28)).tolist()
    trace = engine.run(engine.Scenario.from_dict(document | {"input": {"values": values}, "target": 3}))
    names = ["input", *trace.network.param_shapes]
    for i in range(100):
        name = names[i % len(names)]
        cell = tuple(int(stream.integers(n)) for n in trace.tensors[name].shape)
        found = nudge_with(Probe.of(trace, name, cell))
        assert found.digits >= 4 or abs(found.difference - found.gradient) < 1e-10, (name, cell)
        assert found.gradient == pytest.approx(float(trace.tensors[f"{name}.grad"][cell]), rel=1e-3, abs=1e-6)


def test_a_nudge_into_overflow_agrees_to_no_digit() -> None:
    scenario = made(LENET, target=2, params={"edits": [{"tensor": "fc.bias", "cell": [0], "value": 1e308}]})
    found = analysis.nudge(scenario, "fc.bias", (0,), eps=1e308)
    assert not np.isfinite(found.difference)
    assert found.digits == 0


def test_dead_units_and_norms() -> None:
    network = [GRAPH[0], {"name": "r", "kind": "relu"}]
    values = {"a.bias": [-1e6, 1e6]}
    trace = engine.run(made(network, target=np.zeros((1, 2, 5, 5)).tolist(), params={"values": values}))
    assert analysis.dead_units(trace)["r"].tolist() == [True, False]
    norms = analysis.gradient_norms(trace)
    assert norms["a.weight.grad"] == pytest.approx(np.linalg.norm(trace.tensors["a.weight.grad"]))
    assert {"input.grad", "r.out.grad", "a.out.grad"} <= set(norms)
    product = analysis.gradient_times_input(trace)
    assert np.array_equal(product, trace.tensors["input"] * trace.tensors["input.grad"])


def test_the_predicted_change_is_that_of_a_small_step() -> None:
    scenario = made(LENET, target=1, penalty={"l2": 0.1}, optimizer={"kind": "sgd", "lr": 1e-6})
    found = engine.run(scenario)
    square = sum(float((found.tensors[f"{name}.grad"] ** 2).sum()) for name in scenario.network.param_shapes)
    assert analysis.predicted_change(found) == pytest.approx(-1e-6 * square, rel=1e-6)
    params = {name: found.tensors[f"{name}.next"].tolist() for name in scenario.network.param_shapes}
    after = engine.run(engine.Scenario.from_dict(scenario.to_dict() | {"params": {"values": params}}))
    change = float(after.tensors["loss"][0] - found.tensors["loss"][0])
    assert analysis.predicted_change(found) == pytest.approx(change, rel=1e-3)


@pytest.mark.parametrize("call", [
    lambda: analysis.nudge(made(LENET), "input", (0, 0, 0, 0)),
    lambda: analysis.nudge(made(LENET, target=1), "act1.out", (0, 0, 0, 0)),
    lambda: analysis.nudge(made(LENET, target=1), "input", (0, 0, 0, 9)),
    lambda: analysis.nudge(made(LENET, target=1), "input", (0, 0, 0, 0), eps=0.0),
    lambda: analysis.receptive_field(made(GRAPH).network, "a", (0, 0, 0)),
    lambda: analysis.gradient_norms(engine.run(made(GRAPH))),
])  # fmt: skip
def test_what_cannot_be_is_refused(call: Any) -> None:
    with pytest.raises(engine.EngineError) as caught:
        call()
    assert caught.value.remedy
