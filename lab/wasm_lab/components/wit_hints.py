"""What to do next about a WIT text that its parser refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Words of other languages where WIT has another.
_WORDS = {
    "str": "string", "String": "string", "i8": "s8", "i16": "s16", "i32": "s32", "i64": "s64", "int": "s32",
    "uint": "u32", "usize": "u32 or u64", "isize": "s32 or s64", "long": "s64", "byte": "u8", "float": "f64",
    "double": "f64", "number": "f64", "float32": "f32", "float64": "f64", "boolean": "bool", "bytes": "list<u8>",
    "vec": "list", "Vec": "list", "array": "list", "Option": "option", "optional": "option", "Result": "result",
}  # fmt: skip


def wit_hint(message: str, packages: Sequence[str] = ()) -> str:
    """Advice for one message of the parser; empty when there is none.

    Args:
        message: what the parser said.
        packages: those of the other texts, such as ``acme:log@1.0.0``.

    Example:
        >>> wit_hint("name `i32` does not exist")
        "WIT's word for i32 is s32."
    """
    name = re.search(r"name `([^`]+)` (?:does not exist|is not defined)", message)
    if name and name[1] in _WORDS:
        return f"WIT's word for {name[1]} is {_WORDS[name[1]]}."
    missing = re.search(r"package '([^']+)' not found", message)
    if missing:
        return _missing_package(missing[1], packages)
    if expected := re.match(r"expected (.*), found (.*)", message):
        return _misplaced(expected[1], expected[2])
    if "invalid character in identifier" in message or "kebab" in message:
        return "Names of WIT are words in lower case with hyphens between them, such as get-item."
    if "no `package` header" in message:
        return "Begin it with a line such as `package demo:calc@1.0.0;`."
    return ""


def _misplaced(expected: str, found: str) -> str:
    """What to mend where the parser met something else than it expected; its place is after the mistake."""
    begins = re.search(r"keyword `(world|interface|package)`", found)
    if found == "eof":
        return "The text ends before everything is closed: each { needs its }."
    if expected == "'{'" and (begins or "keyword `use`" in found):
        return "The line before lacks its semicolon."
    if expected == "';'":
        return "A statement of WIT ends with a semicolon, and the items of an enum or record with commas."
    if expected == "'}'":
        return "Before this, a comma between two items is missing, or the } that closes them."
    if expected == "')'":
        return "The parameters lack their closing )."
    if expected == "'>'":
        return "The type lacks its closing >."
    if begins:
        return f"The block before lacks its closing }}: {begins[1]} stands outside of every block."
    if "keyword `func`" in found:
        return "A func is no type: before this, the } that closes the record or variant is missing."
    if found == "';'":
        return "No semicolon stands after a closing }."
    if found == "'}'" and "`world`" in expected:
        return "This } closes nothing: it is one too many."
    return ""


def _missing_package(name: str, packages: Sequence[str]) -> str:
    if name.startswith("wasi:"):
        return (
            f"A text with the package {name} makes it known. A world that is implemented in Rust need not name "
            "WASI: what std uses is imported all the same."
        )
    base = name.partition("@")[0]
    versions = [each for each in packages if each.partition("@")[0] == base]
    if versions:
        return f"There is {', '.join(versions)}; write that version after the interface's name."
    there = ", ".join(each for each in packages if each) or "none yet"
    return (
        f"Run the %%wit cell of {base} first; packages of cells: {there}. For a file, it belongs into deps/."
    )
