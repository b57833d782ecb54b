"""Inside the worker: PyPI ``wasmer-sdk``, asked over the line.

Everything of the package goes through asyncio, so there is one loop, which runs while a request is
answered. Output is told as it comes: what the guest wrote before it trapped, or before it was
killed, is then known. A busy guest cannot be stopped from here; whoever asked kills this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import wasmer_sdk

from wasm_lab.errors import LoadError
from wasm_lab.run import TrapInfo, TrapKind
from wasm_lab.runtimes.wasmer import folders, memory
from wasm_lab.runtimes.wasmer.request import Command, Outcome
from wasm_lab.runtimes.wasmer.traps import reason, trap_info
from wasm_lab.runtimes.workers.modules import MOST_KEPT, Kept
from wasm_lab.wasi.missing import explain_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact

#: Of standard error, how much of the end is searched for the message of a panic, in bytes.
_SEARCHED_BYTES = 64 * 1024

_STDIN_CHUNK = 1 << 16

#: Output is told after this many seconds, or when so many bytes have come.
_TOLD_AFTER_S = 0.005
_TOLD_TOGETHER_BYTES = 1 << 18


class _Made(NamedTuple):
    """A package of one module."""

    package: Any
    shift_bytes: int  #: by how much the module's code lies further on than in the artifact
    seen: bool  #: whether it was run before


class Handler:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._kept = Kept()
        self._clients: dict[str, wasmer_sdk.Wasmer] = {}
        self._packages: dict[tuple[Any, ...], _Made] = {}
        self._used: list[Any] = []  #: sandboxes to be closed
        self._next: tuple[Command, _Made] | None = None  #: what the next sandbox is likely for
        self._spare: tuple[Any, dict[str, str], Any] | None = None

    def handle(self, request: Command, descriptors: list[int], say: Callable[[Any], None]) -> Outcome:
        return self._loop.run_until_complete(self._run(request, descriptors, say))

    async def _run(self, asked: Command, descriptors: list[int], say: Callable[[Any], None]) -> Outcome:
        artifact, capabilities = self._kept.take(asked.module), asked.capabilities
        given = folders.give(capabilities.dirs)
        try:
            made = await self._package(artifact, asked, given)
        except memory.TooLarge:
            text = TrapKind.ALLOCATION.value
            trap = TrapInfo(kind=TrapKind.ALLOCATION, message=text)
            return Outcome(exit_status=None, trap=trap, run_ns=0, seen=False, retire=False)
        except wasmer_sdk.WasmerError as error:
            text = reason(str(error))
            if "require an exported `_start`" in text:
                raise LoadError(
                    f"{artifact.label} is a library, not a program: it has no _start.",
                    hint="Its functions can be called in wasmtime: with --invoke NAME, or on an instance.",
                ) from None
            raise LoadError(f"{artifact.label} cannot be loaded by wasmer: {text}.") from None
        sandbox = await self._sandbox(asked, made, given)
        memory.bound_process(capabilities.memory_bytes)
        try:
            for folder in given.folders:
                with contextlib.suppress(wasmer_sdk.WasmerError):  # its files have made it
                    await sandbox.fs.mkdir(folder, recursive=True)
            outcome = await self._execute(sandbox, made, asked, descriptors, say)
            for directory, place, before in given.back:
                folders.write_back(directory.host, before, await _left(sandbox.fs, place))
        finally:
            self._used.append(sandbox)
        if not given.workspace and not given.folders and not given.package:
            self._next = (asked, made)
        return outcome

    def idle(self) -> None:
        """After an answer: let go of the used sandbox, and make one as the last was, for the next run."""
        self._loop.run_until_complete(self._tidy())

    async def _tidy(self) -> None:
        while self._used:
            await self._used.pop().close()
        if self._next and self._spare is None:
            asked, made = self._next
            with contextlib.suppress(wasmer_sdk.WasmerError):  # then the next run makes its own, and says why
                self._spare = (made.package, asked.capabilities.env, await self._fresh(asked, made))

    async def _sandbox(self, asked: Command, made: _Made, given: folders.Given) -> Any:
        """A sandbox that no guest has been in."""
        spare, self._spare = self._spare, None
        if spare is not None:
            package, env, sandbox = spare
            plain = not given.workspace and not given.folders
            if plain and package is made.package and env == asked.capabilities.env:
                return sandbox
            self._used.append(sandbox)
        return await self._fresh(asked, made, given.workspace)

    async def _fresh(self, asked: Command, made: _Made, files: dict[str, bytes] | None = None) -> Any:
        return await self._client(asked.cache).sandboxes.create(
            packages=[made.package], files=files or {}, env=asked.capabilities.env
        )

    async def _execute(
        self,
        sandbox: Any,
        made: _Made,
        asked: Command,
        descriptors: list[int],
        say: Callable[[Any], None],
    ) -> Outcome:
        stdin = asked.capabilities.stdin
        piped = bool(stdin) or bool(descriptors)
        command = sandbox.command(made.package, list(asked.capabilities.args))
        if asked.announce:
            say(("starting",))
        teller = _Teller(say)
        started = time.perf_counter_ns()
        trap, status, feed, said = None, None, None, bytearray()
        try:
            process = await command.spawn(stdin="pipe" if piped else "closed")
            if stdin:
                feed = asyncio.create_task(_feed(process, stdin))
            elif descriptors:
                feed = asyncio.create_task(_pass_on(process, os.dup(descriptors[0])))
            results = await asyncio.gather(
                _tell(process.stdout, "stdout", teller, bytearray()),
                _tell(process.stderr, "stderr", teller, said),
                process.wait(),
                return_exceptions=True,  # a trap is raised by the last, and the others go on to the end
            )
            for result in reversed(results):
                if isinstance(result, BaseException):
                    raise result
            ended: Any = results[-1]
            status = ended.exit_code
        except wasmer_sdk.WasmerError as error:
            text = str(error)
            trap = trap_info(text, said.decode(errors="replace"), shift_bytes=made.shift_bytes)
            if trap is None and "allocating memory" in text:
                trap = TrapInfo(kind=TrapKind.ALLOCATION, message=reason(text))
            if trap is None:
                teller.rest()
                raise _not_run(asked.module.label, text) from None
        run_ns = time.perf_counter_ns() - started
        retire = False
        if feed is not None:
            retire = bool(descriptors) and not feed.done()  # a thread still waits for our input
            feed.cancel()
            with contextlib.suppress(asyncio.CancelledError, wasmer_sdk.WasmerError):
                await feed
        return Outcome(
            exit_status=status,
            trap=trap,
            run_ns=run_ns,
            seen=made.seen,
            retire=retire,
            output=teller.rest(),
        )

    async def _package(self, artifact: Artifact, asked: Command, given: folders.Given) -> _Made:
        """The module as a package: the one that is there, unless it has files of its own this time."""
        limit_bytes = asked.capabilities.memory_bytes
        key = (artifact.sha256, asked.program, limit_bytes)
        kept = None if given.package else self._packages.pop(key, None)
        if kept is not None:
            self._packages[key] = kept
            return kept
        wasm = memory.bounded(artifact.wasm, limit_bytes)
        definition = wasmer_sdk.PackageDefinition(
            modules={"main": wasm},
            commands={asked.program: wasmer_sdk.PackageCommandDefinition(module="main")},
            files=given.package,
        )
        package = await self._client(asked.cache).packages.create(definition)
        made = _Made(package, len(wasm) - len(artifact.wasm), seen=False)
        if not given.package:
            self._packages[key] = made._replace(seen=True)
            for oldest in tuple(self._packages)[:-MOST_KEPT]:
                del self._packages[oldest]
        return made

    def _client(self, cache: str) -> wasmer_sdk.Wasmer:
        if cache not in self._clients:
            self._clients[cache] = wasmer_sdk.Wasmer(cache_root=cache)
        return self._clients[cache]


def _not_run(label: str, text: str) -> LoadError:
    """Why an instance of a module could not be made."""
    unknown = re.search(r'while importing "([^"]*)"\."([^"]*)": unknown import', text)
    if unknown:
        message, hint = explain_missing(label, [(unknown[1], unknown[2])])
        return LoadError(message, hint=hint)
    return LoadError(f"{label} cannot be run by wasmer: {reason(text)}.")


class _Teller:
    """Tells output as it comes, a few milliseconds together: each message wakes two processes."""

    def __init__(self, say: Callable[[Any], None]) -> None:
        self._say = say
        self._pieces: list[tuple[str, bytes]] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, stream: str, data: bytes) -> None:
        self._pieces.append((stream, data))
        self._size += len(data)
        if self._size > _TOLD_TOGETHER_BYTES:
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_TOLD_AFTER_S, self._flush)

    def _flush(self) -> None:
        self._say(("output", self.rest()))

    def rest(self) -> list[tuple[str, bytes]]:
        """What was not told yet; from here on it counts as told."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pieces, self._pieces, self._size = self._pieces, [], 0
        return pieces


