"""The header of a cell: Rust frontmatter with a cargo manifest in it.

    ---
    [dependencies]
    serde = { version = "1", features = ["derive"] }
    ---

As in cargo's single-file packages (RFC 3502 and RFC 3503).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import Any

from wasm_lab.errors import HeaderError
from wasm_lab.source import EDITIONS

_EXAMPLE = 'Write a header as\n---\n[dependencies]\nserde = "1"\n---'


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says, and the code with the header's lines blanked out."""

    code: str
    dependencies: dict[str, Any] = field(default_factory=dict)
    edition: str | None = None


def read_header(text: str, *, label: str, first_line: int) -> Header:
    """Split the header from a cell. The code keeps its line numbers.

    Raises:
        HeaderError: the header is not closed, is no TOML, or has what the lab does not know.
    """
    lines = text.split("\n")
    first = 0
    if lines[0].startswith("#!") and not lines[0].startswith("#!["):
        lines[0] = ""
        first = 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    if first == len(lines) or not lines[first].startswith("---"):
        _refuse_evcxr_dependencies(lines, label, first_line)
        return Header("\n".join(lines))
    fence = lines[first].rstrip()
    dashes = len(fence) - len(fence.lstrip("-"))
    for last in range(first + 1, len(lines)):
        if lines[last].rstrip() == "-" * dashes:
            break
    else:
        raise HeaderError(
            f"{label}:{first_line + first}: the header is not closed.",
            hint=f"End it with a line {'-' * dashes}.",
        )
    manifest = "\n".join(lines[first + 1 : last])
    code = [""] * (last + 1) + lines[last + 1 :]
    dependencies, edition = _read_manifest(manifest, label, first_line + first + 1)
    return Header("\n".join(code), dependencies, edition)


def _refuse_evcxr_dependencies(lines: list[str], label: str, first_line: int) -> None:
    for number, line in enumerate(lines):
        if line.startswith(":dep "):
            raise HeaderError(
                f"{label}:{first_line + number}: {line.split()[0]} is how evcxr names a crate.", hint=_EXAMPLE
            )


def _read_manifest(text: str, label: str, line: int) -> tuple[dict[str, Any], str | None]:
    try:
        manifest = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HeaderError(
            f"{label}: the header (from line {line}) is no TOML: {error}.", hint=_EXAMPLE
        ) from None
    dependencies = manifest.pop("dependencies", {})
    package = manifest.pop("package", {})
    if manifest:
        raise HeaderError(
            f"{label}: the header has [{next(iter(manifest))}], which the lab does not know.",
            hint="It knows [dependencies] and [package] with edition; profiles are chosen with --profile.",
        )
    if not isinstance(dependencies, dict) or not isinstance(package, dict):
        raise HeaderError(f"{label}: dependencies and package are tables in a header.", hint=_EXAMPLE)
    for name, wanted in dependencies.items():
        if not isinstance(wanted, str | dict):
            raise HeaderError(
                f"{label}: the dependency {name} has no version: {wanted!r}.",
                hint=f'Write {name} = "1" or {name} = {{ version = "1", features = ["…"] }}.',
            )
    return dependencies, _edition(package, label)


def _edition(package: dict[str, Any], label: str) -> str | None:
    # Name, version and the like say nothing about what the code compiles to.
    edition = package.get("edition")
    if edition is not None and edition not in EDITIONS:
        raise HeaderError(
            f"{label}: {edition!r} is no Rust edition.", hint=f"Editions are {', '.join(EDITIONS)}, as text."
        )
    return edition
