"""Random cases of every layer against PyTorch, live: settings, shapes, memory orders, ties, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import layer as contract
from engine.errors import ScenarioError
from engine.kernels.work import Workspace
from engine.layer import REGISTRY, Context
from tests.engine.test_grids import sizes
from tests.torch import peers

Fields = dict[str, Any]
QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)
#: relative to the tensor's largest value
BOUND = {"float32": 1e-5, "float64": 1e-12}
#: cells of a group from which on a normalisation's gradient is held to the plain bound
FEW = 12
#: eight samples and more are computed batch innermost
BATCHES = st.sampled_from([1, 2, 3, 8, 9])
SIDE = st.integers(1, 4) | st.integers(4, 10)
MAPS = st.tuples(BATCHES, st.sampled_from([1, 2, 4, 6]), SIDE, SIDE)
ROWS = st.tuples(BATCHES, st.integers(1, 9))
FLAT = ("dense", "softmax", "log_softmax")
LINEAR = ("conv2d", "conv_transpose2d", "dense", "avgpool2d", "global_avgpool2d", "upsample", "add")


def size(low: int, high: int) -> st.SearchStrategy[int | list[int]]:
    """A number or [height, width]."""
    return st.integers(low, high) | sizes(low, high)


def fields(needed: Fields | None = None, **free: st.SearchStrategy[Any]) -> st.SearchStrategy[Fields]:
    """Settings of which any may be left to its default."""
    return st.fixed_dictionaries(needed or {}, optional=free)


def quarters(low: float, high: float) -> st.SearchStrategy[float]:
    """Settings that float32 holds exactly, as PyTorch rounds them to the tensor's type before it compares."""
    return st.integers(round(4 * low), round(4 * high)).map(lambda number: number / 4)


POOL: Fields = {"stride": size(1, 4), "padding": size(0, 2), "ceil_mode": st.booleans()}
CONV: Fields = {
    "stride": size(1, 4),
    "padding": size(0, 3),
    "dilation": size(1, 3),
    "groups": st.sampled_from([1, 1, 2, 3]),
    "bias": st.booleans(),
}
CHANNELS: Fields = {"out_channels": st.sampled_from([1, 2, 4, 6]), "kernel_size": size(1, 4)}
SETTINGS: dict[str, st.SearchStrategy[Fields]] = {
    "conv2d": fields(
        CHANNELS,
        **CONV | {"padding": size(0, 3) | st.sampled_from(["same", "valid"])},
        padding_mode=st.sampled_from(["zeros", "reflect", "replicate", "circular"]),
    ),
    "conv_transpose2d": fields(CHANNELS, **CONV, output_padding=size(0, 2)),
    "maxpool2d": fields({"kernel_size": size(1, 4)}, **POOL),
    "avgpool2d": fields(
        {"kernel_size": size(1, 4)}, **POOL, count_include_pad=st.booleans(), divisor_override=st.integers(1, 5)
    ),
    "batchnorm2d": fields(
        eps=st.sampled_from([1e-3, 0.1]),
        momentum=st.sampled_from([0.0, 0.3, 1.0]),
        affine=st.booleans(),
        track_running_stats=st.booleans(),
    ),
    "layernorm": fields(
        {"normalized_shape": st.integers(1, 3)},  # how many dimensions; their sizes are the input's
        eps=st.sampled_from([1e-3, 0.1]),
        elementwise_affine=st.booleans(),
        bias=st.booleans(),
    ),
    "dense": fields({"out_features": st.integers(1, 9)}, bias=st.booleans()),
    "leaky_relu": fields(negative_slope=quarters(-1, 2)),
    "elu": fields(alpha=quarters(-1, 2)),
    "gelu": fields(approximate=st.sampled_from(["none", "tanh"])),
    "softplus": fields(beta=quarters(0.25, 10), threshold=quarters(-5, 30)),
    "upsample": fields(scale_factor=size(1, 4)),
    "zero_pad2d": fields(padding=st.integers(0, 3) | st.lists(st.integers(0, 3), min_size=4, max_size=4)),
    "dropout": fields(p=st.sampled_from([0.0, 0.3, 1.0])),
    "dropout2d": fields(p=st.sampled_from([0.0, 0.3, 1.0])),
}


