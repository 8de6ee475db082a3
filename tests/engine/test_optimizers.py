"""Optimisers: answers by hand, loops over scalars, every block against its tensor, schedules, clipping, refusals."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

import engine.optimizers  # noqa: F401  (registers every kind)
from engine import optimizer as optimizers
from engine.errors import ScenarioError
from engine.optimizer import Optimizer, Place
from engine.steps import Block

KINDS = ("adagrad", "adam", "adamw", "rmsprop", "sgd")
CASES: list[dict[str, Any]] = [
    {"kind": "sgd", "lr": 0.1},
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1},
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"kind": "rmsprop"},
    {"kind": "rmsprop", "momentum": 0.8, "weight_decay": 0.1},
    {"kind": "rmsprop", "centered": True, "eps": 1e-3},
    {"kind": "rmsprop", "centered": True, "momentum": 0.8, "alpha": 0.9},
    {"kind": "adagrad"},
    {"kind": "adagrad", "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1},
    {"kind": "adam"},
    {"kind": "adam", "amsgrad": True, "weight_decay": 0.1, "betas": [0.8, 0.9]},
    {"kind": "adamw", "lr": 0.1},
    {"kind": "adamw", "amsgrad": True, "lr": 0.1, "weight_decay": 0.5},
]


def name_of(case: dict[str, Any]) -> str:
    return " ".join(f"{value}" if key == "kind" else f"{key}={value}" for key, value in case.items())


def one(value: float) -> np.ndarray:
    return np.array([value], np.float64)


def step_by_hand(
    document: dict[str, Any], w: float, g: float, state: dict[str, float] | None = None, iteration: int = 0
) -> dict[str, float]:
    """One update of a single weight, as numbers."""
    own = None if state is None else {key: one(value) for key, value in state.items()}
    found = optimizers.build(document).update(one(w), one(g), own, iteration, 1.0)
    return {key: float(tensor[0]) for key, tensor in found.items()}


# --- one step by hand: w = 1, g = 1/2 unless said otherwise --------------------------------------------------------

SGD = {"kind": "sgd", "lr": 0.1}
RMS = {"kind": "rmsprop", "lr": 0.1, "alpha": 0.75, "eps": 0}
ADA = {"kind": "adagrad", "lr": 0.1, "eps": 0}
ADAM = {"kind": "adam", "lr": 0.1, "betas": [0.5, 0.75], "eps": 0}
BY_HAND: list[tuple[dict[str, Any], tuple[Any, ...], dict[str, float]]] = [
    (SGD, (1, 0.5), {"grad.total": 0.5, "step": 0.05, "next": 0.95}),
    # g + 0.2·w = 0.7; the buffer begins as the gradient itself, whatever the dampening
    (
        SGD | {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.2},
        (1, 0.5),
        {"grad.total": 0.7, "momentum_buffer": 0.7, "step": 0.07, "next": 0.93},
    ),
    # 0.9·1 + 0.5·0.7 = 1.25
    (
        SGD | {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.2},
        (1, 0.5, {"momentum_buffer": 1}),
        {"grad.total": 0.7, "momentum_buffer": 1.25, "step": 0.125, "next": 0.875},
    ),
    # b = 0.9·1 + 0.5 = 1.4; 0.5 + 0.9·1.4 = 1.76
    (
        SGD | {"momentum": 0.9, "nesterov": True},
        (1, 0.5, {"momentum_buffer": 1}),
        {"grad.total": 0.5, "momentum_buffer": 1.4, "step": 0.176, "next": 0.824},
    ),
    # v = 0.25·0.25, √v = 0.25
    (RMS, (1, 0.5), {"grad.total": 0.5, "square_avg": 0.0625, "scaled": 2, "step": 0.2, "next": 0.8}),
    # v = 0.75·0.25 + 0.0625 = 0.25; b = 0.5·4 + 0.5/0.5 = 3
    (
        RMS | {"momentum": 0.5},
        (1, 0.5, {"square_avg": 0.25, "momentum_buffer": 4}),
        {"grad.total": 0.5, "square_avg": 0.25, "scaled": 1, "momentum_buffer": 3, "step": 0.3, "next": 0.7},
    ),
    # ḡ = 0.75·7/30 + 0.125 = 0.3; √(0.25 − 0.09) = 0.4
    (
        RMS | {"centered": True},
        (1, 0.5, {"square_avg": 0.25, "grad_avg": 7 / 30}),
        {
            "grad.total": 0.5,
            "square_avg": 0.25,
            "grad_avg": 0.3,
            "variance": 0.16,
            "scaled": 1.25,
            "step": 0.125,
            "next": 0.875,
        },
    ),
    # √(0.39 + 0.25) = 0.8
    (
        ADA | {"initial_accumulator_value": 0.39},
        (1, 0.5),
        {"grad.total": 0.5, "sum": 0.64, "step": 0.0625, "next": 0.9375},
    ),
    # the rate is 0.1 / (1 + 4·0.25) = 0.05
    (
        ADA | {"lr_decay": 0.25},
        (1, 0.5, {"sum": 0.39}, 4),
        {"grad.total": 0.5, "sum": 0.64, "step": 0.03125, "next": 0.96875},
    ),
    # the first step of Adam has the length lr
    (
        ADAM,
        (1, 0.5),
        {
            "grad.total": 0.5,
            "exp_avg": 0.25,
            "exp_avg_sq": 0.0625,
            "exp_avg.hat": 0.5,
            "exp_avg_sq.hat": 0.25,
            "step": 0.1,
            "next": 0.9,
        },
    ),
    # t = 2, g = −1/2: m̂ = −0.125 / 0.75, v̂ = 0.109375 / 0.4375
    (
        ADAM,
        (1, -0.5, {"exp_avg": 0.25, "exp_avg_sq": 0.0625}, 1),
        {
            "grad.total": -0.5,
            "exp_avg": -0.125,
            "exp_avg_sq": 0.109375,
            "exp_avg.hat": -1 / 6,
            "exp_avg_sq.hat": 0.25,
            "step": -1 / 30,
            "next": 1 + 1 / 30,
        },
    ),
    # the largest v so far is 0.4375, so v̂ = 1
    (
        ADAM | {"amsgrad": True},
        (1, -0.5, {"exp_avg": 0.25, "exp_avg_sq": 0.0625, "max_exp_avg_sq": 0.4375}, 1),
        {
            "grad.total": -0.5,
            "exp_avg": -0.125,
            "exp_avg_sq": 0.109375,
            "max_exp_avg_sq": 0.4375,
            "exp_avg.hat": -1 / 6,
            "max_exp_avg_sq.hat": 1,
            "step": -1 / 60,
            "next": 1 + 1 / 60,
        },
    ),
    # the same decay in the gradient (0.5 + 0.5·2) and beside it (2 − 0.1·0.5·2 − 0.1)
    (
        ADAM | {"weight_decay": 0.5},
        (2, 0.5),
        {
            "grad.total": 1.5,
            "exp_avg": 0.75,
            "exp_avg_sq": 0.5625,
            "exp_avg.hat": 1.5,
            "exp_avg_sq.hat": 2.25,
            "step": 0.1,
            "next": 1.9,
        },
    ),
    (
        ADAM | {"kind": "adamw", "weight_decay": 0.5},
        (2, 0.5),
        {
            "grad.total": 0.5,
            "exp_avg": 0.25,
            "exp_avg_sq": 0.0625,
            "exp_avg.hat": 0.5,
            "exp_avg_sq.hat": 0.25,
            "step": 0.1,
            "next": 1.8,
        },
    ),
]


@pytest.mark.parametrize(("document", "given", "wanted"), BY_HAND, ids=[name_of(case) for case, *_ in BY_HAND])
def test_one_step_by_hand(document: dict[str, Any], given: tuple[Any, ...], wanted: dict[str, float]) -> None:
    found = step_by_hand(document, *given)
    assert list(found) == list(wanted)  # the order of writing, too
    assert found == pytest.approx(wanted, rel=1e-14)


# --- fifty steps, scalar by scalar ----------------------------------------------------------------------------------


def naive_sgd(o: Any, w: float, g: float, s: dict[str, float], t: int, lr: float) -> float:
    g += o.weight_decay * w
    if not o.momentum:
        return w - lr * g
    s["b"] = g if t == 1 else o.momentum * s["b"] + (1 - o.dampening) * g
    return w - lr * (g + o.momentum * s["b"] if o.nesterov else s["b"])


def naive_rmsprop(o: Any, w: float, g: float, s: dict[str, float], t: int, lr: float) -> float:
    g += o.weight_decay * w
    s["v"] = o.alpha * s.get("v", 0.0) + (1 - o.alpha) * g * g
    s["m"] = o.alpha * s.get("m", 0.0) + (1 - o.alpha) * g
    root = math.sqrt(s["v"] - s["m"] ** 2 if o.centered else s["v"]) + o.eps
    if not o.momentum:
        return w - lr * g / root
    s["b"] = o.momentum * s.get("b", 0.0) + g / root
    return w - lr * s["b"]


def naive_adagrad(o: Any, w: float, g: float, s: dict[str, float], t: int, lr: float) -> float:
    g += o.weight_decay * w
    s["a"] = s.get("a", float(o.initial_accumulator_value)) + g * g
    return w - lr / (1 + (t - 1) * o.lr_decay) * g / (math.sqrt(s["a"]) + o.eps)


def naive_adam(o: Any, w: float, g: float, s: dict[str, float], t: int, lr: float) -> float:
    """As PyTorch writes it: √v / √(1 − β₂ᵗ) + ε under lr / (1 − β₁ᵗ) · m."""
    if o.kind == "adamw":
        w *= 1 - lr * o.weight_decay
    else:
        g += o.weight_decay * w
    (b1, b2) = o.betas
    s["m"] = s.get("m", 0.0) + (g - s.get("m", 0.0)) * (1 - b1)
    s["v"] = b2 * s.get("v", 0.0) + (1 - b2) * g * g
    s["top"] = max(s.get("top", 0.0), s["v"])
    second = s["top"] if o.amsgrad else s["v"]
    return w - lr / (1 - b1**t) * s["m"] / (math.sqrt(second) / math.sqrt(1 - b2**t) + o.eps)


NAIVE = {
    "sgd": naive_sgd,
    "rmsprop": naive_rmsprop,
    "adagrad": naive_adagrad,
    "adam": naive_adam,
    "adamw": naive_adam,
}
COSINE = {"kind": "cosine", "T_max": 20, "eta_min": 1e-3}


def test_every_kind_is_covered() -> None:
    assert sorted(optimizers.REGISTRY) == sorted(NAIVE) == sorted({case["kind"] for case in CASES}) == list(KINDS)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_fifty_steps_agree_with_a_loop_over_scalars(case: dict[str, Any]) -> None:
    optimizer = optimizers.build(case | {"schedule": COSINE})
    rng = np.random.default_rng(3)
    w, state = np.array(rng.standard_normal((2, 3))), None
    slow = w.copy()
    memory: dict[tuple[int, ...], dict[str, float]] = {at: {} for at in np.ndindex(w.shape)}
    for i in range(50):
        grad = w * [[0.5], [4.0]] + rng.standard_normal(w.shape)
        rate = 1e-3 + (optimizer.lr - 1e-3) * (1 + math.cos(math.pi * i / 20)) / 2
        for at in memory:
            slow[at] = NAIVE[optimizer.kind](optimizer, float(slow[at]), float(grad[at]), memory[at], i + 1, rate)
        found = optimizer.update(w, grad, state, i, 1.0)
        w, state = found["next"], {name: found[name] for name in optimizer.states()}
        np.testing.assert_allclose(w, slow, rtol=1e-12, atol=1e-12)


# --- blocks against tensors -----------------------------------------------------------------------------------------


def residuals(block: Block, tensors: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """combine + addends − result for all cells, and Σ|term|; evaluated in float64 as a window does."""
    coords = tuple(axis[:, None] for axis in np.unravel_index(np.arange(block.n_steps), block.shape))
    index = block.gather(coords, np.arange(block.n_terms))
    values = {role.name: tensors[role.tensor].reshape(-1)[index[role.name]] for role in block.roles}
    terms, extra = block.evaluate({name: value.astype(np.float64) for name, value in values.items()}, coords)
    assert terms.shape == (block.n_steps, block.n_terms), block.writes
    assert {key: column.shape for key, column in extra.items()} == dict.fromkeys(block.extra, (block.n_steps,))
    combined = terms.max(axis=1) if block.combine == "max" else terms.sum(axis=1)
    return combined - tensors[block.writes].reshape(-1), np.abs(terms).sum(axis=1)


def check_block(block: Block, tensors: dict[str, np.ndarray], bound: float) -> None:
    """The residual's bound, a header that is JSON, code whose slots are loops."""
    assert block.phase == "update"
    assert block.shape == tensors[block.writes].shape
    off, size = residuals(block, tensors)
    assert (np.abs(off) <= bound * size).all(), (block.writes, np.abs(off / size).max())
    json.dumps(block.header(), allow_nan=False)
    for line in block.code:
        line.format(**dict.fromkeys([*block.loops, *block.slots], 0))


