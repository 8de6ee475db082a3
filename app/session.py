"""What one connection may ask and in which order it is answered; no input or output happens here.

``receive`` takes a message as it came and returns answers that are ready at once; ``next_job`` hands out the next
thing to do: a request, or a window to push for a running play. Requests wait in order; in a lane, a newer request
supersedes those that still wait, which are then answered without being computed.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app import messages
from app.settings import Settings

MAX_WAITING = 256
MAX_CREDITS = 64
TICK_ABOVE = 2000.0
TICK_EVERY_S = 1 / 30

Answer = dict[str, Any]


@dataclass
class PlayState:
    """A running play: ``at`` is the next step to push (windows) or the step under the head (ticks)."""

    request: messages.Play
    at: int
    since: float
    origin: int

    @property
    def ticks(self) -> bool:
        """Too fast for windows: only the position is told."""
        return self.request.rate > TICK_ABOVE


@dataclass(frozen=True)
class Push:
    """Push the next window of a play, from ``start`` on."""

    request: messages.Play
    start: int


class Session:
    """The protocol state of one connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: deque[messages.Message] = deque()
        self._errors_in_row = 0
        self._credits = 0
        self.play: PlayState | None = None
        #: set when the connection must be closed with this code
        self.close_code: int | None = None

    def receive(self, data: str | bytes, now: float) -> list[Answer]:
        """Take one message; ``now`` is a monotonic time in seconds."""
        try:
            message = self._parse(data)
        except _Refused as refused:
            return [self._refuse(refused)]
        self._errors_in_row = 0
        if isinstance(message, messages.Credit):
            self._credits = min(MAX_CREDITS, self._credits + message.n)
            return []
        if isinstance(message, messages.Play | messages.Pause | messages.Seek):
            return self._steer(message, now)
        superseded = self._supersede(message)
        if len(self._waiting) >= MAX_WAITING:
            return [
                *superseded,
                error(
                    message.id,
                    "E_BUSY",
                    "too_many_waiting",
                    f"{MAX_WAITING} requests are waiting already; wait for answers before asking more",
                    bound=MAX_WAITING,
                ),
            ]
        self._waiting.append(message)
        return superseded

    def next_job(self) -> messages.Message | Push | None:
        """The next thing to do now, requests before pushes."""
        if self._waiting:
            return self._waiting.popleft()
        play = self.play
        if play is None or play.ticks or self._credits < 1:
            return None
        self._credits -= 1
        return Push(play.request, play.at)

    def pushed(self, push: Push, stop: int, length: int) -> list[Answer]:
        """A window up to ``stop`` was sent; tells the end of the trace."""
        if self.play is None or self.play.request is not push.request or self.play.at != push.start:
            return []  # paused, replaced or moved meanwhile
        self.play.at = stop
        return self._end_at(length)

    def tick(self, now: float, length: int) -> list[Answer]:
        """Where a fast play is now."""
        play = self.play
        if play is None or not play.ticks:
            return []
        play.at = min(length, play.origin + int((now - play.since) * play.request.rate))
        if play.at >= length:
            return self._end_at(length)
        return [{"re": play.request.id, "type": "tick", "step": play.at}]

    def _end_at(self, length: int) -> list[Answer]:
        assert self.play is not None
        if self.play.at < length:
            return []
        request, self.play = self.play.request, None
        return [{"re": request.id, "type": "ended", "step": length - 1}]

    def _steer(self, message: messages.Play | messages.Pause | messages.Seek, now: float) -> list[Answer]:
        if isinstance(message, messages.Play):
            self.play = PlayState(message, message.start, now, message.start)
            return [{"re": message.id, "type": "playing", "step": message.start}]
        if isinstance(message, messages.Pause):
            step = self.play.at if self.play else None
            self.play = None
            return [{"re": message.id, "type": "paused", "step": step}]
        if self.play is None:
            return [error(message.id, "E_MESSAGE", "not_playing", "nothing is playing; send play first")]
        self.play = PlayState(self.play.request, message.step, now, message.step)
        return [{"re": message.id, "type": "playing", "step": message.step}]

    def _supersede(self, message: messages.Message) -> list[Answer]:
        if not isinstance(message, messages.Steps) or message.lane is None:
            return []
        old = [m for m in self._waiting if isinstance(m, messages.Steps) and m.lane == message.lane]
        for stale in old:
            self._waiting.remove(stale)
        return [{"re": stale.id, "type": "superseded"} for stale in old]

    # --- errors ---------------------------------------------------------------------------------------------------

    def _parse(self, data: str | bytes) -> messages.Message:
        if isinstance(data, bytes):
            raise _Refused(None, "binary", "messages to the server are JSON text, not binary; send text")
        try:
            raw = json.loads(data)
        except (ValueError, RecursionError) as problem:
            raise _Refused(None, "malformed", f"this is not JSON ({problem}); send one JSON object") from None
        given = raw.get("id") if isinstance(raw, dict) else None
        message_id = given if isinstance(given, int | str) and not isinstance(given, bool) else None
        try:
            return messages.ADAPTER.validate_python(raw)
        except ValidationError as problem:
            first = problem.errors(include_url=False, include_input=False)[0]
            path = ".".join(str(part) for part in first["loc"][1:]) or "type"
            raise _Refused(message_id, "bad_message", f"{path}: {first['msg']}", path) from None
        except RecursionError:
            raise _Refused(message_id, "malformed", "this JSON is nested too deeply; send a flatter one") from None

    def _refuse(self, refused: _Refused) -> Answer:
        self._errors_in_row += 1
        if self._errors_in_row >= self._settings.max_errors_in_row:
            self.close_code = 1008
        return error(refused.message_id, "E_MESSAGE", refused.reason, str(refused), field=refused.field)


class _Refused(Exception):
    def __init__(self, message_id: messages.Id | None, reason: str, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.message_id = message_id
        self.reason = reason
        self.field = field


def error(re: messages.Id | None, code: str, reason: str, message: str, **more: Any) -> Answer:
    """An error answer; ``more`` may hold field, value, bound, remedy."""
    answer: Answer = {"re": re, "type": "error", "code": code, "reason": reason, "message": message}
    return answer | {key: value for key, value in more.items() if value is not None}
