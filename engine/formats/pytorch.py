"""The same network as PyTorch source: a module to read, run and load our weights into.

Layers keep their hyper-parameters' names, which are PyTorch's; the table below says what else a class is told.
"""

from __future__ import annotations

import dataclasses
import keyword
from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import FormatError
from engine.network import Network, Node


def _channels(node: Node) -> tuple[Any, ...]:
    return (node.in_shapes[0][1],)


def _nothing(node: Node) -> tuple[Any, ...]:
    return ()


#: kind → class of torch.nn and its first arguments; then come the layer's own fields
MODULES: dict[str, tuple[str, Callable[[Node], tuple[Any, ...]]]] = {
    "avgpool2d": ("AvgPool2d", _nothing),
    "batchnorm2d": ("BatchNorm2d", _channels),
    "conv2d": ("Conv2d", _channels),
    "conv_transpose2d": ("ConvTranspose2d", _channels),
    "dense": ("Linear", _channels),
    "dropout": ("Dropout", _nothing),
    "dropout2d": ("Dropout2d", _nothing),
    "elu": ("ELU", _nothing),
    "flatten": ("Flatten", _nothing),
    "gelu": ("GELU", _nothing),
    "layernorm": ("LayerNorm", _nothing),
    "leaky_relu": ("LeakyReLU", _nothing),
    "log_softmax": ("LogSoftmax", lambda node: (1,)),
    "maxpool2d": ("MaxPool2d", _nothing),
    "relu": ("ReLU", _nothing),
    "sigmoid": ("Sigmoid", _nothing),
    "silu": ("SiLU", _nothing),
    "softmax": ("Softmax", lambda node: (1,)),
    "softplus": ("Softplus", _nothing),
    "tanh": ("Tanh", _nothing),
    "upsample": ("Upsample", _nothing),
    "zero_pad2d": ("ZeroPad2d", _nothing),
}
#: kind → expression of the inputs, where torch.nn has no class
EXPRESSIONS: dict[str, Callable[[Sequence[str]], str]] = {
    "add": " + ".join,
    "concat": lambda xs: f"torch.cat(({', '.join(xs)}), dim=1)",
    "global_avgpool2d": lambda xs: f"{xs[0]}.mean(dim=(2, 3))",
}
#: kinds with defaults that PyTorch does not have: every field is written
EXPLICIT = ("upsample", "zero_pad2d")
_TAKEN = """
self torch nn add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
eval extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
"""
#: what nn.Module and the source itself call by such names
TAKEN = frozenset(_TAKEN.split())
SOURCE = '''\
"""A network from Convoscope, for PyTorch; its input is {shape}."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
{modules}

    def forward(self, input):
{lines}


{renamed}def load_weights(model, path_or_mapping):
    """Load weights such as {example} from a safetensors file, or from a mapping of arrays or tensors."""
    given = path_or_mapping
    if not isinstance(given, Mapping):
        from safetensors.torch import load_file

        given = load_file(Path(given))
    state = model.state_dict()
    for name in state:
        if not name.endswith(".num_batches_tracked"):  # PyTorch's own count of batches
            value = given[{key}]
            state[name] = value if isinstance(value, torch.Tensor) else torch.tensor(value)
    model.load_state_dict(state)


if __name__ == "__main__":
    model = Net().eval()  # .train() for batch statistics and dropout
    # load_weights(model, "weights.safetensors")
    print(model(torch.zeros({size})).shape)
'''


def to_pytorch(network: Network) -> str:
    """Source of a module ``Net`` and of ``load_weights``; raises FormatError for a kind that PyTorch has not."""
    names = _names(network)
    modules, lines = [], []
    for node in network:
        inputs = [names[name] for name in node.inputs]
        own, shape = names[node.name], "×".join(map(str, node.shape[1:]))
        if node.kind in EXPRESSIONS:
            lines.append(f"{own} = {EXPRESSIONS[node.kind](inputs)}")
        else:
            modules.append(f"self.{own} = {_call(node)}  # → {shape}")
            lines.append(f"{own} = self.{own}({inputs[0]})")
    lines.append(f"return {names[network.nodes[-1].name]}")
    weights = [name.partition(".") for name in network.param_shapes | network.buffer_shapes]
    renamed = {f"{names[node]}.{key}": f"{node}.{key}" for node, _, key in weights if names[node] != node}
    return SOURCE.format(
        shape="×".join(map(str, ("N", *network.input_shape[1:]))),
        size=", ".join(map(str, network.input_shape)),
        modules="\n".join(f"        {line}" for line in modules),
        lines="\n".join(f"        {line}" for line in lines),
        example="".join(weights[0]) if weights else "conv1.weight",
        renamed=f"#: name here → name in Convoscope, where Python or PyTorch uses the latter\nNAMES = {renamed}\n\n\n"
        if renamed
        else "",
        key="NAMES.get(name, name)" if renamed else "name",
    ).replace("__init__()\n\n\n", "__init__()\n\n")


def _names(network: Network) -> dict[str, str]:
    """Node → a name in Python that neither the language nor nn.Module uses, one each."""
    names = {"input": "input"}
    given = {node.name for node in network}
    for node in network:
        own = node.name
        while own in TAKEN or keyword.iskeyword(own) or own in names.values() or (own != node.name and own in given):
            own += "_"
        names[node.name] = own
    return names


def _call(node: Node) -> str:
    """The line that makes the module: a field without a default in order, any other where it is not the default."""
    if node.kind not in MODULES:
        raise FormatError(
            f"{node.kind} {node.name!r} has no counterpart in PyTorch; remove it from the network",
            reason="unknown_kind",
            field=node.name,
            value=node.kind,
            bound=sorted({*MODULES, *EXPRESSIONS}),
            remedy="remove it from the network",
        )
    name, first = MODULES[node.kind]
    arguments = [_literal(value) for value in first(node)]
    keywords = []
    for field in dataclasses.fields(node.layer):  # type: ignore[arg-type]
        value = getattr(node.layer, field.name)
        if field.default is dataclasses.MISSING:
            arguments.append(repr(value) if field.name == "normalized_shape" else _literal(value))
        elif value != field.default or node.kind in EXPLICIT:
            keywords.append(f"{field.name}={_literal(value)}")
    return f"nn.{name}({', '.join(arguments + keywords)})"


def _literal(value: Any) -> str:
    """Python for a hyper-parameter; a pair of equal sizes is one number."""
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]:
        return repr(value[0])
    return f'"{value}"' if isinstance(value, str) else repr(value)
