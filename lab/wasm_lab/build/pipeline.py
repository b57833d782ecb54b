"""The way from Source to Artifact, one step after another."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact, Step
from wasm_lab.build import lean, stored
from wasm_lab.build.cache import default_cache
from wasm_lab.build.crate import crate_for
from wasm_lab.build.key import unit_key
from wasm_lab.build.rustc import Compiled, Unit, compile_unit
from wasm_lab.errors import BuildError, CompileError, UnsupportedError
from wasm_lab.source import Kind, Profile, Target
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.build.crate import Crate
    from wasm_lab.build.progress import Progress
    from wasm_lab.run import Diagnostic
    from wasm_lab.source import Source
    from wasm_lab.toolchains.rust import RustToolchain


#: Crates of this process that call what the lean library leaves out, so that an edit of one is
#: not compiled twice.
_needs_whole_library: set[tuple[str, Target]] = set()


class Build:
    """One build, with the steps that it took."""

    def __init__(self, source: Source, *, progress: Progress | None = None) -> None:
        self.source = source
        self.progress = progress
        self.cache = default_cache()
        self.steps: list[Step] = []
        self._since = time.perf_counter_ns()

    def artifact(self) -> Artifact:
        """See `wasm_lab.build.build`."""
        source = self.source
        if source.kind is Kind.FUNCTIONS and source.target is Target.WASIP2:
            raise UnsupportedError(
                f"{source.label}: functions can be called from Python only on {Target.WASIP1}.",
                hint=f"Leave out --target {Target.WASIP2}, or give the code a fn main.",
            )
        toolchain = find_rust(source.target)
        crate = crate_for(source)
        unit = _unit(source, crate)
        key = unit_key(unit, toolchain)
        result = stored.load(self.cache, "wasm", key, unit.env)
        cached = result is not None
        if result is None:
            self._step("prepare")
            compiled = self._compile(unit, toolchain)
            if compiled.output is None:
                raise refusal(source, crate, compiled)
            result = stored.keep(self.cache, "wasm", key, compiled)
        warnings = _diagnostics(result.messages, crate, source)
        self._step("cache")
        return Artifact(
            wasm=result.output,
            label=source.label,
            source=source,
            compiler=toolchain.version,
            steps=tuple(self.steps),
            cached=cached,
            warnings=warnings,
        )

    def _compile(self, unit: Unit, toolchain: RustToolchain) -> Compiled:
        """Run rustc, with the lean standard library where that works."""
        sysroot = self._lean_sysroot(unit, toolchain)
        if sysroot:
            compiled = compile_unit(unit, toolchain, sysroot=sysroot)
            self._step("rustc, lean std")
            if compiled.output is None and blames_the_code(compiled.finished.stderr):
                return compiled
            if compiled.output is not None and not lean.misses_symbols(compiled.output):
                return compiled
            _needs_whole_library.add((unit.name, unit.target))
        whole = compile_unit(unit, toolchain)
        self._step("rustc")
        if sysroot and whole.output is not None and compiled.output is None:
            if "undefined symbol" not in compiled.finished.stderr:
                lean.give_up(sysroot)
        return whole

    def _lean_sysroot(self, unit: Unit, toolchain: RustToolchain) -> Path | None:
        if unit.profile is Profile.SIZE:  # link-time optimisation needs what was left out
            return None
        if (unit.name, unit.target) in _needs_whole_library:
            return None
        return lean.lean_sysroot(toolchain, unit.target, self.cache)

    def _step(self, name: str) -> None:
        now = time.perf_counter_ns()
        self.steps.append(Step(name, now - self._since))
        self._since = now


def _unit(source: Source, crate: Crate) -> Unit:
    return Unit(
        name=source.name,
        label=source.label,
        root=crate.root,
        files=crate.files,
        crate_type=crate.crate_type,
        test=source.kind is Kind.TESTS,
        edition=source.edition,
        profile=source.profile,
        target=source.target,
    )


def refusal(source: Source, crate: Crate, compiled: Compiled) -> BuildError:
    """The exception for a compile that failed."""
    finished = compiled.finished
    diagnostics = _diagnostics(finished.stderr, crate, source)
    errors = [each for each in diagnostics if each.level.startswith("error")]
    if not errors:
        said = finished.stderr.strip()[-4000:] or "nothing"
        return BuildError(
            f"{source.label} did not compile: rustc ended with status {finished.status} and said: {said}",
            hint="The code is not to blame. A negative status is a signal, such as -9 when memory ran out.",
        )
    count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
    return CompileError(
        f"{source.label} did not compile: {count}.",
        diagnostics=diagnostics,
        rendered="\n".join(each.rendered.rstrip() for each in diagnostics if each.rendered) + "\n",
    )


def _diagnostics(messages: str, crate: Crate, source: Source) -> tuple[Diagnostic, ...]:
    if not messages:
        return ()
    from wasm_lab.build.diagnostics import read_diagnostics

    return read_diagnostics(messages, crate, source, color=True)


def blames_the_code(stderr: str) -> bool:
    """Whether any error of rustc points at a place in the code; a failed link does not."""
    for line in stderr.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("level") == "error" and message.get("spans"):
            return True
    return False
