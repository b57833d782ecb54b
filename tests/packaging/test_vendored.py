"""The WebAssembly that the repository holds was made from the sources beside it.

Making it again takes over a minute of compiling, so `make vendored` does that; here the checksums that
build.sh wrote are compared, which finds a source that was changed alone.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from wasm_lab.build.wasm_tools import assemble
from wasm_lab.components import Component
from wasm_lab.components.text import check_path

PACKAGE = Path(__file__).parents[2] / "lab" / "wasm_lab"
GENERATOR = PACKAGE / "components" / "generator"
FRONT = PACKAGE / "scenarios" / "spin" / "front"

#: What stands beside the sources and decides nothing.
BESIDE = re.compile(r"README\.md|__init__\.py|build\.sh|sources\.sha256|target/.*|.*__pycache__/.*")


@pytest.mark.parametrize("folder", [GENERATOR, FRONT], ids=lambda folder: folder.name)
def test_no_source_has_changed_since_it_was_built(folder: Path) -> None:
    recorded = {}
    for line in (folder / "sources.sha256").read_text().splitlines():
        digest, name = line.split(maxsplit=1)
        recorded[name] = digest
    files = [path for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(folder).as_posix(): path for path in files}
    found = {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in names.items()
        if not BESIDE.fullmatch(name)
    }
    assert found == recorded, f"run {folder / 'build.sh'}"


def test_the_glue_is_that_of_its_text() -> None:
    assert assemble((FRONT / "glue.wat").read_text()) == (FRONT / "glue.wasm").read_bytes()


def test_the_front_has_the_world_of_its_text() -> None:
    world = Component.load(FRONT / "front.wasm").world
    text = check_path(FRONT / "wit").worlds["front"]
    assert set(world.exports) == set(text.exports)
    assert set(world.imports) <= set(text.imports)  # what it never calls is left out
    assert "wasm-lab:front/host" in world.imports
