"""Random streams: one per name, so that adding a layer leaves the numbers of all others as they were.

Bit stream: ``numpy.random.Generator(PCG64(SeedSequence([seed, *four 32-bit words of SHA-256(name)])))``; streams of
an iteration have its number as a sixth entry. NumPy guarantees PCG64's bits on every platform.
"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, name: str, iteration: int | None = None) -> np.random.Generator:
    """The stream of a name, or of a name in one iteration."""
    words = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], "<u4")
    entropy = [seed, *map(int, words)] + ([] if iteration is None else [iteration])
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))
