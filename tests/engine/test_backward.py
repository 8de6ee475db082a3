"""Every registered kind backwards, automatically: central differences, and every step of every phase and reading."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import engine
from engine.layer import Context
from tests.engine.cases import CASES, Case, document
from tests.engine.test_contract import BOUND, magnitude

#: kinds that behave differently in training
MODAL = ("batchnorm2d", "dropout", "dropout2d")
MODES = [
    pytest.param(case, mode, id=f"{kind}-{i}-{mode}")
    for kind, cases in CASES.items()
    for i, case in enumerate(cases)
    for mode in (("eval", "train") if kind in MODAL else ("eval",))
]
STEP = 1e-5


def step_document(case: Case, mode: str, dtype: str) -> dict[str, Any]:
    """A whole training step: squared error against a random target, both penalties, Adam with clipping."""
    plain = document(case, dtype)
    shape = engine.Scenario.from_dict(plain).network.nodes[-1].shape
    target = np.random.default_rng(1).standard_normal(shape)
    return plain | {
        "mode": mode,
        "target": target.tolist(),
        "loss": {"kind": "mse"},
        "penalty": {"l1": 0.01, "l2": 0.1},
        "optimizer": {"kind": "adam", "weight_decay": 0.1, "clip_norm": 0.5},
    }


@pytest.mark.parametrize(("case", "mode"), MODES)
def test_gradients_are_central_differences(case: Case, mode: str) -> None:
    """Of a random projection of the output, for every cell of every input and parameter, in float64."""
    trace = engine.run(engine.Scenario.from_dict(document(case, "float64") | {"mode": mode}))
    node = trace.network["node"]
    context = Context(mode, name="node")
    params = {key: value.copy() for key, value in trace.network.own(node, trace.tensors).items()}
    xs = [trace.tensors[name].copy() for name in node.reads]
    _, cache = node.layer.forward(params, xs, context)
    projection = np.random.default_rng(2).standard_normal(node.shape)
    dxs, dparams = node.layer.backward(params, cache, projection, context)
    learned = {key: params[key] for key in node.layer.param_shapes(node.in_shapes)}
    assert set(dparams) == set(learned)
    assert len(dxs) == len(xs)

    def value() -> float:
        return float((node.layer.forward(params, xs, context)[0] * projection).sum())

    for tensor, gradient in [*zip(xs, dxs, strict=True), *((learned[key], dparams[key]) for key in learned)]:
        assert gradient.shape == tensor.shape
        slopes = np.zeros_like(tensor)
        for at in np.ndindex(*tensor.shape):
            old = tensor[at]
            tensor[at] = old + STEP
            high = value()
            tensor[at] = old - STEP
            slopes[at] = (high - value()) / (2 * STEP)
            tensor[at] = old
        np.testing.assert_allclose(gradient, slopes, rtol=0, atol=1e-6 * max(1e-3, np.abs(slopes).max()))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("case", "mode"), MODES)
def test_every_step_of_every_phase_explains_its_cell(case: Case, mode: str, dtype: str) -> None:
    trace = engine.run(engine.Scenario.from_dict(step_document(case, mode, dtype)))
    phases = [block.phase for block in trace.blocks]
    order = ("forward", "loss", "backward", "update")
    assert phases == sorted(phases, key=order.index)
    written: set[str] = set()
    for block in trace.blocks:
        assert block.shape == trace.tensors[block.writes].shape
        for reading in block.readings:
            explain(trace, block, reading, dtype)
            read = {role.tensor for part in (block, *block.others) for role in (*part.roles, *part.addends)}
            assert read - written <= set(trace.tensors) - {
                other.writes for other in trace.blocks
            }  # nothing from later
        written.add(block.writes)


def explain(trace: engine.Trace, block: engine.Block, reading: str, dtype: str) -> None:
    """Result bit for bit, residual within its bound, factors that multiply to the term."""
    window = trace.window(block.start, block.stop, reading=reading)
    columns = window.columns
    stored = np.ascontiguousarray(trace.tensors[block.writes]).reshape(-1)
    assert np.array_equal(columns["result"], stored)
    # a square of a tiny gradient may be subnormal, where no rounding is good to seven digits
    room = BOUND[dtype] * magnitude(columns, window.block) + np.finfo(dtype).tiny
    assert (np.abs(columns["residual"]) <= room).all(), (block.writes, reading)
    if window.block.factors:
        product = np.prod([columns[f"factor.{name}"] for name in window.block.factors], axis=0)
        np.testing.assert_allclose(product, columns["term"], rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize(("case", "mode"), MODES)
def test_a_training_step_keeps_what_was_promised(case: Case, mode: str) -> None:
    scenario = engine.Scenario.from_dict(step_document(case, mode, "float32"))
    trace = engine.run(scenario)
    goal = scenario.objective
    assert goal is not None
    promised = {"input": case[0], "target": goal.target_shape} | {block.writes: block.shape for block in trace.blocks}
    promised |= trace.network.param_shapes | trace.network.buffer_shapes
    promised |= {f"{name}.prev": shape for name, shape in goal.state_shapes}
    for node in trace.network:
        promised |= node.drawn_shapes
    assert {name: tensor.shape for name, tensor in trace.tensors.items()} == promised
    assert len(trace) == scenario.limits.steps == sum(block.n_steps for block in trace.blocks)
    assert all(tensor.dtype == np.float32 for tensor in trace.tensors.values())
    for i in {0, len(trace) - 1, *np.random.default_rng(1).integers(0, len(trace), 40).tolist()}:
        block, cell = trace.locate(i)
        assert trace.find(block.writes, cell) == i
    header = {key for block in trace.blocks for key in block.header()}
    assert {"phase", "readings", "formula", "code"} <= header


@pytest.mark.parametrize(("case", "mode"), MODES)
def test_codes_are_python_with_known_slots(case: Case, mode: str) -> None:
    trace = engine.run(engine.Scenario.from_dict(step_document(case, mode, "float32")))
    for block in trace.blocks:
        for part in (block, *block.others):
            slots = dict.fromkeys([*part.loops, *part.slots], 0)
            ast.parse("\n".join(line.format(**slots) for line in part.code))
            assert part.formula
