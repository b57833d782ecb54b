"""Every exception of the lab, as one small tree.

    WasmLabError                  something the lab refuses or could not do
    ├── UsageError                what was asked cannot be done as it was asked
    │   ├── HeaderError           the frontmatter of a cell or its options are wrong
    │   ├── ManifestError         a spin.toml is wrong; carries each mistake with its line
    │   ├── KubeManifestError     a manifest of Kubernetes cannot be read; the same
    │   ├── ExerciseError         an exercise's notebook cannot be read or used
    │   ├── MarksError            marks that a person filled in are wrong; carries each with its row
    │   ├── SignatureError        a Rust signature cannot cross into Python
    │   └── StaleFunctionError    the cell was run again; this function is the old one
    ├── UnsupportedError          the runtime or target cannot do or enforce this
    ├── ToolchainError            no compiler here works for the target
    ├── BuildError                Source could not become an Artifact
    │   ├── CompileError          rustc refused the code; carries its diagnostics
    │   │   └── WitError          a WIT text is wrong; carries what its parser said
    │   ├── DependencyError       cargo could not resolve, fetch or build a crate
    │   └── NoRoomError           this machine has no room to compile in; nothing is said of the code
    ├── MachineError              this machine failed, and not the guest
    ├── LoadError                 the bytes are no module this runtime can load
    │   └── InterfaceError        a component and its host disagree on an interface
    ├── MeasureError              what was to be measured could not be, or would mislead
    │   ├── ProbeError            a measured process died or passed its deadline
    │   └── AnswersDiffer         two subjects gave different answers; nothing was timed
    ├── ServiceError              a server that a scenario needs is missing, or did not start
    │   └── ContainerError        the container runtime refused an image, a pod or a container
    ├── ClusterError              a Kubernetes cluster cannot be reached, or refused, or did not get ready
    ├── PluginError               a plugin cannot be loaded, or there is none of that name
    └── GuestFailure              the guest ran and did not end well
        ├── GuestError            a function returned ``Err``; carries its text
        ├── GuestExit             a program ended with a status other than 0
        ├── GuestTrap             a panic or another trap; carries a backtrace
        │   ├── DeadlineExceeded  the guest used up its time
        │   ├── OutputExceeded    the guest wrote more than it may
        │   └── FuelExhausted     the guest used up its fuel
        ├── PoisonedError         an earlier trap left this instance unusable
        └── TestsFailed           one or more ``#[test]`` functions failed

Interrupting a guest raises Python's own ``KeyboardInterrupt``. Arguments of the
wrong type or out of range raise ``TypeError`` and ``OverflowError``, as Python's
own functions do.

A message says what happened and why; ``hint`` says what to do next. In a
notebook only these two are shown, without a traceback of the lab's own code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.grading.report.marks import Problem as MarksProblem
    from wasm_lab.run import Run, TrapInfo
    from wasm_lab.scenarios.kubernetes.problems import Problem as KubeProblem
    from wasm_lab.scenarios.spin.problems import Problem
    from wasm_lab.testing import TestReport


class WasmLabError(Exception):
    """Base of every error that the lab raises on purpose.

    ``str(error)`` is what happened; ``error.hint`` (may be empty) is what to do next.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback, under papermill too."""
        return [f"{type(self).__name__}: {self.message}", *([self.hint] if self.hint else [])]


class UsageError(WasmLabError):
    """What was asked cannot be done as it was asked."""


class HeaderError(UsageError):
    """The frontmatter of a cell, or the options on its first line, are wrong."""


class ManifestError(UsageError):
    """A Spin manifest is missing or wrong; ``problems`` holds every mistake, with its line and mend."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)
        self.version2 = ""  #: a version 1 file written as version 2, where that can be done


