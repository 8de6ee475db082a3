"""The chain-rule trail: by hand, on LeNet, over a fork, and for every backward block of every kind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import engine
from app import presets
from engine import analysis
from engine.backprop import grad_of
from engine.derivatives import local_derivatives
from engine.trail import trail
from tests.engine.cases import Case
from tests.engine.test_backward import MODES, step_document


def run(document: dict[str, Any], **more: Any) -> engine.Trace:
    return engine.run(engine.Scenario.from_dict(document | more))


def lenet(**more: Any) -> engine.Trace:
    made = presets.lenet5("sha256:" + "0" * 64)
    values = np.random.default_rng(1).random((1, 1, 28, 28))
    return run(made | {"input": {"values": values.tolist()}, "target": 3}, **more)


def test_a_trail_by_hand() -> None:
    """y = 2x + 1 = 7 → relu → fc [3, −1] → (21, −7); L = mean of squares; ∂L/∂w = (21·3 + 7)·3 = 210."""
    network = [
        {"name": "conv", "kind": "conv2d", "out_channels": 1, "kernel_size": 1},
        {"name": "act", "kind": "relu"},
        {"name": "flat", "kind": "flatten"},
        {"name": "fc", "kind": "dense", "out_features": 2, "bias": False},
    ]
    values = {"conv.weight": [[[[2]]]], "conv.bias": [1], "fc.weight": [[3], [-1]]}
    document = {"input": {"values": [[[[3]]]]}, "network": network, "params": {"values": values}}
    trace = run(document, target=[[0, 0]], loss={"kind": "mse"}, penalty={"l2": 0.5})
    found = trail(trace, "conv.weight", (0, 0, 0, 0))
    assert (found["total"], found["penalty"]) == (211, 1)
    assert [(one["tensor"], one["factor"]) for one in found["links"]] == [
        ("fc.out.grad", 21),
        ("flat.out.grad", 3),
        ("act.out.grad", 1),
        ("conv.out.grad", 1),
        ("conv.weight.grad@data", 3),
        ("conv.weight.grad", 1),
    ]
    assert found["path"] == 189
    assert found["complete"]
    assert [(one["of"], one["share"]) for one in found["links"][:2]] == [(1, 1.0), (2, 63 / 70)]
    assert [(one["node"], one["sum"], one["count"]) for one in found["layers"]] == [
        ("conv", 210, 1),
        ("act", 210, 1),
        ("flat", 210, 1),
        ("fc", 210, 2),
    ]
    assert [(one["cell"], one["contribution"]) for one in found["layers"][-1]["top"]] == [([0, 0], 189), ([0, 1], 21)]
    for link in found["links"]:
        assert trace.find(link["tensor"], link["cell"]) == link["step"]


@pytest.mark.parametrize("tensor", ["input", "conv1.weight", "conv1.bias", "conv2.weight", "fc1.weight", "fc3.bias"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_lenet_paths_are_products_and_layers_are_whole(tensor: str, dtype: str) -> None:
    trace = lenet(dtype=dtype)
    stream = np.random.default_rng(2)
    bound = 1e-6 if dtype == "float32" else 1e-12
    for _ in range(4):
        cell = [int(stream.integers(n)) for n in trace.tensors[tensor].shape]
        found = trail(trace, tensor, cell)
        path = math.prod(link["factor"] for link in found["links"])
        assert found["path"] == pytest.approx(path, rel=1e-12)
        last = found["links"][-1]
        assert (last["tensor"], last["cell"]) == (f"{tensor}.grad", cell)
        for above, link in zip(found["links"], found["links"][1:], strict=False):
            if link["share"] is not None and link["value"]:
                term = above["value"] * link["factor"]
                assert link["share"] * link["value"] == pytest.approx(term, rel=1e-3)
        for layer in found["layers"]:
            assert layer["cut"]
            size = max(abs(found["total"]), sum(abs(one["contribution"]) for one in layer["top"]), 1e-12)
            assert abs(layer["sum"] - found["total"]) <= bound * size
            assert abs(layer["residual"]) <= bound * size


def test_derivatives_are_those_of_the_forward_pass() -> None:
    trace = lenet(dtype="float64")
    cell = (0, 0, 14, 12)
    found = trail(trace, "input", cell)
    for layer in found["layers"]:
        for one in layer["top"]:
            weights = analysis.effective_weights(trace, layer["node"], one["cell"])
            assert one["derivative"] == pytest.approx(float(weights[cell]), rel=1e-9)
            assert one["gradient"] == trace.tensors[layer["tensor"]][tuple(one["cell"])]


def test_over_a_fork_only_cuts_are_whole() -> None:
    made = presets.residual("sha256:" + "0" * 64)
    values = np.random.default_rng(1).random((1, 3, 8, 8))
    trace = run(made | {"input": {"values": values.tolist()}, "target": 2, "dtype": "float64"})
    found = trail(trace, "conv1.weight", (0, 0, 1, 1))
    layers = {one["node"]: one for one in found["layers"]}
    assert [name for name, one in layers.items() if not one["cut"]] == ["conv2", "relu2", "conv3"]
    for one in layers.values():
        assert not one["cut"] or one["sum"] == pytest.approx(found["total"], rel=1e-9)
    skip = trace.tensors["relu1.out.grad@add.1"]
    assert layers["conv3"]["sum"] != pytest.approx(found["total"], rel=1e-3)
    assert skip.any()
    assert not any(one["cut"] for one in trail(trace, "relu1.out", (0, 0, 1, 1))["layers"][:3])


def test_a_dead_cell_has_no_path() -> None:
    trace = lenet(params={"seed": 3, "edits": [{"tensor": "conv1.bias", "cell": [0], "value": -100}]})
    found = trail(trace, "conv1.weight", (0, 0, 2, 2))
    assert (found["total"], found["complete"], found["path"]) == (0, False, 0)
    assert [one["tensor"] for one in found["links"]] == ["conv1.weight.grad"]
    assert all(one["count"] == 0 and not one["top"] for one in found["layers"] if one["node"] != "conv1")


@pytest.mark.parametrize(("case", "mode"), MODES)
def test_local_derivatives_make_every_gradient(case: Case, mode: str) -> None:
    """Each step of each backward block is the sum of derivative · gradient, also for other gradients than its own."""
    trace = run(step_document(case, mode, "float64") | {"penalty": {}})
    blocks = {block.writes: block for block in trace.blocks if block.phase == "backward"}
    stream = np.random.default_rng(3)
    tensors = dict(trace.tensors)
    tensors |= {name: stream.standard_normal(tensors[name].shape) for name in blocks}
    other = engine.Trace(trace.scenario, tensors)
    for block in blocks.values():
        flat = np.arange(block.n_steps)[:: max(1, block.n_steps // 50)]
        reads = list(local_derivatives(trace, blocks, block, flat))
        if not reads:
            continue
        found = np.zeros(len(flat))
        for read in reads:
            values = other.take(tensors[read.tensor], read.index, 0.0)
            found += np.where(read.index >= 0, values * read.derivative, 0).sum(axis=1)
        combined = other.window(block.start, block.stop).columns["combined"][flat]
        np.testing.assert_allclose(found, combined, rtol=1e-9, atol=1e-9, err_msg=block.writes)
    assert grad_of("input") in blocks


def test_what_has_no_gradient_is_refused() -> None:
    trace = lenet()
    for tensor, cell in (("target", (0,)), ("conv1.weight", (0, 0, 5, 0)), ("softmax.out", (0, 0))):
        with pytest.raises(engine.RangeError) as caught:
            trail(trace, tensor, cell)
        assert caught.value.remedy
    with pytest.raises(engine.ScenarioError):
        trail(run({"network": [{"name": "a", "kind": "relu"}]}), "input", (0, 0, 0, 0))