CLIPS: tuple[dict[str, Any], ...] = (
    {},
    {"clip_norm": 1.5},
    {"clip_value": 0.4},
    {"clip_norm": 1.5, "clip_value": 0.01},
)
SHAPES = {"conv1.weight": (3, 2, 2, 2), "conv1.bias": (3,), "fc.weight": (4, 5), "norm.weight": (2, 3, 2)}


def run_update(
    optimizer: Optimizer, dtype: str, iteration: int, has_state: bool
) -> tuple[dict[str, np.ndarray], list[Block]]:
    """The tensors and blocks of one update phase of four parameters."""
    rng = np.random.default_rng(iteration)
    tensors: dict[str, np.ndarray] = {}
    for name, shape in SHAPES.items():
        tensors[name] = rng.standard_normal(shape).astype(dtype)
        tensors[f"{name}.grad"] = (rng.standard_normal(shape) * 10.0 ** rng.integers(-4, 2, shape)).astype(dtype)
    grads = {name: tensors[f"{name}.grad"] for name in SHAPES}
    factor, blocks = 1.0, []
    if optimizer.clip_norm is not None:
        tensors |= optimizers.clip_factor(grads, optimizer.clip_norm)
        factor = float(tensors["clip_factor"][0])
        blocks += optimizers.clip_blocks(SHAPES, optimizer.clip_norm)
    for name, shape in SHAPES.items():
        initial = {s: np.full(shape, optimizer.initial(s), dtype) for s in optimizer.states()}
        state = {s: (rng.standard_normal(shape) ** 2).astype(dtype) for s in initial} if has_state else None
        tensors |= {f"{name}.{s}.prev": tensor for s, tensor in (state or initial).items()}
        found = optimizer.update(tensors[name], grads[name], state, iteration, factor)
        own = optimizer.blocks(
            Place(name.split(".")[0], name, shape, iteration, has_state, bool(optimizer.clip_norm))
        )
        assert [block.writes for block in own] == [f"{name}.{key}" for key in found]
        assert set(optimizer.states()) < set(found)
        assert {block.node for block in own} == {name.split(".")[0]}
        assert {block.kind for block in own} == {optimizer.kind}
        tensors |= {f"{name}.{key}": tensor for key, tensor in found.items()}
        blocks += own
    return tensors, blocks


