"""Traces: hand-computed answers, ranges, windows far out, graphs."""

from __future__ import annotations

import time

import numpy as np
import pytest

import engine
from tests.engine.cases import CASES, document

HAND = {
    "input": {"values": [[[[1, 2, 0], [0, 1, 3], [2, 0, 1]]]]},
    "network": [{"name": "conv1", "kind": "conv2d", "out_channels": 1, "kernel_size": 2}],
    "params": {"values": {"conv1.weight": [[[[1, 0], [-1, 2]]]], "conv1.bias": [0.5]}},
}


def test_a_convolution_by_hand() -> None:
    # (0, 0): 1·1 + 2·0 + 0·(−1) + 1·2 + 0.5 = 3.5;  (1, 1): 1·1 + 3·0 + 0·(−1) + 1·2 + 0.5 = 3.5
    trace = engine.run(engine.Scenario.from_dict(HAND))
    assert trace.tensors["conv1.out"][0, 0].tolist() == [[3.5, 7.5], [-1.5, 3.5]]
    step = trace[2]
    assert step.cell == (0, 0, 1, 0)
    assert step.terms == [0, 0, -2, 0]
    assert step.reads["input"][2] == ((0, 0, 2, 0), 2.0)
    assert step.reads["conv1.bias"] == [((0,), 0.5)]
    assert (step.result, step.residual) == (-1.5, 0.0)
    assert step.text == "conv1.out[0, 0, 1, 0] = Σ of 4 + conv1.bias = -1.5"


def test_softmax_by_hand_is_made_of_its_own_steps() -> None:
    trace = engine.run(engine.Scenario.from_dict({
        "input": {"values": [[[[0.0, 0.0], [0.0, 1000.0]]]]},
        "network": [{"name": "flat", "kind": "flatten"}, {"name": "softmax", "kind": "softmax"}],
    }))  # fmt: skip
    assert [block.writes for block in trace.blocks] == [
        "flat.out", "softmax.max", "softmax.exp", "softmax.sum", "softmax.out",
    ]  # fmt: skip
    assert trace.tensors["softmax.max"].tolist() == [[1000]]
    assert trace.tensors["softmax.exp"].tolist() == [[0, 0, 0, 1]]
    assert trace.tensors["softmax.out"].tolist() == [[0, 0, 0, 1]]


def test_max_pool_takes_the_first_of_equal_cells_and_never_the_padding() -> None:
    trace = engine.run(engine.Scenario.from_dict({
        "input": {"values": [[[[-3, -3], [-3, -5]]]]},
        "network": [{"name": "p", "kind": "maxpool2d", "kernel_size": 2, "padding": 1, "stride": 1}],
    }))  # fmt: skip
    assert trace.tensors["p.out"][0, 0].tolist() == [[-3, -3, -3], [-3, -3, -3], [-3, -3, -5]]
    columns = trace.window(4, 5).columns
    assert columns["extra.argmax"].tolist() == [0]
    assert trace.window(0, 1).columns["x.value"].tolist() == [[-np.inf, -np.inf, -np.inf, -3]]


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (0, 0), (3, 2), (0, 5), (4, 5), (2**60, 2**60 + 1)])
def test_ranges_are_refused_not_clamped(start: int, stop: int) -> None:
    trace = engine.run(engine.Scenario.from_dict(HAND))
    with pytest.raises(engine.RangeError) as caught:
        trace.window(start, stop)
    assert caught.value.bound is not None


def test_a_window_does_not_cross_the_end_of_its_block() -> None:
    network = [*HAND["network"], {"name": "relu1", "kind": "relu"}]
    trace = engine.run(engine.Scenario.from_dict(HAND | {"network": network}))
    with pytest.raises(engine.RangeError, match=r"use 3 < stop ≤ 4"):
        trace.window(3, 5)


@pytest.mark.parametrize("more", [{"reading": "scatter"}, {"terms": (0, 9)}, {"terms": (2, 2)}, {"top": 0}])
def test_unknown_readings_and_terms_are_refused(more: dict) -> None:
    trace = engine.run(engine.Scenario.from_dict(HAND))
    with pytest.raises(engine.RangeError):
        trace.window(0, 1, **more)


def test_cells_that_no_step_wrote_have_an_origin() -> None:
    trace = engine.run(engine.Scenario.from_dict(HAND))
    assert trace.find("input", (0, 0, 1, 1)) is None
    assert trace.find("conv1.weight", (0, 0, 0, 0)) is None
    with pytest.raises(engine.RangeError):
        trace.find("conv1.out", (0, 0, 2, 0))
    with pytest.raises(engine.RangeError):
        trace.find("nothing", (0,))
    assert trace.origin("conv1.weight", (0, 0, 1, 1)) == {
        "tensor": "conv1.weight", "cell": [0, 0, 1, 1], "value": 2.0, "from": "value",
    }  # fmt: skip


