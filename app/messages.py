"""What a client may send: a discriminated union on ``type``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

Id = int | str
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(max_length=256)]
Cell = Annotated[list[int], Field(max_length=8)]
Step = Annotated[int, Field(ge=-(2**53), le=2**53)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Id


class Open(_Message):
    """Compute a scenario, or take up one that the server has seen, by its digest."""

    type: Literal["open"]
    scenario: dict[str, Any] | None = None
    digest: Digest | None = None

    @model_validator(mode="after")
    def _one(self) -> Open:
        if (self.scenario is None) == (self.digest is None):
            raise ValueError("give either scenario or digest")
        return self


class Tensor(_Message):
    """A whole tensor, a slice of it, or a thumbnail of its maps."""

    type: Literal["tensor"]
    trace: Digest
    name: str
    slice: list[tuple[int, int]] | None = None
    thumb: Annotated[int, Field(ge=1, le=512)] | None = None


class Steps(_Message):
    """A window of steps; in a lane, a newer request supersedes those that still wait."""

    type: Literal["steps"]
    trace: Digest
    start: Step
    stop: Step
    reading: str | None = None
    terms: tuple[int, int] | None = None
    top: Annotated[int, Field(ge=1, le=64)] | None = None
    lane: Annotated[str, Field(max_length=16)] | None = None


class Play(_Message):
    """Push windows ahead of a play-head, one per credit."""

    type: Literal["play"]
    trace: Digest
    start: Step
    rate: Annotated[float, Field(gt=0, le=1e6)]
    top: Annotated[int, Field(ge=1, le=64)] | None = None


class Pause(_Message):
    """Stop the running play."""

    type: Literal["pause"]


class Seek(_Message):
    """Move the play-head of the running play."""

    type: Literal["seek"]
    step: Step


class Credit(BaseModel):
    """``n`` more frames may be pushed."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["credit"]
    n: Annotated[int, Field(ge=1, le=64)]
    id: Id | None = None


class Init(_Message):
    """How the parameters of a node came to be."""

    type: Literal["init"]
    trace: Digest
    node: str


class Origin(_Message):
    """Where the number in a cell that no step wrote came from."""

    type: Literal["origin"]
    trace: Digest
    tensor: str
    cell: list[int]


class Nudge(_Message):
    """Move a cell by ±eps through the real forward pass; ``moves`` are longer ones, for a curve."""

    type: Literal["nudge"]
    trace: Digest
    tensor: Name
    cell: Cell
    eps: Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)] = 1e-5
    moves: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(max_length=64)] | None = None


class Trail(_Message):
    """How the gradient of a cell was handed down from the loss."""

    type: Literal["trail"]
    trace: Digest
    tensor: Name
    cell: Cell


class Saliency(_Message):
    """Which pixels speak for a class; ``node`` is the one whose maps Grad-CAM weighs, null for the last."""

    type: Literal["saliency"]
    trace: Digest
    target: Annotated[int, Field(alias="class", ge=-(2**31), lt=2**31)]
    method: Literal["gradient", "gradient_input", "grad_cam"]
    node: Name | None = None


class Watch(BaseModel):
    """A parameter's cell whose way is told."""

    model_config = ConfigDict(extra="forbid")
    tensor: Name
    cell: Cell


class Advance(_Message):
    """Run iterations of a scenario on its own input and target."""

    type: Literal["advance"]
    scenario: dict[str, Any]
    iterations: Annotated[int, Field(ge=1, le=1000)]
    watch: Annotated[list[Watch], Field(max_length=4)] = []


Message = Annotated[
    Open | Tensor | Steps | Play | Pause | Seek | Credit | Init | Origin | Nudge | Trail | Saliency | Advance,
    Field(discriminator="type"),
]
ADAPTER: TypeAdapter[Message] = TypeAdapter(Message)