@pytest.mark.parametrize("has_state", [False, True], ids=["fresh", "stored"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("case", "clip"), list(itertools.product(CASES, CLIPS)), ids=str)
def test_every_cell_of_every_block_adds_up(
    case: dict[str, Any], clip: dict[str, Any], dtype: str, has_state: bool
) -> None:
    optimizer = optimizers.build(case | clip)
    tensors, blocks = run_update(optimizer, dtype, 7 if has_state else 0, has_state)
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(dtype)}
    before = {name for name in tensors if name in SHAPES or name.endswith((".grad", ".prev"))}
    for block in blocks:  # each reads only what was there or what blocks before it wrote
        assert {role.tensor for role in block.roles} <= before, block.writes
        before.add(block.writes)
        check_block(block, tensors, 1e-6 if dtype == "float32" else 1e-13)
    assert before == set(tensors)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_update_changes_nothing_it_was_given(case: dict[str, Any]) -> None:
    optimizer = optimizers.build(case)
    w, grad = np.full((2, 2), 0.5), np.full((2, 2), 0.25)
    state = {name: np.full((2, 2), 0.75) for name in optimizer.states()}
    for tensor in (w, grad, *state.values()):
        tensor.flags.writeable = False
    for given in (None, state):
        found = optimizer.update(w, grad, given, 2, 1.0)
        for name in ("next", *optimizer.states()):  # what outlives the step must not lie in a buffer of this one
            assert not any(np.shares_memory(found[name], tensor) for tensor in (w, grad, *state.values()))


