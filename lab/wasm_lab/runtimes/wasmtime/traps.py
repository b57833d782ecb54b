"""From what the engine reports to a TrapInfo: kind, message and the learner's own frames."""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING

from wasmtime import Trap, TrapCode, WasmtimeError

from wasm_lab.run import Frame, TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort
from wasm_lab.runtimes.wasmtime import native

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS = {
    TrapCode.STACK_OVERFLOW: TrapKind.STACK_OVERFLOW,
    TrapCode.MEMORY_OUT_OF_BOUNDS: TrapKind.OUT_OF_BOUNDS,
    TrapCode.HEAP_MISALIGNED: TrapKind.OUT_OF_BOUNDS,
    TrapCode.ARRAY_OUT_OF_BOUNDS: TrapKind.OUT_OF_BOUNDS,
    TrapCode.TABLE_OUT_OF_BOUNDS: TrapKind.TABLE,
    TrapCode.INDIRECT_CALL_TO_NULL: TrapKind.INDIRECT_CALL,
    TrapCode.BAD_SIGNATURE: TrapKind.INDIRECT_CALL,
    TrapCode.INTEGER_OVERFLOW: TrapKind.INTEGER_OVERFLOW,
    TrapCode.INTEGER_DIVISION_BY_ZERO: TrapKind.DIVIDE_BY_ZERO,
    TrapCode.BAD_CONVERSION_TO_INTEGER: TrapKind.BAD_CONVERSION,
    TrapCode.UNREACHABLE: TrapKind.UNREACHABLE,
    TrapCode.OUT_OF_FUEL: TrapKind.FUEL,
    TrapCode.ALLOCATION_TOO_LARGE: TrapKind.ALLOCATION,
}

#: One frame in the engine's own text; the lines after it may hold the source place.
_FRAME = re.compile(r"^\s+\d+:\s+0x(?P<offset>[0-9a-f]+) - (?P<name>.*)$")
_PLACE = re.compile(r"^\s+at (?P<file>.*?):(?P<line>\d+)(?::(?P<column>\d+))?$")
_INLINED = re.compile(r"^\s+- (?P<name>.*)$")

#: The module's name before a function's; ``!`` is a type of Rust's too, inside of brackets.
_MODULE = re.compile(r"^[^!<>]*!(?=.)")

#: Hashes that Rust appends to names: ``::h0123456789abcdef`` (legacy), ``[0123abcd]`` (v0).
_HASH = re.compile(r"::h[0-9a-f]{16}$|\[[0-9a-f]{8,16}\]")

#: Frames of Rust's runtime and standard library, and of C's start-up code.
_RUNTIME = re.compile(
    r"<?(?:&|mut |dyn )*(?:std|core|alloc|panic_abort|panic_unwind|test|compiler_builtins)::"
    r"|__rust|_?rust_(?:panic|begin|oom|eh)|rust_begin_unwind|__rg_|__rdl_"
    r"|__wasi_|__wasilibc_|clock_nanosleep$|_start$|_initialize$|__main_void$|__main_argc_argv$|__original_main$|main$|abort$|_Exit$|__wasm_call_"
    r"|.*\.command_export$|undefined_weak:|(?:dl)?malloc$|<unknown>"
)

#: Where the functions stand that the lab adds to a cell (`wasm_lab.build.crate.GLUE_FILE`).
GLUE_FILE = "__wasm_lab_glue.rs"

#: Frames shown of a module without names.
_UNNAMED_FRAMES = 3

#: Frames shown of a function that calls itself.
_REPEATED_FRAMES = 2

#: Frames that the engine tells of at most (wasmtime `Config::wasm_backtrace_max_frames`).
_MOST_FRAMES = 20


