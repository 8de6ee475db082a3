"""One server and one Chromium for all browser tests; a fresh page for each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

import engine
from app import samples
from app.images import ImageStore
from app.settings import Settings
from tests.browser.live import ROOT, Live, Screen

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: a machine that runs other things beside is slow, not wrong
PATIENCE_MS = 20_000


def chromium() -> str:
    """The browser that ``make test`` found."""
    found = ROOT / ".venv" / "tools.json"
    path = json.loads(found.read_text())["chromium"] if found.exists() else shutil.which("chromium")
    assert path, "no Chromium found; run `make test`, which looks for one or installs it"
    return path


# package scope: playwright keeps an event loop running in this thread, which tests of other folders start themselves
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(ARGS))
        yield started
        started.close()


@pytest.fixture(scope="package")
def server() -> Iterator[Live]:
    live = Live()
    live.start()
    yield live
    live.stop()


@pytest.fixture
def new_screen(browser: Browser, server: Live) -> Iterator[Callable[..., Screen]]:
    """Opens a page with a viewport and the like; all of them are checked for a clean console at the end."""
    screens: list[Screen] = []

    def make(at: Live = server, **options: object) -> Screen:
        defaults = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", "color_scheme": "light"}
        page = browser.new_context(**{**defaults, **options}).new_page()  # pyright: ignore[reportArgumentType]
        page.set_default_timeout(PATIENCE_MS)
        screens.append(Screen(page, at))
        return screens[-1]

    yield make
    surprises = [text for screen in screens for text in screen.surprises]
    for screen in screens:
        screen.page.context.close()
    assert not surprises, "\n".join(surprises)


@pytest.fixture
def screen(new_screen: Callable[..., Screen]) -> Screen:
    """The first screen, light, English, 1440×900, all maps painted."""
    opened = new_screen()
    opened.open()
    return opened


@pytest.fixture(scope="package")
def pictures() -> dict[str, np.ndarray]:
    """The samples' pixels by id, made here anew."""
    store = ImageStore(Settings())
    return {made["id"]: store.array(made["id"]) for made in samples.install(store)}  # pyright: ignore


@pytest.fixture(scope="package")
def trace_of(pictures: dict[str, np.ndarray]) -> Callable[[dict[str, object]], engine.Trace]:
    """The engine's own trace of a scenario document, computed in this process."""
    return lambda document: engine.run(engine.Scenario.from_dict(document), blobs=pictures)