def test_adamw_shows_weight_decay_and_step_as_terms_of_their_own() -> None:
    tensors, blocks = run_update(optimizers.build({"kind": "adamw", "lr": 0.1}), "float64", 0, False)
    block = next(block for block in blocks if block.writes == "fc.weight.next")
    w, step = tensors["fc.weight"].reshape(-1, 1), tensors["fc.weight.step"].reshape(-1, 1)
    terms, _ = block.evaluate({"w": w, "s": step}, (np.arange(20)[:, None],) * 2)
    np.testing.assert_allclose(terms, np.hstack([w, -0.1 * 0.01 * w, -step]), rtol=1e-15)


def test_the_variance_of_centred_rmsprop_never_falls_below_zero() -> None:
    """A constant gradient: v − ḡ² is nothing but rounding in the end, and PyTorch's root of it may be NaN."""
    optimizer = optimizers.build({"kind": "rmsprop", "centered": True, "alpha": 0.5})
    w, grad, state = np.ones(50, np.float32), np.linspace(0.1, 3, 50, dtype=np.float32), None
    for i in range(60):
        found = optimizer.update(w, grad, state, i, 1.0)
        w, state = found["next"], {name: found[name] for name in optimizer.states()}
        assert (found["variance"] >= 0).all()
        assert np.isfinite(w).all()


