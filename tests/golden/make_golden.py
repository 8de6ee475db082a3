"""Write PyTorch's answers to ``golden.npz``: run ``python -m tests.golden.make_golden`` where PyTorch is installed.

Of large tensors a sample of cells is kept, at places that follow from the tensor's name and size.
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np

from engine.streams import stream
from tests.golden import specs

FILE = Path(__file__).parent / "golden.npz"
MOST = 256


def sample(name: str, tensor: np.ndarray) -> np.ndarray:
    """At most MOST cells of a tensor, in order."""
    flat = np.ascontiguousarray(tensor).reshape(-1)
    return flat if flat.size <= MOST else flat[np.sort(stream(0, name).choice(flat.size, MOST, replace=False))]


def main() -> None:
    """All answers, float32 where the bound allows it; the largest value of each tensor beside its sample."""
    from tests.golden.reference import answer

    found = {}
    for spec in chain(specs.layers(), specs.losses(), specs.optimizers(), specs.networks()):
        for name, tensor in answer(spec).items():
            key = f"{spec.name}/{name}"
            cells = sample(key, tensor)
            found[key] = cells if spec.steps > 1 else cells.astype(np.float32)
            found[f"{key}@max"] = np.array([np.abs(tensor).max()], np.float32)
    np.savez_compressed(FILE, **found)
    print(f"{FILE}: {len(found)} arrays, {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
