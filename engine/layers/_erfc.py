"""The complementary error function of arrays, which NumPy does not have.

Source: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), 631-637, with
the coefficients of his CALERF; relative error about 1e-15, or 1e-13 far out, where e^(−x²) magnifies rounding.
"""

from __future__ import annotations

import math

import numpy as np

# numerators and denominators by falling powers: erf(x) / x in x² up to 0.46875; e^(x²) erfc(x) in x up to 4; and
# (1/√π − x e^(x²) erfc(x)) x² in 1/x² beyond
_SMALL_P = (
    1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
    3.20937758913846947e3,
)  # fmt: skip
_SMALL_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_MIDDLE_P = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
    2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
)  # fmt: skip
_MIDDLE_Q = (
    1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
    3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
)  # fmt: skip
_LARGE_P = (
    1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
    1.60837851487422766e-2, 6.58749161529837803e-4,
)  # fmt: skip
_LARGE_Q = (
    1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
    2.33520497626869185e-3,
)  # fmt: skip


def erfc(x: np.ndarray) -> np.ndarray:
    """1 − erf(x) of a float64 array, cell by cell; NaN stays NaN."""
    size = np.abs(x)
    y = np.empty_like(x)
    small, large = size <= 0.46875, size > 4
    middle = ~(small | large)
    a = x[small]
    y[small] = 1 - a * _ratio(_SMALL_P, _SMALL_Q, a * a)
    a = size[middle]
    y[middle] = np.exp(-a * a) * _ratio(_MIDDLE_P, _MIDDLE_Q, a)
    a = np.minimum(size[large], 30)  # erfc(30) < 1e-390 is 0, and infinity would make ∞ · 0
    inverse = 1 / (a * a)
    y[large] = np.exp(-a * a) / a * (1 / math.sqrt(math.pi) - inverse * _ratio(_LARGE_P, _LARGE_Q, inverse))
    return np.where((x < 0) & ~small, 2 - y, y)


def _ratio(numerator: tuple[float, ...], denominator: tuple[float, ...], x: np.ndarray) -> np.ndarray:
    """Two polynomials by Horner's rule, one over the other."""
    top, bottom = np.full_like(x, numerator[0]), np.full_like(x, denominator[0])
    for a, b in zip(numerator[1:], denominator[1:], strict=True):
        top *= x
        top += a
        bottom *= x
        bottom += b
    return top / bottom
