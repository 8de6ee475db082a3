"""The examples of the documentation run and give what they say."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

import engine
import engine.losses
import engine.optimizers
from engine import loss as losses
from engine import optimizer as optimizers
from engine.layer import REGISTRY
from engine.schedule import SCHEDULES
from engine.schemes import SCHEMES
from tests.docs import ROOT, example


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


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("README.md", "import engine"),
        ("docs/engine.md", "by hand"),
        ("docs/engine.md", "training on shapes"),
        ("docs/engine.md", "where a number comes from"),
    ],
)
def test_an_example_prints_what_it_says(name: str, word: str) -> None:
    source = example(name, "python", word)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(source, name, "exec"), {"__name__": "example"})
    promised = [line.split("  # ", 1)[1] for line in source.splitlines() if line.startswith("print(")]
    assert promised
    assert said.getvalue().splitlines() == promised


@pytest.mark.parametrize(
    ("section", "kinds"),
    [
        ("Layers", REGISTRY),
        ("Losses", losses.REGISTRY),
        ("Optimisers", optimizers.REGISTRY),
        ("Schedules", SCHEDULES),
        ("Initialisers", SCHEMES),
    ],
)
def test_the_catalogue_has_every_kind_with_its_settings(section: str, kinds: Mapping[str, Any]) -> None:
    text = (ROOT / "docs/engine.md").read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    first = " ".join(line.split("|")[1] for line in text.splitlines() if line.startswith("|"))
    for kind, cls in kinds.items():
        assert f"`{kind}`" in first
        for field in dataclasses.fields(cls):
            assert re.search(rf"\b{field.name}\b", text), f"{kind}.{field.name}"
