"""Built-in pictures, drawn by this code when the server starts: shapes, digits, patterns and a small scene."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from app.images import ImageStore

SIDE = 256
#: drawn larger and reduced, so that edges are smooth
OVER = 3
Point = tuple[float, float]
Colour = tuple[int, int, int]


class _Sheet:
    """A drawing in units of the side (0 … 1), x to the right, y down."""

    def __init__(self, background: np.ndarray | Colour) -> None:
        size = SIDE * OVER
        if isinstance(background, np.ndarray):
            self.picture = Image.fromarray(background).resize((size, size), Image.Resampling.BILINEAR)
        else:
            self.picture = Image.new("RGB", (size, size), background)
        self.pen = ImageDraw.Draw(self.picture)
        self.size = size

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.size, y * self.size) for x, y in points]

    def disc(self, x: float, y: float, r: float, fill: Colour, ry: float | None = None) -> None:
        ry = ry or r
        self.pen.ellipse(self._scaled([(x - r, y - ry), (x + r, y + ry)]), fill)

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        self.pen.polygon(self._scaled(points), fill)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        self.pen.rectangle(self._scaled([(x0, y0), (x1, y1)]), fill)

    def stroke(self, points: Sequence[Point], width: float, fill: Colour) -> None:
        """A round pen along a line: joints drawn by Pillow leave cracks, stamps do not."""
        radius = width * self.size / 2
        scaled = np.array(self._scaled(points))
        for a, b in pairwise(scaled):
            for x, y in np.linspace(a, b, 2 + int(np.hypot(*(b - a)) / 3)):
                self.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill)

    def pixels(self, blur: float = 0.0) -> np.ndarray:
        picture = self.picture.resize((SIDE, SIDE), Image.Resampling.BOX)
        return np.asarray(picture.filter(ImageFilter.GaussianBlur(blur)) if blur else picture)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """y and x of each pixel's centre, 0 … 1."""
    at = (np.arange(SIDE) + 0.5) / SIDE
    return at[:, None], at[None, :]


def _blend(top: Colour, bottom: Colour) -> np.ndarray:
    """Vertical gradient from ``top`` to ``bottom``."""
    y = _grid()[0][:, :, None]
    both = np.array(top) * (1 - y) + np.array(bottom) * y
    return np.broadcast_to(both, (SIDE, SIDE, 3)).round().astype(np.uint8)


def _rgb(values: np.ndarray) -> np.ndarray:
    """Grey 0 … 1 or RGB 0 … 1 as uint8[H, W, 3]."""
    if values.ndim == 2:
        values = np.repeat(values[:, :, None], 3, axis=2)
    return (values.clip(0, 1) * 255).round().astype(np.uint8)


def _spline(points: Sequence[Point], per_part: int = 24) -> list[Point]:
    """Catmull-Rom curve through the points."""
    p = np.array([points[0], *points, points[-1]])
    t = np.linspace(0, 1, per_part, endpoint=False)[:, None]
    curve = []
    for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False):
        part = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        curve.extend(map(tuple, part.tolist()))
    return [*curve, points[-1]]


def scene() -> np.ndarray:
    """Evening light: sun, hills, a house with a lit window, a tree."""
    sheet = _Sheet(_blend((88, 150, 214), (252, 214, 160)))
    for r, tint in ((0.17, (250, 220, 150)), (0.125, (255, 236, 140))):
        sheet.disc(0.74, 0.27, r, tint)
    for x, y, r in ((0.16, 0.17, 0.05), (0.23, 0.145, 0.065), (0.31, 0.175, 0.05)):
        sheet.disc(x, y, r, (250, 246, 240))
    hills = [(x / 60, 0.60 + 0.07 * math.sin(x / 9.0) + 0.03 * math.sin(x / 3.7)) for x in range(61)]
    sheet.polygon([*hills, (1, 1), (0, 1)], (104, 146, 136))
    field = [(x / 60, 0.74 - 0.05 * math.sin(x / 16.0 + 0.6)) for x in range(61)]
    sheet.polygon([*field, (1, 1), (0, 1)], (86, 156, 74))
    sheet.polygon([(0.44, 1), (0.52, 1), (0.385, 0.79), (0.35, 0.79)], (226, 204, 158))
    sheet.box(0.25, 0.56, 0.51, 0.81, (238, 226, 206))
    sheet.polygon([(0.205, 0.575), (0.38, 0.39), (0.555, 0.575)], (186, 62, 44))
    sheet.box(0.335, 0.66, 0.415, 0.81, (104, 66, 44))
    for x in (0.275, 0.435):
        sheet.box(x, 0.62, x + 0.045, 0.68, (255, 214, 92))
    sheet.box(0.775, 0.62, 0.815, 0.84, (98, 68, 44))
    for x, y, r in ((0.795, 0.50, 0.115), (0.725, 0.58, 0.085), (0.865, 0.58, 0.085)):
        sheet.disc(x, y, r, (42, 104, 58))
    return sheet.pixels()


def shapes() -> np.ndarray:
    """A disc with a rim, a square and a triangle before a soft pattern."""
    y, x = _grid()
    wave = 0.05 * np.sin(x * 21) * np.cos(y * 16)
    tone = np.stack([0.79 - 0.2 * y + wave, 0.81 - 0.2 * y + wave, 0.85 - 0.2 * y + wave], axis=2)
    sheet = _Sheet(_rgb(tone))
    sheet.disc(0.38, 0.36, 0.26, (112, 56, 24))
    sheet.disc(0.38, 0.36, 0.225, (226, 116, 44))
    sheet.box(0.57, 0.55, 0.89, 0.87, (40, 92, 172))
    sheet.polygon([(0.10, 0.92), (0.28, 0.66), (0.46, 0.92)], (36, 136, 96))
    return sheet.pixels()


