"""Labelled pictures, how they are divided, and the numbers that a network is given for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.document import refuse
from engine.streams import stream


@dataclass(frozen=True)
class Dataset:
    """``images`` uint8 [N, C, H, W] with C = 1 (grey) or 3 (RGB), ``labels`` int64 [N], indices into ``classes``.

    ``classes`` are the names as they were found or made, in English; ``source`` says where the pictures come from.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    source: str = "generated"

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8 or self.images.shape[1] not in (1, 3):
            found = f"{self.images.dtype} {self.images.shape}"
            raise refuse("images", "bad_shape", found, "uint8 [N, 1 or 3, H, W]", "convert the pictures")
        if self.labels.shape != (len(self.images),):
            raise refuse("labels", "bad_shape", self.labels.shape, [len(self.images)], "give one label per picture")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            bad = int(self.labels.max() if self.labels.min() >= 0 else self.labels.min())
            raise refuse("labels", "bad_label", bad, f"0 to {len(self.classes) - 1}", "name every class")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def counts(self) -> list[int]:
        """Pictures of each class."""
        return np.bincount(self.labels, minlength=len(self.classes)).tolist()

    def take(self, chosen: np.ndarray) -> Dataset:
        """The pictures with these indices, in this order."""
        return Dataset(self.name, self.images[chosen], self.labels[chosen], self.classes, self.source)


def split(dataset: Dataset, parts: Sequence[float], seed: int = 0) -> list[Dataset]:
    """Disjoint parts of these sizes (fractions ≤ 1 in total), each with every class in proportion; the rest is left.

    Same seed, same parts. Raises ScenarioError for fractions that are negative or exceed 1 together.
    """
    if min(parts) < 0 or sum(parts) > 1 + 1e-9:
        bound = "fractions, at most 1 together"
        raise refuse("split", "out_of_range", list(parts), bound, "use such as 0.8, 0.1, 0.1")
    order = stream(seed, "data.split").permutation(len(dataset))
    edges = np.cumsum([0.0, *parts])
    chosen: list[list[np.ndarray]] = [[] for _ in parts]
    for label in range(len(dataset.classes)):
        mine = order[dataset.labels[order] == label]
        bounds = np.floor(edges * len(mine) + 0.5).astype(int)
        for part, first, last in zip(chosen, bounds[:-1], bounds[1:], strict=True):
            part.append(mine[first:last])
    return [dataset.take(np.sort(np.concatenate(part))) for part in chosen]


def statistics(dataset: Dataset) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel over all pixels in [0, 1], to three decimals."""
    cells = dataset.images.transpose(1, 0, 2, 3).reshape(dataset.images.shape[1], -1)
    # sums of integers: the same on every platform, whatever order NumPy adds floats in
    sums = cells.sum(axis=1, dtype=np.int64) / 255
    squares = np.array([int(np.dot(row.astype(np.int64), row.astype(np.int64))) for row in cells]) / 255**2
    n = max(1, cells.shape[1])
    mean = sums / n
    std = np.sqrt(np.maximum(squares / n - mean**2, 0))
    return tuple(round(float(m), 3) for m in mean), tuple(round(max(float(s), 1e-3), 3) for s in std)


def to_inputs(images: np.ndarray, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """What a network is given: float32 [N, C, H, W], (pixel / 255 − mean) / std by channel."""
    shift, scale = (np.array(v, np.float32).reshape(-1, 1, 1) for v in (mean, std))
    return (images.astype(np.float32) / np.float32(255) - shift) / scale
