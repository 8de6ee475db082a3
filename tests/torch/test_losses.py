"""Random losses against PyTorch, live: every form of target, ties, and logits of any size up to ±1e4."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import loss as losses
from engine.layer import Context
from engine.layers.softmax import Softmax

torch: Any = importlib.import_module("torch")

QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)
BOUND = {"float32": 1e-5, "float64": 1e-12}
#: kind → class of torch.nn
CLASSES = {
    "mse": "MSELoss",
    "l1": "L1Loss",
    "bce_with_logits": "BCEWithLogitsLoss",
    "cross_entropy": "CrossEntropyLoss",
    "nll": "NLLLoss",
}
ROWS = st.tuples(st.integers(1, 9), st.integers(1, 12))
MAPS = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
SCALES = st.sampled_from([0.0, 1e-3, 1.0, 30.0, 1e4])


def theirs(
    kind: str, fields: dict[str, Any], x: np.ndarray, target: np.ndarray, softmax: bool
) -> dict[str, np.ndarray]:
    """PyTorch's loss and the gradient of what it reads."""
    logits = torch.tensor(x, requires_grad=True)
    read = torch.log_softmax(logits, dim=1) if kind == "nll" else logits
    read.retain_grad()
    wanted = torch.tensor(target)
    value = getattr(torch.nn, CLASSES[kind])(**fields)(read, wanted.long() if target.ndim == 1 else wanted)
    value.backward()
    found = {"data": value.reshape(1), "x": read.grad}
    return {name: tensor.detach().numpy() for name, tensor in found.items()}


def ours(
    kind: str, fields: dict[str, Any], x: np.ndarray, target: np.ndarray, softmax: bool
) -> dict[str, np.ndarray]:
    """The engine's; with ``softmax`` read through a layer that has been computed already."""
    loss = losses.build({"kind": kind} | fields)
    loss.check(x.shape)
    if kind == "nll":
        x = torch.log_softmax(torch.tensor(x), dim=1).numpy()
    read = None
    if softmax:
        p, cache = Softmax().forward({}, [x], Context())
        read = {"softmax": p} | cache
    for array in (x, target):
        array.flags.writeable = False
    found = loss.forward(x, target, read)
    return {"data": found["data"], "x": loss.backward(x, target, found, read)}


def compare(kind: str, fields: dict[str, Any], x: np.ndarray, target: np.ndarray, softmax: bool = False) -> None:
    found, wanted = ours(kind, fields, x, target, softmax), theirs(kind, fields, x, target, softmax)
    # ∂x is a probability less a target, over their number: where that difference is small, relative to its terms
    terms = {"bce_with_logits": 1 / x.size, "cross_entropy": 1 / len(x)}.get(kind, 0.0)
    for name, tensor in wanted.items():
        assert (found[name].shape, found[name].dtype) == (tensor.shape, tensor.dtype)
        room = BOUND[str(x.dtype)] * max(terms if name == "x" else 0.0, float(np.abs(tensor).max(initial=0)))
        np.testing.assert_allclose(found[name], tensor, rtol=0, atol=room, err_msg=f"{kind} {fields} {name}")


def test_every_kind_has_a_peer() -> None:
    assert set(losses.REGISTRY) == set(CLASSES) | {"score"}  # of no use in training, so that PyTorch has none


@pytest.mark.parametrize("kind", ["mse", "l1", "bce_with_logits"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(kind: str, dtype: str) -> None:
    """Rounded every other time: then some predictions are exactly their target."""

    @QUICK
    @given(ROWS | MAPS, SCALES, st.integers(0, 99))
    def check(shape: tuple[int, ...], scale: float, seed: int) -> None:
        stream = np.random.default_rng(seed)
        x, target = stream.standard_normal(shape) * scale, stream.standard_normal(shape)
        if kind == "bce_with_logits":
            target = stream.random(shape)
        if seed % 2:
            x, target = x.round() + 0.0, target.round() + 0.0
        compare(kind, {}, x.astype(dtype), target.astype(dtype))

    check()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["classes", "shares", "through a softmax"])
def test_cross_entropy(dtype: str, form: str) -> None:
    @QUICK
    @given(ROWS, SCALES, st.sampled_from([None, 0.0, 0.1, 1.0]), st.integers(0, 99))
    def check(shape: tuple[int, int], scale: float, smoothing: float | None, seed: int) -> None:
        stream = np.random.default_rng(seed)
        x = (stream.standard_normal(shape) * scale).astype(dtype)
        if form == "shares":
            target = stream.dirichlet(np.ones(shape[1]), shape[0]).astype(dtype)
        else:
            target = stream.integers(0, shape[1], shape[0]).astype(dtype)
        fields = {} if smoothing is None else {"label_smoothing": smoothing}
        compare("cross_entropy", fields, x, target, form == "through a softmax")

    check()


@QUICK
@given(ROWS, SCALES, st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_nll(shape: tuple[int, int], scale: float, dtype: str, seed: int) -> None:
    stream = np.random.default_rng(seed)
    x = (stream.standard_normal(shape) * scale).astype(dtype)
    compare("nll", {}, x, stream.integers(0, shape[1], shape[0]).astype(dtype))
