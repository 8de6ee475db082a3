"""Convolution and pooling over random geometry: naive loops, and every step explained, in both precisions."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import engine
from tests.engine.oracles import ORACLES
from tests.engine.test_contract import BOUND, magnitude

IMPOSSIBLE = ("kernel_too_big", "bad_groups", "padding_too_wide")
QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)
SHAPES = st.tuples(st.integers(1, 2), st.sampled_from([1, 2, 4, 6]), st.integers(1, 8), st.integers(1, 8))


def sizes(low: int, high: int) -> st.SearchStrategy[list[int]]:
    """[height, width] with each in [low, high]."""
    return st.lists(st.integers(low, high), min_size=2, max_size=2)


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    padding = draw(st.sampled_from(["same", "valid"]) | sizes(0, 3))
    return {
        "kind": "conv2d",
        "out_channels": draw(st.sampled_from([1, 2, 4, 6])),
        "kernel_size": draw(sizes(1, 4)),
        "stride": 1 if padding == "same" else draw(sizes(1, 4)),
        "padding": padding,
        "dilation": draw(sizes(1, 3)),
        "groups": draw(st.sampled_from([1, 1, 1, 2])),
        "bias": draw(st.booleans()),
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
    }


@st.composite
def pools(draw: st.DrawFn) -> dict[str, Any]:
    kernel = draw(sizes(1, 4))
    node = {
        "kind": draw(st.sampled_from(["maxpool2d", "avgpool2d"])),
        "kernel_size": kernel,
        "stride": draw(st.none() | sizes(1, 4)),
        "padding": [draw(st.integers(0, k // 2)) for k in kernel],
        "ceil_mode": draw(st.booleans()),
    }
    return node | ({"count_include_pad": draw(st.booleans())} if node["kind"] == "avgpool2d" else {})


def check(shape: tuple[int, ...], node: dict[str, Any], dtype: str, seed: int) -> None:
    """Against the naive loop, then step by step against the tensors."""
    x = np.random.default_rng(seed).standard_normal(shape) * 2
    document = {"input": {"values": x.tolist()}, "network": [{"name": "a"} | node], "dtype": dtype}
    try:
        trace = engine.run(engine.Scenario.from_dict(document))
    except engine.ScenarioError as error:
        if error.reason not in IMPOSSIBLE:
            raise
        reject()
    a = trace.network["a"]
    params = {name.split(".")[1]: trace.tensors[name] for name in a.param_shapes}
    expected = ORACLES[a.kind](params, [trace.tensors["input"]], a.layer.config(), a.shape)
    room = (1e-12 if dtype == "float64" else 2e-5) * max(1, np.abs(expected).max())
    np.testing.assert_allclose(trace.tensors["a.out"], expected, rtol=0, atol=room)
    for block in trace.blocks:
        columns = trace.window(block.start, block.stop).columns
        assert np.array_equal(columns["result"], trace.tensors[block.writes].reshape(-1))
        assert (np.abs(columns["residual"]) <= BOUND[dtype] * magnitude(columns, block)).all()


@QUICK
@given(SHAPES, convolutions(), st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_convolutions(shape: tuple[int, ...], node: dict[str, Any], dtype: str, seed: int) -> None:
    check(shape, node, dtype, seed)


@QUICK
@given(SHAPES, pools(), st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_pools(shape: tuple[int, ...], node: dict[str, Any], dtype: str, seed: int) -> None:
    check(shape, node, dtype, seed)
