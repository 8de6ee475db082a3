"""Max pooling of windows that touch without overlapping: 2×2 with stride 2, the usual case, as pairwise maxima.

In each row of a window the left cell is compared with the right one, then the upper winner with the lower one: the
first maximum in row-major order wins, as in PyTorch. Numbers that are not finite are left to the general way.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from engine.kernels.parallel import CELLS, halves
from engine.kernels.work import Workspace

#: below this many samples the way back is seldom taken, so that its masks can wait
FEW = 8


@dataclass
class Pairs:
    """The input and the winners of the upper and lower rows, None where ``backward`` has yet to find them."""

    x: np.ndarray
    rows: tuple[np.ndarray, np.ndarray] | None


def forward(x: np.ndarray, work: Workspace, key: Hashable) -> tuple[np.ndarray, Pairs]:
    """y [N, C, H // 2, W // 2] of a logical NCHW input of any memory order, and what ``backward`` needs."""
    if len(x) < FEW and x.flags.c_contiguous:  # rows lie in one piece: half as many cells are picked one by one
        height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
        tall = np.maximum(x[:, :, 0:height:2], x[:, :, 1:height:2])
        return np.maximum(tall[..., 0:width:2], tall[..., 1:width:2]), Pairs(x, None)
    a, b, c, d = _corners(x)
    upper, lower, y = (work.result_like((key, name), a) for name in ("upper", "lower", "y"))

    def run(rows: slice) -> None:
        np.maximum(a[:, :, rows], b[:, :, rows], out=upper[:, :, rows])
        np.maximum(c[:, :, rows], d[:, :, rows], out=lower[:, :, rows])
        np.maximum(upper[:, :, rows], lower[:, :, rows], out=y[:, :, rows])

    halves(y.shape[2], x.size > CELLS, run)
    return y, Pairs(x, (upper, lower))


def backward(saved: Pairs, dy: np.ndarray, work: Workspace, key: Hashable) -> np.ndarray:
    """∂input: δ at the winner of each window, 0 elsewhere."""
    a, b, c, d = _corners(saved.x)
    dx = work.result_like((key, "dx"), saved.x)
    _, _, height, width = dx.shape
    dx[:, :, 2 * (height // 2) :] = 0
    dx[:, :, :, 2 * (width // 2) :] = 0
    da, db, dc, dd = _corners(dx)
    upper, lower = saved.rows or (np.maximum(a, b), np.maximum(c, d))

    def run(rows: slice) -> None:
        delta = dy[:, :, rows]
        top = delta * (upper[:, :, rows] >= lower[:, :, rows])
        np.multiply(top, a[:, :, rows] >= b[:, :, rows], out=da[:, :, rows])
        np.subtract(top, da[:, :, rows], out=db[:, :, rows])  # one of the two is δ, the other 0
        np.subtract(delta, top, out=top)
        np.multiply(top, c[:, :, rows] >= d[:, :, rows], out=dc[:, :, rows])
        np.subtract(top, dc[:, :, rows], out=dd[:, :, rows])

    halves(dy.shape[2], dx.size > CELLS, run)
    return dx


def _corners(x: np.ndarray) -> tuple[np.ndarray, ...]:
    """The four cells of every window, as views."""
    height, width = x.shape[2] // 2 * 2, x.shape[3] // 2 * 2
    return tuple(x[:, :, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1))
