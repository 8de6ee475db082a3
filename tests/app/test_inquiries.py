"""Nudges, trails, saliency maps and iterations through the websocket: every answer is the engine's."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import engine
from app import answers
from app.blobs import MemoryBlobs
from app.main import create_app
from app.settings import Settings
from engine import advance, analysis, saliency
from engine.trail import trail
from tests.app.conftest import HOST
from tests.app.test_ws import SUB, URL, ask, presets

STEP: dict[str, Any] = {"target": 3, "optimizer": {"kind": "adam"}, "penalty": {"l2": 0.001}, "mode": "train"}


def lenet(client: TestClient, **more: Any) -> tuple[dict[str, Any], engine.Trace]:
    """LeNet's whole training step, as a document and computed here."""
    document = presets(client)["lenet5"] | STEP | more
    scenario = engine.Scenario.from_dict(document)
    store = client.app.app.state.images  # type: ignore[attr-defined]
    return document, engine.run(scenario, {name: store.array(name) for name in scenario.blobs})


def test_a_nudge_is_the_engines_and_agrees(client: TestClient) -> None:
    document, trace = lenet(client)
    stream = np.random.default_rng(0)
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=document)["trace"]
        for tensor in ("input", "conv1.weight", "fc1.weight", "fc3.bias"):
            cell = [int(stream.integers(n)) for n in trace.tensors[tensor].shape]
            moves = [-1, 0, 1e-5, 2.5]
            found = ask(ws, type="nudge", trace=digest, tensor=tensor, cell=cell, moves=moves)
            assert (found["type"], found["tensor"], found["cell"]) == ("nudge", tensor, cell)
            assert found["value"] == trace.tensors[tensor][tuple(cell)]
            assert found["difference"] == (found["high"] - found["low"]) / 2e-5
            assert found["digits"] >= 4 or abs(found["difference"] - found["gradient"]) < 1e-9
            stored = float(trace.tensors[f"{tensor}.grad"][tuple(cell)])
            assert found["gradient"] == pytest.approx(stored, rel=1e-3, abs=1e-6)
            assert [move for move, _ in found["curve"]] == moves
            assert [loss for _, loss in found["curve"]][1:3] == [found["loss"], found["high"]]
        plain = ask(ws, type="nudge", trace=digest, tensor="fc3.bias", cell=[1], eps=0.01)
        assert (plain["eps"], plain["curve"]) == (0.01, [])


@pytest.mark.parametrize(("bad", "code"), [
    ({"tensor": "conv1.out"}, "E_RANGE"), ({"cell": [0, 0, 0, 28]}, "E_RANGE"), ({"cell": [0]}, "E_RANGE"),
    ({"eps": 0}, "E_MESSAGE"), ({"eps": math.inf}, "E_MESSAGE"), ({"moves": [math.nan]}, "E_MESSAGE"),
    ({"moves": [1.0] * 65}, "E_MESSAGE"), ({"trace": "0" * 64}, "E_TRACE"), ({"moves": [1e300] * 2}, None),
])  # fmt: skip
def test_a_nudge_that_cannot_be_is_refused(client: TestClient, bad: dict[str, Any], code: str | None) -> None:
    document, _ = lenet(client)
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=document)["trace"]
        found = ask(ws, **{"type": "nudge", "trace": digest, "tensor": "input", "cell": [0, 0, 0, 0]} | bad)
        assert found.get("code") == code
        if code is None:  # what is not finite has no number
            assert found["curve"][0][0] == 1e300


def test_a_trail_is_the_engines(client: TestClient) -> None:
    document, trace = lenet(client)
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=document)["trace"]
        for tensor, cell in (("input", [0, 0, 10, 12]), ("conv2.weight", [3, 2, 1, 1]), ("relu1.out", [0, 1, 9, 9])):
            found = ask(ws, type="trail", trace=digest, tensor=tensor, cell=cell)
            expected = trail(trace, tensor, cell)
            assert found == {"re": 1, "type": "trail", "trace": digest, **json.loads(json.dumps(expected))}
            for link in found["links"]:
                metadata, columns = ask(ws, type="steps", trace=digest, start=link["step"], stop=link["step"] + 1,
                                        top=4)  # fmt: skip
                assert metadata["type"] == "steps"
                assert float(columns["result"][0]) == link["value"]
        assert ask(ws, type="trail", trace=digest, tensor="target", cell=[0])["code"] == "E_RANGE"
        plain = ask(ws, type="open", scenario=presets(client)["pencil"])["trace"]
        assert ask(ws, type="trail", trace=plain, tensor="input", cell=[0] * 4)["code"] == "E_SCENARIO"


