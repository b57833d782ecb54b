"""Cells in languages other than Rust: the kind of the code, and what it exports.

One module for each grammar. ``NAME.read(code) -> CellCode`` reads a text by tree-sitter; nothing is compiled.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from wasm_lab.errors import HeaderError, UnsupportedError
from wasm_lab.source import LANGUAGE_NAMES, LANGUAGES, UNNAMED, Kind, Profile, Source

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.cells.signatures import Signature

#: Languages to the modules that read them; a language without one is a program as a whole.
READERS = {"c": "c", "cpp": "c", "zig": "zig", "go": "go"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCode:
    """What a text is, as its grammar shows it."""

    kind: Kind
    functions: tuple[
        Signature, ...
    ] = ()  #: those that it exports; `Signature.obstacle` says why one cannot cross
    has_main: bool = True  #: whether there is a ``main``, also where it does nothing


@functools.lru_cache(maxsize=256)
def read_code(language: str, code: str) -> CellCode:
    """The kind of a text and the functions that it exports; lines count from 1 in ``code``.

    Example:
        >>> read_code("c", "int twice(int n) { return 2 * n; }").functions[0].text
        'int twice(int n)'
    """
    name = READERS.get(language)
    if name is None:
        return CellCode(kind=Kind.PROGRAM)
    module = importlib.import_module(f"wasm_lab.cells.languages.{name}")
    read: CellCode = module.read(code, language)
    return read


def exported_functions(source: Source) -> tuple[Signature, ...]:
    """The functions that a Source exports, with the lines of its cell."""
    found = read_code(source.language, source.code).functions
    return tuple(replace(each, line=each.line + source.first_line - 1) for each in found)


def language_of_file(path: Path) -> str:
    """The language of a file by how its name ends; empty for what is no source text.

    >>> from pathlib import Path
    >>> language_of_file(Path("hello.cc"))
    'cpp'
    """
    return next((name for name, endings in LANGUAGES.items() if path.suffix in endings), "")


def parse_language_cell(
    text: str,
    *,
    language: str,
    name: str = "",
    label: str = "",
    first_line: int = 1,
    profile: Profile = Profile.RELEASE,
) -> Source:
    """The Source of a cell or a file in ``language``.

    Args:
        text: the code. There is no header: dependencies are what the compiler brings.
        name: names the cell; other cells import its functions from a module of that name.
        label: what messages call the text; the name when it is empty.
        first_line: the line of the cell on which ``text`` begins (2 after a magic line).

    Raises:
        HeaderError: the name is wrong, or there is no code.
        UnsupportedError: there is no such language.
    """
    if language not in LANGUAGES:
        raise UnsupportedError(
            f"{language!r} is no language of the lab.", hint=f"Languages are {', '.join(LANGUAGES)}."
        )
    if name and not (name.isascii() and name.isidentifier()):
        raise HeaderError(
            f"{name!r} cannot name a cell.",
            hint="Use letters, digits and underscores, not beginning with a digit.",
        )
    label = label or name or UNNAMED
    code = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not code.strip():
        raise HeaderError(
            f"{label} has no code.", hint=f"It takes at least one line of {LANGUAGE_NAMES[language]}."
        )
    read = read_code(language, code)
    return Source(
        code=code,
        kind=read.kind,
        language=language,
        name=name or UNNAMED,
        label=label,
        first_line=first_line,
        profile=profile,
    )
