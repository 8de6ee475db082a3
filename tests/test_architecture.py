"""Who may import whom, in Python and in JavaScript; one file per kind of layer; nothing from elsewhere."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine.layers  # noqa: F401  (registers every kind)
from engine.layer import REGISTRY
from tools import vendor

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "static" / "js"

#: layer of the browser's code → layers it may import; a layer is a folder, or a file of static/js itself
MAY_IMPORT = {
    "lib": {"lib"},
    "draw": {"lib", "draw"},
    "views": {"lib", "draw", "views"},
    "state": {"lib"},
    "stream": {"lib", "state"},
    "core": {"lib", "state", "stream", "core"},
    "ui": {"lib", "draw", "views", "state", "stream", "core", "ui"},
    "main": {"lib", "draw", "views", "state", "stream", "core", "ui"},
}
#: modules of the import map that a layer may use; pure layers use none
MAY_USE = {
    "views": {"htm/preact", "preact/hooks"},
    "state": {"@preact/signals"},
    "stream": {"@preact/signals"},
    "core": {"@preact/signals"},
    "ui": {"htm/preact", "preact", "preact/hooks", "@preact/signals", "katex"},
    "main": {"htm/preact", "preact", "@preact/signals"},
}


def layer_of(path: Path) -> str:
    """The layer that a module of static/js belongs to."""
    first = path.relative_to(SCRIPTS).parts[0]
    if not first.endswith(".js"):
        return first
    name = first.removesuffix(".js")
    return name if name in ("state", "stream", "main") else "core"


def script_imports(path: Path) -> Iterator[str]:
    """What a module imports, statically or later; types in comments do not count."""
    text = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for found in re.finditer(r"""(?:^|[\s;])(?:from|import)\s*\(?\s*["']([^"']+)["']""", text):
        yield found[1]


SCRIPT_FILES = sorted(SCRIPTS.rglob("*.js"))


@pytest.mark.parametrize("path", SCRIPT_FILES, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_scripts_import_downwards_only(path: Path) -> None:
    layer = layer_of(path)
    for name in script_imports(path):
        if name.startswith("."):
            target = (path.parent / name).resolve()
            assert target.is_file(), f"{name} does not exist"
            assert layer_of(target) in MAY_IMPORT[layer], f"{layer} may not import {name}"
        else:
            # the list of views remembers which of them have been fetched
            extra = {"@preact/signals"} if path == SCRIPTS / "views" / "index.js" else set()
            assert name in MAY_USE.get(layer, set()) | extra, f"{layer} may not use {name}"


def test_pure_scripts_touch_no_page() -> None:
    for path in sorted((SCRIPTS / "lib").rglob("*.js")):
        text = re.sub(r"/\*.*?\*/|//.*?$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        assert not re.search(r"\b(document|navigator|localStorage|requestAnimationFrame)\b", text), (
            f"{path.name} touches the page"
        )


def happens_later(node: ast.AST) -> bool:
    """Code that importing the module does not run."""
    typing = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
    return typing or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def imports(tree: ast.AST, *, at_once: bool) -> Iterator[str]:
    """Modules that Python code imports; ``at_once`` leaves out what functions and type checkers import."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where something comes from"
            yield node.module or ""
        elif not (at_once and happens_later(node)):
            yield from imports(node, at_once=at_once)


def modules(folder: str) -> list[Path]:
    """Python files below a folder of the repository."""
    return sorted((ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    """A test's name for a file."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", modules("engine"), ids=named)
def test_the_engine_needs_numpy_only(path: Path) -> None:
    lazy = {"formats", "datasets"} & set(path.relative_to(ROOT).parts)
    for name in imports(ast.parse(path.read_text("utf-8")), at_once=bool(lazy)):
        top = name.partition(".")[0]
        assert top in {"engine", "numpy"} or top in sys.stdlib_module_names, f"the engine may not import {name}"


@pytest.mark.parametrize("name", ["session.py", "messages.py", "wire.py"])
def test_protocol_logic_does_no_io(name: str) -> None:
    found = {
        each.partition(".")[0] for each in imports(ast.parse((ROOT / "app" / name).read_text("utf-8")), at_once=False)
    }
    assert not found & {"asyncio", "fastapi", "starlette", "uvicorn", "websockets", "socket", "threading", "time"}


@pytest.mark.parametrize("path", [*modules("engine"), *modules("app")], ids=named)
def test_everything_public_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree) or not path.read_text("utf-8").strip(), "the module has no docstring"
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name[0] != "_")]:
        for node in ast.iter_child_nodes(scope):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_one_file_per_kind_and_views_of_the_same_name() -> None:
    files = {path.stem for path in (ROOT / "engine" / "layers").glob("[a-z]*.py")}
    assert files == set(REGISTRY)
    views = {path.stem for path in (SCRIPTS / "views").glob("*.js")}
    # no kinds: the input, the family of element-wise functions, the optimisers' and the generic view, the list
    assert views - set(REGISTRY) == {"activation", "generic", "index", "input", "update"}


@pytest.mark.parametrize("lang", ["en", "zh-Hans", "zh-Hant"])
def test_every_kind_has_a_name_in_every_language(lang: str) -> None:
    catalogue = json.loads((ROOT / "static" / "i18n" / f"{lang}.json").read_text("utf-8"))
    assert not [kind for kind in REGISTRY if f"kind.{kind}" not in catalogue]


def test_the_vendored_libraries_are_those_of_the_manifest() -> None:
    assert vendor.check() == []


def test_the_page_asks_no_other_machine() -> None:
    own = [*SCRIPT_FILES, *(ROOT / "static" / "css").glob("*.css"), *(ROOT / "templates").glob("*")]
    for path in own:
        text = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"')]*", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, f"{path.name}: {addresses}"


def test_no_download_address_is_written_down() -> None:
    pattern = r'"resolved": *"http|(index-url|registry) *= *"?http'
    found = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", ".", ":!tests"], cwd=ROOT, capture_output=True, text=True
    )
    assert found.stdout == ""
