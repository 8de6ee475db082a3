"""The engine beside PyTorch's eager CPU path: same thread count, float32, taking turns.

Each contender runs a few times in a row after a pause: idle BLAS and OpenMP workers spin and would disturb the other.
"""

from __future__ import annotations

import importlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import engine
from app import presets
from bench.table import Row
from engine import compute, train
from engine.formats.pytorch import to_pytorch
from engine.kernels import conv
from engine.kernels.geometry import Geometry
from engine.kernels.parallel import threads
from engine.kernels.work import Workspace
from engine.layer import Context, build

PAUSE_S = 0.03
NETWORKS = {"LeNet-5 style": (presets.lenet5, 64), "Tiny VGG": (presets.tiny_vgg, 32)}


def _torch() -> Any:
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads())
    return torch


def turns(contenders: dict[str, Callable[[], Any]], rounds: int = 15, inner: int = 5) -> dict[str, float]:
    """Median milliseconds of each contender."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()
        call()
    for _ in range(rounds):
        for name, call in contenders.items():
            time.sleep(PAUSE_S)
            call()
            began = time.perf_counter()
            for _ in range(inner):
                call()
            times[name].append((time.perf_counter() - began) / inner * 1e3)
    return {name: statistics.median(found) for name, found in times.items()}


def _ratio(name: str, times: dict[str, float], target: str) -> Row:
    ours, theirs = times["ours"], times["torch"]
    return Row(f"{name}: ours ÷ PyTorch", ours / theirs, "ratio", target, f"{ours:.3g} ms, {theirs:.3g} ms")


def _scenario(make: Callable[[str], dict], batch: int, **more: Any) -> engine.Scenario:
    """A preset's network on a batch, without its softmax: cross-entropy takes logits."""
    document = make("sha256:" + "0" * 64)
    shape = [batch, *document["input"]["shape"]]
    network = [node for node in document["network"] if node["kind"] != "softmax"]
    document |= {"input": {"tensor": "sha256:" + "0" * 64, "shape": shape}, "network": network, "mode": "train"}
    return engine.Scenario.from_dict(document | more)


def _model(scenario: engine.Scenario, weights: dict[str, np.ndarray]) -> Any:
    space: dict[str, Any] = {"__name__": "net"}
    exec(compile(to_pytorch(scenario.network), "net.py", "exec"), space)
    model = space["Net"]().train()
    space["load_weights"](model, weights)
    return model


def steps() -> list[Row]:
    """Training steps, and what keeping the whole trace costs."""
    torch = _torch()
    rows, kept_rows = [], []
    for name, (make, batch) in NETWORKS.items():
        scenario = _scenario(make, batch, target=[0] * batch, optimizer={"kind": "adam"})
        goal = scenario.objective
        assert goal is not None
        stream = np.random.default_rng(0)
        x = stream.standard_normal(scenario.network.input_shape).astype(np.float32)
        target = stream.integers(0, 10, batch).astype(np.float32)
        weights = compute.load_params(scenario, {})
        state = {key: np.zeros(shape, np.float32) for key, shape in goal.state_shapes}
        plain = replace(compute.context_of(scenario), work=Workspace())
        keeping = replace(plain, work=Workspace(keeps=True))
        held: dict[str, Any] = {}

        def ours(g=goal, w=weights, x=x, t=target, s=state, c=plain) -> None:
            compute.step(g, w, x, t, s, c)

        def same(g=goal, w=weights, x=x, t=target, s=state, c=plain) -> None:
            compute.step(g, w, x, t, s, c, dx=True)

        def kept(g=goal, w=weights, x=x, t=target, s=state, c=keeping, held=held) -> None:
            held["trace"] = tensors = {"input": x, **w}
            compute.step(g, w, x, t, s, c, keep=tensors)

        model = _model(scenario, weights)
        optimizer, loss = torch.optim.Adam(model.parameters()), torch.nn.CrossEntropyLoss()
        xt, yt = torch.from_numpy(x), torch.from_numpy(target).long()

        def theirs(m=model, o=optimizer, loss=loss, x=xt, y=yt) -> None:
            o.zero_grad()
            loss(m(x), y).backward()
            o.step()

        times = turns({"ours": ours, "torch": theirs, "same": same, "kept": kept})
        target_text = "≤ 0.8" if batch == 64 else "≤ 0.9"
        rows.append(_ratio(f"training step, {name}, batch {batch}", times, target_text))
        training = f"÷ a training step, which has no ∂input: {times['kept'] / times['ours']:.3f}"
        kept_rows.append(
            Row(
                f"keeping the whole trace ÷ the same step without, {name}",
                times["kept"] / times["same"],
                "ratio",
                "≤ 1.1",
                training,
            )
        )
    return rows + kept_rows