@pytest.mark.parametrize("method", saliency.METHODS)
def test_a_saliency_map_is_the_engines_and_its_trace_can_be_opened(client: TestClient, method: str) -> None:
    document, trace = lenet(client)
    store = client.app.app.state.images  # type: ignore[attr-defined]
    with client.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=document)["trace"]
        metadata, columns = ask(ws, **{"type": "saliency", "trace": digest, "class": 7, "method": method})
        scenario = saliency.score_scenario(trace.scenario, 7)
        scored = engine.run(scenario, {name: store.array(name) for name in scenario.blobs})
        expected = saliency.METHODS[method](scored, None)
        assert np.array_equal(columns["map"], expected.map)
        assert (metadata["tensor"], metadata["class"], metadata["node"]) == (
            expected.tensor,
            "7",
            expected.node or "",
        )
        assert json.loads(metadata["score"]) == expected.score == scored.tensors["fc3.out"][0, 7]
        assert set(columns) == {"map"} | {"grad_cam": {"alpha"}, "gradient": {"channel"}}.get(method, set())
        opened = ask(ws, type="open", scenario=json.loads(metadata["scenario"]))
        assert opened["trace"] == metadata["digest"] == scenario.digest
        assert opened["loss"] == expected.score
        gradient = ask(ws, type="tensor", trace=metadata["digest"], name=metadata["tensor"])[1][expected.tensor]
        assert np.array_equal(gradient, scored.tensors[expected.tensor])
        if method == "grad_cam":
            chosen = ask(ws, **{"type": "saliency", "trace": digest, "class": 7, "method": method, "node": "conv1"})
            assert chosen[1]["map"].shape == (1, 1, 28, 28)
            bad = {"type": "saliency", "trace": digest, "class": 7, "method": method, "node": "fc1"}
            assert ask(ws, **bad)["code"] == "E_RANGE"
        bad = {"type": "saliency", "trace": digest, "class": 10, "method": method}
        assert (ask(ws, **bad)["code"], ask(ws, **bad)["field"]) == ("E_RANGE", "class")


def test_an_advanced_scenario_opens_with_the_numbers_of_the_run(client: TestClient) -> None:
    document, trace = lenet(client)
    watch = [{"tensor": "conv1.weight", "cell": [0, 0, 2, 2]}]
    with client.websocket_connect(URL, SUB) as ws:
        found = ask(ws, type="advance", scenario=document, iterations=3, watch=watch)
        assert (found["type"], found["iteration"], len(found["losses"])) == ("advanced", 3, 3)
        assert found["losses"][0] == trace.tensors["loss"][0]
        assert found["series"][0]["g"][0] == trace.tensors["conv1.weight.grad"][0, 0, 2, 2]
        assert ask(ws, type="advance", scenario=document, iterations=3) == found | {"series": []}
        one = ask(ws, type="advance", scenario=document, iterations=1)
        rest = ask(ws, type="advance", scenario=one["scenario"], iterations=2)
        assert rest["scenario"] == found["scenario"]
        assert one["losses"] + rest["losses"] == found["losses"]
        opened = ask(ws, type="open", scenario=found["scenario"])
        again = ask(ws, type="advance", scenario=document, iterations=4)
        assert opened["loss"] == again["losses"][3]
        store = client.app.app.state.images  # type: ignore[attr-defined]
        scenario = engine.Scenario.from_dict(document)
        here = advance.advance(scenario, 3, {name: store.array(name) for name in scenario.blobs})
        assert here.scenario.digest == opened["trace"]
        nudged = ask(ws, type="nudge", trace=opened["trace"], tensor="fc3.bias", cell=[0])
        assert nudged["digits"] >= 4
        shown = ask(ws, **{"type": "saliency", "trace": opened["trace"], "class": 1, "method": "gradient"})
        assert shown[0]["type"] == "saliency"


