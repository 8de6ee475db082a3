"""The browser's libraries: as they were fetched, licensed, and all reachable through the import map."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tools import vendor


def manifest() -> list[dict[str, object]]:
    return json.loads((vendor.VENDOR / "manifest.json").read_text("utf-8"))["libraries"]


def test_files_match_the_manifest() -> None:
    assert vendor.check() == []


def test_a_changed_a_missing_and_a_foreign_file_are_found(tmp_path: Path) -> None:
    copy = tmp_path / "vendor"
    shutil.copytree(vendor.VENDOR, copy)
    (copy / "preact/preact.mjs").write_text("changed")
    (copy / "htm/htm.mjs").unlink()
    (copy / "foreign.js").write_text("")
    assert vendor.check(copy) == [
        "htm/htm.mjs is missing",
        "foreign.js is not in the manifest",
        "preact/preact.mjs has changed",
    ]


def test_manifest_names_what_the_script_fetches() -> None:
    wanted = [(library.package, library.version) for library in vendor.LIBRARIES]
    assert [(entry["name"], entry["version"]) for entry in manifest()] == wanted


def test_every_library_comes_with_its_licence() -> None:
    for library, entry in zip(vendor.LIBRARIES, manifest(), strict=True):
        assert entry["licence"] in {"MIT", "Apache-2.0", "OFL-1.1"}
        assert any("LICENSE" in target for target in library.files.values()), library.package


def test_import_map_leads_to_files() -> None:
    imports = json.loads((vendor.VENDOR / "importmap.json").read_text("utf-8"))["imports"]
    assert {"preact", "preact/hooks", "htm/preact", "@preact/signals", "katex"} <= imports.keys()
    for target in imports.values():
        assert (vendor.VENDOR.parent / target).is_file(), target


def test_types_are_checked_against_the_same_versions() -> None:
    versions = json.loads((vendor.VENDOR.parents[1] / "package.json").read_text("utf-8"))["devDependencies"]
    for library in vendor.LIBRARIES:
        assert versions.get(library.package, library.version) == library.version
