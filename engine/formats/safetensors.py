"""Tensors in and out of safetensors files: names, arrays and a few words of metadata, nothing that could run.

Layout: eight bytes with the length of the header (little-endian), the header in JSON, the cells. The header is
checked here against bounds of our own before the library, which is imported when it is used, sees a file.

Source: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import FormatError

MAX_HEADER = 1 << 20
MAX_TENSORS = 4096
MAX_NAME = 200
MAX_DIMS = 32
METADATA = "__metadata__"
#: the format's name of a type → NumPy's
DTYPES = {
    "F16": "float16", "F32": "float32", "F64": "float64", "BOOL": "bool",
    "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64",
}  # fmt: skip


def read(source: bytes | str | Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays by name, writeable and C-contiguous, and the metadata; raises FormatError."""
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    header, start = _header(data)
    metadata = header.pop(METADATA, {})
    _check(header, metadata, len(data) - start)
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
    except (SafetensorError, ValueError, MemoryError) as error:
        raise _bad("file", "unreadable", str(error)[:200], "a safetensors file", "write the file anew") from None
    for name, array in arrays.items():
        if array.dtype == bool and (array.view(np.uint8) > 1).any():
            raise _bad(name, "bad_value", int(array.view(np.uint8).max()), "0 or 1", "write truth values as 0 or 1")
    return {name: array if array.flags.writeable else array.copy() for name, array in arrays.items()}, metadata


def write(arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """The file: the same bytes for the same arrays and metadata; raises FormatError."""
    from safetensors.numpy import save

    ready = {}
    for name, given in arrays.items():
        array = np.asarray(
            given, order="C"
        )  # the library writes the memory of a transposed view as if it were in order
        if array.dtype.name not in DTYPES.values():
            raise _bad(str(name), "bad_dtype", str(array.dtype), list(DTYPES.values()), "convert it to one of these")
        ready[name] = array.astype(array.dtype.newbyteorder("="), copy=False)
    entries: dict[str, Any] = {
        name: {"dtype": code, "shape": list(array.shape), "data_offsets": [0, 0]}
        for name, array in ready.items()
        for code, dtype in DTYPES.items()
        if dtype == array.dtype.name
    }
    words = dict(metadata or {})
    _check_names(entries, words)
    data = save(ready)
    if not words:
        _header(data)
        return data
    # metadata comes first and sorted; the library writes it in any order
    header, start = _header(data)
    text = json.dumps({METADATA: dict(sorted(words.items()))} | header, separators=(",", ":"), ensure_ascii=False)
    packed = text.encode()
    packed += b" " * (-len(packed) % 8)
    whole = len(packed).to_bytes(8, "little") + packed
    _header(whole)
    return whole + data[start:]


# --- checks -------------------------------------------------------------------------------------------------------


def _bad(field: str, reason: str, value: Any, bound: Any, remedy: str) -> FormatError:
    limit = ", ".join(map(str, bound)) if isinstance(bound, list) else bound
    return FormatError(
        f"{field[:MAX_NAME]}: {value!r} is not allowed (expected: {limit}); {remedy}",
        reason=reason,
        field=field[:MAX_NAME],
        value=value,
        bound=bound,
        remedy=remedy,
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name occurs twice")
    return found


def _header(data: bytes) -> tuple[dict[str, Any], int]:
    """The header as it is written, and where the cells begin."""
    if len(data) < 8:
        raise _bad("file", "too_short", len(data), "at least 8 bytes", "send the whole file")
    size = int.from_bytes(data[:8], "little")
    if size > MAX_HEADER:
        raise _bad("header", "too_large", size, f"at most {MAX_HEADER} bytes", "store fewer tensors or metadata")
    if size > len(data) - 8:
        raise _bad("header", "too_short", len(data) - 8, f"at least {size} bytes", "send the whole file")
    try:
        header = json.loads(data[8 : 8 + size].decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _bad("header", "bad_header", str(error)[:200], "JSON", "write the file anew") from None
    if not isinstance(header, dict):
        raise _bad("header", "bad_header", type(header).__name__, "a JSON object", "write the file anew")
    return header, 8 + size


def _check_names(entries: Mapping[str, Any], metadata: Any) -> None:
    if len(entries) > MAX_TENSORS:
        raise _bad("header", "too_many", len(entries), f"at most {MAX_TENSORS} tensors", "store fewer tensors")
    for name in entries:
        ok = isinstance(name, str) and 0 < len(name) <= MAX_NAME and name != METADATA
        if not ok or name != name.encode(errors="ignore").decode():  # half of a surrogate pair is no text
            wanted = f"1 to {MAX_NAME} characters, not {METADATA}"
            raise _bad(
                "header",
                "bad_name",
                str(name)[:MAX_NAME].encode(errors="replace").decode(),
                wanted,
                "rename the tensor",
            )
    texts = isinstance(metadata, dict) and all(isinstance(text, str) for item in metadata.items() for text in item)
    if not texts:
        raise _bad(METADATA, "bad_value", type(metadata).__name__, "texts by their names", "write texts only")


def _check(entries: Mapping[str, Any], metadata: Any, room: int) -> None:
    """Types, shapes and places: the cells of all tensors, one behind the other, fill the rest of the file."""
    _check_names(entries, metadata)
    places = []
    for name, entry in entries.items():
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise _bad(name, "bad_header", str(entry)[:80], "dtype, shape, data_offsets", "write the file anew")
        code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(code, str) or code not in DTYPES:
            raise _bad(name, "bad_dtype", str(code)[:80], list(DTYPES), "convert it to one of these")
        if not _sizes(shape) or len(shape) > MAX_DIMS:
            raise _bad(name, "bad_shape", str(shape)[:80], f"at most {MAX_DIMS} whole sizes", "give it such a shape")
        if not _sizes(offsets) or len(offsets) != 2:
            raise _bad(name, "bad_offsets", str(offsets)[:80], "[begin, end]", "write the file anew")
        size = math.prod(shape) * np.dtype(DTYPES[code]).itemsize
        if offsets[1] - offsets[0] != size:
            raise _bad(name, "bad_offsets", offsets[1] - offsets[0], f"{size} bytes", "write the file anew")
        places.append((*offsets, name))
    at = 0
    for begin, end, name in sorted(places):
        if begin != at:
            raise _bad(name, "bad_offsets", begin, f"the end of the tensor before it, {at}", "write the file anew")
        at = end
    if at != room:
        raise _bad("file", "bad_size", room, f"{at} bytes of cells", "send the whole file, and nothing behind it")


def _sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**48 for value in values)
