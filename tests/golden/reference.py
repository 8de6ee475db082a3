"""PyTorch's answers to a spec, under the same names as ours."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

import engine
from engine.formats.pytorch import to_pytorch
from tests.golden.ours import start_weights
from tests.golden.specs import Spec

torch: Any = importlib.import_module("torch")


def _model(spec: Spec) -> Any:
    """The network as PyTorch source, run; without a final softmax, which its cross-entropy already contains."""
    document = dict(spec.document)
    if (
        document["network"][-1]["kind"] == "softmax"
        and document.get("loss", {}).get("kind", "cross_entropy") != "mse"
    ):
        document["network"] = document["network"][:-1]
        document["params"] = {**document.get("params", {})}
    scenario = engine.Scenario.from_dict(document | {"target": None})
    space: dict[str, Any] = {"__name__": "net"}
    exec(compile(to_pytorch(scenario.network), "net.py", "exec"), space)
    model = space["Net"]().to(getattr(torch, scenario.dtype)).train(scenario.mode == "train")
    space["load_weights"](model, start_weights(spec))
    return model


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
    names = {"mse": F.mse_loss, "l1": F.l1_loss, "bce_with_logits": F.binary_cross_entropy_with_logits}
    return names[given["kind"]](x, target)


def _optimizer(given: dict[str, Any], params: Any) -> tuple[Any, Any]:
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


def answer(spec: Spec) -> dict[str, np.ndarray]:
    """``out``, ``loss``, ``input.grad``, ``<param>.grad`` of the last step, ``<param>.next`` after it."""
    document = spec.document
    model = _model(spec)
    dtype = getattr(torch, document.get("dtype", "float32"))
    trace = engine.run(engine.Scenario.from_dict(document | {"target": None}))
    x = torch.tensor(trace.tensors["input"], dtype=dtype, requires_grad=True)
    target = torch.tensor(np.array(document["target"]), dtype=dtype)
    params = dict(model.named_parameters())
    given = document.get("optimizer", {"kind": "sgd"})
    optimizer, schedule = _optimizer(given, list(params.values())) if params else (None, None)
    penalty = document.get("penalty", {})
    loss, out, grads = torch.zeros(1), x, {}
    for _ in range(spec.steps):
        x.grad = None
        model.zero_grad()
        out = model(x)
        loss = _loss(document, out, target)
        for name in trace.network.penalised:
            loss = loss + penalty.get("l1", 0) * params[name].abs().sum()
            loss = loss + penalty.get("l2", 0) / 2 * params[name].square().sum()
        loss.backward()
        grads = {f"{name}.grad": p.grad.clone() for name, p in params.items()}
        if given.get("clip_norm"):
            torch.nn.utils.clip_grad_norm_(params.values(), given["clip_norm"])
        if given.get("clip_value"):
            torch.nn.utils.clip_grad_value_(params.values(), given["clip_value"])
        if optimizer:
            optimizer.step()
        if schedule:
            schedule.step()
    found = {"loss": loss.reshape(1), "input.grad": x.grad, "out": out} | grads
    found |= {f"{name}.next": p for name, p in params.items()}
    buffers = {f"{n}.next": b for n, b in model.named_buffers() if not n.endswith("num_batches_tracked")}
    return {name: tensor.detach().numpy() for name, tensor in (found | buffers).items()}
