"""PyTorch source: an entry for every kind, and a module that a compiler reads; tests/torch/ runs it."""

from __future__ import annotations

import ast
import builtins
from typing import Any

import pytest

import engine
from engine.formats import pytorch
from engine.layer import REGISTRY
from tests.engine.cases import CASES, Case, document

CONV = {"kind": "conv2d", "out_channels": 3, "kernel_size": 3}


def source_of(*nodes: dict[str, Any]) -> str:
    values = [[[[0.5] * 6 for _ in range(6)]] * 2]
    return pytorch.to_pytorch(
        engine.Scenario.from_dict({"input": {"values": values}, "network": list(nodes)}).network
    )


def check(source: str) -> None:
    """Raise unless every name that ``forward`` reads was bound before, and every module was made."""
    (net,) = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    init, forward = [node for node in net.body if isinstance(node, ast.FunctionDef)]
    made = {
        target.attr for node in ast.walk(init) if isinstance(node, ast.Assign)
        for target in node.targets if isinstance(target, ast.Attribute)
    }  # fmt: skip
    bound = {"self", "input", "torch"}
    for line in forward.body:
        for node in ast.walk(line):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                assert node.id in bound
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
                assert node.attr in made
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            bound.add(line.targets[0].id)
    assert isinstance(forward.body[-1], ast.Return)


def test_every_kind_has_exactly_one_entry() -> None:
    assert sorted([*pytorch.MODULES, *pytorch.EXPRESSIONS]) == sorted(REGISTRY)
    assert set(pytorch.EXPLICIT) <= set(pytorch.MODULES)


@pytest.mark.parametrize("case", [
    pytest.param(case, id=f"{kind}-{i}") for kind, cases in CASES.items() for i, case in enumerate(cases)
])  # fmt: skip
def test_every_case_compiles(case: Case) -> None:
    source = pytorch.to_pytorch(engine.Scenario.from_dict(document(case)).network)
    compile(source, "net.py", "exec")
    check(source)
    assert all(len(line) <= 160 for line in source.splitlines())


def test_a_graph_reads_as_one_would_write_it() -> None:
    source = source_of(
        CONV | {"name": "conv1", "padding": 1, "bias": False}, {"name": "relu1", "kind": "relu"},
        {"name": "wide", "kind": "concat", "inputs": ["relu1", "input"]},
        {"name": "sum", "kind": "add", "inputs": ["wide", "wide"]},
        {"name": "pool", "kind": "maxpool2d", "kernel_size": [2, 3], "stride": 1},
        {"name": "mean", "kind": "global_avgpool2d"}, {"name": "fc", "kind": "dense", "out_features": 4},
    )  # fmt: skip
    body = source.partition("class Net")[2].partition("\n\n\n")[0]
    assert (
        body
        == """(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, padding=1, bias=False)  # → 3×6×6
        self.relu1 = nn.ReLU()  # → 3×6×6
        self.pool = nn.MaxPool2d((2, 3), stride=1)  # → 5×5×4
        self.fc = nn.Linear(5, 4)  # → 4

    def forward(self, input):
        conv1 = self.conv1(input)
        relu1 = self.relu1(conv1)
        wide = torch.cat((relu1, input), dim=1)
        sum = wide + wide
        pool = self.pool(sum)
        mean = pool.mean(dim=(2, 3))
        fc = self.fc(mean)
        return fc"""
    )


@pytest.mark.parametrize(("kind", "fields", "line"), [
    ("upsample", {}, "nn.Upsample(scale_factor=2)"),
    ("zero_pad2d", {}, "nn.ZeroPad2d(padding=(1, 1, 1, 1))"),
    ("layernorm", {"normalized_shape": [6, 6]}, "nn.LayerNorm((6, 6))"),
    ("gelu", {"approximate": "tanh"}, 'nn.GELU(approximate="tanh")'),
    ("conv2d", {"out_channels": 2, "kernel_size": 3, "padding": "same"}, 'nn.Conv2d(2, 2, 3, padding="same")'),
    ("batchnorm2d", {"eps": 0.001}, "nn.BatchNorm2d(2, eps=0.001)"),
])  # fmt: skip
def test_lines(kind: str, fields: dict[str, Any], line: str) -> None:
    assert f"self.a = {line}  #" in source_of({"name": "a", "kind": kind} | fields)


def test_names_that_python_or_pytorch_uses_are_changed_and_found_again() -> None:
    source = source_of(
        CONV | {"name": "train_"}, CONV | {"name": "train"}, {"name": "lambda", "kind": "relu"},
        {"name": "torch", "kind": "add", "inputs": ["lambda", "train"]},
    )  # fmt: skip
    check(source)
    assert "self.train__ = " in source
    assert "lambda_ = self.lambda_(train__)" in source
    assert "NAMES = {'train__.weight': 'train.weight', 'train__.bias': 'train.bias'}" in source
    assert "NAMES" not in source_of(CONV | {"name": "conv1"})


def test_the_source_shadows_no_builtin_that_it_uses() -> None:
    tree = ast.parse(source_of(CONV | {"name": "conv1"}))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(dir(builtins))
    assert used == {
        "__name__",
        "input",
        "isinstance",
        "print",
        "super",
    }  # none of them in forward, where nodes are variables


def test_a_kind_without_counterpart_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(pytorch.MODULES, "relu")
    with pytest.raises(engine.FormatError, match=r"^relu 'a' has no counterpart in PyTorch; remove it") as caught:
        source_of({"name": "a", "kind": "relu"})
    assert (caught.value.field, caught.value.value) == ("a", "relu")
