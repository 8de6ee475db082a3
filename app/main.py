"""The FastAPI application: page, static files, pictures, websocket."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from fastapi import FastAPI, Request, Response, WebSocket
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from app import images, presets, samples, ws
from app.assets import Assets
from app.paths import static_dir, templates_dir
from app.security import Guard
from app.settings import Settings
from app.traces import Traces


def version() -> str:
    """The installed version; ``dev`` in a checkout that is not installed."""
    try:
        return metadata.version("convoscope")
    except metadata.PackageNotFoundError:
        return "dev"


def language(accept: str) -> str:
    """The catalogue for an Accept-Language header: en, zh-Hans or zh-Hant."""
    for entry in accept.lower().split(","):
        tag = entry.split(";")[0].strip()
        if tag.startswith("zh"):
            traditional = any(part in tag for part in ("hant", "tw", "hk", "mo"))
            return "zh-Hant" if traditional else "zh-Hans"
        if tag.startswith("en"):
            return "en"
    return "en"


def create_app(settings: Settings | None = None) -> Guard:
    """The whole application behind its guard."""
    settings = settings or Settings()
    store = images.ImageStore(settings)
    traces = Traces(settings, store)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        store.start()
        yield
        traces.close()
        store.close()

    api = FastAPI(title="Convoscope", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    api.state.images = store
    api.state.traces = traces
    api.state.settings = settings
    api.state.connections = ws.Connections(settings.max_connections)
    api.include_router(images.router)
    assets = Assets(static_dir())
    api.router.routes.append(Route("/static/{version}/{path:path}", assets.serve))
    _add_page(api, assets, _boot(settings, store, assets))

    @api.get("/healthz")
    async def healthz() -> dict[str, Any]:
        return {"status": "ok", "version": version(), "connections": api.state.connections.count}

    @api.websocket("/ws")
    async def websocket(websocket: WebSocket) -> None:
        await ws.serve(websocket, traces, settings, api.state.connections)

    return Guard(api, settings)


def _boot(settings: Settings, store: images.ImageStore, assets: Assets) -> dict[str, Any]:
    """What the page is told at once: networks, pictures, kernels, limits."""
    known = samples.install(store)
    return {
        "version": version(),
        "static": assets.prefix,
        "presets": presets.presets({sample["name"]: sample["id"] for sample in known}),
        "samples": known,
        "kernels": presets.KERNELS,
        "limits": {"max_image_bytes": settings.max_image_bytes, "max_image_pixels": settings.max_image_pixels},
    }


def _add_page(api: FastAPI, assets: Assets, boot: dict[str, Any]) -> None:
    templates = Jinja2Templates(templates_dir())

    @api.get("/")
    async def page(request: Request) -> Response:
        lang = language(request.headers.get("accept-language", ""))
        context = {
            "static": assets.prefix,
            "boot": boot | {"lang_default": lang},
            "nonce": request.scope["state"]["nonce"],
            "importmap": assets.import_map(),
            "preload": [*assets.preload(), assets.url(f"i18n/{lang}.json")],
            "lang": lang,
            "version": boot["version"],
        }
        response = templates.TemplateResponse(request, "index.html", context)
        response.headers["Cache-Control"] = "no-store"
        if "gzip" in request.headers.get("accept-encoding", ""):
            response.body = gzip.compress(bytes(response.body), 6)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["Content-Length"] = str(len(response.body))
        return response
