"""What is behind an error of a worker that runs here and not at Cloudflare: a sentence after it in the log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_UNDEFINED = re.compile(r"TypeError: Cannot read properties of (?:undefined|null) \(reading '.*'\)")
_PLACE = re.compile(r"\s+at (?:.*\()?(?P<name>[^\s()]+?):(?P<line>\d+):(?P<column>\d+)\)?")
#: What stands before the property that could not be read, at the end of its line up to there.
_BINDING = re.compile(r"\benv\.(?P<name>\w+)\.$")
_CF = re.compile(r"\.cf\.$")
_REFUSED = re.compile(r"wasm-lab: a request to (?P<host>\S+) was refused")

_NO_FETCH = "Received a FetchEvent but we lack a handler"
_NO_CONNECT = "Received a connect event but we lack a handler"


def advised(log: str, source: Callable[[str, int], str], address: str) -> str:
    """A log with a line ``wasm-lab: …`` after what has its cause in where the worker runs.

    Args:
        log: as `log.readable` gives it.
        source: gives a line of a module by the module's name and the line's number, empty where there is none.
        address: the worker's own ``HOST:PORT``.

    Example:
        >>> log = "Uncaught TypeError: Cannot read properties of undefined (reading 'get')\\n    at a.js:1:18\\n"
        >>> print(advised(log, lambda name, line: "(await env.NOTES.get(1))", "127.0.0.1:1").splitlines()[-1])
        wasm-lab: env has no NOTES. A KV namespace is bound with --kv NOTES, a text with --var NOTES=VALUE. What \
else Cloudflare binds (R2, D1, queues, static assets, Durable Objects …) is not here.
    """
    kept: list[str] = []
    said: set[str] = set()
    undefined = False

    def say(words: str) -> None:
        if words not in said:
            said.add(words)
            kept.append(f"wasm-lab: {words}")

    for line in log.splitlines():
        kept.append(line)
        place = _PLACE.fullmatch(line) if undefined else None
        if place and (before := source(place["name"], int(place["line"]))[: int(place["column"]) - 1]):
            if binding := _BINDING.search(before):
                say(_binding(binding["name"]))
            elif _CF.search(before):
                say(
                    "request.cf is what Cloudflare's network knows of who asks, and is undefined here. "
                    'worker.get("/", cf={"country": "NL"}) gives it from Python.'
                )
        undefined = bool(_UNDEFINED.search(line))
        refused = _REFUSED.search(line)
        if refused and refused["host"] == address:
            say(
                f"{address} is the worker itself. At Cloudflare fetch(request) asks the origin server behind the "
                "worker; there is none here. Send the request with the origin's name as its Host, and allow that "
                "host; or put the origin's address into fetch()."
            )
        elif line.startswith(_NO_FETCH):
            say(
                "the worker has no fetch(). Cron triggers, queues and mails are not here; "
                "to try scheduled(), call it in a fetch()."
            )
        elif line.startswith(_NO_CONNECT):
            say(
                "connect() of cloudflare:sockets was refused. Only requests by fetch() go out, to allowed hosts."
            )
    return "".join(f"{line}\n" for line in kept)


def _binding(name: str) -> str:
    return (
        f"env has no {name}. A KV namespace is bound with --kv {name}, a text with --var {name}=VALUE. "
        "What else Cloudflare binds (R2, D1, queues, static assets, Durable Objects …) is not here."
    )
