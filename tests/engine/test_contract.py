"""Every registered kind, automatically: shapes, naive-loop oracle, steps against tensors."""

from __future__ import annotations

import json

import numpy as np
import pytest

import engine
from engine.layer import REGISTRY
from tests.engine.cases import CASES, Case, document
from tests.engine.oracles import ORACLES

ALL = [pytest.param(case, id=f"{kind}-{i}") for kind, cases in CASES.items() for i, case in enumerate(cases)]
BOUND = {"float32": 1e-6, "float64": 1e-13}


def test_every_kind_has_cases_and_an_oracle() -> None:
    assert set(CASES) == set(REGISTRY) == set(ORACLES)


@pytest.mark.parametrize("case", ALL)
def test_forward_is_what_the_naive_loop_says(case: Case) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case, "float64")))
    node = trace.network["node"]
    params = trace.network.own(node, trace.tensors)
    xs = [trace.tensors[name] for name in node.reads]
    expected = ORACLES[node.kind](params, xs, node.layer.config(), node.shape)
    np.testing.assert_allclose(trace.tensors["node.out"], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", ALL)
def test_float32_agrees_with_float64(case: Case) -> None:
    single, double = (engine.run(engine.Scenario.from_dict(document(case, d))) for d in ("float32", "float64"))
    y, exact = single.tensors["node.out"], double.tensors["node.out"]
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, exact, rtol=0, atol=1e-5 * np.abs(exact).max())


@pytest.mark.parametrize("case", ALL)
def test_tensors_have_the_shapes_that_were_promised(case: Case) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case)))
    promised = {"input": case[0], **trace.network.param_shapes, **trace.network.buffer_shapes}
    for node in trace.network:
        promised |= node.tensor_shapes
    assert {name: tensor.shape for name, tensor in trace.tensors.items()} == promised
    assert len(trace) == sum(block.n_steps for block in trace.blocks) == trace.scenario.limits.steps
    assert not any(tensor.flags.writeable for tensor in trace.tensors.values())


def magnitude(columns: dict[str, np.ndarray], block: engine.Block) -> np.ndarray:
    """Σ|term| of each step; the addends are terms of the same sum, a −∞ of the padding is none."""
    term = columns["term"].astype(np.float64)
    total = np.abs(np.where(np.isfinite(term), term, 0)).sum(axis=1)
    for role in block.addends:
        total += np.abs(columns[f"{role.name}.value"][:, 0])
    return total


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ALL)
def test_every_step_of_every_block_explains_its_cell(case: Case, dtype: str) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case, dtype)))
    for block in trace.blocks:
        columns = trace.window(block.start, block.stop).columns
        written = trace.tensors[block.writes]
        assert np.array_equal(columns["result"], written.reshape(-1))  # bit for bit
        assert np.array_equal(columns["cell"], np.arange(written.size))
        assert (np.abs(columns["residual"]) <= BOUND[dtype] * magnitude(columns, block)).all(), block.writes
        for role in (*block.roles, *block.addends):
            index, value = columns[f"{role.name}.index"], columns[f"{role.name}.value"]
            read = trace.tensors[role.tensor].reshape(-1)[np.maximum(index, 0)]
            expected = np.where(index >= 0, read, np.where(index == -1, block.outside, 0))
            assert np.array_equal(value, expected.astype(value.dtype))
        assert columns["term"].shape == (block.n_steps, block.n_terms)
        assert {f"extra.{name}" for name in block.extra} <= set(columns)


@pytest.mark.parametrize("case", ALL)
def test_locate_and_find_are_inverse(case: Case) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case)))
    for i in {0, len(trace) - 1, *np.random.default_rng(1).integers(0, len(trace), 40).tolist()}:
        block, cell = trace.locate(i)
        assert trace.find(block.writes, cell) == i
        assert block.start <= i < block.stop
        step = trace[i]
        assert (step.writes, step.cell) == (block.writes, cell)
        assert step.result == trace.tensors[block.writes][cell]


@pytest.mark.parametrize("case", ALL)
def test_a_step_alone_is_the_step_in_its_window(case: Case) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case)))
    for block in trace.blocks:
        whole = trace.window(block.start, block.stop).columns
        for i in (block.start, (block.start + block.stop) // 2, block.stop - 1):
            alone = trace.window(i, i + 1).columns
            for name, column in alone.items():
                row = whole[name] if len(whole[name]) == 1 else whole[name][i - block.start : i - block.start + 1]
                np.testing.assert_allclose(column, row, rtol=1e-15, atol=0)


@pytest.mark.parametrize("case", ALL)
def test_headers_are_json_and_their_code_has_only_known_slots(case: Case) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case)))
    for block in trace.blocks:
        header = json.loads(json.dumps(block.header(), allow_nan=False))
        slots = {name: 0 for name, _ in header["loops"]} | dict.fromkeys(header["slots"], 0)
        for line in header["code"]:
            line.format(**slots)
        assert all(0 <= line < len(header["code"]) for line in header["active"])
        assert [extent for _, extent in header["loops"]] == header["shape"]


PAGED = ("conv2d", "avgpool2d", "global_avgpool2d", "dense")


@pytest.mark.parametrize("case", [CASES[kind][0] for kind in PAGED], ids=PAGED)
def test_pages_of_terms_and_the_rest_make_the_whole(case: Case) -> None:
    trace = engine.run(engine.Scenario.from_dict(document(case, "float64")))
    block = trace.blocks[-1]
    whole = trace.window(block.start, block.stop).columns
    page = trace.window(block.start, block.stop, terms=(1, 3)).columns
    assert np.array_equal(page["term"], whole["term"][:, 1:3])
    np.testing.assert_allclose(page["term"].sum(1) + page["extra.rest"], whole["term"].sum(1), atol=1e-12)
    top = trace.window(block.start, block.stop, top=2).columns
    largest = -np.sort(-np.abs(whole["term"]), axis=1)[:, :2]
    np.testing.assert_allclose(np.abs(top["term"]), largest)
    np.testing.assert_allclose(top["term"].sum(1) + top["extra.rest"], whole["term"].sum(1), atol=1e-12)
    for role in block.roles:
        assert top[f"{role.name}.index"].shape == top["term"].shape
