"""Random settings of every optimiser against PyTorch, live: 50 steps of parameters, state and learning rate."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine.optimizer import REGISTRY
from engine.schedule import SCHEDULES
from tests.torch.test_layers import fields

torch: Any = importlib.import_module("torch")

QUICK = settings(max_examples=25, deadline=None, derandomize=True, database=None)
CLASSES = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adam": "Adam", "adamw": "AdamW"}
PLANS = {"step": "StepLR", "cosine": "CosineAnnealingLR", "warmup": "LinearLR"}
RATE = st.sampled_from([0.0, 0.003, 0.1])
DECAY = st.sampled_from([0.0, 0.01, 0.3])
MOMENTUM = st.sampled_from([0.0, 0.5, 0.9])
EPS = st.sampled_from([1e-8, 1e-3])
SETTINGS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "sgd": fields(
        lr=RATE, momentum=MOMENTUM, dampening=st.sampled_from([0.0, 0.4]), weight_decay=DECAY, nesterov=st.booleans()
    ),
    "rmsprop": fields(
        lr=RATE,
        alpha=st.sampled_from([0.5, 0.95]),
        eps=EPS,
        weight_decay=DECAY,
        momentum=MOMENTUM,
        centered=st.booleans(),
    ),
    "adagrad": fields(
        lr=RATE, lr_decay=DECAY, weight_decay=DECAY, initial_accumulator_value=st.sampled_from([0.0, 0.2]), eps=EPS
    ),
}
SETTINGS["adam"] = SETTINGS["adamw"] = fields(
    lr=RATE,
    betas=st.sampled_from([[0.9, 0.999], [0.5, 0.7], [0.0, 0.9]]),
    eps=EPS,
    weight_decay=DECAY,
    amsgrad=st.booleans(),
)
CLIPS = fields(clip_norm=st.sampled_from([0.5, 3.0, 100.0]), clip_value=st.sampled_from([0.1, 1.0]))
SCHEDULE: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({"kind": "constant"}),
    fields({"step_size": st.integers(1, 20)}, gamma=st.sampled_from([0.5, 0.9, 1.1])).map(
        lambda d: {"kind": "step"} | d
    ),
    fields({"T_max": st.integers(1, 60)}, eta_min=st.sampled_from([0.0, 0.01])).map(lambda d: {"kind": "cosine"} | d),
    fields(start_factor=st.sampled_from([0.1, 1.0]), total_iters=st.integers(1, 60)).map(
        lambda d: {"kind": "warmup"} | d
    ),
)
NETWORK = [
    {"name": "conv", "kind": "conv2d", "out_channels": 2, "kernel_size": 2},
    {"name": "flat", "kind": "flatten"},
    {"name": "fc", "kind": "dense", "out_features": 3},
]


def scenario(optimizer: dict[str, Any], dtype: str) -> engine.Scenario:
    """A network with four parameters of three shapes; its gradients are given from outside."""
    values = np.zeros((1, 1, 3, 2)).tolist()
    document = {"input": {"values": values}, "network": NETWORK, "target": 0, "optimizer": optimizer, "dtype": dtype}
    return engine.Scenario.from_dict(document)


def peer(kind: str, given: dict[str, Any], plan: dict[str, Any], params: list[Any]) -> tuple[Any, Any]:
    """PyTorch's optimiser and schedule, told only what is given."""
    made = getattr(torch.optim, CLASSES[kind])(
        params, **{k: tuple(v) if k == "betas" else v for k, v in given.items()}
    )
    own = {key: value for key, value in plan.items() if key != "kind"}
    kinds = torch.optim.lr_scheduler
    return made, getattr(kinds, PLANS[plan["kind"]])(made, **own) if plan["kind"] in PLANS else None


def test_every_kind_has_a_peer() -> None:
    assert set(REGISTRY) == set(CLASSES) == set(SETTINGS)
    assert set(SCHEDULES) == set(PLANS) | {"constant"}


def compare(
    kind: str, given: dict[str, Any], clips: dict[str, Any], plan: dict[str, Any], dtype: str, steps: int, seed: int
) -> None:
    """Both on the same random gradients, a tenth of whose cells are 0; bounds relative to the largest value."""
    bound = 1e-10 if dtype == "float64" else 1e-5
    document = (
        {"kind": kind} | given | clips | ({} if plan["kind"] == "constant" and seed % 2 else {"schedule": plan})
    )
    goal = scenario(document, dtype).objective
    assert goal is not None
    stream = np.random.default_rng(seed)
    weights = {name: stream.standard_normal(s).astype(dtype) for name, s in goal.backprop.params.items()}
    theirs = {name: torch.tensor(w, requires_grad=True) for name, w in weights.items()}
    optimizer, schedule = peer(kind, given, plan, list(theirs.values()))
    state = None
    for i in range(steps):
        rate = goal.optimizer.schedule.rate(goal.optimizer.lr, i)
        assert rate == pytest.approx(float(optimizer.param_groups[0]["lr"]), rel=1e-12, abs=1e-15)
        grads = {n: stream.standard_normal(w.shape) * (stream.random(w.shape) > 0.1) for n, w in weights.items()}
        grads = {name: grad.astype(dtype) for name, grad in grads.items()}
        for name, p in theirs.items():
            p.grad = torch.tensor(grads[name])
        if "clip_norm" in clips:
            torch.nn.utils.clip_grad_norm_(theirs.values(), clips["clip_norm"])
        if "clip_value" in clips:
            torch.nn.utils.clip_grad_value_(theirs.values(), clips["clip_value"])
        optimizer.step()
        if schedule:
            schedule.step()
        found = goal.update(weights, {f"{name}.grad": grad for name, grad in grads.items()}, state, i)
        weights = {name: found[f"{name}.next"] for name in weights}
        state = {name: found[name] for name, _ in goal.state_shapes}
    for name, p in theirs.items():
        own = {key: t for key, t in optimizer.state[p].items() if key != "step" and t is not None}
        assert {key for key in own if own[key].ndim} == set(goal.optimizer.states())
        pairs = [("next", weights[name], p)] + [(key, (state or {})[f"{name}.{key}"], t) for key, t in own.items()]
        for key, mine, their in pairs:
            wanted = their.detach().numpy()
            assert mine.dtype == wanted.dtype
            room = bound * float(np.abs(wanted).max())
            np.testing.assert_allclose(mine, wanted, rtol=0, atol=room, err_msg=f"{name}.{key}")


@pytest.mark.parametrize(("dtype", "steps"), [("float64", 50), ("float32", 1), ("float32", 5)])
@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_random_settings(kind: str, dtype: str, steps: int) -> None:
    @QUICK
    @given(SETTINGS[kind], CLIPS, SCHEDULE, st.integers(0, 99))
    def check(given: dict[str, Any], clips: dict[str, Any], plan: dict[str, Any], seed: int) -> None:
        try:
            scenario({"kind": kind} | given, dtype)
        except engine.ScenarioError:
            with pytest.raises(ValueError, match="Nesterov"):  # what we refuse PyTorch refuses, too
                peer(kind, given, plan, [torch.zeros(1, requires_grad=True)])
            return
        compare(kind, given, clips, plan, dtype, steps, seed)

    check()
