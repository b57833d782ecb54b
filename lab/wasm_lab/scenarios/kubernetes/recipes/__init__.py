"""Recipes for clusters on a laptop whose nodes run Wasm: shell scripts, to be read and then run."""

from __future__ import annotations

from pathlib import Path

#: What each makes.
RECIPES = {
    "kind": "kind with runwasi's shim for Wasmtime",
    "k3d": "k3d with SpinKube",
}


def recipe(name: str) -> str:
    """The script of a recipe.

    >>> recipe("kind").splitlines()[0]
    '#!/bin/sh'
    """
    return (Path(__file__).parent / f"{name}.sh").read_text()
