"""Advancing: the numbers of the run bit for bit, the same names again, and runs that leave the finite numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine.advance import advance

NETWORK: list[dict[str, Any]] = [
    {"name": "conv1", "kind": "conv2d", "out_channels": 3, "kernel_size": 3},
    {"name": "bn1", "kind": "batchnorm2d"},
    {"name": "relu1", "kind": "relu"},
    {"name": "drop1", "kind": "dropout", "p": 0.2},
    {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "out_features": 4},
]
OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "sgd", "lr": 0.05},
    {"kind": "sgd", "lr": 0.05, "momentum": 0.9, "schedule": {"kind": "step", "step_size": 2}},
    {"kind": "adam", "lr": 0.01, "amsgrad": True, "clip_norm": 1.0},
    {"kind": "rmsprop", "lr": 0.01},
]


def made(**more: Any) -> engine.Scenario:
    values = np.random.default_rng(0).random((2, 2, 6, 6))
    document = {"input": {"values": values.tolist()}, "network": NETWORK, "target": [1, 3], "mode": "train"}
    edits = [
        {"tensor": "conv1.weight", "cell": [0, 0, 1, 1], "value": 0.5},
        {"tensor": "input", "cell": [0, 0, 1, 1], "value": 2},
    ]
    params = {"edits": edits, "values": {"fc.bias": [0, 1, 2, 3]}}
    return engine.Scenario.from_dict(document | {"params": params, "penalty": {"l2": 0.01}} | more)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one["kind"])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_the_opened_iteration_is_the_runs_bit_for_bit(optimizer: dict[str, Any], mode: str) -> None:
    scenario, blobs = made(optimizer=optimizer, mode=mode), {}
    losses = []
    for i in range(5):
        opened = advance(scenario, i) if i else None
        trace = engine.run(opened.scenario, opened.blobs) if opened else engine.run(scenario)
        losses.append(float(trace.tensors["loss"][0]))
        following = advance(scenario, i + 1)
        blobs = following.blobs
        weights = blobs[following.scenario.params.weights or ""]
        for name, tensor in weights.items():
            assert np.array_equal(tensor, trace.tensors.get(f"{name}.next", trace.tensors[name])), name
        assert following.scenario.iteration == i + 1
        assert following.losses == losses
    assert losses[-1] < losses[0]
    assert set(advance(scenario, 5).scenario.blobs) == set(blobs)


def test_it_does_not_matter_how_a_run_is_cut() -> None:
    scenario = made(optimizer=OPTIMIZERS[2])
    whole, first = advance(scenario, 5), advance(scenario, 2)
    rest = advance(first.scenario, 3, first.blobs)
    assert rest.scenario.digest == whole.scenario.digest
    assert first.losses + rest.losses == whole.losses
    assert set(rest.blobs) == set(whole.blobs)


def test_watched_cells_are_those_of_the_traces() -> None:
    scenario = made(optimizer=OPTIMIZERS[2])
    watch = [("conv1.weight", (0, 0, 1, 1)), ("fc.bias", (2,))]
    found = advance(scenario, 3, watch=watch)
    second = advance(scenario, 1)
    trace = engine.run(second.scenario, second.blobs).tensors
    for (name, cell), series in zip(watch, found.series, strict=True):
        assert (series["tensor"], series["cell"]) == (name, list(cell))
        assert set(series) == {"tensor", "cell", "w", "g", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"}
        assert series["w"][1] == trace[name][cell]
        assert series["g"][1] == trace[f"{name}.grad"][cell]
        assert series["exp_avg_sq"][1] == trace[f"{name}.exp_avg_sq"][cell]
        assert len(series["w"]) == 3


def test_a_run_that_diverges_says_where() -> None:
    with pytest.raises(engine.Diverged) as caught:
        advance(made(optimizer={"kind": "sgd", "lr": 1e6}), 50)
    assert caught.value.iteration > 0
    assert caught.value.tensor
    assert str(caught.value.iteration) in caught.value.message


def test_what_cannot_be_is_refused() -> None:
    following = advance(made(), 1)
    with pytest.raises(engine.BlobError) as gone:
        engine.run(following.scenario)
    assert gone.value.reason == "missing_weights"
    assert "advance again" in gone.value.message
    for call in (
        lambda: advance(engine.Scenario.from_dict({"network": NETWORK[2:3]}), 1),
        lambda: advance(made(), 0),
        lambda: advance(made(), 1, watch=[("input", (0, 0, 0, 0))]),
        lambda: advance(made(), 1, watch=[("fc.bias", (4,))]),
    ):
        with pytest.raises(engine.EngineError) as caught:
            call()
        assert caught.value.remedy
