"""Rust that implements a world: a cell, and the bindings of its world as a crate of their own.

wit-bindgen's macro takes longer than the rest of a small cell. So the bindings are a library, which
is built once for each world and then only linked; an edited cell does not expand the macro again.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab import build
from wasm_lab.artifact import Step
from wasm_lab.components.adapt import adapted
from wasm_lab.components.names import snake
from wasm_lab.components.skeletons import rust_skeleton
from wasm_lab.components.wit import Function, Interface
from wasm_lab.errors import CompileError, UsageError
from wasm_lab.source import Kind, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.components.text import WitText
    from wasm_lab.components.wit import World

#: The release of wit-bindgen that makes the bindings, and what of it they need.
WIT_BINDGEN = {
    "version": "0.61",
    "default-features": False,
    "features": ["macros", "realloc", "std", "bitflags"],
}

_IMPLEMENTS = re.compile(r"\bGuest\s+for\s+([A-Za-z_][A-Za-z0-9_]*)")
_EXPORT = re.compile(r"\bexport!\s*[({\[]")
_GENERATE = re.compile(r"\bgenerate!\s*[({\[]")

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


def world_source(source: Source, text: WitText, world: str) -> Source:
    """A cell that implements a world, as what is compiled.

    What it refers to is brought in by a line after its last one: the traits and types of the world
    (``Guest``, ``math::Guest``, ``math::Point``), its imports (``log::write``), and the export.
    A cell that calls ``wit_bindgen::generate!`` itself stays as it is.

    Raises:
        UsageError: it implements nothing; the hint is a text to begin with.
    """
    if _GENERATE.search(source.code):
        return replace(source, dependencies={"wit-bindgen": WIT_BINDGEN, **source.dependencies})
    found = _IMPLEMENTS.search(source.code)
    exports = text.worlds[world].exports
    if exports and not found:
        raise UsageError(
            f"{source.label} implements nothing of the world {world}.",
            hint=f"To begin with:\n\n{rust_skeleton(text.worlds[world])}",
        )
    crate = _bindings(source, text, world)
    root = f"{crate.name}::bindings"
    uses = [f"use {root}::*;", *(f"use {root}::{module}::*;" for module in _modules(text, world))]
    tail = "".join(f" #[allow(unused_imports)] {use}" for use in uses)
    if found and not _EXPORT.search(source.code):
        tail += f" {root}::export!({found[1]} with_types_in {root});"
    return replace(
        source,
        code=f"{source.code.rstrip()}\n{tail.strip()}\n",
        kind=Kind.FUNCTIONS,
        uses=(*source.uses, crate),
    )


def _bindings(source: Source, text: WitText, world: str) -> Source:
    name = f"{snake(world)}_world"
    fence = "#" * (1 + max((len(run) for run in re.findall(r"#+", text.package.text)), default=0))
    options = (
        f'inline: r{fence}"{text.package.text}"{fence}, world: "{world}", generate_all, '
        f'pub_export_macro: true, default_bindings_module: "{name}::bindings"'
    )
    return Source(
        code=f"pub mod bindings {{ wit_bindgen::generate!({{ {options} }}); }}",
        kind=Kind.FUNCTIONS,
        name=name,
        label=f"the bindings of world {world}",
        dependencies={"wit-bindgen": WIT_BINDGEN},
        profile=source.profile,
        target=source.target,
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


def build_world(source: Source, text: WitText, world: str, *, progress: Progress | None = None) -> Artifact:
    """Compile a cell that implements a world, and make a component of it.

    Raises:
        UsageError: it does not implement all that the world exports; the hint is a text to begin with.
        CompileError, DependencyError, ToolchainError: why there is no artifact.
        LoadError: what was compiled does not give what its world says.
    """
    try:
        inside = build.build(world_source(source, text, world), progress=progress)
    except CompileError as error:
        missing = _not_implemented(source, text.worlds[world])
        if not missing or not all("Guest" in each.message for each in error.diagnostics):
            raise
        raise UsageError(
            f"{source.label} does not implement all that the world {world} exports: {'; '.join(missing)}.",
            hint=f"All of it, to take from:\n\n{rust_skeleton(text.worlds[world])}",
        ) from None
    since = time.perf_counter_ns()
    component = adapted(inside.wasm, source.label)
    step = Step("component", time.perf_counter_ns() - since)
    return replace(inside, wasm=component, steps=(*inside.steps, step))
