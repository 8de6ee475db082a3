"""The page in Chromium, on loopback, cache off: bytes, times to pixels, frames, heap.

Times are between ``performance`` marks that the page sets after the pixels are there.
"""

from __future__ import annotations

import io
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from app.samples import SAMPLES
from bench.table import Row

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-precise-memory-info", "--js-flags=--expose-gc",
]  # fmt: skip
MAPS, STAGE, STEP = "convoscope:maps-painted", "convoscope:stage-shown", "convoscope:step-drawn"

#: runs an action and waits for a mark that is set after it; answers the time between, in ms
_UNTIL = """([selector, mark]) => new Promise((done, fail) => {
  const began = performance.now();
  const after = () => performance.getEntriesByName(mark).findLast((entry) => entry.startTime > began);
  const look = () => {
    const entry = after();
    entry ? done(entry.startTime - began) : requestAnimationFrame(look);
  };
  setTimeout(() => fail(new Error(`no ${mark} after ${selector}`)), 10000);
  document.querySelector(selector).click();
  look();
})"""

#: waits for a mark set after a time; answers how long after (the policy forbids Playwright's own wait_for_function)
_AFTER = """([mark, began]) => new Promise((done, fail) => {
  // an observer, because asking in every frame makes the browser draw frames, which costs a tenth of the loading time
  new PerformanceObserver((list) => {
    const entry = list.getEntriesByName(mark).find((one) => one.startTime > began);
    if (entry) done(entry.startTime - began);
  }).observe({ type: "mark", buffered: true });
  setTimeout(() => fail(new Error(`no ${mark}`)), 15000);
})"""

_FRAMES = """(seconds) => new Promise((done) => {
  const times = [];
  const tick = (now) => {
    times.push(now);
    now - times[0] < seconds * 1000 ? requestAnimationFrame(tick) : done(times);
  };
  requestAnimationFrame(tick);
})"""


def rows(host: str, full: bool) -> list[Row]:
    """Everything measured in the browser; ``full`` plays for five minutes instead of twenty seconds."""
    tools = json.loads((Path(__file__).parent.parent / ".venv" / "tools.json").read_text())
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=tools["chromium"], args=ARGS)
        try:
            return [
                _bytes(browser, host),
                _load(browser, host),
                *_clicks(_opened(browser, host)),
                _upload(_opened(browser, host)),
                *_frames(_opened(browser, host)),
                *_backward(_opened(browser, host)),
                _heap(_opened(browser, host), 300 if full else 20),
            ]
        finally:
            browser.close()


def _painted(page: Page) -> None:
    page.evaluate(_AFTER, [MAPS, 0])


def _opened(browser: Any, host: str) -> Page:
    """The page in a fresh context, whose cache is empty, at rest."""
    for old in browser.contexts:
        old.close()
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"http://{host}/")
    _painted(page)
    page.wait_for_timeout(1500)
    return page


def _bytes(browser: Any, host: str) -> Row:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    seen = [0.0]
    session.on("Network.loadingFinished", lambda event: seen.__setitem__(0, seen[0] + event["encodedDataLength"]))
    session.on(
        "Network.webSocketFrameReceived", lambda event: seen.__setitem__(0, seen[0] + _frame_bytes(event["response"]))
    )
    page.goto(f"http://{host}/")
    _painted(page)
    page.wait_for_load_state("networkidle")
    return Row("first load, over the wire with fonts and maps", seen[0] / 1000, "KB", "≤ 600")


def _load(browser: Any, host: str) -> Row:
    """Without the instrumentation that counts bytes: it costs about 400 ms."""
    times = [
        _opened(browser, host).evaluate(f"performance.getEntriesByName('{MAPS}')[0].startTime") for _ in range(15)
    ]
    return Row("navigation → all maps painted", statistics.median(times), "ms", "≤ 800")


def _frame_bytes(response: dict[str, Any]) -> float:
    data = response["payloadData"]
    return len(data) if response["opcode"] == 1 else len(data) * 3 / 4  # binary frames come as base64