def forwards() -> list[Row]:
    """One picture, forward only."""
    torch = _torch()
    rows = []
    for (name, (make, _)), target in zip(NETWORKS.items(), ("≤ 0.4", "≤ 0.7"), strict=True):
        scenario = _scenario(make, 1)
        weights, context = compute.load_params(scenario, {}), Context()
        x = np.random.default_rng(0).standard_normal(scenario.network.input_shape).astype(np.float32)
        model, xt = _model(scenario, weights).eval(), torch.from_numpy(x)

        def ours(s=scenario, w=weights, x=x, c=context) -> None:
            s.network.forward(w, x, c)

        def theirs(m=model, x=xt) -> None:
            with torch.inference_mode():
                m(x)

        rows.append(_ratio(f"forward, batch 1, {name}", turns({"ours": ours, "torch": theirs}, 15, 40), target))
    return rows


def _conv(
    shape: tuple[int, ...], out: int, k: int, stride: int, pad: int, rounds: int, inner: int
) -> dict[str, float]:
    """Milliseconds of forward + backward of one convolution, and its share of the peak."""
    torch = _torch()
    stream = np.random.default_rng(0)
    x = stream.standard_normal(shape).astype(np.float32)
    weight = stream.standard_normal((out, shape[1], k, k)).astype(np.float32)
    bias = stream.standard_normal(out).astype(np.float32)
    geometry = Geometry((k, k), (stride, stride), ((pad, pad), (pad, pad)))
    y, _ = conv.forward(x, weight, bias, geometry)
    dy = np.ascontiguousarray(stream.standard_normal(y.shape).astype(np.float32))
    if shape[0] >= conv.BATCH:  # where batches come from and go to: layers whose batch is innermost
        x, dy = (np.ascontiguousarray(a.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2) for a in (x, dy))
    work = Workspace()

    def ours() -> None:
        _, saved = conv.forward(x, weight, bias, geometry, work, "conv")
        conv.backward(saved, weight, dy, geometry, True, work, "conv")

    xt = torch.from_numpy(np.ascontiguousarray(x)).requires_grad_()
    wt, bt = torch.from_numpy(weight).requires_grad_(), torch.from_numpy(bias).requires_grad_()
    dyt = torch.from_numpy(np.ascontiguousarray(dy))

    def theirs() -> None:
        xt.grad = wt.grad = bt.grad = None
        torch.nn.functional.conv2d(xt, wt, bt, stride, pad).backward(dyt)

    times = turns({"ours": ours, "torch": theirs}, rounds, inner)
    return times | {"flop": 6.0 * y.size * shape[1] * k * k}


