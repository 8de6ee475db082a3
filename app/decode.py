"""Decode an uploaded picture: runs in a process of its own that can be killed; imports Pillow and NumPy only."""

from __future__ import annotations

import io
import multiprocessing
import os
import threading
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
WORKS = "PNG, JPEG, WebP, GIF and BMP work"
#: longer sides are reduced to this: no network here looks at more
LONGEST = 1280

#: first bytes → what to call the file; only for what people do try
_SIGNS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive (or an office document)"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"8BPS", "a Photoshop file"),
    (b"\x00\x00\x01\x00", "an icon file"),
    (b"\x1a\x45\xdf\xa3", "a video"),
)


@dataclass(frozen=True)
class Decoded:
    """A picture upright, sRGB, on white: ``pixels`` uint8[H, W, 3], and what was done to it."""

    pixels: np.ndarray
    format: str
    frames: int
    notes: list[str] = field(default_factory=list)


def end_with_server() -> None:
    """Run at the start of the process: a killed server cannot stop it, and it would wait for work for ever."""
    server = multiprocessing.parent_process()
    if server is not None:
        threading.Thread(target=lambda: (server.join(), os._exit(1)), daemon=True).start()


class PictureError(Exception):
    """The upload is not a picture that works; ``fields`` are those of the answer."""

    def __init__(self, reason: str, message: str, value: Any = None, bound: Any = None) -> None:
        super().__init__(reason, message, value, bound)  # all arguments, so that it can be pickled
        self.reason = reason
        self.message = message
        self.value = value
        self.bound = bound


def decode(data: bytes, max_pixels: int) -> Decoded:
    """Decode; raises PictureError naming what was found and what works."""
    if not data:
        raise PictureError("empty", f"the file is empty (0 bytes); {WORKS}", 0)
    Image.MAX_IMAGE_PIXELS = None  # our own bound, checked below before anything is decoded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            return _decoded(picture, max_pixels)
    except UnidentifiedImageError:
        found = sniff(data)
        raise PictureError("wrong_type", f"this is {found}; {WORKS}", found) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        message = f"the picture is damaged or cut short ({error}); save it again, {WORKS}"
        raise PictureError("damaged", message, str(error)) from None


def sniff(data: bytes) -> str:
    """What a file that is no picture seems to be, for people."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "an SVG drawing"
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    if data[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    for sign, name in _SIGNS:
        if data.startswith(sign):
            return name
    text = data[:512]
    if all(byte in b"\t\n\r" or byte >= 32 for byte in text) and b"\x00" not in text:
        return "a text"
    return "no known picture"


def _decoded(picture: Image.Image, max_pixels: int) -> Decoded:
    width, height = picture.size
    if width * height > max_pixels:
        raise PictureError(
            "too_many_pixels",
            f"the picture claims {width} × {height} = {width * height / 1e6:.1f} Mpixel, more than "
            f"{max_pixels / 1e6:g}; make it smaller",
            width * height,
            max_pixels,
        )
    kind = picture.format or "?"
    frames = getattr(picture, "n_frames", 1)
    notes = ["first_frame"] if frames > 1 else []
    picture.seek(0)
    if kind == "JPEG":
        picture.draft(None, (LONGEST, LONGEST))  # decodes at 1/2, 1/4 … of the size, never below LONGEST
    picture.load()
    upright = ImageOps.exif_transpose(picture)
    if picture.getexif().get(0x0112, 1) != 1:
        notes.append("rotated")
    rgb, more = _rgb(upright)
    if max(width, height) > LONGEST:
        rgb.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX, reducing_gap=None)
        more = [*more, "reduced"]
    return Decoded(np.asarray(rgb), kind, frames, [*notes, *more])


def _rgb(picture: Image.Image) -> tuple[Image.Image, list[str]]:
    """sRGB on white, and what that took."""
    notes: list[str] = []
    mode = picture.mode
    if mode.startswith("I") or mode == "F":
        # Pillow clips 16-bit grey at 255 when it converts: scale by 1/257 instead.
        wide = np.asarray(picture).astype(np.float64)
        picture = Image.fromarray((wide / 257 + 0.5).clip(0, 255).astype(np.uint8))
        notes.append("16_bit")
    has_alpha = mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
    profile = picture.info.get("icc_profile")
    alpha = picture.convert("RGBA").getchannel("A") if has_alpha else None
    if profile:
        picture, managed = _managed(picture, profile)
        notes += ["colour_managed"] if managed else []
    if mode == "CMYK":
        notes.append("cmyk")
    rgb = picture.convert("RGBA").convert("RGB") if mode in ("P", "PA") else picture.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", rgb.size, "white")
        white.paste(rgb, mask=alpha)
        rgb = white
        notes.append("on_white")
    return rgb, notes


def _managed(picture: Image.Image, profile: bytes) -> tuple[Image.Image, bool]:
    """The picture in sRGB; a profile that does not fit leaves it as it is."""
    base = picture if picture.mode in ("RGB", "CMYK", "L") else picture.convert("RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "srgb" in (ImageCms.getProfileDescription(source) or "").lower():
            return picture, False
        target = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(base, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture, False
    return (converted or base), True
