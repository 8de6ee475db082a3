"""Pieces of a JSON document, checked: each refusal names the field, the value, the bound and the remedy."""

from __future__ import annotations

import math
import re
from typing import Any

from engine.errors import ScenarioError
from engine.layer import Shape, is_int

_HASH = re.compile(r"sha256:[0-9a-f]{64}")


def refuse(field: str, reason: str, value: Any, bound: Any, remedy: str) -> ScenarioError:
    """The error for a value that a field cannot have."""
    shown = value if isinstance(value, str | int | float | bool | None) else type(value).__name__
    limit = ", ".join(map(str, bound)) if isinstance(bound, list | tuple) else bound
    where = f"{field}: " if field else ""
    return ScenarioError(
        f"{where}{shown!r} is not allowed (expected: {limit}); {remedy}",
        reason=reason,
        field=field or None,
        value=shown,
        bound=bound,
        remedy=remedy,
    )


def one_of(value: Any, field: str, options: tuple[str, ...]) -> str:
    """The value, if it is one of the options."""
    if value not in options:
        raise refuse(field, "bad_value", value, list(options), "use one of these")
    return value


def hash_of(value: Any, field: str) -> None:
    """Check a blob's name."""
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise refuse(field, "bad_value", value, "sha256: and 64 hexadecimal digits", "name an uploaded blob")


def shape_of(value: Any, field: str, ndim: int) -> Shape:
    """A shape of ``ndim`` sizes."""
    ok = isinstance(value, list | tuple) and len(value) == ndim
    if not ok or not all(is_int(v) and 1 <= v <= 65536 for v in value):
        wanted = f"{ndim} whole numbers from 1 to 65536"
        raise refuse(field, "bad_shape", str(value), wanted, f"give {wanted}")
    return tuple(int(v) for v in value)


def nested(value: Any, field: str, ndim: int, most: float) -> tuple[Any, Shape]:
    """Nested lists of numbers in [−most, most] as floats, with their shape; raises for ragged or empty ones."""
    if ndim == 0:
        ok = isinstance(value, int | float) and not isinstance(value, bool)
        if not ok or not -most <= value <= most:  # comparing also refuses NaN, and integers too large for a float
            wanted = f"a finite number, at most ±{most:.2g}"
            raise refuse(field, "not_finite" if ok else "bad_value", str(value)[:40], wanted, "use such a number")
        return float(value) + 0.0, ()
    if not isinstance(value, list | tuple) or not value:
        raise refuse(field, "bad_shape", str(value)[:80], f"{ndim} levels of lists", "nest the lists, none empty")
    rows = [nested(item, f"{field}[{i}]", ndim - 1, most) for i, item in enumerate(value)]
    for i, (_, shape) in enumerate(rows):
        if shape != rows[0][1]:
            raise refuse(f"{field}[{i}]", "bad_shape", str(shape), str(rows[0][1]), "make all rows equally long")
    return [row for row, _ in rows], (len(rows), *rows[0][1])


def finite(number: float) -> float | None:
    """The number, or None for NaN and ±∞, which JSON has no word for."""
    return number if math.isfinite(number) else None
