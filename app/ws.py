"""The websocket: a thin shell around Session.

One task always reads, or pongs would go unread and healthy clients be closed; another does the jobs and sends. A
client that takes no bytes for ``stalled_after_s`` is cut off.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

import engine
from app import answers, inquiries, messages
from app.session import TICK_EVERY_S, Push, Session, error
from app.settings import Settings
from app.summary import opened
from app.traces import Traces

SUBPROTOCOL = "convoscope.v1"
log = logging.getLogger("convoscope")


class Connections:
    """Counts open websockets, which uvicorn's ``limit_concurrency`` does not."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0


async def serve(websocket: WebSocket, traces: Traces, settings: Settings, connections: Connections) -> None:
    """Accept a connection and serve it until either side ends it."""
    if SUBPROTOCOL not in websocket.scope["subprotocols"]:
        await websocket.close(1002, f"use the subprotocol {SUBPROTOCOL}")
        return
    if connections.count >= connections.most:
        await websocket.close(1013, "too many connections")
        return
    connections.count += 1
    try:
        await websocket.accept(SUBPROTOCOL)
        await _Connection(websocket, traces, settings).run()
    finally:
        connections.count -= 1


class _Connection:
    def __init__(self, websocket: WebSocket, traces: Traces, settings: Settings) -> None:
        self.websocket = websocket
        self.traces = traces
        self.settings = settings
        self.session = Session(settings)
        self.ready: deque[dict[str, Any]] = deque()
        self.wake = asyncio.Event()
        # A running play must not lose its trace because others push it out of the cache.
        self.trace: engine.Trace | None = None

    async def run(self) -> None:
        """Until the client leaves or is cut off."""
        try:
            async with asyncio.TaskGroup() as group:
                writer = group.create_task(self._write())
                await self._read()
                writer.cancel()
        except* WebSocketDisconnect:
            pass

    async def _read(self) -> None:
        while True:
            event = await self.websocket.receive()
            if event["type"] == "websocket.disconnect":
                return
            data = event.get("text")
            data = event["bytes"] if data is None else data
            self.ready.extend(self.session.receive(data, asyncio.get_running_loop().time()))
            self.wake.set()
            # Answers that wait for a client which sends but does not read: no more is read until they went out.
            while len(self.ready) > answers_limit(self.settings):
                await asyncio.sleep(0.01)

    async def _write(self) -> None:
        while True:
            await self._wait()
            while self.ready:
                await self._send(self.ready.popleft())
            if self.session.close_code is not None:
                await self.websocket.close(self.session.close_code, "too many errors in a row")
                return
            job = self.session.next_job()
            if job is None:
                continue
            self.wake.set()  # there may be more
            await self._do(job)

    async def _wait(self) -> None:
        play = self.session.play
        if play is None or not play.ticks:
            await self.wake.wait()
            self.wake.clear()
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.wake.wait(), TICK_EVERY_S)
        self.wake.clear()
        trace = self._find(play.request.trace)
        if trace is None:
            self.session.play = None
            self.ready.append(_no_trace(play.request))
            return
        self.ready.extend(self.session.tick(asyncio.get_running_loop().time(), len(trace)))

    async def _do(self, job: messages.Message | Push) -> None:
        ask = job.request if isinstance(job, Push) else job
        try:
            answer = await self._push(job) if isinstance(job, Push) else await self._answer(job)
        except engine.EngineError as problem:
            answer = answers.engine_error(ask.id, problem)
            if isinstance(job, Push):
                self.session.play = None
        except Exception:
            log.exception("request failed")
            answer = error(ask.id, "E_INTERNAL", "internal", "the server failed on this request; see its log")
        await self._send(answer)
        await asyncio.sleep(0)  # let other connections have their turn

    async def _answer(self, ask: messages.Message) -> Any:
        if isinstance(ask, messages.Open):
            return await self._open(ask)
        if isinstance(ask, messages.Advance):
            return await inquiries.advance(self.traces, ask, self.settings)
        assert not isinstance(ask, messages.Play | messages.Pause | messages.Seek | messages.Credit)
        trace = self._find(ask.trace)
        if trace is None:
            return _no_trace(ask)
        if isinstance(ask, messages.Nudge):
            return await inquiries.nudge(self.traces, trace, ask, self.settings)
        if isinstance(ask, messages.Trail):
            return await inquiries.follow(self.traces, trace, ask)
        if isinstance(ask, messages.Saliency):
            return await inquiries.salient(self.traces, trace, ask, self.settings)
        most = self.settings.max_frame_bytes
        if isinstance(ask, messages.Tensor):
            return answers.tensor(trace, ask, most)
        if isinstance(ask, messages.Steps):
            return answers.steps(trace, ask, most)
        return answers.init(trace, ask) if isinstance(ask, messages.Init) else answers.origin(trace, ask)

    async def _open(self, ask: messages.Open) -> Any:
        trace = self._find(ask.digest) if ask.digest else await self.traces.open(ask.scenario or {})
        if trace is None:
            return _no_trace(ask)
        self.trace = trace
        return opened(trace, ask.id)

    async def _push(self, job: Push) -> Any:
        trace = self._find(job.request.trace)
        if trace is None:
            self.session.play = None
            return _no_trace(job.request)
        frame, stop = answers.push(trace, job.request, job.start, self.settings.max_frame_bytes)
        await self._send(frame)
        self.ready.extend(self.session.pushed(job, stop, len(trace)))
        self.wake.set()
        return None

    def _find(self, digest: str | None) -> engine.Trace | None:
        if self.trace is not None and self.trace.scenario.digest == digest:
            return self.trace
        return self.traces.get(digest or "")

    async def _send(self, answer: Any) -> None:
        if answer is None:
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer, separators=(",", ":"), allow_nan=False)
        sending = self.websocket.send_bytes(data) if isinstance(data, bytes) else self.websocket.send_text(data)
        try:
            await asyncio.wait_for(sending, self.settings.stalled_after_s)
        except TimeoutError:
            abort: Callable[[], None] | None = self.websocket.scope["extensions"].get("convoscope.abort")
            if abort is not None:
                abort()
            self.websocket.application_state = WebSocketState.DISCONNECTED
            raise WebSocketDisconnect(1006, "the client stopped reading") from None


def answers_limit(settings: Settings) -> int:
    """Ready answers that may wait before reading stops."""
    return 16 * settings.max_queued_frames


def _no_trace(ask: Any) -> dict[str, Any]:
    digest = ask.digest if isinstance(ask, messages.Open) else ask.trace
    return error(
        ask.id,
        "E_TRACE",
        "unknown_trace",
        f"trace {digest} is not here (any more); open its scenario again",
        value=digest,
        remedy="open its scenario again",
    )
