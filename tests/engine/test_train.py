"""Training: pure, reproducible to the bit, stoppable anywhere, honest about divergence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine import checkpoint, train

NETWORK = [
    {"name": "conv1", "kind": "conv2d", "out_channels": 4, "kernel_size": 3, "padding": 1},
    {"name": "norm1", "kind": "batchnorm2d"},
    {"name": "relu1", "kind": "relu"},
    {"name": "pool1", "kind": "maxpool2d", "kernel_size": 2},
    {"name": "drop1", "kind": "dropout", "p": 0.25},
    {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "out_features": 2},
]


def scenario(optimizer: dict[str, Any] | None = None, **more: Any) -> engine.Scenario:
    document = {
        "input": {"values": np.zeros((1, 1, 8, 8)).tolist()},
        "network": NETWORK,
        "target": 0,
        "optimizer": optimizer or {"kind": "adam", "lr": 0.01},
        "params": {"seed": 5},
    }
    return engine.Scenario.from_dict(document | more)


def data(samples: int = 96) -> train.Data:
    """Class 0: a bright row somewhere; class 1: a bright column."""
    stream = np.random.default_rng(0)
    inputs = stream.normal(0, 0.3, (samples, 1, 8, 8)).astype(np.float32)
    targets = stream.integers(0, 2, samples)
    for image, target, place in zip(inputs, targets, stream.integers(0, 8, samples), strict=True):
        image[0].swapaxes(0, target)[place] += 1.5
    return train.Data(inputs, targets)


def same(a: train.State, b: train.State) -> bool:
    pairs = [(a.weights, b.weights), (a.optimizer or {}, b.optimizer or {})]
    return all(x.keys() == y.keys() and all(np.array_equal(x[k], y[k]) for k in x) for x, y in pairs)


def test_it_learns() -> None:
    state, events = train.run_chunk(train.start(scenario(), 16), data(), 60)
    assert state.iteration == 60
    assert events[0].loss > 0.5
    assert np.mean([event.loss for event in events[-6:]]) < 0.15
    assert np.mean([event.accuracy or 0.0 for event in events[-6:]]) > 0.95
    assert [event.iteration for event in events] == list(range(60))
    assert set(events[0].gradient_norms) == {"conv1", "norm1", "fc"}
    assert not np.array_equal(state.weights["norm1.running_mean"], np.zeros(4))


@pytest.mark.parametrize("cuts", [(7,), (1, 1, 5), (3, 4)])
def test_chunks_do_not_matter(cuts: tuple[int, ...]) -> None:
    whole, events = train.run_chunk(train.start(scenario(), 16), data(), 7)
    state, found = train.start(scenario(), 16), []
    for k in cuts:
        state, more = train.run_chunk(state, data(), k)
        found += more
    assert same(whole, state)
    assert found == events


def test_the_state_before_is_not_changed() -> None:
    begin = train.start(scenario(), 16)
    weights = {name: tensor.copy() for name, tensor in begin.weights.items()}
    middle, _ = train.run_chunk(begin, data(), 2)
    kept = {name: tensor.copy() for name, tensor in middle.weights.items()}
    train.run_chunk(middle, data(), 3)
    assert all(np.array_equal(begin.weights[name], weights[name]) for name in weights)
    assert all(np.array_equal(middle.weights[name], kept[name]) for name in kept)


@pytest.mark.parametrize("kind", ["sgd", "rmsprop", "adagrad", "adam", "adamw"])
@pytest.mark.parametrize("iteration", [0, 3])
def test_an_iteration_opened_as_a_scenario_has_the_numbers_of_the_run(kind: str, iteration: int) -> None:
    optimizer: dict[str, Any] = {"kind": kind} | ({"momentum": 0.9} if kind in ("sgd", "rmsprop") else {})
    state, _ = train.run_chunk(train.start(scenario(optimizer, penalty={"l2": 0.01}), 16), data(), iteration)
    opened, blobs = checkpoint.open_iteration(state, data())
    trace = engine.run(opened, blobs)
    after, (event,) = train.run_chunk(state, data(), 1)
    assert float(trace.tensors["loss"][0]) == event.loss
    for name in trace.network.param_shapes | trace.network.buffer_shapes:
        assert np.array_equal(trace.tensors[f"{name}.next"], after.weights[name]), name
    for name, tensor in (after.optimizer or {}).items():
        assert np.array_equal(trace.tensors[name], tensor), name


def test_a_checkpoint_loses_nothing() -> None:
    state, _ = train.run_chunk(train.start(scenario(), 16), data(), 4)
    found = checkpoint.load(checkpoint.save(state))
    assert same(state, found)
    assert (found.iteration, found.scenario.digest) == (4, state.scenario.digest)
    assert same(train.run_chunk(state, data(), 3)[0], train.run_chunk(found, data(), 3)[0])


def test_a_checkpoint_of_the_start_begins_the_momentum() -> None:
    begin = train.start(scenario({"kind": "sgd", "momentum": 0.9}), 16)
    found = checkpoint.load(checkpoint.save(begin))
    assert found.optimizer is None
    assert same(train.run_chunk(begin, data(), 3)[0], train.run_chunk(found, data(), 3)[0])


@pytest.mark.parametrize("file", [b"", b"nonsense" * 9])
def test_files_that_are_no_checkpoint_are_refused(file: bytes) -> None:
    with pytest.raises(engine.EngineError) as caught:
        checkpoint.load(file)
    assert caught.value.remedy


def test_divergence_names_iteration_tensor_and_cell() -> None:
    samples = data()
    bad = samples.inputs.copy()
    bad[:, 0, 3, 5] = np.inf
    with pytest.raises(engine.Diverged) as caught:
        train.run_chunk(train.start(scenario(), 16), train.Data(bad, samples.targets), 2)
    assert (caught.value.iteration, caught.value.tensor, caught.value.cell) == (0, "input", (0, 0, 3, 5))


def test_divergence_in_mid_run() -> None:
    wild = scenario({"kind": "sgd", "lr": 1e30})
    with pytest.raises(engine.Diverged) as caught:
        train.run_chunk(train.start(wild, 16), data(), 50)
    # the weights are about 1e30 then, and the square of what they make is the first that float32 cannot hold
    assert (caught.value.iteration, caught.value.tensor) == (1, "norm1.var")


def test_what_is_hidden_by_a_relu_is_found() -> None:
    """A −∞ that a ReLU turns into 0: the loss stays finite."""
    network = [NETWORK[0], NETWORK[2], *NETWORK[5:]]
    weights = {"conv1.bias": [0.0, 0.0, 0.0, -3e38]}
    found = scenario(network=network, params={"values": weights})
    samples = train.Data(np.full((16, 1, 8, 8), 1e38, np.float32), np.zeros(16, np.int64))
    with pytest.raises(engine.Diverged):
        train.run_chunk(train.start(found, 16), samples, 1)


@pytest.mark.parametrize(
    ("inputs", "targets", "field"),
    [
        ((20, 1, 8, 9), (20,), "data.inputs"),
        ((20, 1, 8, 8), (19,), "data.targets"),
        ((20, 1, 8, 8), (20, 2), "data.targets"),
        ((9, 1, 8, 8), (9,), "data.inputs"),
    ],
)
def test_data_that_do_not_fit_are_refused(inputs: tuple, targets: tuple, field: str) -> None:
    with pytest.raises(engine.ScenarioError) as caught:
        train.run_chunk(train.start(scenario(), 16), train.Data(np.zeros(inputs), np.zeros(targets)), 1)
    assert caught.value.field == field
    assert caught.value.remedy


def test_a_class_too_many_is_refused() -> None:
    samples = train.Data(np.zeros((16, 1, 8, 8)), np.full(16, 2))
    with pytest.raises(engine.ScenarioError, match="0 to 1"):
        train.run_chunk(train.start(scenario(), 16), samples, 1)


def test_a_run_needs_a_target() -> None:
    plain = engine.Scenario.from_dict({"input": {"values": np.zeros((1, 1, 8, 8)).tolist()}, "network": NETWORK})
    with pytest.raises(engine.ScenarioError) as caught:
        train.start(plain, 16)
    assert caught.value.field == "target"


def test_values_are_learnt_too() -> None:
    network = [{"name": "flat", "kind": "flatten"}, {"name": "fc", "kind": "dense", "out_features": 2}]
    found = scenario({"kind": "sgd", "lr": 0.05}, network=network, target=[[0.5, 1.5]])
    inputs = np.random.default_rng(0).standard_normal((64, 1, 8, 8))
    targets = np.stack([inputs.mean(axis=(1, 2, 3)), inputs[:, 0, 0, 0]], axis=1)
    _, events = train.run_chunk(train.start(found, 16), train.Data(inputs, targets), 200)
    assert events[-1].loss < 0.1 * events[0].loss
    assert events[-1].accuracy is None