def ordered(array: np.ndarray, inner: bool) -> np.ndarray:
    """The same numbers, batch innermost in memory if ``inner``; nobody may write to them."""
    if inner and array.ndim == 4:
        array = np.ascontiguousarray(array.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
    array.flags.writeable = False
    return array


def near(
    found: dict[str, np.ndarray], wanted: dict[str, np.ndarray], bound: float, terms: dict[str, float] | None = None
) -> None:
    """The same tensors, each within the bound of its largest value, or of the terms that it is the sum of."""
    assert set(found) == set(wanted)
    for name, theirs in wanted.items():
        assert found[name].dtype == theirs.dtype, name
        room = bound * max((terms or {}).get(name, 0.0), float(np.abs(theirs).max(initial=0)))
        np.testing.assert_allclose(found[name], theirs, rtol=0, atol=room, err_msg=name)


class Case:
    """A layer with numbers around it."""

    def __init__(self, kind: str, given: Fields, shape: tuple[int, ...], dtype: str, mode: str, seed: int) -> None:
        self.kind, self.mode, self.given = kind, mode, dict(given)
        if kind == "layernorm":
            self.given["normalized_shape"] = list(shape[-given["normalized_shape"] :])
        self.shapes = [shape] * (3 if kind in ("add", "concat") else 1)
        if kind == "concat":
            self.shapes[1] = (shape[0], 2 * shape[1], *shape[2:])
        stream = np.random.default_rng(seed)
        made = [stream.standard_normal(s) * 2 for s in self.shapes]
        if seed % 2:  # ties, and cells that are exactly 0
            made = [x.round() + 0.0 for x in made]
        self.xs = [x.astype(dtype) for x in made]
        self.stream, self.dtype = stream, dtype

    def refusal(self) -> str | None:
        """Why we refuse the settings, None where we do not."""
        try:
            self.layer = contract.build(self.kind, self.given, "node")
            self.out = self.layer.out_shape(self.shapes)
            self.layer.check(self.shapes, self.mode)
        except ScenarioError as error:
            return error.reason
        return None

    def draw(self) -> None:
        """Parameters, running statistics (variances above 0) and an upstream gradient."""
        shapes = self.layer.param_shapes(self.shapes) | self.layer.buffer_shapes(self.shapes)
        self.params = {key: self.stream.standard_normal(s).astype(self.dtype) for key, s in shapes.items()}
        if "running_var" in self.params:
            self.params["running_var"] = np.abs(self.params["running_var"]) + np.asarray(0.5, self.dtype)
        self.dy = self.stream.standard_normal(self.out).astype(self.dtype)

    def terms(self) -> dict[str, float]:
        """By tensor what its terms may add up to, where they may cancel to almost nothing.

        Of the layers that are linear: the same layer of magnitudes. Of a normalisation the sums of δ, its output's
        x·γ / σ and, where few cells are normalised, ∂input's δ·γ / σ: of two cells nothing but ``eps`` is left.
        """
        if self.kind in LINEAR:
            sizes = {name: np.abs(w).astype("float64") for name, w in self.params.items()}
            xs = [np.abs(x).astype("float64") for x in self.xs]
            found = peers.run(self.kind, self.given, sizes, xs, np.abs(self.dy).astype("float64"))
            return {name: float(tensor.max(initial=0)) for name, tensor in found.items()}
        x = self.xs[0]
        norm: dict[str, tuple[int, ...]] = {"batchnorm2d": (0, 2, 3)}
        if self.kind == "layernorm":
            norm["layernorm"] = tuple(range(x.ndim - len(self.given["normalized_shape"]), x.ndim))
        if self.kind not in norm:
            return {}
        gamma = np.abs(self.params.get("weight", np.ones(1))).max()
        sigma = np.sqrt(x.var(axis=norm[self.kind]).min() + self.given.get("eps", 1e-5))
        total, most = float(np.abs(self.dy).sum()), float(np.abs(x).max() * gamma / sigma)
        few = np.prod([x.shape[axis] for axis in norm[self.kind]]) < FEW
        return {"weight": total, "bias": total, "out": most} | (
            {"x0": float(np.abs(self.dy).max() * gamma / sigma)} if few else {}
        )

    def ours(self, inner: bool, work: Workspace | None = None) -> dict[str, np.ndarray]:
        """Under the names of ``peers.run``; with ``work`` as a training loop calls it."""
        context = Context(self.mode, name="node", work=work, own=work is not None)
        y, self.cache = self.layer.forward(self.params, [ordered(x.copy(), inner) for x in self.xs], context)
        found = {"out": y.copy()}
        dy = ordered(self.dy.copy(), inner)
        dy.flags.writeable = context.own
        dxs, dparams = self.layer.backward(self.params, self.cache, dy, context)
        found |= {f"x{i}": dx.copy() for i, dx in enumerate(dxs)} | dparams
        for key in self.layer.buffer_shapes(self.shapes):
            found[f"{key}.next"] = self.cache.get(f"{key}.next", self.params[key])
        return found

    def theirs(self) -> dict[str, np.ndarray]:
        """PyTorch's; where we draw a mask PyTorch's own draws would differ, so it is told ours."""
        if self.mode == "train" and self.kind in ("dropout", "dropout2d"):
            kept = (self.cache["noise"] >= self.given.get("p", 0.5)).astype(self.dtype)
            p = self.given.get("p", 0.5)
            mask = np.broadcast_to(kept / (1 - p) if p < 1 else 0 * kept, self.out).astype(self.dtype)
            return {"out": self.xs[0] * mask, "x0": self.dy * mask}
        # in float64, as a result that cancels to almost nothing has few right digits in PyTorch's float32, too
        params = {name: w.astype("float64") for name, w in self.params.items()}
        xs, dy = [x.astype("float64") for x in self.xs], self.dy.astype("float64")
        found = peers.run(self.kind, self.given, params, xs, dy, self.mode == "train")
        return {name: tensor.astype(self.dtype) for name, tensor in found.items()}


def test_every_kind_has_a_peer() -> None:
    assert set(REGISTRY) == set(peers.CLASSES) | set(peers.FUNCTIONS)


@pytest.mark.parametrize("kind", ["maxpool2d", "avgpool2d"])
def test_a_window_larger_than_the_input(kind: str) -> None:
    """With ``ceil_mode`` a window may begin inside and reach beyond: 2×5 under 4×4 gives 1×2."""
    case = Case(kind, {"kernel_size": 4, "ceil_mode": True}, (1, 2, 2, 5), "float64", "eval", 0)
    wanted = peers.run(kind, case.given, {}, case.xs, np.ones((1, 2, 1, 2)))
    assert case.refusal() is None
    case.draw()
    case.dy = np.ones(case.out)
    near(case.ours(False), wanted, BOUND["float64"])


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")  # PyTorch's, about speed
@pytest.mark.parametrize("kind", sorted(REGISTRY))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_cases(kind: str, dtype: str) -> None:
    @QUICK
    @given(
        SETTINGS.get(kind, fields()),
        ROWS if kind in FLAT else MAPS,
        st.sampled_from(["eval", "train"]) if kind in ("batchnorm2d", "dropout", "dropout2d") else st.just("eval"),
        st.integers(0, 99),
        st.booleans(),
    )
    def check(given: Fields, shape: tuple[int, ...], mode: str, seed: int, inner: bool) -> None:
        case = Case(kind, given, shape, dtype, mode, seed)
        reason = case.refusal()
        if reason:
            with pytest.raises((RuntimeError, ValueError)):  # what we refuse PyTorch refuses, too
                peers.run(kind, case.given, {}, case.xs, None, mode == "train")
            return
        case.draw()
        found = case.ours(inner)
        wanted = case.theirs()
        near(found, wanted, BOUND[dtype], case.terms())
        work = Workspace()
        for _ in range(2):  # the second time every buffer holds what the first left there
            near(case.ours(inner, work), wanted, BOUND[dtype], case.terms())

    check()
