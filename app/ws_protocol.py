"""uvicorn's websocket protocol with two changes, both for clients that stop reading.

uvicorn 0.54 answers a missing pong with ``transport.close()``, which waits for a flush that never comes: here the
transport is aborted. And the application may abort it, too, through ``scope["extensions"]["convoscope.abort"]``.
"""

from __future__ import annotations

from asyncio.transports import BaseTransport, Transport
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request


class AbortingProtocol(WebSocketsSansIOProtocol):
    """A websocket connection that can be cut off without waiting for its client."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Keep the buffer of unsent bytes at two frames: more would only wait longer."""
        super().connection_made(transport)
        cast(Transport, transport).set_write_buffer_limits(high=512 * 1024)

    def handle_connect(self, event: Request) -> None:
        """Offer ``convoscope.abort`` to the application, which starts in the next turn of the loop."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions = cast(dict[str, object], self.scope.setdefault("extensions", {}))
            extensions["convoscope.abort"] = self.transport.abort

    def keepalive_timeout(self) -> None:
        """No pong in time: drop the connection and its buffer at once."""
        self.pong_timer = None
        self.transport.abort()
