"""The way from Source to Artifact or HostProgram, one step after another.

What only a compile needs is in ``compiling``, so that a cached cell does not load it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact, HostProgram, Step
from wasm_lab.build import stored
from wasm_lab.build.cache import default_cache
from wasm_lab.build.crate import crate_for
from wasm_lab.build.key import unit_key
from wasm_lab.build.manifest import every_used, merged_dependencies
from wasm_lab.build.refusal import diagnostics_of, refusal
from wasm_lab.build.unit import Unit
from wasm_lab.build.walls import PACKAGE_FOLDER, walled
from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.source import Kind, Profile, Target
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from wasm_lab.build.crate import Crate
    from wasm_lab.build.crates import CrateSet
    from wasm_lab.build.progress import Progress
    from wasm_lab.build.rustc import Compiled
    from wasm_lab.build.stored import Stored
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source


class Build:
    """One build, with the steps that it took."""

    def __init__(self, source: Source, *, progress: Progress | None = None, incremental: bool = True) -> None:
        self.source = source
        self.progress = progress
        self.incremental = incremental and not walled()
        self.cache = default_cache()
        self.steps: list[Step] = []
        self._since = time.perf_counter_ns()

    def artifact(self) -> Artifact:
        """See `wasm_lab.build.build`."""
        source = self.source
        _refuse_what_cannot_be_built(source)
        self.toolchain = find_rust(source.target)
        self.target: str = source.target
        result, cached, warnings = self._built("wasm")
        return Artifact(
            wasm=result.output,
            label=source.label,
            source=source,
            compiler=self.toolchain.version,
            steps=tuple(self.steps),
            cached=cached,
            warnings=warnings,
        )

    def host_program(self) -> HostProgram:
        """See `wasm_lab.build.build_for_host`."""
        from wasm_lab.toolchains.host_linker import for_host  # Wasm needs none of it

        source = self.source
        _refuse_what_is_no_program(source)
        self.toolchain = for_host(find_rust())
        self.target = self.toolchain.host
        result, cached, warnings = self._built("host-program")
        return HostProgram(
            executable=result.output,
            label=source.label,
            source=source,
            target=self.target,
            compiler=self.toolchain.version,
            steps=tuple(self.steps),
            cached=cached,
            warnings=warnings,
        )

    def _built(self, kind: str) -> tuple[Stored, bool, tuple[Diagnostic, ...]]:
        """The crate, compiled unless the cache has it; whether it had; and the compiler's warnings."""
        source = self.source
        self.crates = self._resolved_crates()
        crate = crate_for(source)
        unit = self._unit(source, root=crate.root, crate=crate)
        used = [(each, *self._library_unit(each)) for each in every_used(source)]
        key = unit_key(unit, self.toolchain, *self._keys(), *(library_key for *_, library_key in used))
        result = stored.load(self.cache, kind, key, unit.env)
        cached = result is not None
        if result is None:
            compiled = self._compile(unit, used)
            if compiled.output is None:
                raise refusal(source, crate, compiled)
            result = stored.keep(self.cache, kind, key, compiled)
        warnings = diagnostics_of(result.messages, crate, source)
        self._step("cache")
        return result, cached, warnings

    # Dependencies -------------------------------------------------------------------------

    def _resolved_crates(self) -> CrateSet | None:
        source = self.source
        dependencies = merged_dependencies(source)
        if not dependencies:
            return None
        from wasm_lab.build import crates

        return crates.resolve(
            dependencies, source.profile, self.target, self.toolchain, self.cache, progress=self.progress
        )

    def _keys(self) -> tuple[str, ...]:
        return (self.crates.content_key,) if self.crates else ()

    def _library_unit(self, used: Source) -> tuple[Unit, str]:
        """An earlier cell as a library crate: its own text, without glue, as this cell is optimised."""
        unit = self._unit(used, root="\n" * (used.first_line - 1) + used.code, crate=None)
        below = [self._library_unit(each)[1] for each in every_used(used)]
        return unit, unit_key(unit, self.toolchain, *self._keys(), *below)

    def _compile(self, unit: Unit, used: list[tuple[Source, Unit, str]]) -> Compiled:
        """Compile ``unit`` against the crates and the earlier cells, which are built first if need be."""
        from wasm_lab.build.compiling import Compiler, folder_of_libraries

        compiler = Compiler(self.toolchain, self.cache, self.crates, step=self._step, progress=self.progress)
        if not used:
            return compiler.compile(unit)
        with folder_of_libraries() as folder:
            words: tuple[str, ...] = (f"-Ldependency={folder}",)
            for source, library_unit, key in used:
                library = stored.load(self.cache, "rlib", key, library_unit.env)
                if library is None:
                    compiled = compiler.compile(library_unit, words)
                    if compiled.output is None:
                        raise refusal(source, crate_for(source), compiled)
                    library = stored.keep(self.cache, "rlib", key, compiled)
                file = folder / f"lib{source.name}.rlib"
                file.write_bytes(library.output)
                words = (*words, f"--extern={source.name}={file}")
            return compiler.compile(unit, words)

    def _unit(self, source: Source, *, root: str, crate: Crate | None) -> Unit:
        built_as = self.source  # an earlier cell is built for the profile and target of this one
        return Unit(
            name=source.name,
            label=source.label,
            root=root,
            files=crate.files if crate else {},
            crate_type=crate.crate_type if crate else "rlib",
            test=source.kind is Kind.TESTS and crate is not None,
            edition=source.edition,
            profile=built_as.profile,
            target=self.target,
            exports=crate.exports if crate else (),
            folder=Path(source.folder).absolute(),
            env=_cargo_variables(source, PACKAGE_FOLDER if walled() else str(Path(source.folder).absolute())),
            walled=walled(),
            incremental=bool(self.crates and crate)
            and self.incremental
            and built_as.profile is not Profile.SIZE,
        )

    def _step(self, name: str) -> None:
        now = time.perf_counter_ns()
        self.steps.append(Step(name, now - self._since))
        self._since = now


