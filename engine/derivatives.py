"""By which local derivative each step of a backward block reads the gradients above it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.steps import Block
from engine.trace import Trace

#: the backward blocks by the tensor that they write, in their order
Blocks = Mapping[str, Block]


@dataclass(frozen=True)
class Reads:
    """What steps of a block read from one gradient: ``index`` and local ``derivative``, both [k, m]."""

    tensor: str
    index: np.ndarray
    derivative: np.ndarray


def local_derivatives(trace: Trace, blocks: Blocks, block: Block, flat: np.ndarray) -> Iterator[Reads]:
    """What the steps ``flat`` (within ``block``) make of each gradient that they read, float64.

    ``evaluate`` is affine in the gradients: its value with one of them at 1 and the others at 0, less that with all
    at 0, is the derivative.
    """
    coords = tuple(axis[:, None] for axis in np.unravel_index(flat, block.shape))
    index = block.gather(coords, np.arange(block.n_terms))
    values = {
        role.name: trace.take(trace.tensors[role.tensor], index[role.name], block.outside).astype(np.float64)
        for role in block.roles
    }
    read = [role for role in block.roles if role.tensor in blocks]
    none = values | {role.name: np.zeros_like(values[role.name]) for role in read}
    if not read:
        return
    with np.errstate(all="ignore"):
        constant, _ = block.evaluate(none, coords)
        for role in read:
            at = index[role.name]
            slope = block.evaluate(none | {role.name: (at >= 0).astype(np.float64)}, coords)[0] - constant
            if at.shape[1] == 1:
                slope = slope.sum(axis=1, keepdims=True)
            shape = np.broadcast_shapes(at.shape, slope.shape, (len(flat), 1))
            yield Reads(role.tensor, np.broadcast_to(at, shape), np.broadcast_to(slope, shape))
