"""What is compared with PyTorch: scenarios, and how many training steps of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import engine
from app import presets
from tests.engine.cases import CASES, document

#: kinds whose training draws random numbers, which no two libraries share
RANDOM = ("dropout", "dropout2d")
CLASSES = 5


@dataclass(frozen=True)
class Spec:
    """A scenario of one step, and how often it is repeated, each time from what the one before left."""

    name: str
    document: dict[str, Any]
    steps: int = 1


def layers() -> Iterator[Spec]:
    """Every case of every kind, in evaluation and, where that differs, in training; squared error."""
    for kind, cases in CASES.items():
        for i, case in enumerate(cases):
            for mode in ("eval", "train") if kind == "batchnorm2d" else ("eval",):
                plain = document(case, "float64") | {"mode": mode}
                shape = engine.Scenario.from_dict(plain).network.nodes[-1].shape
                target = np.random.default_rng(1).standard_normal(shape).round(3)
                yield Spec(f"{kind}-{i}-{mode}", plain | {"target": target.tolist(), "loss": {"kind": "mse"}})


def _dense(rows: int, stream: np.random.Generator, scale: float = 1.0, last: str | None = None) -> dict[str, Any]:
    network = [{"name": "flat", "kind": "flatten"}, {"name": "fc", "kind": "dense", "out_features": CLASSES}]
    if last:
        network.append({"name": "last", "kind": last})
    values = (stream.standard_normal((rows, 1, 2, 3)) * scale).round(4)
    return {"input": {"values": values.tolist()}, "network": network, "dtype": "float64"}


def losses() -> Iterator[Spec]:
    """Every loss with every form of target, penalties, and logits of ±1e4."""
    stream = np.random.default_rng(3)
    classes = [1, 4, 0]
    values = stream.standard_normal((3, CLASSES)).round(3).tolist()
    shares = stream.dirichlet(np.ones(CLASSES), 3).tolist()
    unit = stream.random((3, CLASSES)).round(3).tolist()
    penalty = {"l1": 0.02, "l2": 0.3}
    for name, loss, target, more in [
        ("mse", {"kind": "mse"}, values, {}),
        ("l1", {"kind": "l1"}, values, {"penalty": penalty}),
        ("bce", {"kind": "bce_with_logits"}, unit, {}),
        ("ce", {"kind": "cross_entropy"}, classes, {}),
        ("ce-smooth", {"kind": "cross_entropy", "label_smoothing": 0.2}, classes, {"penalty": {"l2": 0.3}}),
        ("ce-shares", {"kind": "cross_entropy"}, shares, {}),
        ("ce-shares-smooth", {"kind": "cross_entropy", "label_smoothing": 0.1}, shares, {"penalty": {"l1": 0.1}}),
    ]:
        yield Spec(name, _dense(3, stream) | {"loss": loss, "target": target} | more)
        yield Spec(f"{name}-large", _dense(3, stream, 1e4) | {"loss": loss, "target": target})
    yield Spec(
        "ce-read-through", _dense(3, stream, last="softmax") | {"loss": {"kind": "cross_entropy"}, "target": classes}
    )
    for scale in (1.0, 1e4):
        made = _dense(3, stream, scale, "log_softmax") | {"loss": {"kind": "nll"}, "target": classes}
        yield Spec(f"nll-{scale:g}", made)
    made = _dense(3, stream, last="softmax") | {"loss": {"kind": "score"}, "target": classes, "penalty": penalty}
    yield Spec("score-read-through", made)


OPTIMIZERS: list[dict[str, Any]] = [
    {"kind": "sgd", "lr": 0.1},
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.01},
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"kind": "sgd", "lr": 0.05, "momentum": 0.8, "nesterov": True},
    {"kind": "rmsprop", "lr": 0.01, "weight_decay": 0.01},
    {"kind": "rmsprop", "lr": 0.01, "centered": True, "momentum": 0.9, "alpha": 0.9},
    {"kind": "adagrad", "lr": 0.1, "lr_decay": 0.05, "initial_accumulator_value": 0.1, "weight_decay": 0.01},
    {"kind": "adam", "lr": 0.02, "weight_decay": 0.01},
    {"kind": "adam", "lr": 0.02, "amsgrad": True, "betas": [0.8, 0.95]},
    {"kind": "adamw", "lr": 0.02, "weight_decay": 0.1},
    {"kind": "adamw", "lr": 0.02, "amsgrad": True, "eps": 1e-6},
    {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "clip_norm": 0.3},
    {"kind": "adam", "lr": 0.02, "clip_value": 0.05},
    {"kind": "sgd", "lr": 0.1, "schedule": {"kind": "step", "step_size": 7, "gamma": 0.5}},
    {"kind": "sgd", "lr": 0.1, "schedule": {"kind": "cosine", "T_max": 30, "eta_min": 0.01}},
    {"kind": "adam", "lr": 0.05, "schedule": {"kind": "warmup", "start_factor": 0.2, "total_iters": 10}},
]


def optimizers() -> Iterator[Spec]:
    """50 steps of every optimiser, schedule and clipping on a small regression."""
    stream = np.random.default_rng(4)
    base = _dense(3, stream) | {"target": [1, 4, 0], "penalty": {"l2": 0.01}}
    for i, optimizer in enumerate(OPTIMIZERS):
        yield Spec(f"{optimizer['kind']}-{i}", base | {"optimizer": optimizer}, 50)


def networks(dtype: str = "float32", steps: int = 1) -> Iterator[Spec]:
    """LeNet, Tiny VGG and a residual network of the app, on two samples of noise."""
    stream = np.random.default_rng(5)
    for name, make in (("lenet5", presets.lenet5), ("tiny_vgg", presets.tiny_vgg), ("residual", presets.residual)):
        made = make("sha256:" + "0" * 64)
        values = stream.standard_normal((2, *made["input"]["shape"])).round(3)
        made |= {"input": {"values": values.tolist()}, "dtype": dtype, "mode": "train", "target": [1, 4]}
        yield Spec(f"{name}-{dtype}", made | {"optimizer": {"kind": "adam", "lr": 0.001}}, steps)
