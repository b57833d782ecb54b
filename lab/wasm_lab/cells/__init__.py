"""Cell text to Source: its header, its kind, its signatures."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING

from wasm_lab.cells.header import read_header
from wasm_lab.errors import HeaderError
from wasm_lab.source import DEFAULT_EDITION, UNNAMED, Kind, Profile, Source, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Words that no crate may be called (Rust Reference, Keywords, and the crates that every cell has).
RESERVED = frozenset(
    "abstract as async await become box break const continue core crate do dyn else enum extern false final fn "
    "for gen if impl in let loop macro match mod move mut override priv pub ref return self static std struct "
    "super test trait true try type typeof unsafe unsized use virtual where while yield alloc".split()
)


def parse_cell(
    text: str,
    *,
    name: str = "",
    label: str = "",
    first_line: int = 1,
    profile: Profile = Profile.RELEASE,
    target: Target = Target.WASIP1,
    edition: str | None = None,
    test: bool = False,
    uses: Sequence[Source] = (),
) -> Source:
    """The Source of a cell or a file.

    Args:
        text: Rust, with a frontmatter header where it has dependencies.
        name: the crate's name; later cells can use it.
        label: what messages call the text; the name when it is empty.
        first_line: the line of the cell on which ``text`` begins (2 after a magic line).
        edition: overrides the header's; 2024 when neither says.
        test: build the ``#[test]`` functions.
        uses: earlier cells that this one may name as crates.

    Raises:
        HeaderError: the header or the name is wrong, or there is no code.

    Example:
        >>> parse_cell("1 + 1").kind
        <Kind.STATEMENTS: 'statements'>
    """
    _check_name(name)
    label = label or name or UNNAMED
    # rustc drops a byte order mark only at the very beginning of a file, where a cell's is not.
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    header = read_header(text, label=label, first_line=first_line)
    if not header.code.strip():
        raise HeaderError(f"{label} has no code.", hint="It takes at least one line of Rust.")
    if test:
        kind = Kind.TESTS
    else:
        from wasm_lab.cells.kind import kind_of
        from wasm_lab.cells.syntax import Syntax

        kind = kind_of(Syntax(header.code))
    return Source(
        code=header.code,
        kind=kind,
        name=name or UNNAMED,
        label=label,
        first_line=first_line,
        dependencies=header.dependencies,
        uses=tuple(uses),
        edition=edition or header.edition or DEFAULT_EDITION,
        profile=profile,
        target=target,
    )


def _check_name(name: str) -> None:
    if not name:
        return
    if not (name.isascii() and name.isidentifier()):
        raise HeaderError(
            f"{name!r} cannot name a cell.",
            hint="Use letters, digits and underscores, not beginning with a digit.",
        )
    if name in RESERVED:
        what = "a word of Python's too" if keyword.iskeyword(name) else "Rust's own"
        raise HeaderError(f"{name!r} cannot name a cell: it is {what}.", hint="Choose another name.")
