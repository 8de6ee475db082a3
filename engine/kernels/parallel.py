"""Two halves of a large operation at once: NumPy lets go of the interpreter while it computes.

A hand-over costs some 50 µs, so only operations of half a millisecond and more are split. Halves write different
rows, so that the numbers do not depend on whether there was a second core.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

#: multiplications, and cells passed through memory, below which one thread is quicker
PRODUCTS, CELLS = 8_000_000, 400_000


def threads() -> int:
    """How many may be used: what OMP_NUM_THREADS or OPENBLAS_NUM_THREADS allow, else the number of cores."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        given = os.environ.get(name, "")
        if given.isdigit() and int(given) > 0:
            return int(given)
    return os.cpu_count() or 1


@cache
def _helper() -> ThreadPoolExecutor | None:
    return ThreadPoolExecutor(1, thread_name_prefix="convoscope-half") if threads() > 1 else None


def halves(rows: int, worth: bool, run: Callable[[slice], None]) -> None:
    """``run(rows)``: once with all rows, or at the same time with either half where that is worth it."""
    helper = _helper() if worth and rows > 1 else None
    if helper is None:
        return run(slice(0, rows))
    other = helper.submit(run, slice(rows // 2, rows))
    try:
        run(slice(0, rows // 2))
    finally:
        other.result()
