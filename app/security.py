"""Who may talk to the server: an allow-list of Host and Origin, and the response headers.

Pure ASGI, because Starlette's ``@middleware("http")`` never sees a websocket. A page on another site could otherwise
open a websocket to a server on this machine, or reach it through a host name that it points here (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from app.settings import Settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: types that a browser never shows as a page, so that a page's policy means nothing to them
_NO_PAGES = (b"text/javascript", b"text/css", b"application/json", b"font/woff2", b"image/png")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """True for names and addresses of this machine alone."""
    return host in LOOPBACK or host.startswith("127.")


def allowed_host(header: str, settings: Settings) -> bool:
    """Whether a Host header names this server; addresses of the network only when it listens there."""
    parts = urlsplit(f"//{header}")
    try:
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        return False
    if name in LOOPBACK or name in settings.allowed_hosts or header in settings.allowed_hosts:
        return True
    if is_loopback(settings.host):
        return name == settings.host
    # An address cannot be rebound to another site, a name can: only this machine's own name is taken.
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name in (settings.host, socket.gethostname().lower())
    return True


def allowed_origin(origin: str, host: str) -> bool:
    """Whether an Origin is the very server that Host names."""
    parts = urlsplit(origin)
    return parts.scheme in ("http", "https") and bool(host) and parts.netloc.lower() == host.lower()


def content_policy(nonce: str, settings: Settings) -> str:
    """The Content-Security-Policy: everything from this server, script only from files or with the nonce."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src 'self' 'nonce-{nonce}'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' blob: data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {settings.frame_ancestors}",
        ]
    )


class Guard:
    """ASGI middleware: refuses foreign hosts and origins, and adds the security headers to every response."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or websocket."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        hosts = _values(scope, b"host")
        origins = _values(scope, b"origin")
        host = hosts[0] if len(hosts) == 1 else ""
        if not allowed_host(host, self.settings) or not host:
            await _refuse(scope, receive, send, 400, f"host {host!r} is not this server; see --host")
            return
        # A missing Origin is not a browser's; "null" is a browser that will not say who asks.
        if len(origins) > 1 or (origins and not allowed_origin(origins[0], host)):
            await _refuse(scope, receive, send, 403, f"origin {origins[0]!r} is not {host}")
            return
        scope.setdefault("state", {})["nonce"] = nonce = secrets.token_urlsafe(16)

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers(message, nonce)]
            await send(message)

        await self.app(scope, receive, guarded if scope["type"] == "http" else send)

    def _headers(self, message: MutableMapping[str, Any], nonce: str) -> list[tuple[bytes, bytes]]:
        """What a response carries; what only a page obeys is left off the hundred files that a page consists of."""
        every = [(b"x-content-type-options", b"nosniff"), (b"cross-origin-resource-policy", b"same-origin")]
        kinds = [value for name, value in message.get("headers", []) if name.lower() == b"content-type"]
        if kinds and all(kind.split(b";")[0] in _NO_PAGES for kind in kinds):
            return every
        return [
            *every,
            (b"content-security-policy", content_policy(nonce, self.settings).encode()),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name]


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
    if scope["type"] == "websocket":
        await receive()  # websocket.connect
        await send({"type": "websocket.close", "code": 1008, "reason": text[:100]})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"x-content-type-options", b"nosniff")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
