"""Stored weights and optimiser states by ``sha256:…``, in a byte-bounded LRU.

They are results of computations that anybody can repeat, so forgetting one loses nothing but time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Protocol

import numpy as np

Tensors = Mapping[str, np.ndarray]


class Blobs(Protocol):
    """Where tensors are kept by the hash of their content; in this process now, anywhere later."""

    def get(self, name: str) -> Tensors | None:
        """The tensors, or None for a name that is not here (any more)."""
        ...

    def put(self, name: str, tensors: Tensors) -> None:
        """Keep tensors whose hash is ``name``; nobody changes them afterwards."""
        ...


class MemoryBlobs:
    """Blobs in this process: the least recently used go first, and the newest always stays."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.kept_bytes = 0
        self._kept: OrderedDict[str, Tensors] = OrderedDict()

    def get(self, name: str) -> Tensors | None:
        """The tensors, now the most recently used; None where they are not here."""
        if name in self._kept:
            self._kept.move_to_end(name)
        return self._kept.get(name)

    def put(self, name: str, tensors: Tensors) -> None:
        """Keep tensors, and forget what does not fit any more."""
        if self.get(name) is not None:
            return
        self._kept[name] = tensors
        self.kept_bytes += size_of(tensors)
        while self.kept_bytes > self.most_bytes and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self.kept_bytes -= size_of(old)


def size_of(tensors: Tensors) -> int:
    """Bytes of all arrays."""
    return sum(tensor.nbytes for tensor in tensors.values())
