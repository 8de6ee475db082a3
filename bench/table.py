"""Timing and the table: medians of interleaved runs, because these machines are shared and noisy."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Row:
    """One measured figure; ``target`` is its bound, in the same unit, with the sign that it must keep."""

    name: str
    value: float
    unit: str
    target: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if not self.target:
            return None
        sign, bound = self.target.split()[:2]
        number = float(bound.replace(",", ""))
        return self.value <= number if sign == "≤" else self.value >= number

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form."""
        return asdict(self) | {"met": self.met}


def interleaved(contenders: dict[str, Callable[[], Any]], rounds: int = 30, inner: int = 10) -> dict[str, float]:
    """Median seconds of one call of each contender; they take turns, so that noise hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call()
    for _ in range(rounds):
        for name, call in contenders.items():
            began = time.perf_counter()
            for _ in range(inner):
                call()
            times[name].append((time.perf_counter() - began) / inner)
    return {name: statistics.median(found) for name, found in times.items()}


def show(rows: list[Row]) -> str:
    """The table as text."""
    width = max(len(row.name) for row in rows)
    lines = [f"{'measured':<{width}}  {'value':>12}  {'unit':<10} {'target':<14} "]
    for row in rows:
        mark = {None: "", True: "met", False: "MISSED"}[row.met]
        value = f"{row.value:,.3f}" if abs(row.value) < 100 else f"{row.value:,.0f}"
        lines.append(f"{row.name:<{width}}  {value:>12}  {row.unit:<10} {row.target:<14} {mark} {row.note}".rstrip())
    return "\n".join(lines)
