"""A plugin that echoes, small enough to be made in milliseconds, and a folder to put plugins into."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from wasm_lab.scenarios.plugins.samples import componentize, plugins_folder, put, wasm_of, wit_folder


def echo(version: str = "1.0.0") -> bytes:
    """The echoing plugin; it says that it is of that version, of five letters."""
    text = (plugins_folder() / "wat" / "echo.wat").read_text()
    return componentize(
        text.replace('"echo\\00\\00\\00\\001.0.0"', f'"echo\\00\\00\\00\\00{version}"').encode(), wit_folder()
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    return plugins


@pytest.fixture
def put_echo(folder: Path) -> Callable[..., Path]:
    """Puts an echoing plugin into the folder."""

    def write(name: str = "echo", version: str = "1.0.0") -> Path:
        put(folder / f"{name}.wasm", echo(version))
        return folder / f"{name}.wasm"

    return write


@functools.cache
def sample(name: str) -> bytes:
    """A plugin of the samples, built once for all tests."""
    return wasm_of(name)


@pytest.fixture
def put_sample(folder: Path) -> Callable[[str], Path]:
    """Puts a plugin of the samples into the folder."""

    def write(name: str) -> Path:
        put(folder / f"{name}.wasm", sample(name))
        return folder / f"{name}.wasm"

    return write
