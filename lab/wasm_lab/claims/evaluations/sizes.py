"""Sizes: of the sample programs by profile, and of one program step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.bench.ladder import ladder
from wasm_lab.build import build
from wasm_lab.cells import parse_cell
from wasm_lab.claims.verdict import Measured, open_check
from wasm_lab.scenarios.containers.sizes import compare_sizes
from wasm_lab.source import Profile
from wasm_lab.twins import samples_folder

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

#: Bytes in a megabyte, as the claims have it.
_MB = 1e6

#: The step of the ladder after one codegen unit, link-time optimisation and stripping.
_ALL_THREE = "stripped"


def module_sizes(bench: Workbench) -> list[Measured]:
    """Every sample program in each profile, those that need crates only in the full set; then images.

    An image counts with what it takes on a disk; what a registry holds of it stands beside that.
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
    return [*found, *_image_sizes(bench)]


def _image_sizes(bench: Workbench) -> list[Measured]:
    """One program as an image of each kind. That of the module is no container image of the claim's."""
    found = []
    # An engine with its compiler takes longer to compress than the quick set has for it, and is context.
    left_out = "" if bench.full else "wasm-with-engine"
    for size in compare_sizes(bench.watcher("images").step, left_out):
        if size.missing:
            found.append(open_check(f"the image of {size.title} is larger than 100 MB ({size.missing})"))
            continue
        counts = not size.name.startswith("wasm")
        what = f"image: {size.title}"
        found.append(_size(f"{what}, on disk", size.uncompressed, counts=counts, figure="image"))
        found.append(_size(f"{what}, compressed", size.compressed, counts=False, figure="image"))
    return found


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


def _size(what: str, size_bytes: int, *, counts: bool = True, figure: str = "") -> Measured:
    value = size_bytes / _MB
    return Measured(
        what=what, value=value, low=value, high=value, unit="MB", n=1, counts=counts, figure=figure
    )
