"""Buffers that a training loop uses again in every step, where no trace is kept."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np


class Workspace:
    """Uninitialised arrays by key; asking again with the same key hands out the same memory."""

    def __init__(self) -> None:
        self._held: dict[Hashable, np.ndarray] = {}

    def take(self, key: Hashable, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The buffer of this key; made anew when shape or dtype change."""
        held = self._held.get(key)
        if held is None or held.shape != shape or held.dtype != dtype:
            held = self._held[key] = np.empty(shape, dtype)
        return held
