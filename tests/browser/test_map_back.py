"""The network map on the way back: loss, gradients under their maps, norms; and where numbers stop being finite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from engine import Block, Trace, analysis
from tests.browser.live import Screen, shown
from tests.browser.test_backward_views import MANY
from tests.browser.test_chain import open_step
from tests.browser.test_numbers import Compute, trace_on

LATER = ".later"


def attribute(screen: Screen, testid: str, name: str) -> float:
    value = screen.at(testid).get_attribute(name)
    assert value is not None
    return float(value)


def test_the_loss_and_its_parts_stand_at_the_end_of_the_map(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "lenet5", "fc3.out.grad", (0, 3), penalty={"l1": 0.001, "l2": 0.01})
    trace = trace_on(screen, trace_of)
    assert attribute(screen, "loss-value", "data-value") == pytest.approx(float(trace.tensors["loss"][0]), rel=1e-12)
    for part in ("data", "l1", "l2"):
        value = float(trace.tensors[f"loss.{part}"][0])
        expect(screen.at(f"loss-part-{part}")).to_contain_text(f"{value:.3f}")
    screen.at("loss-value").click()
    expect(screen.at("phase-loss")).to_be_visible()
    step = trace.find("loss", (0,))
    assert step is not None
    screen.expect_step(step)


def test_gradients_grow_under_their_maps_from_right_to_left(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "lenet5", "relu1.out.grad", (0, 2, 5, 7))
    trace = trace_on(screen, trace_of)
    # pool1 passes its δ on to relu1 now, map by map; conv1 still waits
    expect(screen.page.locator("[data-testid^=grad-pool1-]")).to_have_count(6)
    expect(screen.page.locator(f"[data-testid^=grad-pool1-]{LATER}")).to_have_count(0)
    expect(screen.page.locator(f"[data-testid^=grad-relu1-]{LATER}")).to_have_count(3)
    expect(screen.page.locator(f"[data-testid^=grad-conv1-]{LATER}")).to_have_count(6)
    expect(screen.at("grad-relu1-2")).to_have_attribute("aria-current", "true")
    for node in ("pool1", "conv2", "fc1"):
        norm = analysis.gradient_norms(trace)[f"{node}.out.grad"]
        assert attribute(screen, f"norm-{node}", "data-norm") == pytest.approx(norm, rel=1e-12)
    screen.at("grad-pool1-4").click()
    step = trace.find("pool1.out.grad", (0, 4, 0, 0))
    assert step is not None
    screen.expect_step(step)
    expect(screen.at("stage-result")).to_have_attribute("title", shown(trace[step].result))
    screen.go(len(trace) - 1)
    expect(screen.page.locator(f"[data-testid^=grad-]{LATER}")).to_have_count(0)


def test_a_kernel_has_its_gradient_beside_it(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "lenet5", "conv2.weight.grad", (3, 2, 1, 1))
    trace = trace_on(screen, trace_of)
    screen.at("weight-grad-conv2-1").click()
    step = trace.find("conv2.weight.grad", (3, 1, 0, 0))
    assert step is not None
    screen.expect_step(step)


def test_forward_the_map_has_no_gradients(screen: Screen) -> None:
    open_step(screen, "pencil", "conv1.out", (0, 0, 0, 0), target=1)
    expect(screen.at("loss-value")).to_be_visible()
    expect(screen.page.locator("[data-testid^=grad-]")).to_have_count(0)


def test_the_first_bad_cell_is_marked_and_leads_to_its_step(screen: Screen, trace_of: Compute) -> None:
    cells = {"conv1.weight": [2, 0, 2, 2], "conv2.weight": [2, 2, 2, 2]}
    huge = [{"tensor": tensor, "cell": cell, "value": 3e38} for tensor, cell in cells.items()]
    edits: dict[str, Any] = {"seed": 0, "edits": huge}
    open_step(screen, "lenet5", "conv1.out", (0, 0, 0, 0), params=edits)
    trace = trace_on(screen, trace_of)
    screen.at("first-bad").click()
    step = next(i for b in trace.blocks for i in bad_steps(trace, b))
    screen.expect_step(step)
    block, cell = trace.locate(step)
    assert block.writes == "conv2.out", "3e38 still fits a float32; its product with as much does not"
    expect(screen.at(f"map-{block.node}-{cell[1]}").locator(".bad-cell")).to_have_count(1)


def bad_steps(trace: Trace, block: Block) -> Iterator[int]:
    """The steps of a block whose result is not finite."""
    for cell in np.flatnonzero(~np.isfinite(trace.tensors[block.writes])):
        yield block.start + int(cell)


def test_a_batch_is_shown_sample_by_sample(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "pencil", "conv1.weight.grad", (0, 0, 1, 2), **MANY)
    trace = trace_on(screen, trace_of)
    step = trace.find("conv1.weight.grad@data", (0, 0, 1, 2))
    assert step is not None
    screen.go(step)
    parts = trace.window(step, step + 1).columns["partial"][0]
    assert len(parts) == 2
    for n, part in enumerate(parts):
        expect(screen.at(f"sample-part-{n}")).to_have_attribute("title", shown(float(part)))
    expect(screen.at("stage-result")).to_have_attribute("title", shown(trace[step].result))
    # the same cell of the other sample
    first = trace.find("conv1.out.grad", (0, 1, 2, 0))
    other = trace.find("conv1.out.grad", (1, 1, 2, 0))
    assert first is not None
    assert other is not None
    screen.go(first)
    expect(screen.at("sample-of-batch-0")).to_have_attribute("aria-pressed", "true")
    screen.at("sample-of-batch-1").click()
    screen.expect_step(other)
    expect(screen.at("stage-result")).to_have_attribute("title", shown(trace[other].result))
