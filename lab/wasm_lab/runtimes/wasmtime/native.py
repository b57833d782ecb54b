"""The few C functions of wasmtime that are called directly, and why.

The Python package wraps most of the C API well, and the rest of this room uses it.
Here are those it does not wrap (epoch callbacks) and those on hot paths, where its
wrappers cost many times the call itself: ``Func.__call__`` takes 13 µs to look up types
and box values, `call` 0.3 µs. Argument types are left undeclared for the same reason:
every caller passes ctypes objects of the right type.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from ctypes import POINTER, byref, c_bool, c_size_t, c_uint8, c_uint64, c_void_p
from typing import Any

import wasmtime
from wasmtime import Trap, WasmtimeError
from wasmtime import _bindings as bindings
from wasmtime import _ffi as ffi

#: ``wasmtime/store.h``: WASMTIME_UPDATE_DEADLINE_CONTINUE.
UPDATE_DEADLINE_CONTINUE = 0

EpochCallback = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, POINTER(c_uint64), POINTER(c_uint8))

#: (environment, caller, slots, count) -> trap as an integer, 0 when there is none
HostCallback = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_size_t, c_size_t)

ValRaw = bindings.wasmtime_val_raw_t
Func = bindings.wasmtime_func_t
Memory = bindings.wasmtime_memory_t
Extern = bindings.wasmtime_extern_t
InstanceHandle = bindings.wasmtime_instance_t

EXTERN_FUNC = 0
EXTERN_MEMORY = 3


def _function(name: str, result: Any) -> Any:
    function = ffi.dll[name]  # a new object each time, so that the package's own stays as it is
    function.restype = result
    return function


#: (context, func*, valraw*, count, trap**) -> error* as an integer, 0 when there is none
call = _function("wasmtime_func_call_unchecked", c_size_t)
#: (instance_pre*, context, instance*, trap**) -> error*
instantiate_pre = _function("wasmtime_instance_pre_instantiate", c_size_t)
instance_export_get = _function("wasmtime_instance_export_get", c_bool)
memory_data = _function("wasmtime_memory_data", c_size_t)
memory_data_size = _function("wasmtime_memory_data_size", c_size_t)
_store_epoch_deadline_callback = _function("wasmtime_store_epoch_deadline_callback", None)
_set_epoch_deadline = _function("wasmtime_context_set_epoch_deadline", None)
caller_export_get = _function("wasmtime_caller_export_get", c_bool)
linker_define_func_unchecked = _function("wasmtime_linker_define_func_unchecked", c_size_t)
_trap_new = _function("wasmtime_trap_new", c_size_t)
_error_new = _function("wasmtime_error_new", c_size_t)


def same_type(one: wasmtime.ValType, other: wasmtime.ValType) -> bool:
    """Whether two value types are the same, without asking for their kinds (see `instance`)."""
    return bool(bindings.wasmtime_wasm_valtype_equal(one.ptr(), other.ptr()))


def trap_of(code: wasmtime.TrapCode) -> Trap:
    """A new trap with that code."""
    return Trap._from_ptr(bindings.wasmtime_trap_new_code(code.value))


def address_of(pointer: Any) -> c_void_p:
    """A ctypes pointer as a plain address, which undeclared functions take fastest."""
    # Not by `ctypes.cast`, whose result and argument refer to each other until the garbage collector comes.
    return c_void_p(c_void_p.from_buffer(pointer).value)


def new_error(message: str) -> int:
    """A new ``wasmtime_error_t``, owned by whoever it is returned to."""
    return int(_error_new(message.encode()))


def new_trap(message: str) -> int:
    """A new ``wasm_trap_t``, owned by whoever it is returned to."""
    encoded = message.encode()
    return int(_trap_new(encoded, c_size_t(len(encoded))))


def delete_store(store: wasmtime.Store) -> None:
    """Free a store, once: it lets go of the pointer first.

    The package's own ``close`` lets go of it last, so that a signal handler that raises in
    between has it freed twice.
    """
    with contextlib.suppress(ValueError):  # already freed
        bindings.wasmtime_store_delete(store._consume())


def set_stdin_bytes(config: wasmtime.WasiConfig, data: bytes) -> None:
    """Give the guest these bytes as standard input (the package has no wrapper for it)."""
    vector = bindings.wasm_byte_vec_t()
    content = (c_uint8 * len(data)).from_buffer_copy(data)
    bindings.wasm_byte_vec_new(byref(vector), len(data), content)
    bindings.wasi_config_set_stdin_bytes(config.ptr(), byref(vector))


def watch_store(store: Any, context: c_void_p, callback: Any) -> None:
    """Have ``callback`` called at every tick of the epoch while a guest of this store runs."""
    _store_epoch_deadline_callback(store.ptr(), callback, None, None)
    _set_epoch_deadline(context, c_uint64(1))


def failure(error: int, trap: c_void_p) -> WasmtimeError | Trap:
    """What a call into the guest came back with, as the package's exception; takes it over."""
    if error:
        return WasmtimeError._from_ptr(ctypes.cast(error, POINTER(bindings.wasmtime_error_t)))
    pointer = ctypes.cast(trap, POINTER(bindings.wasm_trap_t))
    trap.value = None
    return Trap._from_ptr(pointer)


def export(context: c_void_p, instance: Any, name: str) -> Any:
    """The export of that name as a ``wasmtime_extern_t``; None when there is none."""
    item, encoded = Extern(), name.encode()
    found = instance_export_get(context, byref(instance), encoded, c_size_t(len(encoded)), byref(item))
    return item if found else None


def thread_stack_bytes() -> int | None:
    """The size of the calling thread's stack, in bytes; None where the system does not tell."""
    try:
        libc = ctypes.CDLL(None)
        libc.pthread_self.restype = c_void_p
        this = c_void_p(libc.pthread_self())
        if sys.platform == "darwin":
            libc.pthread_get_stacksize_np.restype = c_size_t
            return int(libc.pthread_get_stacksize_np(this))
        # pthread_attr_t is 56 bytes on x86-64 and 64 on aarch64 (glibc, bits/pthreadtypes-arch.h).
        attributes = (c_uint64 * 16)()
        if libc.pthread_getattr_np(this, byref(attributes)) != 0:
            return None
        size = c_size_t()
        libc.pthread_attr_getstacksize(byref(attributes), byref(size))
        libc.pthread_attr_destroy(byref(attributes))
        return size.value
    except (AttributeError, OSError, TypeError):
        return None
