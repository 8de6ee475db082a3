"""Loss and update on stage: what is shown there is the engine's, and both readings of the first δ are one number."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.live import Screen, shown
from tests.browser.test_chain import open_step
from tests.browser.test_numbers import Compute, trace_on

VALUES = [[0.25, -0.5]]
PENALTY = {"l1": 0.01, "l2": 0.1}


@pytest.mark.parametrize(
    "goal",
    [
        {"target": 1, "penalty": PENALTY},
        {"target": VALUES, "loss": {"kind": "mse"}},
        {"target": VALUES, "loss": {"kind": "l1"}},
        {"target": 0, "loss": {"kind": "nll"}},
        {"target": [[0.25, 1.0]], "loss": {"kind": "bce_with_logits"}},
    ],
    ids=["cross_entropy", "mse", "l1", "nll", "bce_with_logits"],
)
def test_every_station_of_a_loss_is_the_engines(screen: Screen, trace_of: Compute, goal: dict[str, Any]) -> None:
    open_step(screen, "pencil", "loss", (0,), **goal)
    trace = trace_on(screen, trace_of)
    for block in trace.blocks:
        if block.phase == "loss" or (block.phase == "backward" and block.node == "loss"):
            screen.go(block.stop - 1)
            expect(screen.at("stage-result")).to_have_attribute("title", shown(trace[block.stop - 1].result))
    screen.go(next(block.start for block in trace.blocks if block.writes == "loss"))
    expect(screen.at("loss-total")).to_have_attribute("title", shown(float(trace.tensors["loss"][0])))
    expect(screen.at("part-data")).to_have_attribute("title", shown(float(trace.tensors["loss.data"][0])))


def test_minus_log_p_of_the_right_class(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "lenet5", "loss", (0,))
    trace = trace_on(screen, trace_of)
    expect(screen.at("minus-log-p")).to_have_attribute(
        "title", shown(-float(trace.tensors["loss.log_softmax"][0, 3]))
    )


def test_fused_and_unfolded_are_one_number(screen: Screen, trace_of: Compute) -> None:
    open_step(screen, "lenet5", "fc3.out.grad", (0, 6))
    trace = trace_on(screen, trace_of)
    step = trace.find("fc3.out.grad", (0, 6))
    assert step is not None
    for reading in ("fused", "unfolded"):
        total = float(trace.window(step, step + 1, reading=reading).columns["combined"][0])
        expect(screen.at(f"reading-{reading}-sum")).to_have_attribute("title", shown(total))
    expect(screen.at("readings-agree")).to_have_class("check ok")


@pytest.mark.parametrize(
    "optimizer",
    [
        {"kind": "sgd", "lr": 0.1},
        {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01, "clip_norm": 1.0},
        {"kind": "adam", "amsgrad": True},
        {"kind": "adamw"},
        {"kind": "rmsprop", "momentum": 0.9, "centered": True},
        {"kind": "adagrad"},
    ],
    ids=lambda one: "-".join([one["kind"], *(key for key in one if key not in ("kind", "lr"))]),
)
def test_every_number_of_an_update_is_the_engines(
    screen: Screen, trace_of: Compute, optimizer: dict[str, Any]
) -> None:
    cell = (0, 0, 2, 1)
    open_step(screen, "pencil", "conv1.weight.next", cell, target=1, optimizer=optimizer, penalty=PENALTY)
    trace = trace_on(screen, trace_of)
    lines = [
        block.writes.removeprefix("conv1.weight.")
        for block in trace.blocks
        if block.phase == "update" and block.writes.startswith("conv1.weight.") and block.shape == (1, 1, 3, 3)
    ]
    assert {"grad.total", "step", "next"} <= set(lines)
    for line in ["grad", *lines]:
        value = float(trace.tensors[f"conv1.weight.{line}"][cell])
        expect(screen.at(f"update-{line}")).to_have_attribute("title", shown(value))
    screen.at("update-step").click()
    step = trace.find("conv1.weight.step", cell)
    assert step is not None
    screen.expect_step(step)
