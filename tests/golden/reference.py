"""PyTorch's answers to a spec, under the same names as ours."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

import engine
from engine.formats.pytorch import to_pytorch
from tests.golden.ours import start_weights
from tests.golden.specs import Spec

torch: Any = importlib.import_module("torch")


def model(scenario: engine.Scenario, weights: Mapping[str, np.ndarray]) -> Any:
    """The network as PyTorch source, run, with these weights."""
    space: dict[str, Any] = {"__name__": "net"}
    exec(compile(to_pytorch(scenario.network), "net.py", "exec"), space)
    made = space["Net"]().to(getattr(torch, scenario.dtype)).train(scenario.mode == "train")
    space["load_weights"](made, weights)
    return made


def _model(spec: Spec, weights: Mapping[str, np.ndarray]) -> Any:
    """The network of a spec, without a final softmax, which its cross-entropy already contains."""
    document = dict(spec.document)
    if (
        document["network"][-1]["kind"] == "softmax"
        and document.get("loss", {}).get("kind", "cross_entropy") != "mse"
    ):
        document["network"] = document["network"][:-1]
    return model(engine.Scenario.from_dict(document | {"target": None}), weights)


def _loss(document: dict[str, Any], x: Any, target: Any) -> Any:
    classes = target.ndim == 1
    given = document.get("loss") or {"kind": "cross_entropy" if classes else "mse"}
    F = torch.nn.functional
    if given["kind"] == "cross_entropy":
        return F.cross_entropy(
            x, target.long() if classes else target, label_smoothing=given.get("label_smoothing", 0.0)
        )
    if given["kind"] == "nll":
        return F.nll_loss(x, target.long())
    if given["kind"] == "score":
        return x.gather(1, target.long()[:, None]).mean()
    names = {"mse": F.mse_loss, "l1": F.l1_loss, "bce_with_logits": F.binary_cross_entropy_with_logits}
    return names[given["kind"]](x, target)


def optimizer(given: dict[str, Any], params: list[Any]) -> tuple[Any, Any]:
    """PyTorch's optimiser for a scenario's, and its schedule or None."""
    fields = {k: v for k, v in given.items() if k not in ("kind", "schedule", "clip_norm", "clip_value", "state")}
    names = {"sgd": "SGD", "rmsprop": "RMSprop", "adagrad": "Adagrad", "adam": "Adam", "adamw": "AdamW"}
    if "betas" in fields:
        fields["betas"] = tuple(fields["betas"])
    made = getattr(torch.optim, names[given["kind"]])(params, **fields)
    plan = dict(given.get("schedule", {"kind": "constant"}))
    schedules = torch.optim.lr_scheduler
    kinds = {"step": schedules.StepLR, "cosine": schedules.CosineAnnealingLR, "warmup": schedules.LinearLR}
    kind = plan.pop("kind")
    return made, kinds[kind](made, **plan) if kind in kinds else None


def penalty(given: dict[str, Any], weights: list[Any]) -> Any:
    """l1·Σ|w| + l2/2·Σw²."""
    l1, l2 = given.get("l1", 0), given.get("l2", 0)
    return sum((l1 * w.abs().sum() + l2 / 2 * w.square().sum() for w in weights), torch.zeros(()))


def clip(given: dict[str, Any], params: list[Any]) -> None:
    """Clip the gradients by norm, then by value."""
    if given.get("clip_norm"):
        torch.nn.utils.clip_grad_norm_(params, given["clip_norm"])
    if given.get("clip_value"):
        torch.nn.utils.clip_grad_value_(params, given["clip_value"])


def answer(spec: Spec, weights: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
    """``out``, ``loss``, ``input.grad``, ``<param>.grad`` of the last step, ``<param>.next`` after it.

    It begins with ``weights``, or with those that the engine draws.
    """
    document = spec.document
    net = _model(spec, weights or start_weights(spec))
    dtype = getattr(torch, document.get("dtype", "float32"))
    trace = engine.run(engine.Scenario.from_dict(document | {"target": None}))
    x = torch.tensor(trace.tensors["input"], dtype=dtype, requires_grad=True)
    target = torch.tensor(np.array(document["target"]), dtype=dtype)
    params = dict(net.named_parameters())
    given = document.get("optimizer", {"kind": "sgd"})
    stepper, schedule = optimizer(given, list(params.values())) if params else (None, None)
    loss, out, grads = torch.zeros(1), x, {}
    for _ in range(spec.steps):
        x.grad = None
        net.zero_grad()
        out = net(x)
        loss = _loss(document, out, target)
        loss = loss + penalty(document.get("penalty", {}), [params[name] for name in trace.network.penalised])
        loss.backward()
        grads = {f"{name}.grad": p.grad.clone() for name, p in params.items()}
        clip(given, list(params.values()))
        if stepper:
            stepper.step()
        if schedule:
            schedule.step()
    found = {"loss": loss.reshape(1), "input.grad": x.grad, "out": out} | grads
    found |= {f"{name}.next": p for name, p in params.items()}
    buffers = {f"{n}.next": b for n, b in net.named_buffers() if not n.endswith("num_batches_tracked")}
    return {name: tensor.detach().numpy() for name, tensor in (found | buffers).items()}
