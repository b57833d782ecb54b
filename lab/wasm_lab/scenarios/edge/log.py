"""workerd's log as its reader wants it: what the worker told, and uncaught errors with their lines."""

from __future__ import annotations

import re

#: What workerd says of the way it was started, which is the lab's business.
_OF_THE_START = "Unable to find and open the program executable"

#: A line of workerd's own, with its source file: ``workerd/io/worker.c++:3042: info: …``.
_OWN = re.compile(r"(?:workerd|kj|capnp|rust)/\S+:\d+: (?P<level>\w+): (?P<words>.*)")
_THROWN = re.compile(r"uncaught exception; source = .*?; stack = (?P<error>.*)")
_FAILED = re.compile(r"(?:\S+:\d+: )?failed: (?:remote\.)?(?:jsg\.)?(?P<error>.*)")


def readable(log: str) -> str:
    """A log of ``workerd serve --verbose`` without workerd's own notes.

    Example:
        >>> log = "hello\\nworkerd/io/io-context.c++:656: info: x\\nstack: /bin/workerd@3f68\\n"
        >>> readable(log)
        'hello\\n'
    """
    kept: list[str] = []
    told = ""  # the error that was told last, with its lines
    for line in log.splitlines():
        own = _OWN.fullmatch(line)
        if own is None:
            if not line.startswith(("stack: /", _OF_THE_START)):
                kept.append(line.replace("file:///bundle/", ""))
            continue
        thrown = _THROWN.fullmatch(own["words"])
        failed = _FAILED.search(own["words"])
        if thrown:
            told = thrown["error"]
            kept.append(f"Uncaught {told}")
        elif own["level"] in ("error", "fatal"):
            error = failed["error"] if failed else own["words"]
            if error != told:
                kept.append(f"Uncaught {error}" if failed else error)
    return "".join(f"{line}\n" for line in kept if line.strip())