def test_weights_that_are_gone_can_be_made_again(client: TestClient) -> None:
    document, _ = lenet(client)
    small = Settings(weights_cache_bytes=1)
    with TestClient(create_app(small), base_url=HOST) as other, other.websocket_connect(URL, SUB) as ws:
        found = ask(ws, type="advance", scenario=document, iterations=2)
        answer = ask(ws, type="open", scenario=found["scenario"])  # two blobs, of which only the newer one is kept
        assert (answer["code"], answer["reason"]) == ("E_WEIGHTS", "missing_weights")
        assert "advance again" in answer["remedy"]
        plain = document | {"optimizer": {"kind": "sgd"}}  # without a state there is one blob
        first = ask(ws, type="advance", scenario=plain, iterations=2)
        assert ask(ws, type="open", scenario=first["scenario"])["type"] == "opened"


@pytest.mark.parametrize(("more", "code"), [
    ({"iterations": 0}, "E_MESSAGE"), ({"iterations": 1001}, "E_MESSAGE"),
    ({"watch": [{"tensor": "fc3.bias", "cell": [0]}] * 5}, "E_MESSAGE"),
    ({"watch": [{"tensor": "fc3.bias", "cell": [10]}]}, "E_RANGE"),
    ({"watch": [{"tensor": "input", "cell": [0, 0, 0, 0]}]}, "E_RANGE"),
    ({"watch": [{"tensor": "fc3.bias", "cell": [0]}] * 4, "iterations": 1000}, "E_RANGE"),
    ({"scenario": {"network": []}}, "E_SCENARIO"),
])  # fmt: skip
def test_an_advance_that_cannot_be_is_refused(client: TestClient, more: dict[str, Any], code: str) -> None:
    document, _ = lenet(client)
    with client.websocket_connect(URL, SUB) as ws:
        answer = ask(ws, **{"type": "advance", "scenario": document, "iterations": 2} | more)
        assert (answer["type"], answer["code"]) == ("error", code)


def test_a_run_that_diverges_names_iteration_and_tensor(client: TestClient) -> None:
    document, _ = lenet(client, optimizer={"kind": "sgd", "lr": 1e6})
    with client.websocket_connect(URL, SUB) as ws:
        answer = ask(ws, type="advance", scenario=document, iterations=30)
        assert (answer["code"], answer["reason"]) == ("E_DIVERGED", "diverged")
        assert answer["iteration"] > 0
        assert answer["field"] in answer["message"]
        plain = {"network": document["network"], "input": document["input"]}
        assert ask(ws, type="advance", scenario=plain, iterations=1)["code"] == "E_SCENARIO"


def test_work_is_bounded(client: TestClient) -> None:
    document, _ = lenet(client)
    few = Settings(max_request_flops=20_000_000)
    with TestClient(create_app(few), base_url=HOST) as other, other.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=document)["trace"]
        answer = ask(ws, type="advance", scenario=document, iterations=100)
        assert (answer["code"], answer["reason"], answer["field"]) == ("E_SCENARIO", "over_budget", "iterations")
        message = {"type": "nudge", "trace": digest, "tensor": "fc3.bias", "cell": [0]}
        assert ask(ws, **message)["type"] == "nudge"
        answer = ask(ws, **message | {"moves": [0.1] * 64})
        assert (answer["reason"], answer["field"]) == ("over_budget", "moves")


