"""The engine alone: forward passes, the price of a trace, windows near and far."""

from __future__ import annotations

import random
from functools import partial

import numpy as np

import engine
from app import presets, samples
from app.images import ImageStore
from app.settings import Settings
from bench.table import Row, interleaved
from engine.compute import load_params
from engine.layer import Context


def _documents() -> dict[str, dict]:
    store = ImageStore(Settings())
    ids = {sample["name"]: sample["id"] for sample in samples.install(store)}
    found = {preset["id"]: preset["scenario"] for preset in presets.presets(ids)}
    for document in found.values():
        if "image" in document["input"]:
            pixels = store.array(document["input"]["image"])
            trace = engine.run(engine.Scenario.from_dict(document), {document["input"]["image"]: pixels})
            document["input"] = {"values": trace.tensors["input"].tolist()}
    return found


def forward() -> list[Row]:
    """One picture through LeNet and Tiny VGG, with and without keeping every tensor."""
    rows = []
    for name, document in _documents().items():
        if name not in ("lenet5", "tiny_vgg"):
            continue
        scenario = engine.Scenario.from_dict(document)
        params, context = load_params(scenario, {}), Context()
        x = np.array(document["input"]["values"], np.float32)

        def bare(s=scenario, p=params, x=x, c=context) -> None:
            s.network.forward(p, x, c)

        def traced(s=scenario, p=params, x=x, c=context) -> None:
            kept = {"input": x, **p}
            s.network.forward(p, x, c, keep=kept)
            engine.Trace(s, kept)

        times = interleaved({"bare": bare, "traced": traced, "run": lambda s=scenario: engine.run(s)})
        rows += [
            Row(f"forward without trace, {name}", times["bare"] * 1e3, "ms"),
            Row(f"forward with trace, {name}", times["traced"] * 1e3, "ms"),
            Row(f"trace ÷ bare forward, {name}", times["traced"] / times["bare"], "ratio"),
            Row(f"engine.run with drawing the weights, {name}", times["run"] * 1e3, "ms"),
        ]
    return rows


def windows() -> list[Row]:
    """256 steps of a 3×3×10 convolution at the ends and in the middle of a short and of a very long trace."""
    rows = []
    for label, side, channels in (("10⁴", 34, 10), ("10⁹", 10_002, 10)):
        trace = _broadcast(side, channels)
        last = len(trace) - 256
        places = {"start": 0, "middle": last // 2, "end": last}
        calls = {key: partial(trace.window, at, at + 256) for key, at in places.items()}
        times = interleaved({**calls, "single": partial(_anywhere, trace, random.Random(0))})
        for key in places:
            per_20k = times[key] * 20_000 / (256 * trace.blocks[0].n_terms)
            rows.append(Row(f"window of 256 steps × 90 terms, {label} steps, {key}", times[key] * 1e3, "ms"))
            rows.append(Row(f"  per 20 000 terms, {label} steps, {key}", per_20k * 1e3, "ms", "≤ 2"))
        rows.append(Row(f"single random step, {label} steps", times["single"] * 1e6, "µs"))
    return rows


def blocks() -> list[Row]:
    """A window of every kind of block of a training step of Tiny VGG, per 20 000 terms; the dearest are shown."""
    document = _documents()["tiny_vgg"] | {"target": 3, "penalty": {"l1": 1e-4, "l2": 1e-4}, "mode": "train"}
    document["optimizer"] = {"kind": "adam", "clip_norm": 1.0}
    trace = engine.run(engine.Scenario.from_dict(document))
    seen: dict[tuple[str, str, str], float] = {}
    for block in trace.blocks:
        for reading in block.readings:
            terms = max(1, block.read_as(reading).n_terms)
            steps = max(1, min(block.n_steps, 20_000 // terms))
            last = block.stop - steps
            call = partial(trace.window, last, block.stop, reading)
            best = interleaved({"window": call}, rounds=5, inner=1)["window"]
            cost = best * 20_000 / max(20_000, steps * terms) * 1e3
            key = (block.phase, block.kind, f"{block.writes.rsplit('.', 1)[-1]}, {reading}")
            seen[key] = max(cost, seen.get(key, 0.0))
    dearest = sorted(seen.items(), key=lambda item: -item[1])
    return [
        Row(f"window of 20 000 terms, {phase} {kind} {what}", cost, "ms", "≤ 2")
        for (phase, kind, what), cost in dearest[:8]
    ]


def _anywhere(trace: engine.Trace, stream: random.Random) -> engine.Window:
    at = stream.randrange(len(trace))
    return trace.window(at, at + 1)


def _broadcast(side: int, channels: int) -> engine.Trace:
    """A convolution's trace whose large tensors take no memory."""
    scenario = engine.Scenario.from_dict({
        "input": {"tensor": "sha256:" + "0" * 64, "shape": [1, 10, side, side]},
        "network": [{"name": "conv1", "kind": "conv2d", "out_channels": channels, "kernel_size": 3}],
    })  # fmt: skip
    return engine.Trace(scenario, {
        "input": np.broadcast_to(np.float32(0.5), (1, 10, side, side)),
        "conv1.weight": np.ones((channels, 10, 3, 3), np.float32),
        "conv1.bias": np.zeros(channels, np.float32),
        "conv1.out": np.broadcast_to(np.float32(45), (1, channels, side - 2, side - 2)),
    })  # fmt: skip
