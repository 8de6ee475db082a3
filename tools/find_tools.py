"""Find or install what the tests need besides Python: Node.js with npm, and a Chromium.

``find_tools.py FILE`` writes the paths found as JSON; ``--node ARGS…`` and ``--npm ARGS…`` run those programs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOUND = ROOT / ".venv" / "tools.json"
NODE_AT_LEAST = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


def browser() -> str | None:
    """A Chromium, from CONVOSCOPE_CHROMIUM, the PATH or its usual places."""
    named = os.environ.get("CONVOSCOPE_CHROMIUM")
    candidates = [named] if named else [*map(shutil.which, BROWSERS), *PLACES]
    return next((path for path in candidates if path and Path(path).exists()), None)


def node() -> str | None:
    """Node.js of a version that has its own test runner, with npm beside it."""
    path = shutil.which("node")
    if path is None or shutil.which("npm") is None:
        return None
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return path if int(version.lstrip("v").split(".")[0]) >= NODE_AT_LEAST else None


def apt(*packages: str) -> None:
    """Install Debian packages where that is possible without asking."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid"):
        return
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if root and shutil.which("sudo") is None:
        return
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        subprocess.run([*root, "apt-get", *command], env=environment, stdin=subprocess.DEVNULL, check=False)


def find() -> dict[str, str]:
    """Paths of node, npm and the browser; exits with what to do where one cannot be had."""
    if browser() is None:
        apt("chromium", "fonts-noto-cjk")
    if node() is None:
        apt("nodejs", "npm")
    chromium, nodejs = browser(), node()
    if chromium is None:
        sys.exit("No Chromium found. Install Chromium or Chrome, or set CONVOSCOPE_CHROMIUM to its program.")
    if nodejs is None:
        sys.exit(f"No Node.js {NODE_AT_LEAST} or newer with npm found. Install it and put it on the PATH.")
    return {"chromium": chromium, "node": nodejs, "npm": shutil.which("npm") or "npm"}


def main(arguments: list[str]) -> int:
    """Write the paths, or run one of the programs."""
    if arguments and arguments[0] in ("--node", "--npm"):
        program = json.loads(FOUND.read_text())[arguments[0].removeprefix("--")]
        return subprocess.run([program, *arguments[1:]], cwd=ROOT, check=False).returncode
    found = find()
    Path(arguments[0] if arguments else FOUND).write_text(json.dumps(found, indent=1))
    print("Tests use", ", ".join(found.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
