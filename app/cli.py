"""The ``convoscope`` command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import sys
import webbrowser
from collections.abc import Sequence

import uvicorn

from app.main import create_app, version
from app.security import is_loopback
from app.settings import Settings
from app.ws_protocol import AbortingProtocol

TRIES = 100


def parser() -> argparse.ArgumentParser:
    """The command line."""
    settings = Settings()
    made = argparse.ArgumentParser(
        prog="convoscope",
        description="See a convolutional network compute: serves Convoscope and opens it in your browser.",
    )
    made.add_argument(
        "--host",
        default=settings.host,
        help="address to listen on (default: %(default)s); 0.0.0.0 lets the local network in",
    )
    made.add_argument(
        "--port", type=int, default=settings.port, help="port (default: %(default)s; the next free one if taken)"
    )
    made.add_argument("--no-open", action="store_true", help="do not open a browser")
    made.add_argument("--log-level", default="warning", choices=["critical", "error", "warning", "info", "debug"])
    made.add_argument("--version", action="version", version=f"convoscope {version()}")
    return made


def bind(host: str, port: int) -> socket.socket:
    """A socket on the first free port from ``port`` on; port 0 takes any. Raises OSError when none is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    problem: OSError | None = None
    for candidate in [port] if port == 0 else range(port, min(port + TRIES, 65536)):
        # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer takes 40 ms
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if sys.platform != "win32":  # there, SO_REUSEADDR would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            problem = error
            continue
        return listener
    raise problem or OSError(f"no port at or above {port}; use a smaller --port")


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until interrupted; returns the exit status."""
    args = parser().parse_args(argv)
    try:
        listener = bind(args.host, args.port)
    except (OSError, OverflowError) as error:
        print(f"convoscope: cannot listen on {args.host}:{args.port}: {error}", file=sys.stderr)
        return 1
    port = listener.getsockname()[1]
    if args.port not in (0, port):
        print(f"Port {args.port} is taken, so this is port {port}.")
    shown = "localhost" if args.host in ("0.0.0.0", "::") else args.host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"
    print(f"Convoscope is at {address}  (stop with Ctrl+C)", flush=True)
    if not is_loopback(args.host):
        print("Other machines on your network can reach it under this machine's address.", flush=True)
    settings = Settings(host=args.host, port=port)
    config = uvicorn.Config(
        create_app(settings),
        ws=AbortingProtocol,
        ws_max_size=settings.max_message_bytes,
        ws_ping_interval=5.0,
        ws_ping_timeout=5.0,
        ws_per_message_deflate=False,
        log_level=args.log_level,
        timeout_graceful_shutdown=2,
        server_header=False,
        date_header=False,
    )
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(server, listener, None if args.no_open else address))
    return 0


async def _serve(server: uvicorn.Server, listener: socket.socket, opens: str | None) -> None:
    if opens is not None:
        asyncio.get_running_loop().call_later(0.5, _open, opens)
    await server.serve(sockets=[listener])


def _open(address: str) -> None:
    """Open the default browser; a machine without one is no error."""
    try:
        webbrowser.get()
    except webbrowser.Error:
        return
    asyncio.get_running_loop().run_in_executor(None, webbrowser.open, address)


if __name__ == "__main__":
    sys.exit(main())
