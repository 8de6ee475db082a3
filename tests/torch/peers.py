"""PyTorch's counterpart of each layer, told only what a scenario says: what is left out is PyTorch's own default."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

torch: Any = importlib.import_module("torch")
nn: Any = torch.nn

#: kind → class of torch.nn, and whether it is told the number of channels, or features, that come in
CLASSES: dict[str, tuple[str, bool]] = {
    "avgpool2d": ("AvgPool2d", False),
    "batchnorm2d": ("BatchNorm2d", True),
    "conv2d": ("Conv2d", True),
    "conv_transpose2d": ("ConvTranspose2d", True),
    "dense": ("Linear", True),
    "dropout": ("Dropout", False),
    "dropout2d": ("Dropout2d", False),
    "elu": ("ELU", False),
    "flatten": ("Flatten", False),
    "gelu": ("GELU", False),
    "layernorm": ("LayerNorm", False),
    "leaky_relu": ("LeakyReLU", False),
    "maxpool2d": ("MaxPool2d", False),
    "relu": ("ReLU", False),
    "sigmoid": ("Sigmoid", False),
    "silu": ("SiLU", False),
    "softplus": ("Softplus", False),
    "tanh": ("Tanh", False),
    "upsample": ("Upsample", False),
    "zero_pad2d": ("ZeroPad2d", False),
}
#: kinds that PyTorch has as a function only, or has no default for
FUNCTIONS: dict[str, Any] = {
    "add": sum,
    "concat": lambda xs: torch.cat(xs, dim=1),
    "global_avgpool2d": lambda xs: torch.nn.functional.adaptive_avg_pool2d(xs[0], 1).flatten(1),
    "softmax": lambda xs: torch.softmax(xs[0], dim=1),
    "log_softmax": lambda xs: torch.log_softmax(xs[0], dim=1),
}
#: what PyTorch has no default for
OURS: dict[str, dict[str, Any]] = {"upsample": {"scale_factor": 2}, "zero_pad2d": {"padding": 1}}


def tensor(array: np.ndarray) -> Any:
    """A copy in PyTorch that wants a gradient, in row-major order."""
    return torch.tensor(np.ascontiguousarray(array), requires_grad=True)


def module(kind: str, fields: Mapping[str, Any], channels: int, dtype: np.dtype) -> Any:
    """The layer of torch.nn; raises what PyTorch raises."""
    name, told = CLASSES[kind]
    given = {key: tuple(v) if isinstance(v, list) else v for key, v in (OURS.get(kind, {}) | dict(fields)).items()}
    made = getattr(nn, name)(*([channels] if told else []), **given)
    return made.double() if dtype == np.float64 else made


def run(
    kind: str,
    fields: Mapping[str, Any],
    params: Mapping[str, np.ndarray],
    xs: Sequence[np.ndarray],
    dy: np.ndarray | None,
    training: bool = False,
) -> dict[str, np.ndarray]:
    """``out``; with ``dy`` also ``x0`` … (gradients of the inputs), ``<param>`` and ``<buffer>.next``.

    Raises what PyTorch raises for impossible settings.
    """
    inputs = [tensor(x) for x in xs]
    made = None
    if kind in FUNCTIONS:
        y = FUNCTIONS[kind](inputs)
    else:
        made = module(kind, fields, xs[0].shape[1], xs[0].dtype).train(training)
        counts = {key: t for key, t in made.state_dict().items() if key == "num_batches_tracked"}
        made.load_state_dict(counts | {key: torch.tensor(np.ascontiguousarray(w)) for key, w in params.items()})
        y = made(inputs[0])
    found = {"out": y}
    if dy is not None:
        y.backward(torch.tensor(np.ascontiguousarray(dy)))
        found |= {f"x{i}": x.grad for i, x in enumerate(inputs)}
        if made is not None:
            found |= {name: p.grad for name, p in made.named_parameters()}
            found |= {f"{n}.next": b for n, b in made.named_buffers() if n != "num_batches_tracked"}
    return {name: t.detach().numpy() for name, t in found.items()}
