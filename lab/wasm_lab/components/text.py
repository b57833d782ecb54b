"""WIT texts: checked by the real parser, mistakes at the line where the author wrote them."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.components.wit import read_package
from wasm_lab.components.wit_hints import wit_hint
from wasm_lab.diagnostic import Diagnostic, Span
from wasm_lab.errors import WitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wasm_lab.components.wit import Package, World


@dataclass(frozen=True, slots=True)
class WitText:
    """A WIT text that was checked.

    ``package`` holds its interfaces and worlds; ``package.text`` is all of it with what it depends on, as
    one text that stands for itself.
    """

    name: str  #: of the cell or file
    text: str = field(repr=False)
    id: str  #: of the package, such as ``demo:calc@1.0.0``
    package: Package = field(repr=False)
    binary: bytes = field(repr=False)  #: the package in binary form

    @property
    def worlds(self) -> dict[str, World]:
        """Its own worlds, by their short names."""
        own = self.id.partition("@")[0] + "/"
        found = {}
        for full, world in self.package.worlds.items():
            if full.startswith(own):
                found[full.removeprefix(own).partition("@")[0]] = world
        return found


# Both are linear: a text of nothing but empty lines, or of comments that never end, takes no longer than another.
_PACKAGE = re.compile(r"^[^\S\n]*package\s+([^\s;{]+)\s*;", re.MULTILINE)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


def package_id(text: str) -> str:
    """The package that a text belongs to, such as ``demo:calc@1.0.0``; empty when it does not say.

    >>> package_id("// a comment\\npackage demo:calc@1.0.0;")
    'demo:calc@1.0.0'
    """
    found = _PACKAGE.search(_COMMENT.sub("", text))
    return found[1].replace("%", "") if found else ""


def check_text(
    text: str, *, name: str, label: str = "", first_line: int = 1, others: Iterable[WitText] = ()
) -> WitText:
    """Parse a WIT text.

    Args:
        text: one package, beginning with ``package namespace:name;``.
        name: what it is called.
        label: what messages call it; by default ``name``.
        first_line: the line of the cell on which ``text`` begins.
        others: texts whose packages it may use.

    Raises:
        WitError: the parser refused it; carries its message, placed in the text.

    Example:
        >>> sorted(check_text("package a:b; world w { export f: func(); }", name="w").worlds)
        ['w']
    """
    label, others = label or name, list(others)
    own = package_id(text)
    if not own and not re.search(r"^[^\S\n]*package\b", _COMMENT.sub("", text), re.MULTILINE):
        raise WitError(
            f"{label} does not say what package it is.",
            hint="Begin it with a line such as `package demo:calc@1.0.0;`.",
        )
    with tempfile.TemporaryDirectory(prefix="wasm-lab-wit-") as temporary:
        folder = Path(temporary).resolve()
        root = folder / "text.wit"
        root.write_text(text, encoding="utf-8")
        for number, other in enumerate(others):
            if other.id != own:
                place = folder / "deps" / f"d{number}"
                place.mkdir(parents=True)
                (place / "text.wit").write_text(other.text, encoding="utf-8")
        try:
            binary = wasm_tools(["component", "wit", "--wasm", str(folder)], b"")
        except ToolError as error:
            packages = [other.id for other in others]
            raise _refusal(str(error), root, text, label, first_line, packages=packages) from None
    return WitText(name, text, own, read_package(binary, label), binary)


def check_path(path: Path) -> WitText:
    """Parse a ``.wit`` file, or a folder with a package and what it depends on in ``deps``.

    Raises:
        WitError: the parser refused it, or there is nothing to read.
    """
    if not path.exists():
        raise WitError(f"{path} is not there.")
    if path.is_file():
        _refuse_wasm(path)
    try:
        binary = wasm_tools(["component", "wit", "--wasm", str(path)], b"")
    except ToolError as error:
        raise _refusal(str(error), None, "", str(path), 1) from None
    texts = [path] if path.is_file() else sorted(path.glob("*.wit"))
    text = "".join(each.read_text(encoding="utf-8", errors="replace") for each in texts)
    return WitText(str(path), text, package_id(text), read_package(binary, str(path)), binary)


def _refuse_wasm(path: Path) -> None:
    """A component holds a contract too, but there is nothing to check in what a tool has made."""
    with path.open("rb") as file:
        head = file.read(8)
    if head[:4] != b"\0asm":
        return
    if head[4:] == b"\x01\0\0\0":  # the version, and the layer: 0 for a core module
        raise WitError(
            f"{path} is a WebAssembly module, not a WIT text, and a core module has no contract.",
            hint=f"What it imports and exports: wasm-lab inspect {path}",
        )
    raise WitError(
        f"{path} is a WebAssembly component, not a WIT text.",
        hint=f"The contract inside: wasm-lab wit show {path}",
    )


_PLACE = re.compile(r"^ *--> (?P<file>.*?):(?P<line>\d+):(?P<column>\d+)\s*$", re.MULTILINE)


def _refusal(
    said: str, root: Path | None, text: str, label: str, first_line: int, *, packages: Sequence[str] = ()
) -> WitError:
    """What the parser said, in the words of the text's author."""
    place = _PLACE.search(said)
    message = _message(said[: place.start()] if place else said)
    hint = wit_hint(message, packages)
    if not place:
        return WitError(f"{label}: {message}.", hint=hint)
    line, column = int(place["line"]), int(place["column"])
    if root is None:
        rendered = _excerpt(said[place.end() :])
        end = column + max(1, len(_marked(rendered)))
        span = Span(label=place["file"], line=line, column=column, end_line=line, end_column=end)
        return WitError(
            f"{place['file']}:{line}:{column}: {message}.",
            diagnostics=(Diagnostic(level="error", message=message, spans=(span,), rendered=rendered),),
            rendered=rendered,
            hint=hint,
        )
    if Path(place["file"]).name != root.name or Path(place["file"]).parent != root.parent:
        return WitError(f"{label}: {message}.", hint="The mistake is in a text that this one uses.")
    shown = line + first_line - 1
    lines = text.splitlines()
    written = lines[line - 1] if line <= len(lines) else ""
    end = column + max(1, len(_marked(said[place.end() :])))
    gutter = " " * len(str(shown))
    rendered = "\n".join(
        (
            f"error: {message}",
            f"{gutter}--> {label}:{shown}:{column}",
            f"{gutter} |",
            f"{shown} | {written}",
            f"{gutter} | {' ' * (column - 1)}{'^' * (end - column)}",
        )
    )
    diagnostic = Diagnostic(
        level="error",
        message=message,
        spans=(Span(label=label, line=shown, column=column, end_line=shown, end_column=end),),
        rendered=rendered,
    )
    return WitError(f"{label} is no valid WIT.", diagnostics=(diagnostic,), rendered=rendered, hint=hint)


def _message(said: str) -> str:
    """What is wrong, without what was being done when it was found."""
    first = next((line.strip() for line in said.splitlines() if line.strip()), "it cannot be parsed")
    first = re.sub(r"^(error: )?(failed to parse package: [^:]*: )?", "", first)
    return first.partition(". known packages")[0].rstrip(".")


def _marked(after: str) -> str:
    """The carets under the place."""
    found = re.search(r"\^[-^]*", after)
    return found[0] if found else ""


def _excerpt(after: str) -> str:
    return "\n".join(line for line in after.splitlines() if line.strip(" |"))
