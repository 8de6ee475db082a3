"""The source that ``to_pytorch`` writes, run by PyTorch: the same outputs from the same weights."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from engine.formats import pytorch, safetensors
from tests.engine.cases import CASES, Case, document

torch: Any = importlib.import_module("torch")

CONV = {"kind": "conv2d", "out_channels": 3, "kernel_size": 3, "padding": 1}
GRAPH = [
    CONV | {"name": "train"}, {"name": "norm", "kind": "batchnorm2d"}, {"name": "half", "kind": "relu"},
    {"name": "lambda", "kind": "add", "inputs": ["half", "train"]},
    {"name": "cat", "kind": "concat", "inputs": ["lambda", "input"]},
    {"name": "float", "kind": "global_avgpool2d"}, {"name": "to", "kind": "dense", "out_features": 4},
]  # fmt: skip
ALL = [pytest.param(case, id=f"{kind}-{i}") for kind, cases in CASES.items() for i, case in enumerate(cases)]


def scenario_of(case: Case, mode: str = "eval") -> engine.Scenario:
    return engine.Scenario.from_dict(document(case, "float64") | {"mode": mode})


def weights_of(trace: engine.Trace) -> dict[str, np.ndarray]:
    network = trace.network
    return {name: trace.tensors[name] for name in network.param_shapes | network.buffer_shapes}


def model_of(trace: engine.Trace) -> Any:
    space: dict[str, Any] = {"__name__": "net"}
    exec(compile(pytorch.to_pytorch(trace.network), "net.py", "exec"), space)
    model = space["Net"]().double().train(trace.scenario.mode == "train")
    space["load_weights"](model, weights_of(trace))
    return model


def assert_same(found: Any, wanted: np.ndarray) -> None:
    array = found.detach().numpy()
    assert array.shape == wanted.shape
    np.testing.assert_allclose(array, wanted, atol=1e-10 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("case", ALL)
def test_every_case_gives_our_numbers(case: Case) -> None:
    trace = engine.run(scenario_of(case))
    found = model_of(trace)(torch.tensor(trace.tensors["input"]))
    assert_same(found, trace.tensors[trace.network.nodes[-1].out])


@pytest.mark.parametrize("case", CASES["batchnorm2d"])
def test_batch_statistics_and_running_ones(case: Case) -> None:
    trace = engine.run(scenario_of(case, "train"))
    model = model_of(trace)
    assert_same(model(torch.tensor(trace.tensors["input"])), trace.tensors["node.out"])
    for name in trace.network.buffer_shapes:
        assert_same(model.state_dict()[name], trace.tensors[f"{name}.next"])


def test_names_that_collide() -> None:
    trace = engine.run(scenario_of(((2, 2, 5, 5), GRAPH)))
    assert_same(model_of(trace)(torch.tensor(trace.tensors["input"])), trace.tensors["to.out"])


def test_the_list_of_taken_names_is_whole() -> None:
    names = {name for name in dir(torch.nn.Module()) if name[0].islower()}
    assert names <= pytorch.TAKEN


def test_weights_from_a_file_and_the_source_as_a_program(tmp_path: Path) -> None:
    trace = engine.run(scenario_of(((2, 2, 5, 5), GRAPH)))
    (tmp_path / "w.safetensors").write_bytes(safetensors.write(weights_of(trace), {"iteration": "0"}))
    (tmp_path / "net.py").write_text(pytorch.to_pytorch(trace.network), "utf-8")
    done = subprocess.run([sys.executable, "net.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "torch.Size([2, 4])\n"
    use = "import net, torch; m = net.Net().double().eval(); net.load_weights(m, 'w.safetensors'); "
    use += "print(m(torch.ones(1, 2, 5, 5).double()).sum().item())"
    done = subprocess.run([sys.executable, "-c", use], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(model_of(trace)(torch.ones(1, 2, 5, 5).double()).sum().item())


@pytest.mark.parametrize(("change", "error"), [("missing", KeyError), ("shape", RuntimeError)])
def test_wrong_weights_are_refused(change: str, error: type[Exception]) -> None:
    trace = engine.run(scenario_of(((2, 2, 5, 5), GRAPH)))
    weights = weights_of(trace)
    if change == "missing":
        del weights["norm.running_var"]
    else:
        weights["norm.running_var"] = weights["norm.running_var"][:1]
    space: dict[str, Any] = {"__name__": "net"}
    exec(pytorch.to_pytorch(trace.network), space)
    with pytest.raises(error, match="running_var"):
        space["load_weights"](space["Net"](), weights)
