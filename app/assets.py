"""Static files under a prefix that carries the hash of their contents: cached for ever, never stale.

All files are read once at start (about 2 MB) and compressed where that helps: with Brotli for browsers that take it,
which they do from this machine and over HTTPS, with gzip for the others. Brotli's quality 10 takes 0.4 s and saves an
eighth of the first load; 11 would take a second for another fiftieth.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import brotli
from starlette.requests import Request
from starlette.responses import Response

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".json": "application/json", ".woff2": "font/woff2"}
#: content encodings, the best first
_PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, mode=brotli.MODE_TEXT, quality=10),
    "gzip": lambda body: gzip.compress(body, 9, mtime=0),
}
_COMPRESSED = (".js", ".mjs", ".css", ".json", ".svg", ".txt")
#: the target of a static import or re-export, in source and in minified files
_IMPORT = re.compile(r"""(?:^|[;}])\s*(?:import|export)\b[^;"']*?["']([^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class _File:
    body: bytes
    packed: dict[str, bytes]
    media_type: str


class Assets:
    """The browser's files in memory."""

    def __init__(self, root: Path) -> None:
        self._files: dict[str, _File] = {}
        digest = hashlib.sha256()
        for path in sorted(root.rglob("*")):
            if not path.is_file() or path.name.startswith(".") or path.suffix in (".ts", ".md"):
                continue
            name = path.relative_to(root).as_posix()
            body = path.read_bytes()
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
            media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
            packers = _PACKERS if path.suffix in _COMPRESSED else {}
            packed = {name: pack(body) for name, pack in packers.items()}
            self._files[name] = _File(body, packed, media_type)
        self.version = digest.hexdigest()[:12]
        self.prefix = f"/static/{self.version}"

    def url(self, name: str) -> str:
        """Address of a file."""
        return f"{self.prefix}/{name}"

    def import_map(self) -> dict[str, dict[str, str]]:
        """Bare names of the vendored libraries → addresses."""
        names = json.loads(self._files["vendor/importmap.json"].body)
        return {"imports": {name: self.url(path) for name, path in names.get("imports", names).items()}}

    def preload(self) -> list[str]:
        """Everything that the first screen needs: the program's modules, small libraries, the text font.

        What ``main.js`` imports comes first: it then asks for the scenario while the interface is still on its way.
        """
        wanted = dict.fromkeys([*self._imported("js/main.js"), *self._imported("js/ui/app.js")])
        fonts = [name for name in self._files if name.startswith("vendor/inter/") and "latin" in name]
        fonts = [name for name in fonts if name.endswith(".woff2")]
        return [self.url(name) for name in [*wanted, *fonts]]

    def _imported(self, root: str) -> list[str]:
        """The modules that ``root`` imports, directly or not; what comes later, by ``import()``, is left out."""
        libraries = json.loads(self._files["vendor/importmap.json"].body)["imports"]
        found: dict[str, None] = {}
        waiting = [root]
        while waiting:
            name = waiting.pop(0)
            if name in found or name not in self._files:
                continue
            found[name] = None
            for target in _IMPORT.findall(self._files[name].body.decode()):
                relative = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
                waiting.append(relative if target.startswith(".") else libraries.get(target, ""))
        return list(found)

    async def serve(self, request: Request) -> Response:
        """GET /static/{version}/{path}: immutable when the version is the present one."""
        name, version = request.path_params["path"], request.path_params["version"]
        file = self._files.get(name)
        if file is None or version != self.version:
            return Response("no such file", 404, media_type="text/plain")
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        accepted = re.split(r"[,;\s]+", request.headers.get("accept-encoding", ""))
        for encoding, packed in file.packed.items():
            if encoding in accepted:
                headers["Content-Encoding"] = encoding
                return Response(packed, headers=headers, media_type=file.media_type)
        return Response(file.body, headers=headers, media_type=file.media_type)
