"""The public Python API: compile, run, test, and keep named cells.

Magics, commands, grading and scenarios call this; it parses no text and displays nothing.
"""

from __future__ import annotations

import contextlib
import functools
from dataclasses import replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from wasm_lab import build as _build
from wasm_lab.build.languages.granting import granted_to
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import (
    GuestExit,
    GuestFailure,
    GuestTrap,
    TestsFailed,
    UsageError,
)
from wasm_lab.run import Run, TrapKind
from wasm_lab.runtimes import get_runtime
from wasm_lab.runtimes.base import LIMIT_ERRORS
from wasm_lab.source import UNNAMED, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.components import Component
    from wasm_lab.components.text import WitText
    from wasm_lab.live import LiveCell
    from wasm_lab.runtimes.base import OutputSink, Runtime
    from wasm_lab.source import Source
    from wasm_lab.testing import TestReport, TestResult
    from wasm_lab.twins import JsTwin

_LIMIT_HINTS = {
    TrapKind.DEADLINE: "Give it longer with --timeout, such as --timeout 60s.",
    TrapKind.OUTPUT: "Allow more with --max-output, such as --max-output 64MiB.",
    TrapKind.FUEL: "Give it more with --fuel.",
    TrapKind.OUT_OF_BOUNDS: (
        "If the code has large local arrays: a guest's stack holds 1 MiB, so put them on the heap "
        "(in Rust: vec![0; n])."
    ),
    TrapKind.ALLOCATION: "Give it more memory with --memory, such as --memory 2GiB.",
}


#: How a program's beginning is written in each language.
_MAIN = {
    "rust": "fn main",
    "c": "main",
    "cpp": "main",
    "zig": "pub fn main",
    "go": "func main that does anything",
}


