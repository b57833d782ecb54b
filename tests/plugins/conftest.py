"""A plugin that echoes, small enough to be made in milliseconds, and a folder to put plugins into."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from wasm_lab.scenarios.plugins.samples import componentize, put, wasm_of, wit_folder

#: ``apply`` gives its input back. ``cabi_realloc`` hands out memory from 4096 on, and begins again there
#: when the call is over.
ECHO = """
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 4096))
  (data (i32.const 0) "\\40\\00\\00\\00\\04\\00\\00\\00\\48\\00\\00\\00\\05\\00\\00\\00")
  (data (i32.const 64) "echo\\00\\00\\00\\00VERSI")
  (func (export "cabi_realloc") (param $old i32) (param i32) (param i32) (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $next))
    (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $size)) (i32.const 7)) (i32.const -8)))
    (loop $more
      (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
        (then (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then (unreachable))) (br $more))))
    (local.get $at))
  (func (export "wasm-lab:plugins/transform@1.0.0#describe") (result i32) (i32.const 0))
  (func (export "wasm-lab:plugins/transform@1.0.0#apply")
    (param $case i32) (param $input i32) (param $size i32) (param i32 i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store8 (i32.const 1028) (local.get $case))
    (i32.store (i32.const 1032) (local.get $input))
    (i32.store (i32.const 1036) (local.get $size))
    (global.set $next (i32.const 4096))
    (i32.const 1024)))
"""


def echo(version: str = "1.0.0") -> bytes:
    """The echoing plugin; it says that it is of that version, of five letters."""
    return componentize(ECHO.replace("VERSI", version).encode(), wit_folder())


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
