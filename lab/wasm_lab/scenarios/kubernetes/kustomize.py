"""Files that kustomize takes as patches: parts of objects, which mean nothing without it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from wasm_lab.errors import KubeManifestError
from wasm_lab.scenarios.kubernetes.documents import read_documents, read_text
from wasm_lab.scenarios.kubernetes.problems import Problem

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

#: Folders, from the file's own upwards, whose kustomization is asked. kustomize takes no files from outside its folder.
_ABOVE = 3


def patch(name: str) -> Problem | None:
    """The note for a file that the kustomization beside it, or in a folder above, lists as a patch.

    A folder `patches` beside a kustomization holds nothing else, even where the kustomization does not list the
    file: kubebuilder writes some that wait to be switched on.
    """
    path = Path(name)
    for folder in list(path.parents)[:_ABOVE]:
        files = _patches(folder)
        if files is None:
            continue
        below = path.relative_to(folder)
        if below.as_posix() in files or (len(below.parts) > 1 and below.parts[0] == "patches"):
            return Problem(
                name,
                0,
                0,
                "a patch for kustomize, a part of an object: it is not checked.",
                f"kubectl kustomize {folder} | wasm-lab kube validate -",
                "note",
            )
    return None


@functools.lru_cache(maxsize=1024)
def _patches(folder: Path) -> frozenset[str] | None:
    """The files that a folder's kustomization lists as patches; None where it has none."""
    for name in FILES:
        path = folder / name
        if not path.is_file():
            continue
        try:
            documents = read_documents(read_text(path), file=str(path)).documents
        except KubeManifestError:
            return frozenset()
        found = [entry for document in documents for entry in _named(document.value)]
        return frozenset(entry.removeprefix("./") for entry in found)
    return None


def _named(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    lists = [value.get(key) for key in ("patches", "patchesStrategicMerge", "patchesJson6902")]
    entries = [entry for each in lists if isinstance(each, list) for entry in each]
    return [
        name
        for entry in entries
        if isinstance(name := entry.get("path") if isinstance(entry, dict) else entry, str)
        and "\n" not in name
    ]
