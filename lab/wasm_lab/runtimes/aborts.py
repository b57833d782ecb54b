"""What a guest says on standard error before it aborts: the same under every runtime.

Rust tells its panic; the Python and JavaScript in a component tell the exception that nobody caught.
"""

from __future__ import annotations

import re

from wasm_lab.run import Frame, TrapKind

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


#: ``traceback.print_exception`` writes this: the frames are indented, the exception is not.
_TRACEBACK = re.compile(
    r"^Traceback \(most recent call last\):\n(?P<frames>(?:[ \t].*\n)+)(?P<message>\S[^\n]*)", re.MULTILINE
)
_PYTHON_FRAME = re.compile(
    r'^  File "(?P<file>[^"\n]*)", line (?P<line>\d+), in (?P<function>\S+)', re.MULTILINE
)

#: What componentize-py's runtime panics with after it has printed the traceback.
PYTHON_PANIC = "Python function threw an unexpected exception"


#: StarlingMonkey, the engine inside a component of JavaScript, writes this before it aborts; before that the
#: lab's own module (``js_entry.txt``) has told what was thrown.
_JS_ABORT = "Redirecting call to abort() to mozalloc_abort"
_JS_STACK = re.compile(r"(?P<message>[^\n]*)\nStack:\n(?P<frames>(?: +[^\n]*\n)*)")
_JS_TOLD = re.compile(
    r"^Uncaught (?P<message>[^\n]*)\n(?P<frames>(?:[^\n]*@[^\n]*:\d+:\d+\n)*)", re.MULTILINE
)
_JS_FRAME = re.compile(r"^ *(?P<function>[^@\n]*)@(?P<file>.*?):(?P<line>\d+):(?P<column>\d+)$", re.MULTILINE)

#: Modules of the lab's and of the tool's own in such a stack.
_JS_OWN = ("cell.js", "initializer.js")


def scripted_abort(stderr: str) -> tuple[str, tuple[Frame, ...]] | None:
    """The exception that ended a component of Python or JavaScript, and where it came from.

    Example:
        >>> text = 'Traceback (most recent call last):\\n  File "cell", line 3, in f\\nKeyError: 1\\n'
        >>> scripted_abort(text + "thread 'main' panicked at lib.rs:1:1:\\n" + PYTHON_PANIC)
        ('KeyError: 1', (Frame(function='f', file='cell', line=3, column=0, offset=0),))
    """
    if PYTHON_PANIC in stderr:
        found = list(_TRACEBACK.finditer(stderr))
        if not found:
            return None
        frames = [
            Frame(function=each["function"], file=each["file"], line=int(each["line"]))
            for each in _PYTHON_FRAME.finditer(found[-1]["frames"])
        ]
        return found[-1]["message"], tuple(reversed(frames))
    if _JS_ABORT in stderr:
        told = list(_JS_TOLD.finditer(stderr)) or list(_JS_STACK.finditer(stderr))
        if not told:
            return None
        frames = [
            Frame(
                function=each["function"] or "the top of the text",
                file=each["file"],
                line=int(each["line"]),
                column=int(each["column"]),
            )
            for each in _JS_FRAME.finditer(told[-1]["frames"])
            if not each["file"].endswith(_JS_OWN)
        ]
        return told[-1]["message"], tuple(frames)
    return None
