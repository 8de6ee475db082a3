"""The complementary error function against the standard library's, over all three ranges and their borders."""

from __future__ import annotations

import math

import numpy as np

from engine.layers._erfc import erfc

BORDERS = [s * b for b in (0.0, 0.46875, 4.0) for s in (-1, 1)]


def test_agrees_with_the_standard_library() -> None:
    near = [np.nextafter(b, to) for b in BORDERS for to in (-np.inf, np.inf)]
    x = np.array([*np.linspace(-10, 26, 7201), *BORDERS, *near])
    expected = np.array([math.erfc(v) for v in x])
    np.testing.assert_allclose(erfc(x), expected, rtol=1e-12, atol=0)
    close = np.abs(x) < 4
    np.testing.assert_allclose(erfc(x)[close], expected[close], rtol=1e-14, atol=0)


def test_ends() -> None:
    with np.errstate(invalid="ignore"):
        assert erfc(np.array([-np.inf, -40, 40, np.inf])).tolist() == [2, 2, 0, 0]
        assert np.isnan(erfc(np.array([np.nan, 1.0]))).tolist() == [True, False]
    assert erfc(np.zeros((2, 0))).shape == (2, 0)
