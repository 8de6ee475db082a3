"""Files of tensors: round trips without loss, and every bound held before the library sees a file."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from engine.formats import safetensors

PLAIN = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def packed(header: Any, data: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def entry(begin: int, end: int, dtype: Any = "U8", shape: Any = None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", sorted(set(safetensors.DTYPES.values())))
@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (0, 3), (2, 1, 3, 2)])
def test_round_trip(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    arrays, metadata = safetensors.read(safetensors.write({"conv1.weight": array}, {"it": "3"}))
    assert same(arrays["conv1.weight"], array)
    assert metadata == {"it": "3"}
    assert arrays["conv1.weight"].flags.writeable


@given(st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda name: name != safetensors.METADATA and name.isprintable()),
    hnp.arrays(st.sampled_from(["float32", "float64", "int64", "bool"]), hnp.array_shapes(min_dims=0, min_side=0)),
    max_size=4,
))  # fmt: skip
def test_round_trip_of_anything(arrays: dict[str, np.ndarray]) -> None:
    found, metadata = safetensors.read(safetensors.write(arrays))
    assert set(found) == set(arrays)
    assert all(same(found[name], array) for name, array in arrays.items())
    assert metadata == {}


def test_nan_infinity_and_minus_zero_survive() -> None:
    array = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324])
    assert same(safetensors.read(safetensors.write({"a": array}))[0]["a"], array)


def test_views_are_written_as_they_look() -> None:
    base = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    views = {"t": base.T, "step": base[:, ::2], "back": base[::-1], "big": base.astype(">f4"), "wide": base[:1] + 0}
    views["wide"] = np.broadcast_to(views["wide"], (5, 3, 4))
    found, _ = safetensors.read(safetensors.write(views))
    assert all(np.array_equal(found[name], view) for name, view in views.items())


def test_the_same_content_gives_the_same_bytes() -> None:
    words = {f"key{i}": "Größe" * i for i in range(9)}
    arrays = {"b": np.zeros(3, bool), "a": np.ones((2, 2))}
    files = {safetensors.write(dict(sorted(arrays.items(), reverse=i % 2 == 0)), words) for i in range(20)}
    assert len(files) == 1
    assert safetensors.read(files.pop())[1] == words


def test_a_file_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(safetensors.write({"a": np.arange(3)}))
    for source in (path, str(path)):
        assert safetensors.read(source)[0]["a"].tolist() == [0, 1, 2]


def test_cells_begin_at_a_multiple_of_eight() -> None:
    data = safetensors.write({"a": np.arange(3)}, {"odd": "x"})
    assert int.from_bytes(data[:8], "little") % 8 == 0


BAD: list[tuple[str, bytes, str]] = [
    ("empty", b"", "too_short"),
    ("short", b"1234567", "too_short"),
    ("truncated header", packed(PLAIN, size=200), "too_short"),
    ("huge header", packed(PLAIN, size=2**63), "too_large"),
    ("header over the bound", packed(b"{}" + b" " * safetensors.MAX_HEADER), "too_large"),
    ("no JSON", packed(b"{nonsense"), "bad_header"),
    ("no UTF-8", packed(b"\xff\xfe"), "bad_header"),
    ("deep", packed(b"[" * 200_000), "bad_header"),
    ("long number", packed(b'{"a":' + b"9" * 10_000 + b"}"), "bad_header"),
    ("a list", packed([]), "bad_header"),
    ("twice", packed(b'{"a":1,"a":2}'), "bad_header"),
    ("too many", packed({str(i): 0 for i in range(4097)}), "too_many"),
    ("long name", packed({"n" * 201: entry(0, 1)}, b"1"), "bad_name"),
    ("no name", packed({"": entry(0, 1)}, b"1"), "bad_name"),
    ("half a character", packed(rb'{"\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), "bad_name"),
    ("no entry", packed({"a": 5}), "bad_header"),
    ("incomplete", packed({"a": {"dtype": "U8"}}), "bad_header"),
    ("bfloat16", packed({"a": entry(0, 2, "BF16", [1])}, b"12"), "bad_dtype"),
    ("dtype no text", packed({"a": entry(0, 2, ["F16"], [1])}, b"12"), "bad_dtype"),
    ("negative size", packed({"a": entry(0, 0, "U8", [-1])}), "bad_shape"),
    ("size no number", packed({"a": entry(0, 1, "U8", [True])}, b"1"), "bad_shape"),
    ("fraction", packed({"a": entry(0, 1, "U8", [1.0])}, b"1"), "bad_shape"),
    ("many dimensions", packed({"a": entry(0, 1, "U8", [1] * 33)}, b"1"), "bad_shape"),
    ("shape no list", packed({"a": entry(0, 1, "U8", "1")}, b"1"), "bad_shape"),
    ("overflow", packed({"a": entry(0, 0, "U8", [2**40, 2**40])}), "bad_offsets"),
    ("offsets against shape", packed({"a": entry(0, 8, "F32", [3])}, b"12345678"), "bad_offsets"),
    ("backwards", packed({"a": entry(4, 0, "U8", [0])}), "bad_offsets"),
    ("three offsets", packed({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1, 2]}}), "bad_offsets"),
    ("overlap", packed({"a": entry(0, 4), "b": entry(2, 6)}, b"123456"), "bad_offsets"),
    ("twice the same cells", packed({"a": entry(0, 4), "b": entry(0, 4)}, b"1234"), "bad_offsets"),
    ("hole", packed({"a": entry(0, 4), "b": entry(5, 6)}, b"123456"), "bad_offsets"),
    ("truncated cells", packed(PLAIN, b"1234567"), "bad_size"),
    ("cells too many", packed(PLAIN, b"123456789"), "bad_size"),
    ("truth of 2", packed({"a": entry(0, 2, "BOOL")}, b"\x01\x02"), "bad_value"),
    ("metadata no texts", packed(PLAIN | {"__metadata__": {"a": 1}}, b"12345678"), "bad_value"),
    ("metadata no object", packed(PLAIN | {"__metadata__": []}, b"12345678"), "bad_value"),
]


@pytest.mark.parametrize(("data", "reason"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_file_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(engine.FormatError) as caught:
        safetensors.read(data)
    error = caught.value
    assert error.reason == reason
    assert error.field
    assert error.remedy
    assert error.bound
    assert len(error.message) < 600
    json.dumps(error.to_dict())


@given(st.binary(max_size=64), st.integers(0, 120), st.integers(0, 255))
def test_noise_never_does_more_than_be_refused(noise: bytes, at: int, byte: int) -> None:
    good = bytearray(safetensors.write({"a": np.arange(4, dtype=np.uint8)}, {"k": "v"}))
    good[min(at, len(good) - 1)] = byte
    for data in (noise, packed(noise), bytes(good), bytes(good[:at])):
        try:
            safetensors.read(data)
        except engine.FormatError:
            continue


@pytest.mark.parametrize(("arrays", "metadata", "reason"), [
    ({"a": np.zeros(2, complex)}, None, "bad_dtype"),
    ({"a": np.array(["x"])}, None, "bad_dtype"),
    ({"a": np.array([None])}, None, "bad_dtype"),
    ({"a": np.zeros(2, "datetime64[s]")}, None, "bad_dtype"),
    ({"n" * 201: np.zeros(1)}, None, "bad_name"),
    ({"__metadata__": np.zeros(1)}, None, "bad_name"),
    ({5: np.zeros(1)}, None, "bad_name"),
    ({"\ud800": np.zeros(1)}, None, "bad_name"),
    ({"a": np.zeros(1)}, {"k": 5}, "bad_value"),
    ({str(i): np.zeros(1) for i in range(4097)}, None, "too_many"),
    ({"a": np.zeros(1)}, {"k": "v" * (1 << 20)}, "too_large"),
])  # fmt: skip
def test_what_could_not_be_read_is_not_written(arrays: Any, metadata: Any, reason: str) -> None:
    with pytest.raises(engine.FormatError) as caught:
        safetensors.write(arrays, metadata)
    assert caught.value.reason == reason


def test_weights_of_a_scenario_come_from_a_file() -> None:
    name = "sha256:" + "1" * 64
    conv = {"name": "c", "kind": "conv2d", "out_channels": 1, "kernel_size": 2}
    scenario = engine.Scenario.from_dict({
        "input": {"values": [[[[1, 2], [3, 4]]]]}, "network": [conv], "params": {"weights": name},
    })  # fmt: skip
    arrays, _ = safetensors.read(safetensors.write({"c.weight": np.ones((1, 1, 2, 2)), "c.bias": np.zeros(1)}))
    assert engine.run(scenario, {name: arrays}).tensors["c.out"].item() == 10
