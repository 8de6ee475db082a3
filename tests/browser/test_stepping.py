"""Moving through the steps: buttons, keys, scrubbing, playing, clicking any cell; hover and pins."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.live import STAGE_SHOWN, Screen


@pytest.fixture
def pencil(screen: Screen) -> Screen:
    """Pencil at its first step: conv1 writes the steps 0 … 8, act1 9 … 17, pool1 18 … 21; flat and fc follow."""
    screen.preset("pencil")
    screen.go(0)
    return screen


def test_the_first_screen_is_at_work(screen: Screen) -> None:
    expect(screen.at("sample-scene")).to_have_attribute("aria-pressed", "true")
    step = screen.state("s.cursor.value")
    screen.expect_step(step)
    expect(screen.at("stage")).to_contain_text(screen.state("s.stepData.value.block.node"))
    screen.at("step-forward").click()
    screen.expect_step(step + 1)


def test_buttons_move_by_the_chosen_unit(pencil: Screen) -> None:
    pencil.go(1)
    for unit, lands in (("step", 2), ("row", 3), ("channel", 9), ("layer", 18)):
        pencil.at(f"unit-{unit}").click()
        pencil.at("step-forward").click()
        pencil.expect_step(lands)
    for unit, lands in (("layer", 9), ("channel", 0)):
        pencil.at(f"unit-{unit}").click()
        pencil.at("step-back").click()
        pencil.expect_step(lands)
    pencil.at("step-last").click()
    pencil.expect_step(int(pencil.at("step-total").inner_text()) - 1)
    pencil.at("step-first").click()
    pencil.expect_step(0)


def test_channels_are_a_unit(screen: Screen) -> None:
    screen.go(5)
    screen.at("unit-channel").click()
    screen.at("step-forward").click()
    screen.expect_step(62 * 62)
    screen.at("step-back").click()
    screen.expect_step(0)


def test_keys_do_all_of_it(pencil: Screen) -> None:
    press = pencil.page.keyboard.press
    for key, lands in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("Shift+ArrowRight", 3),
        ("ArrowRight", 4),
        ("Shift+ArrowLeft", 3),
        ("End", int(pencil.at("step-total").inner_text()) - 1),
        ("Home", 0),
    ):
        press(key)
        pencil.expect_step(lands)
    press("PageDown")
    pencil.page.wait_for_function(
        "() => document.querySelector('[data-testid=stage] h2').textContent.startsWith('act1')"
    )
    press("Space")
    expect(pencil.at("play")).to_have_accessible_name("Pause")
    press("Space")
    expect(pencil.at("play")).to_have_accessible_name("Play")
    press("?")
    expect(pencil.at("help")).to_be_visible()
    press("Escape")
    expect(pencil.at("help")).to_have_count(0)
    press("Escape")
    assert pencil.state("s.focus.value") is None


def test_tab_reaches_everything_and_the_focus_is_seen(screen: Screen) -> None:
    screen.page.locator("body").focus()
    seen = set()
    for _ in range(60):
        screen.page.keyboard.press("Tab")
        what = screen.page.evaluate(
            """() => {
                const el = document.activeElement, style = getComputedStyle(el);
                const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
                const name = el.dataset.testid ?? el.closest('[data-testid]')?.dataset.testid ?? el.tagName;
                return [name, ring || style.boxShadow !== 'none' || el.tagName === 'BODY', el.className];
            }"""
        )
        assert what[1], f"{what} has the focus and does not show it"
        seen.add(what[0])
    wanted = {"network-picker", "sample-scene", "image-upload", "draw-open", "share", "lang", "theme", "play",
              "step-forward", "unit-row", "speed", "step-number", "tab-explain", "init-open"}  # fmt: skip
    assert wanted <= seen, wanted - seen


def test_arrows_walk_the_map_and_enter_opens(screen: Screen) -> None:
    screen.at("map-conv1_1-0").focus()
    screen.page.keyboard.press("ArrowDown")
    screen.page.keyboard.press("ArrowRight")
    focused = screen.page.evaluate("document.activeElement.dataset.testid")
    assert focused != "map-conv1_1-0"
    assert focused.startswith("map-")
    with screen.marks(STAGE_SHOWN):
        screen.page.keyboard.press("Enter")
    node, channel = focused.removeprefix("map-").rsplit("-", 1)
    assert screen.state("s.focus.value") == {"node": node, "channel": int(channel), "phase": "forward"}


def test_a_map_opens_at_its_first_step(screen: Screen) -> None:
    with screen.marks(STAGE_SHOWN):
        screen.at("map-pool1-3").click()
    block = next(b for b in screen.state("s.opened.value.blocks") if b["writes"] == "pool1.out")
    plane = block["shape"][2] * block["shape"][3]
    screen.expect_step(block["start"] + 3 * plane)
    expect(screen.at("map-pool1-3")).to_have_attribute("aria-current", "true")
    expect(screen.at("stage")).to_contain_text("pool1 · channel 3")


def test_dragging_the_timeline_scrubs(screen: Screen) -> None:
    box = screen.at("phase-forward").bounding_box()
    assert box
    mouse = screen.page.mouse
    y = box["y"] + box["height"] / 2
    mouse.move(box["x"] + 2, y)
    mouse.down()
    mouse.move(box["x"] + box["width"] * 0.3, y, steps=4)
    early = screen.state("s.cursor.value")
    mouse.move(box["x"] + box["width"] * 0.8, y, steps=4)
    late = screen.state("s.cursor.value")
    mouse.up()
    assert 0 < early < late
    screen.expect_step(late)
    node = next(b["node"] for b in screen.state("s.opened.value.blocks") if b["start"] <= late < b["stop"])
    expect(screen.at("stage")).to_contain_text(node)


def test_play_and_pause(pencil: Screen) -> None:
    pencil.at("play").click()
    pencil.page.wait_for_function("() => document.querySelector('[data-testid=step-number]').value >= 4")
    pencil.at("play").click()
    expect(pencil.at("play")).to_have_accessible_name("Play")
    pencil.expect_step(pencil.state("s.cursor.value"))


def test_fast_play_runs_to_the_end_and_stops(screen: Screen) -> None:
    screen.at("speed").fill("60")
    expect(screen.at("timeline")).to_contain_text("1\u202f000\u202f000")
    screen.at("play").click()
    total = screen.state("s.opened.value.steps")
    screen.expect_step(total - 1)
    expect(screen.at("play")).to_have_accessible_name("Play")


def test_clicking_a_cell_goes_to_the_step_that_wrote_it(pencil: Screen) -> None:
    # pool1 reads act1; its first window's cells were written by the steps 9, 10, 12, 13
    pencil.go(18)
    canvas = pencil.at("stage").locator("canvas[role=application]").first
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": box["width"] * 0.4, "y": box["height"] * 0.5})
    pencil.page.wait_for_function(
        "() => document.querySelector('[data-testid=stage] h2').textContent.startsWith('act1')"
    )
    assert 9 <= pencil.state("s.cursor.value") < 18


def test_a_cell_that_no_step_wrote_says_where_it_came_from(pencil: Screen) -> None:
    pencil.at("stage").locator("canvas[role=application]").first.click()
    expect(pencil.at("notice")).to_contain_text("written in the scenario")


def test_hover_links_and_a_click_pins(screen: Screen) -> None:
    screen.at("tab-receipt").click()
    row = screen.page.locator(".terms-table tbody tr").nth(4)
    row.hover()
    assert screen.state("s.hover.value.term") == 4
    expect(row).to_have_class(re.compile("hot"))
    row.click()
    screen.page.mouse.move(5, 5)
    assert screen.state("s.pinned.value.term") == 4
    expect(row).to_have_class(re.compile("hot"))


def test_padding_cells_are_told_from_the_map(screen: Screen) -> None:
    screen.preset("residual")
    screen.go(0)
    screen.at("tab-receipt").click()
    expect(screen.page.locator(".terms-table tr.pad")).to_have_count(15)  # 5 of 9 in each of 3 channels
    expect(screen.page.locator(".terms-table tr.pad").first).to_contain_text("pad")


def test_scale_and_legend_follow_the_choice(screen: Screen) -> None:
    legend = screen.at("legend-conv1_1")
    per_layer = legend.inner_text()
    screen.at("scale-map").click()
    expect(legend).not_to_have_text(per_layer)
    screen.at("scale-network").click()
    expect(screen.at("legend-network")).to_be_visible()
    expect(legend).to_have_count(0)
