"""Saliency: by hand, against finite differences of the score, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from app import presets
from engine import analysis, saliency


def made(n: int = 1, **more: Any) -> engine.Scenario:
    document = presets.lenet5("sha256:" + "0" * 64)
    values = np.random.default_rng(1).random((n, 1, 28, 28))
    return engine.Scenario.from_dict(document | {"input": {"values": values.tolist()}, "dtype": "float64"} | more)


def test_grad_cam_by_hand() -> None:
    """Two maps, [[1, 2], [3, 4]] and its negative; fc weighs map 0 by 1 … 4 (mean 2.5), map 1 by 1."""
    network = [
        {"name": "conv", "kind": "conv2d", "out_channels": 2, "kernel_size": 1, "bias": False},
        {"name": "flat", "kind": "flatten"},
        {"name": "fc", "kind": "dense", "out_features": 2},
        {"name": "softmax", "kind": "softmax"},
    ]
    rows = [[1, 2, 3, 4, 1, 1, 1, 1], [0] * 8]
    values = {"conv.weight": [[[[1]]], [[[-1]]]], "fc.weight": rows, "fc.bias": [0.5, 0]}
    document = {"input": {"values": [[[[1, 2], [3, 4]]]]}, "network": network, "params": {"values": values}}
    trace = engine.run(saliency.score_scenario(engine.Scenario.from_dict(document), 0))
    cam = saliency.grad_cam(trace)
    assert (cam.node, cam.tensor, cam.score) == ("conv", "conv.out.grad", 1 + 4 + 9 + 16 - 10 + 0.5)
    assert cam.alpha is not None
    assert cam.alpha.tolist() == [[2.5, 1.0]]
    assert cam.map.tolist() == [[[[1.5, 3], [4.5, 6]]]]
    # ∂score/∂x = w0 − w1 = 0, 1, 2, 3
    assert saliency.gradient(trace).map.tolist() == [[[[0, 1], [2, 3]]]]
    assert saliency.gradient_input(trace).map.tolist() == [[[[0, 2], [6, 12]]]]
    other = engine.run(saliency.score_scenario(engine.Scenario.from_dict(document), 1))
    assert not saliency.gradient(other).map.any()


def test_gradients_of_the_score_are_its_finite_differences() -> None:
    scenario = saliency.score_scenario(made(penalty={"l2": 1.0}, target=3), 7)
    trace = engine.run(scenario)
    assert trace.tensors["loss"][0] == trace.tensors["fc3.out"][0, 7]
    stream = np.random.default_rng(2)
    for _ in range(10):
        cell = (0, 0, int(stream.integers(28)), int(stream.integers(28)))
        found = analysis.nudge(scenario, "input", cell)
        assert found.digits >= 6 or abs(found.difference - found.gradient) < 1e-9
        assert abs(found.gradient) == pytest.approx(float(saliency.gradient(trace).map[cell]), rel=1e-12)


def test_a_pixel_of_three_channels_has_the_largest_of_them() -> None:
    network = [{"name": "flat", "kind": "flatten"}, {"name": "fc", "kind": "dense", "out_features": 1}]
    params = {"values": {"fc.weight": [[1, -5, 2]], "fc.bias": [0]}}
    document = {"input": {"values": [[[[1]], [[2]], [[3]]]]}, "network": network, "params": params}
    trace = engine.run(saliency.score_scenario(engine.Scenario.from_dict(document), 0))
    found = saliency.gradient(trace)
    assert found.channel is not None
    assert (found.map.tolist(), found.channel.tolist()) == ([[[[5]]]], [[[[1]]]])
    assert saliency.gradient_input(trace).map.tolist() == [[[[1 - 10 + 6]]]]


def test_each_sample_of_a_batch_has_its_own_map() -> None:
    batch = engine.run(saliency.score_scenario(made(3), 2))
    document = made(3).to_dict()
    for i in range(3):
        own = document | {"input": {"values": [document["input"]["values"][i]]}}
        alone = engine.run(saliency.score_scenario(engine.Scenario.from_dict(own), 2))
        for method in saliency.METHODS.values():
            np.testing.assert_allclose(method(batch, None).map[i], method(alone, None).map[0], rtol=1e-9, atol=1e-12)


def test_every_step_of_a_score_is_what_is_stored() -> None:
    trace = engine.run(saliency.score_scenario(made(2, dtype="float64"), 4))
    for block in trace.blocks:
        if block.phase == "loss" or block.node == "loss":
            window = trace.window(block.start, block.stop)
            bound = 1e-13 * np.abs(window.columns["term"]).sum(axis=1)
            assert (np.abs(window.columns["residual"]) <= bound).all()


def test_what_cannot_be_is_refused() -> None:
    trace = engine.run(saliency.score_scenario(made(), 0))
    assert saliency.grad_cam(trace, "relu1").map.shape == (1, 1, 28, 28)
    lone = engine.Scenario.from_dict({"network": [{"name": "a", "kind": "relu"}]})
    for call in (
        lambda: saliency.score_scenario(made(), 10),
        lambda: saliency.score_scenario(made(), -1),
        lambda: saliency.score_scenario(lone, 0),
        lambda: saliency.grad_cam(trace, "fc1"),
        lambda: saliency.grad_cam(trace, "none"),
        lambda: saliency.gradient(engine.run(made(target=3))),
        lambda: saliency.gradient(engine.run(made())),
    ):
        with pytest.raises(engine.EngineError) as caught:
            call()
        assert caught.value.remedy
