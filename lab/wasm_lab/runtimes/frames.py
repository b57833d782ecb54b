"""Which frames of a backtrace are the learner's own, for every engine that tells of frames."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
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
_HASH = re.compile(r"::h[0-9a-f]{16}(?!\w)|\[[0-9a-f]{8,16}\]")

#: What stands before a ``<`` that opens generic arguments; one anywhere else begins a path such as
#: ``<T as Trait>::name``. ``operator<`` and its kin are names of C++.
_BEFORE_ARGUMENTS = re.compile(r"(?:[\w}\])]|::)$")
_OPERATOR = re.compile(r"\boperator[-<>=]{0,2}$")

#: Frames of Rust's runtime and standard library, and of C's start-up code.
_RUNTIME = re.compile(
    r"<?(?:&|mut |dyn )*(?:std|core|alloc|panic_abort|panic_unwind|test|compiler_builtins)::"
    r"|__rust|_?rust_(?:panic|begin|oom|eh)|rust_begin_unwind|__rg_|__rdl_"
    r"|__wasi_|__wasilibc_|clock_nanosleep$|_start$|_initialize$|__main_void$|__main_argc_argv$|__original_main$|main$|abort$|_Exit$|__wasm_call_"
    r"|cabi_realloc$|indirect-"  # between the modules of a component
    r"|.*\.command_export$|undefined_weak:|(?:dl)?malloc$|<unknown>"
)

#: What the names of files begin with that the lab adds to a cell: glue, bindings of WIT, what those need
#: (`wasm_lab.build.crate.GLUE_FILE`, `wasm_lab.build.world_crate.BINDINGS_FILE`).
ADDED_FILE = "__wasm_lab_"

#: Zig's own sources, and the headers of its C and C++ libraries.
_ZIG_LIBRARY = re.compile(r"(?:^|/)lib/(?:std|compiler_rt|libc|libcxx|libcxxabi|libunwind)/")

#: The folder that a cell was compiled in, of which Zig's debug information tells.
_WORK_FOLDER = re.compile(r"^.*wasm-lab-build-[^/]+/")

#: What engines make of names of one letter, which they take for mangled C++ types (Itanium C++ ABI, 5.1.5.2).
_ONE_LETTER = {
    "signed char": "a",
    "bool": "b",
    "char": "c",
    "double": "d",
    "long double": "e",
    "float": "f",
    "__float128": "g",
    "unsigned char": "h",
    "int": "i",
    "unsigned int": "j",
    "long": "l",
    "unsigned long": "m",
    "__int128": "n",
    "unsigned __int128": "o",
    "short": "s",
    "unsigned short": "t",
    "void": "v",
    "wchar_t": "w",
    "long long": "x",
    "unsigned long long": "y",
    "...": "z",
}

#: Functions of CPython's interpreter loop, below which all frames are the interpreter's; and the function of
#: componentize-py that calls into it, above which those of the component's exports are.
_INTERPRETER, _INTERPRETER_CALLED = "_PyEval_", "wit_dylib_export_call"

#: Frames shown of a module without names.
_UNNAMED_FRAMES = 3

#: Frames shown of a function that calls itself.
_REPEATED_FRAMES = 2


def own_frames(every: Sequence[Frame]) -> Iterator[Frame]:
    """The learner's frames, innermost first; all of them if none are the learner's, but for an interpreter's."""
    every = [replace(frame, file=_WORK_FOLDER.sub("", frame.file)) for frame in every]
    every = _without_interpreter(every)
    named = [frame for frame in every if not frame.function.startswith("<wasm function ")]
    own = [frame for frame in named if not _of_a_library(frame)]
    # Numbers of functions tell little, and a stripped module has nothing else.
    for _, alike in itertools.groupby(own or named or every[:_UNNAMED_FRAMES], key=_identity):
        yield from itertools.islice(alike, _REPEATED_FRAMES)


def _without_interpreter(every: list[Frame]) -> list[Frame]:
    """The frames of what an interpreter calls and is called by; its own tell a learner nothing."""
    if not any(frame.function.startswith(_INTERPRETER) for frame in every):
        return every
    called = [frame.function for frame in every]
    outside = (
        len(every) - called[::-1].index(_INTERPRETER_CALLED) if _INTERPRETER_CALLED in called else len(every)
    )
    return [
        frame for at, frame in enumerate(every) if at >= outside or (frame.file and not _of_a_library(frame))
    ]


def _identity(frame: Frame) -> tuple[object, ...]:
    """What two frames share that are of the same function. Closures have their names in common with others."""
    anonymous = frame.function.startswith("{")
    return (frame.function, frame.file, frame.line) if anonymous else (frame.function,)


def _is_added(file: str) -> bool:
    return file.replace("\\", "/").rpartition("/")[2].startswith(ADDED_FILE)


def _of_a_library(frame: Frame) -> bool:
    """Whether a frame is of Rust's or C's own libraries; the place tells more surely than the name."""
    if frame.file:
        return (
            frame.file.startswith("/rustc/")
            or "/wasi-libc/" in frame.file
            or _is_added(frame.file)
            or bool(_ZIG_LIBRARY.search(frame.file))
        )
    return bool(_RUNTIME.match(frame.function))


def recurses(every: Sequence[Frame], most: int) -> bool:
    """Whether the backtrace is full, and of few functions over and over.

    Args:
        most: how many frames the engine tells of at most.
    """
    return len(every) >= most and len({frame.function for frame in every[:most]}) <= 4


def plain_name(name: str) -> str:
    """A function's name without the module's before it, Rust's hashes, and generic arguments.

    Example:
        >>> plain_name("cell.wasm!cell::add::<fn(u32) -> u32, {closure#0}>::h0123456789abcdef")
        'cell::add'
        >>> plain_name("<cell::Shop<T> as core::ops::Drop>::drop")
        '<cell::Shop as core::ops::Drop>::drop'
    """
    plain = _without_arguments(_HASH.sub("", _MODULE.sub("", name)))
    return _ONE_LETTER.get(plain, plain)


def _without_arguments(name: str) -> str:
    """In one pass, because a hostile module's names may be long and full of brackets."""
    kept: list[str] = []
    opened: list[int] = []  # where in ``kept`` arguments begin; -1 for the ``<`` of a path
    last = ""
    for place, letter in enumerate(name):
        if letter == "<" and not _OPERATOR.search(name[max(0, place - 12) : place]):
            arguments = _BEFORE_ARGUMENTS.search(name[max(0, place - 2) : place])
            path = not arguments or name.startswith("<impl ", place)
            opened.append(-1 if path else len(kept))
        kept.append(letter)
        if letter == ">" and last != "-" and opened:  # "->" is of a function's type
            start = opened.pop()
            if start >= 0:
                del kept[start:]
                if kept[-2:] == [":", ":"]:
                    del kept[-2:]
        last = letter
    return "".join(kept)
