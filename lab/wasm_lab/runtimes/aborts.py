"""What Rust says on standard error before it aborts: the same under every runtime."""

from __future__ import annotations

import re

from wasm_lab.run import TrapKind

#: ``std::panicking::default_hook`` writes this to stderr; since Rust 1.91 with a thread number.
_PANIC = re.compile(
    r"^thread '[^\n]*?' (?:\(\d+\) )?panicked at (?P<place>[^\n]*?):\n(?P<message>.*?)"
    r"(?=\nnote: run with `RUST_BACKTRACE=|\nstack backtrace:\n|\nthread '|\Z)",
    re.MULTILINE | re.DOTALL,
)

#: ``std::alloc::rust_oom`` writes this before it aborts.
_OUT_OF_MEMORY = re.compile(r"^memory allocation of (\d+) bytes failed$", re.MULTILINE)

#: ``std::rt::init`` and ``rtabort!`` write this for aborts that are no panic.
_FATAL = re.compile(r"^fatal runtime error: (.*)$", re.MULTILINE)


def rust_abort(stderr: str) -> tuple[TrapKind, str] | None:
    """Why Rust aborted, by the last of what it said, and its message; None if it said nothing.

    Example:
        >>> rust_abort("memory allocation of 8 bytes failed")
        (<TrapKind.ALLOCATION: 'memory limit reached'>, 'memory allocation of 8 bytes failed')
    """
    panic = list(_PANIC.finditer(stderr))
    memory = list(_OUT_OF_MEMORY.finditer(stderr))
    fatal = list(_FATAL.finditer(stderr))
    last = max(
        (found[-1] for found in (panic, memory, fatal) if found), key=lambda m: m.start(), default=None
    )
    if last is None:
        return None
    if memory and last is memory[-1]:
        return TrapKind.ALLOCATION, last[0]
    if fatal and last is fatal[-1]:
        return TrapKind.UNREACHABLE, last[0]
    return TrapKind.PANIC, last["message"].rstrip("\n")
