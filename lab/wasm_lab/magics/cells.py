"""``%%wasm_rust`` and ``%wasm_run``: compile, run, display as it comes."""

from __future__ import annotations

import builtins
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.magics.empty import refuse_empty_rust
from wasm_lab.magics.line import session

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click
    from IPython.core.interactiveshell import InteractiveShell

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.source import Source


def cell_command() -> click.Command:
    import click

    from wasm_lab.options import build_options, capability_options, runtime_option

    @click.command("%%wasm_rust", context_settings={"allow_interspersed_args": False})
    @click.option("--name", default="", help="Name the cell; later cells can use it as a crate.")
    @click.option("--world", default="", help="Implement this world of a %%wit cell, as a component.")
    @click.option("--imports", default="", metavar="PYNAME", help="With --world: what gives its imports.")
    @build_options
    @runtime_option(None)
    @click.option("--test", is_flag=True, help="Run the #[test] functions, each in a fresh instance.")
    @click.option("--no-run", is_flag=True, help="Only compile.")
    @click.option("--panel", is_flag=True, help="Show switches that re-run it as they are toggled.")
    @click.option("--audit", is_flag=True, help="List every host call.")
    @click.option("--stdin", default="", metavar="TEXT", help="What the guest reads from standard input.")
    @click.option("--quiet", is_flag=True, help="Show only the guest's own output.")
    @capability_options
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    def wasm_rust() -> None:
        """Compile a Rust cell to WebAssembly and run it in a sandbox.

        A cell of functions makes its public functions Python calls. A cell with
        fn main runs as a program, with ARGS as its arguments. Statements run as they
        are, and a last expression without a semicolon shows its value. With --world it
        is a component, whose impl Guest for Component is all to write. Files,
        environment and network are closed until an option opens them. A cell that makes
        the inside of a component, as spin-sdk does, is kept under its --name for %%spin_app.
        """

    return wasm_rust


def run_command() -> click.Command:
    import click

    from wasm_lab.options import build_options, capability_options, runtime_option

    @click.command("%wasm_run", context_settings={"allow_interspersed_args": False})
    @build_options
    @runtime_option(None)
    @click.option("--audit", is_flag=True, help="List every host call.")
    @click.option("--stdin", default="", metavar="TEXT", help="What the guest reads from standard input.")
    @click.option("--quiet", is_flag=True, help="Show only the guest's own output.")
    @capability_options
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    def wasm_run() -> None:
        """Run FILE (.rs, .wasm or .wat) in a sandbox; ARGS are the program's own."""

    return wasm_run


def granted(options: dict[str, Any]) -> Capabilities:
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.options import capabilities_from

    base = Capabilities(stdin=options["stdin"].encode())
    return capabilities_from(options, tuple(options["args"]), base)


def run_cell(shell: InteractiveShell, text: str, options: dict[str, Any]) -> None:
    """Compile a cell and do what its kind calls for, with everything shown as it comes."""
    from wasm_lab.build.sections import wants_component
    from wasm_lab.source import Kind
    from wasm_lab.views.progress import notebook_progress

    _check_name(options["imports"])
    refuse_empty_rust(text, options)
    here = session()
    capabilities = granted(options)
    source = _source(text, options)
    if options["world"]:
        from wasm_lab.magics.wit import run_world

        run_world(shell, source, capabilities, options)
        return
    if options["imports"]:
        raise UsageError("--imports goes with --world.", hint="Such as --world calc --imports host.")
    if options["panel"]:
        from wasm_lab.views.panel_cell import show_panel

        show_panel(shell, here, source, capabilities, options)
        return
    if source.kind is Kind.TESTS and not options["no_run"]:
        run_tests(source, capabilities, options)
        return
    with notebook_progress() as progress:
        artifact = here.compile(source, progress=progress)
    show_warnings(artifact)
    if options["no_run"]:
        show_built(artifact, options)
    elif source.kind is Kind.FUNCTIONS and wants_component(artifact.wasm):
        keep_guest(artifact, options)
    elif source.kind is Kind.FUNCTIONS:
        define_functions(shell, artifact, capabilities, options)
    else:
        run_program(artifact, capabilities, options)


def _check_name(imports: str) -> None:
    """Checked before all else: where a value took the name's place, what follows it is no option any more."""
    if imports and not imports.isidentifier():
        raise UsageError(
            f"--imports takes the name of a Python object, and {imports!r} is none.",
            hint="IPython puts the value of {host} into a magic's line before the lab sees it; "
            "write the name without braces: --imports host",
        )


def _source(text: str, options: dict[str, Any]) -> Source:
    from wasm_lab.cells import parse_cell
    from wasm_lab.source import Profile, Target

    earlier = session().named_sources()
    uses = tuple(source for name, source in earlier.items() if name in text and name != options["name"])
    return parse_cell(
        text,
        name=options["name"],
        label=options["name"] or "cell",
        first_line=2,  # line 1 of the cell is the magic
        profile=Profile(options["profile"]),
        target=Target(options["target"]),
        edition=options["edition"],
        test=options["test"],
        uses=uses,
    )


