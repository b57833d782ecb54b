"""WASI 0.2 for plugins, in Python: whatever is not granted is refused, and each refusal is recorded.

It stands on the Spin host's own WASI. What differs is what a plugin is: it answers by its input, so its
clock may stand still and its randomness repeat itself; what it prints counts towards its call.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import ClockMode, RandomMode
from wasm_lab.components import Err, Ok, current
from wasm_lab.errors import GuestExit, GuestTrap, UnsupportedError
from wasm_lab.run import TrapInfo, TrapKind
from wasm_lab.scenarios.spin.host import cli, clocks, filesystem, io, randomness
from wasm_lab.scenarios.spin.host.log import ComponentLog
from wasm_lab.scenarios.spin.host.mounts import Hidden, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.scenarios.plugins.cabinet import Desk


def wasi_imports(capabilities: Capabilities) -> Mapping[str, object]:
    """Every interface of WASI 0.2 that a plugin may import, by its name without a version.

    Raises:
        UnsupportedError: a capability cannot be granted to plugins; the message says which.
    """
    _refuse_what_cannot_be_granted(capabilities)
    environment, network = _Environment(capabilities), _NoNetwork()
    streams = {f"wasi:cli/{name}": _Streams for name in ("stdout", "stderr")}
    return {
        **io.INTERFACES,
        **_clocks(capabilities),
        **_random(capabilities),
        **cli.implement({}, ComponentLog("", quiet=True)),
        "wasi:cli/environment": environment,
        "wasi:cli/exit": _Exit,
        **streams,
        **filesystem.implement(None),
        "wasi:filesystem/preopens": _Preopens(capabilities),
        **{f"wasi:sockets/{name}": network for name in _SOCKETS},
    }


def _refuse_what_cannot_be_granted(capabilities: Capabilities) -> None:
    writable = next((each for each in capabilities.dirs if each.writable), None)
    refused = {
        f"a folder to write to ({writable.host if writable else ''})": writable is not None,
        "outgoing connections": bool(capabilities.hosts),
        "standard input": capabilities.stdin != b"",
        "this process's own standard output": capabilities.inherit_output,
    }
    for what, asked in refused.items():
        if asked:
            raise UnsupportedError(
                f"Plugins cannot be given {what}.",
                hint="Give it through the plugin's input, or as an import of its own: PluginHost(imports=…).",
            )


def _desk() -> Desk:
    desk: Desk = current.data
    return desk


# Printing --------------------------------------------------------------------------------


class _Printed(io.OutputStream):
    """Standard output or error: lines of the call's log."""

    def __init__(self, name: str) -> None:
        super().__init__(_desk())
        self._name = name

    def accept(self, contents: bytes) -> None:
        _desk().print(self._name, contents)


class _Streams:
    @staticmethod
    def get_stdout() -> io.OutputStream:
        return _Printed("stdout")

    @staticmethod
    def get_stderr() -> io.OutputStream:
        return _Printed("stderr")


# What a plugin is given --------------------------------------------------------------------


class _Environment:
    def __init__(self, capabilities: Capabilities) -> None:
        self._variables = list(capabilities.env.items())
        self._arguments = list(capabilities.args)

    def get_environment(self) -> list[tuple[str, str]]:
        return self._variables

    def get_arguments(self) -> list[str]:
        return self._arguments

    def initial_cwd(self) -> str | None:
        return None


class _Exit:
    """A plugin that exits ends its instance; nobody else notices."""

    @staticmethod
    def exit(status: Any) -> None:
        _Exit.exit_with_code(0 if isinstance(status, Ok) else 1)

    @staticmethod
    def exit_with_code(status: int) -> None:
        raise GuestExit(f"The plugin ended itself with exit status {status}.", status=status)


class _Preopens:
    """The folders, read-only. A plugin without any is told so in the record: it looked for files."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._folders = []
        for each in capabilities.dirs:
            root = each.host.resolve()
            self._folders.append((Node(root, root, Hidden(root, ())), each.guest))

    def get_directories(self) -> list[tuple[filesystem.Descriptor, str]]:
        if not self._folders:
            _desk().refuse("files: no folder is open to it")
        return [(filesystem.Descriptor(node), name) for node, name in self._folders]


class _NoSocket(type):
    """The class of a resource that nobody gets; whatever a guest imports of it, so that it links."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _no_network(name)


