"""A server in this process, and one on a real socket."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from app.cli import bind
from app.main import create_app
from app.security import Guard
from app.settings import Settings
from app.ws_protocol import AbortingProtocol

HOST = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def app() -> Guard:
    return create_app(Settings(stalled_after_s=1.0))


@pytest.fixture(scope="session")
def client(app: Guard) -> Iterator[TestClient]:
    with TestClient(app, base_url=HOST) as started:
        yield started


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[str, Any]]:
    """(host:port, the FastAPI application) of a real server."""
    made = create_app(Settings(stalled_after_s=1.0, max_connections=20))
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(
        made, ws=AbortingProtocol, ws_max_size=64 * 1024, ws_per_message_deflate=False, log_level="error"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}", made.app
    server.should_exit = True
    thread.join(10)
    listener.close()