def _clicks(page: Page) -> list[Row]:
    samples = [f"sample-{name}" for name in SAMPLES]
    switch = []
    for name in (samples * 3)[1:16]:
        switch.append(page.evaluate(_UNTIL, [f"[data-testid={name}]", MAPS]))
        page.wait_for_timeout(120)
    maps = page.locator("[data-testid^=map-conv]").evaluate_all("all => all.map((one) => one.dataset.testid)")
    opened = []
    for name in maps[1:16]:  # the first is open already
        opened.append(page.evaluate(_UNTIL, [f"[data-testid={name}]", STAGE]))
        page.wait_for_timeout(200)
    return [
        Row("sample click → all maps of Tiny VGG repainted", statistics.median(switch), "ms", "≤ 150"),
        Row("map click → stage visible", statistics.median(opened), "ms", "≤ 150"),
    ]


def _upload(page: Page) -> Row:
    noise = np.random.default_rng(0)
    times = []
    for i in range(5):
        small = noise.integers(0, 255, (43, 58, 3), dtype=np.uint8)
        photo = Image.fromarray(small).resize((2310, 1732), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        photo.save(out, "JPEG", quality=88)
        with page.expect_file_chooser() as chooser:
            page.click("[data-testid=image-upload]")
        began = page.evaluate("performance.now()")
        chooser.value.set_files({"name": f"{i}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()})
        times.append(page.evaluate(_AFTER, [MAPS, began]))
        page.wait_for_timeout(300)
    return Row("upload of a 4-Mpixel JPEG → all maps", statistics.median(times), "ms", "≤ 600")


def _set_speed(page: Page, rate: float) -> None:
    page.evaluate(
        """async (rate) => {
          const main = document.querySelector('script[src*="js/main.js"]').src;
          (await import(main.replace('main.js', 'actions.js'))).setSpeed(rate);
        }""",
        rate,
    )


def _backward(page: Page) -> list[Row]:
    """A whole training step: from the click on a class to the first step of the loss, and play on the way back."""
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # past the end of the forward phase Convoscope asks for the class
    page.wait_for_selector("[data-testid=target-0]")
    times = [page.evaluate(_UNTIL, ["[data-testid=target-0]", STEP])]
    page.click("[data-testid=goal-open]")
    for target in range(1, 9):
        page.wait_for_timeout(300)
        times.append(page.evaluate(_UNTIL, [f"[data-testid=target-{target}]", STEP]))
    page.keyboard.press("Escape")
    page.click("[data-testid=phase-backward]")
    page.click("[data-testid=grad-conv1_2-1]")
    page.wait_for_timeout(500)
    _set_speed(page, 60)
    page.click("[data-testid=play]")
    page.wait_for_timeout(1500)
    frames = np.diff(page.evaluate(_FRAMES, 10))
    page.click("[data-testid=play]")
    return [
        Row("class click → whole training step of Tiny VGG steppable", statistics.median(times), "ms", "≤ 500"),
        Row("frames per second, playing backward 60 steps/s", 1000 / float(frames.mean()), "frames/s", "≥ 58"),
        Row("worst frame of ten seconds, backward", float(frames.max()), "ms", "≤ 34"),
    ]


def _frames(page: Page) -> list[Row]:
    page.click("[data-testid=map-conv1_1-2]")
    page.wait_for_timeout(500)
    _set_speed(page, 60)
    page.click("[data-testid=play]")
    page.wait_for_timeout(1500)
    times = np.diff(page.evaluate(_FRAMES, 10))
    page.click("[data-testid=play]")
    return [
        Row("frames per second, playing 60 steps/s", 1000 / float(times.mean()), "frames/s", "≥ 58"),
        Row("worst frame of ten seconds", float(times.max()), "ms", "≤ 34"),
    ]


def _heap(page: Page, seconds: int) -> Row:
    def used() -> float:
        page.evaluate("() => { for (let i = 0; i < 4; i++) gc(); }")
        page.wait_for_timeout(300)
        page.evaluate("() => gc()")
        return page.evaluate("performance.memory.usedJSHeapSize")

    samples = [f"sample-{name}" for name in SAMPLES]

    def work(play_s: int, switches: int) -> None:
        page.click("[data-testid=play]")
        page.wait_for_timeout(play_s * 1000)
        for name in (samples[::-1] * 10)[:switches]:  # the first of them ends the play
            page.evaluate(_UNTIL, [f"[data-testid={name}]", MAPS])

    work(20, 120)  # bounded caches fill and what is hot is compiled: both level off after about a hundred switches
    before = used()
    work(seconds, 50)
    grown = (used() / before - 1) * 100
    return Row(f"heap growth after {seconds} s of play and 50 switches", grown, "%", "≤ 5")
