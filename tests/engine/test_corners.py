"""Corner cases, each by hand: ties, −∞ under a window, huge logits, nothing at all, foreign arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine import layer as contract
from engine import train
from engine.errors import ScenarioError
from engine.layer import REGISTRY, Context
from tests.engine.cases import CASES, Case

NEW = "sha256:" + "1" * 64


def run(values: Any, *nodes: dict[str, Any], target: Any = None, **more: Any) -> engine.Trace:
    """A trace of values through nodes named after their kind; with a target its loss is mse unless said otherwise."""
    network = [{"name": node["kind"]} | node for node in nodes]
    document = {"input": {"values": values}, "network": network, "dtype": "float64"} | more
    if target is not None:
        document = {"target": target, "loss": {"kind": "mse"}} | document
    return engine.run(engine.Scenario.from_dict(document))


def pool_gradient(x: list, dy: list, kind: str = "maxpool2d", **fields: Any) -> list:
    """∂input of one pool for a given upstream gradient."""
    pool = contract.build(kind, fields, "pool")
    array = np.array([[x]], float)
    _, cache = pool.forward({}, [array], Context())
    dxs, _ = pool.backward({}, cache, np.array([[dy]], float), Context())
    return dxs[0][0, 0].tolist()


# --- max pooling --------------------------------------------------------------------------------------------------


def test_of_equal_cells_the_first_takes_the_gradient() -> None:
    assert pool_gradient([[2, 2], [2, 2]], [[5]], kernel_size=2) == [[5, 0], [0, 0]]
    assert pool_gradient([[2, 2], [2, 2]], [[5]], kernel_size=[1, 2], stride=2) == [[5, 0], [0, 0]]


def test_a_cell_that_wins_several_windows_gets_all_their_gradients() -> None:
    x = [[0, 0, 0], [0, 9, 0], [0, 0, 0]]
    assert pool_gradient(x, [[1, 2], [4, 8]], kernel_size=2, stride=1) == [[0, 0, 0], [0, 15, 0], [0, 0, 0]]


def test_ties_in_overlapping_windows_are_decided_in_each_window() -> None:
    assert pool_gradient([[7, 7, 7]], [[1, 2]], kernel_size=[1, 2], stride=1) == [[1, 2, 0]]


def test_padding_never_wins() -> None:
    trace = run([[[[-3, -4], [-5, -6]]]], {"kind": "maxpool2d", "kernel_size": 2, "padding": 1})
    assert trace.tensors["maxpool2d.out"].tolist() == [[[[-3, -4], [-5, -6]]]]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_window_of_minus_infinity_hands_its_gradient_to_its_first_real_cell(dtype: type) -> None:
    """As PyTorch; the steps say the same."""
    pool = contract.build("maxpool2d", {"kernel_size": 2, "padding": 1}, "pool")
    x = np.full((1, 1, 2, 2), -np.inf, dtype)
    _, cache = pool.forward({}, [x], Context())
    (dx,), _ = pool.backward({}, cache, np.array([[[[1, 2], [3, 4]]]], dtype), Context())
    assert dx.tolist() == [[[[1, 2], [3, 4]]]]
    with np.errstate(all="ignore"):
        trace = engine.run(
            engine.Scenario.from_dict(
                {
                    "input": {"tensor": NEW, "shape": [1, 1, 2, 2]},
                    "network": [{"name": "pool", "kind": "maxpool2d", "kernel_size": 2, "padding": 1}],
                    "target": [[[[0, 0], [0, 0]]]],
                    "loss": {"kind": "mse"},
                }
            ),
            {NEW: np.array([[[[-np.inf, 5], [6, 7]]]])},
        )
    block = next(block for block in trace.blocks if block.writes == "input.grad")
    columns = trace.window(block.start, block.stop).columns
    assert columns["factor.won"].sum(axis=1).tolist() == [1, 1, 1, 1]
    assert columns["result"].tolist() == [-np.inf, 2.5, 3.0, 3.5]


def test_the_last_window_with_ceil_mode() -> None:
    """Five cells, windows of two: with ``ceil_mode`` a third window holds the last cell alone."""
    fields = {"kernel_size": [1, 2], "stride": 2, "ceil_mode": True}
    trace = run([[[[1, 2, 3, 4, 5]]]], {"kind": "maxpool2d"} | fields)
    assert trace.tensors["maxpool2d.out"].tolist() == [[[[2, 4, 5]]]]
    assert pool_gradient([[1, 2, 3, 4, 5]], [[1, 10, 100]], **fields) == [[0, 1, 0, 10, 100]]
    floor = run([[[[1, 2, 3, 4, 5]]]], {"kind": "maxpool2d"} | fields | {"ceil_mode": False})
    assert floor.tensors["maxpool2d.out"].tolist() == [[[[2, 4]]]]


@pytest.mark.parametrize(
    ("counted", "override", "wanted"),
    [(True, None, [1 / 2, 5 / 2, 4 / 2]), (False, None, [1, 5 / 2, 4]), (True, 4, [1 / 4, 5 / 4, 4 / 4])],
)
def test_what_an_average_divides_by(counted: bool, override: int | None, wanted: list[float]) -> None:
    """Windows [0 1] [2 3] [4 0] of the padded row, with zeros of the padding counted or not."""
    node = {"kind": "avgpool2d", "kernel_size": [1, 2], "padding": [0, 1], "count_include_pad": counted}
    trace = run([[[[1, 2, 3, 4]]]], node | {"divisor_override": override})
    assert trace.tensors["avgpool2d.out"].tolist() == [[[wanted]]]


def test_what_ceil_mode_reaches_beyond_the_padding_is_never_counted() -> None:
    node = {"kind": "avgpool2d", "kernel_size": [1, 2], "stride": 2, "ceil_mode": True}
    assert run([[[[1, 2, 3]]]], node).tensors["avgpool2d.out"].tolist() == [[[[1.5, 3]]]]


# --- large numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_logits_of_ten_thousand(dtype: str) -> None:
    """log Σ e^x neither overflows nor loses the loss: 2·10⁴ for the worst class, 0 for the best."""
    flat = {"kind": "flatten"}
    for target, loss in ((0, 0.0), (1, 20000.0)):
        more = {"target": target, "loss": {"kind": "cross_entropy"}, "dtype": dtype}
        trace = run([[[[1e4, -1e4]]]], flat, **more)
        assert trace.tensors["loss"].tolist() == [loss]
        assert trace.tensors["flatten.out.grad"].tolist() == [[1 - (target == 0), 0 - (target == 1)]]
        through = run([[[[1e4, -1e4]]]], flat, {"kind": "softmax"}, **more)
        assert through.tensors["loss"].tolist() == [loss]
        logs = run([[[[1e4, -1e4]]]], flat, {"kind": "log_softmax"}, **more | {"loss": {"kind": "nll"}})
        assert logs.tensors["loss"].tolist() == [loss]
    binary = run([[[[1e4, -1e4]]]], flat, target=[[0, 1]], loss={"kind": "bce_with_logits"}, dtype=dtype)
    assert binary.tensors["loss"].tolist() == [1e4]
    assert binary.tensors["flatten.out.grad"].tolist() == [[0.5, -0.5]]


def test_probabilities_that_underflow_keep_their_unfolded_reading() -> None:
    trace = run([[[[1e4, -1e4]]]], {"kind": "flatten"}, target=1, loss={"kind": "cross_entropy"})
    first = trace.find("flatten.out.grad", (0, 0))
    assert first is not None
    columns = trace.window(first, first + 2, reading="unfolded").columns
    assert columns["combined"].tolist() == columns["result"].tolist() == [1, -1]


# --- batch normalisation ------------------------------------------------------------------------------------------


def test_one_value_per_channel_has_no_variance() -> None:
    with pytest.raises(ScenarioError, match="more than 1 value per channel") as caught:
        run([[[[3]]]], {"kind": "batchnorm2d"}, mode="train")
    assert caught.value.reason == "batch_too_small"
    assert run([[[[3]]]], {"kind": "batchnorm2d"}, mode="eval").tensors["batchnorm2d.out"].shape == (1, 1, 1, 1)
    with pytest.raises(ScenarioError, match="use a larger batch"):
        run([[[[3]]]], {"kind": "batchnorm2d", "track_running_stats": False}, mode="eval")


# --- nothing at all -----------------------------------------------------------------------------------------------


def cases() -> list[tuple[str, Case]]:
    return [(kind, case) for kind in sorted(CASES) for case in CASES[kind]]


def build(case: Case) -> tuple[contract.Layer, list[contract.Shape], dict[str, np.ndarray]]:
    """The last node of a case, the shapes it reads, and parameters."""
    shape, nodes = case
    values = np.random.default_rng(0).standard_normal(shape)
    network = engine.Scenario.from_dict({"input": {"values": values.tolist()}, "network": nodes}).network
    node = network.nodes[-1]
    stream = np.random.default_rng(1)
    shapes = {name.split(".", 1)[1]: s for name, s in (node.param_shapes | node.buffer_shapes).items()}
    params = {name: np.abs(stream.standard_normal(s)) + 0.5 for name, s in shapes.items()}
    return node.layer, list(node.in_shapes), params


@pytest.mark.parametrize(("kind", "case"), cases(), ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.filterwarnings("ignore:.*empty slice.*:RuntimeWarning", "ignore:.*invalid value.*:RuntimeWarning")
def test_an_empty_batch_gives_an_empty_result(kind: str, case: Case) -> None:
    """Outputs and ∂inputs without samples; gradients of parameters are sums of nothing."""
    layer, shapes, params = build(case)
    xs = [np.empty((0, *shape[1:])) for shape in shapes]
    if getattr(layer, "normalized_shape", ()) == shapes[0]:
        return  # the samples are among what is normalised
    y, cache = layer.forward(params, xs, Context())
    assert y.shape == (0, *layer.out_shape(shapes)[1:])
    dxs, grads = layer.backward(params, cache, np.empty(y.shape), Context())
    assert [dx.shape for dx in dxs] == [x.shape for x in xs]
    for name, grad in grads.items():
        assert grad.shape == params[name].shape
        assert not grad.any()


def test_scenarios_and_runs_refuse_a_batch_of_nothing() -> None:
    with pytest.raises(ScenarioError, match=r"input"):
        run([], {"kind": "relu"})
    with pytest.raises(ScenarioError, match=r"input"):
        run([[[]]], {"kind": "relu"})
    scenario = engine.Scenario.from_dict(
        {
            "input": {"values": [[[[1, 2]]]]},
            "network": [{"name": "flat", "kind": "flatten"}],
            "target": 0,
        }
    )
    with pytest.raises(ScenarioError):
        train.start(scenario, 0)
    state = train.start(scenario, 2)
    with pytest.raises(ScenarioError, match="at least 2 samples"):
        train.run_chunk(state, train.Data(np.empty((0, 1, 1, 2)), np.empty(0)), 1)


# --- arrays of other people ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "case"), cases(), ids=lambda value: value if isinstance(value, str) else "")
def test_strided_and_read_only_arrays(kind: str, case: Case) -> None:
    """Every second cell of a larger array, backwards, and nobody may write: the same numbers, nothing written."""
    layer, shapes, params = build(case)
    stream = np.random.default_rng(2)
    plain = [stream.standard_normal(shape) for shape in shapes]

    def foreign(array: np.ndarray) -> np.ndarray:
        wide = np.full([2 * n for n in array.shape], np.nan)
        view = wide[tuple(slice(None, None, -2) for _ in array.shape)]
        view[...] = array
        view.flags.writeable = False
        return view

    y, cache = layer.forward(params, plain, Context())
    dy = stream.standard_normal(y.shape)
    dxs, grads = layer.backward(params, cache, dy, Context())
    odd = {name: foreign(array) for name, array in params.items()}
    y2, cache2 = layer.forward(odd, [foreign(x) for x in plain], Context())
    dxs2, grads2 = layer.backward(odd, cache2, foreign(dy), Context())
    for wanted, found in zip([y, *dxs, *grads.values()], [y2, *dxs2, *grads2.values()], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.int64, np.uint8, bool])
def test_stored_arrays_of_other_types_are_cast_to_the_scenarios(dtype: type) -> None:
    x = np.array([[[[0, 1], [1, 3]]]]).astype(dtype)
    scenario = engine.Scenario.from_dict(
        {
            "input": {"tensor": NEW, "shape": [1, 1, 2, 2]},
            "network": [{"name": "conv", "kind": "conv2d", "out_channels": 1, "kernel_size": 2}],
            "params": {"weights": NEW[:-1] + "2"},
        }
    )
    weights = {"conv.weight": np.ones((1, 1, 2, 2), dtype), "conv.bias": np.zeros(1, dtype)}
    trace = engine.run(scenario, {NEW: x, NEW[:-1] + "2": weights})
    assert {tensor.dtype for tensor in trace.tensors.values()} == {np.dtype("float32")}
    assert trace.tensors["conv.out"].tolist() == [[[[float(x.astype(float).sum())]]]]


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.uint8, bool])
def test_training_data_of_other_types_are_cast(dtype: type) -> None:
    inputs = np.random.default_rng(0).integers(0, 2, (8, 1, 2, 2)).astype(dtype)
    scenario = engine.Scenario.from_dict(
        {
            "input": {"values": np.zeros((1, 1, 2, 2)).tolist()},
            "network": [{"name": "flat", "kind": "flatten"}, {"name": "fc", "kind": "dense", "out_features": 2}],
            "target": 0,
        }
    )
    targets = np.arange(8) % 2
    state, _ = train.run_chunk(train.start(scenario, 4), train.Data(inputs, targets), 3)
    same, _ = train.run_chunk(train.start(scenario, 4), train.Data(inputs.astype("float32"), targets), 3)
    for name, tensor in state.weights.items():
        assert tensor.dtype == np.float32
        assert np.array_equal(tensor, same.weights[name])


@pytest.mark.parametrize("cell", ["a", 1 + 2j, None])
def test_arrays_that_are_no_numbers_are_refused_by_name(cell: Any) -> None:
    array = np.array([[[[cell]]]])
    convolution = {"name": "conv", "kind": "conv2d", "out_channels": 1, "kernel_size": 1}
    document = {"input": {"tensor": NEW, "shape": [1, 1, 1, 1]}, "network": [convolution]}
    with pytest.raises(ScenarioError, match=r"input\.tensor: .* use an array of real numbers"):
        engine.run(engine.Scenario.from_dict(document), {NEW: array})
    document |= {"input": {"values": [[[[1]]]]}, "params": {"weights": NEW}}
    with pytest.raises(ScenarioError, match=r"params\.weights\.conv\.weight: .* use an array of real numbers"):
        engine.run(engine.Scenario.from_dict(document), {NEW: {"conv.weight": array, "conv.bias": np.zeros(1)}})
    data = train.Data(np.array([[[[cell]]]] * 2), np.zeros(2))
    goal = engine.Scenario.from_dict(
        {"input": {"values": [[[[1]]]]}, "network": [{"name": "f", "kind": "flatten"}], "target": 0}
    )
    with pytest.raises(ScenarioError, match=r"data\.inputs: .* use an array of real numbers"):
        train.run_chunk(train.start(goal, 2), data, 1)


@pytest.mark.parametrize("kind", sorted(REGISTRY))
def test_a_layer_keeps_the_type_it_is_given(kind: str) -> None:
    layer, shapes, params = build(CASES[kind][0])
    for dtype in (np.float32, np.float64):
        own = {name: array.astype(dtype) for name, array in params.items()}
        xs = [np.ones(shape, dtype) for shape in shapes]
        y, cache = layer.forward(own, xs, Context())
        dxs, grads = layer.backward(own, cache, np.ones(y.shape, dtype), Context())
        assert {array.dtype for array in (y, *dxs, *grads.values())} == {np.dtype(dtype)}
