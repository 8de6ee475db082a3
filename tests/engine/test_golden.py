"""The engine against PyTorch's answers in ``tests/golden/golden.npz``, on machines without PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import chain

import numpy as np
import pytest

from engine.layer import REGISTRY
from tests.golden import ours, specs
from tests.golden.make_golden import FILE, sample

SPECS = list(chain(specs.layers(), specs.losses(), specs.optimizers(), specs.networks()))


@cache
def golden() -> dict[str, np.ndarray]:
    """The file, read once."""
    with np.load(FILE) as file:
        return dict(file)


def expected(name: str) -> Iterator[str]:
    """Names of the tensors that the file has of a spec."""
    for key in golden():
        head, _, tail = key.partition("/")
        if head == name and not tail.endswith("@max"):
            yield tail


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_the_engine_agrees_with_pytorch(spec: specs.Spec) -> None:
    found = ours.answer(spec)
    names = list(expected(spec.name))
    assert {"loss", "out", "input.grad"} <= set(names)
    bound = 1e-10 if spec.steps > 1 else 1e-5  # 50 steps in float64; one step, stored in float32
    for name in names:
        key = f"{spec.name}/{name}"
        room = bound * max(1e-3, float(golden()[f"{key}@max"][0]))
        np.testing.assert_allclose(sample(key, found[name]), golden()[key], rtol=0, atol=room, err_msg=name)


def test_the_file_is_small_and_has_every_kind() -> None:
    assert FILE.stat().st_size < 1_000_000
    heads = {key.split("-")[0] for key in golden()}
    assert set(REGISTRY) <= heads