class Session:
    """Named cells and the last result: what one notebook, or one command, works on.

    Example:
        >>> from wasm_lab.cells import parse_cell
        >>> session = Session()
        >>> session.run(session.compile(parse_cell("fn main() { print!(\\"hi\\"); }"))).stdout
        b'hi'
    """

    def __init__(self, runtime: str = "wasmtime") -> None:
        self.runtime = runtime
        self.cells: dict[str, LiveCell] = {}
        self.js_twins: dict[str, JsTwin] = {}  #: by the name of the Rust function
        self.python_twins: dict[str, Callable[..., Any]] = {}
        self.wit_texts: dict[str, WitText] = {}  #: checked, by name
        self.components: dict[str, Component] = {}  #: cells that implement a world, by its name
        self.guests: dict[str, Artifact] = {}  #: cells that a host of components runs, by name
        self.programs: dict[str, Artifact] = {}  #: named cells that run as a whole
        self.last_run: Run | None = None
        self.last_artifact: Artifact | None = None

    def compile(self, source: Source, *, progress: Progress | None = None) -> Artifact:
        """Build ``source``, with the earlier cells that it names as crates.

        Raises:
            CompileError, DependencyError, ToolchainError: why there is no artifact.
        """
        artifact = self.linked(_build.build(source, progress=progress))
        self.last_artifact = artifact
        built = artifact.source or source
        if built.name != UNNAMED and built.kind in (Kind.PROGRAM, Kind.STATEMENTS):
            self.programs[source.name] = artifact
        return artifact

    def linked(self, artifact: Artifact) -> Artifact:
        """The artifact with those of the named cells whose functions it imports, by the cell's name.

        A module that runs with others has instances of them of its own: what Python did to a live cell
        is not seen by it.
        """
        from wasm_lab.build.imports import import_modules

        own = artifact.source.name if artifact.source else ""
        used = [
            self.cells[name].artifact
            for name in import_modules(artifact.wasm)
            if name in self.cells and name != own
        ]
        return replace(artifact, libraries=tuple(used)) if used else artifact

    def check_wit(self, text: str, *, name: str, label: str = "", first_line: int = 1) -> WitText:
        """Check a WIT text, which may use the packages of earlier ones, and keep it under its name.

        Raises:
            WitError: it is wrong; what was kept under the name stays.
        """
        from wasm_lab.components.text import check_text

        others = [other for known, other in self.wit_texts.items() if known != name]
        checked = check_text(text, name=name, label=label, first_line=first_line, others=others)
        self.wit_texts.pop(name, None)  # the newest stands last
        self.wit_texts[name] = checked
        return checked

    def compile_world(self, source: Source, world: str, *, progress: Progress | None = None) -> Component:
        """Build a cell that implements a world of a text kept here, as a component; keep that as well.

        Raises:
            UsageError: there is no such world, or the cell implements nothing.
            CompileError, DependencyError, ToolchainError: why there is no component.
        """
        from wasm_lab.components import Component
        from wasm_lab.components.worlds import build_world, find_world

        text, short = find_world(world, self.wit_texts.values())
        artifact = replace(build_world(source, text, short, progress=progress), label=short)
        self.last_artifact = artifact
        self.components[short] = component = Component.load(artifact)
        return component

    def named_sources(self) -> dict[str, Source]:
        """The sources of named cells in Rust: the crates that a later cell may use."""
        sources = [cell.artifact.source for cell in self.cells.values()]
        return {
            source.name: source
            for source in sources
            if source and source.name != UNNAMED and source.language == "rust"
        }

    def run(
        self,
        artifact: Artifact,
        capabilities: Capabilities | None = None,
        *,
        runtime: str | None = None,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> Run:
        """Execute a command in a fresh instance; see `Runtime.run`.

        A failed Run is returned, not raised: `raise_for_failure` turns it into an exception.

        Raises:
            UsageError: the artifact is a library: it has functions, and no ``fn main``.
        """
        if artifact.source and artifact.source.kind is Kind.FUNCTIONS:
            raise UsageError(
                f"{artifact.label} has no {_MAIN.get(artifact.source.language, 'main')}, so it is no program.",
                hint="Its public functions can be called (--invoke NAME)"
                + (", and its tests run (wasm-lab test)." if artifact.source.language == "rust" else "."),
            )
        engine, capabilities = self._checked(runtime, capabilities, audit=audit)
        engine.check_libraries(artifact)
        self.last_run = engine.run(artifact, granted_to(artifact, capabilities), audit=audit, output=output)
        return self.last_run

    def define(
        self,
        artifact: Artifact,
        capabilities: Capabilities | None = None,
        *,
        runtime: str | None = None,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> LiveCell:
        """Make the functions of a library artifact callable; an earlier cell of its name goes stale."""
        from wasm_lab.live import LiveCell

        engine, capabilities = self._checked(runtime, capabilities, audit=audit)
        engine.check_libraries(artifact)
        cell = LiveCell(artifact, engine, granted_to(artifact, capabilities), audit=audit, output=output)
        earlier = self.cells.get(cell.name)
        if earlier:
            earlier.retire()
        self.cells[cell.name] = cell
        return cell

    def _checked(
        self, runtime: str | None, capabilities: Capabilities | None, *, audit: bool = False
    ) -> tuple[Runtime, Capabilities]:
        """The runtime and capabilities to use; raises UnsupportedError when they do not go together."""
        engine, chosen = get_runtime(runtime or self.runtime), capabilities or Capabilities()
        engine.check(chosen, audit=audit)
        return engine, chosen

    def cell(self, name: str) -> LiveCell:
        """The live cell of that name.

        Raises:
            UsageError: there is none; the message lists those that there are.
        """
        try:
            return self.cells[name]
        except KeyError:
            known = ", ".join(self.cells) or "none yet"
            raise UsageError(f"No cell is named {name}.", hint=f"Named cells: {known}.") from None

    def program(self, name: str) -> Artifact:
        """The program of a named cell.

        Raises:
            UsageError: no cell of that name holds one.
        """
        try:
            return self.programs[name]
        except KeyError:
            known = ", ".join(self.programs) or "none yet"
            has = f"The cell {name} has functions and no main." if name in self.cells else ""
            raise UsageError(
                f"No cell named {name} is a program.", hint=has or f"Named programs: {known}."
            ) from None

    def cell_of_function(self, name: str) -> LiveCell:
        """The live cell that defined a function, the newest where several did.

        Raises:
            UsageError: none did; the message lists the functions that there are.
        """
        for cell in reversed(self.cells.values()):
            if name in cell.functions:
                return cell
        known = ", ".join(function for cell in self.cells.values() for function in cell.functions)
        raise UsageError(
            f"No cell has a public function {name}.", hint=f"Functions of cells: {known or 'none yet'}."
        )

    def keep_python_twins(self, names: Mapping[str, Any], replacing: Iterable[str]) -> None:
        """Remember Python functions whose names Rust functions are about to take: they are twins.

        Args:
            names: what the names stand for now, as a notebook's namespace has it.
            replacing: the names that are taken.
        """
        for name in replacing:
            found = names.get(name)
            if isinstance(found, FunctionType) and not hasattr(found, "cell"):
                self.python_twins[name] = found

    def python_twin(self, name: str, names: Mapping[str, Any]) -> Callable[..., Any] | None:
        """The Python function of that name: the one it stands for now, else one that it stood for."""
        self.keep_python_twins(names, [name])
        return self.python_twins.get(name)

    def test(
        self,
        source: Source,
        capabilities: Capabilities | None = None,
        *,
        runtime: str | None = None,
        matching: str = "",
        include_ignored: bool = False,
        on_result: Callable[[TestResult], None] | None = None,
        progress: Progress | None = None,
    ) -> TestReport:
        """Build ``source`` with its tests and run each in a fresh instance.

        Args:
            matching: only tests whose path contains this text.
            include_ignored: run ``#[ignore]`` tests too.
            on_result: called with each outcome as it comes.
        """
        from wasm_lab.libtest import run_tests

        artifact = self.compile(source, progress=progress)
        engine, capabilities = self._checked(runtime, capabilities)
        return run_tests(
            artifact,
            functools.partial(engine.run, artifact),
            capabilities,
            matching=matching,
            include_ignored=include_ignored,
            on_result=on_result,
        )


def failure_of(run: Run) -> GuestFailure | None:
    """The exception that a Run which did not end well amounts to; None when it did."""
    if run.ok:
        return None
    hint = " ".join(dict.fromkeys(call.explanation for call in run.refused))
    if not hint and run.audit is None:
        from wasm_lab.wasi.refusals import advice

        hint = advice((run.stdout + run.stderr).decode(errors="replace"))
    if run.trap:
        hint = hint or _LIMIT_HINTS.get(run.trap.kind, "")
        kind = LIMIT_ERRORS.get(run.trap.kind, GuestTrap)
        return kind(str(run.trap), trap=run.trap, hint=hint, run=run)
    if run.exit_status:
        message = f"{run.label} ended with exit status {run.exit_status}."
        return GuestExit(message, status=run.exit_status, hint=hint, run=run)
    return None


def raise_for_failure(run: Run) -> None:
    """Raise what `failure_of` finds, if anything."""
    failure = failure_of(run)
    if failure:
        raise failure


def raise_for_failed_tests(report: TestReport) -> None:
    """Raise TestsFailed when any test of the report failed."""
    if not report.ok:
        failed = [result.name for result in report.results if result.outcome == "FAILED"]
        raise TestsFailed(
            f"{len(failed)} of {len(report.results)} failed: {', '.join(failed)}.", report=report
        )


_default: Session | None = None


def default_session() -> Session:
    """The session that the magics of this process share."""
    global _default  # noqa: PLW0603 - one kernel, one set of named cells
    if _default is None:
        _default = Session()
    return _default


@contextlib.contextmanager
def using(session: Session) -> Iterator[None]:
    """Let the magics of this process, and all that asks for the default session, work on this one meanwhile."""
    global _default  # noqa: PLW0603 - see above
    before, _default = default_session(), session
    try:
        yield
    finally:
        _default = before


def use_session(session: Session) -> None:
    """Make ``session`` the one that the magics of this process share, from now on."""
    global _default  # noqa: PLW0603
    _default = session
