"""What every language's build does: look in the cache, else compile behind walls; then an Artifact."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact, Step
from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.stored import file_digest
from wasm_lab.build.unit import PASSED_VARIABLES
from wasm_lab.confine.landlock import Openings, landlock_version
from wasm_lab.confine.process import Bounds, Stop, run_confined
from wasm_lab.errors import BuildError, CompileError
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wasm_lab.build.progress import Progress
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

#: Kind of the cache's entries; the rest of an entry's name is the digest of all that decides it.
CACHE_KIND = "wasm-of-languages"

#: Seconds for one compile. The first with a library that has to be built takes a minute or two.
DEADLINE_S = 600.0

#: Bytes that a compiler may say. A template of C++ can make megabytes of messages.
OUTPUT_BYTES = 4 * 1024 * 1024

#: Seconds between two words on how long something has taken.
TELL_S = 1.0

#: Characters of the end of what a broken compiler said that go into the message.
SAID_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Made:
    """What one compile gave: the module, or None, and what the compiler said."""

    output: bytes | None
    said: str
    status: int = 0
    inputs: tuple[str, ...] = ()  #: files of the learner's that it read beside the text
    kind: Kind | None = None  #: what the text turned out to be, where that is not what it was taken for


class Making:
    """One build of a Source in a language other than Rust, with the steps that it took."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.cache = default_cache()
        self._steps: list[Step] = []
        self._since = time.perf_counter_ns()

    def step(self, name: str) -> None:
        """Note that a step has ended."""
        now = time.perf_counter_ns()
        self._steps.append(Step(name, now - self._since))
        self._since = now

    def artifact(
        self,
        *,
        compiler: str,
        decides: Sequence[object],
        make: Callable[[], Made],
        read: Callable[[str, Source], tuple[Diagnostic, ...]],
        hint: Callable[[Sequence[Diagnostic], Source], str],
    ) -> Artifact:
        """The artifact, from the cache or made now.

        Args:
            compiler: its name and version, which decide the result too.
            decides: all that changes the result beside the text, its place and its profile, as values of JSON.
            make: compiles.
            read: what the compiler said, as messages in the lines of the cell.
            hint: what to do next about errors.

        Raises:
            CompileError: the compiler refused the code.
            BuildError: the compiler broke down, ran out of time or said too much.
        """
        source = self.source
        key = digest(
            source.language,
            source.code,
            source.kind,
            source.label,
            source.first_line,
            source.profile,
            source.name,
            compiler,
            *decides,
        )
        found = self._recalled(key)
        cached = found is not None
        if found is None:
            try:
                made = make()
            except OSError as error:
                raise BuildError(
                    f"{source.label} could not be compiled: {error}.",
                    hint=f"Compiling needs a little room in {tempfile.gettempdir()}; TMPDIR names another folder.",
                ) from error
            if made.output is None:
                raise self._refusal(made, read, hint, compiler)
            head = {
                "said": made.said,
                "inputs": {path: file_digest(path) for path in made.inputs},
                "kind": made.kind,
            }
            self.cache.put(CACHE_KIND, key, json.dumps(head).encode() + b"\n" + made.output)
            found = made
        warnings = read(found.said, source)
        self.step("cache")
        assert found.output is not None
        return Artifact(
            wasm=found.output,
            label=source.label,
            source=replace(source, kind=found.kind) if found.kind else source,
            compiler=compiler,
            steps=tuple(self._steps),
            cached=cached,
            warnings=warnings,
        )

    def _recalled(self, key: str) -> Made | None:
        data = self.cache.get(CACHE_KIND, key)
        if data is None:
            return None
        head, _, output = data.partition(b"\n")
        header = json.loads(head)  # the cache has checked that these are the bytes that were written
        if any(file_digest(path) != was for path, was in header["inputs"].items()):
            return None
        kind = header.get("kind")
        return Made(output, header["said"], kind=Kind(kind) if kind else None)

    def _refusal(
        self,
        made: Made,
        read: Callable[[str, Source], tuple[Diagnostic, ...]],
        hint: Callable[[Sequence[Diagnostic], Source], str],
        compiler: str,
    ) -> BuildError:
        label = self.source.label
        diagnostics = read(made.said, self.source)
        errors = [each for each in diagnostics if each.level == "error"]
        if not errors:
            said = made.said.strip()[-SAID_LENGTH:] or "nothing"
            return BuildError(
                f"{label} did not compile: {compiler} ended with status {made.status} and said: {said}",
                hint="A negative status is a signal, such as -9 when memory ran out.",
            )
        count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
        return CompileError(
            f"{label} did not compile: {count}.",
            diagnostics=diagnostics,
            rendered="\n\n".join(each.rendered.rstrip() for each in diagnostics if each.rendered) + "\n",
            hint=hint(diagnostics, self.source),
        )


def run_compiler(
    command: Sequence[str | Path],
    *,
    folder: Path,
    env: Mapping[str, str],
    label: str,
    reads: Sequence[Path],
    writes: Sequence[Path] = (),
    executes: Sequence[Path],
    deadline_s: float = DEADLINE_S,
    on_wait: Callable[[], None] | None = None,
) -> tuple[int, str]:
    """Run a compiler to its end: nearly no environment, a deadline, walls. Gives its status and what it said.

    Args:
        folder: where it works; it may write there.
        reads, writes, executes: what else it may open, where the kernel can hold it to that (Landlock).
        on_wait: called again and again while it works.

    Raises:
        OSError: it cannot be started.
        BuildError: it took too long or said too much.
        KeyboardInterrupt: the user interrupted; it has been stopped.
    """
    openings = None
    if landlock_version():
        openings = Openings(
            read=tuple(reads),
            write=(folder, *writes, Path("/dev/null")),
            execute=tuple(executes),
        )
    ended = run_confined(
        [os.fspath(word) for word in command],
        bounds=Bounds(openings=openings, deadline_s=deadline_s, output_bytes=OUTPUT_BYTES),
        env=env,
        cwd=folder,
        on_wait=on_wait,
    )
    said = (ended.stdout + ended.stderr).decode("utf-8", "replace")
    if ended.stop is Stop.DEADLINE:
        raise BuildError(
            f"{label} was not compiled within {deadline_s:.0f} s, and the compiler was stopped.",
            hint="Code that is worked out while it compiles (templates, constexpr, comptime) may never end.",
        )
    if ended.stop is Stop.OUTPUT:
        raise BuildError(
            f"{label}: the compiler said more than {OUTPUT_BYTES >> 20} MB, and was stopped. It began: {said[:2000]}",
            hint="The first message is the one to mend.",
        )
    return ended.status, said


def teller(what: str, progress: Progress | None) -> Callable[[], None]:
    """What tells now and then, after the first second, for how long something has been going on."""
    started = told = time.monotonic()

    def tell() -> None:
        nonlocal told
        now = time.monotonic()
        if progress and now - told >= TELL_S:
            told = now
            progress(f"{what} ({now - started:.0f} s so far)", 0, 0)

    return tell


def compiler_environment(**more: str) -> dict[str, str]:
    """What a compiler sees of this process's environment: room, and no more; and what is set for it."""
    passed = {name: os.environ[name] for name in PASSED_VARIABLES if name in os.environ and name != "PATH"}
    return {**passed, **more}


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A folder to compile in, which goes when the compile has ended."""
    with tempfile.TemporaryDirectory(prefix="wasm-lab-build-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()
