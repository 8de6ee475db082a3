"""A server in a process of its own, and the websocket's figures."""

from __future__ import annotations

import asyncio
import json
import random
import re
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench.table import Row


@contextmanager
def running() -> Iterator[str]:
    """``host:port`` of ``convoscope`` as a user would start it."""
    command = [sys.executable, "-m", "app.cli", "--no-open", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://([^/\s]+)", server.stdout.readline())
    assert found, "the server printed no address"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{found[1]}/healthz", timeout=5).read()
                break
            except OSError:
                time.sleep(0.05)
        yield found[1]
    finally:
        server.terminate()
        server.wait(20)


def rows(host: str) -> list[Row]:
    """Steps a second in windows of 256, and the round trip of one random window."""
    return asyncio.run(_rows(host))


def _boot(host: str) -> dict[str, Any]:
    text = urllib.request.urlopen(f"http://{host}/", timeout=20).read().decode()
    found = re.search(r'id="boot">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


async def _rows(host: str) -> list[Row]:
    presets = {preset["id"]: preset["scenario"] for preset in _boot(host)["presets"]}
    subprotocols = [Subprotocol("convoscope.v1")]
    async with connect(f"ws://{host}/ws", subprotocols=subprotocols, compression=None, max_size=None) as ws:
        await ws.send(json.dumps({"id": 0, "type": "open", "scenario": presets["tiny_vgg"]}))
        opened = json.loads(await ws.recv())
        block = opened["blocks"][0]  # 27 terms a step

        def ask(at: int) -> str:
            return json.dumps({"id": at, "type": "steps", "trace": opened["trace"], "start": at, "stop": at + 256})

        trips = []
        stream = random.Random(0)
        for _ in range(300):
            began = time.perf_counter()
            await ws.send(ask(stream.randrange(block["start"], block["stop"] - 256)))
            await ws.recv()
            trips.append(time.perf_counter() - began)
        best = []
        for _ in range(5):
            began = time.perf_counter()
            places = range(block["start"], block["stop"] - 256, 256)
            sender = asyncio.ensure_future(_send_all(ws, [ask(at) for at in places]))
            for _ in places:
                await ws.recv()
            await sender
            best.append(len(places) * 256 / (time.perf_counter() - began))
        backward = await _backward(ws, presets["tiny_vgg"])
    return [
        Row("round trip of one random window of 256, p50", statistics.median(trips) * 1e3, "ms", "≤ 2"),
        Row("round trip of one random window of 256, p99", sorted(trips)[-4] * 1e3, "ms"),
        Row("steps over one websocket in windows of 256", statistics.median(best), "steps/s", "≥ 200000"),
        *backward,
    ]


async def _backward(ws: Any, document: dict[str, Any]) -> list[Row]:
    """A whole training step of Tiny VGG: opening it, and single steps anywhere in its backward blocks."""
    opens, opened = [], {}
    for seed in range(9):
        scenario = document | {"target": 3, "optimizer": {"kind": "adam"}, "params": {"seed": seed}}
        began = time.perf_counter()
        await ws.send(json.dumps({"id": seed, "type": "open", "scenario": scenario}))
        opened = json.loads(await ws.recv())
        opens.append(time.perf_counter() - began)
    trips = []
    stream = random.Random(0)
    blocks = [block for block in opened["blocks"] if block["phase"] == "backward"]
    for i in range(300):
        block = blocks[i % len(blocks)]
        at = stream.randrange(block["start"], block["stop"])
        began = time.perf_counter()
        await ws.send(json.dumps({"id": at, "type": "steps", "trace": opened["trace"], "start": at, "stop": at + 1}))
        await ws.recv()
        trips.append(time.perf_counter() - began)
    return [
        Row("opening a training step of Tiny VGG, new weights", statistics.median(opens) * 1e3, "ms"),
        Row("round trip of a step of any backward block, p50", statistics.median(trips) * 1e3, "ms", "≤ 3"),
        Row("round trip of a step of any backward block, p99", sorted(trips)[-4] * 1e3, "ms"),
    ]


async def _send_all(ws: Any, texts: list[str]) -> None:
    for text in texts:
        await ws.send(text)
