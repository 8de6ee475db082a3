"""Choosing the right answer: the prompt at the end of the forward phase, and every part of the goal."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.live import Screen
from tests.browser.test_numbers import Compute, trace_on


def test_going_on_at_the_end_asks_for_the_answer_and_leads_to_the_loss(screen: Screen, trace_of: Compute) -> None:
    screen.preset("pencil")
    for phase in ("loss", "backward", "update"):
        expect(screen.at(f"phase-{phase}")).to_have_count(0)
    screen.go(27)
    screen.page.keyboard.press("ArrowRight")
    screen.at("target-1").click()
    expect(screen.at("goal-card")).to_have_count(0)
    expect(screen.at("phase-backward")).to_be_visible()
    trace = trace_on(screen, trace_of)
    screen.expect_step(28)
    screen.expect_result(trace[28].result)
    expect(screen.at("goal-open")).to_contain_text("target 1")


def test_every_step_of_every_phase_shows_the_engines_number(screen: Screen, trace_of: Compute) -> None:
    screen.preset("pencil")
    screen.at("goal-open").click()
    screen.at("target-0").click()
    expect(screen.at("phase-update")).to_be_visible()
    trace = trace_on(screen, trace_of)
    for block in trace.blocks:
        screen.go(block.start)
        screen.expect_result(trace[block.start].result)


def test_loss_penalty_and_optimiser_are_part_of_the_scenario(screen: Screen) -> None:
    screen.preset("pencil")
    screen.at("goal-open").click()
    screen.at("target-1").click()
    screen.at("goal-open").click()
    screen.at("optimizer-kind").select_option("adam")
    expect(screen.at("optimizer-lr")).to_have_value("0.001")
    screen.at("optimizer-betas-0").fill("0.8")
    screen.at("optimizer-betas-0").press("Enter")
    screen.at("penalty-l2").fill("0.1")
    screen.at("penalty-l2").press("Enter")
    screen.at("optimizer-clip_norm").fill("1")
    screen.at("optimizer-clip_norm").press("Enter")
    screen.at("schedule-kind").select_option("cosine")
    expect(screen.at("optimizer-schedule-T_max")).to_have_value("100")
    expect(screen.at("optimizer-clip_norm")).to_have_value("1")
    document = screen.state("s.scenario.value")
    assert document["optimizer"]["betas"] == [0.8, 0.999]
    assert document["optimizer"]["clip_norm"] == 1
    assert document["penalty"]["l2"] == 0.1
    screen.at("loss-kind").select_option("mse")
    expect(screen.at("target-value-1")).to_have_value("1")
    screen.at("target-value-0").fill("-2.5")
    screen.at("target-value-0").press("Enter")
    expect(screen.at("target-value-0")).to_have_value("-2.5")
    assert screen.state("s.scenario.value.target") == [[-2.5, 1]]
    screen.at("target-none").click()
    expect(screen.at("phase-update")).to_have_count(0)


@pytest.mark.parametrize(("field", "value"), [("optimizer-lr", "-1"), ("optimizer-clip_norm", "0")])
def test_a_refused_setting_is_marked_and_the_last_good_state_stays(screen: Screen, field: str, value: str) -> None:
    screen.preset("pencil")
    screen.at("goal-open").click()
    screen.at("target-1").click()
    expect(screen.at("phase-update")).to_be_visible()
    before = screen.state("s.opened.value.trace")
    screen.at("goal-open").click()
    screen.at(field).fill(value)
    screen.at(field).press("Enter")
    expect(screen.at("notice")).to_be_visible()
    expect(screen.at(field)).to_have_attribute("aria-invalid", "true")
    assert screen.state("s.opened.value.trace") == before


def test_the_lab_learns_one_number_for_all_cells(screen: Screen, trace_of: Compute) -> None:
    screen.preset("lab")
    screen.at("goal-open").click()
    screen.at("target-value-0").fill("0.5")
    screen.at("target-value-0").press("Enter")
    expect(screen.at("phase-update")).to_be_visible()
    trace = trace_on(screen, trace_of)
    assert trace.scenario.to_dict()["loss"] == {"kind": "mse"}
    assert set(trace.tensors["target"].reshape(-1)) == {0.5}
