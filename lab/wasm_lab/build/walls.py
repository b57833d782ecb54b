"""Compiling what nobody trusts: rustc and its linker behind walls.

A compiler runs code of its input in many ways: macros, constants, generic types; and it reads files that the
input names. Within `behind_walls`, every compile of Rust in this thread

- may open the compiler, the crates that were built for it and a scratch folder of its own, and nothing else of
  the file system (Landlock), and has no sockets (seccomp);
- finds a near-empty environment, so that ``env!`` tells nothing of this machine;
- shares no incremental state, and is given no file that lies beside the code;
- has its time, memory, output and files bounded, and is killed with all that it started.

Crates of the dependencies are built as always: whoever wrote the header is trusted.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.confine.limits import Limits
from wasm_lab.errors import BuildError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.build.process import Finished
    from wasm_lab.toolchains.rust import RustToolchain

MIB = 1024 * 1024

#: What the compiler finds as its environment. Its own temporary files go into the folder it works in.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TMPDIR": "."}

#: What code finds as the folder of its package (``CARGO_MANIFEST_DIR``).
PACKAGE_FOLDER = "/exercise"

#: Characters of a compiler's messages that are looked at.
TOLD_CHARACTERS = 256 * 1024

#: Folders of system libraries, where a program does not tell which files it needs.
_LIBRARIES = tuple(map(Path, ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store")))


#: Limits of each process of a compile. An ordinary one takes a quarter of the memory.
LIMITS = Limits(memory_bytes=1024 * MIB, address_bytes=4096 * MIB, cpu_s=30, file_bytes=64 * MIB, files=256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """How much one compile may use.

    Attributes:
        deadline_s: seconds for all of it, however many processes it takes.
        output_bytes: that the compiler may say.
        module_bytes: of what it makes.
        limits: of each of its processes.
    """

    deadline_s: float = 20.0
    output_bytes: int = 4 * MIB
    module_bytes: int = 32 * MIB
    limits: Limits = LIMITS


@dataclass(slots=True)
class _Standing:
    walls: Walls
    until: float | None = None  #: on the monotonic clock; None until a compiler runs

    def left_s(self) -> float:
        """Seconds that are left. Crates that are built before the first compile take none of them."""
        if self.until is None:
            self.until = time.monotonic() + self.walls.deadline_s
        return max(0.001, self.until - time.monotonic())


_standing: contextvars.ContextVar[_Standing | None] = contextvars.ContextVar("walls", default=None)


_always: Walls | None = None


def always_behind_walls(walls: Walls) -> None:
    """Compile Rust behind walls in all of this process from now on, whoever asks for it.

    Raises:
        UnsupportedError: as `behind_walls`.
    """
    global _always  # noqa: PLW0603 - a process that judges never compiles otherwise
    with behind_walls(walls):
        _always = walls


def _now() -> _Standing | None:
    return _standing.get() or (None if _always is None else _Standing(_always))


@contextlib.contextmanager
def behind_walls(walls: Walls) -> Iterator[None]:
    """Compile Rust behind walls until the block is left; one crate of somebody else's in each block.

    Raises:
        UnsupportedError: the kernel has no Landlock, so there are no walls to be had.
    """
    from wasm_lab.confine.landlock import landlock_version

    if not landlock_version():
        raise UnsupportedError(
            "Nothing here can keep a compiler from reading files: the kernel has no Landlock.",
            hint="Linux has it since 5.13; it may have to be switched on (lsm=landlock,…).",
        )
    token = _standing.set(_Standing(walls))
    try:
        yield
    finally:
        _standing.reset(token)


def walled() -> bool:
    """Whether what is compiled now is compiled behind walls."""
    return _now() is not None


def run_walled(
    command: Sequence[str | Path], *, cwd: Path, env: dict[str, str], toolchain: RustToolchain, label: str
) -> Finished:
    """Run a compiler to its end.

    Args:
        command: its words; what it reads beside the toolchain stands in ``--extern``, ``-L`` and ``--sysroot``.
        cwd: where it works, and may write.

    Raises:
        BuildError: it took too long, said too much, or broke down.
        OSError: it cannot be started.
    """
    from wasm_lab.build.process import Finished
    from wasm_lab.confine.landlock import Openings
    from wasm_lab.confine.process import Bounds, Stop, run_confined

    standing = _now()
    assert standing is not None, "only behind walls"
    walls, words = standing.walls, [os.fspath(word) for word in command]
    ended = run_confined(
        words,
        bounds=Bounds(
            openings=Openings(
                read=_named(words),
                write=(cwd, Path("/dev/null")),
                execute=(toolchain.sysroot, *_needed(toolchain)),
            ),
            deadline_s=standing.left_s(),
            output_bytes=walls.output_bytes,
            limits=walls.limits,
            closed=True,
        ),
        env=env,
        cwd=cwd,
    )
    said = _in_part(ended.stderr.decode("utf-8", "replace"))
    if ended.stop is Stop.DEADLINE:
        raise BuildError(
            f"{label} was not compiled within {walls.deadline_s:g} s, and the compiler was stopped.",
            hint="Macros, constants and generic types are worked out while the code compiles, and may never end.",
        )
    if ended.stop is Stop.OUTPUT:
        raise BuildError(
            f"{label}: the compiler said more than {walls.output_bytes // 1024} KiB, and was stopped.",
            hint="Mend the first error that it names.",
        )
    if ended.status < 0 or ended.status == _ABORTED:
        raise BuildError(
            f"{label} was not compiled: the compiler ran out of memory, or broke down (status {ended.status}).",
            hint=f"It may use {(walls.limits.memory_bytes or 0) // MIB} MiB. "
            "Very large constants and arrays, and deep types, take much of it.",
        )
    return Finished(ended.status, ended.stdout.decode("utf-8", "replace"), said)


#: What rustc ends with when it panicked ("internal compiler error").
_ABORTED = 101


def _in_part(said: str) -> str:
    """As many messages as are read in no time, errors first; each is a line of JSON."""
    lines = said.splitlines(keepends=True)
    errors = [line for line in lines if '"level":"error' in line]
    others = [line for line in lines if '"level":"error' not in line]
    kept, size = [], 0
    for line in (*errors, *others):
        size += len(line)
        if size <= TOLD_CHARACTERS:
            kept.append(line)
    return "".join(kept)


def made_file(path: Path) -> bytes:
    """What a walled compiler wrote to a file, which must be a plain one and no link, of bounded size.

    Raises:
        BuildError: it is something else.
    """
    standing = _now()
    assert standing is not None, "only behind walls"
    most = standing.walls.module_bytes
    number = -1
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        found = os.fstat(number)
        if stat.S_ISREG(found.st_mode) and found.st_size <= most:
            with os.fdopen(os.dup(number), "rb") as file:
                return file.read(most)
    except OSError as error:
        raise BuildError(f"The compiler's {path.name} cannot be read: {error.strerror}.") from None
    finally:
        if number >= 0:
            os.close(number)
    raise BuildError(
        f"The compiler made {found.st_size} bytes of {path.name}, and {most} are the most.",
        hint="A large static, or an array that is not all zeros, stands in the module as it is.",
    )


def _named(words: Sequence[str]) -> tuple[Path, ...]:
    """What the words of a command name that the compiler reads: crates, folders of crates, a sysroot of its own."""
    found = []
    for word in words:
        option, _, value = word.partition("=")
        if option in ("--extern", "-Ldependency", "-Lnative", "--sysroot"):
            found.append(Path(value.partition("=")[2] if option == "--extern" else value))
        elif option == "-Clink-arg" and value.startswith("/"):
            found.append(Path(value))
    return tuple(found)


def _needed(toolchain: RustToolchain) -> tuple[Path, ...]:
    """The files outside of its sysroot that a toolchain's programs need to start."""
    return _needed_by(toolchain.rustc, toolchain.sysroot, toolchain.host, toolchain.linker)


@functools.cache
def _needed_by(rustc: Path, sysroot: Path, host: str, linker: Path | None) -> tuple[Path, ...]:
    tools = sysroot / "lib" / "rustlib" / host / "bin"
    programs = [rustc, *tools.glob("*"), *(tools / "gcc-ld").glob("*"), *([linker] if linker else [])]
    found = {linker} if linker else set()
    for program in programs:
        if not program.is_dir():
            found |= set(needed_by_program(program))
    return tuple(sorted(found))


@functools.cache
def needed_by_program(program: Path) -> tuple[Path, ...]:
    """The files beside itself that a program of this machine needs to start: the loader's list, its libraries."""
    libraries = _libraries(program)
    return (Path("/etc/ld.so.cache"), *(_LIBRARIES if libraries is None else sorted(libraries)))


def _libraries(program: Path) -> set[Path] | None:
    """The libraries that the system's loader would take for a program; None where it does not tell."""
    import subprocess

    try:
        told = subprocess.run(
            [program],
            env={"LD_TRACE_LOADED_OBJECTS": "1"},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    words = told.stdout.split()
    if told.returncode or not any(".so" in word for word in words):
        return None
    return {Path(word) for word in words if word.startswith("/")}
