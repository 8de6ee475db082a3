"""Fit of a picture to the network's input."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine.formats.image import decode, fit, geometry


@pytest.mark.parametrize(("size", "target", "mode", "box", "placed"), [
    ((200, 100), (50, 50), "cover", (50, 0, 150, 100), (0, 0, 50, 50)),
    ((100, 200), (50, 50), "cover", (0, 50, 100, 150), (0, 0, 50, 50)),
    ((200, 100), (50, 50), "contain", (0, 0, 200, 100), (0, 12, 50, 37)),
    ((100, 200), (50, 50), "stretch", (0, 0, 100, 200), (0, 0, 50, 50)),
    ((1, 4000), (28, 28), "contain", (0, 0, 1, 4000), (13, 0, 14, 28)),
    ((1, 4000), (28, 28), "cover", (0, 1999, 1, 2000), (0, 0, 28, 28)),
])  # fmt: skip
def test_geometry(size: tuple, target: tuple, mode: str, box: tuple, placed: tuple) -> None:
    found_box, found_placed = geometry(size, target, mode)
    assert found_placed == placed
    assert found_box[2] - found_box[0] == box[2] - box[0]
    assert abs(found_box[1] - box[1]) <= 1


def test_grey_is_luma_scaled_to_one_and_normalised() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :, 1] = 255
    found = fit(pixels, (1, 8, 8), "stretch", [0.5], [0.25])
    assert found.tensor.shape == (1, 1, 8, 8)
    np.testing.assert_allclose(found.tensor, (150 / 255 - 0.5) / 0.25, atol=0.02)  # 0.587 · 255 ≈ 150
    assert found.info["grey"]


def test_colours_keep_their_channels_and_bars_are_zero() -> None:
    pixels = np.full((10, 20, 3), (255, 102, 0), np.uint8)
    found = fit(pixels, (3, 8, 8), "contain", [0, 0, 0], [1, 1, 1])
    x0, y0, x1, y1 = found.info["placed"]
    assert (x0, x1, y1 - y0) == (0, 8, 4)
    np.testing.assert_allclose(found.tensor[0, :, y0, 0], [1, 0.4, 0])
    assert not found.tensor[0, :, :y0].any()


def test_a_scenario_takes_pixels_or_a_stored_png() -> None:
    import io

    from PIL import Image

    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    name = "sha256:" + "a" * 64
    scenario = engine.Scenario.from_dict({
        "input": {"image": name, "shape": [3, 4, 4], "fit": "stretch"},
        "network": [{"name": "relu1", "kind": "relu"}],
    })  # fmt: skip
    one, two = (engine.run(scenario, {name: blob}) for blob in (pixels, out.getvalue()))
    np.testing.assert_array_equal(one.tensors["input"], pixels.transpose(2, 0, 1)[None] / np.float32(255))
    assert np.array_equal(one.tensors["input"], two.tensors["input"])
    assert one.input_info is not None
    assert one.input_info["image"] == name
    assert one.origin("input", (0, 1, 2, 3))["from"] == "pixel"
    with pytest.raises(engine.ScenarioError, match="not a picture"):
        decode(b"nothing")
