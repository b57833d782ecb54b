"""workerd's log as its reader wants it: what the worker told, and uncaught errors with their lines."""

from __future__ import annotations

import re
from itertools import zip_longest

#: What workerd says of the way it was started, which is the lab's business.
_OF_THE_START = "Unable to find and open the program executable"

#: A line of workerd's own, with its source file: ``workerd/io/worker.c++:3042: info: …``.
_OWN = re.compile(r"(?:workerd|kj|capnp|rust)/\S+:\d+: (?P<level>\w+): (?P<words>.*)")
_THROWN = re.compile(r"uncaught exception; source = .*?; stack = (?P<error>.*)")
_FAILED = re.compile(r"(?:\S+:\d+: )?failed: (?:remote\.)?(?:jsg\.)?(?P<error>.*)")

#: What `gate.js` says, where it is thrown, and how it comes back from the worker that asked.
_REFUSAL = re.compile(r"Uncaught (?:\(in promise\) )?Error: (?P<words>wasm-lab: a request to .*)")
_IN_GATE = re.compile(r"\s+at Object\.fetch \(file:///bundle/service\.js:\d+:\d+\)")


def readable(log: str) -> str:
    """A log of ``workerd serve --verbose`` without workerd's own notes.

    Example:
        >>> log = "hello\\nworkerd/io/io-context.c++:656: info: x\\nstack: /bin/workerd@3f68\\n"
        >>> readable(log)
        'hello\\n'
    """
    kept: list[str] = []
    told = ""  # the error that was told last, with its lines
    lines = log.splitlines()

    def keep(line: str, after: str) -> None:
        # A refused request is told by the gate, and again where the worker does not catch it: then the
        # worker's own places go below the gate's line. Nothing is taken back, since logs are followed.
        refusal = _REFUSAL.fullmatch(line)
        if refusal and _IN_GATE.fullmatch(after):
            kept.append(refusal["words"])
        elif not (refusal and kept[-1:] == [refusal["words"]]):
            kept.append(line)

    for line, after in zip_longest(lines, lines[1:], fillvalue=""):
        own = _OWN.fullmatch(line)
        if own is None:
            if not line.startswith(("stack: /", _OF_THE_START)) and not _IN_GATE.fullmatch(line):
                keep(line.replace("file:///bundle/", ""), after)
            continue
        thrown = _THROWN.fullmatch(own["words"])
        failed = _FAILED.search(own["words"])
        if thrown:
            told = thrown["error"]
            keep(f"Uncaught {told}", after)
        elif own["level"] in ("error", "fatal"):
            error = failed["error"] if failed else own["words"]
            if error != told:
                kept.append(f"Uncaught {error}" if failed else error)
    return "".join(f"{line}\n" for line in kept if line.strip())
