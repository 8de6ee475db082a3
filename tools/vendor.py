"""Bring the browser's libraries into static/vendor, whole and pinned.

`python tools/vendor.py` fetches them anew with npm.
Writes the files, `manifest.json` (name, version, licence and the sha256 of every file) and `importmap.json` (bare
module name → file). `python tools/vendor.py --check` only compares the files with the manifest.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"


@dataclass(frozen=True)
class Library:
    """One package: which of its files go where below static/vendor, and which module names they serve."""

    package: str
    version: str
    files: dict[str, str]
    modules: dict[str, str]


# fmt: off
_KATEX_FONTS = (
    "AMS-Regular", "Caligraphic-Bold", "Caligraphic-Regular", "Fraktur-Bold", "Fraktur-Regular",
    "Main-Bold", "Main-BoldItalic", "Main-Italic", "Main-Regular", "Math-BoldItalic",
    "Math-Italic", "SansSerif-Bold", "SansSerif-Italic", "SansSerif-Regular", "Script-Regular",
    "Size1-Regular", "Size2-Regular", "Size3-Regular", "Size4-Regular", "Typewriter-Regular",
)
# fmt: on

LIBRARIES = (
    Library(
        "preact",
        "11.2.0",
        {
            "dist/preact.mjs": "preact/preact.mjs",
            "hooks/dist/hooks.mjs": "preact/hooks.mjs",
            "LICENSE": "preact/LICENSE",
        },
        {"preact": "preact/preact.mjs", "preact/hooks": "preact/hooks.mjs"},
    ),
    Library(
        "htm",
        "3.1.1",
        {"dist/htm.mjs": "htm/htm.mjs", "preact/index.mjs": "htm/preact.mjs", "LICENSE": "htm/LICENSE"},
        {"htm": "htm/htm.mjs", "htm/preact": "htm/preact.mjs"},
    ),
    Library(
        "@preact/signals-core",
        "1.14.5",
        {"dist/signals-core.mjs": "signals/signals-core.mjs", "LICENSE": "signals/LICENSE-core"},
        {"@preact/signals-core": "signals/signals-core.mjs"},
    ),
    Library(
        "@preact/signals",
        "2.11.4",
        {"dist/signals.mjs": "signals/signals.mjs", "LICENSE": "signals/LICENSE"},
        {"@preact/signals": "signals/signals.mjs"},
    ),
    Library(
        "katex",
        "0.19.1",
        # the module of the package is not minified: 151 KB instead of 77 packed. This one sets globalThis.katex.
        {
            "dist/katex.min.js": "katex/katex.min.js",
            "dist/katex.min.css": "katex/katex.min.css",
            "LICENSE": "katex/LICENSE",
        }
        | {f"dist/fonts/KaTeX_{name}.woff2": f"katex/fonts/KaTeX_{name}.woff2" for name in _KATEX_FONTS},
        {"katex": "katex/katex.min.js"},
    ),
    Library(
        "@fontsource-variable/inter",
        "5.3.0",
        {
            "files/inter-latin-wght-normal.woff2": "inter/inter-latin-wght-normal.woff2",
            "files/inter-greek-wght-normal.woff2": "inter/inter-greek-wght-normal.woff2",
            "LICENSE": "inter/LICENSE",
        },
        {},
    ),
)


def sha256(path: Path) -> str:
    """Digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check(root: Path = VENDOR) -> list[str]:
    """Differences between the files and the manifest; empty when all is well."""
    manifest = json.loads((root / "manifest.json").read_text("utf-8"))
    wanted = {name: digest for entry in manifest["libraries"] for name, digest in entry["files"].items()}
    own = {"manifest.json", "importmap.json"}
    found = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()} - own
    problems = [f"{name} is missing" for name in sorted(wanted.keys() - found)]
    problems += [f"{name} is not in the manifest" for name in sorted(found - wanted.keys())]
    problems += [
        f"{name} has changed" for name in sorted(wanted.keys() & found) if sha256(root / name) != wanted[name]
    ]
    return problems


def fetch(library: Library, root: Path) -> dict[str, Any]:
    """Put one library's files below ``root``; returns its entry of the manifest."""
    with tempfile.TemporaryDirectory() as folder:
        spec = f"{library.package}@{library.version}"
        packed = subprocess.run(
            ["npm", "pack", "--silent", spec], cwd=folder, check=True, capture_output=True, text=True
        )
        archive = Path(folder) / packed.stdout.strip().splitlines()[-1]
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
        source = Path(folder) / "package"
        for inside, target in library.files.items():
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / inside, root / target)
        licence = json.loads((source / "package.json").read_text("utf-8"))["license"]
    return {
        "name": library.package,
        "version": library.version,
        "licence": licence,
        "files": {target: sha256(root / target) for target in sorted(library.files.values())},
    }


def refresh(root: Path = VENDOR) -> None:
    """Fetch everything anew and write manifest and import map."""
    shutil.rmtree(root, ignore_errors=True)
    entries = [fetch(library, root) for library in LIBRARIES]
    modules = {name: f"vendor/{path}" for library in LIBRARIES for name, path in library.modules.items()}
    _write(root / "manifest.json", {"libraries": entries})
    _write(root / "importmap.json", {"imports": dict(sorted(modules.items()))})


def _write(path: Path, data: object) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")


def main() -> int:
    """Refresh, or with --check compare."""
    if "--check" not in sys.argv[1:]:
        refresh()
    problems = check()
    print("\n".join(problems) or "static/vendor matches its manifest")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
