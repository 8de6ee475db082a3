"""The only place that lays out bytes: binary frames in the safetensors layout.

8 bytes little-endian header length, a JSON header padded with spaces to 8 bytes, then raw little-endian columns by
descending item size, so that every typed array is aligned. ``__metadata__`` holds the envelope as strings.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

_NAMES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "int8": "I8", "uint8": "U8"}
_DTYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in _NAMES.items()}


def pack(metadata: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> bytes:
    """One frame; metadata values become strings, columns may be empty or strided (they are copied in order)."""
    header: dict[str, Any] = {"__metadata__": {key: str(value) for key, value in metadata.items()}}
    parts, at = [], 0
    for name in sorted(columns, key=lambda key: -columns[key].dtype.itemsize):
        column = np.ascontiguousarray(columns[name])
        size = column.nbytes
        header[name] = {
            "dtype": _NAMES[column.dtype.name],
            "shape": list(columns[name].shape),
            "data_offsets": [at, at + size],
        }
        parts.append(column.astype(column.dtype.newbyteorder("<"), copy=False).data.cast("B") if size else b"")
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([struct.pack("<Q", len(text)), text, *parts])


def unpack(frame: bytes) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Envelope and columns of a frame; the columns are views into ``frame``."""
    (length,) = struct.unpack_from("<Q", frame)
    header = json.loads(frame[8 : 8 + length])
    metadata = header.pop("__metadata__")
    columns = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        dtype = _DTYPES[entry["dtype"]]
        flat = np.frombuffer(frame, dtype, (last - first) // dtype.itemsize, 8 + length + first)
        columns[name] = flat.reshape(entry["shape"])
    return metadata, columns