# --- schedules ------------------------------------------------------------------------------------------------------

SCHEDULES = [
    ({"kind": "constant"}, {0: 0.8, 99: 0.8}),
    ({"kind": "step", "step_size": 3}, {0: 0.8, 2: 0.8, 3: 0.08, 5: 0.08, 6: 0.008}),
    ({"kind": "step", "step_size": 1, "gamma": 0.5}, {0: 0.8, 1: 0.4, 3: 0.1}),
    ({"kind": "cosine", "T_max": 6}, {0: 0.8, 2: 0.6, 3: 0.4, 4: 0.2, 6: 0.0, 9: 0.4, 12: 0.8}),
    ({"kind": "cosine", "T_max": 2, "eta_min": 0.2}, {0: 0.8, 1: 0.5, 2: 0.2}),
    ({"kind": "warmup"}, {0: 0.8 / 3, 1: 0.8 * 7 / 15, 5: 0.8, 50: 0.8}),
    ({"kind": "warmup", "start_factor": 0.5, "total_iters": 2}, {0: 0.4, 1: 0.6, 2: 0.8}),
]


@pytest.mark.parametrize(("schedule", "rates"), SCHEDULES, ids=str)
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_schedules_in_numbers(kind: str, schedule: dict[str, Any], rates: dict[int, float]) -> None:
    optimizer = optimizers.build({"kind": kind, "lr": 0.8, "schedule": schedule})
    assert {i: optimizer.rate(i) for i in rates} == pytest.approx(rates, rel=1e-14, abs=1e-16)


def test_a_rate_beyond_all_numbers_is_infinite() -> None:
    optimizer = optimizers.build({"kind": "sgd", "schedule": {"kind": "step", "step_size": 1, "gamma": 10}})
    assert optimizer.rate(2) == pytest.approx(0.1)
    assert optimizer.rate(5000) == math.inf


def test_numbers_in_formulas_are_powers_of_ten() -> None:
    optimizer = optimizers.build({"kind": "adam", "betas": [1e-5, 0.999]})
    blocks = optimizer.blocks(Place("fc", "fc.bias", (2,), 1, True, False))
    formulas = {block.writes: block.formula for block in blocks}
    assert r"\sqrt{\hat v} + 10^{-8}" in formulas["fc.bias.step"]
    assert "{10^{-5}}^{2}" in formulas["fc.bias.exp_avg.hat"]  # braced: no double superscript


def test_the_rate_of_an_iteration_is_shown_with_its_step() -> None:
    optimizer = optimizers.build({"kind": "adam", "lr": 0.8, "schedule": {"kind": "step", "step_size": 3}})
    step = optimizer.blocks(Place("fc", "fc.bias", (2,), 4, True, False))[-2]
    _, extra = step.evaluate({"m": np.ones((2, 1)), "v": np.ones((2, 1))}, (np.arange(2)[:, None],))
    np.testing.assert_allclose(extra["lr"], [0.08, 0.08], rtol=1e-15)


# --- clipping -------------------------------------------------------------------------------------------------------


def test_clipping_by_norm_by_hand() -> None:
    grads = {"a.weight": np.array([[3.0]]), "a.bias": np.array([0.0, -4.0])}
    found = optimizers.clip_factor(grads, 1.0)
    assert {name: float(tensor[0]) for name, tensor in found.items()} == pytest.approx(
        {"a.weight.grad.square_sum": 9, "a.bias.grad.square_sum": 16, "grad_norm": 5, "clip_factor": 1 / 5.000001}
    )
    assert {tensor.shape for tensor in found.values()} == {(1,)}
    assert optimizers.clip_factor(grads, 10.0)["clip_factor"] == 1.0  # never lengthened