def test_windows_far_out_in_a_billion_steps() -> None:
    """Tensors of a billion cells that take no memory: positions are right and nothing is copied whole."""
    shape, channels = (1, 1, 12_002, 12_002), 8
    scenario = engine.Scenario.from_dict({
        "input": {"tensor": "sha256:" + "0" * 64, "shape": list(shape)},
        "network": [{"name": "c", "kind": "conv2d", "out_channels": channels, "kernel_size": 3}],
    })  # fmt: skip
    out = (1, channels, 12_000, 12_000)
    tensors = {
        "input": np.broadcast_to(np.float32(2), shape),
        "c.weight": np.full((channels, 1, 3, 3), 0.5, np.float32),
        "c.bias": np.ones(channels, np.float32),
        "c.out": np.broadcast_to(np.float32(10), out),
    }
    trace = engine.Trace(scenario, tensors)
    assert len(trace) > 10**9
    began = time.perf_counter()
    for start in (0, len(trace) // 2, len(trace) - 256):
        columns = trace.window(start, start + 256).columns
        assert np.array_equal(columns["residual"], np.zeros(256))
    assert time.perf_counter() - began < 5  # a copy of one tensor would take 4 GB
    _, cell = trace.locate(len(trace) - 1)
    assert cell == (0, channels - 1, 11_999, 11_999)
    assert trace.find("c.out", cell) == len(trace) - 1
    assert trace[len(trace) - 1].reads["input"][-1][0] == (0, 0, 12_001, 12_001)


def test_skip_connections_and_branches_read_what_they_name() -> None:
    trace = engine.run(engine.Scenario.from_dict(document(CASES["concat"][0])))
    x, branch, y = (trace.tensors[name] for name in ("input", "branch.out", "node.out"))
    assert np.array_equal(y[:, :4], x)
    assert np.array_equal(y[:, 4:7], branch)
    assert np.array_equal(y[:, 7:], branch)


def test_forward_without_keeping_gives_the_same_numbers() -> None:
    from engine.compute import load_params
    from engine.layer import Context

    scenario = engine.Scenario.from_dict(document(CASES["add"][0]))
    trace = engine.run(scenario)
    y = scenario.network.forward(load_params(scenario, {}), trace.tensors["input"], Context())
    assert np.array_equal(y, trace.tensors["node.out"])


def test_not_a_number_stays_visible() -> None:
    network = [{"name": "a", "kind": "relu"}, {"name": "p", "kind": "maxpool2d", "kernel_size": 2}]
    scenario = engine.Scenario.from_dict({"input": {"values": [[[[1, 2], [3, 4]]]]}, "network": network})
    x = np.array([[[[1, np.nan], [3, 4]]]], np.float32)
    kept: dict = {}
    from engine.layer import Context

    scenario.network.forward({}, x, Context(), keep=kept)
    assert np.isnan(kept["a.out"][0, 0, 0, 1])
    assert np.isnan(kept["p.out"]).all()


def test_branches_do_not_write_into_each_others_gradients() -> None:
    """A training step that reuses buffers against one that keeps everything: a ReLU before each branch of an add."""
    from engine import compute
    from engine.kernels.work import Workspace

    network = [
        {"name": "a", "kind": "conv2d", "out_channels": 2, "kernel_size": 3, "padding": 1},
        {"name": "b", "kind": "relu"},
        {"name": "c", "kind": "dropout"},
        {"name": "d", "kind": "relu", "inputs": ["a"]},
        {"name": "e", "kind": "add", "inputs": ["c", "d", "b"]},
        {"name": "f", "kind": "relu"},
    ]
    x = np.random.default_rng(0).standard_normal((9, 1, 5, 5))
    target = np.random.default_rng(1).standard_normal((9, 2, 5, 5))
    document = {"input": {"values": x.tolist()}, "network": network, "target": target.tolist(), "dtype": "float64"}
    scenario = engine.Scenario.from_dict(document)
    kept = engine.run(scenario).tensors
    context = compute.context_of(scenario)
    context.work = Workspace()
    assert scenario.objective is not None
    weights = compute.load_params(scenario, {})
    for _ in range(2):
        found = compute.step(scenario.objective, weights, x, target, None, context)
        assert np.array_equal(found["a.weight.grad"], kept["a.weight.grad"])
        assert np.array_equal(found["a.weight.next"], kept["a.weight.next"])
