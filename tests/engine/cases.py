"""Scenarios for the contract tests: for every kind a few settings that reach its corners."""

from __future__ import annotations

from typing import Any

import numpy as np

Case = tuple[tuple[int, ...], list[dict[str, Any]]]
MAPS = (2, 4, 7, 6)
ONE = (1, 1, 5, 5)


def _alone(kind: str, shape: tuple[int, ...] = MAPS, **fields: Any) -> Case:
    return shape, [{"name": "node", "kind": kind} | fields]


def _flat(kind: str, **fields: Any) -> Case:
    return (3, 2, 2, 3), [{"name": "flat", "kind": "flatten"}, {"name": "node", "kind": kind} | fields]


def _joined(kind: str, channels: int, **fields: Any) -> Case:
    branch = {"name": "branch", "kind": "conv2d", "out_channels": channels, "kernel_size": 1}
    return MAPS, [branch, {"name": "node", "kind": kind, "inputs": ["input", "branch", "branch"]} | fields]


CASES: dict[str, list[Case]] = {
    "conv2d": [
        _alone("conv2d", out_channels=3, kernel_size=3),
        _alone("conv2d", ONE, out_channels=1, kernel_size=5),
        _alone("conv2d", out_channels=2, kernel_size=[3, 2], stride=[2, 3], padding=[1, 2], bias=False),
        _alone("conv2d", out_channels=8, kernel_size=3, groups=4, padding=1),
        _alone("conv2d", out_channels=4, kernel_size=2, groups=2, dilation=[2, 3], padding=1),
        _alone("conv2d", out_channels=2, kernel_size=1, stride=4),
        _alone("conv2d", out_channels=2, kernel_size=[4, 3], padding="same", dilation=2),
        _alone("conv2d", out_channels=2, kernel_size=3, padding="valid"),
        *[
            _alone("conv2d", out_channels=2, kernel_size=3, padding=[3, 2], stride=2, padding_mode=mode)
            for mode in ("reflect", "replicate", "circular")
        ],
        _alone("conv2d", out_channels=2, kernel_size=4, padding="same", padding_mode="reflect"),
    ],
    "conv_transpose2d": [
        _alone("conv_transpose2d", out_channels=3, kernel_size=3),
        _alone("conv_transpose2d", ONE, out_channels=1, kernel_size=5, padding=4),
        _alone(
            "conv_transpose2d",
            out_channels=2,
            kernel_size=[3, 2],
            stride=[2, 3],
            padding=[1, 2],
            output_padding=[1, 2],
            bias=False,
        ),
        _alone("conv_transpose2d", out_channels=8, kernel_size=3, groups=4, padding=1, stride=2, output_padding=1),
        _alone("conv_transpose2d", out_channels=4, kernel_size=2, groups=2, dilation=[2, 3], padding=1),
        _alone("conv_transpose2d", out_channels=2, kernel_size=1, stride=3),
    ],
    "maxpool2d": [
        _alone("maxpool2d", kernel_size=2),
        _alone("maxpool2d", kernel_size=3, stride=2, padding=1),
        _alone("maxpool2d", kernel_size=[3, 2], stride=[1, 3], ceil_mode=True),
        _alone("maxpool2d", kernel_size=3, stride=3, padding=1, ceil_mode=True),
        _alone("maxpool2d", ONE, kernel_size=5),
    ],
    "avgpool2d": [
        _alone("avgpool2d", kernel_size=2),
        _alone("avgpool2d", kernel_size=3, stride=2, padding=1),
        _alone("avgpool2d", kernel_size=3, stride=2, padding=1, count_include_pad=False),
        _alone("avgpool2d", kernel_size=[3, 2], stride=[1, 3], ceil_mode=True),
        _alone("avgpool2d", kernel_size=3, stride=3, padding=1, ceil_mode=True),
        _alone("avgpool2d", kernel_size=2, divisor_override=3),
    ],
    "batchnorm2d": [
        _alone("batchnorm2d"),
        _alone("batchnorm2d", eps=0.1, momentum=0.3),
        _alone("batchnorm2d", affine=False),
        _alone("batchnorm2d", track_running_stats=False),
        _alone("batchnorm2d", affine=False, track_running_stats=False),
    ],
    "layernorm": [
        _alone("layernorm", normalized_shape=list(MAPS[1:])),
        _alone("layernorm", ONE, normalized_shape=[5, 5], bias=False),
        _alone("layernorm", normalized_shape=6, elementwise_affine=False),
        _alone("layernorm", normalized_shape=list(MAPS), eps=0.1),
        _flat("layernorm", normalized_shape=12),
    ],
    "global_avgpool2d": [_alone("global_avgpool2d"), _alone("global_avgpool2d", ONE)],
    "flatten": [_alone("flatten"), _alone("flatten", ONE)],
    "dense": [_flat("dense", out_features=5), _flat("dense", out_features=1, bias=False)],
    "softmax": [_flat("softmax")],
    "add": [_joined("add", 4)],
    "concat": [_joined("concat", 3)],
    "relu": [_alone("relu")],
    "leaky_relu": [_alone("leaky_relu"), _alone("leaky_relu", negative_slope=0.2)],
    "sigmoid": [_alone("sigmoid")],
    "tanh": [_alone("tanh")],
    "elu": [_alone("elu"), _alone("elu", alpha=0.5)],
    "gelu": [_alone("gelu"), _alone("gelu", approximate="tanh")],
    "silu": [_alone("silu")],
    "softplus": [_alone("softplus"), _alone("softplus", beta=2.5, threshold=3.0)],
    "log_softmax": [_flat("log_softmax")],
    "zero_pad2d": [_alone("zero_pad2d", padding=2), _alone("zero_pad2d", padding=[1, 0, 2, 3])],
    "upsample": [_alone("upsample", scale_factor=2), _alone("upsample", ONE, scale_factor=[1, 3])],
    "dropout": [_alone("dropout"), _flat("dropout", p=1.0)],
    "dropout2d": [_alone("dropout2d", p=0.3)],
}


def _edits(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Values for one cell of a node's bias and, where weights are all 1 at first, of its weight."""
    kind, cell, wanted = node["kind"], [0], []
    if kind in ("conv2d", "conv_transpose2d", "dense") and node.get("bias", True):
        wanted = ["bias"]
    elif kind == "batchnorm2d" and node.get("affine", True):
        wanted = ["bias", "weight"]
    elif kind == "layernorm" and node.get("elementwise_affine", True):
        wanted = ["weight", *(["bias"] if node.get("bias", True) else [])]
        ends = node["normalized_shape"]
        cell = [0] * (1 if isinstance(ends, int) else len(ends))
    return [{"tensor": f"{node['name']}.{key}", "cell": cell, "value": 0.37} for key in wanted]


def document(case: Case, dtype: str = "float32", seed: int = 0) -> dict[str, Any]:
    """A scenario of a case with an input drawn from a normal distribution and biases that are not all zero."""
    shape, network = case
    stream = np.random.default_rng(seed)
    edits = [edit for node in network for edit in _edits(node)]
    values = (stream.standard_normal(shape) * 2).tolist()
    return {"input": {"values": values}, "network": network, "params": {"edits": edits}, "dtype": dtype}
