"""Every error the engine raises on purpose: each names the field, the value, the bound and the remedy."""

from __future__ import annotations

from typing import Any


class EngineError(ValueError):
    """Base of the engine's errors.

    ``message`` is a whole sentence that already contains value, bound and remedy; ``reason`` is a stable slug for
    programs and translations; ``field`` is a path into the document such as ``network[2].kernel_size``.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        field: str | None = None,
        value: Any = None,
        bound: Any = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field = field
        self.value = value
        self.bound = bound
        self.remedy = remedy

    def to_dict(self) -> dict[str, Any]:
        """The error as a JSON-able dictionary without empty entries."""
        entries = {
            "reason": self.reason,
            "message": self.message,
            "field": self.field,
            "value": self.value,
            "bound": self.bound,
            "remedy": self.remedy,
        }
        return {key: value for key, value in entries.items() if value is not None}


class ScenarioError(EngineError):
    """The document does not describe a computation that can be run."""


class RangeError(EngineError, IndexError):
    """A step, cell or term outside the trace was asked for; nothing is ever clamped.

    An IndexError, too, so that ``for step in trace`` ends where the trace does.
    """


class BlobError(EngineError):
    """A picture or tensor that the scenario names by its hash is not at hand; ``value`` is that hash."""


class FormatError(EngineError):
    """A file is not what its format asks for, or exceeds our bounds; ``field`` is a place in the file."""


class Diverged(EngineError):
    """A run has left the finite numbers: in ``iteration`` the tensor ``tensor`` got ``value`` in ``cell`` first."""

    def __init__(self, iteration: int, tensor: str, cell: tuple[int, ...], value: float) -> None:
        place = f"{tensor}[{', '.join(map(str, cell))}]"
        super().__init__(
            f"iteration {iteration}: {place} became {value}; lower the learning rate or clip the gradients",
            reason="diverged",
            field=tensor,
            value=str(value),
            bound="a finite number",
            remedy="lower the learning rate or clip the gradients",
        )
        self.iteration, self.tensor, self.cell = iteration, tensor, cell
