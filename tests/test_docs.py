"""The examples of the documentation run and give what they say."""

from __future__ import annotations

import contextlib
import io
import sys
from types import ModuleType

import pytest

import engine
from engine.layer import REGISTRY
from tests.docs import example


def test_the_added_layer_works(monkeypatch: pytest.MonkeyPatch) -> None:
    source = example("docs/architecture.md", "python", "square.py")
    module = ModuleType("square")
    monkeypatch.setitem(sys.modules, "square", module)  # dataclasses look their module up
    try:
        exec(compile(source, "square.py", "exec"), module.__dict__)
        scenario = engine.Scenario.from_dict(
            {"input": {"values": [[[[3, -2]]]]}, "network": [{"name": "square1", "kind": "square"}]}
        )
        trace = engine.run(scenario)
        assert trace[0].result == 9
        assert trace[1].result == 4
        assert trace[1].residual == 0
        learnt = scenario.to_dict() | {"target": [[[[0, 0]]]], "loss": {"kind": "mse"}}
        slopes = engine.run(engine.Scenario.from_dict(learnt)).tensors["input.grad"]
        assert slopes.tolist() == [[[[9 * 2 * 3, 4 * 2 * -2]]]]  # 2/M · y · 2x with M = 2
    finally:
        REGISTRY.pop("square", None)


def test_the_readmes_engine_example_prints_what_it_says() -> None:
    source = example("README.md", "python", "import engine")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(source, "README.md", "exec"), {"__name__": "readme"})
    promised = [line.split("# ", 1)[1] for line in source.splitlines() if line.startswith("print(")]
    assert said.getvalue().splitlines() == promised
