"""The websocket: every answer equals the engine's, every bad request is told why, slow clients are dropped."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import socket
import struct
import time
from typing import Any

import numpy as np
import pytest
import websockets
from starlette.testclient import TestClient, WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import connect as open_socket
from websockets.typing import Subprotocol

import engine
from app import wire

URL = "ws://127.0.0.1:8000/ws"
SUB = ["convoscope.v1"]
CONV = {"name": "conv1", "kind": "conv2d", "out_channels": 2, "kernel_size": 3}
SMALL = {"input": {"values": np.arange(50).reshape(1, 2, 5, 5).tolist()}, "network": [CONV]}


def ask(ws: WebSocketTestSession, **message: Any) -> Any:
    """The answer to one request: a dict, or (metadata, columns)."""
    ws.send_text(json.dumps({"id": 1} | message))
    return read(ws)


def read(ws: WebSocketTestSession) -> Any:
    event = ws.receive()
    if event["type"] == "websocket.close":
        raise WebSocketDisconnect(event["code"])
    return json.loads(event["text"]) if event.get("text") else wire.unpack(event["bytes"])


def presets(client: TestClient) -> dict[str, Any]:
    found = re.search(r'id="boot">(.*?)</script>', client.get("/").text, re.S)
    assert found
    return {preset["id"]: preset["scenario"] for preset in json.loads(found[1])["presets"]}


@pytest.mark.parametrize("name", ["pencil", "lab", "lenet5", "tiny_vgg", "residual"])
def test_every_preset_opens_and_its_steps_are_the_engines(client: TestClient, name: str) -> None:
    document = presets(client)[name]
    with client.websocket_connect(URL, SUB) as ws:
        opened = ask(ws, type="open", scenario=document)
        assert opened["type"] == "opened"
        scenario = engine.Scenario.from_dict(document)
        assert opened["trace"] == scenario.digest
        store = client.app.app.state.images  # type: ignore[attr-defined]
        trace = engine.run(scenario, {blob: store.array(blob) for blob in scenario.blobs})
        assert opened["steps"] == len(trace)
        assert opened["blocks"] == [json.loads(json.dumps(block.header())) for block in trace.blocks]
        for summary in opened["tensors"]:
            assert summary["max"] == trace.tensors[summary["name"]].max()
        for block in trace.blocks:
            top = 12 if block.n_terms > 512 else None
            more = {"top": top} if top else {}
            start = block.start + block.n_steps // 2
            metadata, columns = ask(ws, type="steps", trace=opened["trace"], start=start, stop=start + 1, **more)
            assert (metadata["start"], metadata["stop"]) == (str(start), str(start + 1))
            expected = trace.window(start, start + 1, top=top).columns
            assert set(columns) == set(expected)
            for key, column in expected.items():
                assert np.array_equal(columns[key], column, equal_nan=True), key


def test_tensors_whole_sliced_and_as_thumbnails(client: TestClient) -> None:
    trace = engine.run(engine.Scenario.from_dict(SMALL))
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=SMALL)["trace"]
        _, whole = ask(ws, type="tensor", trace=digest, name="conv1.out")
        assert np.array_equal(whole["conv1.out"], trace.tensors["conv1.out"])
        cut = [[0, 1], [1, 2], [0, 2], [1, 3]]
        _, part = ask(ws, type="tensor", trace=digest, name="conv1.out", slice=cut)
        assert np.array_equal(part["conv1.out"], trace.tensors["conv1.out"][0:1, 1:2, 0:2, 1:3])
        _, small = ask(ws, type="tensor", trace=digest, name="input", thumb=3)
        x = trace.tensors["input"]
        assert small["input"].shape == (1, 2, 3, 3)
        assert small["input.min"].tolist() == x.min(axis=(2, 3)).ravel().tolist()
        assert small["input.max"].tolist() == x.max(axis=(2, 3)).ravel().tolist()
        blocks = x[:, :, :4, :4].reshape(1, 2, 2, 2, 2, 2).mean(axis=(3, 5))
        largest = x.max(axis=(2, 3), keepdims=True)
        np.testing.assert_allclose(small["input"][:, :, :2, :2] / 127 * largest, blocks, atol=largest.max() / 254)
        for bad in ({"name": "nothing"}, {"name": "input", "slice": [[0, 1]]},
                    {"name": "input", "slice": [[0, 1], [0, 3], [0, 5], [0, 5]]}):  # fmt: skip
            assert ask(ws, type="tensor", trace=digest, **bad)["code"] == "E_RANGE"


def test_a_tensor_too_large_for_a_frame_is_refused_with_the_remedy(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        big = {"input": {"values": np.zeros((1, 1, 90, 90)).tolist()}, "network": [CONV | {"out_channels": 9}]}
        digest = ask(ws, type="open", scenario=big)["trace"]
        answer = ask(ws, type="tensor", trace=digest, name="conv1.out")
        assert (answer["code"], answer["reason"]) == ("E_RANGE", "too_large")
        assert "slice" in answer["remedy"]


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (0, 0), (3, 2), (0, 10**9), (18, 19), (17, 19)])
def test_ranges_are_never_clamped(client: TestClient, start: int, stop: int) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=SMALL)["trace"]  # 18 steps
        answer = ask(ws, type="steps", trace=digest, start=start, stop=stop)
        assert (answer["code"], answer["field"]) == ("E_RANGE", "start" if start in (-1, 18) else "stop")
        assert answer["bound"]
        assert ask(ws, type="steps", trace=digest, start=17, stop=18)[0]["type"] == "steps"


def test_a_long_window_stops_where_the_frame_is_full(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        opened = ask(ws, type="open", scenario=presets(client)["tiny_vgg"])
        block = opened["blocks"][2]
        ws.send_text(json.dumps({"id": 1, "type": "steps", "trace": opened["trace"], "start": block["start"],
                                 "stop": block["stop"]}))  # fmt: skip
        frame = ws.receive()["bytes"]
        metadata, columns = wire.unpack(frame)
        assert 200 * 1024 < len(frame) <= 256 * 1024
        assert int(metadata["stop"]) - block["start"] == len(columns["cell"]) < block["stop"] - block["start"]


def test_unknown_traces_and_digests(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        unknown = "f" * 64
        assert ask(ws, type="steps", trace=unknown, start=0, stop=1)["code"] == "E_TRACE"
        assert ask(ws, type="open", digest=unknown)["code"] == "E_TRACE"
        digest = ask(ws, type="open", scenario=SMALL)["trace"]
        assert ask(ws, type="open", digest=digest)["trace"] == digest


@pytest.mark.parametrize(("document", "field", "reason"), [
    ({"network": [CONV | {"kernel_size": 9}], "input": SMALL["input"]}, "network[0].kernel_size", "kernel_too_big"),
    ({"network": [CONV | {"groups": 4}], "input": SMALL["input"]}, "network[0].groups", "bad_groups"),
    ({"network": [], "input": SMALL["input"]}, "network", "bad_value"),
    ({"network": [CONV | {"out_channels": 60000}], "input": {"values": np.zeros((1, 1, 60, 60)).tolist()}},
     "network", "over_budget"),
])  # fmt: skip
def test_bad_scenarios(client: TestClient, document: dict[str, Any], field: str, reason: str) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        answer = ask(ws, type="open", scenario=document)
        assert (answer["code"], answer["field"], answer["reason"]) == ("E_SCENARIO", field, reason)
        assert answer["remedy"]
        assert answer["value"] is not None
        assert ask(ws, type="open", scenario=SMALL)["type"] == "opened"


def test_a_missing_picture_is_told(client: TestClient) -> None:
    name = "sha256:" + "0" * 64
    with client.websocket_connect(URL, SUB) as ws:
        answer = ask(ws, type="open", scenario={"network": [CONV], "input": {"image": name, "shape": [1, 8, 8]}})
        assert (answer["code"], answer["value"]) == ("E_IMAGE", name)


def test_play_pushes_one_window_per_credit_and_tells_the_end(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=SMALL)["trace"]
        assert ask(ws, type="play", trace=digest, start=0, rate=20)["type"] == "playing"
        ws.send_text('{"type":"credit","n":8}')
        at = 0
        while at < 18:
            metadata, _ = read(ws)
            assert (metadata["re"], metadata["start"]) == ("1", str(at))
            at = int(metadata["stop"])
        assert read(ws) == {"re": 1, "type": "ended", "step": 17}
        assert ask(ws, type="pause") == {"re": 1, "type": "paused", "step": None}


def test_fast_play_ticks_to_the_end(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        opened = ask(ws, type="open", scenario=presets(client)["lenet5"])
        answers = [ask(ws, type="play", trace=opened["trace"], start=0, rate=100_000)]
        while answers[-1]["type"] != "ended":
            answers.append(read(ws))
        ticks = [answer["step"] for answer in answers if answer["type"] == "tick"]
        assert ticks == sorted(ticks)
        assert answers[-1]["step"] == opened["steps"] - 1


def test_play_from_outside_is_an_error(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=SMALL)["trace"]
        ask(ws, type="play", trace=digest, start=99, rate=20)
        ws.send_text('{"type":"credit","n":1}')
        assert read(ws)["code"] == "E_RANGE"
        ask(ws, type="play", trace="e" * 64, start=0, rate=20)
        ws.send_text('{"type":"credit","n":1}')
        assert read(ws)["code"] == "E_TRACE"


def test_init_and_origin(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=SMALL)["trace"]
        answer = ask(ws, type="init", trace=digest, node="conv1")
        assert [param["tensor"] for param in answer["params"]] == ["conv1.weight", "conv1.bias"]
        assert ask(ws, type="init", trace=digest, node="conv2")["code"] == "E_RANGE"
        assert ask(ws, type="origin", trace=digest, tensor="input", cell=[0, 1, 0, 0])["value"] == 25
        assert ask(ws, type="origin", trace=digest, tensor="input", cell=[9])["code"] == "E_RANGE"


def test_twenty_errors_in_a_row_close_with_1008(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        for _ in range(20):
            ws.send_text("{")
            assert read(ws)["code"] == "E_MESSAGE"
        with pytest.raises(WebSocketDisconnect) as caught:
            read(ws)
        assert caught.value.code == 1008


def test_binary_from_the_client_is_an_error_and_the_connection_lives(client: TestClient) -> None:
    with client.websocket_connect(URL, SUB) as ws:
        ws.send_bytes(b"\x00")
        assert read(ws)["reason"] == "binary"
        assert ask(ws, type="open", scenario=SMALL)["type"] == "opened"


@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"origin": "null"}, {"host": "evil.example"}])
def test_foreign_origins_and_hosts_are_refused(client: TestClient, headers: dict[str, str]) -> None:
    with (
        pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)),
        client.websocket_connect(URL, SUB, headers=headers),
    ):
        pass


def test_the_subprotocol_is_required(client: TestClient) -> None:
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), client.websocket_connect(URL):
        pass


# --- a real server on a real socket -------------------------------------------------------------------------------


def connect(host: str, **more: Any) -> Any:
    return open_socket(
        f"ws://{host}/ws",
        subprotocols=[Subprotocol("convoscope.v1")],
        compression=None,
        max_size=None,
        proxy=None,
        **more,
    )


def test_a_message_over_64_kib_closes_with_1009(served: tuple[str, Any]) -> None:
    async def run() -> int:
        async with connect(served[0]) as ws:
            await ws.send("x" * (64 * 1024 + 1))
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await ws.recv()
            return caught.value.rcvd.code if caught.value.rcvd else 0

    assert asyncio.run(run()) == 1009


def test_too_many_connections_are_turned_away(served: tuple[str, Any]) -> None:
    async def run() -> None:
        sockets = [await connect(served[0]) for _ in range(20)]
        with pytest.raises(websockets.InvalidStatus):
            await connect(served[0])
        for ws in sockets:
            await ws.close()
        async with connect(served[0]):
            pass

    asyncio.run(run())


def handshake(host: str) -> socket.socket:
    """A raw websocket with a small receive buffer, so that a reader that stops is felt soon."""
    name, port = host.split(":")
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    raw.connect((name, int(port)))
    raw.sendall(
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: convoscope.v1\r\n\r\n".encode()
    )
    raw.recv(4096)
    return raw


def text_frame(text: str) -> bytes:
    """A masked text frame; the mask is zero."""
    data = text.encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
    return b"\x81" + size + bytes(4) + data


def wait_for_count(connections: Any, wanted: int, within_s: float) -> bool:
    """Whether the number of open websockets becomes ``wanted`` in time."""
    began = time.monotonic()
    while connections.count != wanted and time.monotonic() - began < within_s:
        time.sleep(0.01)
    return connections.count == wanted


def test_a_client_that_stops_reading_is_dropped_and_its_memory_returns(served: tuple[str, Any]) -> None:
    host, application = served
    connections = application.state.connections
    assert wait_for_count(connections, 0, 10), "an earlier test left a connection"
    big = {"input": {"values": np.ones((1, 1, 40, 40)).tolist()}, "network": [CONV | {"out_channels": 32}]}
    digest = engine.Scenario.from_dict(big).digest
    with handshake(host) as raw:
        raw.sendall(text_frame(json.dumps({"id": 1, "type": "open", "scenario": big})))
        for i in range(200):  # ≈ 185 KB each and never read
            raw.sendall(text_frame(json.dumps({"id": i, "type": "tensor", "trace": digest, "name": "conv1.out"})))
        assert wait_for_count(connections, 1, 5)
        assert wait_for_count(connections, 0, 10), "the client was not dropped within 10 s"
    gc.collect()
    held = [one for one in gc.get_objects() if type(one).__name__ == "_Connection"]
    assert held == []


def test_others_are_served_while_one_does_not_read(served: tuple[str, Any]) -> None:
    raw = handshake(served[0])
    digest = engine.Scenario.from_dict(SMALL).digest
    raw.sendall(text_frame(json.dumps({"id": 1, "type": "open", "scenario": SMALL})))
    for i in range(300):
        raw.sendall(text_frame(json.dumps({"id": i, "type": "steps", "trace": digest, "start": 0, "stop": 18})))

    async def run() -> float:
        async with connect(served[0]) as ws:
            began = time.monotonic()
            await ws.send(json.dumps({"id": 1, "type": "open", "scenario": SMALL}))
            assert json.loads(await ws.recv())["type"] == "opened"
            return time.monotonic() - began

    with raw:
        assert asyncio.run(run()) < 2


def test_another_reading_of_a_block_comes_as_a_window_of_that_block(client: TestClient) -> None:
    document = {
        "input": {"values": [[[[1, 2, 0], [0, 1, 3], [2, 0, 1]]]]},
        "network": [{"name": "conv1", "kind": "conv2d", "out_channels": 1, "kernel_size": 2}],
        "target": [[[[0, 0], [0, 0]]]],
        "loss": {"kind": "mse"},
    }
    with client.websocket_connect(URL, SUB) as ws:
        opened = ask(ws, type="open", scenario=document)
        block = next(block for block in opened["blocks"] if block["writes"] == "input.grad")
        assert block["readings"] == ["gather", "scatter"]
        sums = {}
        for reading in block["readings"]:
            about = {"trace": opened["trace"], "start": block["start"], "stop": block["stop"], "reading": reading}
            ws.send_json({"id": 7, "type": "steps", **about})
            metadata, columns = wire.unpack(ws.receive_bytes())
            assert opened["blocks"][int(metadata["block"])] == block
            sums[reading] = columns["term"].sum(axis=1)
        np.testing.assert_allclose(sums["gather"], sums["scatter"], atol=1e-6)
