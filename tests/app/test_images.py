"""Uploads: what works becomes the right picture, what does not is refused with its name."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from app.decode import PictureError, decode

MOST = 16_000_000


def saved(picture: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **more)
    return out.getvalue()


def quarters(mode: str = "RGB") -> Image.Image:
    """40×20: red, green / blue, white."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:10, :20, 0] = pixels[:10, 20:, 1] = pixels[10:, :20, 2] = 255
    pixels[10:, 20:] = 255
    return Image.fromarray(pixels).convert(mode)


def corner_colours(pixels: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(int(v > 128) for v in pixels[y, x]) for y, x in ((2, 2), (2, -3), (-3, 2), (-3, -3))]


QUARTERS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_gives_the_right_picture(kind: str) -> None:
    found = decode(saved(quarters(), kind), MOST)
    assert (found.format, found.frames, found.pixels.shape) == (kind, 1, (20, 40, 3))
    assert corner_colours(found.pixels) == QUARTERS


def test_palette_and_cmyk() -> None:
    assert corner_colours(decode(saved(quarters("P")), MOST).pixels) == QUARTERS
    found = decode(saved(quarters("CMYK"), "JPEG"), MOST)
    assert corner_colours(found.pixels) == QUARTERS
    assert "cmyk" in found.notes


def test_alpha_lies_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    found = decode(saved(clear), MOST)
    assert (found.pixels == 255).all()
    assert "on_white" in found.notes
    half = decode(saved(Image.new("RGBA", (8, 8), (0, 0, 0, 128))), MOST)
    assert abs(int(half.pixels[0, 0, 0]) - 127) <= 1


def test_transparent_palette_lies_on_white() -> None:
    picture = Image.new("P", (8, 8), 1)
    picture.putpalette([0, 0, 0, 200, 0, 0])
    assert (decode(saved(picture, transparency=1), MOST).pixels == 255).all()


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    found = decode(saved(Image.fromarray(ramp)), MOST)
    assert np.abs(found.pixels[:, :, 0].astype(int).ravel() - np.arange(256)).max() <= 1
    assert "16_bit" in found.notes


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to show
    found = decode(saved(quarters(), "JPEG", exif=exif, quality=95), MOST)
    assert found.pixels.shape == (40, 20, 3)
    assert corner_colours(found.pixels) == [(0, 0, 1), (1, 0, 0), (1, 1, 1), (0, 1, 0)]
    assert "rotated" in found.notes


def test_the_first_frame_of_an_animation_is_taken_and_told() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    found = decode(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]), MOST)
    assert found.frames == 3
    assert found.pixels[0, 0].tolist() == [255, 0, 0]
    assert "first_frame" in found.notes


def test_a_colour_profile_is_honoured() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    plain = decode(saved(quarters(), icc_profile=srgb.tobytes()), MOST)
    assert corner_colours(plain.pixels) == QUARTERS
    unfit = decode(saved(quarters(), icc_profile=lab.tobytes()), MOST)  # does not fit RGB: left as it is
    assert corner_colours(unfit.pixels) == QUARTERS


def test_large_pictures_are_reduced_and_told() -> None:
    found = decode(saved(quarters().resize((2600, 1300)), "JPEG"), MOST)
    assert max(found.pixels.shape) <= 1280
    assert corner_colours(found.pixels) == QUARTERS
    assert "reduced" in found.notes


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    )


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(("data", "reason", "words"), ids=lambda part: part if type(part) is str else "", argvalues=[
    (b"", "empty", "0 bytes"),
    (SVG, "wrong_type", "an SVG drawing"),
    (b"%PDF-1.7 ...", "wrong_type", "a PDF document"),
    (b"II*\x00" + bytes(100), "wrong_type", "a TIFF picture"),
    (b"hello, world", "wrong_type", "a text"),
    (bytes(range(256)) * 4, "wrong_type", "no known picture"),
    (b"\x00\x00\x00\x18ftypheic" + bytes(50), "wrong_type", "HEIC"),
    (saved(quarters())[:70], "damaged", "cut short"),
    (saved(quarters(), "JPEG")[:400], "damaged", "cut short"),
    (bomb(11_000, 8_000), "too_many_pixels", "88.0 Mpixel"),
])  # fmt: skip
def test_what_does_not_work_is_named(data: bytes, reason: str, words: str) -> None:
    with pytest.raises(PictureError) as caught:
        decode(data, MOST)
    assert caught.value.reason == reason
    assert words in caught.value.message
    if reason in ("empty", "wrong_type", "damaged"):
        assert all(kind in caught.value.message for kind in ("PNG", "JPEG", "WebP", "GIF", "BMP"))
