"""The ways of compiling a crate, the quickest first."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build import lean, link
from wasm_lab.build.key import unit_key
from wasm_lab.build.refusal import blames_the_code
from wasm_lab.build.rustc import Bench, Compiled, compile_unit
from wasm_lab.errors import NoRoomError
from wasm_lab.source import Profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasm_lab.build.cache import Cache
    from wasm_lab.build.crates import CrateSet
    from wasm_lab.build.progress import Progress
    from wasm_lab.build.unit import Unit
    from wasm_lab.toolchains.rust import RustToolchain

#: Crates of this process that call what the lean library leaves out, so that an edit of one is
#: not compiled twice.
_needs_whole_library: set[tuple[str, str]] = set()


class Compiler:
    """A toolchain, the crates to compile against, and where to keep what helps the next compile.

    Args:
        step: called with the name of each step when it ends.
    """

    def __init__(
        self,
        toolchain: RustToolchain,
        cache: Cache,
        crates: CrateSet | None,
        *,
        step: Callable[[str], None],
        progress: Progress | None,
    ) -> None:
        self.toolchain = toolchain
        self.cache = cache
        self.crates = crates
        self.step = step
        self.progress = progress
        self._native = False  # whether a crate brings a native library, which may call all of libc

    def _crate_words(self) -> tuple[str, ...]:
        if self.crates is None:
            return ()
        from wasm_lab.build.crates import built

        made = built(self.crates, self.cache, progress=self.progress)
        self._native = made.native
        self.step("crates")
        return made.words

    def compile(self, unit: Unit, words: tuple[str, ...] = ()) -> Compiled:
        """Compile ``unit``, against the crates of the set and what ``words`` name.

        Raises:
            DependencyError: a crate could not be built.
            NoRoomError: there is no room to compile in, or no compiler any more.
            KeyboardInterrupt: the user interrupted; all tools have been stopped.
        """
        crate_words = self._crate_words()
        try:
            with self._bench(unit, (*words, *crate_words)) as (bench, sysroot):
                return self._compile_on(bench, unit, sysroot, alone=not words)
        except OSError as error:
            raise NoRoomError(
                f"{unit.label} could not be compiled: {error}.",
                hint=f"Compiling needs a little room in {tempfile.gettempdir()}; TMPDIR names another folder.",
            ) from error

    def _compile_on(self, bench: Bench, unit: Unit, sysroot: Path | None, *, alone: bool) -> Compiled:
        """The ways of compiling, the quickest first, until one gives a module or blames the code."""
        light: Compiled | None = None
        if sysroot:
            on_lean = bench.with_sysroot(sysroot)
            light, line_failed = self._overlapped(on_lean, unit) if alone else (None, False)
            if light is None:
                light = compile_unit(unit, self.toolchain, on_lean)
                self.step("rustc, lean std")
                if line_failed and light.output is not None:
                    link.give_up(unit, self.toolchain, on_lean, self.cache, self._crates_key)
            if light.output is None and blames_the_code(light.finished.stderr):
                return light
            if light.output is not None and not lean.misses_symbols(light.output):
                return light
            if not unit.walled:  # what nobody trusts decides nothing about the next compile
                _needs_whole_library.add((unit.name, unit.target))
        whole = compile_unit(unit, self.toolchain, bench)
        self.step("rustc")
        failed = (
            light is not None and light.output is None and "undefined symbol" not in light.finished.stderr
        )
        if sysroot and failed and whole.output is not None and not unit.walled:
            lean.give_up(sysroot)
        return whole

    def _overlapped(self, bench: Bench, unit: Unit) -> tuple[Compiled | None, bool]:
        """What rustc and the linker give side by side, and whether the linker failed at it."""
        if unit.walled or not link.is_ordinary(unit):  # a linker beside it would need walls of its own
            return None, False
        line = link.line_for(unit, self.toolchain, bench, self.cache, self._crates_key)
        if line is None:
            return None, False
        self.step("prepare")
        compiled = link.compile_and_link(unit, self.toolchain, bench, line)
        self.step("rustc beside its linker, lean std")
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
                shutil.rmtree(scratch, ignore_errors=True)  # of a process that was killed
                scratch.mkdir()
                yield Bench(scratch=scratch, incremental=folder / "state", words=words), sysroot
        else:
            with _temporary_folder() as folder:
                yield Bench(scratch=folder, words=words), sysroot

    @contextlib.contextmanager
    def _incremental_folder(self, unit: Unit) -> Iterator[Path]:
        """The folder of this crate's incremental state; an empty one while another process uses that."""
        from filelock import Timeout

        key = unit_key(unit.without_text(), self.toolchain, self.crates.content_key if self.crates else "")
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
        if unit.for_host:
            return None
        if unit.profile is Profile.SIZE:  # link-time optimisation needs what was left out
            return None
        if self._native or (unit.name, unit.target) in _needs_whole_library:
            return None
        return lean.lean_sysroot(self.toolchain, unit.target, self.cache)


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-build-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()  # rustc resolves links before it compares a path with the remapped one


@contextlib.contextmanager
def folder_of_libraries() -> Iterator[Path]:
    """An empty folder for the libraries of earlier cells."""
    with tempfile.TemporaryDirectory(prefix="wasm-lab-cells-") as folder:
        yield Path(folder)