def define_functions(
    shell: InteractiveShell, artifact: Artifact, capabilities: Capabilities, options: dict[str, Any]
) -> None:
    """Bind a library's functions into the notebook's names."""
    from wasm_lab.views.stream import NotebookSink

    sink = NotebookSink()
    cell = session().define(
        artifact, capabilities, runtime=options["runtime"], audit=options["audit"], output=sink
    )
    sink.flush()
    session().keep_python_twins(shell.user_ns, cell.functions)
    shell.user_ns.update(cell.functions)
    for name, reason in cell.refused:
        print(f"{name} has no Python form: {reason}", file=sys.stderr)  # noqa: T201
    names = [f"{name}{inspect.signature(function)}" for name, function in cell.functions.items()]
    if not names and not cell.refused:
        names = [_NO_FUNCTIONS[artifact.source.language if artifact.source else "rust"]]
    from wasm_lab.magics.worker import workers_using

    old = [
        f"{each} still runs the earlier one: run its %%worker cell again" for each in workers_using(cell.name)
    ]
    _footer(options, *names, *_hidden(cell.functions), *old, built_line(artifact))


def _hidden(names: Iterable[str]) -> list[str]:
    """What to say of names that Python has itself, such as ``len``: a later cell may mean Python's."""
    return [
        f"{name} now hides Python's own; del {name} brings it back"
        for name in names
        if hasattr(builtins, name)
    ]


#: What to say of a library that gives Python nothing.
_NO_FUNCTIONS = {
    "rust": "no public functions; put pub before fn to call one from Python",
    "c": "neither a main nor a function that Python could call; those that are static stay inside",
    "cpp": 'neither a main nor a function that Python could call; put extern "C" before one to call it from Python',
    "zig": "neither a pub fn main nor a function that Python could call; put export before fn to call one",
    "go": "no functions to call; put //go:wasmexport NAME above one to call it from Python",
}


def keep_guest(artifact: Artifact, options: dict[str, Any]) -> None:
    """Keep a cell that is the inside of a component, for a host that gives it what it imports."""
    assert artifact.source is not None, "it came from a cell"
    name = artifact.source.name
    session().guests[name] = artifact
    told = f'a component for a host: in %%spin_app write source = "{name}.wasm"'
    if not options["name"]:
        told = "a component for a host: give the cell --name NAME to use it in %%spin_app"
    from wasm_lab.magics.spin import apps_using

    old = [f"{app} still runs the earlier one: run its %%spin_app cell again" for app in apps_using(name)]
    _footer(options, told, *old, built_line(artifact))


def run_program(artifact: Artifact, capabilities: Capabilities, options: dict[str, Any]) -> None:
    """Run a command with its output streaming into the cell; raise when it did not end well."""
    from wasm_lab.session import raise_for_failure
    from wasm_lab.views.stream import NotebookSink

    sink = NotebookSink()
    try:
        run = session().run(
            artifact, capabilities, runtime=options["runtime"], audit=options["audit"], output=sink
        )
    finally:
        sink.flush()
    if run.audit is not None:
        from IPython.display import display

        from wasm_lab.views.tables import audit_table

        display(audit_table(run.audit))
    _footer(options, f"{built_line(artifact)} · {ran_line(run)}")
    raise_for_failure(run)


def run_tests(source: Source, capabilities: Capabilities, options: dict[str, Any]) -> None:
    """Run a cell's tests with a summary as libtest prints it; raise when any failed."""
    from wasm_lab.session import raise_for_failed_tests
    from wasm_lab.views.progress import notebook_progress
    from wasm_lab.views.tables import print_table, test_line, test_summary

    here = session()
    with notebook_progress() as progress:
        report = here.test(
            source,
            capabilities,
            runtime=options["runtime"],
            on_result=lambda result: print_table(test_line(result), sys.stdout),
            progress=progress,
        )
    show_warnings(here.last_artifact)
    print_table(test_summary(report), sys.stdout)
    raise_for_failed_tests(report)


def show_built(artifact: Artifact, options: dict[str, Any]) -> None:
    """How an artifact came to be, below a cell that only compiles."""
    _footer(options, built_line(artifact))


#: What rustc says of code whose rest is still to be written, which ``todo!()`` has said already.
_OF_WHAT_IS_NOT_WRITTEN = frozenset(("dead_code", "unreachable_code", "unused_imports", "unused_variables"))


def show_warnings(artifact: Artifact | None) -> None:
    """The compiler's warnings, in its own layout, on the cell's error stream."""
    begun = artifact is not None and artifact.source is not None and "todo!(" in artifact.source.code
    for warning in artifact.warnings if artifact else ():
        if begun and warning.code in _OF_WHAT_IS_NOT_WRITTEN:
            continue
        print(f"{warning.rendered.rstrip()}\n", file=sys.stderr)  # noqa: T201


def built_line(artifact: Artifact) -> str:
    """How an artifact came to be, in one line."""
    from wasm_lab.views.tables import duration, size

    if artifact.source is None:
        return f"{size(artifact.size_bytes)} of Wasm"
    took = duration(sum(step.duration_ns for step in artifact.steps))
    how = f"unchanged, from the cache in {took}" if artifact.cached else f"compiled in {took}"
    return f"{how} · {size(artifact.size_bytes)} of Wasm"


def ran_line(run: Any) -> str:
    """How a run went, in one line: each phase with its duration, then engine and status."""
    from wasm_lab.views.tables import duration

    phases = " · ".join(f"{phase.value} {duration(took)}" for phase, took in run.phases_ns.items())
    return f"{phases} · {run.runtime} {run.runtime_version}"


def _footer(options: dict[str, Any], *lines: str) -> None:
    if not options["quiet"]:
        from wasm_lab.views.notebook import show_footer

        show_footer(lines)
