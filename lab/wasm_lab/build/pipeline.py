"""The way from Source to Artifact, one step after another."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact, Step
from wasm_lab.build import crates, lean, link, stored
from wasm_lab.build.cache import default_cache
from wasm_lab.build.crate import crate_for
from wasm_lab.build.key import unit_key
from wasm_lab.build.manifest import every_used, merged_dependencies
from wasm_lab.build.refusal import blames_the_code, diagnostics_of, refusal
from wasm_lab.build.rustc import Bench, Compiled, Unit, compile_unit
from wasm_lab.errors import BuildError, UnsupportedError, UsageError
from wasm_lab.source import Kind, Profile, Target
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.build.crate import Crate
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

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
        _refuse_what_cannot_be_built(source)
        self.toolchain = find_rust(source.target)
        self.crates = self._resolved_crates()
        crate = crate_for(source)
        unit = self._unit(source, root=crate.root, crate=crate)
        used = [(each, *self._library_unit(each)) for each in every_used(source)]
        key = unit_key(unit, self.toolchain, *self._keys(), *(library_key for *_, library_key in used))
        result = stored.load(self.cache, "wasm", key, unit.env)
        cached = result is not None
        if result is None:
            with self._folder_of_libraries(used) as words:
                compiled = self._compile(unit, (*words, *self._crate_words()))
            if compiled.output is None:
                raise refusal(source, crate, compiled)
            result = stored.keep(self.cache, "wasm", key, compiled)
        warnings = diagnostics_of(result.messages, crate, source)
        self._step("cache")
        return Artifact(
            wasm=result.output,
            label=source.label,
            source=source,
            compiler=self.toolchain.version,
            steps=tuple(self.steps),
            cached=cached,
            warnings=warnings,
        )

    # Dependencies -------------------------------------------------------------------------

    def _resolved_crates(self) -> crates.CrateSet | None:
        source = self.source
        dependencies = merged_dependencies(source)
        if not dependencies:
            return None
        return crates.resolve(
            dependencies, source.profile, source.target, self.toolchain, self.cache, progress=self.progress
        )

    def _keys(self) -> tuple[str, ...]:
        return (self.crates.content_key,) if self.crates else ()

    def _crate_words(self) -> tuple[str, ...]:
        if self.crates is None:
            return ()
        self._native = False
        built = crates.built(self.crates, self.cache, progress=self.progress)
        self._native = built.native
        self._step("crates")
        return built.words

    def _library_unit(self, used: Source) -> tuple[Unit, str]:
        """An earlier cell as a library crate: its own text, without glue, as this cell is optimised."""
        unit = self._unit(used, root="\n" * (used.first_line - 1) + used.code, crate=None)
        below = [self._library_unit(each)[1] for each in every_used(used)]
        return unit, unit_key(unit, self.toolchain, *self._keys(), *below)

    @contextlib.contextmanager
    def _folder_of_libraries(self, used: list[tuple[Source, Unit, str]]) -> Iterator[tuple[str, ...]]:
        """The words with which code is compiled against earlier cells, built here unless they are cached."""
        if not used:
            yield ()
            return
        with tempfile.TemporaryDirectory(prefix="wasm-lab-cells-") as folder:
            words: list[str] = [f"-Ldependency={folder}"]
            for source, unit, key in used:
                library = stored.load(self.cache, "rlib", key, unit.env)
                if library is None:
                    compiled = self._compile(unit, (*words, *self._crate_words()))
                    if compiled.output is None:
                        raise refusal(source, crate_for(source), compiled)
                    library = stored.keep(self.cache, "rlib", key, compiled)
                file = Path(folder, f"lib{source.name}.rlib")
                file.write_bytes(library.output)
                words.append(f"--extern={source.name}={file}")
            yield tuple(words)

    # Compiling ----------------------------------------------------------------------------

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
            target=built_as.target,
            exports=crate.exports if crate else (),
            folder=Path(source.folder).absolute(),
            env=_cargo_variables(source),
            incremental=bool(self.crates and crate) and built_as.profile is not Profile.SIZE,
        )

    def _compile(self, unit: Unit, words: tuple[str, ...]) -> Compiled:
        """Run rustc, with the lean standard library where that works."""
        try:
            with self._bench(unit, words) as (bench, sysroot):
                return self._compile_on(bench, unit, sysroot)
        except OSError as error:
            raise BuildError(
                f"{unit.label} could not be compiled: {error}.",
                hint=f"Compiling needs a little room in {tempfile.gettempdir()}; TMPDIR names another folder.",
            ) from error

    def _compile_on(self, bench: Bench, unit: Unit, sysroot: Path | None) -> Compiled:
        """The ways of compiling, the quickest first, until one gives a module or blames the code."""
        light: Compiled | None = None
        if sysroot:
            on_lean = bench.with_sysroot(sysroot)
            light, line_failed = self._overlapped(on_lean, unit)
            if light is None:
                light = compile_unit(unit, self.toolchain, on_lean)
                self._step("rustc, lean std")
                if line_failed and light.output is not None:
                    link.give_up(unit, self.toolchain, on_lean, self.cache, self._crates_key)
            if light.output is None and blames_the_code(light.finished.stderr):
                return light
            if light.output is not None and not lean.misses_symbols(light.output):
                return light
            _needs_whole_library.add((unit.name, unit.target))
        whole = compile_unit(unit, self.toolchain, bench)
        self._step("rustc")
        failed = (
            light is not None and light.output is None and "undefined symbol" not in light.finished.stderr
        )
        if sysroot and failed and whole.output is not None:
            lean.give_up(sysroot)
        return whole

    def _overlapped(self, bench: Bench, unit: Unit) -> tuple[Compiled | None, bool]:
        """What rustc and the linker give side by side, and whether the linker failed at it."""
        if self.source.uses or not link.is_ordinary(unit):
            return None, False
        line = link.line_for(unit, self.toolchain, bench, self.cache, self._crates_key)
        if line is None:
            return None, False
        self._step("prepare")
        compiled = link.compile_and_link(unit, self.toolchain, bench, line)
        self._step("rustc beside its linker, lean std")
        return compiled, compiled is None

    @property
    def _crates_key(self) -> str:
        return self.crates.key if self.crates else ""

    @contextlib.contextmanager
    def _bench(self, unit: Unit, words: tuple[str, ...]) -> Iterator[tuple[Bench, Path | None]]:
        """Folders to compile in, and the lean sysroot if it is to be tried."""
        sysroot = self._lean_sysroot(unit)
        if unit.incremental:
            with self._incremental_folder(unit) as folder:
                scratch = folder / "work"
                scratch.mkdir(exist_ok=True)
                yield Bench(scratch=scratch, incremental=folder / "state", words=words), sysroot
        else:
            with _temporary_folder() as folder:
                yield Bench(scratch=folder, words=words), sysroot

    @contextlib.contextmanager
    def _incremental_folder(self, unit: Unit) -> Iterator[Path]:
        """The folder of this crate's incremental state; an empty one while another process uses that."""
        from filelock import Timeout

        key = unit_key(unit.without_text(), self.toolchain, *self._keys())
        try:
            folder = self.cache.folder("incremental", key)
            lock = self.cache.lock("incremental", key).acquire(timeout=0)
        except (OSError, Timeout):
            with _temporary_folder() as folder:
                yield folder
            return
        with lock:
            try:
                yield folder
            finally:
                shutil.rmtree(folder / "work", ignore_errors=True)

    def _lean_sysroot(self, unit: Unit) -> Path | None:
        if unit.profile is Profile.SIZE:  # link-time optimisation needs what was left out
            return None
        if self._native or (unit.name, unit.target) in _needs_whole_library:
            return None
        return lean.lean_sysroot(self.toolchain, unit.target, self.cache)

    _native = False  # whether a crate brings a native library, which may call any function of libc

    def _step(self, name: str) -> None:
        now = time.perf_counter_ns()
        self.steps.append(Step(name, now - self._since))
        self._since = now


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-build-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()  # rustc resolves links before it compares a path with the remapped one


def _refuse_what_cannot_be_built(source: Source) -> None:
    if source.kind is Kind.FUNCTIONS and source.target is Target.WASIP2:
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


def _cargo_variables(source: Source) -> dict[str, str]:
    """What cargo sets for a crate that it compiles, and code written for cargo reads by ``env!``."""
    return {
        "CARGO_CRATE_NAME": source.name,
        "CARGO_MANIFEST_DIR": str(Path(source.folder).absolute()),
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