def test_a_norm_of_many_float32_cells_is_exact() -> None:
    grad = np.random.default_rng(0).standard_normal(200_000).astype(np.float32)
    tensors = {"w.grad": grad} | optimizers.clip_factor({"w": grad}, 1.0)
    exact = math.fsum(float(g) ** 2 for g in grad)
    assert float(tensors["w.grad.square_sum"][0]) == pytest.approx(exact, rel=1e-7)
    for block in optimizers.clip_blocks({"w": grad.shape}, 1.0):
        check_block(block, tensors, 1e-6)


def test_clipped_gradients() -> None:
    """By norm each is scaled, by value each is bounded; decay comes after."""
    w, grad = np.full(3, 2.0), np.array([-3.0, 0.1, 0.5])
    scaled = optimizers.build({"kind": "sgd", "clip_norm": 1, "weight_decay": 0.1}).update(w, grad, None, 0, 0.5)
    np.testing.assert_allclose(scaled["grad.total"], [-1.3, 0.25, 0.45])
    bounded = optimizers.build({"kind": "sgd", "clip_value": 0.4, "weight_decay": 0.1}).update(w, grad, None, 0, 1.0)
    np.testing.assert_allclose(bounded["grad.total"], [-0.2, 0.3, 0.6])
    both = optimizers.build(
        {"kind": "sgd", "clip_norm": 1, "clip_value": 0.4}
    )  # in this order, as PyTorch's users do
    np.testing.assert_allclose(both.update(w, grad, None, 0, 0.5)["grad.total"], [-0.4, 0.05, 0.25])


def test_a_norm_that_is_not_a_number_does_not_pass_for_one() -> None:
    assert np.isnan(optimizers.clip_factor({"w": np.array([1, np.nan])}, 1.0)["clip_factor"])


def test_a_transposed_gradient_leaves_states_and_weights_in_order() -> None:
    grad, w = np.arange(24.0).reshape(4, 3, 2).T, np.ones((2, 3, 4))
    found = optimizers.build({"kind": "adam"}).update(w, grad, None, 0, 1.0)
    assert all(tensor.flags.c_contiguous for tensor in found.values())
    np.testing.assert_array_equal(found["grad.total"], grad)


# --- documents ------------------------------------------------------------------------------------------------------

