"""``%%wit``, and ``%%wasm_rust --world``: a contract in one cell, what fulfils it in another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.magics.empty import refuse_empty_wit
from wasm_lab.magics.line import session
from wasm_lab.source import SCRIPTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.components import Component
    from wasm_lab.source import Source


#: An export of every component of Python: how its makers' tool sets it up.
_COMPONENTIZE_PY = "exports"


def wit_command() -> click.Command:
    """The options of ``%%wit``."""
    import click

    @click.command("%%wit")
    @click.option("--quiet", is_flag=True, help="Show nothing when the text is right.")
    @click.argument("name")
    def wit() -> None:
        """Check a WIT text and keep it under NAME, for later cells.

        The text is one package. It may use the packages of other %%wit cells. Implement one of its worlds
        with %%wasm_rust --world WORLD.
        """

    return wit


def define(options: dict[str, Any], text: str) -> None:
    """Check the text of a cell; show what is in it."""
    refuse_empty_wit(text, options["name"])
    checked = session().check_wit(text, name=options["name"], first_line=2)  # line 1 is the magic
    if not options["quiet"]:
        from wasm_lab.views.notebook import show_footer

        lines = [f"package {checked.id}" if checked.id else "a package"]
        for short, world in checked.worlds.items():
            imports, exports = ", ".join(world.imports) or "nothing", ", ".join(world.exports) or "nothing"
            lines.append(f"world {short}: imports {imports}; exports {exports}")
        if checked.worlds:
            lines.append(f"implement it with %%wasm_rust --world {next(iter(checked.worlds))}")
        show_footer(lines)


def run_world(
    shell: InteractiveShell, source: Source, capabilities: Capabilities, options: dict[str, Any]
) -> None:
    """Compile a cell that implements a world, and bind an instance to the world's name."""
    from wasm_lab.components.names import snake
    from wasm_lab.magics import cells
    from wasm_lab.views.notebook import show_footer
    from wasm_lab.views.progress import notebook_progress
    from wasm_lab.views.stream import NotebookSink

    here = session()
    _refuse(options)
    _known(shell, options["imports"])
    with notebook_progress() as progress:
        component = here.compile_world(source, options["world"], progress=progress)
        if source.language in SCRIPTED and not options["no_run"]:
            from wasm_lab.magics.languages import prepared

            prepared(component.artifact, progress)
    artifact = component.artifact
    cells.show_warnings(artifact)
    if options["name"]:
        here.guests[options["name"]] = artifact
    lines = [cells.built_line(artifact)]
    if not options["no_run"]:
        name = snake(options["world"].partition("@")[0].rpartition("/")[2].rpartition(":")[2])
        imports = _imports(shell, component, options["imports"])
        _require(component, imports, options)
        sink = NotebookSink()
        instance = component.link(imports, capabilities=capabilities).instantiate(output=sink)
        sink.flush()
        shell.user_ns[name] = instance
        lines = [*_signatures(component, name), *lines]
    if not options["quiet"]:
        show_footer(lines)


def _refuse(options: dict[str, Any]) -> None:
    for other in ("test", "panel", "audit"):
        if options[other]:
            raise UsageError(
                f"--world and --{other} do not go together.",
                hint="A component is called, not run as a program.",
            )
    if options["runtime"] not in (None, "wasmtime"):
        raise UsageError(
            f"{options['runtime']} runs core modules here, and --world makes a component.",
            hint="Leave out --runtime: wasmtime runs it.",
        )


def _known(shell: InteractiveShell, name: str) -> None:
    if name and name not in shell.user_ns:
        raise UsageError(f"--imports {name}: there is no {name} here.", hint="Define it in a cell before.")


def _imports(shell: InteractiveShell, component: Component, name: str) -> Mapping[str, Any]:
    """What the notebook's ``name`` gives: a dictionary from interface to object, or one object for all."""
    if not name:
        return {}
    given = shell.user_ns[name]
    if isinstance(given, dict):
        return given
    from wasm_lab.components.provided import provided_by

    return provided_by(component.world, given)


def _require(component: Component, imports: Mapping[str, Any], options: dict[str, Any]) -> None:
    """Say what to write when the world needs imports and none were given."""
    needed = [
        name
        for name, item in component.world.imports.items()
        if not name.startswith("wasi:") and getattr(item, "functions", True)
    ]
    if not needed or imports:
        return
    from wasm_lab.components.skeletons import python_skeleton

    raise UsageError(
        f"The world {options['world']} imports {', '.join(needed)}, which the host gives.",
        hint=f"Write it in Python, and run this cell with --imports host:\n\n"
        f"{python_skeleton(component.world, 'host')}",
    )


def _signatures(component: Component, name: str) -> list[str]:
    from wasm_lab.components.names import snake
    from wasm_lab.components.wit import Function

    lines = []
    for full, item in component.world.exports.items():
        if isinstance(item, Function):
            lines.append(f"{name}.{snake(item.name)}: {str(item).partition(': ')[2]}")
            continue
        if "/" not in full and full == _COMPONENTIZE_PY:
            continue
        short = snake(full.partition("@")[0].rpartition("/")[2])
        for function in item.functions.values():
            if function.resource is None:
                lines.append(f"{name}.{short}.{snake(function.name)}: {str(function).partition(': ')[2]}")
        lines += [f"{name}.{short}.{resource.name}: a resource" for resource in item.resources]
    return lines
