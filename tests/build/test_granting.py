"""Folders as Go's library finds them: by absolute names, from the folder /."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.artifact import CORE_PREAMBLE, Artifact
from wasm_lab.build.languages.granting import granted_to
from wasm_lab.capabilities import Capabilities, Directory
from wasm_lab.cells.languages import parse_language_cell


def guest(language: str) -> Artifact:
    source = parse_language_cell("package main\nfunc main() { println(1) }\n", language=language)
    return Artifact(wasm=CORE_PREAMBLE, label="cell", source=source)


def opened(*names: str, **env: str) -> Capabilities:
    return Capabilities(dirs=tuple(Directory(Path(), name, writable=False) for name in names), env=env)


@pytest.mark.parametrize(
    ("names", "absolute"),
    [
        ([".", "sub"], ["/", "/sub"]),
        (["./sub/", "a/b"], ["/sub", "/a/b"]),
        (["../data"], ["/data"]),
        (["/data", "sub"], ["/data", "/sub"]),
    ],
)
def test_relative_folders_of_go_become_absolute_and_it_works_in_the_root(names, absolute):
    granted = granted_to(guest("go"), opened(*names, A="1"))
    assert [each.guest for each in granted.dirs] == absolute
    assert not any(each.writable for each in granted.dirs)
    assert granted.env == {"PWD": "/", "A": "1"}


def test_a_working_folder_that_is_given_stays():
    assert granted_to(guest("go"), opened("sub", PWD="/sub")).env == {"PWD": "/sub"}


@pytest.mark.parametrize(
    ("language", "names"), [("go", []), ("go", ["/data"]), ("c", ["."]), ("zig", ["sub"])]
)
def test_nothing_else_is_changed(language, names):
    assert granted_to(guest(language), opened(*names)) == opened(*names)
