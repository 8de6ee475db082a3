"""Answers that take the engine real work: nudges, trails, saliency maps, iterations.

All of it is done in the traces' thread, the long ones in pieces, so that others get their turn between them.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

import engine
from app import messages, wire
from app.answers import HEADER_BYTES
from app.settings import Settings
from app.traces import Traces
from engine import saliency
from engine.advance import Advanced, Walk
from engine.document import finite
from engine.nudging import Probe, nudge_with
from engine.trail import trail

#: work that is done at a time, ≈ 20 to 50 ms
PIECE_FLOPS = 200_000_000
PIECE_ITERATIONS = 20
#: numbers of a series that one answer may have, ≈ 160 KB of JSON beside a scenario of at most 64 KB
MAX_NUMBERS = 8000

Answer = dict[str, Any]


async def nudge(traces: Traces, trace: engine.Trace, ask: messages.Nudge, settings: Settings) -> Answer:
    """A finite difference beside the gradient, and the losses along longer moves, in float64."""
    moves = ask.moves or []
    # a third of the work is a forward pass; three of them and a backward pass are the nudge; float64 doubles it
    need_budget(2 * trace.scenario.limits.flops * (len(moves) + 5) // 3, settings, "moves", len(moves))
    return await traces.run(_nudge, trace, ask, moves)


def _nudge(trace: engine.Trace, ask: messages.Nudge, moves: list[float]) -> Answer:
    probe = Probe.of(trace, ask.tensor, ask.cell)
    found = nudge_with(probe, ask.eps)
    curve = [[move, finite(probe.loss(probe.value + move))] for move in moves]
    return {
        "re": ask.id,
        "type": "nudge",
        "trace": ask.trace,
        "tensor": found.tensor,
        "cell": list(found.cell),
        "value": finite(found.value),
        "eps": found.eps,
        "loss": finite(found.loss),
        "low": finite(found.loss_low),
        "high": finite(found.loss_high),
        "difference": finite(found.difference),
        "gradient": finite(found.gradient),
        "relative": finite(found.relative),
        "digits": found.digits,
        "curve": curve,
    }


async def follow(traces: Traces, trace: engine.Trace, ask: messages.Trail) -> Answer:
    """The chain-rule trail of a cell; raises engine.RangeError, engine.ScenarioError."""
    found = await traces.run(trail, trace, ask.tensor, ask.cell)
    return {"re": ask.id, "type": "trail", "trace": ask.trace, **found}


async def salient(traces: Traces, trace: engine.Trace, ask: messages.Saliency, settings: Settings) -> bytes:
    """A frame with the column ``map`` [N, 1, H, W] and, by method, ``alpha`` [N, C] or ``channel`` [N, 1, H, W]."""
    scenario = saliency.score_scenario(trace.scenario, ask.target)
    scored = await traces.open(scenario.document)
    found = await traces.run(saliency.METHODS[ask.method], scored, ask.node)
    metadata = {
        "re": ask.id,
        "type": "saliency",
        "trace": ask.trace,
        "method": ask.method,
        "class": ask.target,
        "node": found.node or "",
        "samples": len(found.map),
        "score": json.dumps(finite(found.score)),
        "tensor": found.tensor,
        "digest": scenario.digest,
        "scenario": scenario.canonical,
    }
    columns = {"map": found.map.astype(np.float32)}
    if found.alpha is not None:
        columns["alpha"] = found.alpha.astype(np.float32)
    if found.channel is not None:
        columns["channel"] = found.channel
    # a JSON text in a JSON header: each of its quotes is escaped
    room = settings.max_frame_bytes - HEADER_BYTES - 2 * len(scenario.canonical)
    size = sum(column.nbytes for column in columns.values())
    if size > room:
        raise engine.RangeError(
            f"a map of {size:,} bytes does not fit a frame; use a smaller input, or Grad-CAM at a later node",
            reason="too_large",
            field="method",
            value=size,
            bound=room,
            remedy="use a smaller input, or Grad-CAM at a later node",
        )
    return wire.pack(metadata, columns)


async def advance(traces: Traces, ask: messages.Advance, settings: Settings) -> Answer:
    """Iterations of a scenario on its own picture; what they made is kept for the scenario that is answered."""
    scenario = engine.Scenario.from_dict(ask.scenario)
    traces.check_budget(scenario)
    flops = max(1, scenario.limits.flops)
    need_budget(flops * ask.iterations, settings, "iterations", ask.iterations)
    watch = [(one.tensor, one.cell) for one in ask.watch]
    _check_numbers(scenario, ask)
    walk: Walk = await traces.run(lambda: Walk(scenario, traces.blobs_of(scenario), watch))
    piece = max(1, min(PIECE_ITERATIONS, PIECE_FLOPS // flops))
    for first in range(0, ask.iterations, piece):
        await traces.run(walk.go, min(piece, ask.iterations - first))
    found: Advanced = await traces.run(walk.end)
    await traces.run(_keep, traces, found)  # in the thread that also looks for them
    return {
        "re": ask.id,
        "type": "advanced",
        "scenario": found.scenario.to_dict(),
        "iteration": found.scenario.iteration,
        "losses": found.losses,
        "series": found.series,
    }


def _keep(traces: Traces, found: Advanced) -> None:
    for name, tensors in found.blobs.items():
        traces.blobs.put(name, tensors)


def _check_numbers(scenario: engine.Scenario, ask: messages.Advance) -> None:
    states = len(scenario.objective.optimizer.states()) if scenario.objective else 0
    numbers = ask.iterations * (1 + len(ask.watch) * (2 + states))
    if numbers > MAX_NUMBERS:
        remedy = "watch fewer cells, or ask for fewer iterations at a time"
        raise engine.RangeError(
            f"iterations: {numbers:,} numbers do not fit one answer, which has at most {MAX_NUMBERS:,}; {remedy}",
            reason="too_many_numbers",
            field="iterations",
            value=numbers,
            bound=MAX_NUMBERS,
            remedy=remedy,
        )


def need_budget(flops: int, settings: Settings, field: str, value: int) -> None:
    """Raise ScenarioError where one request would keep the engine busy for too long."""
    most = settings.max_request_flops
    if flops > most:
        remedy = f"use fewer {field}, or a smaller network"
        raise engine.ScenarioError(
            f"{field}: {value} on this network need {flops:,} flops, more than this server's {most:,}; {remedy}",
            reason="over_budget",
            field=field,
            value=value,
            bound=most,
            remedy=remedy,
        )
