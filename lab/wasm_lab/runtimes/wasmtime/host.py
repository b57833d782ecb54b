"""Host calls answered in Python: what the native implementation of WASI 0.1 cannot do.

wasmtime's own implementation is fast, and blind: it cannot list calls, freeze a clock or
be interrupted while it sleeps. So the calls for which that matters are defined here
instead, and each is either answered in Python (see `preview1`) or passed on to the native
implementation (see `forward`). Which calls these are depends on the capabilities; without
an audit they are few: leaving, sleeping, and opening paths.
"""

from __future__ import annotations

import ctypes
import struct
import time
from ctypes import byref, c_int32, c_size_t, c_void_p
from typing import TYPE_CHECKING, Any

import wasmtime

from wasm_lab.capabilities import ClockMode, RandomMode
from wasm_lab.errors import LoadError
from wasm_lab.runtimes.wasmtime import native
from wasm_lab.runtimes.wasmtime.guard import current_guard
from wasm_lab.wasi.tables import ERRNO, MODULE, Call, calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.runtimes.wasmtime.forward import Forwarder
    from wasm_lab.runtimes.wasmtime.guard import Guard
    from wasm_lab.wasi.audit import AuditLog
    from wasm_lab.wasi.judge import Verdict

#: Answers a call: takes the raw arguments, gives an errno.
Handler = "Callable[[tuple[int, ...]], int]"

_CALLS = tuple(calls().values())
_NUMBERS = {call.name: number for number, call in enumerate(_CALLS)}

#: How the arguments of each call lie in its slots of 16 bytes.
_LAYOUTS = tuple(
    struct.Struct("<" + "".join("Q8x" if kind == "i64" else "I12x" for kind in call.core_parameters))
    for call in _CALLS
)

FAULT = ERRNO["fault"]


#: Calls that take a path in an opened folder.
PATH_CALLS = frozenset(call.name for call in _CALLS if call.name.startswith("path_"))


class StopGuest(Exception):
    """Raised by a handler to end the guest; the message becomes the trap's."""


def answered_here(capabilities: Capabilities, *, audit: bool) -> frozenset[str]:
    """The calls that Python must answer, or see, under these capabilities."""
    if audit:
        return frozenset(_NUMBERS)
    names = {"proc_exit", "poll_oneoff"}
    if capabilities.clock is not ClockMode.REAL:
        names |= {"clock_time_get", "clock_res_get"}
    if capabilities.clock is ClockMode.FROZEN:
        names |= {"fd_filestat_get", "path_filestat_get", "fd_readdir", "fd_close", "fd_renumber"}
    # Whoever is refused a file should be told which: so calls with paths are seen without an audit too.
    names |= PATH_CALLS if capabilities.dirs else {"fd_prestat_get"}
    if capabilities.random is not RandomMode.REAL:
        names |= {"random_get"}
    if capabilities.stdin is None:
        names |= {"fd_read", "fd_close", "fd_renumber"}
    return frozenset(names)


