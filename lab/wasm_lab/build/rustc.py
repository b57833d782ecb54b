"""One call of the Rust compiler: its flags, its scratch folder, what it wrote."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.nearby import may_name_files, mirror
from wasm_lab.build.process import Finished, run_tool
from wasm_lab.build.unit import compiler_environment
from wasm_lab.build.walls import ENVIRONMENT, made_file, run_walled
from wasm_lab.source import Target
from wasm_lab.toolchains.places import EXE

if TYPE_CHECKING:
    from wasm_lab.build.unit import Unit
    from wasm_lab.toolchains.rust import RustToolchain

ROOT_FILE = "__wasm_lab_root.rs"
DEP_INFO = "__wasm_lab_inputs.d"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What one call of rustc gave."""

    finished: Finished
    output: bytes | None  #: None when it failed
    inputs: tuple[str, ...] = ()  #: files outside the scratch folder that it read
    variables: tuple[tuple[str, str | None], ...] = ()  #: that the code asked for with ``env!``


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where one compile does its work."""

    scratch: Path  #: an empty folder; incremental state is good only for one and the same
    incremental: Path | None = None  #: a folder that no other process uses now
    sysroot: Path | None = None  #: a prepared one instead of the toolchain's own
    words: tuple[str, ...] = ()  #: such as ``--extern=serde=PATH`` and ``-Ldependency=PATH``

    def with_sysroot(self, sysroot: Path) -> Bench:
        return replace(self, sysroot=sysroot)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A unit whose files lie in the scratch folder, and the command that compiles it."""

    command: list[str | Path]  #: without what is to be emitted
    env: dict[str, str]
    scratch: Path
    beside: Path  #: the folder of the root file
    folder: Path  #: the folder that ``beside`` stands for
    own: frozenset[Path]  #: the files of the unit itself
    walled: bool = False

    def emitting(self, what: str) -> list[str | Path]:
        return [*self.command, f"--emit={what},dep-info={self.scratch / DEP_INFO}"]

    def compiled(self, finished: Finished, output: bytes | None) -> Compiled:
        """What a finished compile gave. Without output it failed."""
        # Paths in the words of a message are not remapped, such as that of a file it could not read.
        said = finished.stderr
        if self.beside != self.scratch:
            said = said.replace(str(self.beside), str(self.folder))
        finished = replace(finished, stderr=said.replace(f"{self.scratch}{os.sep}", ""))
        if output is None:
            return Compiled(finished, None)
        if self.walled:  # what it may read is known, and decides nothing more
            return Compiled(finished, output)
        inputs, variables = _dependencies(self.scratch, self.own)
        return Compiled(finished, output, inputs, variables)


def prepare(unit: Unit, toolchain: RustToolchain, bench: Bench) -> Prepared:
    """Write the files of ``unit`` and put its command together.

    Raises:
        OSError: the scratch folder cannot be written.
    """
    scratch = bench.scratch
    beside = _beside(unit, scratch)
    root = beside / ROOT_FILE
    root.write_text(unit.root, encoding="utf-8")
    for name, text in unit.files.items():
        (beside / name).write_text(text, encoding="utf-8")
    command: list[str | Path] = [
        toolchain.rustc,
        root,
        *unit.flags(),
        *bench.words,
        "--error-format=json",
        "--json=diagnostic-rendered-ansi",
        # The last of those that match wins.
        f"--remap-path-prefix={scratch}=",
        f"--remap-path-prefix={beside}={unit.folder if beside != scratch else ''}",
        f"--remap-path-prefix={root}={unit.label.replace('=', '-')}",
    ]
    if unit.walled:  # std's own source lies there, if it was installed, and panics of its code name it
        command.append(f"--remap-path-prefix={toolchain.sysroot}=/rust")
    if toolchain.linker:
        command.append(f"-Clinker={toolchain.linker}")
    if bench.sysroot:
        command.append(f"--sysroot={bench.sysroot}")
    if bench.incremental:
        command.append(f"-Cincremental={bench.incremental}")
    if unit.crate_type == "cdylib" and unit.target == Target.WASIP1:
        command += _reactor(bench.sysroot or toolchain.sysroot)
    own = frozenset({root, *(beside / name for name in unit.files)})
    environment = ENVIRONMENT if unit.walled else compiler_environment()
    return Prepared(command, {**environment, **unit.env}, scratch, beside, unit.folder, own, unit.walled)


def compile_unit(unit: Unit, toolchain: RustToolchain, bench: Bench) -> Compiled:
    """Run rustc on ``unit`` and let it link.

    Raises:
        OSError: the scratch folder cannot be written or rustc cannot be started.
        KeyboardInterrupt: the user interrupted; rustc has been stopped.
    """
    prepared = prepare(unit, toolchain, bench)
    output = bench.scratch / _output_name(unit)
    if unit.walled:
        command = prepared.emitting(f"link={output}")
        finished = run_walled(
            command, cwd=bench.scratch, env=prepared.env, toolchain=toolchain, label=unit.label
        )
        return prepared.compiled(finished, None if finished.status else made_file(output))
    finished = run_tool(prepared.emitting(f"link={output}"), cwd=bench.scratch, env=prepared.env)
    return prepared.compiled(finished, None if finished.status else output.read_bytes())


def _output_name(unit: Unit) -> str:
    if unit.crate_type == "rlib":
        return "out.rlib"
    return f"out{EXE}" if unit.for_host else "out.wasm"


def _beside(unit: Unit, scratch: Path) -> Path:
    """The folder for the root file: one that looks like the unit's own, if its text may name files there."""
    if may_name_files(unit.root) and not unit.walled:
        with contextlib.suppress(OSError):
            return mirror(unit.folder, scratch, unit.root)
    return scratch


def _reactor(sysroot: Path) -> list[str]:
    """Link flags that give a library its ``_initialize``.

    rustc adds the reactor's start file only under ``-Zwasi-exec-model``, which stable refuses.
    Without it the linker wraps every export so that each call runs the constructors anew.
    """
    start = sysroot / "lib" / "rustlib" / Target.WASIP1 / "lib" / "self-contained" / "crt1-reactor.o"
    if not start.exists():  # a distribution may keep it elsewhere, where its linker finds it by name
        return ["-Clink-arg=-l:crt1-reactor.o", "-Clink-arg=--export=_initialize"]
    return [f"-Clink-arg={start}", "-Clink-arg=--export=_initialize"]


_ENV_DEP = re.compile(r"# env-dep:([^=\n]+)(?:=(.*))?")


def _dependencies(
    scratch: Path, own: frozenset[Path]
) -> tuple[tuple[str, ...], tuple[tuple[str, str | None], ...]]:
    """The files besides its ``own`` that rustc read, and the variables, as its dep-info names them.

    Each file stands on a line of its own as a make target without prerequisites, with spaces escaped.
    """
    text = (scratch / DEP_INFO).read_text(encoding="utf-8", errors="surrogateescape")
    files = []
    for line in text.splitlines():
        if line.endswith(":") and not line.startswith("#"):
            path = Path(scratch, line[:-1].replace("\\ ", " "))
            if path not in own:
                mirrored = path.is_relative_to(scratch)
                files.append(str(Path("/", path.relative_to(scratch)) if mirrored else path))
    variables = tuple((name, value if value is None else _unescape(value)) for name, value in _env_deps(text))
    return tuple(files), variables


def _env_deps(text: str) -> list[tuple[str, str | None]]:
    return [(match[1], match[2]) for match in _ENV_DEP.finditer(text)]


def _unescape(value: str) -> str:
    return value.replace("\\n", "\n").replace("\\r", "\r").replace("\\\\", "\\")
