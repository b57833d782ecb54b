"""Jupyter's own seams for starting kernels, filled with warm ones: a provisioner, a manager and a client.

Whatever a warm kernel would not do exactly as asked (another interpreter or language, a provisioner of its
own, fixed ports, encryption, another system than Linux) is started by Jupyter as ever, and the log says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from wasm_lab.kernels.pool import POOL, START_S, PoolError, WarmKernel
from wasm_lab.kernels.start import Start

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.connect import KernelConnectionInfo

# Not the log of traitlets, which is that of whatever Jupyter application lives in this process.
_log = logging.getLogger(__name__)

#: What a launch may say besides the command for a warm kernel to do.
_UNDERSTOOD = {"env", "cwd", "kernel_id"}

#: Seconds until a client asks again whether it hears the kernel.
_ASK_AGAIN_S = 0.2


class WarmProvisioner(LocalProvisioner):
    """Gives out kernels of the pool, and starts one where the pool has none that fits."""

    process: Any = None  #: a `WarmKernel`, or what the base class has
    _refused = ""  #: why this kernel is started as ever

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        self._refused = self._why_not(kwargs)
        if self._refused:
            return await super().pre_launch(**kwargs)
        assert self.parent is not None
        extra = kwargs.pop("extra_arguments", [])
        kwargs.pop("transport_encryption", None)
        # Only to find its place in the command: a warm kernel has its own.
        self.parent.connection_file = f"/kernel-{uuid.uuid4()}.json"
        command = self.parent.format_kernel_cmd(extra_arguments=extra)
        if _split(command, self.parent.connection_file) is None:
            self._refused = f"its command is {' '.join(command)}"
            self.parent.connection_file = ""
            return await super().pre_launch(extra_arguments=extra, **kwargs)
        return await KernelProvisionerBase.pre_launch(self, cmd=command, **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        assert self.parent is not None
        if not self._refused:
            interpreter, arguments = _split(cmd, self.parent.connection_file) or ((), ())
            cwd = str(Path(kwargs.get("cwd") or Path.cwd()).resolve())
            try:
                start = Start.now(interpreter, arguments, cwd, kwargs["env"], preloaded=POOL.preloaded)
                return await self._claim(start)
            except PoolError as error:
                self._refused = str(error)
            self.parent.connection_file = ""
            kwargs = await super().pre_launch(extra_arguments=list(arguments), **kwargs)
            cmd = kwargs.pop("cmd")
        _log.info("This kernel is started as ever, not taken from the warm ones: %s", self._refused)
        return await super().launch_kernel(cmd, **kwargs)

    async def _claim(self, start: Start) -> KernelConnectionInfo:
        kernel = POOL.claim(start)
        try:
            await _heard(kernel, lambda: kernel.is_ready, START_S)
        except TimeoutError:
            kernel.kill()
            raise PoolError(f"A forked kernel was not ready after {START_S:.0f} s.") from None
        if not kernel.is_ready:
            POOL.give_back(kernel)
            raise PoolError(f"A forked kernel ended with status {kernel.poll()}.")
        kernel.begin(start.cwd)
        manager = self.parent
        assert manager is not None
        manager.connection_file = str(kernel.connection_file)
        manager.load_connection_file()
        self.process = kernel
        self.pid, self.pgid = kernel.pid, None  # signalled through its zygote, which knows if it has ended
        self.cwd = start.cwd
        self.connection_info = manager.get_connection_info()
        POOL.fork_spares(start)
        return self.connection_info

    async def wait(self) -> int | None:
        if not isinstance(self.process, WarmKernel):
            return await super().wait()
        kernel = self.process
        await _heard(kernel, lambda: kernel.poll() is not None, None)
        POOL.give_back(kernel)
        self.process = None
        return kernel.returncode

    async def kill(self, restart: bool = False) -> None:
        await super().kill(restart)
        if isinstance(self.process, WarmKernel):
            await self.wait()  # else the manager looks for it once in a tenth of a second

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Wait for the end that was asked for, which then nobody has to look for in steps of 0.1 s."""
        if isinstance(self.process, WarmKernel):
            kernel = self.process
            with contextlib.suppress(TimeoutError):
                await _heard(kernel, lambda: kernel.poll() is not None, self.get_shutdown_wait_time() / 2)
            if kernel.poll() is None:
                await self.terminate()  # the manager kills it when it does not end then

    async def cleanup(self, restart: bool = False) -> None:
        await super().cleanup(restart)
        if self.parent is not None and not self._refused:
            Path(self.parent.connection_file).unlink(missing_ok=True)

    def _why_not(self, kwargs: dict[str, Any]) -> str:
        manager = self.parent
        if not sys.platform.startswith("linux"):
            return "warm kernels need Linux"
        if manager is None or self.kernel_spec.language.lower() != "python":
            return f"its language is {self.kernel_spec.language}"
        others = set(kwargs) - _UNDERSTOOD - {"extra_arguments", "transport_encryption"}
        if others:
            return f"it is started with {', '.join(sorted(others))}"
        if manager.transport != "tcp" or manager.ip != "127.0.0.1" or any(manager.ports):
            return "its address is given"
        if kwargs.get("transport_encryption", manager.transport_encryption) not in ("disabled", None):
            return "it is to be encrypted"
        return ""