def smiley() -> np.ndarray:
    """A yellow face on blue."""
    sheet = _Sheet(_blend((60, 104, 160), (38, 66, 120)))
    sheet.disc(0.5, 0.5, 0.385, (120, 78, 8))
    sheet.disc(0.5, 0.5, 0.36, (252, 204, 52))
    for x in (0.37, 0.63):
        sheet.disc(x, 0.41, 0.045, (52, 34, 10), 0.068)
    mouth = [(0.5 + 0.21 * math.cos(a), 0.545 + 0.17 * math.sin(a)) for a in np.linspace(0.25, math.pi - 0.25, 40)]
    sheet.stroke(mouth, 0.042, (52, 34, 10))
    return sheet.pixels()


def flower() -> np.ndarray:
    """Petals around a centre."""
    sheet = _Sheet(_blend((34, 74, 58), (18, 44, 40)))
    sheet.stroke(_spline([(0.5, 0.52), (0.53, 0.75), (0.48, 1.02)]), 0.035, (86, 160, 72))
    for radius, fill in ((0.165, (128, 30, 92)), (0.148, (226, 92, 158))):
        for k in range(8):
            angle = k * math.pi / 4
            sheet.disc(0.5 + 0.225 * math.cos(angle), 0.44 + 0.225 * math.sin(angle), radius * 0.72, fill)
    sheet.disc(0.5, 0.44, 0.135, (246, 194, 60))
    sheet.disc(0.5, 0.44, 0.095, (206, 128, 26))
    return sheet.pixels()


_DIGITS: dict[str, list[list[Point]]] = {
    "2": [[(0.31, 0.34), (0.36, 0.22), (0.52, 0.17), (0.66, 0.25), (0.66, 0.40), (0.52, 0.58), (0.36, 0.72),
           (0.29, 0.81)], [(0.29, 0.81), (0.50, 0.79), (0.73, 0.82)]],
    "3": [[(0.32, 0.26), (0.44, 0.17), (0.61, 0.20), (0.66, 0.32), (0.57, 0.44), (0.45, 0.48)],
          [(0.45, 0.48), (0.63, 0.53), (0.69, 0.67), (0.58, 0.81), (0.42, 0.83), (0.30, 0.74)]],
    "5": [[(0.67, 0.18), (0.39, 0.20)], [(0.39, 0.20), (0.36, 0.45)],
          [(0.36, 0.45), (0.50, 0.41), (0.65, 0.50), (0.67, 0.67), (0.55, 0.81), (0.40, 0.82), (0.30, 0.75)]],
    "7": [[(0.29, 0.21), (0.50, 0.19), (0.71, 0.21)], [(0.71, 0.21), (0.58, 0.45), (0.47, 0.66), (0.43, 0.83)],
          [(0.40, 0.52), (0.66, 0.51)]],
}  # fmt: skip


def _digit(name: str) -> Callable[[], np.ndarray]:
    def draw() -> np.ndarray:
        sheet = _Sheet((0, 0, 0))
        for points in _DIGITS[name]:
            sheet.stroke(_spline(points), 0.085, (255, 255, 255))
        return sheet.pixels(blur=1.2)

    return draw


def checker() -> np.ndarray:
    """Eight by eight fields."""
    y, x = _grid()
    return _rgb(np.where((np.floor(y * 8) + np.floor(x * 8)) % 2 == 0, 0.93, 0.10))


def gradient() -> np.ndarray:
    """Colours that change smoothly in both directions: every edge filter is nearly silent here."""
    y, x = _grid()
    return _rgb(np.stack(np.broadcast_arrays(0.15 + 0.8 * x, 0.25 + 0.5 * y, 0.9 - 0.7 * x * y), axis=2))


def rings() -> np.ndarray:
    """A zone plate: all directions, ever finer towards the edge."""
    y, x = _grid()
    r2 = (x - 0.5) ** 2 + (y - 0.5) ** 2
    return _rgb(0.5 + 0.46 * np.cos(110 * r2))


def stripes() -> np.ndarray:
    """Stripes upright, lying and slanting, one kind in each quarter."""
    y, x = _grid()
    phase = np.where(y < 0.5, np.where(x < 0.5, x, y), np.where(x < 0.5, (x + y) / 1.414, (x - y) / 1.414))
    wave = 0.5 + 0.5 * np.tanh(6 * np.sin(phase * 2 * np.pi * 16))
    dark, light = np.array([0.13, 0.20, 0.33]), np.array([0.97, 0.86, 0.66])
    return _rgb(dark + (light - dark) * wave[:, :, None])


SAMPLES: dict[str, Callable[[], np.ndarray]] = {
    "scene": scene,
    "shapes": shapes,
    "smiley": smiley,
    "flower": flower,
    "digit_2": _digit("2"),
    "digit_3": _digit("3"),
    "digit_5": _digit("5"),
    "digit_7": _digit("7"),
    "checker": checker,
    "rings": rings,
    "stripes": stripes,
    "gradient": gradient,
}


def install(store: ImageStore) -> list[dict[str, Any]]:
    """Pin every sample in the store; answers name, id and size of each."""
    installed = []
    for name, draw in SAMPLES.items():
        picture = store.pin(draw())
        height, width = picture.pixels.shape[:2]
        installed.append({"name": name, "id": picture.id, "width": width, "height": height})
    return installed
