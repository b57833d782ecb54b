"""The languages of the table: which the lab builds, which are named and cannot be had here."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError, UsageError
from wasm_lab.source import LANGUAGE_NAMES, LANGUAGES
from wasm_lab.twins import samples_folder

if TYPE_CHECKING:
    from pathlib import Path

#: Those that others are compared with stand first.
BUILT = ("rust", "c", "cpp", "zig", "go", "python", "js")

#: Languages whose tools no registry that the lab uses has, or for which it has no builder: the program that
#: would build one, and where its makers say how.
OTHERS = {
    "C#": ("dotnet", "the .NET SDK 8 or later and `dotnet workload install wasi-experimental` (dot.net)"),
    "AssemblyScript": ("asc", "npm install --global assemblyscript"),
    "TinyGo": ("tinygo", "as https://tinygo.org says"),
    "Kotlin": ("kotlinc", "Gradle with the Kotlin/Wasm plugin (kotlinlang.org)"),
    "Swift": ("swift", "a Swift toolchain with its Wasm SDK (swift.org)"),
    "Ruby": ("ruby", "gem install ruby_wasm"),
    "Haskell": ("wasm32-wasi-ghc", "ghc-wasm-meta (gitlab.haskell.org)"),
    "OCaml": ("wasm_of_ocaml", "opam install wasm_of_ocaml-compiler"),
    "D": ("ldc2", "LDC 1.11 or later (dlang.org)"),
    "MoonBit": ("moon", "as https://www.moonbitlang.com says"),
    "Grain": ("grain", "as https://grain-lang.org says"),
    "Java": ("native-image", "GraalVM's native-image with --tool:svm-wasm (graalvm.org)"),
}


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the lab builds, and its text of the task."""

    key: str  #: as ``%%wasm`` has it
    name: str
    program: Path

    @property
    def comes_by_itself(self) -> bool:
        """Whether a build gets its tools from PyPI or npm when they are missing."""
        return self.key not in ("rust", "go")

    def missing(self) -> str:
        """Why it cannot be built here at once, and how to get what it needs; empty when it can."""
        return _missing(self.key)


def languages(names: tuple[str, ...] = ()) -> tuple[Language, ...]:
    """Languages by key or name; all that the lab builds by default.

    Raises:
        UsageError: one is not known.
    """
    folder = samples_folder() / "languages"
    every = tuple(Language(key, LANGUAGE_NAMES[key], folder / f"program{LANGUAGES[key][0]}") for key in BUILT)
    if not names:
        return every
    known = {name.lower(): each for each in every for name in (each.key, each.name)}
    wrong = [name for name in names if name.lower() not in known]
    if wrong:
        raise UsageError(
            f"{wrong[0]!r} is no language that the lab builds.",
            hint=f"It builds {', '.join(each.name for each in every)}.",
        )
    chosen = {known[name.lower()].key for name in names} | {"rust"}
    return tuple(each for each in every if each.key in chosen)


def others() -> dict[str, str]:
    """Further languages: why each is not in the table, and how it is had."""
    told = {}
    for name, (program, how) in OTHERS.items():
        here = shutil.which(program)
        told[name] = (
            f"{here} is here, but the lab has no builder for it" if here else f"not available here: {how}"
        )
    return told


def _missing(key: str) -> str:
    if key == "rust":
        from wasm_lab.toolchains.rust import find_rust

        try:
            find_rust()
        except ToolchainError as error:
            return str(error)
        return ""
    if key in ("c", "cpp", "zig"):
        from wasm_lab.toolchains.zig import HOW, find_zig

        return "" if find_zig() else f"Zig is not here: {HOW}."
    if key == "go":
        from wasm_lab.toolchains.go import go_missing

        return go_missing()
    if key == "python":
        from wasm_lab.toolchains.componentize_py import HOW as HOW_PYTHON
        from wasm_lab.toolchains.componentize_py import find_componentize_py

        return "" if find_componentize_py() else f"componentize-py is not here yet: {HOW_PYTHON}."
    from wasm_lab.toolchains.componentize_js import componentize_js_missing

    return componentize_js_missing()