class WarmKernelManager(AsyncKernelManager):
    """Starts kernels by `WarmProvisioner` where the kernelspec does not name a provisioner of its own."""

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        spec = self.kernel_spec
        if self.provisioner is None and spec is not None and "kernel_provisioner" not in spec.metadata:
            self.kernel_id = self.kernel_id or str(uuid.uuid4())
            self.provisioner = WarmProvisioner(kernel_id=self.kernel_id, kernel_spec=spec, parent=self)
        return await super()._async_pre_start_kernel(**kwargs)

    pre_start_kernel = _async_pre_start_kernel

    @property
    def is_warm(self) -> bool:
        """Whether the kernel came from the pool."""
        return self.provisioner is not None and isinstance(
            getattr(self.provisioner, "process", None), WarmKernel
        )

    def client(self, **kwargs: Any) -> AsyncKernelClient:  # type: ignore[override]  # as the base class does
        if self.is_warm:
            self.client_factory = PromptClient
        return super().client(**kwargs)


class PromptClient(AsyncKernelClient):
    """A client that is ready as soon as it hears the kernel on every channel.

    Jupyter's own waits until nothing was heard for 0.2 s, so that what belongs to no cell is out of the way.
    A kernel says ``idle`` after each request; what comes after that word belongs to a later request.
    """

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until requests are answered and outputs are heard.

        Raises:
            RuntimeError: the kernel has died, or was not ready after ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self.kernel_info()
            if await self._next(self.iopub_channel, deadline) is not None:
                break  # whatever it is: now outputs are heard
        asked = self.kernel_info()
        while True:
            reply = await self._next(self.shell_channel, deadline)
            if reply is not None and reply["parent_header"].get("msg_id") == asked:
                self._handle_kernel_info_reply(reply)
                break
        while True:
            said = await self._next(self.iopub_channel, deadline)
            if (
                said is not None
                and said["parent_header"].get("msg_id") == asked
                and said["content"].get("execution_state") == "idle"
            ):
                break

    async def _next(self, channel: Any, deadline: float | None) -> dict[str, Any] | None:
        try:
            message: dict[str, Any] = await channel.get_msg(timeout=_ASK_AGAIN_S)
        except Empty:
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info") from None
            if deadline is not None and time.monotonic() > deadline:
                raise RuntimeError("Kernel was not ready in time") from None
            return None
        return message


def _split(command: list[str], connection_file: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Interpreter with options, and arguments after the connection file, of a command that starts ipykernel.

    Example:
        >>> import sys
        >>> _split([sys.executable, "-m", "ipykernel_launcher", "-f", "/k.json", "--debug"], "/k.json")[1]
        ('--debug',)
        >>> _split(["/elsewhere/python", "-m", "ipykernel_launcher", "-f", "/k.json"], "/k.json") is None
        True
    """
    call = ["-m", "ipykernel_launcher", "-f", connection_file]
    for place in range(1, len(command) - len(call) + 1):
        if command[place : place + len(call)] == call and command[0] == sys.executable:
            return tuple(command[:place]), tuple(command[place + len(call) :])
    return None


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def _heard(kernel: WarmKernel, condition: Callable[[], bool], timeout_s: float | None) -> None:
    """Wait until a condition holds, or the kernel has ended; looks whenever the kernel's line says something."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(timeout_s):
        while not condition() and kernel.returncode is None:
            said: asyncio.Future[None] = loop.create_future()
            descriptor = kernel.line.fileno()
            loop.add_reader(descriptor, _settle, said)
            try:
                await said
            finally:
                loop.remove_reader(descriptor)
