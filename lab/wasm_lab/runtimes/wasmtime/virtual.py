"""Clocks and randomness of WASI 0.2 that stand still, repeat themselves or refuse.

The interfaces are replaced as a whole, under the version that the component imports. Only
what makes a pollable stays native, because pollables of one's own would not be of the type
that native streams have: a small component hands them over. Files stay native as a whole: their
times and the order of listings are the host's here, while `files` fixes them for WASI 0.1.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import wasmtime
from wasmtime import component

from wasm_lab.capabilities import ClockMode, RandomMode
from wasm_lab.run import HostCall
from wasm_lab.wasi.judge import FLAGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wasm_lab.capabilities import Capabilities

#: Most random bytes given at once: wasmtime's own bound is 64 MiB too (``max_random_size``).
_MOST_RANDOM_BYTES = 64 * 1024 * 1024

#: A component that hands over native pollables; the versions are those that the guest imports.
HANDOVER = """
(component
  (import "wasi:io/poll@{poll}" (instance $poll (export "pollable" (type (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@{clock}" (instance $clock
    (alias outer 1 $pollable (type $outer))
    (export "pollable" (type $own (eq $outer)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $own))))))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core module $pass (import "" "f" (func $f (param i64) (result i32))) (export "f" (func $f)))
  (core instance $passed (instantiate $pass (with "" (instance (export "f" (func $subscribe))))))
  (func (export "subscribe") (param "when" u64) (result (own $pollable)) (canon lift (core func $passed "f"))))
"""


@dataclass
class _Datetime:
    """``wasi:clocks/wall-clock.datetime``."""

    seconds: int
    nanoseconds: int


class RefusedInterface(Exception):
    """A guest of WASI 0.2 called what is refused; these calls have no error to return."""


class Virtual:
    """What replaces native clocks and randomness for one run.

    Args:
        imports: the names of everything that the component imports.
    """

    def __init__(self, capabilities: Capabilities, imports: Iterable[str]) -> None:
        self._capabilities = capabilities
        self._versions = dict(name.split("@", 1) for name in imports if "@" in name)
        self._slept_ns = 0
        self._random_calls = 0
        self._refused: dict[str, HostCall] = {}
        self._subscribe: Callable[[Any, int], Any] | None = None

    @property
    def needed(self) -> bool:
        """Whether anything is replaced at all."""
        capabilities = self._capabilities
        return capabilities.clock is not ClockMode.REAL or capabilities.random is not RandomMode.REAL

    @property
    def denied(self) -> tuple[HostCall, ...]:
        """The calls that were refused."""
        return tuple(self._refused.values())

    def define(self, linker: component.Linker) -> None:
        """Replace what the capabilities ask for in the linker."""
        linker.allow_shadowing = True
        clock = self._capabilities.clock
        if clock is not ClockMode.REAL:
            self._replace(
                linker,
                "wasi:clocks/wall-clock",
                "clock",
                {"now": self._wall_now, "resolution": lambda _store: _Datetime(0, 1)},
            )
            self._replace(
                linker,
                "wasi:clocks/monotonic-clock",
                "clock",
                {
                    "now": lambda _store: self._now_ns,
                    "resolution": lambda _store: 1,
                    "subscribe-duration": self._subscribe_duration,
                    "subscribe-instant": lambda store, when: self._subscribe_duration(
                        store, max(when - self._now_ns, 0)
                    ),
                },
            )
        if self._capabilities.random is not RandomMode.REAL:
            for kind in ("", "insecure-"):
                self._replace(
                    linker,
                    f"wasi:random/{kind.rstrip('-') or 'random'}",
                    "random",
                    {
                        f"get-{kind}random-bytes": lambda _store, size: self._random(size),
                        f"get-{kind}random-u64": lambda _store: struct.unpack("<Q", self._random(8))[0],
                    },
                )
            self._replace(
                linker,
                "wasi:random/insecure-seed",
                "random",
                {"insecure-seed": lambda _store: struct.unpack("<QQ", self._random(16))},
            )

    def connect(self, engine: wasmtime.Engine, store: wasmtime.Store) -> None:
        """Have the native pollables at hand in this store, if the component can ask for one."""
        poll, clock = (self._versions.get(f"wasi:{name}") for name in ("io/poll", "clocks/monotonic-clock"))
        if self._capabilities.clock is not ClockMode.FROZEN or not poll or not clock:
            return
        linker = component.Linker(engine)
        linker.add_wasip2()
        handover = component.Component(engine, HANDOVER.format(poll=poll, clock=clock))
        instance = linker.instantiate(store, handover)
        function = instance.get_func(store, "subscribe")
        assert function is not None
        self._subscribe = function

    def _replace(
        self,
        linker: component.Linker,
        interface: str,
        capability: str,
        functions: dict[str, Callable[..., Any]],
    ) -> None:
        version = self._versions.get(interface)
        if version is None:
            return
        refuse = (
            self._capabilities.clock is ClockMode.REFUSED
            if capability == "clock"
            else self._capabilities.random is RandomMode.REFUSED
        )
        with linker.root() as root, root.add_instance(f"{interface}@{version}") as instance:
            for name, function in functions.items():
                instance.add_func(
                    name, self._refusal(f"{interface}.{name}", capability) if refuse else function
                )

    def _refusal(self, name: str, capability: str) -> Callable[..., Any]:
        def refuse(*_args: Any) -> Any:
            self._refused[name] = HostCall(
                name=name,
                arguments={},
                result="refused",
                allowed=False,
                capability=capability,
                flag=FLAGS[capability],
            )
            raise RefusedInterface(f"{name} is refused")

        return refuse

    @property
    def _now_ns(self) -> int:
        return self._capabilities.frozen_ns + self._slept_ns

    def _wall_now(self, _store: Any) -> _Datetime:
        return _Datetime(*divmod(self._now_ns, 10**9))

    def _subscribe_duration(self, store: Any, duration_ns: int) -> Any:
        """A pollable that is ready at once; the frozen clock moves on by what it was to wait."""
        self._slept_ns += duration_ns
        assert self._subscribe is not None
        return self._subscribe(store, 0)

    def _random(self, size: int) -> bytes:
        if size > _MOST_RANDOM_BYTES:
            raise RefusedInterface(f"{size} random bytes at once are too many")
        self._random_calls += 1
        stream = f"wasm-lab {self._capabilities.seed} {self._random_calls}".encode()
        return hashlib.shake_128(stream).digest(size)