DEFAULTS = {
    "sgd": {"lr": 1e-3, "momentum": 0.0, "dampening": 0.0, "weight_decay": 0.0, "nesterov": False},
    "rmsprop": {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False},
    "adagrad": {"lr": 1e-2, "lr_decay": 0.0, "weight_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10},
    "adam": {"lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False},
    "adamw": {"lr": 1e-3, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-2, "amsgrad": False},
}
SHARED = {"state": None, "clip_norm": None, "clip_value": None, "schedule": {"kind": "constant"}}


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_are_those_of_pytorch(kind: str) -> None:
    assert optimizers.build({"kind": kind}).config() == {"kind": kind} | SHARED | DEFAULTS[kind]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_configuration_is_json_and_builds_the_same_optimiser(case: dict[str, Any]) -> None:
    full = case | {"clip_norm": 2, "state": "sha256:" + "a" * 64, "schedule": {"kind": "warmup", "total_iters": 9}}
    optimizer = optimizers.build(full)
    assert optimizers.build(json.loads(json.dumps(optimizer.config()))) == optimizer


def test_states_follow_from_the_fields() -> None:
    def states(kind: str, **fields: Any) -> tuple[str, ...]:
        return optimizers.build({"kind": kind} | fields).states()

    assert states("sgd") == ()
    assert states("sgd", momentum=0.9) == ("momentum_buffer",)
    assert states("rmsprop") == ("square_avg",)
    assert states("rmsprop", centered=True, momentum=0.1) == ("square_avg", "grad_avg", "momentum_buffer")
    assert states("adagrad") == ("sum",)
    assert states("adamw") == ("exp_avg", "exp_avg_sq")
    assert states("adam", amsgrad=True) == ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")


REFUSED: list[tuple[Any, str, str]] = [
    (None, "kind", "unknown_kind"),
    ("adam", "kind", "unknown_kind"),
    ({}, "kind", "unknown_kind"),
    ({"kind": "lion"}, "kind", "unknown_kind"),
    ({"kind": ["sgd"]}, "kind", "unknown_kind"),
    ({"kind": "sgd", "betas": [0.9, 0.999]}, "betas", "unknown_field"),
    ({"kind": "sgd", "lr": -1}, "lr", "bad_value"),
    ({"kind": "sgd", "lr": float("nan")}, "lr", "bad_value"),
    ({"kind": "sgd", "lr": 10**400}, "lr", "bad_value"),
    ({"kind": "sgd", "lr": "0.1"}, "lr", "bad_value"),
    ({"kind": "sgd", "momentum": -0.1}, "momentum", "bad_value"),
    ({"kind": "sgd", "nesterov": 1}, "nesterov", "bad_value"),
    ({"kind": "sgd", "nesterov": True}, "nesterov", "bad_value"),
    ({"kind": "sgd", "nesterov": True, "momentum": 0.9, "dampening": 0.1}, "nesterov", "bad_value"),
    ({"kind": "rmsprop", "alpha": -0.1}, "alpha", "bad_value"),
    ({"kind": "rmsprop", "eps": -1e-8}, "eps", "bad_value"),
    ({"kind": "adagrad", "lr_decay": -1}, "lr_decay", "bad_value"),
    ({"kind": "adagrad", "initial_accumulator_value": -1}, "initial_accumulator_value", "bad_value"),
    ({"kind": "adam", "betas": 0.9}, "betas", "bad_value"),
    ({"kind": "adam", "betas": [0.9, 1.0]}, "betas", "bad_value"),
    ({"kind": "adam", "betas": [0.9, float("nan")]}, "betas", "bad_value"),
    ({"kind": "adam", "betas": [True, 0.9]}, "betas", "bad_value"),
    ({"kind": "adamw", "weight_decay": -1}, "weight_decay", "bad_value"),
    ({"kind": "adamw", "state": "sha256:abc"}, "state", "bad_value"),
    ({"kind": "adamw", "state": 3}, "state", "bad_value"),
    ({"kind": "sgd", "clip_norm": 0}, "clip_norm", "bad_value"),
    ({"kind": "sgd", "clip_norm": True}, "clip_norm", "bad_value"),
    ({"kind": "sgd", "clip_norm": 10**400}, "clip_norm", "bad_value"),
    ({"kind": "sgd", "clip_value": -1}, "clip_value", "bad_value"),
    ({"kind": "sgd", "clip_value": float("inf")}, "clip_value", "bad_value"),
    ({"kind": "sgd", "schedule": None}, "schedule.kind", "unknown_kind"),
    ({"kind": "sgd", "schedule": {"kind": "linear"}}, "schedule.kind", "unknown_kind"),
    ({"kind": "sgd", "schedule": {"kind": "step"}}, "schedule.step_size", "missing_field"),
    ({"kind": "sgd", "schedule": {"kind": "step", "step_size": 0}}, "schedule.step_size", "bad_value"),
    ({"kind": "sgd", "schedule": {"kind": "step", "step_size": 2, "gamma": -1}}, "schedule.gamma", "bad_value"),
    ({"kind": "sgd", "schedule": {"kind": "cosine"}}, "schedule.T_max", "missing_field"),
    ({"kind": "sgd", "schedule": {"kind": "cosine", "T_max": 1.5}}, "schedule.T_max", "bad_value"),
    ({"kind": "sgd", "schedule": {"kind": "warmup", "start_factor": 2}}, "schedule.start_factor", "bad_value"),
    ({"kind": "sgd", "schedule": {"kind": "warmup", "total_iters": 0}}, "schedule.total_iters", "bad_value"),
    ({"kind": "sgd", "schedule": {"kind": "constant", "gamma": 1}}, "schedule.gamma", "unknown_field"),
]


@pytest.mark.parametrize(("document", "field", "reason"), REFUSED, ids=[f"{d}"[:70] for d, *_ in REFUSED])
def test_refusals_name_field_bound_and_remedy(document: Any, field: str, reason: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        optimizers.build(document)
    error = caught.value
    assert (error.field, error.reason) == (f"optimizer.{field}", reason)
    assert error.remedy
    assert f"optimizer.{field}" in error.message
    json.dumps(error.to_dict())
