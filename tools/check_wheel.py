"""Build a wheel, install it into a fresh environment elsewhere, and fetch the page and all its files from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def get(url: str) -> bytes:
    """Body of a response; raises for anything but success."""
    with urllib.request.urlopen(url, timeout=20) as response:
        return response.read()


def serve_and_fetch(command: Path, folder: Path) -> int:
    """Start the installed command away from the checkout and fetch what a browser would; returns how many files."""
    server = subprocess.Popen(
        [command, "--no-open", "--port", "0"], cwd=folder, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://\S+", server.stdout.readline())
        assert found, "convoscope printed no address"
        base = found[0].rstrip("/")
        page = get(base + "/").decode()
        urls = set(re.findall(r'"(/static/[^"]+\.[a-z0-9]+)"', page))
        assert any(url.endswith("/js/main.js") for url in urls), "the page names no program"
        for url in urls:
            assert get(base + url), f"{url} is empty"
        assert json.loads(get(base + "/healthz"))["status"] == "ok"
        return len(urls)
    finally:
        server.terminate()
        server.wait(20)


def main() -> int:
    """Exit status 0 when the wheel works."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        (wheel,) = folder.glob("*.whl")
        venv.create(folder / "venv", with_pip=True)
        scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
        subprocess.run([scripts / "python", "-m", "pip", "install", "--quiet", wheel], check=True)
        shown = subprocess.run([scripts / "convoscope", "--help"], check=True, capture_output=True, text=True).stdout
        for option in ("--host", "--port", "--no-open", "--log-level", "--version"):
            assert option in shown, f"convoscope --help does not list {option}"
        files = serve_and_fetch(scripts / "convoscope", folder)
    print(f"wheel: convoscope --help lists its options, the page and {files} files are served")
    print("2 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