def test_what_opening_tells_of_a_training_step(client: TestClient) -> None:
    document, trace = lenet(client)
    with client.websocket_connect(URL, SUB) as ws:
        opened = ask(ws, type="open", scenario=document)
        assert opened["target"] == [3]
        assert opened["loss"] == trace.tensors["loss"][0]
        assert opened["loss_parts"] == {f"loss.{key}": trace.tensors[f"loss.{key}"][0] for key in ("data", "l2")}
        assert opened["norms"] == analysis.gradient_norms(trace)
        assert opened["predicted_change"] == analysis.predicted_change(trace)
        tensors = {one["name"]: (one["source"], one["role"]) for one in opened["tensors"]}
        assert tensors["input"] == ("input", "value")
        assert tensors["target"] == ("target", "value")
        assert tensors["conv1.weight"] == ("param", "weight")
        assert tensors["conv1.out"] == ("step", "value")
        assert tensors["conv1.weight.grad"] == tensors["conv1.weight.step"] == ("step", "grad")
        assert tensors["conv1.weight.exp_avg"] == ("step", "state")
        assert tensors["conv1.weight.exp_avg.prev"] == ("state", "state")
        assert tensors["conv1.weight.next"] == ("step", "weight")
        assert "norms" not in ask(ws, type="open", scenario=presets(client)["lenet5"])


def test_a_whole_step_of_tiny_vgg_opens_in_one_frame(client: TestClient) -> None:
    document = presets(client)["tiny_vgg"] | STEP
    with client.websocket_connect(URL, SUB) as ws:
        ws.send_text(json.dumps({"id": 1, "type": "open", "scenario": document}))
        assert len(ws.receive()["text"]) < 256 * 1024


@pytest.mark.parametrize(("problem", "code"), [
    (engine.FormatError("no", reason="bad"), "E_FORMAT"), (engine.Diverged(3, "a.out", (1,), math.nan), "E_DIVERGED"),
    (engine.BlobError("no", reason="missing_blob"), "E_IMAGE"), (engine.EngineError("no", reason="x"), "E_INTERNAL"),
])  # fmt: skip
def test_every_error_of_the_engine_has_a_code(problem: engine.EngineError, code: str) -> None:
    assert answers.engine_error(1, problem)["code"] == code


def test_blobs_are_bounded_and_forget_the_oldest() -> None:
    kept = MemoryBlobs(100)
    for name in "abc":
        kept.put(name, {"w": np.zeros(10, np.float32)})
        kept.get("a")
    assert [kept.get(name) is not None for name in "abc"] == [True, False, True]
    assert kept.kept_bytes == 80
    kept.put("a", {"w": np.zeros(10, np.float32)})
    assert kept.kept_bytes == 80
    kept.put("d", {"w": np.zeros(1000, np.float32)})
    assert (kept.kept_bytes, kept.get("a")) == (4000, None)
    assert kept.get("d") is not None


def test_a_map_that_does_not_fit_a_frame_is_refused(client: TestClient) -> None:
    document, _ = lenet(client)
    tight = Settings(max_frame_bytes=10_000)
    with TestClient(create_app(tight), base_url=HOST) as other, other.websocket_connect(URL, SUB) as ws:
        digest = ask(ws, type="open", scenario=document)["trace"]
        message = {"type": "saliency", "trace": digest, "class": 1}
        assert ask(ws, **message, method="gradient")["reason"] == "too_large"


def test_a_range_is_that_of_the_finite_cells(client: TestClient) -> None:
    values = {"conv1.weight": [[[[1e38, 1e38], [-1e38, 0]]]], "conv1.bias": [0]}
    conv = {"name": "conv1", "kind": "conv2d", "out_channels": 1, "kernel_size": 2}
    given = [[[[0, 9, 9], [1, 0, 0], [0, 0, 0]]]]
    document = {"input": {"values": given}, "network": [conv], "params": {"values": values}}
    with client.websocket_connect(URL, SUB) as ws:
        opened = ask(ws, type="open", scenario=document)
        out = next(one for one in opened["tensors"] if one["name"] == "conv1.out")
        trace = engine.run(engine.Scenario.from_dict(document)).tensors["conv1.out"].ravel()
        finite = trace[np.isfinite(trace)]
        assert (out["min"], out["max"]) == (finite.min(), finite.max())
        assert out["first_bad"] == [0, 0, *divmod(int(np.flatnonzero(~np.isfinite(trace))[0]), 2)]
