"""What must not get through: numbers that do not fit, small documents that would fill the memory, nonsense."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine import initializers
from engine.kernels import unfold

PICTURE = "sha256:" + "0" * 64
CONV = {"name": "c", "kind": "conv2d", "out_channels": 2, "kernel_size": 3}
BASE = {"input": {"values": [[[[1.0] * 5] * 5]]}, "network": [CONV]}


def edit(value: Any, tensor: Any = "c.bias", **more: Any) -> dict[str, Any]:
    return BASE | {"params": {"edits": [{"tensor": tensor, "cell": [0], "value": value}]}} | more


TOO_BIG = [
    (edit(1e39), "params.edits[0].value"),
    (edit(10**400), "params.edits[0].value"),
    (BASE | {"params": {"values": {"c.bias": [0, -1e39]}}}, "params.values.c.bias[1]"),
    (BASE | {"input": {"values": [[[[1e39]]]]}}, "input.values[0][0][0][0]"),
    (BASE | {"network": [{"name": "a", "kind": "elu", "alpha": 1e39}]}, "network[0].alpha"),
    (
        BASE | {"network": [{"name": "a", "kind": "leaky_relu", "negative_slope": 10**400}]},
        "network[0].negative_slope",
    ),
    (edit(0, tensor=[]), "params.edits[0].tensor"),
]


@pytest.mark.parametrize(("document", "field"), TOO_BIG, ids=[field for _, field in TOO_BIG])
def test_numbers_beyond_the_dtype_are_refused(document: dict[str, Any], field: str) -> None:
    with pytest.raises(engine.ScenarioError) as caught:
        engine.Scenario.from_dict(document)
    assert caught.value.field == field
    assert caught.value.remedy


def test_float64_takes_what_float32_cannot() -> None:
    trace = engine.run(engine.Scenario.from_dict(edit(1e39, dtype="float64")))
    assert trace.tensors["c.bias"][0] == 1e39


def test_what_overflows_on_the_way_stays_visible_and_warns_nobody() -> None:
    large = BASE | {"params": {"values": {"c.weight": [[[[3e38] * 3] * 3]] * 2}}}
    trace = engine.run(engine.Scenario.from_dict(large))
    assert np.isinf(trace.tensors["c.out"]).all()
    window = trace.window(0, 4)
    assert np.isinf(window.columns["result"]).all()
    assert np.isfinite(window.columns["combined"]).all()  # in float64 the sum is there


@pytest.mark.parametrize("node", [
    {"kind": "conv2d", "out_channels": 1, "kernel_size": 1, "padding": 4096, "stride": 4096},
    {"kind": "conv2d", "out_channels": 1, "kernel_size": 2, "padding": 2048, "dilation": 4096},
    {"kind": "maxpool2d", "kernel_size": 4096, "padding": 2048, "stride": 4096},
])  # fmt: skip
def test_padding_counts_as_memory(node: dict[str, Any]) -> None:
    """A few bytes of JSON whose tensors are tiny, but whose padded input would take gigabytes."""
    document = {"input": {"image": PICTURE, "shape": [3, 8, 8]}, "network": [{"name": "a"} | node]}
    limits = engine.Scenario.from_dict(document).limits
    assert limits.bytes < 10**6
    assert limits.workspace >= 3 * 4096 * 4096 * 4


def test_large_kernels_unfold_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    node = CONV | {"groups": 2, "kernel_size": [5, 3], "padding": 2, "stride": [2, 1]}
    x = np.random.default_rng(0).standard_normal((2, 4, 17, 13)).tolist()
    scenario = engine.Scenario.from_dict({"input": {"values": x}, "network": [node], "dtype": "float64"})
    whole = engine.run(scenario).tensors["c.out"]
    for band in (1, 2000):
        monkeypatch.setattr(unfold, "BAND", band)
        np.testing.assert_allclose(engine.run(scenario).tensors["c.out"], whole, rtol=0, atol=1e-13)


def test_the_workspace_is_what_is_allocated() -> None:
    node = {"name": "c", "kind": "conv2d", "out_channels": 1, "kernel_size": 31, "padding": 15}
    scenario = engine.Scenario.from_dict({"input": {"tensor": PICTURE, "shape": [1, 3, 96, 96]}, "network": [node]})
    x = np.zeros((1, 3, 96, 96), np.float32)
    tracemalloc.start()
    try:
        engine.run(scenario, {PICTURE: x})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    unfolded = 3 * 31 * 31 * 96 * 96 * 4  # 106 MB, all at once
    assert peak < 1.2 * (scenario.limits.bytes + scenario.limits.workspace) < unfolded / 3


def test_origins_of_written_and_unknown_cells() -> None:
    trace = engine.run(engine.Scenario.from_dict(BASE))
    assert trace.origin("c.out", (0, 0, 0, 1)) | {"value": 0} == {
        "tensor": "c.out", "cell": [0, 0, 0, 1], "value": 0, "from": "step", "step": 1,
    }  # fmt: skip
    for tensor, cell in (("nothing", []), ("c.out", [0, 0, 0, 0.5]), ("c.out", [0, 0, 0, "a"]), ("c.out", [0])):
        with pytest.raises(engine.RangeError):
            trace.origin(tensor, cell)  # type: ignore[arg-type]
        with pytest.raises(engine.RangeError):
            trace.find(tensor, cell)  # type: ignore[arg-type]


def test_a_loop_over_a_trace_ends() -> None:
    trace = engine.run(engine.Scenario.from_dict(BASE))
    assert [step.index for step in trace] == list(range(len(trace)))  # type: ignore[attr-defined]


def test_a_step_that_reads_one_tensor_twice_lists_both() -> None:
    node = {"name": "a", "kind": "add", "inputs": ["input", "input"]}
    step = engine.run(engine.Scenario.from_dict(BASE | {"network": [node]}))[3]
    assert step.reads == {"input": [((0, 0, 0, 3), 1.0)] * 2}
    assert step.result == 2


def test_the_rest_of_a_maximum_is_a_maximum() -> None:
    values = np.arange(25.0).reshape(1, 1, 5, 5).tolist()
    node = {"name": "m", "kind": "maxpool2d", "kernel_size": 5}
    trace = engine.run(engine.Scenario.from_dict({"input": {"values": values}, "network": [node]}))
    columns = trace.window(0, 1, top=2).columns
    assert (columns["term"].tolist(), columns["extra.rest"].tolist()) == ([[24, 23]], [22])


def test_stored_weights_that_are_not_finite_can_be_described() -> None:
    weights = {"c.weight": np.full((2, 1, 3, 3), np.nan), "c.bias": np.zeros(2)}
    trace = engine.run(engine.Scenario.from_dict(BASE | {"params": {"weights": PICTURE}}), {PICTURE: weights})
    assert sum(initializers.describe(trace, "c")[0]["histogram"]["counts"]) == 0


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["same", "input", "c", "", "zeros"])
)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
WORDS = st.sampled_from([
    ("network",), ("network", 0), ("network", 0, "kernel_size"), ("network", 0, "stride"), ("network", 0, "padding"),
    ("network", 0, "groups"), ("network", 0, "dilation"), ("network", 0, "padding_mode"), ("network", 0, "inputs"),
    ("network", 0, "bias"), ("network", 0, "kind"), ("network", 0, "name"), ("network", 0, "out_channels"),
    ("input",), ("input", "values"), ("params",), ("params", "edits"), ("params", "edits", 0),
    ("params", "edits", 0, "cell"),
    ("params", "edits", 0, "tensor"), ("params", "edits", 0, "value"), ("params", "values"), ("params", "seed"),
    ("params", "scheme"), ("params", "weights"), ("mode",), ("dtype",), ("version",),
])  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(path=WORDS, value=JSON)
def test_whatever_stands_in_a_field_is_taken_or_refused_by_name(path: tuple, value: Any) -> None:
    document = json.loads(json.dumps(edit(1.0)))
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    try:
        scenario = engine.Scenario.from_dict(document)
    except engine.ScenarioError as error:
        if not error.remedy:
            raise
    else:
        assert engine.Scenario.from_dict(scenario.to_dict()).digest == scenario.digest
