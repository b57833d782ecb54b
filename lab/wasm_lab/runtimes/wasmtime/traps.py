"""From what the engine reports to a TrapInfo: kind, message and the learner's own frames."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from wasmtime import Trap, TrapCode, WasmtimeError

from wasm_lab.run import Frame, TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort, scripted_abort
from wasm_lab.runtimes.frames import STACK_IN_MEMORY, own_frames, plain_name, recurses
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
    frames = tuple(own_frames(every))
    kind = limit or _kind(failure, text)
    message = kind.value
    if kind is TrapKind.UNREACHABLE:
        kind, message = _abort(stderr, every)
        scripted = scripted_abort(stderr)
        if scripted is not None:  # the frames of its interpreter tell a learner nothing
            return TrapInfo(kind=TrapKind.PANIC, message=scripted[0], frames=scripted[1])
    elif kind is TrapKind.OUT_OF_BOUNDS and recurses(every, _MOST_FRAMES):
        kind, message = TrapKind.STACK_OVERFLOW, STACK_IN_MEMORY
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
    # Every program of Rust's runs inside of catch_unwind, which is told where std has its debug information.
    panicking = [frame for frame in every if "panicking::" in frame.function]
    if said is None and any("catch_unwind" not in frame.function for frame in panicking):
        return TrapKind.PANIC, "its own message stands above"
    return said or (TrapKind.UNREACHABLE, TrapKind.UNREACHABLE.value)


def _cause(text: str) -> str:
    """The innermost cause in the engine's text, on one line."""
    _, separator, causes = text.partition("Caused by:\n")
    lines = [line.strip() for line in (causes if separator else text).splitlines() if line.strip()]
    last = lines[-1] if separator and lines else (lines[0] if lines else "")
    return re.sub(r"^\d+: ", "", last).removeprefix("wasm trap: ")


def _all_frames(lines: Iterable[str]) -> Iterator[Frame]:
    name, offset, pending = "", 0, False
    for line in lines:
        frame, place, inlined = _FRAME.match(line), _PLACE.match(line), _INLINED.match(line)
        if frame or (inlined and name):
            if pending:
                yield Frame(function=name, offset=offset)
            raw = frame["name"] if frame else inlined["name"]  # type: ignore[index]
            offset = int(frame["offset"], 16) if frame else offset
            name, pending = plain_name(raw), True
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
