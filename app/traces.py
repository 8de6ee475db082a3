"""Traces by digest: computed once however many ask (single-flight), kept in a byte-bounded LRU."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np

import engine
from app.blobs import Blobs, MemoryBlobs
from app.settings import Settings


class Pictures(Protocol):
    """Where decoded pictures are found."""

    def array(self, image_id: str) -> np.ndarray | None:
        """uint8[H, W, 3], or None for an unknown id."""
        ...


class Traces:
    """The server's traces. A trace is a pure function of its scenario, so forgetting one loses nothing."""

    def __init__(self, settings: Settings, pictures: Pictures, blobs: Blobs | None = None) -> None:
        self._settings = settings
        self._pictures = pictures
        self.blobs: Blobs = blobs or MemoryBlobs(settings.weights_cache_bytes)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="trace")
        self._kept: OrderedDict[str, engine.Trace] = OrderedDict()
        self._running: dict[str, asyncio.Future[engine.Trace]] = {}
        self.kept_bytes = 0

    def get(self, digest: str) -> engine.Trace | None:
        """A trace that is still here."""
        trace = self._kept.get(digest)
        if trace is not None:
            self._kept.move_to_end(digest)
        return trace

    async def open(self, document: Mapping[str, Any]) -> engine.Trace:
        """Check the document against the budget, then compute it or take what is here.

        Raises engine.ScenarioError, engine.BlobError.
        """
        scenario = engine.Scenario.from_dict(document)
        kept = self.get(scenario.digest)
        if kept is not None:
            return kept
        self.check_budget(scenario)
        running = self._running.get(scenario.digest)
        if running is None:
            running = asyncio.ensure_future(self.run(self._compute, scenario))
            self._running[scenario.digest] = running
            running.add_done_callback(lambda done: self._finished(scenario.digest, done))
        return await asyncio.shield(running)

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run engine work in the bounded thread, so that the event loop only shuffles messages."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    def close(self) -> None:
        """Stop the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def blobs_of(self, scenario: engine.Scenario) -> dict[str, Any]:
        """What is here of the pictures, weights and states that a scenario names."""
        found: dict[str, Any] = {}
        for name in scenario.blobs:
            kept = self.blobs.get(name)
            kept = self._pictures.array(name) if kept is None else kept
            if kept is not None:
                found[name] = kept
        return found

    def _compute(self, scenario: engine.Scenario) -> engine.Trace:
        return engine.run(scenario, self.blobs_of(scenario))

    def _finished(self, digest: str, done: asyncio.Future[engine.Trace]) -> None:
        self._running.pop(digest, None)
        if done.cancelled() or done.exception() is not None:
            return
        trace = done.result()
        self._kept[digest] = trace
        self.kept_bytes += trace.scenario.limits.bytes
        while self.kept_bytes > self._settings.trace_cache_bytes and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self.kept_bytes -= old.scenario.limits.bytes

    def check_budget(self, scenario: engine.Scenario) -> None:
        """Raise ScenarioError for a computation that this server does not do."""
        limits, settings = scenario.limits, self._settings
        for name, value, most in (
            ("flops", limits.flops, settings.max_flops),
            ("bytes", limits.bytes + limits.workspace, settings.max_trace_bytes),
            ("steps", limits.steps, settings.max_steps),
        ):
            if value > most:
                remedy = "use a smaller input, fewer channels or a larger stride"
                raise engine.ScenarioError(
                    f"this network needs {value:,} {name}, more than this server's {most:,}; {remedy}",
                    reason="over_budget",
                    field="network",
                    value=value,
                    bound=most,
                    remedy=remedy,
                )
