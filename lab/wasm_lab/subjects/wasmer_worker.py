"""The process in which wasmer is timed: ``python -m wasm_lab.subjects.wasmer_worker``.

PyPI ``wasmer-sdk`` runs whole commands and nothing else, so these are its phases:

- first and steady call: the guest itself tells (see `harness`); its orders pass through here;
- run: from spawning the command in a sandbox made before to its end and that of its output. Making
  the instance is in it, and in the first run of a process compiling too, so that one is not timed.

Folders are copied in before the clock runs, and what a guest writes there is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from wasm_lab.subjects.dying import die_with
from wasm_lab.subjects.serving import Desk, clock_step_ns

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from wasm_lab.capabilities import Capabilities

#: Of what folders hold, how much is copied in at most, in bytes.
COPIED_BYTES = 256 * 1024 * 1024


class Worker:
    """One command in one wasmer client."""

    def __init__(self, desk: Desk) -> None:
        import wasmer_sdk

        from wasm_lab.subjects.granting import capabilities_from

        settings = desk.settings
        self.desk = desk
        self.label: str = settings["label"]
        self.granted: Capabilities | None = None
        if "capabilities" in settings:
            self.granted = capabilities_from(settings["capabilities"])
        self.client = wasmer_sdk.Wasmer(cache_root=settings["scratch"])
        self.definition = wasmer_sdk.PackageDefinition(
            modules={"main": Path(settings["wasm"]).read_bytes()},
            commands={"main": wasmer_sdk.PackageCommandDefinition(module="main")},
            entrypoint="main",
            # A sandbox takes files in its workspace alone, a package wherever they are named.
            files=_copied(self.granted) if self.granted else {},
        )
        self.warm = False

    async def ready(self) -> None:
        self.package = await self.client.packages.create(self.definition)

    async def _sandbox(self) -> Any:
        env = dict(self.granted.env) if self.granted else {}
        return await self.client.sandboxes.create(packages=[self.package], env=env)

    async def _run(self) -> tuple[int, int, bytes]:
        """Nanoseconds, exit status and output of one run."""
        assert self.granted is not None
        sandbox = await self._sandbox()
        try:
            command = sandbox.command(self.package, list(self.granted.args))
            start = time.perf_counter_ns()
            process = await command.spawn(stdin="pipe")
            stdout, stderr, _ = await asyncio.gather(
                _all(process.stdout), _all(process.stderr), _feed(process, self.granted.stdin or b"")
            )
            ended = await process.wait()
            elapsed = time.perf_counter_ns() - start
        finally:
            await sandbox.close()
        if stderr:
            os.write(2, stderr[-16384:])
        if ended.reason.value != "exited" or _trapped(stderr):
            raise RuntimeError(f"the guest was stopped: {ended.reason.value}")
        return elapsed, ended.exit_code, stdout

    async def run(self, count: int) -> None:
        if not self.warm:
            await self._run()
            self.warm = True
        self.desk.say(f"elapsed {sum([(await self._run())[0] for _ in range(count)])} 0")

    async def outcome(self) -> None:
        _, status, stdout = await self._run()
        self.desk.say(f"outcome {status} {len(stdout)} 0", stdout)

    async def enter(self) -> None:
        """Pass orders on to the guest and its answers back, until it ends."""
        sandbox = await self._sandbox()
        process = await sandbox.command(self.package).spawn(stdin="pipe")
        self.desk.say("entering")
        loop = asyncio.get_running_loop()
        pending: asyncio.Queue[bytes] = asyncio.Queue()
        loop.add_reader(0, lambda: pending.put_nowait(os.read(0, 1 << 16)))
        orders = asyncio.create_task(_pass_on(pending, process))
        try:
            await asyncio.gather(_copy(process.stdout, 1), _copy(process.stderr, 2))
            ended = await process.wait()
        finally:
            loop.remove_reader(0)
            orders.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await orders
        await sandbox.close()
        if ended.exit_code:
            self.desk.fail(f"the guest was stopped or ended with exit status {ended.exit_code}")
        else:
            self.desk.say("left")

    async def step(self) -> None:
        self.desk.say(f"step {clock_step_ns()}")


def _trapped(stderr: bytes) -> bool:
    return b"RuntimeError: " in stderr or b"wasm backtrace" in stderr


async def _all(stream: Any) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def _copy(stream: Any, to: int) -> None:
    async for chunk in stream:
        view = memoryview(chunk)
        while view:
            view = view[os.write(to, view) :]


async def _feed(process: Any, data: bytes) -> None:
    import wasmer_sdk

    with contextlib.suppress(wasmer_sdk.WasmerError):  # it may end without reading
        if data:
            await process.stdin.write(data)
        await process.stdin.close()


async def _pass_on(pending: asyncio.Queue[bytes], process: Any) -> None:
    while True:
        data = await pending.get()
        if not data:
            os._exit(0)  # whoever measures is gone
        await process.stdin.write(data)


def _copied(granted: Capabilities) -> dict[str, bytes]:
    """The files of the granted folders, by their absolute names in the guest."""
    files: dict[str, bytes] = {}
    room = COPIED_BYTES
    for each in granted.dirs:
        base = PurePosixPath("/", each.guest)  # a guest starts in the root
        for path in sorted(each.host.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                room -= len(data)
                if room < 0:
                    raise OSError(
                        f"{each.host} holds more than {COPIED_BYTES >> 20} MiB, all of which is copied"
                    )
                files[str(base / path.relative_to(each.host).as_posix())] = data
    return files


def main() -> None:
    desk = Desk()
    die_with(desk.settings["parent"])
    loop = asyncio.new_event_loop()

    def do(work: Coroutine[Any, Any, None]) -> bool:
        try:
            loop.run_until_complete(work)
        except Exception as error:  # the package's own errors, and those of files
            desk.fail(str(error))
            return False
        return True

    try:
        worker = Worker(desk)
    except Exception as error:
        desk.fail(str(error))
        return
    if not do(worker.ready()):
        return
    desk.say("ready")
    while order := desk.line():
        what, _, number = order.partition(" ")
        do(getattr(worker, what)(*([int(number)] if number else [])))


if __name__ == "__main__":
    main()
