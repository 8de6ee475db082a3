"""Chain rule, nudge and saliency on screen: the engine's numbers, each one click from its step."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

import engine
from engine import saliency
from engine.trail import trail
from tests.browser.live import Screen, number, shown
from tests.browser.test_numbers import Compute, trace_on

GOAL: dict[str, Any] = {"target": 3, "optimizer": {"kind": "sgd", "lr": 0.1}}


def open_step(screen: Screen, preset: str, writes: str, cell: tuple[int, ...], **more: Any) -> None:
    """A preset with a target, at the step that writes a cell."""
    document = next(one["scenario"] for one in screen.boot()["presets"] if one["id"] == preset) | GOAL | more
    block = next(block for block in engine.Scenario.from_dict(document).blocks if block.writes == writes)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = base64.urlsafe_b64encode(packer.compress(json.dumps(document).encode()) + packer.flush())
    step = block.start + int(np.ravel_multi_index(cell, block.shape))
    channel = cell[1] if len(cell) > 1 else 0
    screen.open(f"#net={preset}&doc={packed.decode().rstrip('=')}&step={step}&map={block.node}.{channel}")
    screen.expect_step(step)


def test_a_forward_trace_has_no_chain(screen: Screen) -> None:
    expect(screen.at("tab-receipt")).to_be_visible()
    expect(screen.at("tab-chain")).to_have_count(0)


@pytest.mark.parametrize(
    ("writes", "cell", "tensor"),
    [
        ("conv2.weight.grad", (3, 2, 1, 1), "conv2.weight"),
        ("input.grad", (0, 0, 14, 15), "input"),
        ("fc2.bias.next", (5,), "fc2.bias"),
    ],
)
def test_trail_and_nudge_of_the_cell_that_the_step_is_about(
    screen: Screen, trace_of: Compute, writes: str, cell: tuple[int, ...], tensor: str
) -> None:
    open_step(screen, "lenet5", writes, cell)
    trace = trace_on(screen, trace_of)
    screen.at("tab-chain").click()
    wanted = trail(trace, tensor, cell)
    expect(screen.at("trail-total")).to_have_attribute("title", shown(wanted["total"]))
    if wanted["complete"]:
        expect(screen.at("trail-path")).to_have_attribute("title", shown(wanted["path"]))
        assert screen.page.locator(".factors li").count() == len(wanted["links"])
    expect(screen.at("nudge-digits")).to_be_visible()
    gradient = float(trace.tensors[f"{tensor}.grad"][cell])
    assert number(screen.at("nudge-gradient").inner_text()) == pytest.approx(gradient, rel=1e-4, abs=1e-9)
    if abs(gradient) > 1e-6:
        assert int(screen.at("nudge-digits").inner_text()) >= 4
        assert number(screen.at("nudge-difference").inner_text()) == pytest.approx(gradient, rel=1e-4)


def test_a_factor_leads_to_its_step(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "pencil", "conv1.weight.grad", (0, 0, 1, 1), target=1)
    trace = trace_on(screen, trace_of)
    screen.at("tab-chain").click()
    first = trail(trace, "conv1.weight", (0, 0, 1, 1))["links"][0]
    screen.page.locator(".factors button").first.click()
    screen.expect_step(first["step"])
    screen.expect_result(first["value"])


def test_a_pinned_weight_is_the_one_that_is_meant(screen: Screen) -> None:
    open_step(screen, "pencil", "fc.weight.grad", (1, 2), target=1)
    screen.at("tab-chain").click()
    expect(screen.at("chain")).to_contain_text("fc.weight[1, 2]")
    screen.page.locator(".nudge input[type=range]").focus()
    screen.page.keyboard.press("Home")
    expect(screen.at("nudge")).to_contain_text("10⁻")


@pytest.mark.parametrize("method", ["gradient", "gradient_input", "grad_cam"])
def test_saliency_is_the_engines_and_leads_to_its_steps(screen: Screen, trace_of: Compute, method: str) -> None:
    open_step(screen, "lenet5", "fc3.out.grad", (0, 3))
    trace = trace_on(screen, trace_of)
    screen.at("saliency-open").click()
    screen.at("saliency-class-5").click()
    screen.at(f"saliency-{method}").click()
    scored = trace_of(saliency.score_scenario(trace.scenario, 5).to_dict())
    found = saliency.METHODS[method](scored, None)
    expect(screen.at("saliency-most")).to_have_attribute("title", shown(float(np.abs(found.map).max())))
    expect(screen.at("saliency-score")).to_have_attribute("title", shown(found.score))
    screen.at("saliency-map").press("Enter")
    expect(screen.at("saliency-card")).to_have_count(0)
    expect(screen.at("stage").locator("header")).to_contain_text(found.tensor)
    assert screen.state("s.scenario.value.loss.kind") == "score"
