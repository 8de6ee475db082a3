"""Frames: the layout of safetensors, aligned, without loss."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from app import wire


def test_round_trip_with_mixed_and_empty_columns() -> None:
    columns = {
        "cell": np.arange(3, dtype=np.int32),
        "term": np.arange(6, dtype=np.float64).reshape(3, 2) / 7,
        "bytes": np.arange(5, dtype=np.uint8),
        "none": np.zeros((0, 4), np.float32),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    }
    metadata, found = wire.unpack(wire.pack({"re": 7, "type": "steps"}, columns))
    assert metadata == {"re": "7", "type": "steps"}
    assert set(found) == set(columns)
    for name, column in columns.items():
        assert found[name].dtype == column.dtype
        assert np.array_equal(found[name], column)


def test_every_column_is_aligned_to_its_item_size() -> None:
    columns = {"a": np.zeros(3, np.uint8), "b": np.zeros(3, np.float64), "c": np.zeros(5, np.float32)}
    frame = wire.pack({}, columns)
    (length,) = struct.unpack_from("<Q", frame)
    assert length % 8 == 0
    header = json.loads(frame[8 : 8 + length])
    for name, column in columns.items():
        assert header[name]["data_offsets"][0] % column.itemsize == 0
    assert len(frame) == 8 + length + 3 + 24 + 20


def test_the_safetensors_layout_is_what_its_specification_says() -> None:
    frame = wire.pack({"k": 1}, {"x": np.array([1.5, -2], np.float32)})
    (length,) = struct.unpack_from("<Q", frame)
    header = json.loads(frame[8 : 8 + length])
    assert header == {"__metadata__": {"k": "1"}, "x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    assert frame[8 + length :] == struct.pack("<2f", 1.5, -2)


def test_unknown_dtypes_are_refused() -> None:
    with pytest.raises(KeyError):
        wire.pack({}, {"x": np.zeros(1, np.complex64)})
