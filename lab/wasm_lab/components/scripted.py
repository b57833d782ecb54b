"""Python and JavaScript that implement a world: a cell, checked against the contract, made a component.

The tools take ten seconds, so what can be seen in the text alone is said before they run.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab import build
from wasm_lab.components.names import pascal, snake
from wasm_lab.components.wit import Function, Interface
from wasm_lab.errors import CompileError, UsageError
from wasm_lab.source import Bindings, Kind, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.components.text import WitText
    from wasm_lab.components.wit import World
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

    #: What of the world has no implementation, in words; and what has a wrong one, at its line.
    Findings = tuple[list[str], list[Diagnostic]]


def scripted_source(source: Source, text: WitText, world: str) -> Source:
    """A Python or JavaScript cell that implements a world, as what is built."""
    made = text.worlds[world]
    interfaces = [item for item in made.exports.values() if isinstance(item, Interface)]
    bindings = Bindings(
        world=made.name,
        wit=text.package.text,
        modules=tuple(snake(short_of(each.name)) for each in interfaces if each.resources),
        imports=tuple(made.imports) if source.language == "js" else (),
        entry=_entry(made) if source.language == "js" else "",
        interfaces=tuple(pascal(short_of(each.name)) for each in interfaces),
        functions=tuple(snake(item.name) for item in made.exports.values() if isinstance(item, Function)),
    )
    return replace(source, kind=Kind.FUNCTIONS, target=Target.WASIP2, bindings=bindings)


def build_scripted(
    source: Source, text: WitText, world: str, *, progress: Progress | None = None
) -> Artifact:
    """Make a component of a Python or JavaScript cell that implements a world.

    Raises:
        UsageError: it does not implement all that the world exports; the hint is a text to begin with.
        CompileError: it is wrong in itself, at its lines.
        ToolchainError, BuildError: why there is no component.
    """
    made = text.worlds[world]
    if source.language == "python":
        _refuse_names_of_pythons_own(made)
    check, skeleton = _of(source.language)
    whole = f"All of it, to take from:\n\n{skeleton(made)}"
    missing, mistakes = check(source, made)
    if missing:
        raise UsageError(
            f"{source.label} does not implement all that the world {world} exports: {'; '.join(missing)}.",
            hint=whole,
        )
    if mistakes:
        from wasm_lab.build.languages.scripting import refusal

        raise refusal(source, mistakes, hint=whole, what=f"does not fit the world {world}")
    try:
        return build.build(scripted_source(source, text, world), progress=progress)
    except CompileError as error:
        if not error.diagnostics:
            error.hint = "\n".join(part for part in (error.hint, whole) if part)
        raise


def _entry(world: World) -> str:
    from wasm_lab.components.js_guests import entry

    return entry(world)


def _refuse_names_of_pythons_own(world: World) -> None:
    """componentize-py looks for resources in a module named as their interface, which must be no other's."""
    for item in world.exports.values():
        if (
            isinstance(item, Interface)
            and item.resources
            and snake(short_of(item.name)) in sys.stdlib_module_names
        ):
            name = short_of(item.name)
            raise UsageError(
                f"The world exports the interface {name}, which has a resource, and Python has a module {name}.",
                hint="In Python its resources stand in a module of the interface's name. Give the interface another.",
            )


def short_of(interface: str) -> str:
    """The last part of an interface's name, without its version."""
    return interface.partition("@")[0].rpartition("/")[2]


def _of(language: str) -> tuple[Callable[[Source, World], Findings], Callable[[World], str]]:
    """What is seen in a text of that language before it is built, and a text to begin with."""
    if language == "python":
        from wasm_lab.components import python_guests

        return python_guests.check, python_guests.skeleton
    from wasm_lab.components import js_guests

    return js_guests.check, js_guests.skeleton
