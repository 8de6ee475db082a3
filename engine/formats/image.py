"""A picture becomes the network's input: fit, resize, grey or RGB, scale to [0, 1], normalise.

Needs Pillow, which is imported when it is used; the engine's core does without.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import ScenarioError


@dataclass(frozen=True)
class FitResult:
    """``tensor`` float32 [1, C, H, W]; ``info`` says what was done, in JSON-able terms.

    ``info["box"]`` is the part of the picture that was used and ``info["placed"]`` where it lies in the input, both
    [x0, y0, x1, y1] in pixels; outside ``placed`` the input is 0 before normalisation.
    """

    tensor: np.ndarray
    info: dict[str, Any]


def decode(data: bytes) -> np.ndarray:
    """uint8[H, W, 3] of a PNG or another file that Pillow reads; raises ScenarioError for anything else."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise ScenarioError(
            f"input.image: these {len(data)} bytes are not a picture ({error}); store a PNG",
            reason="bad_picture",
            field="input.image",
            value=len(data),
            remedy="store a PNG",
        ) from None


def geometry(
    size: tuple[int, int], target: tuple[int, int], fit: str
) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """(box, placed) for a picture of ``size`` = (width, height) and an input of ``target`` = (width, height).

    ``contain`` shows all of it with bars, ``cover`` cuts the longer side centrally, ``stretch`` changes its shape.
    """
    (w, h), (tw, th) = size, target
    if fit == "cover":
        if w * th > h * tw:
            used = max(1, round(h * tw / th))
            return ((w - used) // 2, 0, (w - used) // 2 + used, h), (0, 0, tw, th)
        used = max(1, round(w * th / tw))
        return (0, (h - used) // 2, w, (h - used) // 2 + used), (0, 0, tw, th)
    if fit == "contain":
        scale = min(tw / w, th / h)
        pw, ph = max(1, round(w * scale)), max(1, round(h * scale))
        left, top = (tw - pw) // 2, (th - ph) // 2
        return (0, 0, w, h), (left, top, left + pw, top + ph)
    return (0, 0, w, h), (0, 0, tw, th)


def fit(
    pixels: np.ndarray, shape: tuple[int, ...], mode: str, mean: Sequence[float], std: Sequence[float]
) -> FitResult:
    """Fit uint8[H, W, 3] to an input of ``shape`` = (C, H, W) with C = 1 (grey, ITU-R 601 luma) or 3.

    Resized with a triangle filter over the whole footprint of each pixel, so nothing overshoots or flickers.
    """
    from PIL import Image

    channels, height, width = shape
    picture = Image.fromarray(pixels)
    if channels == 1:
        picture = picture.convert("L")
    box, placed = geometry(picture.size, (width, height), mode)
    inner = (placed[2] - placed[0], placed[3] - placed[1])
    small = picture.resize(inner, Image.Resampling.BILINEAR, box=box)
    values = np.zeros((height, width, channels), np.float32)
    part = np.asarray(small, np.float32).reshape(inner[1], inner[0], channels)
    values[placed[1] : placed[3], placed[0] : placed[2]] = part / 255
    values = (values - np.array(mean, np.float32)) / np.array(std, np.float32)
    info = {
        "width": int(pixels.shape[1]),
        "height": int(pixels.shape[0]),
        "fit": mode,
        "box": list(box),
        "placed": list(placed),
        "channels": channels,
        "mean": list(mean),
        "std": list(std),
        "grey": channels == 1,
    }
    return FitResult(np.ascontiguousarray(values.transpose(2, 0, 1))[None].astype(np.float32), info)
