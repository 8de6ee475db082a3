"""The backward views: a number each shows is the engine's, and both readings of ∂input are one number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from engine import Block, Trace
from tests.browser.live import Screen, shown
from tests.browser.test_chain import open_step
from tests.browser.test_numbers import Compute, trace_on

# every sort of layer whose way back has a view of its own, in one network: a split, two joins, and a batch of two
MANY: dict[str, Any] = {
    "version": 1,
    "input": {"values": [[[[(3 * y + x + s) % 5 - 2 for x in range(6)] for y in range(6)]] for s in range(2)]},
    "network": [
        {"name": "conv1", "kind": "conv2d", "out_channels": 2, "kernel_size": 3, "padding": 1, "stride": 2},
        {"name": "norm1", "kind": "batchnorm2d"},
        {"name": "act1", "kind": "tanh"},
        {"name": "left", "kind": "conv2d", "out_channels": 2, "kernel_size": 1, "inputs": ["act1"]},
        {"name": "leaky1", "kind": "leaky_relu"},
        {"name": "both", "kind": "concat", "inputs": ["act1", "leaky1"]},
        {"name": "mean1", "kind": "avgpool2d", "kernel_size": 2, "stride": 1},
        {"name": "drop1", "kind": "dropout", "p": 0.25},
        {"name": "mean2", "kind": "global_avgpool2d"},
        {"name": "flat", "kind": "flatten"},
        {"name": "fc", "kind": "dense", "out_features": 3},
    ],
    "params": {"seed": 3},
    "target": [1, 2],
    "penalty": {"l2": 0.01},
    "mode": "train",
}


def backward(trace: Trace) -> list[Block]:
    return [block for block in trace.blocks if block.phase == "backward"]


def check_every_block(screen: Screen, trace: Trace) -> None:
    for block in backward(trace):
        step = block.start + int(np.abs(trace.tensors[block.writes]).argmax())  # most of the others are 0
        screen.go(step)
        expect(screen.at("stage-result")).to_have_attribute("title", shown(trace[step].result))


@pytest.mark.parametrize("preset", ["pencil", "lenet5", "residual"])
def test_every_gradient_on_stage_is_the_engines(screen: Screen, trace_of: Compute, preset: str) -> None:
    open_step(screen, preset, "input.grad", (0, 0, 0, 0), target=1)
    check_every_block(screen, trace_on(screen, trace_of))


def test_every_sort_of_layer_has_its_numbers(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "pencil", "input.grad", (0, 0, 0, 0), **MANY)
    check_every_block(screen, trace_on(screen, trace_of))


@pytest.mark.parametrize(("writes", "cell"), [("input.grad", (0, 0, 9, 12)), ("pool1.out.grad", (0, 2, 5, 7))])
def test_both_readings_of_a_convolution_are_one_number(
    screen: Screen, trace_of: Compute, writes: str, cell: tuple[int, ...]
) -> None:
    open_step(screen, "lenet5", writes, cell)
    trace = trace_on(screen, trace_of)
    step = trace.find(writes, cell)
    assert step is not None
    for reading in ("gather", "scatter"):
        total = float(trace.window(step, step + 1, reading=reading).columns["combined"][0])
        expect(screen.at(f"reading-{reading}-sum")).to_have_attribute("title", shown(total))
    expect(screen.at("readings-agree")).to_have_class("check ok")
    screen.at("reading-scatter").click()
    expect(screen.page.locator(".reading")).to_have_count(1)
    screen.at("reading-both").click()
    expect(screen.page.locator(".reading")).to_have_count(2)


def test_a_shut_relu_and_the_winner_of_a_window_are_said(screen: Screen) -> None:
    # the Pencil's first map starts −3 2 4 / 1 1 3: its first cell is shut, and 2 wins the first window
    open_step(screen, "pencil", "conv1.out.grad", (0, 0, 0, 0), target=1)
    expect(screen.at("slope")).to_have_text("0")
    expect(screen.page.locator(".back-sum .note").last).to_contain_text("dead")
    screen.at("step-forward").click()
    expect(screen.at("slope")).to_have_text("1")
