"""Answers to what a client asks of a trace: tensors, windows of steps, where numbers came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import engine
from app import messages, wire
from app.session import error
from engine import initializers

#: an engine's error → the code that programs tell errors apart by
CODES: dict[type[engine.EngineError], str] = {
    engine.ScenarioError: "E_SCENARIO",
    engine.RangeError: "E_RANGE",
    engine.BlobError: "E_IMAGE",
    engine.FormatError: "E_FORMAT",
    engine.Diverged: "E_DIVERGED",
}
#: room in a frame for the header of a window or tensor
HEADER_BYTES = 6 * 1024
#: terms that one request may make the server form, ≈ 20 ms
MAX_TERMS = 200_000


def tensor(trace: engine.Trace, ask: messages.Tensor, frame_bytes: int) -> bytes:
    """A frame with a tensor, a slice or its thumbnails; raises engine.RangeError."""
    if ask.name not in trace.tensors:
        raise _range("name", ask.name, list(trace.tensors), "unknown_tensor", "use a tensor of this trace")
    values = trace.tensors[ask.name]
    metadata: dict[str, Any] = {"re": ask.id, "type": "tensor", "trace": ask.trace, "name": ask.name}
    if ask.slice is not None:
        bounds = [[0, n] for n in values.shape]
        inside = len(ask.slice) == values.ndim and all(
            0 <= a < b <= n for (a, b), n in zip(ask.slice, values.shape, strict=True)
        )
        if not inside:
            raise _range("slice", ask.slice, bounds, "bad_slice", "use one pair [a, b) per dimension")
        values = values[tuple(slice(a, b) for a, b in ask.slice)]
        metadata["slice"] = [list(pair) for pair in ask.slice]
    if ask.thumb is not None and values.ndim == 4:
        metadata["thumb"] = ask.thumb
        return wire.pack(metadata, _thumbnails(ask.name, values, ask.thumb))
    most = frame_bytes - HEADER_BYTES
    if values.nbytes > most:
        raise _range("name", values.nbytes, most, "too_large", "ask for a slice, or for a thumb")
    return wire.pack(metadata, {ask.name: values})


def _thumbnails(name: str, values: np.ndarray, side: int) -> dict[str, np.ndarray]:
    """Columns of thumbnails: int8 [N, C, h, w], and ``.min`` and ``.max`` [N · C] of each whole map.

    127 is the map's largest magnitude and −128 stands for a number that is not finite: a colour needs no more, and
    a network of seventy maps fits 100 KB. Numbers to read come from whole tensors.
    """
    n, c = values.shape[:2]
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=(2, 3)).reshape(-1)
    high = np.where(finite, values, -np.inf).max(axis=(2, 3)).reshape(-1)
    largest = np.maximum(np.abs(low), np.abs(high)).reshape(n, c, 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = _pooled(values, side) / np.where(np.isfinite(largest) & (largest > 0), largest, 1) * 127
    codes = np.where(np.isfinite(scaled), np.rint(scaled), -128).astype(np.int8)
    return {name: codes, f"{name}.min": low.astype(np.float32), f"{name}.max": high.astype(np.float32)}


def _pooled(values: np.ndarray, side: int) -> np.ndarray:
    """Maps of at most ``side`` × ``side``: means over equal blocks, the last of which may be smaller."""
    for axis in (2, 3):
        size = values.shape[axis]
        if size > side:
            starts = np.arange(0, size, -(-size // side))
            counts = np.diff(np.append(starts, size))
            shape = [1, 1, 1, 1]
            shape[axis] = len(counts)
            values = np.add.reduceat(values, starts, axis=axis) / counts.reshape(shape).astype(values.dtype)
    return values


def steps(trace: engine.Trace, ask: messages.Steps, frame_bytes: int) -> bytes:
    """A frame with the window ``[start, stop)``, or as much of it as fits; raises engine.RangeError."""
    block = _range_checked(trace, ask.start, ask.stop)
    count = min(ask.stop - ask.start, window_length(trace, block, ask.terms, ask.top, frame_bytes))
    window = trace.window(ask.start, ask.start + count, ask.reading, ask.terms, ask.top)
    return _window_frame(trace, ask.id, window)


def push(trace: engine.Trace, ask: messages.Play, start: int, frame_bytes: int) -> tuple[bytes, int]:
    """The next window of a play and where it stops: about half a second of steps, within one block."""
    block, _ = trace.locate(start)
    top = ask.top if block.n_terms > 512 else None
    fits = window_length(trace, block, None, top, frame_bytes)
    stop = min(start + max(8, int(ask.rate / 2)), start + fits, block.stop)
    window = trace.window(start, stop, None, None, top)
    return _window_frame(trace, ask.id, window), stop


def _window_frame(trace: engine.Trace, re: Any, window: engine.Window) -> bytes:
    block = next(i for i, block in enumerate(trace.blocks) if block.writes == window.block.writes)
    metadata = {
        "re": re,
        "type": "steps",
        "trace": trace.scenario.digest,
        "start": window.start,
        "stop": window.stop,
        "block": block,
    }
    return wire.pack(metadata, window.columns)


def _range_checked(trace: engine.Trace, start: int, stop: int) -> engine.Block:
    block, _ = trace.locate(start)  # raises for a start outside
    if not start < stop <= block.stop:
        bound = [start + 1, block.stop]
        raise _range("stop", stop, bound, "bad_range", f"use a stop from {bound[0]} to {bound[1]}")
    return block


def window_length(
    trace: engine.Trace, block: engine.Block, terms: tuple[int, int] | None, top: int | None, frame_bytes: int
) -> int:
    """Steps of a block that fit one frame, at least 1; raises engine.RangeError when not even one does."""
    width = trace.tensors[block.writes].itemsize
    shown = min(top or block.n_terms, block.n_terms) if terms is None else terms[1] - terms[0]
    columns = 4 + width + 16 + 8 * (len(block.extra) + 1) + (4 + width) * len(block.addends)
    if block.partial is not None:
        columns += 8 * block.partial[1]
    per_step = columns + max(shown, 0) * (width + (4 + width) * len(block.roles))
    room = frame_bytes - HEADER_BYTES
    if per_step > room:
        remedy = "ask for a page of terms, or for the top ones"
        raise _range("stop", block.n_terms, room // ((4 + width) * 3), "too_many_terms", remedy)
    return max(1, min(room // per_step, MAX_TERMS // block.n_terms))


def init(trace: engine.Trace, ask: messages.Init) -> dict[str, Any]:
    """How the parameters of a node came to be; raises engine.RangeError for an unknown node."""
    names = [node.name for node in trace.network]
    if ask.node not in names:
        raise _range("node", ask.node, names, "unknown_node", "use a node of this network")
    return {"re": ask.id, "type": "init", "node": ask.node, "params": initializers.describe(trace, ask.node)}


def origin(trace: engine.Trace, ask: messages.Origin) -> dict[str, Any]:
    """Where the number in a cell came from; raises engine.RangeError."""
    return {"re": ask.id, "type": "origin", **trace.origin(ask.tensor, ask.cell)}


def _range(field: str, value: Any, bound: Any, reason: str, remedy: str) -> engine.RangeError:
    message = f"{field}: {value} is outside {bound}; {remedy}"
    return engine.RangeError(message, reason=reason, field=field, value=value, bound=bound, remedy=remedy)


def engine_error(re: Any, problem: engine.EngineError) -> Mapping[str, Any]:
    """An engine's error as an answer."""
    fields = problem.to_dict()
    if isinstance(problem, engine.Diverged):
        fields |= {"iteration": problem.iteration, "cell": list(problem.cell)}
    code = "E_WEIGHTS" if problem.reason == "missing_weights" else CODES.get(type(problem), "E_INTERNAL")
    return error(re, code, fields.pop("reason"), fields.pop("message"), **fields)