class KubeManifestError(UsageError):
    """A manifest of Kubernetes cannot be read; ``problems`` holds every mistake, with its line and mend."""

    def __init__(self, message: str, *, problems: Sequence[KubeProblem] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class ExerciseError(UsageError):
    """The notebook of an exercise cannot be read, or is not what an exercise must be."""


class MarksError(UsageError):
    """A file of marks has mistakes; ``problems`` holds each with its row. No mark of the file was taken."""

    def __init__(self, message: str, *, problems: Sequence[MarksProblem] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problems = tuple(problems)


class SignatureError(UsageError):
    """A Rust signature cannot cross into Python; the message names the parameter."""


class StaleFunctionError(UsageError):
    """The cell that defined this function was run again since."""


class UnsupportedError(WasmLabError):
    """The runtime or target cannot do, or cannot enforce, what was asked."""


class ToolchainError(WasmLabError):
    """No compiler on this machine works for the target."""


class BuildError(WasmLabError):
    """Source could not become an Artifact."""


class CompileError(BuildError):
    """The compiler refused the code.

    ``diagnostics`` holds each message with its place in the cell; ``rendered`` is
    the compiler's own layout of them, in colour when that was asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        diagnostics: Sequence[Diagnostic] = (),
        rendered: str = "",
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)
        self.rendered = rendered

    def __str__(self) -> str:
        parts = (self.rendered.rstrip(), self.message, self.hint)
        return "\n".join(part for part in parts if part)

    def _render_traceback_(self) -> list[str]:
        return [part for part in (self.rendered.rstrip(), self.message, self.hint) if part]


class WitError(CompileError):
    """A WIT text is wrong; ``diagnostics`` and ``rendered`` say where."""


class DependencyError(BuildError):
    """cargo could not resolve, fetch or build a dependency; ``log`` is what it said."""

    def __init__(self, message: str, *, log: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.log = log


class NoRoomError(BuildError):
    """This machine has no room to compile in, or cannot do it any more: nothing is said of the code."""


class MachineError(WasmLabError):
    """This machine failed, and not the guest: no process could be had, or its own side of one broke."""


class LoadError(WasmLabError):
    """The bytes are not a module or component that this runtime can load."""


class InterfaceError(LoadError):
    """A component and its host disagree on an interface; the message lists every disagreement."""


class MeasureError(WasmLabError):
    """What was to be measured could not be, or its figure would mislead."""


class ProbeError(MeasureError):
    """A process in which something was timed died, or passed its deadline."""


class AnswersDiffer(MeasureError):
    """Two subjects gave different answers to the same input, so nothing was timed."""


class ServiceError(WasmLabError):
    """A server that a scenario needs is missing, did not start, or is gone."""


class ContainerError(ServiceError):
    """The container runtime refused an image, a pod or a container; the hint holds what it said."""


class ClusterError(WasmLabError):
    """A Kubernetes cluster cannot be reached, refused what was asked, or what was applied did not get ready."""


class PluginError(WasmLabError):
    """A plugin cannot be loaded or called; ``plugin`` is its name."""

    def __init__(self, message: str, *, plugin: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.plugin = plugin


class GuestFailure(WasmLabError):
    """The guest ran and did not end well. ``run`` is the Run, where there is one."""

    def __init__(self, message: str, *, hint: str = "", run: Run | None = None) -> None:
        super().__init__(message, hint=hint)
        self.run = run


class GuestError(GuestFailure):
    """A Rust function returned ``Err``; the message is the error's own text."""


class GuestExit(GuestFailure):
    """A program ended with an exit status other than 0."""

    def __init__(self, message: str, *, status: int, hint: str = "", run: Run | None = None) -> None:
        super().__init__(message, hint=hint, run=run)
        self.status = status


class GuestTrap(GuestFailure):
    """The guest trapped: a panic, an access out of bounds, a stack overflow, and so on."""

    def __init__(self, message: str, *, trap: TrapInfo, hint: str = "", run: Run | None = None) -> None:
        super().__init__(message, hint=hint, run=run)
        self.trap = trap


class DeadlineExceeded(GuestTrap):
    """The guest used up its time and was stopped."""


class OutputExceeded(GuestTrap):
    """The guest wrote more than it may and was stopped."""


class FuelExhausted(GuestTrap):
    """The guest used up its fuel and was stopped."""


class PoisonedError(GuestFailure):
    """An earlier trap left this instance in an unknown state; reset it to go on."""


class TestsFailed(GuestFailure):
    """One or more ``#[test]`` functions failed; ``report`` lists every one."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __init__(self, message: str, *, report: TestReport, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.report = report
