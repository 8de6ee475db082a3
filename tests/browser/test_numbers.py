"""The number on the screen is the engine's number: for every kind of layer, in every part of the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from engine import Trace
from tests.browser.live import Screen, number

Compute = Callable[[object], Trace]


def trace_on(screen: Screen, trace_of: Compute) -> Trace:
    """What the engine computes here from the document that the page shows."""
    trace = trace_of(screen.state("s.scenario.value"))
    assert trace.scenario.digest == screen.state("s.opened.value.trace")
    return trace


@pytest.mark.parametrize("preset", ["pencil", "lab", "lenet5", "tiny_vgg", "residual"])
def test_every_block_shows_the_engines_numbers(screen: Screen, trace_of: Compute, preset: str) -> None:
    screen.preset(preset)
    trace = trace_on(screen, trace_of)
    assert number(screen.at("step-total").inner_text()) == len(trace)
    for block in trace.blocks:
        step = (block.start + block.stop) // 2
        screen.go(step)
        screen.expect_result(trace[step].result)
        residual = number(screen.at("receipt-residual").inner_text())
        assert residual == pytest.approx(trace[step].residual, abs=1e-15, rel=0.06)
        expect(screen.at("stage").get_by_role("heading").first).to_contain_text(block.node)


def test_the_receipt_of_a_convolution_adds_up_by_hand(screen: Screen, trace_of: Compute) -> None:
    screen.preset("tiny_vgg")
    trace = trace_on(screen, trace_of)
    step = trace.find("conv1_1.out", (0, 3, 20, 31))
    assert step is not None
    screen.go(step)
    screen.expect_result(trace[step].result)
    rows = screen.page.locator(".terms-table tbody tr")
    expect(rows).to_have_count(27)
    products = [number(text) for text in rows.locator("td:last-child").all_inner_texts()]
    assert products == pytest.approx(trace[step].terms, abs=5.1e-5)
    total = screen.page.locator(".totals tbody tr")
    parts = [number(text) for text in total.locator("td:last-child").all_inner_texts()]
    assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=1e-9), "what is shown has to add up as shown"


def test_pencil_can_be_checked_by_hand(screen: Screen) -> None:
    screen.preset("pencil")
    # [[1,2,0],[0,1,3],[2,0,1]] under [[1,0,−1],[2,0,−2],[1,0,−1]], plus 1: (1−0) + 2(0−3) + (2−1) + 1 = −3
    screen.go(0)
    screen.expect_result(-3)
    expect(screen.at("receipt-result")).to_have_text("−3")
    expect(screen.at("stage-result")).to_contain_text("−3")


def test_the_code_shows_indices_and_values_of_the_step(screen: Screen, trace_of: Compute) -> None:
    screen.preset("pencil")
    screen.go(4)
    screen.at("tab-code").click()
    code = screen.page.get_by_role("tabpanel")
    expect(code).to_contain_text("out[0, 1, 1]")


def test_explain_speaks_of_this_very_step(screen: Screen) -> None:
    screen.preset("pencil")
    words = screen.page.get_by_role("tabpanel")
    screen.go(9)
    expect(words).to_contain_text("ReLU")
    screen.go(0)
    expect(words).to_contain_text("−3")


def test_every_map_is_a_button_that_tells_its_range(screen: Screen, trace_of: Compute) -> None:
    trace = trace_on(screen, trace_of)
    for node in trace.network.nodes:
        shape = trace.tensors[f"{node.name}.out"].shape
        expect(screen.at(f"node-{node.name}")).to_contain_text(" × ".join(map(str, shape[1:])))
    for channel in range(10):
        plane = trace.tensors["conv1_1.out"][0, channel]
        label = screen.at(f"map-conv1_1-{channel}").get_attribute("aria-label") or ""
        words = label.split(", ")
        assert words[:2] == ["conv1_1", f"channel {channel}"]
        assert number(words[2].split()[-1]) == pytest.approx(plane.min(), abs=6e-3)
        assert number(words[3].split()[-1]) == pytest.approx(plane.max(), abs=6e-3)
