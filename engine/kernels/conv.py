"""Convolution as matrix products: one interface, and a kernel chosen by shape.

y[n, o, i, j] = Σ x[n, c, s·i − p + d·ky, s·j − p + d·kx] · w[o, c, ky, kx] + b[o], with zeros outside x.

Arrays are logical NCHW of any memory order, in and out; with eight samples or more they come out batch innermost.
Which kernel is used depends on shapes alone, so that the same document gives the same bits everywhere in a program.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from engine.kernels import batch_inner, unfold
from engine.kernels.geometry import Geometry
from engine.kernels.work import Workspace

#: from this many samples on the batch is the innermost dimension: shorter runs waste the vector units
BATCH = 8


def kernel_of(x: tuple[int, ...], geometry: Geometry) -> Any:
    """The module that computes this convolution."""
    return batch_inner if x[0] >= BATCH and geometry.groups == 1 else unfold


def forward(
    x: np.ndarray,
    weight: np.ndarray,
    bias: np.ndarray | None,
    geometry: Geometry,
    work: Workspace | None = None,
    key: Hashable = None,
) -> tuple[np.ndarray, Any]:
    """Output [N, O, H', W'] and what ``backward`` needs.

    ``weight`` is [O, C / groups, k_h, k_w], ``bias`` [O]. With ``work`` the results live in its buffers under ``key``
    until the next call with that key; the numbers are the same.
    """
    return kernel_of(x.shape, geometry).forward(x, weight, bias, geometry, work or Workspace(keeps=True), key)


def backward(
    saved: Any,
    weight: np.ndarray,
    dy: np.ndarray,
    geometry: Geometry,
    dx: bool = True,
    work: Workspace | None = None,
    key: Hashable = None,
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray]:
    """Gradients of the input (None unless ``dx``), of the weight [O, C / groups, k_h, k_w] and of the bias [O]."""
    return kernel_of(saved.shape, geometry).backward(
        saved, weight, dy, geometry, dx, work or Workspace(keeps=True), key
    )
