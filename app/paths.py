"""Where static files and templates lie: beside ``app`` in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    inside = _HERE / name
    return inside if inside.is_dir() else _HERE.parent / name


def static_dir() -> Path:
    """Folder of the browser's files."""
    return _find("static")


def templates_dir() -> Path:
    """Folder of the Jinja2 templates."""
    return _find("templates")
