"""The contract that every kind of layer obeys, and the registry by ``kind``.

A layer is a frozen dataclass whose fields are its hyper-parameters, named and defaulted as in PyTorch. It holds no
weights and no state:

* ``out_shape(xs)`` and ``param_shapes(xs)`` follow from the input shapes alone, before anything is allocated;
* ``forward(params, xs, ctx) -> (y, cache)``: ``xs`` is a list because ``add`` and ``concat`` have several inputs;
* ``backward(params, cache, dy, ctx) -> (dxs, dparams)`` is the same contract the other way round: one gradient per
  input, one per parameter (by its short name);
* ``blocks(node)`` and ``backward_blocks(node, grads)`` describe the steps: one block per tensor written, in the
  order in which they are written.

``cache`` joins the two directions. Its keys without a leading underscore (``padded``, ``exp``, ``grad_dot`` …) are
tensors of the trace, named ``<node>.<key>``: ``forward`` puts its intermediates there and ``backward`` adds its own.
Keys with an underscore (``_x``) are what ``backward`` needs besides. Arrays are logical NCHW of any memory order:
``ufuncs`` keep the order, nothing flattens an array whose order it does not know.

Shapes are tuples in NCHW order; flops count a multiply-add as two.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from engine import streams
from engine.errors import ScenarioError
from engine.kernels.work import Workspace

if TYPE_CHECKING:
    from engine.network import Grads, Node
    from engine.steps import Block

Shape = tuple[int, ...]
Pair = tuple[int, int]
Arrays = Mapping[str, np.ndarray]
Kind = TypeVar("Kind")
FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(slots=True)
class Context:
    """What a layer may know besides its inputs.

    ``mode`` is ``eval`` or ``train``; ``seed``, ``iteration`` and ``name`` (the node's) determine random streams;
    ``dx`` is False where nobody wants the gradient of the layer's input; ``own`` is True where the upstream gradient
    is nobody else's and may be overwritten; ``work`` holds buffers to be reused in every step.
    """

    mode: str = "eval"
    seed: int = 0
    iteration: int = 0
    name: str = ""
    dx: bool = True
    work: Workspace | None = None
    own: bool = False

    def at(self, name: str, dx: bool = True, own: bool = False) -> Context:
        """The same for a node. Written out, because ``dataclasses.replace`` takes as long as a small layer."""
        return Context(self.mode, self.seed, self.iteration, name, dx, self.work, own)

    @property
    def training(self) -> bool:
        """True in the mode ``train``."""
        return self.mode == "train"

    def stream(self) -> np.random.Generator:
        """The random stream of this node in this iteration: another one for each name, seed and iteration."""
        return streams.stream(self.seed, self.name, self.iteration)


class Layer(ABC):
    """One kind of layer; see the module's text for the contract."""

    kind: ClassVar[str]
    #: fewest and most inputs; ``None`` for no upper bound
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    #: short name → value at the start, for parameters and buffers that no scheme draws; vectors default to 0
    constants: ClassVar[Mapping[str, float]] = {}
    #: short names of the parameters that penalties and decay act upon
    penalised: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def out_shape(self, xs: Sequence[Shape]) -> Shape:
        """Shape of the output; raises ScenarioError (its ``field`` relative to the node) for impossible inputs."""

    def param_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """Short parameter name → shape, in the order of the update phase."""
        return {}

    def buffer_shapes(self, xs: Sequence[Shape]) -> dict[str, Shape]:
        """Short name → shape of the running statistics; ``forward`` finds them among the parameters."""
        return {}

    def inner_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """Short name → shape of the intermediates that are written before ``out``, in that order."""
        return {}

    def drawn_shapes(self, xs: Sequence[Shape], mode: str) -> dict[str, Shape]:
        """Short name → shape of the random tensors that no step writes, such as the noise of dropout."""
        return {}

    def check(self, xs: Sequence[Shape], mode: str) -> None:
        """Raise ScenarioError where this mode is impossible for inputs that ``out_shape`` admits."""
        return None

    @abstractmethod
    def flops(self, xs: Sequence[Shape]) -> int:
        """Floating-point operations of one forward pass."""

    def workspace(self, xs: Sequence[Shape]) -> int:
        """Cells of what ``forward`` allocates besides the tensors that it writes, at its peak."""
        return 0

    def size_formula(self, xs: Sequence[Shape]) -> str | None:
        """The output-size formula with its numbers in it, or None where there is nothing to compute."""
        return None

    @abstractmethod
    def forward(
        self, params: Arrays, xs: Sequence[np.ndarray], ctx: Context
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Output and cache; both may share memory with the inputs only where nothing is written."""

    def backward(
        self, params: Arrays, cache: dict[str, np.ndarray], dy: np.ndarray, ctx: Context
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Gradients of the inputs, in order, and of the parameters; with ``ctx.dx`` False the first may be empty."""
        raise NotImplementedError

    @abstractmethod
    def blocks(self, node: Node) -> list[Block]:
        """The forward blocks of this layer at its place in the network."""

    def backward_blocks(self, node: Node, grads: Grads) -> list[Block]:
        """The backward blocks: intermediates, bias, weight, inputs; ``grads`` names what they read and write."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Every hyper-parameter by its PyTorch name, JSON-able."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {key: list(v) if isinstance(v, tuple) else v for key, v in values.items()}


REGISTRY: dict[str, type[Layer]] = {}


def register(cls: type[Layer]) -> type[Layer]:
    """Class decorator: make the kind known to scenarios and to the contract tests."""
    REGISTRY[cls.kind] = cls
    return cls


def build(kind: str, fields: Mapping[str, Any], path: str) -> Layer:
    """A layer from its scenario entry (without ``name``, ``kind``, ``inputs``); raises ScenarioError."""
    if kind not in REGISTRY:
        known = ", ".join(sorted(REGISTRY))
        raise ScenarioError(
            f"{path}.kind: unknown kind {kind!r}; use one of {known}",
            reason="unknown_kind",
            field=f"{path}.kind",
            value=kind,
            bound=sorted(REGISTRY),
            remedy="use a known kind",
        )
    return _from_fields(REGISTRY[kind], fields, path)


def fields_of(registry: Mapping[str, type[Kind]], given: Any, path: str) -> Kind:
    """An object of a registry (losses, optimisers …) from ``{"kind": …, …}``; raises ScenarioError."""
    known = ", ".join(sorted(registry))
    if not isinstance(given, Mapping) or not isinstance(given.get("kind"), str) or given["kind"] not in registry:
        kind = given.get("kind") if isinstance(given, Mapping) else given
        raise ScenarioError(
            f"{path}.kind: unknown kind {kind!r}; use one of {known}",
            reason="unknown_kind",
            field=f"{path}.kind",
            value=kind if isinstance(kind, str | int | float | None) else type(kind).__name__,
            bound=sorted(registry),
            remedy="use a known kind",
        )
    return _from_fields(registry[given["kind"]], {k: v for k, v in given.items() if k != "kind"}, path)


def _from_fields(cls: type[Kind], fields: Mapping[str, Any], path: str) -> Kind:
    kind = cls.kind  # type: ignore[attr-defined]
    specs = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in fields:
        if key not in specs:
            known = ", ".join(specs) or "none"
            raise ScenarioError(
                f"{path}.{key}: {kind} has no field {key!r}; its fields are: {known}",
                reason="unknown_field",
                field=f"{path}.{key}",
                value=key,
                bound=list(specs),
                remedy="remove the field or correct its name",
            )
    values: dict[str, Any] = {}
    for name, spec in specs.items():
        if name in fields:
            values[name] = spec.metadata["parse"](fields[name], f"{path}.{name}")
        elif spec.default is dataclasses.MISSING:
            raise ScenarioError(
                f"{path}.{name}: {kind} needs {name}; give it a value",
                reason="missing_field",
                field=f"{path}.{name}",
                remedy=f"add {name}",
            )
    return cls(**values)


# --- fields: each says how a JSON value becomes a hyper-parameter, with its bound ---------------------------------


def _bad(path: str, value: Any, wanted: str) -> ScenarioError:
    return ScenarioError(
        f"{path}: {value!r} is not allowed; use {wanted}",
        reason="bad_value",
        field=path,
        value=value,
        bound=wanted,
        remedy=f"use {wanted}",
    )


def is_int(value: Any) -> bool:
    """True for an int that is not a bool, and for a float without a fraction (JSON writers differ)."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def integer(default: Any = dataclasses.MISSING, *, low: int = 1, high: int = 65536) -> Any:
    """A whole number in [low, high]."""

    def parse(value: Any, path: str) -> int | None:
        if is_int(value) and low <= value <= high:
            return int(value)
        if value is None and default is None:  # as the canonical document writes it
            return None
        raise _bad(path, value, f"a whole number from {low} to {high}")

    return dataclasses.field(default=default, metadata={"parse": parse})


def parse_pair(value: Any, path: str, low: int, high: int = 4096) -> Pair:
    """A number or ``[height, width]``, each in [low, high], as a pair."""
    both = [value, value] if is_int(value) else value
    if not isinstance(both, list | tuple) or len(both) != 2 or not all(is_int(v) and low <= v <= high for v in both):
        raise _bad(path, value, f"a whole number from {low} to {high}, or [height, width] of such")
    return (int(both[0]), int(both[1]))


def pair(default: Any = dataclasses.MISSING, *, low: int = 1, optional: bool = False) -> Any:
    """A size: one number or ``[height, width]``; ``optional`` admits null."""

    def parse(value: Any, path: str) -> Pair | None:
        return None if value is None and optional else parse_pair(value, path, low)

    return dataclasses.field(default=default, metadata={"parse": parse})


def boolean(default: bool) -> Any:
    """True or false."""

    def parse(value: Any, path: str) -> bool:
        if not isinstance(value, bool):
            raise _bad(path, value, "true or false")
        return value

    return dataclasses.field(default=default, metadata={"parse": parse})


def real(default: float, *, low: float = -FLOAT32_MAX, high: float = FLOAT32_MAX) -> Any:
    """A number in [low, high], by default whatever float32 can hold."""

    def parse(value: Any, path: str) -> float:
        ok = isinstance(value, int | float) and not isinstance(value, bool)
        if not ok or not low <= value <= high:  # comparing also refuses NaN, and integers too large for a float
            raise _bad(path, value, f"a finite number from {low:g} to {high:g}")
        return float(value) + 0.0  # −0 → 0

    return dataclasses.field(default=default, metadata={"parse": parse})


def choice(default: str, *options: str) -> Any:
    """One of a few words."""

    def parse(value: Any, path: str) -> str:
        if value not in options:
            raise _bad(path, value, "one of " + ", ".join(options))
        return value

    return dataclasses.field(default=default, metadata={"parse": parse})


def custom(default: Any, parse: Callable[[Any, str], Any]) -> Any:
    """A field with a parser of its own."""
    return dataclasses.field(default=default, metadata={"parse": parse})


def need_ndim(x: Shape, ndim: int, kind: str) -> None:
    """Raise ScenarioError unless ``x`` has ``ndim`` dimensions."""
    if len(x) != ndim:
        wanted = "N×C×H×W (four dimensions)" if ndim == 4 else "N×features (two dimensions)"
        remedy = "put a flatten before it" if ndim == 2 else "feed it maps, not a flat vector"
        raise ScenarioError(
            f"{kind} needs an input of {wanted}, but gets {'×'.join(map(str, x))}; {remedy}",
            reason="bad_input_shape",
            field="inputs",
            value=list(x),
            bound=ndim,
            remedy=remedy,
        )
