"""Rust that implements a world: a cell, and the bindings of its world as a module of the same crate.

Python and JavaScript go to `scripted`.

The bindings are made once for each world (`bindings`), so an edited cell expands no macro and needs no
crate. The target wasm32-wasip2 makes the component; a cell with a macro of its own is built for
wasm32-wasip1 and adapted, because that links faster with crates.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab import build
from wasm_lab.artifact import Step
from wasm_lab.build.world_crate import FLAGS_CRATE
from wasm_lab.components import own_macro
from wasm_lab.components.adapt import adapted
from wasm_lab.components.bindings import needs_flags, rust_bindings
from wasm_lab.components.guest_advice import wit_advice
from wasm_lab.components.skeletons import rust_skeleton
from wasm_lab.components.wit import Function, Interface
from wasm_lab.errors import CompileError, UsageError
from wasm_lab.source import SCRIPTED, Kind, Source, Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.components.text import WitText
    from wasm_lab.components.wit import World
    from wasm_lab.diagnostic import Diagnostic

#: Of the crate that the bindings of a WIT type ``flags`` use.
FLAGS_VERSION = "2"

_IMPLEMENTS = re.compile(r"\bGuest\w*\s+for\s+\w+")

#: Rust's words, to which wit-bindgen adds an underscore.
_WORDS = frozenset(
    "as async await break const continue crate do dyn else enum extern false fn for gen if impl in let loop "
    "macro match mod move mut pub ref return self static struct super trait true try type unsafe use where "
    "while yield".split()
)


def find_world(name: str, texts: Iterable[WitText]) -> tuple[WitText, str]:
    """The text that defines a world, and the world's short name.

    Args:
        name: short, such as ``calc``, or full, such as ``demo:calc/calc``; with or without version.
        texts: where to look; a later one comes before an earlier one.

    Raises:
        UsageError: there is none; says which there are.
    """
    known = list(texts)
    for text in reversed(known):
        for short, world in text.worlds.items():
            if name in (short, world.name, world.name.partition("@")[0]):
                return text, short
    worlds = ", ".join(short for text in known for short in text.worlds) or "none"
    raise UsageError(
        f"There is no world {name}.", hint=f"Worlds of %%wit cells here: {worlds}. Define it in a %%wit cell."
    )


def world_source(source: Source, text: WitText, world: str, *, folder: Path | None = None) -> Source:
    """A cell that implements a world, as what is compiled.

    What it refers to is brought in after its last line: the traits and types of the world (``Guest``,
    ``math::Guest``, ``math::Point``), its imports (``log::write``), ``struct Component;`` and the export
    unless it has them. A cell that calls ``wit_bindgen::generate!`` itself stays as it is; the macro finds
    the text as the crate's ``wit`` folder, or under the path that it names.

    Args:
        folder: where such a macro's path is looked for first; by default the current folder.

    Raises:
        UsageError: it implements nothing; the hint is a text to begin with.
        WitError: no bindings can be made of the world.
    """
    if own_macro.calls_generate(source.code):
        return own_macro.with_wit_folder(source, text, folder or Path.cwd())
    if text.worlds[world].exports and not _IMPLEMENTS.search(source.code):
        raise UsageError(
            f"{source.label} implements nothing of the world {world}.",
            hint=f"To begin with:\n\n{rust_skeleton(text.worlds[world])}",
        )
    bindings = rust_bindings(text.package.text, text.worlds[world].name, tuple(_modules(text, world)))
    dependencies = dict(source.dependencies)
    if needs_flags(bindings):
        dependencies.setdefault(FLAGS_CRATE, FLAGS_VERSION)
    return replace(
        source, kind=Kind.FUNCTIONS, target=Target.WASIP2, dependencies=dependencies, bindings=bindings
    )


def _modules(text: WitText, world: str) -> list[str]:
    """The modules of the bindings that hold the world's interfaces, its exports first."""
    made = text.worlds[world]
    modules = [f"exports::{_module(name, text)}" for name in made.exports if "/" in name]
    if any(isinstance(item, Interface) for name, item in made.exports.items() if "/" not in name):
        modules.append("exports")  # interfaces that the world defines in itself
    modules += [_module(name, text) for name in made.imports if "/" in name]
    return list(dict.fromkeys(modules))


def _module(interface: str, text: WitText) -> str:
    namespace, _, rest = interface.partition(":")
    package, version = rest.partition("/")[0], interface.partition("@")[2]
    others = {
        name.partition("@")[2]
        for name in text.package.interfaces
        if name.startswith(f"{namespace}:{package}/")
    }
    suffix = re.sub(r"[^0-9A-Za-z]", "_", version) if len(others) > 1 else ""
    return f"{_ident(namespace)}::{_ident(package + suffix)}"


def _ident(name: str) -> str:
    made = name.replace("-", "_").lower()
    return f"{made}_" if made in _WORDS else made


def _not_implemented(source: Source, world: World) -> list[str]:
    """The exports whose ``Guest`` no ``impl`` names."""
    missing = []
    for name, item in world.exports.items():
        if isinstance(item, Function):
            pattern, shown = r"(?<![:\w])Guest\s+for\b", f"{item.name} of the world itself (impl Guest)"
        else:
            short = _ident(name.partition("@")[0].rpartition("/")[2])
            pattern, shown = rf"\b{short}::Guest\s+for\b", f"{name} (impl {short}::Guest)"
        if not re.search(pattern, source.code):
            missing.append(shown)
    return missing


def _lacks_guest(told: Diagnostic) -> bool:
    """Whether a message is that some ``Guest`` is not implemented; the export in the lab's own text asks for it."""
    return told.code == "E0277" and ("Guest" in told.message or told.message.startswith("the glue"))


def build_world(source: Source, text: WitText, world: str, *, progress: Progress | None = None) -> Artifact:
    """Compile a cell that implements a world, and make a component of it, in the cell's language.

    Raises:
        UsageError: it does not implement all that the world exports; the hint is a text to begin with.
        CompileError, DependencyError, ToolchainError: why there is no artifact.
        LoadError: what was compiled does not give what its world says.
    """
    if source.language in SCRIPTED:
        from wasm_lab.components.scripted import build_scripted

        return build_scripted(source, text, world, progress=progress)
    made = world_source(source, text, world)
    try:
        inside = build.build(made, progress=progress)
    except CompileError as error:
        missing = _not_implemented(source, text.worlds[world])
        if not missing or not all(_lacks_guest(each) for each in error.diagnostics if each.level == "error"):
            advice = wit_advice(error, text.worlds[world])
            error.hint = "\n".join(part for part in (advice, error.hint) if part)
            raise
        raise UsageError(
            f"{source.label} does not implement all that the world {world} exports: {'; '.join(missing)}.",
            hint=f"All of it, to take from:\n\n{rust_skeleton(text.worlds[world])}",
        ) from None
    if inside.is_component:
        return inside
    since = time.perf_counter_ns()
    component = adapted(inside.wasm, source.label)
    step = Step("component", time.perf_counter_ns() - since)
    return replace(inside, wasm=component, steps=(*inside.steps, step))
