"""Real guests for the tests of runtimes, compiled once for each worker."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import wasmtime

from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.runtimes import get_runtime
from wasm_lab.source import Target
from wasm_lab.toolchains.rust import find_rust


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WASM_LAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


HERE = Path(__file__).parent


def compile_rust(source: Path, folder: Path, *options: str, target: Target = Target.WASIP1) -> Artifact:
    output = folder / f"{source.stem}-{target}.wasm"
    command = [
        find_rust(target).rustc,
        source,
        "--target",
        target,
        "-O",
        "--edition=2024",
        "-o",
        output,
        *options,
    ]
    subprocess.run([str(word) for word in command], check=True, cwd=folder)
    artifact = Artifact(wasm=output.read_bytes(), label=source.stem)
    if "--crate-type=cdylib" not in options:
        get_runtime().run(artifact, Capabilities(args=("hello",)))  # so that no test times its compilation
    return artifact


@pytest.fixture(name="compile_rust", scope="session")
def _compile_rust():
    return compile_rust


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The many-sided command as a WASI 0.1 module, with names but no debug information of std."""
    return compile_rust(HERE / "probe.rs", tmp_path_factory.mktemp("probe"), "-Cstrip=debuginfo")


@pytest.fixture(scope="session")
def probe2(tmp_path_factory):
    """The same as a WASI 0.2 component."""
    return compile_rust(
        HERE / "probe.rs", tmp_path_factory.mktemp("probe2"), "-Cstrip=debuginfo", target=Target.WASIP2
    )


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """A reactor: functions with a state."""
    return compile_rust(
        HERE / "library.rs", tmp_path_factory.mktemp("library"), "-Cstrip=debuginfo", "--crate-type=cdylib"
    )


@pytest.fixture(scope="session")
def runtime():
    return get_runtime("wasmtime")


def wat(text: str, label: str = "guest.wat") -> Artifact:
    """An artifact from WebAssembly text."""
    return Artifact(wasm=bytes(wasmtime.wat2wasm(text)), label=label)


@pytest.fixture(name="wat", scope="session")
def _wat():
    return wat
