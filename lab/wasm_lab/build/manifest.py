"""The dependency table of a cell, as cargo reads it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import DependencyError
from wasm_lab.source import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.source import Source

PACKAGE = "wasm-lab-cells"

#: What crates are optimised for, in the words of cargo's profiles. The release profile is cargo's own,
#: without debug information, which is what ``cargo build --release`` gives.
_PROFILES: dict[Profile, tuple[str, Mapping[str, Any]]] = {
    Profile.DEV: ("dev", {"debug": "line-tables-only"}),
    Profile.RELEASE: ("release", {"debug": False}),
    Profile.SIZE: ("release", {"debug": False, "opt-level": "z", "codegen-units": 1}),
}

#: Flags for crates of the target on top of the profile's: link-time optimisation needs bitcode.
CRATE_FLAGS: dict[Profile, tuple[str, ...]] = {
    Profile.DEV: (),
    Profile.RELEASE: (),
    Profile.SIZE: ("-Cembed-bitcode=yes",),
}

_CRATE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def cargo_profile(profile: Profile) -> str:
    """The name of cargo's profile that stands for ours."""
    return _PROFILES[profile][0]


def merged_dependencies(source: Source) -> dict[str, Any]:
    """The dependency tables of ``source`` and of all earlier cells that it uses, as one.

    Crates are shared between cells only when they are built once, so two cells cannot ask for
    different versions of one.

    Raises:
        DependencyError: two cells disagree, or a name is no crate's name.
    """
    merged: dict[str, Any] = {}
    asked_by: dict[str, str] = {}
    for cell in (source, *every_used(source)):
        for name, written in cell.dependencies.items():
            if not _CRATE_NAME.fullmatch(name):
                raise DependencyError(f"{cell.label}: {name!r} is no name for a crate.")
            wanted = _absolute(written, Path(cell.folder))
            if merged.setdefault(name, wanted) != wanted:
                raise DependencyError(
                    f"{asked_by[name]} and {cell.label}, which it uses, ask for {name} in different ways: "
                    f"{merged[name]!r} and {wanted!r}.",
                    hint="Write the same requirement in both.",
                )
            asked_by.setdefault(name, cell.label)
    return merged


def every_used(source: Source) -> list[Source]:
    """The earlier cells that ``source`` uses, directly or through others; each after those that it uses."""
    found: dict[str, Source] = {}

    def visit(cell: Source) -> None:
        for used in cell.uses:
            if used.name not in found:
                visit(used)
                found[used.name] = used

    visit(source)
    return list(found.values())


def _absolute(wanted: Any, folder: Path) -> Any:
    if isinstance(wanted, dict) and "path" in wanted:
        return {**wanted, "path": str((folder / Path(wanted["path"]).expanduser()).resolve())}
    return wanted


def local_paths(dependencies: Mapping[str, Any]) -> list[Path]:
    """The folders of path dependencies."""
    tables = (wanted for wanted in dependencies.values() if isinstance(wanted, dict))
    return [Path(table["path"]) for table in tables if "path" in table]


def manifest(dependencies: Mapping[str, Any], profile: Profile) -> str:
    """The text of a Cargo.toml with these dependencies."""
    cargo_name, settings = _PROFILES[profile]
    lines = [
        "[package]",
        f'name = "{PACKAGE}"',
        'version = "0.0.0"',
        'edition = "2024"',
        "publish = false",
        "",
        "[lib]",
        'path = "lib.rs"',
        "",
        "[dependencies]",
        *(f"{_toml(name)} = {_toml(wanted)}" for name, wanted in sorted(dependencies.items())),
        "",
        f"[profile.{cargo_name}]",
        *(f"{name} = {_toml(value)}" for name, value in settings.items()),
        "",
        "[workspace]",  # so that no Cargo.toml in a folder above adopts this one
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    """A value in TOML. JSON's form of strings, numbers and truth values is TOML's too."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(name)} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