class Host:
    """The Python side of one store's host calls."""

    def __init__(self, guard: Guard, context: c_void_p, log: AuditLog | None) -> None:
        self.guard = guard
        self.log = log
        self.handlers: dict[str, Callable[[tuple[int, ...]], int]] = {}
        self.verdicts: dict[str, Verdict] = {}  #: of calls that a capability refuses outright
        self.exit_status: int | None = None
        self.make_forwarder: Callable[[Any], Forwarder] | None = None
        self.started_ns = time.perf_counter_ns()
        self.several_memories = False  #: modules are linked to each other: each call is of one of them
        self._context = context
        self._memory: Any = None
        self._forwarders: dict[bytes, Forwarder] = {}  #: by the memory's handle

    # Guest memory -------------------------------------------------------------------------

    def find_memory(self, caller: int) -> None:
        """Learn which memory the guest's addresses are in, from the caller of its first call, or of each."""
        item: Any = native.Extern()
        found = native.caller_export_get(c_void_p(caller), b"memory", c_size_t(6), byref(item))
        if not found or item.kind != native.EXTERN_MEMORY:
            raise StopGuest("missing required memory export")
        self._memory = item.of.memory

    def _address(self, start: int, size: int) -> int:
        handle = byref(self._memory)
        if start < 0 or size < 0 or start + size > native.memory_data_size(self._context, handle):
            raise IndexError(start)
        return int(native.memory_data(self._context, handle)) + start

    def read(self, start: int, size: int) -> bytes:
        """Bytes of guest memory. Raises IndexError when they are not inside."""
        return ctypes.string_at(self._address(start, size), size)

    def write(self, start: int, data: bytes) -> None:
        """Write to guest memory. Raises IndexError when that is not inside."""
        ctypes.memmove(self._address(start, len(data)), data, len(data))

    # Calls --------------------------------------------------------------------------------

    def forward(self, name: str, raw: tuple[int, ...]) -> int:
        """Have the native implementation answer; its errno."""
        forwarder = self._forwarders.get(memory := bytes(self._memory) if self.several_memories else b"")
        if forwarder is None:
            if self.make_forwarder is None:
                raise StopGuest("no native implementation to pass this call on to")
            forwarder = self._forwarders[memory] = self.make_forwarder(self._memory)
        return forwarder.call(name, raw)

    def answer(self, number: int, caller: int, slots: int) -> None:
        """Answer one call, whose arguments lie at ``slots``, and put the result there."""
        call, layout = _CALLS[number], _LAYOUTS[number]
        if self._memory is None or self.several_memories:
            self.find_memory(caller)
        raw = layout.unpack(ctypes.string_at(slots, layout.size))
        errno = self._answer(call, raw) if self.log is None else self._audited(self.log, call, raw)
        if self.guard.interruption is not None:
            raise StopGuest("interrupted")
        c_int32.from_address(slots).value = errno

    def _answer(self, call: Call, raw: tuple[int, ...]) -> int:
        handler = self.handlers.get(call.name)
        if handler is None:
            return self.forward(call.name, raw)
        try:
            return handler(raw)
        except IndexError:
            return FAULT

    def _audited(self, log: AuditLog, call: Call, raw: tuple[int, ...]) -> int:
        pending = log.before(call, raw, self.read)
        started, errno = time.perf_counter_ns(), 0
        try:
            errno = self._answer(call, raw)
        finally:
            log.after(
                pending,
                errno,
                started_ns=started - self.started_ns,
                duration_ns=time.perf_counter_ns() - started,
                verdict=self.verdicts.get(call.name),
            )
        return errno


@native.HostCallback  # type: ignore[untyped-decorator]
def _on_call(number: int, caller: int, slots: int, _count: int) -> int:
    """wasmtime calls this for every host call that is answered in Python; gives 0 or a trap."""
    guard = current_guard()
    try:
        guard.host.answer(number or 0, caller, slots)
    except StopGuest as stop:
        return native.new_trap(str(stop))
    except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
        # The native implementation did not come back: a guard stopped it, or the guest's arguments did.
        return native.new_trap(str(error))
    except BaseException as error:
        # Nothing may be raised through the engine: it is raised when the guest has been left.
        guard.pending = error
        return native.new_trap("the host failed")
    return 0


def define_calls(linker: wasmtime.Linker, names: frozenset[str]) -> None:
    """Have the calls of those names answered in Python, for every store that uses the linker."""
    linker.allow_shadowing = True
    i32, i64 = wasmtime.ValType.i32, wasmtime.ValType.i64
    for name in sorted(names):
        call = calls()[name]
        parameters = [i64() if kind == "i64" else i32() for kind in call.core_parameters]
        kind = wasmtime.FuncType(parameters, [i32()] if call.returns_errno else [])
        error = native.linker_define_func_unchecked(
            linker.ptr(),
            MODULE.encode(),
            c_size_t(len(MODULE)),
            name.encode(),
            c_size_t(len(name)),
            kind.ptr(),
            _on_call,
            c_void_p(_NUMBERS[name]),
            None,
        )
        if error:
            raise LoadError(f"wasmtime refused to define {name}: {native.failure(error, c_void_p())}")
