"""The server goes and comes back: the page says so, and is where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.live import MAPS_PAINTED, Live, Screen

#: what a browser says by itself when a server does not answer
GONE = r"WebSocket|ERR_CONNECTION|net::|502"


@pytest.fixture
def fragile() -> Iterator[Live]:
    """A server that this test may kill."""
    live = Live()
    live.start()
    yield live
    live.stop()


@pytest.fixture
def screen(new_screen: Callable[..., Screen], fragile: Live) -> Screen:
    opened = new_screen(fragile)
    opened.expected.append(GONE)
    opened.open("#net=pencil&step=0&map=conv1.0")
    opened.expect_step(0)
    expect(opened.at("tab-explain")).to_be_visible()  # every part of the page has come
    return opened


def test_a_lost_connection_is_seen_and_resumed_at_the_same_step_with_its_edits(screen: Screen, fragile: Live) -> None:
    grid = screen.page.locator("canvas[role=application][aria-label*='kernel']").first
    grid.dblclick(position={"x": 14, "y": 14})
    with screen.marks(MAPS_PAINTED):
        screen.page.locator(".cell-edit").fill("5")
        screen.page.locator(".cell-edit").press("Enter")
    screen.expect_result(1)
    screen.go(4)
    fragile.kill()
    expect(screen.at("conn")).to_contain_text("Connection lost")
    expect(screen.at("conn")).to_have_attribute("data-state", "lost")
    fragile.start()
    expect(screen.at("conn")).to_have_attribute("data-state", "open")
    screen.expect_step(4)
    assert len(screen.state("s.scenario.value.params.edits")) == 1
    # a step that was not in the browser yet comes from the new server, with the edit in it
    screen.go(0)
    screen.expect_result(1)
    screen.at("step-last").click()
    screen.expect_step(int(screen.at("step-total").inner_text()) - 1)


def test_what_is_asked_while_the_connection_is_lost_comes_when_it_is_back(screen: Screen, fragile: Live) -> None:
    fragile.kill()
    expect(screen.at("conn")).to_have_attribute("data-state", "lost")
    screen.at("kind-act1").select_option("tanh")
    fragile.start()
    expect(screen.at("conn")).to_have_attribute("data-state", "open")
    screen.page.wait_for_function(
        "async () => (await import(JSON.parse(document.getElementById('boot').textContent).static"
        " + '/js/state.js')).opened.value.nodes[1].kind === 'tanh'"
    )


def test_playing_goes_on_after_a_break(screen: Screen, fragile: Live) -> None:
    screen.preset("tiny_vgg")
    screen.at("speed").fill("15")
    screen.at("play").click()
    screen.page.wait_for_function("() => document.querySelector('[data-testid=step-number]').value.length > 1")
    fragile.kill()
    expect(screen.at("conn")).to_have_attribute("data-state", "lost")
    fragile.start()
    expect(screen.at("conn")).to_have_attribute("data-state", "open")
    start = screen.state("s.cursor.value")
    screen.at("speed").fill("18")
    if not screen.state("s.playing.value"):
        screen.at("play").click()
    screen.page.wait_for_function(
        "async (start) => (await import(JSON.parse(document.getElementById('boot').textContent).static"
        " + '/js/state.js')).cursor.value > start + 20",
        arg=start,
    )
