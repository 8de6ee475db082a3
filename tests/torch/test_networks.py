"""Training by ``run_chunk`` against PyTorch, live: whole networks, batches large enough for the fast kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from app import presets
from engine import train
from tests.golden import ours, reference
from tests.golden.specs import Spec

torch: Any = reference.torch

NO_PICTURE = "sha256:" + "0" * 64
CONV: dict[str, Any] = {"kind": "conv2d", "kernel_size": 3, "padding": 1}
#: what the app's networks have not: batch statistics, depthwise and transposed convolution, a join of channels;
#: no bias before a normalisation, which takes it out again: its gradient would be rounding alone
MIXED = [
    CONV | {"name": "conv1", "out_channels": 6, "bias": False}, {"name": "norm1", "kind": "batchnorm2d"},
    {"name": "act1", "kind": "silu"}, CONV | {"name": "deep", "out_channels": 6, "groups": 6},
    CONV | {"name": "wide", "out_channels": 8, "kernel_size": 1, "padding": 0},
    {"name": "pool1", "kind": "maxpool2d", "kernel_size": 3, "stride": 2, "padding": 1},
    {"name": "up", "kind": "conv_transpose2d", "out_channels": 4, "kernel_size": 2, "stride": 2, "bias": False},
    {"name": "cat", "kind": "concat", "inputs": ["up", "act1"]}, {"name": "norm2", "kind": "batchnorm2d"},
    {"name": "pool2", "kind": "avgpool2d", "kernel_size": 2}, {"name": "flat", "kind": "flatten"},
    {"name": "norm3", "kind": "layernorm", "normalized_shape": 160},
    {"name": "fc", "kind": "dense", "out_features": 5},
]  # fmt: skip


def documents() -> dict[str, dict[str, Any]]:
    """Networks with their input's shape, an optimiser each."""
    found = {}
    for name, optimizer, more in (
        ("lenet5", {"kind": "adam"}, {}),
        ("tiny_vgg", {"kind": "sgd", "lr": 0.01, "momentum": 0.9, "nesterov": True}, {}),
        ("residual", {"kind": "adamw", "amsgrad": True, "schedule": {"kind": "warmup"}}, {"penalty": {"l2": 0.01}}),
    ):
        made = getattr(presets, name)(NO_PICTURE)
        found[name] = made | more | {"optimizer": optimizer, "shape": made["input"]["shape"]}
    found["mixed"] = {
        "network": MIXED,
        "params": {"seed": 2},
        "shape": [3, 8, 8],
        "penalty": {"l1": 0.001},
        "optimizer": {"kind": "rmsprop", "lr": 1e-3, "clip_norm": 1.0, "schedule": {"kind": "cosine", "T_max": 20}},
    }
    return found


def run(name: str, batch: int, dtype: str, steps: int) -> tuple[train.State, list[train.Event], dict[str, Any], list]:
    """Ours after some steps, the weights that it began with and the batches that it took."""
    document = documents()[name]
    shape = document.pop("shape")
    stream = np.random.default_rng(8)
    samples = 2 * batch + 1
    data = train.Data(stream.standard_normal((samples, *shape)), stream.integers(0, 5, samples))
    document |= {"input": {"tensor": NO_PICTURE, "shape": [1, *shape]}, "dtype": dtype, "target": 0}
    begun = train.start(engine.Scenario.from_dict(document), batch)
    taken = train.Batches(begun, data)
    state, events = train.run_chunk(begun, data, steps)
    return state, events, begun.weights, [taken.at(i) for i in range(steps)]


def theirs(
    state: train.State, weights: dict[str, np.ndarray], batches: list
) -> tuple[dict[str, np.ndarray], list[float]]:
    """PyTorch's weights and running statistics after the same batches, and the loss of each."""
    document = state.scenario.to_dict()
    cut = -1 if document["network"][-1]["kind"] == "softmax" else None
    network = document | {"network": document["network"][:cut], "target": None}
    model = reference.model(engine.Scenario.from_dict(network), weights).train()
    params = dict(model.named_parameters())
    optimizer, schedule = reference.optimizer(document["optimizer"], list(params.values()))
    values = []
    for x, target in batches:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(target).long())
        loss = loss + reference.penalty(document["penalty"], [params[name] for name in state.objective.covered])
        loss.backward()
        reference.clip(document["optimizer"], list(params.values()))
        optimizer.step()
        if schedule:
            schedule.step()
        values.append(float(loss.detach()))
    kept = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    return {name: kept[name] for name in state.weights}, values


@pytest.mark.parametrize(("dtype", "steps", "bound"), [("float64", 20, 1e-10), ("float32", 1, 1e-5)])
@pytest.mark.parametrize("batch", [3, 8])
@pytest.mark.parametrize("name", sorted(documents()))
def test_run_chunk(name: str, batch: int, dtype: str, steps: int, bound: float) -> None:
    state, events, weights, batches = run(name, batch, dtype, steps)
    wanted, values = theirs(state, weights, batches)
    np.testing.assert_allclose([event.loss for event in events], values, rtol=bound)
    for key, tensor in wanted.items():
        room = bound * float(np.abs(tensor).max())
        np.testing.assert_allclose(state.weights[key], tensor, rtol=0, atol=room, err_msg=key)


@pytest.mark.parametrize("name", sorted(documents()))
def test_a_large_batch_in_float32(name: str) -> None:
    """Outputs and every gradient of one step on nine samples, against PyTorch in float64.

    In float32 PyTorch's own sums over a batch of maps are up to 5e-5 away from that, ours 3e-7.
    """
    document = documents()[name]
    shape = document.pop("shape")
    values = np.random.default_rng(9).standard_normal((9, *shape)).astype("float32")
    document |= {"input": {"values": values.tolist()}, "mode": "train", "target": [0, 1, 2, 3, 4, 0, 1, 2, 3]}
    spec = Spec(name, document | {"optimizer": {"kind": "sgd"}})
    weights = {key: w.astype("float64") for key, w in ours.start_weights(spec).items()}
    wanted = reference.answer(Spec(name, spec.document | {"dtype": "float64"}), weights)
    found = ours.answer(spec)
    for key, tensor in wanted.items():
        room = 1e-5 * float(np.abs(tensor).max())
        np.testing.assert_allclose(found[key], tensor, rtol=0, atol=room, err_msg=key)