def _no_network(name: str) -> Callable[..., Any]:
    def refuse(*_arguments: Any) -> Any:
        _desk().refuse(f"network: {name.replace('_', '-')}")
        raise Err("access-denied")

    return refuse


class _NoNetwork:
    """Every interface of ``wasi:sockets``: each attempt is refused, as ``access-denied``, and recorded."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _NoSocket(name, (), {}) if name[0].isupper() else _no_network(name)
        setattr(self, name, found)
        return found

    def instance_network(self) -> object:
        return object()  # it stands for no network, and costs nothing

    def network_error_code(self, _error: Any) -> None:
        return None


_SOCKETS = "network instance-network ip-name-lookup tcp tcp-create-socket udp udp-create-socket".split()

# Clocks and randomness -----------------------------------------------------------------------


def _clocks(capabilities: Capabilities) -> Mapping[str, object]:
    if capabilities.clock is ClockMode.REAL:
        return clocks.INTERFACES
    if capabilities.clock is ClockMode.REFUSED:
        clock: object = _Refused("clock", "now resolution subscribe_instant subscribe_duration")
        return dict.fromkeys(clocks.INTERFACES, clock)
    frozen_ns = capabilities.frozen_ns

    class Frozen:
        """Stands still; a plugin's own sleep moves it on, and takes the time that it says."""

        @staticmethod
        def now() -> int:
            return frozen_ns + _desk().slept_ns

        @staticmethod
        def resolution() -> int:
            return 1

        @staticmethod
        def subscribe_duration(when: int) -> io.Pollable:
            desk = _desk()
            desk.slept_ns += when
            return io.timer(desk, time.monotonic() + when / 1e9)

        @staticmethod
        def subscribe_instant(when: int) -> io.Pollable:
            return Frozen.subscribe_duration(max(0, when - Frozen.now()))

    class FrozenWall:
        @staticmethod
        def now() -> dict[str, int]:
            return clocks.datetime_of(Frozen.now())

        @staticmethod
        def resolution() -> dict[str, int]:
            return clocks.datetime_of(1)

    return {"wasi:clocks/monotonic-clock": Frozen, "wasi:clocks/wall-clock": FrozenWall}


def _random(capabilities: Capabilities) -> Mapping[str, object]:
    if capabilities.random is RandomMode.REAL:
        return randomness.INTERFACES
    if capabilities.random is RandomMode.REFUSED:
        functions = (
            "get_random_bytes get_random_u64 get_insecure_random_bytes get_insecure_random_u64 insecure_seed"
        )
        return dict.fromkeys(randomness.INTERFACES, _Refused("randomness", functions))
    seed = capabilities.seed

    def stream(size: int) -> bytes:
        """The same bytes for every instance of every plugin with this seed, in the order of its calls."""
        if size > randomness.MOST_BYTES:
            raise ValueError(f"A plugin asked for {size} random bytes at once.")
        desk = _desk()
        desk.random_calls += 1
        return hashlib.shake_128(f"wasm-lab {seed} {desk.random_calls}".encode()).digest(size)

    def u64() -> int:
        return int.from_bytes(stream(8), "little")

    class Seeded:
        get_random_bytes = get_insecure_random_bytes = staticmethod(stream)
        get_random_u64 = get_insecure_random_u64 = staticmethod(u64)

        @staticmethod
        def insecure_seed() -> tuple[int, int]:
            return u64(), u64()

    return dict.fromkeys(randomness.INTERFACES, Seeded)


class _Refused:
    """An interface whose functions have no error to return: calling one ends the call."""

    def __init__(self, capability: str, names: str) -> None:
        def refuse(*_arguments: Any) -> Any:
            _desk().refuse(capability)
            trap = TrapInfo(kind=TrapKind.HOST, message=f"it has no {capability}")
            raise GuestTrap(f"The plugin asked for its {capability}, which it was not given.", trap=trap)

        for name in names.split():
            setattr(self, name, refuse)
