"""Whether the files that a manifest names are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.manifest import LocalSource

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.checker import Checker
    from wasm_lab.scenarios.spin.manifest import ComponentManifest, Manifest

GLOB = set("*?[")


def check_files(check: Checker, manifest: Manifest) -> None:
    """Note each file that is missing."""
    for component in manifest.components.values():
        _source(check, component)
        for number, mount in enumerate(component.files):
            path = (*check.components[component.id], "files", number)
            if mount.destination is None and GLOB & set(mount.source):
                continue  # a pattern may match nothing
            if not (manifest.folder / mount.source).exists():
                what = "file or folder" if mount.destination is not None else "file, and it is no pattern"
                check.say(
                    path,
                    f"{mount.source!r}: there is no such {what}",
                    "Paths start from the manifest's folder.",
                )


def _source(check: Checker, component: ComponentManifest) -> None:
    source = component.source
    if not isinstance(source, LocalSource) or not source.written:
        return
    path = (*check.components[component.id], "source")
    if not source.path.exists():
        hint = "Build it: wasm-lab spin build" if component.build else "Build it, or mend the path."
        check.say(
            path,
            f"the component's file {source.written!r} is missing",
            f"{hint}. Without files: --no-sources.",
        )
    elif source.path.is_dir():
        check.say(path, f"{source.written!r} is a folder, not a Wasm file")
    else:
        with source.path.open("rb") as file:
            start = file.read(4)
        if start != b"\0asm" and not start.startswith(b"("):
            why = f"{source.written!r} is no Wasm file: it does not begin with \\0asm"
            check.say(path, why, "Build it again; a file of a few lines may be a pointer of Git LFS.")