def convolutions() -> list[Row]:
    """Two wide convolutions of one picture, and twenty random ones."""
    peak = _peak()
    rows = [Row("sgemm peak of this machine", peak / 1e9, "GFLOP/s")]
    for shape, target in (((1, 64, 56, 56), "≤ 1.5"), ((1, 256, 14, 14), "≤ 1.3")):
        name = f"conv forward + backward, {'×'.join(map(str, shape))} → {shape[1]}, 3×3"
        times = _conv(shape, shape[1], 3, 1, 1, 12, 8)
        rows.append(_ratio(name, times, target))
        rows.append(Row("  share of the peak", times["flop"] / times["ours"] / 1e-3 / peak, "ratio"))
    stream = np.random.default_rng(20)
    ratios, shares = [], []
    while len(ratios) < 20:
        n, channels, out = (int(2 ** stream.uniform(0, top)) for top in (5, 6, 6))
        size, k, stride = (int(stream.integers(low, high)) for low, high in ((7, 57), (1, 6), (1, 3)))
        times = _conv((n, channels, size, size), out, k, stride, int(stream.integers(0, k // 2 + 1)), 5, 3)
        ratios.append(times["ours"] / times["torch"])
        shares.append(times["flop"] / times["ours"] / 1e-3 / peak)
    rows.append(Row("median of 20 random convolutions: ours ÷ PyTorch", statistics.median(ratios), "ratio", "≤ 1.0"))
    rows.append(Row("  the worst of them", max(ratios), "ratio", "≤ 3"))
    rows.append(Row("  median share of the peak", statistics.median(shares), "ratio"))
    return rows


def _peak() -> float:
    """Flop per second of a large float32 matrix product."""
    a = np.ones((1536, 1536), np.float32)
    times = []
    for _ in range(8):
        began = time.perf_counter()
        np.matmul(a, a)
        times.append(time.perf_counter() - began)
    return 2 * 1536**3 / min(times)


def pools() -> list[Row]:
    """Max pooling, forward and backward."""
    torch = _torch()
    rows = []
    x = np.random.default_rng(0).standard_normal((32, 10, 60, 60)).astype(np.float32)
    inner = np.ascontiguousarray(x.transpose(2, 1, 3, 0)).transpose(3, 1, 0, 2)
    for kernel, target in ((2, "≤ 0.5"), (3, "≤ 0.9")):
        layer = build("maxpool2d", {"kernel_size": kernel, "stride": 2}, "pool")
        context = Context(name="pool", work=Workspace())
        y, _ = layer.forward({}, [inner], context)
        dy = np.ones_like(y)
        xt = torch.from_numpy(x).requires_grad_()
        dyt = torch.ones(y.shape)

        def ours(layer=layer, dy=dy, c=context) -> None:
            _, cache = layer.forward({}, [inner], c)
            layer.backward({}, cache, dy, c)

        def theirs(x=xt, dy=dyt, k=kernel) -> None:
            x.grad = None
            torch.nn.functional.max_pool2d(x, k, 2).backward(dy)

        times = turns({"ours": ours, "torch": theirs}, 12, 8)
        rows.append(_ratio(f"max-pool {kernel}×{kernel} stride 2, forward + backward, 32×10×60×60", times, target))
    return rows


def epoch() -> list[Row]:
    """An epoch of 60 000 pictures, from fifty iterations of the training loop with all its events."""
    scenario = _scenario(presets.lenet5, 1, target=[0], optimizer={"kind": "adam"})
    stream = np.random.default_rng(0)
    data = train.Data(stream.random((4096, 1, 28, 28), np.float32), stream.integers(0, 10, 4096))
    state, _ = train.run_chunk(train.start(scenario, 64), data, 5)
    began = time.perf_counter()
    train.run_chunk(state, data, 50)
    seconds = time.perf_counter() - began
    return [Row("epoch of 60 000 28×28 pictures, LeNet-5 style (from 50 iterations)", seconds / 50 * 937.5, "s")]


_MEMORY = """
import sys
sys.path.insert(0, ".")
from bench import torch_rows
print(torch_rows.grown(sys.argv[1], sys.argv[2]))
"""


def grown(who: str, name: str) -> float:
    """MiB by which three training steps raise this process's memory over what a step of one sample left."""
    make, batch = NETWORKS[name]
    _contender(who, make, 1)()
    run = _contender(who, make, batch)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is resident now
    before = _status("VmRSS")
    for _ in range(3):
        run()
    return (_status("VmHWM") - before) / 1024


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def _contender(who: str, make: Callable[[str], dict], batch: int) -> Callable[[], Any]:
    """A training step of one side."""
    scenario = _scenario(make, batch, target=[0] * batch, optimizer={"kind": "adam"})
    goal = scenario.objective
    assert goal is not None
    weights = compute.load_params(scenario, {})
    x = np.zeros(scenario.network.input_shape, np.float32)
    if who == "ours":
        context, target = replace(compute.context_of(scenario), work=Workspace()), np.zeros(batch, np.float32)
        return lambda: compute.step(goal, weights, x, target, None, context)
    torch = _torch()
    model, xt, yt = _model(scenario, weights), torch.from_numpy(x), torch.zeros(batch).long()
    optimizer = torch.optim.Adam(model.parameters())

    def run() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(xt), yt).backward()
        optimizer.step()

    return run


def memory() -> list[Row]:
    """Growth of a process's memory by training steps, each side in a process of its own (Linux only)."""
    rows = []
    for name in NETWORKS if sys.platform == "linux" else ():
        sizes = {}
        for who in ("ours", "torch"):
            command = [sys.executable, "-c", _MEMORY, who, name]
            sizes[who] = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        note = f"{sizes['ours']:.0f} MiB, {sizes['torch']:.0f} MiB"
        ratio = sizes["ours"] / max(0.1, sizes["torch"])
        rows.append(Row(f"memory of a training step, {name}: ours ÷ PyTorch", ratio, "ratio", "≤ 2", note))
    return rows


def rows() -> list[Row]:
    """Everything that is compared with PyTorch."""
    return [*steps(), *forwards(), *convolutions(), *pools(), *epoch(), *memory()]
