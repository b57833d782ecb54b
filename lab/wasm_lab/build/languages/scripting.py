"""What Python and JavaScript have in common: a tool behind walls, messages at the lines of the cell."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import Artifact, Step, Template
from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.languages import slot
from wasm_lab.build.layout import draw, text
from wasm_lab.confine.landlock import Openings, landlock_version
from wasm_lab.confine.process import Bounds, Ended, Stop, run_confined
from wasm_lab.diagnostic import Diagnostic, Span
from wasm_lab.errors import BuildError, CompileError, ToolchainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

#: Bytes that a tool may write to its output before it is stopped.
OUTPUT_BYTES = 4 << 20

#: Nanoseconds from which getting a tool is a step of its own.
NOTABLE_NS = 200_000_000

#: What programs of this machine read before they run: libraries, and what Python asks the system.
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/proc", "/sys/fs/cgroup")


def teller(progress: Progress | None) -> Callable[[str], None]:
    """Where an installation's lines go."""
    return (lambda line: progress(line.strip(), 0, 0)) if progress else (lambda line: None)


def run_tool(
    source: Source,
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    reads: Sequence[Path],
    deadline_s: float,
    stdin: bytes = b"",
) -> Ended:
    """Run a tool that sees its own files, the system's programs and ``folder``, and may write only there.

    Args:
        env: what it needs of variables; it gets nothing of this process's own but the path.
        reads: folders of the tool.

    Raises:
        BuildError: it took too long or wrote too much.
        ToolchainError: it cannot be started.
    """
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    python = (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent.parent)
    openings = Openings(
        read=(Path("/dev/urandom"),),
        write=(folder, Path("/dev/null")),
        execute=(*map(Path, _SYSTEM), *python, *reads),
    )
    try:
        ended = run_confined(
            list(command),
            bounds=Bounds(
                openings=openings if landlock_version() else None,
                deadline_s=deadline_s,
                output_bytes=OUTPUT_BYTES,
            ),
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(temporary),
                "TMPDIR": str(temporary),
                "LC_ALL": "C.UTF-8",
                **env,
            },
            cwd=folder,
            stdin=stdin,
        )
    except OSError as error:
        raise ToolchainError(f"{command[0]} does not start: {error.strerror or error}.") from None
    if ended.stop is Stop.DEADLINE:
        raise BuildError(
            f"{source.label} did not become a component within {deadline_s:.0f} s.",
            hint="The text's own statements run while the component is made: is there an endless loop among them?",
        )
    if ended.stop is Stop.OUTPUT:
        raise BuildError(
            f"{source.label} wrote more than {OUTPUT_BYTES >> 20} MB while it was made a component."
        )
    return ended


@dataclass(frozen=True, slots=True)
class Base:
    """A component with a blank place for a text, and how it came to be."""

    wasm: bytes
    sha256: str
    steps: tuple[Step, ...]  #: empty when the cache had it


def base(source: Source, kind: str, parts: Sequence[Any], make: Callable[[list[Step]], bytes]) -> Base:
    """The component from the cache, or made by ``make``; by one process at a time.

    Args:
        parts: all that decides what is made, as values that JSON can hold.
        make: gets a list for its steps.

    Raises:
        BuildError: the cache cannot be written, or what ``make`` raises.
    """
    cache, key = default_cache(), digest(kind, list(parts))
    steps: list[Step] = []
    wasm = cache.get(kind, key)
    if wasm is None:
        try:
            lock = cache.lock(kind, key)
            with lock:
                wasm = cache.get(kind, key)
                if wasm is None:
                    wasm = make(steps)
                    cache.put(kind, key, wasm)
        except OSError as error:
            raise BuildError(
                f"{source.label} is made a component in {cache.root}, and that failed: {error.strerror or error}.",
                hint="Make room there, or set WASM_LAB_CACHE to a folder that can be written.",
            ) from error
    return Base(wasm, hashlib.sha256(wasm).hexdigest(), tuple(steps))


def has_base(kind: str, parts: Sequence[Any]) -> bool:
    """Whether the cache has what `base` would make."""
    return default_cache().get(kind, digest(kind, list(parts))) is not None


def artifact(source: Source, made: Base, text: bytes, *, compiler: str) -> Artifact:
    """The component with a text written into it."""
    began = time.perf_counter_ns()
    size = slot.size_for(text)
    wasm = slot.fill(made.wasm, text, source.label)
    step = Step("text", time.perf_counter_ns() - began)
    return Artifact(
        wasm=wasm,
        label=source.label,
        source=source,
        compiler=compiler,
        steps=(*made.steps, step),
        cached=not made.steps,
        template=Template(made.sha256, slot.blank(size), slot.filled(text, size)),
    )


def diagnostic(source: Source, message: str, line: int, column: int, length: int = 1) -> Diagnostic:
    """A message at a place of the text.

    Args:
        line: of ``source.code``, from 1; column from 1, in characters.
    """
    own = source.code.split("\n")
    line = min(max(line, 1), len(own))
    shown = own[line - 1].removesuffix("\r")
    number = line + source.first_line - 1
    length = max(1, min(length, len(shown) - column + 1))
    span = Span(label=source.label, line=number, column=column, end_line=number, end_column=column + length)
    drawn = draw(
        level="error",
        code="",
        message=message,
        place=(source.label, number, column),
        source=shown,
        length=length,
    )
    return Diagnostic(level="error", message=message, spans=(span,), rendered=text(drawn, color=True))


def refusal(
    source: Source, mistakes: Sequence[Diagnostic], *, hint: str = "", what: str = "did not compile"
) -> CompileError:
    """The exception for a text with these mistakes."""
    count = f"{len(mistakes)} error{'s' if len(mistakes) > 1 else ''}"
    return CompileError(
        f"{source.label} {what}: {count}.",
        diagnostics=tuple(mistakes),
        rendered="\n".join(each.rendered.rstrip() for each in mistakes) + "\n",
        hint=hint,
    )
