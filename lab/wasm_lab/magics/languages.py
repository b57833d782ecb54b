"""``%%wasm LANG``: cells in C, C++, Zig, Go and other languages than Rust."""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.magics import cells
from wasm_lab.magics.empty import refuse_empty_language
from wasm_lab.magics.line import parse_line, session
from wasm_lab.source import LANGUAGES, NATIVE, SCRIPTED

if TYPE_CHECKING:
    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.source import Source

#: What else people call the languages.
_OTHERWISE_CALLED = {
    "c++": "cpp",
    "cxx": "cpp",
    "golang": "go",
    "py": "python",
    "python3": "python",
    "javascript": "js",
    "node": "js",
    "rs": "rust",
}

_USAGE = "%%wasm LANG [options] [ARGS…], where LANG is one of " + ", ".join(LANGUAGES)


def run_language_cell(shell: InteractiveShell, line: str, text: str) -> None:
    """Do what a ``%%wasm`` cell asks for.

    Raises:
        UsageError: there is no such language or option.
        BuildError, ToolchainError: why there is no module.
        GuestFailure: it ran, and did not end well.
    """
    language, _, rest = line.strip().partition(" ")
    if language in ("", "--help", "-h"):
        print(f"Usage: {_USAGE}\n%%wasm LANG --help lists the options.")  # noqa: T201
        return
    if language == "rust":
        options = parse_line(cells.cell_command(), rest)
        if options is not None:
            cells.run_cell(shell, text, options)
    elif language in NATIVE:
        options = parse_line(native_command(language), rest)
        if options is not None:
            refuse_empty_language(text, language)
            run_native_cell(shell, language, text, options)
    elif language in SCRIPTED:
        options = parse_line(scripted_command(language), rest)
        if options is not None:
            refuse_empty_language(text, language)
            run_scripted_cell(shell, language, text, options)
    else:
        meant = _OTHERWISE_CALLED.get(language.lower(), language.lower())
        near = f"Did you mean %%wasm {meant}? " if meant in LANGUAGES else ""
        raise UsageError(f"{language!r} is no language of the lab.", hint=f"{near}Write {_USAGE}.")


def native_command(language: str) -> click.Command:
    """The options of ``%%wasm c`` and its like: those of ``%%wasm_rust`` that mean something there."""
    import click

    from wasm_lab.options import capability_options, profile_option, runtime_option

    @click.command(f"%%wasm {language}", context_settings={"allow_interspersed_args": False})
    @click.option("--name", default="", help="Name the cell; others import its functions by that name.")
    @profile_option
    @runtime_option(None)
    @click.option("--no-run", is_flag=True, help="Only compile.")
    @click.option("--panel", is_flag=True, help="Show switches that re-run it as they are toggled.")
    @click.option("--audit", is_flag=True, help="List every host call.")
    @click.option("--stdin", default="", metavar="TEXT", help="What the guest reads from standard input.")
    @click.option("--quiet", is_flag=True, help="Show only the guest's own output.")
    @capability_options
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    def wasm() -> None:
        """Compile a cell to WebAssembly and run it in a sandbox.

        A cell with a main runs as a program, with ARGS as its arguments. One without makes
        what it exports Python calls: functions of C, extern "C" functions of C++, export fn
        of Zig, //go:wasmexport of Go. Files, environment and network are closed until an
        option opens them.
        """

    return wasm


def run_native_cell(shell: InteractiveShell, language: str, text: str, options: dict[str, Any]) -> None:
    """Compile a cell of C, C++, Zig or Go and do what its kind calls for."""
    from wasm_lab.source import Kind
    from wasm_lab.views.progress import notebook_progress

    here = session()
    capabilities = cells.granted(options)
    source = _source(language, text, options)
    if options["panel"]:
        from wasm_lab.views.panel_cell import show_panel

        show_panel(shell, here, source, capabilities, {**options, "test": False})
        return
    with notebook_progress() as progress:
        artifact = here.compile(source, progress=progress)
    cells.show_warnings(artifact)
    if options["no_run"]:
        cells.show_built(artifact, options)
    elif artifact.source and artifact.source.kind is Kind.FUNCTIONS:
        cells.define_functions(shell, artifact, capabilities, options)
    else:
        cells.run_program(artifact, capabilities, options)