def _refuse_what_cannot_be_built(source: Source) -> None:
    if source.kind is Kind.FUNCTIONS and source.target is Target.WASIP2 and source.bindings is None:
        raise UnsupportedError(
            f"{source.label}: functions can be called from Python only on {Target.WASIP1}.",
            hint=f"Leave out --target {Target.WASIP2}, or give the code a fn main.",
        )
    for used in every_used(source):
        if used.kind is Kind.STATEMENTS:
            raise UsageError(
                f"{used.label} is plain statements, so {source.label} finds nothing in it to use.",
                hint="Put what is to be used into pub functions or types.",
            )


def _refuse_what_is_no_program(source: Source) -> None:
    if source.kind not in (Kind.PROGRAM, Kind.STATEMENTS):
        raise UnsupportedError(
            f"{source.label} is no program, so it cannot be built for this machine alone.",
            hint="Give it a fn main.",
        )
    _refuse_what_cannot_be_built(source)


def _cargo_variables(source: Source, folder: str) -> dict[str, str]:
    """What cargo sets for a crate that it compiles, and code written for cargo reads by ``env!``."""
    return {
        "CARGO_CRATE_NAME": source.name,
        "CARGO_MANIFEST_DIR": folder,
        "CARGO_PKG_NAME": source.name,
        "CARGO_PKG_VERSION": "0.0.0",
        "CARGO_PKG_VERSION_MAJOR": "0",
        "CARGO_PKG_VERSION_MINOR": "0",
        "CARGO_PKG_VERSION_PATCH": "0",
        "CARGO_PKG_VERSION_PRE": "",
        "CARGO_PKG_AUTHORS": "",
        "CARGO_PKG_DESCRIPTION": "",
        "CARGO_PKG_HOMEPAGE": "",
        "CARGO_PKG_REPOSITORY": "",
    }
