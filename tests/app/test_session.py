"""The protocol without sockets: order, lanes, credits, play, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.session import MAX_WAITING, Push, Session
from app.settings import Settings

TRACE = "0" * 64


def session(**more: Any) -> Session:
    return Session(Settings(**more))


def steps(message_id: int, **more: Any) -> str:
    return json.dumps({"id": message_id, "type": "steps", "trace": TRACE, "start": 0, "stop": 1} | more)


def jobs(one: Session) -> list[Any]:
    found = []
    while (job := one.next_job()) is not None:
        found.append(job.start if isinstance(job, Push) else job.id)
    return found


def test_requests_are_answered_in_order() -> None:
    one = session()
    for i in range(3):
        assert one.receive(steps(i), 0) == []
    assert jobs(one) == [0, 1, 2]


def test_in_a_lane_the_latest_wins_and_the_others_are_told() -> None:
    one = session()
    assert one.receive(steps(1, lane="scrub"), 0) == []
    assert one.receive(steps(2), 0) == []
    assert one.receive(steps(3, lane="scrub"), 0) == [{"re": 1, "type": "superseded"}]
    assert one.receive(steps(4, lane="other"), 0) == []
    assert jobs(one) == [2, 3, 4]


def test_one_credit_is_one_frame() -> None:
    one = session()
    one.receive(json.dumps({"id": 9, "type": "play", "trace": TRACE, "start": 5, "rate": 10}), 0)
    assert one.next_job() is None
    one.receive('{"type":"credit","n":2}', 0)
    first = one.next_job()
    assert isinstance(first, Push)
    assert first.start == 5
    assert one.pushed(first, 13, 100) == []
    second = one.next_job()
    assert isinstance(second, Push)
    assert second.start == 13
    assert one.pushed(second, 100, 100) == [{"re": 9, "type": "ended", "step": 99}]
    one.receive('{"type":"credit","n":2}', 0)
    assert one.next_job() is None


def test_requests_come_before_pushes() -> None:
    one = session()
    one.receive(json.dumps({"id": 9, "type": "play", "trace": TRACE, "start": 5, "rate": 10}), 0)
    one.receive('{"type":"credit","n":1}', 0)
    one.receive(steps(1), 0)
    assert jobs(one) == [1, 5]


def test_seek_moves_a_play_and_pause_ends_it() -> None:
    one = session()
    one.receive(json.dumps({"id": 9, "type": "play", "trace": TRACE, "start": 0, "rate": 10}), 0)
    one.receive('{"type":"credit","n":3}', 0)
    push = one.next_job()
    assert isinstance(push, Push)
    assert one.receive('{"id":10,"type":"seek","step":50}', 0) == [{"re": 10, "type": "playing", "step": 50}]
    assert one.pushed(push, 8, 100) == []  # an old window does not move the new head
    moved = one.next_job()
    assert isinstance(moved, Push)
    assert moved.start == 50
    assert one.receive('{"id":11,"type":"pause"}', 0) == [{"re": 11, "type": "paused", "step": 50}]
    assert one.next_job() is None


def test_fast_play_only_tells_where_it_is() -> None:
    one = session()
    one.receive(json.dumps({"id": 9, "type": "play", "trace": TRACE, "start": 100, "rate": 5000}), 10.0)
    one.receive('{"type":"credit","n":3}', 10.0)
    assert one.next_job() is None
    assert one.tick(10.5, 10_000) == [{"re": 9, "type": "tick", "step": 2600}]
    assert one.tick(99.0, 10_000) == [{"re": 9, "type": "ended", "step": 9999}]
    assert one.tick(99.1, 10_000) == []


@pytest.mark.parametrize(("data", "reason", "re"), [
    ("{", "malformed", None),
    ("[" * 100_000, "malformed", None),
    ("[]", "bad_message", None),
    (b"\x00\x01", "binary", None),
    ('{"id":1,"type":"dance"}', "bad_message", 1),
    ('{"id":1}', "bad_message", 1),
    ('{"type":"pause"}', "bad_message", None),
    ('{"id":1,"type":"steps","trace":"x","start":0,"stop":1}', "bad_message", 1),
    ('{"id":1,"type":"open"}', "bad_message", 1),
    ('{"id":1,"type":"pause","more":1}', "bad_message", 1),
    ('{"type":"credit","n":0}', "bad_message", None),
])  # fmt: skip
def test_bad_messages_get_a_typed_error_and_the_session_lives(data: Any, reason: str, re: Any) -> None:
    one = session()
    (answer,) = one.receive(data, 0)
    assert (answer["type"], answer["code"], answer["reason"], answer["re"]) == ("error", "E_MESSAGE", reason, re)
    assert one.close_code is None
    assert one.receive(steps(2), 0) == []
    assert jobs(one) == [2]


def test_twenty_errors_in_a_row_close_the_connection() -> None:
    one = session()
    for _ in range(19):
        one.receive("{", 0)
    one.receive(steps(1), 0)
    for _ in range(19):
        one.receive("{", 0)
    assert one.close_code is None
    one.receive("{", 0)
    assert one.close_code == 1008


def test_the_queue_is_bounded() -> None:
    one = session()
    for i in range(MAX_WAITING):
        assert one.receive(steps(i), 0) == []
    (answer,) = one.receive(steps(999), 0)
    assert (answer["code"], answer["bound"]) == ("E_BUSY", MAX_WAITING)
    assert len(jobs(one)) == MAX_WAITING
