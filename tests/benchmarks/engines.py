"""Other engines' runtimes, beside their packages by hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import wasmer_sdk
from tests.benchmarks.guests import HELLO
from tests.benchmarks.pairs import Pair, in_turn

from wasm_lab.cells import parse_cell
from wasm_lab.session import Session


def wasmer_warm(folder: Path, thin: int) -> Pair:
    """A warm run through our worker, against the package in this process, sandbox and output included."""
    session = Session("wasmer")
    artifact = session.compile(parse_cell(HELLO, first_line=2))
    loop = asyncio.new_event_loop()
    client = wasmer_sdk.Wasmer(cache_root=folder)
    definition = wasmer_sdk.PackageDefinition(
        modules={"hello": artifact.wasm},
        commands={"hello": wasmer_sdk.PackageCommandDefinition(module="hello")},
    )
    package = loop.run_until_complete(client.packages.create(definition))

    async def whole(stream: Any) -> bytes:
        return b"".join([chunk async for chunk in stream])

    async def bare() -> None:
        sandbox = await client.sandboxes.create(packages=[package])
        process = await sandbox.command(package).spawn()
        stdout, _ = await asyncio.gather(whole(process.stdout), whole(process.stderr))
        ended = await process.wait()
        await sandbox.close()
        assert (stdout, ended.exit_code) == (b"hello\n", 0)

    def reference() -> None:
        loop.run_until_complete(bare())

    def ours() -> None:
        assert session.run(artifact).stdout == b"hello\n"

    for _ in range(10):  # both have started their threads
        ours()
        reference()
    pair = in_turn("warm run in wasmer", ours, reference, turns=600 // thin, asked="≤ 1.3×")
    loop.close()
    return pair
