"""Pictures: uploads over HTTP, checked and decoded in a killable process, kept by the hash of what was uploaded.

Only decoded pixels are kept, and only thumbnails made from them are served: an original never leaves again.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import multiprocessing
import re
from collections import OrderedDict
from collections.abc import MutableMapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from PIL import Image
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from app.decode import WORKS, PictureError, decode, end_with_server
from app.settings import Settings

THUMB_SIZES = (96, 320)
#: what multipart adds around one file
SLACK = 16 * 1024
_ID = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class Picture:
    """A decoded picture and what the page is told of it."""

    id: str
    pixels: np.ndarray
    format: str
    frames: int = 1
    notes: list[str] = field(default_factory=list)
    thumbs: dict[int, bytes] = field(default_factory=dict)

    def info(self) -> dict[str, Any]:
        """JSON-able description."""
        return {
            "id": self.id,
            "width": self.pixels.shape[1],
            "height": self.pixels.shape[0],
            "format": self.format,
            "frames": self.frames,
            "thumb": f"/api/images/{self.id}/thumb",
            "notes": self.notes,
        }


class ImageStore:
    """Pictures by id in a byte-bounded LRU; built-in samples are pinned."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: OrderedDict[str, Picture] = OrderedDict()
        self._pinned: dict[str, Picture] = {}
        self._pool: ProcessPoolExecutor | None = None
        self.kept_bytes = 0

    def start(self) -> None:
        """Start the decoding process now, so that the first upload does not wait for it."""
        self._executor().submit(len, b"")

    def close(self) -> None:
        """Stop the decoding process."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def get(self, image_id: str) -> Picture | None:
        """A picture that is still here."""
        if image_id in self._pinned:
            return self._pinned[image_id]
        picture = self._kept.get(image_id)
        if picture is not None:
            self._kept.move_to_end(image_id)
        return picture

    def array(self, image_id: str) -> np.ndarray | None:
        """uint8[H, W, 3], or None for an unknown id."""
        picture = self.get(image_id)
        return None if picture is None else picture.pixels

    def pin(self, pixels: np.ndarray) -> Picture:
        """Keep a picture of our own for good; its id is the hash of its size and pixels."""
        digest = hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()
        picture = Picture(f"sha256:{digest}", pixels, "PNG")
        self._pinned[picture.id] = picture
        return picture

    async def add(self, data: bytes) -> Picture:
        """Decode and keep an upload; raises PictureError."""
        image_id = "sha256:" + hashlib.sha256(data).hexdigest()
        known = self.get(image_id)
        if known is not None:
            return known
        decoded = await self._decode(data)
        picture = Picture(image_id, decoded.pixels, decoded.format, decoded.frames, decoded.notes)
        if image_id not in self._kept:
            self._kept[image_id] = picture
            self.kept_bytes += picture.pixels.nbytes
        while self.kept_bytes > self._settings.image_cache_bytes and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self.kept_bytes -= old.pixels.nbytes
        return picture

    async def _decode(self, data: bytes) -> Any:
        pool = self._executor()
        running = asyncio.get_running_loop().run_in_executor(pool, decode, data, self._settings.max_image_pixels)
        try:
            return await asyncio.wait_for(running, self._settings.image_timeout_s)
        except (TimeoutError, BrokenProcessPool) as error:
            self._replace(pool)
            seconds = self._settings.image_timeout_s
            why = f"took longer than {seconds:g} s" if isinstance(error, TimeoutError) else "broke the decoder"
            message = f"the picture {why}; save it again as PNG or JPEG and make it smaller"
            raise PictureError("decoder", message, bound=seconds) from None

    def _executor(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # spawn: a fork of a process with threads may copy a lock that nobody will ever release
            spawn = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, mp_context=spawn, initializer=end_with_server)
        return self._pool

    def _replace(self, pool: ProcessPoolExecutor) -> None:
        """A stuck or dead worker breaks its whole pool: kill it and start another with the next upload."""
        if self._pool is not pool:
            return
        self._pool = None
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def thumbnail(picture: Picture, size: int) -> bytes:
    """PNG of at most ``size`` × ``size`` pixels, kept with the picture; small ones in 256 colours if shorter."""
    if size not in picture.thumbs:
        small = Image.fromarray(picture.pixels)
        small.thumbnail((size, size), Image.Resampling.BOX)
        looks = [small, small.quantize(256, dither=Image.Dither.NONE)] if size == min(THUMB_SIZES) else [small]
        picture.thumbs[size] = min((_png(look) for look in looks), key=len)
    return picture.thumbs[size]


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


# --- HTTP ---------------------------------------------------------------------------------------------------------

router = APIRouter(prefix="/api/images")


class _TooLarge(Exception):
    pass


@router.post("")
async def upload(request: Request) -> Response:
    """Multipart with one field ``file``; answers the picture's description, or an error that says what to do."""
    settings: Settings = request.app.state.settings
    try:
        data = await _read(request, settings.max_image_bytes)
        picture = await request.app.state.images.add(data)
    except _TooLarge:
        most = settings.max_image_bytes
        message = f"the file is larger than {most / 2**20:g} MiB; make it smaller"
        return _refused(413, PictureError("too_large", message, bound=most))
    except PictureError as error:
        return _refused(422, error)
    return JSONResponse(picture.info())


