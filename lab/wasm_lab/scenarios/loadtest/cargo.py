"""What cargo builds: Actix for this machine, and the server on WasmEdge's sockets."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wasm_lab.build.cargo import Cargo
from wasm_lab.build.key import toolchain_parts
from wasm_lab.errors import ToolchainError
from wasm_lab.scenarios.loadtest.stacks import Prepared
from wasm_lab.source import Target
from wasm_lab.toolchains.host_linker import for_host
from wasm_lab.toolchains.places import EXE
from wasm_lab.toolchains.rust import find_rust
from wasm_lab.toolchains.wasmedge import find_wasmedge, wasmedge_missing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wasm_lab.scenarios.loadtest.workshop import Workshop
    from wasm_lab.toolchains.rust import RustToolchain

#: tokio and hyper for WasmEdge look for the first; tokio wants the second for its sockets in Wasm.
WASMEDGE_FLAGS = ("--cfg=wasmedge", "--cfg=tokio_unstable")


def missing(name: str) -> str:
    """Why it cannot be built or run here; empty when it can."""
    try:
        toolchain = for_host(find_rust())  # procedural macros are programs of this machine in both
    except ToolchainError as error:
        return str(error)
    if toolchain.cargo is None:
        return f"Beside {toolchain.rustc} there is no cargo. rustup and Debian's package cargo have it."
    return wasmedge_missing() if name == "wasmedge" else ""


def prepare(name: str, workshop: Workshop) -> Prepared:
    """Build the one of that name."""
    return _wasmedge(workshop) if name == "wasmedge" else _actix(workshop)


def _actix(workshop: Workshop) -> Prepared:
    toolchain = for_host(find_rust())

    def make(folder: Path) -> None:
        built = _build(workshop, toolchain, folder / "actix", toolchain.host, ())
        shutil.copy2(built / f"loadtest-actix{EXE}", folder / f"api{EXE}")
        shutil.rmtree(folder / "actix" / "target")  # a hundred times what is kept

    folder = workshop.made("Rust Actix", ["actix", "answers"], toolchain_parts(toolchain), make)
    program = folder / f"api{EXE}"
    return Prepared(
        command=(str(program), "{port}"), version=_version(toolchain), deployed=(program,), folder=folder
    )


def _wasmedge(workshop: Workshop) -> Prepared:
    toolchain = for_host(find_rust(Target.WASIP1))
    wasmedge = find_wasmedge()
    assert wasmedge, "the caller asked what is missing"
    parts = [*toolchain_parts(toolchain), *WASMEDGE_FLAGS, wasmedge.version, str(wasmedge.can_compile)]

    def make(folder: Path) -> None:
        built = _build(workshop, toolchain, folder / "wasmedge", Target.WASIP1.value, WASMEDGE_FLAGS)
        plain, module = built / "loadtest-wasmedge.wasm", folder / "api.wasm"
        if wasmedge.can_compile:
            workshop.run("wasmedge compile", [*wasmedge.compile_command(), plain, module], folder)
        else:  # interpreted, which its version will say
            shutil.copy2(plain, module)
        shutil.rmtree(folder / "wasmedge" / "target")

    folder = workshop.made("Wasm on WasmEdge", ["wasmedge", "answers"], parts, make)
    module = folder / "api.wasm"
    return Prepared(
        command=(*wasmedge.run_command(), str(module), "{port}"),
        version=wasmedge.version if wasmedge.can_compile else f"{wasmedge.version}, interpreted",
        deployed=(module,),
        folder=folder,
    )


def _build(
    workshop: Workshop, toolchain: RustToolchain, package: Path, target: str, flags: Sequence[str]
) -> Path:
    """Build a package for release; the folder in which its programs are.

    Raises:
        DependencyError: crates could not be fetched, or something did not compile.
    """
    cargo = Cargo(toolchain, package, workshop.progress)
    cargo.resolve()
    graph = cargo.metadata(target)
    cargo.build(target, "release", flags, total=len(graph.packages))
    return package / "target" / target / "release"


def _version(toolchain: RustToolchain) -> str:
    return toolchain.version.removeprefix("rustc ").split()[0]