def trap_info(failure: WasmtimeError | Trap, *, limit: TrapKind | None, stderr: str) -> TrapInfo:
    """What stopped the guest.

    Args:
        failure: what the engine reported.
        limit: the limit that a guard enforced, if one did.
        stderr: what the guest wrote there; Rust says there why it panicked.
    """
    text = str(failure)
    every = list(_all_frames(text.splitlines()))
    frames = tuple(_own(every))
    kind = limit or _kind(failure, text)
    message = kind.value
    if kind is TrapKind.UNREACHABLE:
        kind, message = _abort(stderr, every)
    elif kind is TrapKind.OUT_OF_BOUNDS and _recurses(every):
        # The stack of Rust's and C's larger variables lies at the bottom of linear memory.
        kind, message = TrapKind.STACK_OVERFLOW, "the stack in linear memory is full"
    elif kind in {TrapKind.HOST, TrapKind.OTHER}:
        message = _cause(text)
        if "exceeds memory limits" in message or "memory count too high" in message:
            kind = TrapKind.ALLOCATION
    return TrapInfo(kind=kind, message=message, frames=frames)


def _kind(failure: WasmtimeError | Trap, text: str) -> TrapKind:
    code = failure.trap_code if isinstance(failure, Trap) else None
    if code is not None:
        return _KINDS.get(code, TrapKind.OTHER)
    # A component's trap comes as an error without a code, but says the same.
    return _kinds_by_message().get(_cause(text), TrapKind.HOST)


@functools.cache
def _kinds_by_message() -> dict[str, TrapKind]:
    """What the engine says for each code, asked from it."""
    messages = {}
    for code, kind in _KINDS.items():
        messages[_cause(native.trap_of(code).message)] = kind
    return messages


def _abort(stderr: str, every: list[Frame]) -> tuple[TrapKind, str]:
    """Why Rust executed ``unreachable``, as far as it said so."""
    said = rust_abort(stderr)
    if said is None and any("panicking::" in frame.function for frame in every):
        return TrapKind.PANIC, "its own message stands above"
    return said or (TrapKind.UNREACHABLE, TrapKind.UNREACHABLE.value)


def _cause(text: str) -> str:
    """The innermost cause in the engine's text, on one line."""
    _, separator, causes = text.partition("Caused by:\n")
    lines = [line.strip() for line in (causes if separator else text).splitlines() if line.strip()]
    last = lines[-1] if separator and lines else (lines[0] if lines else "")
    return re.sub(r"^\d+: ", "", last).removeprefix("wasm trap: ")


def _own(every: list[Frame]) -> Iterator[Frame]:
    """The learner's frames, innermost first; all of them if none are the learner's."""
    named = [frame for frame in every if not frame.function.startswith("<wasm function ")]
    own = [frame for frame in named if not _of_a_library(frame)]
    # Numbers of functions tell little, and a stripped module has nothing else.
    for _, alike in itertools.groupby(
        own or named or every[:_UNNAMED_FRAMES], key=lambda frame: frame.function
    ):
        yield from itertools.islice(alike, _REPEATED_FRAMES)


def _of_a_library(frame: Frame) -> bool:
    """Whether a frame is of Rust's or C's own libraries; the place tells more surely than the name."""
    if frame.file:
        return frame.file.startswith("/rustc/") or frame.file.endswith(GLUE_FILE)
    return bool(_RUNTIME.match(frame.function))


def _recurses(every: list[Frame]) -> bool:
    """Whether the backtrace is full, and of few functions over and over."""
    return len(every) >= _MOST_FRAMES and len({frame.function for frame in every[:_MOST_FRAMES]}) <= 4


def _all_frames(lines: Iterable[str]) -> Iterator[Frame]:
    name, offset, pending = "", 0, False
    for line in lines:
        frame, place, inlined = _FRAME.match(line), _PLACE.match(line), _INLINED.match(line)
        if frame or (inlined and name):
            if pending:
                yield Frame(function=name, offset=offset)
            raw = frame["name"] if frame else inlined["name"]  # type: ignore[index]
            offset = int(frame["offset"], 16) if frame else offset
            name, pending = _plain(raw), True
        elif place and pending:
            column = int(place["column"] or 0)
            yield Frame(
                function=name, file=place["file"], line=int(place["line"]), column=column, offset=offset
            )
            pending = False
        elif pending:
            yield Frame(function=name, offset=offset)
            pending = False
            if not line.startswith(" "):
                return
    if pending:
        yield Frame(function=name, offset=offset)


def _plain(name: str) -> str:
    """A function's name without the module's before it and Rust's hashes."""
    return _HASH.sub("", _MODULE.sub("", name))