async def _read(request: Request, most: int) -> bytes:
    """The file's bytes; stops reading as soon as there are too many, whatever Content-Length says."""
    if int(request.headers.get("content-length") or 0) > most + SLACK:
        raise _TooLarge
    seen = 0

    async def counted() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most + SLACK:
            raise _TooLarge
        return message

    try:
        async with Request(request.scope, counted).form(max_files=1, max_fields=4) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise PictureError("no_file", f"the form has no file in the field 'file'; {WORKS}")
            data = await file.read(most + 1)
    except HTTPException as error:
        raise PictureError("bad_form", f"this is not a multipart form ({error.detail}); send one") from None
    if len(data) > most:
        raise _TooLarge
    return data


def _refused(status: int, error: PictureError) -> Response:
    fields = {"value": error.value, "bound": error.bound, "remedy": WORKS}
    body = {"code": "E_IMAGE", "reason": error.reason, "message": error.message}
    body |= {key: value for key, value in fields.items() if value is not None}
    # the rest of an upload that was too large is not read
    headers = {"Connection": "close"} if status == 413 else None
    return JSONResponse(body, status, headers)


def _found(request: Request, image_id: str) -> Picture | None:
    return request.app.state.images.get(image_id) if _ID.fullmatch(image_id) else None


def _missing(image_id: str) -> Response:
    message = f"picture {image_id[:80]} is not on this server (any more); choose a sample or upload it again"
    return JSONResponse({"code": "E_IMAGE", "reason": "missing_blob", "message": message}, 404)


@router.get("/{image_id}")
async def describe(request: Request, image_id: str) -> Response:
    """The description of a picture, or 404."""
    picture = _found(request, image_id)
    return _missing(image_id) if picture is None else JSONResponse(picture.info())


@router.get("/{image_id}/thumb")
async def thumb(request: Request, image_id: str, size: int = 96) -> Response:
    """A PNG of at most 96 or 320 pixels, cacheable for ever."""
    picture = _found(request, image_id)
    if picture is None:
        return _missing(image_id)
    if size not in THUMB_SIZES:
        message = f"size {size} is not offered; use one of {', '.join(map(str, THUMB_SIZES))}"
        return JSONResponse({"code": "E_RANGE", "reason": "bad_size", "message": message}, 422)
    body = await asyncio.to_thread(thumbnail, picture, size)
    return Response(body, media_type="image/png", headers={"Cache-Control": "public, max-age=31536000, immutable"})
