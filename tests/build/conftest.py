"""A cache for each test, and running what was built in plain wasmtime."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import wasmtime

from wasm_lab.build import build
from wasm_lab.build.cache import Cache, default_cache
from wasm_lab.source import Kind, Source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def prepared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that knows the toolchain and has the lean sysroot, so that tests need not find and make them."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WASM_LAB_CACHE", str(folder))
        build(Source(code="fn main() {}", kind=Kind.PROGRAM))
        default_cache().drop(
            "wasm", next(each.key for each in default_cache().entries() if each.kind == "wasm")
        )
    return folder


@pytest.fixture
def cache(prepared_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    """An own cache, without any result of a build, that `build` uses in this test."""
    folder = tmp_path / "cache"
    shutil.copytree(prepared_cache, folder, symlinks=True)
    monkeypatch.setenv("WASM_LAB_CACHE", str(folder))
    monkeypatch.delenv("WASM_LAB_CACHE_SIZE", raising=False)
    return default_cache()


@pytest.fixture
def program() -> Source:
    return Source(code='fn main() { println!("{}", 6 * 7); }', kind=Kind.PROGRAM, label="cell answer")


class Ran:
    """What a command printed, and the trap that ended it, if one did."""

    def __init__(self, stdout: str, stderr: str, trap: str) -> None:
        self.stdout, self.stderr, self.trap = stdout, stderr, trap


@pytest.fixture
def run(tmp_path: Path):
    """Run a core module as a command in plain wasmtime."""

    def run(wasm: bytes) -> Ran:
        engine = wasmtime.Engine()
        store = wasmtime.Store(engine)
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["cell"]
        wasi.stdout_file = str(tmp_path / "stdout")
        wasi.stderr_file = str(tmp_path / "stderr")
        store.set_wasi(wasi)
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        instance = linker.instantiate(store, wasmtime.Module(engine, wasm))
        trap = ""
        try:
            instance.exports(store)["_start"](store)
        except wasmtime.ExitTrap as exit_:
            trap = f"exit {exit_.code}" if exit_.code else ""
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            trap = str(error)
        return Ran((tmp_path / "stdout").read_text(), (tmp_path / "stderr").read_text(), trap)

    return run
