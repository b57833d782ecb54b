"""Refusals that a program only hints at: found in what it wrote, without an audit.

Rust's, C's and Go's libraries refuse a path that lies in no opened folder before any host
call is made, so not even an audit sees it. But they say so, and that can be read.
"""

from __future__ import annotations

import re

from wasm_lab.run import HostCall
from wasm_lab.wasi.judge import FLAGS

#: Rust's ``std::sys::pal::wasi``: what opening a path outside of every opened folder says.
_NO_FOLDER = re.compile(
    r'failed to find a pre-opened file descriptor through which \\?"(?P<path>.*?)\\?" could be opened'
)

#: wasi-libc's text for ENOTCAPABLE, as ``perror`` and its like put it after a path.
_NOT_CAPABLE = re.compile(
    r"^(?:[\w./-]+: )*?(?P<path>[^\s:]+): (?:Capabilities insufficient|Not capable)\b", re.MULTILINE
)

#: Go's ``os`` package on WASI 0.1, where no folder is opened: it has no descriptor to begin from (EBADF).
_GO_NO_FOLDER = re.compile(
    r"\b(?:open|stat|lstat|mkdir|remove|rename|readdir\w*) (?P<path>[^\s:]+): Bad file number\b"
)

#: What programs print when a path that they asked for was not there for them.
_NO_PATH = re.compile(
    r"no such file or directory|os error (?:44|76|63|2)\b|capabilities insufficient|not permitted|not found"
    r"|permission denied",
    re.IGNORECASE,
)

#: Texts of errors that a sandbox causes, though other things may too.
_MAYBE = re.compile(
    r"operation not permitted|permission denied|read-only file system|not supported on this platform",
    re.IGNORECASE,
)

#: How much of a program's output is searched, from its end, in characters.
_SEARCHED = 16_384


def refusals_in(text: str) -> tuple[HostCall, ...]:
    """The refused calls that a failed program's error output tells of, each path once."""
    text = text[-_SEARCHED:]
    paths = [match["path"] for match in _NO_FOLDER.finditer(text)]
    paths += [match["path"] for match in _NOT_CAPABLE.finditer(text)]
    paths += [match["path"] for match in _GO_NO_FOLDER.finditer(text)]
    return tuple(_refused_path(path) for path in dict.fromkeys(paths))


def folder_was_missed(text: str) -> HostCall | None:
    """For a guest that asked for opened folders where there are none: the refusal, if it tells of one.

    Libraries ask when a path is used, some of them at every start: so its output must tell too.
    """
    if not _NO_PATH.search(text[-_SEARCHED:]):
        return None
    return HostCall(
        name="fd_prestat_get",
        arguments={},
        result="badf",
        allowed=False,
        capability="dirs",
        flag=FLAGS["dirs"],
    )


def audit_may_tell(text: str) -> bool:
    """Whether the output mentions an error that a refused capability may have caused."""
    return bool(_MAYBE.search(text[-_SEARCHED:]))


#: What Rust says of things that a guest has not, and what to do about each.
_ABSENT = (
    (
        re.compile(r"\bNotPresent\b|environment variable not found"),
        "The guest sees no environment variables but those given with --env NAME=VALUE.",
    ),
    (
        re.compile(r"operation not supported on this platform"),
        "A guest of WASI 0.1 has no threads, processes or sockets of its own to open.",
    ),
)


def advice(text: str) -> str:
    """What to do about an error that a failed program's output tells of; empty when it tells of none.

    Example:
        >>> advice("called `Result::unwrap()` on an `Err` value: NotPresent")
        'The guest sees no environment variables but those given with --env NAME=VALUE.'
    """
    text = text[-_SEARCHED:]
    told = [sentence for pattern, sentence in _ABSENT if pattern.search(text)]
    if not told and audit_may_tell(text):
        told = ["Run it with --audit to see which call to the host was refused, and why."]
    return " ".join(told)


def _refused_path(path: str) -> HostCall:
    return HostCall(
        name="path_open",
        arguments={"path": path} if path else {},
        result="notcapable",
        allowed=False,
        capability="dirs",
        flag=FLAGS["dirs"],
    )
