"""The fast kernels: every path against a naive loop, both ways, in both precisions and any memory order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from engine.kernels import batch_inner, conv, tiles, unfold
from engine.kernels.geometry import Geometry
from engine.kernels.work import Workspace
from tests.engine.test_grids import sizes

QUICK = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def naive(x: np.ndarray, w: np.ndarray, b: np.ndarray, dy: np.ndarray, g: Geometry) -> tuple[np.ndarray, ...]:
    """Output and the three gradients, product by product."""
    _, channels, height, width = x.shape
    y = np.zeros(dy.shape)
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    per_in, per_out = channels // g.groups, w.shape[0] // g.groups
    for o, i, j in np.ndindex(*dy.shape[1:]):
        y[:, o, i, j] = b[o]
        for c, ky, kx in np.ndindex(per_in, *g.kernel):
            row = i * g.stride[0] - g.pads[0][0] + ky * g.dilation[0]
            col = j * g.stride[1] - g.pads[1][0] + kx * g.dilation[1]
            if 0 <= row < height and 0 <= col < width:
                channel = o // per_out * per_in + c
                y[:, o, i, j] += x[:, channel, row, col] * w[o, c, ky, kx]
                dx[:, channel, row, col] += dy[:, o, i, j] * w[o, c, ky, kx]
                dw[o, c, ky, kx] += (dy[:, o, i, j] * x[:, channel, row, col]).sum()
    return y, dx, dw, dy.sum(axis=(0, 2, 3))


def operands(shape: tuple[int, ...], out: int, g: Geometry, dtype: str, inner: bool) -> tuple[np.ndarray, ...]:
    """x, weight, bias and δ; ``inner`` puts the batch innermost in memory."""
    stream = np.random.default_rng(0)
    dy = (shape[0], out, g.out(0, shape[2]), g.out(1, shape[3]))
    if min(dy) < 1 and shape[0]:
        reject()
    made = [stream.standard_normal(s) for s in (shape, (out, shape[1] // g.groups, *g.kernel), (out,), dy)]
    if inner:
        made[0], made[3] = (np.ascontiguousarray(made[i].transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2) for i in (0, 3))
    return tuple(array.astype(dtype, order="K") for array in made)


def check(shape: tuple[int, ...], out: int, g: Geometry, dtype: str, inner: bool = False) -> None:
    """Forward and backward against the naive loop; nothing is written to; a workspace changes no bit."""
    x, w, b, dy = operands(shape, out, g, dtype, inner)
    for array in (x, w, b, dy):
        array.flags.writeable = False
    y, saved = conv.forward(x, w, b, g)
    dx, dw, db = conv.backward(saved, w, dy, g)
    assert dx is not None
    for found, expected in zip((y, dx, dw, db), naive(x, w, b, dy, g), strict=True):
        assert (found.shape, found.dtype) == (expected.shape, np.dtype(dtype))
        room = (1e-12 if dtype == "float64" else 2e-5) * max(1.0, np.abs(expected).max(initial=0))
        np.testing.assert_allclose(found, expected, rtol=0, atol=room)
    work = Workspace()
    for _ in range(2):
        y2, saved = conv.forward(x, w, b, g, work, "key")
        dx2, dw2, db2 = conv.backward(saved, w, dy, g, True, work, "key")
        assert dx2 is not None
        for one, other in ((y, y2), (dx, dx2), (dw, dw2), (db, db2)):
            assert np.array_equal(one, other)
    none, dw3, _ = conv.backward(saved, w, dy, g, dx=False)
    assert none is None
    assert np.array_equal(dw, dw3)


@QUICK
@given(
    st.sampled_from([1, 2, 8, 9]),
    st.sampled_from([1, 2, 4, 6]),
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    st.sampled_from([1, 2, 4, 6]),
    st.tuples(sizes(1, 4), sizes(1, 3), sizes(0, 4), sizes(0, 2), sizes(1, 2)),
    st.sampled_from([1, 1, 2]),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
)
def test_random_convolutions(
    n: int,
    channels: int,
    size: tuple[int, int],
    out: int,
    numbers: tuple[list[int], ...],
    groups: int,
    dtype: str,
    inner: bool,
) -> None:
    kernel, stride, before, after, dilation = numbers
    if channels % groups or out % groups:
        reject()
    pads = ((before[0], after[0]), (before[1], after[1]))
    g = Geometry((kernel[0], kernel[1]), (stride[0], stride[1]), pads, (dilation[0], dilation[1]), groups)
    if any(size[i] + sum(pads[i]) <= g.reach(i) for i in (0, 1)):
        reject()
    check((n, channels, *size), out, g, dtype, inner)


@pytest.mark.parametrize(
    ("n", "groups", "module"), [(8, 1, batch_inner), (7, 1, unfold), (64, 2, unfold), (1, 1, unfold)]
)
def test_the_path_follows_from_the_shape(n: int, groups: int, module: object) -> None:
    assert conv.kernel_of((n, 4, 9, 9), Geometry((3, 3), groups=groups)) is module


def test_products_are_cut_without_changing_them(monkeypatch: pytest.MonkeyPatch) -> None:
    g = Geometry((3, 3), pads=((1, 1), (1, 1)))
    x, w, b, _ = operands((8, 3, 6, 6), 4, g, "float64", True)
    whole = conv.forward(x, w, b, g)[0]
    monkeypatch.setattr(tiles, "PRODUCT", 1000)
    assert len(tiles.chunks(27, 4 * 48)) > 1
    y, _ = conv.forward(x, w, b, g)
    np.testing.assert_allclose(y, whole, rtol=0, atol=1e-13)
    check((8, 3, 6, 6), 4, g, "float64")


@pytest.mark.parametrize("band", [1, 500])
def test_bands_of_an_unfolded_image(band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfold, "BAND", band)
    check((2, 4, 9, 7), 6, Geometry((3, 2), (2, 1), ((1, 2), (0, 1)), (1, 2), 2), "float64")


def test_an_empty_batch() -> None:
    g = Geometry((3, 3))
    x, w, b, dy = np.zeros((0, 2, 5, 5)), np.ones((3, 2, 3, 3)), np.ones(3), np.zeros((0, 3, 3, 3))
    y, saved = conv.forward(x, w, b, g)
    dx, dw, db = conv.backward(saved, w, dy, g)
    assert dx is not None
    assert (y.shape, dx.shape) == (dy.shape, x.shape)
    assert not dw.any()
    assert not db.any()
