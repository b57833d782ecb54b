"""The component, which the embedded Spin host and wasmtime serve."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab._version import __version__
from wasm_lab.build import build
from wasm_lab.build.wasm_tools import wasm_tools
from wasm_lab.cells import parse_cell
from wasm_lab.errors import ToolchainError
from wasm_lab.scenarios.loadtest.stacks import Prepared
from wasm_lab.scenarios.loadtest.workshop import KIND
from wasm_lab.scenarios.spin.componentize import componentize
from wasm_lab.source import Target
from wasm_lab.toolchains.host_linker import for_host
from wasm_lab.toolchains.rust import find_rust
from wasm_lab.toolchains.wasmtime_cli import ensure_wasmtime_cli
from wasm_lab.twins.ready import samples_folder

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.scenarios.loadtest.workshop import Workshop


def missing(name: str) -> str:
    """Why it cannot be built or run here; empty when it can. wasmtime's command is installed on first use."""
    try:
        for_host(find_rust(Target.WASIP1))
    except ToolchainError as error:
        return str(error)
    if name == "spin" and importlib.util.find_spec("wasm_lab.scenarios.spin.up") is None:
        return "The embedded Spin host is not part of this version."
    return ""


def prepare(name: str, workshop: Workshop) -> Prepared:
    """Build the component, and make it ready for one of its hosts."""
    wasm = component(workshop)
    return _served_by_wasmtime(wasm, workshop) if name == "wasmtime" else _served_by_spin(wasm, workshop)


def component(workshop: Workshop) -> bytes:
    """The component without names and other custom sections, as one deploys it."""
    path = samples_folder() / KIND / "component" / "component.rs"
    source = replace(parse_cell(path.read_text(encoding="utf-8"), label=path.name), folder=str(path.parent))
    # In one piece: built incrementally it would be slower than cargo's release build.
    module = build(source, progress=workshop.progress, incremental=False)
    return wasm_tools(["strip", "--all"], componentize(module.wasm, path.name).wasm)


def _served_by_wasmtime(wasm: bytes, workshop: Workshop) -> Prepared:
    wasmtime = ensure_wasmtime_cli(workshop.say)

    def make(folder: Path) -> None:
        (folder / "api.wasm").write_bytes(wasm)
        words = ("compile", "api.wasm", "-o", "api.cwasm")
        workshop.run("wasmtime compile", [wasmtime.program, *words], folder)

    parts = [_sha256(wasm), wasmtime.version, str(wasmtime.program)]
    folder = workshop.made("Wasm for wasmtime serve", [], parts, make)
    serve = ("serve", "-Scli", "--allow-precompiled", "--addr=127.0.0.1:{port}")
    return Prepared(
        command=(str(wasmtime.program), *serve, str(folder / "api.cwasm")),
        version=wasmtime.version,
        deployed=(folder / "api.wasm",),
        folder=folder,
    )


def _served_by_spin(wasm: bytes, workshop: Workshop) -> Prepared:
    def make(folder: Path) -> None:
        (folder / "component" / "component.wasm").write_bytes(wasm)

    folder = workshop.made("Wasm for the Spin host", ["component"], [_sha256(wasm)], make) / "component"
    wasm_lab = (sys.executable, "-P", "-c", "from wasm_lab.cli import main; main()")
    up = ("spin", "up", "--from", "spin.toml", "--listen", "127.0.0.1:{port}", "--workers", "1")
    return Prepared(
        command=(*wasm_lab, *up),
        version=__version__,
        deployed=(folder / "component.wasm", folder / "spin.toml"),
        folder=folder,
    )


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()
