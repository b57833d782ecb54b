"""Source: a piece of code and all that decides what it compiles to.

Nothing here knows of notebooks. ``cells`` makes a Source from the text of a cell,
the command line from a file; ``build`` makes an Artifact from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a piece of code is, which decides how it is wrapped and what is done with it."""

    STATEMENTS = "statements"  #: wrapped in a ``main``; the last expression is shown
    PROGRAM = "program"  #: has a ``fn main``; runs as a WASI command
    FUNCTIONS = "functions"  #: a library whose public functions become Python calls
    TESTS = "tests"  #: built with libtest; each ``#[test]`` runs in its own instance


class Profile(StrEnum):
    """How code is optimised, as cargo's profiles of the same names."""

    DEV = "dev"  #: not optimised, overflow checks and debug assertions on
    RELEASE = "release"  #: optimised for speed (the default)
    SIZE = "size"  #: optimised for size, with link-time optimisation


class Target(StrEnum):
    """The Rust targets that the lab builds for."""

    WASIP1 = "wasm32-wasip1"  #: a core module for WASI 0.1 (the default)
    WASIP2 = "wasm32-wasip2"  #: a component for WASI 0.2


#: The crate name of a cell that was given none.
UNNAMED = "cell"

#: Every language of cells, and how its files end; the first ending is the one that files are written with.
LANGUAGES: dict[str, tuple[str, ...]] = {
    "rust": (".rs",),
    "c": (".c",),
    "cpp": (".cpp", ".cc", ".cxx"),
    "zig": (".zig",),
    "go": (".go",),
    "python": (".py",),
    "js": (".js", ".mjs"),
}

#: What messages call them.
LANGUAGE_NAMES = {
    "rust": "Rust",
    "c": "C",
    "cpp": "C++",
    "zig": "Zig",
    "go": "Go",
    "python": "Python",
    "js": "JavaScript",
}

#: Those whose compilers make core modules, whose exports Python calls.
NATIVE = ("c", "cpp", "zig", "go")

#: Those whose tools make components, with an interpreter in them.
SCRIPTED = ("python", "js")

DEFAULT_EDITION = "2024"
EDITIONS = ("2015", "2018", "2021", "2024")


@dataclass(frozen=True, slots=True)
class Bindings:
    """A WIT world that code implements, as its language sees it."""

    world: str  #: the full name, such as ``acme:calc/calc@1.0.0``
    rust: str = field(default="", repr=False)  #: for Rust: the text of a module, as wit-bindgen makes it
    #: For Rust, those of its modules whose names the code may use as they are; for Python, those that
    #: hold the resources of exported interfaces.
    modules: tuple[str, ...] = ()
    wit: str = field(default="", repr=False)  #: for Python and JavaScript: the package, with all that it uses
    functions: tuple[str, ...] = ()  #: for Python: the functions of the world itself
    interfaces: tuple[str, ...] = ()  #: for Python: the classes of exported interfaces
    imports: tuple[str, ...] = ()  #: for JavaScript: what the world imports
    entry: str = field(default="", repr=False)  #: for JavaScript: exports that call those of the text


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Code, and everything that changes what it compiles to.

    ``code`` has as many lines as the text it came from: a header is blanked out, not
    removed, so that line N of ``code`` is line ``first_line + N - 1`` of the cell.

    Example:
        >>> Source(code="fn main() {}", kind=Kind.PROGRAM).profile
        <Profile.RELEASE: 'release'>
    """

    code: str
    kind: Kind
    language: str = "rust"  #: one of `LANGUAGES`
    name: str = UNNAMED  #: a valid Rust crate name; later cells may use it as a crate
    label: str = "cell"  #: what messages call the text: ``cell fib`` or a file name
    first_line: int = 1  #: the line of the cell or file on which ``code`` begins
    folder: str = ""  #: where files that the code names are looked for; empty means the current folder
    #: crate name to a version requirement or a cargo table, as in ``[dependencies]``
    dependencies: dict[str, Any] = field(default_factory=dict)
    uses: tuple[Source, ...] = ()  #: earlier cells whose crates this one may name
    edition: str = DEFAULT_EDITION
    profile: Profile = Profile.RELEASE
    target: Target = Target.WASIP1
    bindings: Bindings | None = None  #: of the world that the code implements as a component
