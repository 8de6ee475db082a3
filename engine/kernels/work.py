"""Buffers that a training loop uses again in every step instead of asking the system for fresh memory."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np


class Workspace:
    """Uninitialised arrays by key; asking again with the same key hands out the same memory.

    ``take`` is for what is gone after the step. ``result`` is for what a layer hands out: fresh memory each time with
    ``keeps``, where somebody keeps the trace.
    """

    def __init__(self, keeps: bool = False) -> None:
        self.keeps = keeps
        self._held: dict[Hashable, np.ndarray] = {}

    def take(self, key: Hashable, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The buffer of this key; made anew when shape or dtype change."""
        held = self._held.get(key)
        if held is None or held.shape != shape or held.dtype != dtype:
            held = self._held[key] = np.empty(shape, dtype)
        return held

    def result(self, key: Hashable, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Memory for a result."""
        return np.empty(shape, dtype) if self.keeps else self.take(key, shape, dtype)

    def result_like(self, key: Hashable, x: np.ndarray) -> np.ndarray:
        """Memory for a result of the shape and the memory order of ``x``."""
        held = None if self.keeps else self._held.get(key)
        if held is None or held.shape != x.shape or held.strides != x.strides or held.dtype != x.dtype:
            held = np.empty_like(x)
            if not self.keeps:
                self._held[key] = held
        return held


#: for calls without a workspace: nothing is held
FRESH = Workspace(keeps=True)
