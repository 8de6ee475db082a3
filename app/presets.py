"""The networks of the picker and the kernels of the lab, as data."""

from __future__ import annotations

from typing import Any

import numpy as np

Doc = dict[str, Any]


def _conv(name: str, out_channels: int, kernel_size: int, padding: int = 0, **more: Any) -> Doc:
    return {
        "name": name,
        "kind": "conv2d",
        "out_channels": out_channels,
        "kernel_size": kernel_size,
        "padding": padding,
    } | more


def _node(name: str, kind: str, **fields: Any) -> Doc:
    return {"name": name, "kind": kind} | fields


def pencil() -> Doc:
    """Small whole numbers all the way, checkable with a pencil."""
    return {
        "input": {
            "values": [
                [
                    [
                        [1, 2, 0, 1, 0],
                        [0, 1, 3, 0, 2],
                        [2, 0, 1, 1, 0],
                        [1, 3, 0, 2, 1],
                        [0, 1, 2, 0, 1],
                    ]
                ]
            ]
        },
        "network": [
            _conv("conv1", 1, 3),
            _node("act1", "relu"),
            _node("pool1", "maxpool2d", kernel_size=2, stride=1),
            _node("flat", "flatten"),
            _node("fc", "dense", out_features=2),
        ],
        "params": {
            "values": {
                "conv1.weight": [[[[1, 0, -1], [2, 0, -2], [1, 0, -1]]]],
                "conv1.bias": [1],
                "fc.weight": [[1, -1, 2, 0], [0, 1, -1, 1]],
                "fc.bias": [0, 1],
            }
        },
    }


def lab(image: str) -> Doc:
    """One editable convolution on one picture."""
    return {
        "input": {"image": image, "shape": [1, 32, 32], "fit": "cover"},
        "network": [_conv("conv1", 1, 3)],
        "params": {"values": {"conv1.weight": [[KERNELS["sobel_x"]["3"]]], "conv1.bias": [0]}},
    }


def lenet5(image: str) -> Doc:
    """LeNet-5 style: 28×28 grey, ReLU and max pooling instead of the original's tanh and averages."""
    return {
        "input": {"image": image, "shape": [1, 28, 28], "fit": "contain"},
        "network": [
            _conv("conv1", 6, 5, 2),
            _node("relu1", "relu"),
            _node("pool1", "maxpool2d", kernel_size=2),
            _conv("conv2", 16, 5),
            _node("relu2", "relu"),
            _node("pool2", "maxpool2d", kernel_size=2),
            _node("flat", "flatten"),
            _node("fc1", "dense", out_features=120),
            _node("relu3", "relu"),
            _node("fc2", "dense", out_features=84),
            _node("relu4", "relu"),
            _node("fc3", "dense", out_features=10),
            _node("softmax", "softmax"),
        ],
        "params": {"seed": 3, "scheme": "he_normal"},
    }


def tiny_vgg(image: str) -> Doc:
    """Tiny VGG: two blocks of two 3×3 convolutions and a pool, 64×64 RGB."""
    network = []
    for block in (1, 2):
        for i in (1, 2):
            network += [_conv(f"conv{block}_{i}", 10, 3), _node(f"relu{block}_{i}", "relu")]
        network.append(_node(f"pool{block}", "maxpool2d", kernel_size=2))
    network += [_node("flat", "flatten"), _node("fc", "dense", out_features=10), _node("softmax", "softmax")]
    return {
        "input": {"image": image, "shape": [3, 64, 64], "fit": "cover"},
        "network": network,
        "params": {"seed": 7, "scheme": "he_normal"},
    }


def residual(image: str) -> Doc:
    """A skip connection: two convolutions whose result is added to what went in."""
    return {
        "input": {"image": image, "shape": [3, 32, 32], "fit": "cover"},
        "network": [
            _conv("conv1", 8, 3, 1),
            _node("relu1", "relu"),
            _conv("conv2", 8, 3, 1),
            _node("relu2", "relu"),
            _conv("conv3", 8, 3, 1),
            _node("add", "add", inputs=["conv3", "relu1"]),
            _node("relu3", "relu"),
            _node("pool", "global_avgpool2d"),
            _node("fc", "dense", out_features=6),
            _node("softmax", "softmax"),
        ],
        "params": {"seed": 5, "scheme": "he_normal"},
    }


def _binomial(size: int) -> list[list[float]]:
    """Gaussian blur by binomial coefficients: (1 2 1)ᵀ(1 2 1) / 16 and its larger kin."""
    row = np.array([1.0])
    for _ in range(size - 1):
        row = np.convolve(row, [1.0, 1.0])
    kernel = np.outer(row, row)
    return (kernel / kernel.sum()).tolist()


def _box(size: int) -> list[list[float]]:
    return np.full((size, size), 1 / size**2).tolist()


def _identity(size: int) -> list[list[float]]:
    kernel = np.zeros((size, size))
    kernel[size // 2, size // 2] = 1
    return kernel.tolist()


_SOBEL_X = {
    "3": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "5": [[-1, -2, 0, 2, 1], [-4, -8, 0, 8, 4], [-6, -12, 0, 12, 6], [-4, -8, 0, 8, 4], [-1, -2, 0, 2, 1]],
}

#: name → kernel size → values; a size is missing where the kernel is not defined for it
KERNELS: dict[str, dict[str, Any]] = {
    "identity": {str(k): _identity(k) for k in range(1, 8)},
    "box": {str(k): _box(k) for k in range(2, 8)},
    "gaussian": {str(k): _binomial(k) for k in range(2, 8)},
    "sharpen": {"3": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]},
    "sobel_x": _SOBEL_X,
    "sobel_y": {k: np.array(kernel).T.tolist() for k, kernel in _SOBEL_X.items()},
    "laplacian": {
        "3": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        "5": [[0, 0, 1, 0, 0], [0, 1, 2, 1, 0], [1, 2, -16, 2, 1], [0, 1, 2, 1, 0], [0, 0, 1, 0, 0]],
    },
    "emboss": {"3": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]},
}


def presets(samples: dict[str, str]) -> list[Doc]:
    """Every network of the picker with its first picture; ``samples`` maps a sample's name to its id."""
    scene = samples["scene"]
    digit = next((samples[name] for name in ("digit_3", "digit_5", "digit_2") if name in samples), scene)
    shapes = samples.get("shapes", scene)
    return [
        {"id": "pencil", "scenario": pencil()},
        {"id": "lab", "scenario": lab(scene)},
        {"id": "lenet5", "scenario": lenet5(digit)},
        {"id": "tiny_vgg", "scenario": tiny_vgg(scene)},
        {"id": "residual", "scenario": residual(shapes)},
    ]
