"""The fenced examples of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def examples(name: str, language: str) -> list[str]:
    """Every fenced block of a language in a document of the repository."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def example(name: str, language: str, word: str) -> str:
    """The one block in whose first line a word stands."""
    (found,) = [block for block in examples(name, language) if word in block.splitlines()[0]]
    return found
