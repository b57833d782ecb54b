"""From what wasmer says of a stopped guest to a TrapInfo."""

from __future__ import annotations

import re

from wasm_lab.run import Frame, TrapInfo, TrapKind
from wasm_lab.runtimes.aborts import rust_abort
from wasm_lab.runtimes.frames import STACK_IN_MEMORY, own_frames, plain_name, recurses

#: ``at NAME (MODULE[INDEX]:0xOFFSET)``: one frame of wasmer's RuntimeError.
_FRAME = re.compile(r"^    at (?P<name>.*) \([^()]*\[\d+\]:0x(?P<offset>[0-9a-f]+)\)$", re.MULTILINE)

_FAILED = "command execution failed: "

#: A trap while it ran, or while the instance was made: by its start function, or a segment out of bounds.
_TRAPPED = tuple(
    f"{_FAILED}{when}RuntimeError: "
    for when in ("", "unable to spawn the command: Failed to create the instance - ")
)

#: Wasmer's words (``wasmer_types::TrapCode``) that are not those of the specification.
_KINDS = {
    **{kind.value: kind for kind in TrapKind},
    "undefined element: out of bounds table access": TrapKind.TABLE,
    "uninitialized element": TrapKind.INDIRECT_CALL,
    "indirect call type mismatch": TrapKind.INDIRECT_CALL,
    "misaligned heap": TrapKind.OUT_OF_BOUNDS,
    "unaligned atomic access": TrapKind.OUT_OF_BOUNDS,
}

#: A backtrace of at least so many frames, of few functions over and over, is a recursion.
_MANY_FRAMES = 20


def trap_info(text: str, stderr: str, *, shift_bytes: int = 0) -> TrapInfo | None:
    """What stopped the guest, from wasmer's message; None when the message is of another kind.

    Args:
        text: what the package said.
        stderr: what the guest wrote there; Rust says there why it panicked.
        shift_bytes: by how much the code lies further on in what was compiled than in the artifact.
    """
    begin = next((begin for begin in _TRAPPED if text.startswith(begin)), "")
    if not begin:
        return None
    said, _, _ = text.removeprefix(begin).partition("\n")
    every = [
        Frame(function=plain_name(match["name"]), offset=int(match["offset"], 16) - shift_bytes)
        for match in _FRAME.finditer(text)
    ]
    frames = tuple(own_frames(every))
    kind = _KINDS.get(said, TrapKind.OTHER)
    message = said
    if kind is TrapKind.UNREACHABLE:
        kind, message = rust_abort(stderr) or (kind, kind.value)
    elif kind is TrapKind.OUT_OF_BOUNDS and recurses(every, _MANY_FRAMES):
        kind, message = TrapKind.STACK_OVERFLOW, STACK_IN_MEMORY
    elif kind is not TrapKind.OTHER:
        message = kind.value
    return TrapInfo(kind=kind, message=message, frames=frames)


def reason(text: str) -> str:
    """Wasmer's message of a module that it cannot load, without what wraps it."""
    text = text.removeprefix(_FAILED).removeprefix("unable to spawn the command: ")
    return text.partition("\n")[0]
