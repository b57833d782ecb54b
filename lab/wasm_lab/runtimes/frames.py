"""Which frames of a backtrace are the learner's own, for every engine that tells of frames."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.run import Frame

#: What a stack overflow is called that comes as an access below linear memory: the stack of Rust's and
#: C's larger variables lies at its bottom.
STACK_IN_MEMORY = "the stack in linear memory is full"

#: The module's name before a function's; ``!`` is a type of Rust's too, inside of brackets.
_MODULE = re.compile(r"^(?:<unknown>|[^!<>]*)!(?=.)")

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


def own_frames(every: Sequence[Frame]) -> Iterator[Frame]:
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


def recurses(every: Sequence[Frame], most: int) -> bool:
    """Whether the backtrace is full, and of few functions over and over.

    Args:
        most: how many frames the engine tells of at most.
    """
    return len(every) >= most and len({frame.function for frame in every[:most]}) <= 4


def plain_name(name: str) -> str:
    """A function's name without the module's before it and Rust's hashes."""
    return _HASH.sub("", _MODULE.sub("", name))
