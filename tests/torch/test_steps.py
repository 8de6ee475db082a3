"""Whole steps against PyTorch, live: every layer, loss, optimiser, and the app's networks for twenty steps."""

from __future__ import annotations

import copy
from itertools import chain

import numpy as np
import pytest

from tests.golden import ours, reference, specs

ONE = list(chain(specs.layers(), specs.losses()))
MANY = list(chain(specs.optimizers(), specs.networks("float64", 20)))


def check(spec: specs.Spec, bound: float) -> None:
    """Every tensor, relative to its largest value."""
    found = ours.answer(spec)
    for name, tensor in reference.answer(spec).items():
        room = bound * float(np.abs(tensor).max())
        np.testing.assert_allclose(found[name], tensor, rtol=0, atol=room, err_msg=name)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spec", ONE, ids=[spec.name for spec in ONE])
def test_one_step(spec: specs.Spec, seed: int) -> None:
    """In float64, with other inputs than those of the golden file."""
    document = copy.deepcopy(spec.document)
    values = np.array(document["input"]["values"])
    document["input"]["values"] = (np.random.default_rng(seed).permuted(values) * (1 + seed / 10)).tolist()
    check(specs.Spec(spec.name, document), 1e-10)


@pytest.mark.parametrize("spec", MANY, ids=[spec.name for spec in MANY])
def test_many_steps(spec: specs.Spec) -> None:
    check(spec, 1e-10)


@pytest.mark.parametrize("spec", list(specs.networks()), ids=lambda spec: spec.name)
def test_a_step_in_float32(spec: specs.Spec) -> None:
    check(spec, 1e-5)
