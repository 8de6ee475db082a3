"""A real server in a process of its own, and the page as a user sees it."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
MAPS_PAINTED = "convoscope:maps-painted"
STAGE_SHOWN = "convoscope:stage-shown"
STEP_DRAWN = "convoscope:step-drawn"
SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


class Live:
    """The server's process: started, killed and started again on the same port."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Returns once the server listens."""
        command = [sys.executable, "-m", "app.cli", "--no-open", "--port", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        found = re.search(r"http://[^/]+:(\d+)/", said)
        assert found, f"the server printed no address but {said!r}"
        assert self.port in (0, int(found[1])), f"port {self.port} was taken"
        self.port = int(found[1])

    def kill(self) -> None:
        """As a crash would: sockets break, nothing is said."""
        if self._process is not None:
            self._process.kill()
            self._ended()

    def stop(self) -> None:
        """As Ctrl+C would."""
        if self._process is not None:
            self._process.terminate()
            self._ended()

    def _ended(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.wait(20)
        self._process.stdout.close()
        self._process = None


def number(text: str) -> float:
    """A number as the page writes it: true minus, powers of ten in superscript, infinities."""
    plain = text.strip().replace("−", "-").replace("∞", "inf").replace("\u202f", "")
    mantissa, _, power = plain.partition(" × 10")
    return float(f"{mantissa}e{power.translate(SUPERSCRIPTS)}" if power else mantissa)


class Screen:
    """One page. Whatever the console says above "info" fails the test, unless the test announced it."""

    def __init__(self, page: Page, server: Live) -> None:
        self.page = page
        self.server = server
        self.expected: list[str] = []
        self.problems: list[str] = []
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    @property
    def surprises(self) -> list[str]:
        """What the console said that the test did not announce."""
        return [text for text in self.problems if not any(re.search(known, text) for known in self.expected)]

    def open(self, fragment: str = "") -> None:
        """Load the page anew, at a permalink; returns when all maps are painted."""
        self.page.goto("about:blank")
        self.page.goto(self.server.url + fragment)
        self.page.wait_for_function("name => performance.getEntriesByName(name).length > 0", arg=MAPS_PAINTED)

    def at(self, testid: str) -> Locator:
        """An element by its test id."""
        return self.page.get_by_test_id(testid)

    @property
    def now(self) -> float:
        """The page's clock, ms."""
        return self.page.evaluate("performance.now()")

    @contextlib.contextmanager
    def marks(self, name: str) -> Iterator[None]:
        """What happens inside makes the page set this mark."""
        before = self.now
        yield
        self.page.wait_for_function(
            "([name, before]) => performance.getEntriesByName(name).some((entry) => entry.startTime > before)",
            arg=[name, before],
        )

    def state(self, expression: str) -> Any:
        """A value from the page's state; ``s`` is the module of signals."""
        return self.page.evaluate(
            f"import(JSON.parse(document.getElementById('boot').textContent).static + '/js/state.js')"
            f".then((s) => ({expression}))"
        )

    def boot(self) -> dict[str, Any]:
        """What the server put into the page."""
        return self.page.evaluate("JSON.parse(document.getElementById('boot').textContent)")

    def preset(self, name: str) -> None:
        """Choose a network in the picker."""
        self.at("network-picker").click()
        with self.marks(MAPS_PAINTED):
            self.at(f"network-picker-{name}").click()

    def expect_step(self, step: int) -> None:
        """The timeline and the stage have come to this step."""
        expect(self.at("step-number")).to_have_value(re.compile(rf"^{step:,}$".replace(",", "[\u202f ]?")))
        self.page.wait_for_function(
            "async (step) => (await import(JSON.parse(document.getElementById('boot').textContent).static"
            " + '/js/state.js')).stepData.value?.index === step",
            arg=step,
        )

    def go(self, step: int) -> None:
        """Type the number of a step."""
        self.at("step-number").fill(str(step))
        self.at("step-number").press("Enter")
        self.page.locator("#stage-slot").focus()
        self.expect_step(step)

    def expect_result(self, value: float) -> None:
        """The receipt's total, in full, is this number; seven figures are shown."""
        self.at("tab-receipt").click()
        total = self.at("receipt-result")
        expect(total).to_have_attribute("title", shown(value))


def shown(value: float) -> re.Pattern[str]:
    """The seven figures that the page shows of a float32, in plain or in scientific notation."""
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        mantissa, _, power = f"{value:.6e}".partition("e")
        superscript = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa.rstrip('0').rstrip('.')} × 10{superscript}"
    else:
        text = f"{float(f'{value:.7g}'):.12f}".rstrip("0").rstrip(".")
    return re.compile("^" + re.escape(text.replace("-", "−")) + "$")
