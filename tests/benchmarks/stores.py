"""What a key-value store adds to a request: the sample ``counter`` with and without touching its store.

The requests go straight to the component, without a server: what HTTP takes would drown the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.scenarios.spin.asgi import application
from wasm_lab.scenarios.spin.host.bodies import IncomingBytes
from wasm_lab.scenarios.spin.host.exchange import Exchange
from wasm_lab.scenarios.spin.launch import HttpJob
from wasm_lab.scenarios.spin.manifest import load_manifest
from wasm_lab.scenarios.spin.samples import build_sample

REQUESTS = 20  #: in one timing


class Asked(Exchange):
    """A request without header fields, whose answer nobody waits for."""

    def fields(self) -> list[tuple[str, bytes]]:
        return []

    def changed(self) -> None:
        pass


def _asker(folder: Path) -> Callable[..., int]:
    """Asks the sample: ``ask("GET", "/visits")`` gives the status."""
    app = application(load_manifest(build_sample("counter", folder)), state_dir=folder / "state")
    app.load()
    launcher = app.launcher("counter", "http")

    def ask(method: str, path: str, body: bytes | None = None) -> int:
        exchange = Asked(
            method=method,
            path_with_query=path,
            scheme="http",
            authority="localhost",
            body=None if body is None else IncomingBytes.of(body),
            deadline_s=30,
        )
        HttpJob(launcher, exchange).run()
        assert exchange.failure is None, exchange.failure
        assert exchange.response is not None
        return exchange.response.status

    return ask


def key_value_get(folder: Path, thin: int) -> Pair:
    """Reading a value, beyond a request that touches no store."""
    ask = _asker(folder)
    assert ask("PUT", "/keys/name", b"x" * 100) == 204
    assert (ask("GET", "/keys/name"), ask("GET", "/nothing")) == (200, 204)
    return in_turn(
        "key-value get in a request, beyond an empty one",
        lambda: ask("GET", "/keys/name"),
        lambda: ask("GET", "/nothing"),
        turns=60 // thin,
        batch=REQUESTS,
        asked="≤ 100 µs",
        difference=True,
    )


def key_value_set(folder: Path, thin: int) -> Pair:
    """Writing another value each time: it survives the process when the call returns, power cuts a second later."""
    ask = _asker(folder)
    assert ask("PUT", "/nothing", os.urandom(100)) == 204
    return in_turn(
        "key-value set in a request, beyond an empty one",
        lambda: ask("PUT", "/keys/name", os.urandom(100)),
        lambda: ask("PUT", "/nothing", os.urandom(100)),
        turns=60 // thin,
        batch=REQUESTS,
        asked="≤ 200 µs",
        difference=True,
    )


def fsync(folder: Path, thin: int) -> Pair:
    """What this disk takes to keep 4 KiB, beyond handing them over: what waiting for the disk would add to each set."""
    with (folder / "file").open("wb", buffering=0) as file:

        def write() -> None:
            file.seek(0)
            file.write(os.urandom(4096))

        def keep() -> None:
            write()
            os.fdatasync(file.fileno())

        return in_turn(
            "fdatasync of 4 KiB on this disk, beyond the write",
            keep,
            write,
            turns=60 // thin,
            batch=REQUESTS,
            asked="—",
            difference=True,
        )
