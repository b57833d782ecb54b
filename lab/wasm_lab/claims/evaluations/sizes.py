"""Sizes: of the sample programs by profile, and of one program step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.bench.ladder import ladder
from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.claims.verdict import Measured, open_check
from wasm_lab.source import Profile
from wasm_lab.twins import samples_folder

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

#: Bytes in a megabyte, as the claims have it.
_MB = 1e6

#: The step of the ladder after one codegen unit, link-time optimisation and stripping.
_ALL_THREE = "stripped"


def module_sizes(bench: Workbench) -> list[Measured]:
    """Every sample program in each profile; those that need crates only in the full set.

    The claim's other half, on container images, stays open until images are built here.
    """
    found = []
    for path in sorted((samples_folder() / "programs").glob("*.rs")):
        source = parse_cell(path.read_text(encoding="utf-8"), name=path.stem, label=path.name)
        if source.dependencies and not bench.full:
            continue
        for profile in Profile:
            bench.watcher(path.stem).step(f"building with profile {profile.value}")
            size_bytes = build(replace(source, profile=profile)).size_bytes
            found.append(_size(f"{path.name}, profile {profile.value}", size_bytes))
    return [*found, open_check("container images are larger than 100 MB (none is built yet)")]


def size_ladder(bench: Workbench) -> list[Measured]:
    """One program without crates and, in the full set, one with; it is judged where all three are applied."""
    names = ("word_count", "json_transform") if bench.full else ("word_count",)
    found = []
    for name in names:
        path = samples_folder() / "programs" / f"{name}.rs"
        source = parse_cell(path.read_text(encoding="utf-8"), name=name, label=path.name)
        if source.dependencies:
            size_bytes = build(replace(source, profile=Profile.SIZE)).size_bytes
            found.append(_size(f"{path.name}, profile size", size_bytes))
            continue
        bench.watcher(name).step("building the size ladder")
        for step in ladder(source):
            found.append(_size(f"{path.name}: {step.name}", step.size_bytes, counts=step.name == _ALL_THREE))
    return found


def _size(what: str, size_bytes: int, *, counts: bool = True) -> Measured:
    value = size_bytes / _MB
    return Measured(what=what, value=value, low=value, high=value, unit="MB", n=1, counts=counts)