async def _tell(stream: Any, name: str, teller: _Teller, kept: bytearray) -> None:
    async for chunk in stream:
        teller.add(name, chunk)
        kept += chunk
        del kept[:-_SEARCHED_BYTES]


async def _feed(process: Any, data: bytes) -> None:
    with contextlib.suppress(wasmer_sdk.WasmerError):  # it may end without reading
        for start in range(0, len(data), _STDIN_CHUNK):
            await process.stdin.write(data[start : start + _STDIN_CHUNK])
        await process.stdin.close()


async def _pass_on(process: Any, number: int) -> None:
    """Pass on what comes from an open file, read in a thread because it may be a terminal."""
    loop = asyncio.get_running_loop()
    pending: asyncio.Queue[bytes] = asyncio.Queue(maxsize=4)

    def read() -> None:
        data = b"more"
        with contextlib.suppress(RuntimeError):  # the loop is closed
            while data:
                try:
                    data = os.read(number, _STDIN_CHUNK)
                except OSError:
                    data = b""
                asyncio.run_coroutine_threadsafe(pending.put(data), loop).result()
        os.close(number)

    threading.Thread(target=read, name="wasm-lab stdin", daemon=True).start()
    with contextlib.suppress(wasmer_sdk.WasmerError):
        while data := await pending.get():
            await process.stdin.write(data)
        await process.stdin.close()


async def _left(fs: Any, root: str) -> folders.Tree:
    """What a guest left in a folder of its workspace."""
    tree = folders.Tree()

    async def walk(folder: str, prefix: str) -> None:
        for entry in await fs.read_dir(folder):
            name, path = f"{prefix}{entry.name}", f"{folder}/{entry.name}"
            if entry.kind == "directory":
                tree.folders.add(name)
                await walk(path, f"{name}/")
            else:
                tree.files[name] = await fs.read(path)

    with contextlib.suppress(wasmer_sdk.WasmerError):  # the guest removed the folder itself
        await walk(root, "")
    return tree


def handler() -> Handler:
    return Handler()