def scripted_command(language: str) -> click.Command:
    """The options of ``%%wasm python`` and ``%%wasm js``, which make components."""
    import click

    from wasm_lab.options import capability_options, runtime_option

    @click.command(f"%%wasm {language}", context_settings={"allow_interspersed_args": False})
    @click.option("--name", default="", help="Name the cell.")
    @click.option("--world", default="", help="Implement this world of a %%wit cell, as a component.")
    @click.option("--imports", default="", metavar="PYNAME", help="With --world: what gives its imports.")
    @runtime_option(None)
    @click.option("--no-run", is_flag=True, help="Only compile.")
    @click.option("--audit", is_flag=True, help="List every host call.")
    @click.option("--stdin", default="", metavar="TEXT", help="What the guest reads from standard input.")
    @click.option("--quiet", is_flag=True, help="Show only the guest's own output.")
    @capability_options
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    def wasm() -> None:
        """Make a component of a cell and run it in a sandbox.

        Without --world the cell is a program, with ARGS as its arguments. With it the
        cell implements the world: functions, and a class (Python) or an object
        (JavaScript) for each interface. The interpreter is part of the component, so the
        first cell of a world takes half a minute; an edited one is there at once.
        """

    return wasm


def run_scripted_cell(shell: InteractiveShell, language: str, text: str, options: dict[str, Any]) -> None:
    """Make a component of a cell of Python or JavaScript; run it as a program, or bind its world's name."""
    from wasm_lab.views.progress import notebook_progress

    here = session()
    capabilities = cells.granted(options)
    source = _source(language, text, {**options, "profile": "release"})
    if language == "js" and not options["no_run"]:
        _refuse_fetch(source)
    if options["world"]:
        from wasm_lab.magics.wit import run_world

        run_world(shell, source, capabilities, {**options, "test": False, "panel": False})
        return
    if options["imports"]:
        raise UsageError("--imports goes with --world.", hint="Such as --world calc --imports host.")
    with notebook_progress() as progress:
        artifact = here.compile(source, progress=progress)
        if not options["no_run"] and options["runtime"] in (None, "wasmtime"):
            prepared(artifact, progress)
    if options["no_run"]:
        cells.show_built(artifact, options)
    else:
        cells.run_program(artifact, capabilities, options)
        _say_what_stays_inside(only_functions(language, text))


def _refuse_fetch(source: Source) -> None:
    """Say of ``fetch`` that nothing here answers it, before a minute is spent on the component."""
    from wasm_lab.build.languages.js_fetch import fetch_call
    from wasm_lab.build.languages.scripting import diagnostic, refusal

    at = fetch_call(source.code)
    if at is None:
        return
    before = source.code[:at]
    line, column = before.count("\n") + 1, at - before.rfind("\n")
    said = "fetch needs wasi:http, which the lab does not give to a cell"
    raise refusal(
        source,
        [diagnostic(source, said, line, column, len("fetch"))],
        hint="Have Python fetch it and pass the answer in: as --stdin, or through an import of the world. "
        "With --no-run the component is made all the same, for a server such as wasmtime serve.",
        what="cannot run here",
    )


def only_functions(language: str, text: str) -> list[str]:
    r"""The functions of a program that does nothing but define them, which its author will want to call.

    Example:
        >>> only_functions("python", "import math\ndef half(x): return x / 2\n")
        ['half']
        >>> only_functions("python", "def half(x): return x / 2\nprint(half(3))\n")
        []
        >>> only_functions("js", "export function half(x) { return x / 2; }\n")
        ['half']
    """
    if language == "js":
        return re.findall(r"^export\s+(?:async\s+)?function\s+(\w+)", text, re.MULTILINE)
    body = ast.parse(text).body
    inert = (ast.FunctionDef, ast.Import, ast.ImportFrom)
    if not all(isinstance(each, inert) for each in body):
        return []
    return [each.name for each in body if isinstance(each, ast.FunctionDef)]


def _say_what_stays_inside(names: list[str]) -> None:
    if names:
        print(  # noqa: T201
            f"Defined inside of the guest alone: {', '.join(names)}. To call functions of a component from here, "
            "describe them in a %%wit cell and give its world: --world NAME.",
            file=sys.stderr,
        )


def prepared(artifact: Artifact, progress: Progress) -> None:
    """Let the engine compile a new interpreter now, which takes ten seconds, and say so."""
    if not artifact.cached:
        progress("wasmtime compiles the interpreter to machine code, once, some 10 s", 0, 0)
        from wasm_lab.runtimes.wasmtime.engine import guest_engine

        guest_engine().load(artifact)


def _source(language: str, text: str, options: dict[str, Any]) -> Source:
    from wasm_lab.cells.languages import parse_language_cell
    from wasm_lab.source import Profile

    return parse_language_cell(
        text,
        language=language,
        name=options["name"],
        label=options["name"] or "cell",
        first_line=2,  # line 1 of the cell is the magic
        profile=Profile(options["profile"]),
    )
