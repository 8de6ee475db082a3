"""Iteration after iteration: the new weights are on screen, and the losses before and after are the engine's."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

import engine
from engine.advance import advance
from tests.browser.live import Screen, shown
from tests.browser.test_chain import open_step
from tests.browser.test_map_back import attribute
from tests.browser.test_numbers import Compute, trace_on


def test_the_next_iteration_starts_from_the_new_weights(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "pencil", "conv1.weight.next", (0, 0, 1, 1), target=1)
    first = trace_on(screen, trace_of)
    promised = attribute(screen, "loss-promise", "data-value")
    gradients = [first.tensors[f"{name}.grad"].astype("float64") for name in first.network.param_shapes]
    assert promised == pytest.approx(-0.1 * sum(float((g * g).sum()) for g in gradients), rel=1e-5)
    screen.at("next-iteration").click()
    expect(screen.at("iteration")).to_have_text("1")
    screen.expect_step(0)
    found = advance(first.scenario, 1)
    after = engine.run(found.scenario, found.blobs)
    assert attribute(screen, "loss-before", "data-value") == pytest.approx(float(first.tensors["loss"][0]), rel=1e-6)
    assert attribute(screen, "loss-value", "data-value") == pytest.approx(float(after.tensors["loss"][0]), rel=1e-6)
    assert attribute(screen, "loss-predicted", "data-value") == promised
    assert float(after.tensors["loss"][0]) < float(first.tensors["loss"][0])
    screen.expect_result(float(after[0].result))
    # an address names the document and the iterations since: it opens the same numbers anywhere
    expect(screen.page).to_have_url(re.compile("&it=1&"))
    screen.page.reload()
    expect(screen.at("iteration")).to_have_text("1")
    assert attribute(screen, "loss-value", "data-value") == pytest.approx(float(after.tensors["loss"][0]), rel=1e-6)


def test_playing_goes_on_into_the_next_iteration(screen: Screen) -> None:
    open_step(screen, "pencil", "conv1.weight.next", (0, 0, 1, 1), target=1)
    screen.at("loop-on").check()
    screen.state("(s.speed.value = 1000)")
    screen.at("play").click()
    expect(screen.at("iteration")).to_have_text("3")
    screen.at("loop-on").uncheck()


def test_a_weight_has_its_history(screen: Screen) -> None:
    open_step(screen, "pencil", "conv1.weight.next", (0, 0, 1, 1), target=1, optimizer={"kind": "adam", "lr": 0.01})
    first = engine.Scenario.from_dict(screen.state("s.scenario.value"))
    for n in (1, 2):
        screen.at("next-iteration").click()
        expect(screen.at("iteration")).to_have_text(str(n))
    block = next(block for block in first.blocks if block.writes == "conv1.weight.next")
    screen.go(block.start + 4)
    series = advance(first, 3, watch=[("conv1.weight", (0, 0, 1, 1))]).series[0]
    for name in ("w", "g", "exp_avg", "exp_avg_sq"):
        text = screen.at(f"history-{name}").get_attribute("data-values")
        assert text is not None
        assert json.loads(text) == series[name]
    expect(screen.at("update-weight")).to_have_attribute("title", shown(series["w"][-1]))
