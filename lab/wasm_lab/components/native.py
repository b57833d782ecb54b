"""The functions of wasmtime's C API for components that are called directly, and how values lie in memory.

The Python package looks up every type by reflection at every call, which takes 10 to 30 µs.
Here what is passed is laid out once for each type (see `codecs`), and the functions take plain
addresses. Values are read and written as bytes: a ``wasmtime_component_val_t`` is 32 bytes, its
kind in the first and its content from the ninth on (``wasmtime/component/val.h``).
"""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_size_t, c_uint32, c_void_p
from typing import Any

from wasmtime import _bindings as bindings
from wasmtime import _ffi as ffi

from wasm_lab.components.allocator import keep_freed_memory

VAL_BYTES = 32
ENTRY_BYTES = 48  #: of a record's field: its name, then its value

BOOL, S8, U8, S16, U16, S32, U32, S64, U64, F32, F64, CHAR, STRING = range(13)
LIST, RECORD, TUPLE, VARIANT, ENUM, OPTION, RESULT, FLAGS, RESOURCE = range(13, 22)

#: The kinds of the number types, by their names in WIT.
KINDS = {
    "s8": S8,
    "u8": U8,
    "s16": S16,
    "u16": U16,
    "s32": S32,
    "u32": U32,
    "s64": S64,
    "u64": U64,
    "f32": F32,
    "f64": F64,
}

if (
    ctypes.sizeof(bindings.wasmtime_component_val_t) != VAL_BYTES
    or ctypes.sizeof(bindings.wasmtime_component_valrecord_entry_t) != ENTRY_BYTES
    or ffi.WASMTIME_COMPONENT_RESOURCE.value != RESOURCE
):  # pragma: no cover - another version of the package than the one pinned
    raise ImportError("this version of wasmtime lays out component values in another way")

FuncHandle = bindings.wasmtime_component_func_t
InstanceHandle = bindings.wasmtime_component_instance_t

#: (data, context, function type, arguments, count, results, count) -> error, 0 when there is none
HostCallback = ctypes.CFUNCTYPE(c_size_t, *[c_size_t] * 7)
#: (data, context, representation) -> error
Destructor = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_uint32)


def _function(name: str, result: Any, *arguments: Any) -> Any:
    function = ffi.dll[name]  # a new object each time, so that the package's own stays as it is
    function.restype = result
    function.argtypes = arguments
    return function


#: An address, given as an integer, or as bytes for where they lie.
_P, _N = c_void_p, c_size_t

func_call = _function("wasmtime_component_func_call", c_size_t, _P, _P, _P, _N, _P, _N)
instance_get_func = _function("wasmtime_component_instance_get_func", c_bool, _P, _P, _P, _P)
linker_instantiate = _function("wasmtime_component_linker_instantiate", c_size_t, _P, _P, _P, _P)
linker_root = _function("wasmtime_component_linker_root", c_size_t, _P)
linker_instance_add_instance = _function(
    "wasmtime_component_linker_instance_add_instance", c_size_t, _P, _P, _N, _P
)
linker_instance_add_func = _function(
    "wasmtime_component_linker_instance_add_func", c_size_t, _P, _P, _N, HostCallback, _N, _N
)
linker_instance_add_resource = _function(
    "wasmtime_component_linker_instance_add_resource", c_size_t, _P, _P, _N, _P, Destructor, _N, _N
)
linker_instance_delete = _function("wasmtime_component_linker_instance_delete", None, _P)
resource_type_new_host = _function("wasmtime_component_resource_type_new_host", c_size_t, c_uint32)
resource_type_delete = _function("wasmtime_component_resource_type_delete", None, _P)
val_clone = _function("wasmtime_component_val_clone", None, _P, _N)
val_delete = _function("wasmtime_component_val_delete", None, _P)
resource_host_new = _function("wasmtime_component_resource_host_new", c_size_t, c_bool, c_uint32, c_uint32)
resource_host_rep = _function("wasmtime_component_resource_host_rep", c_uint32, _N)
resource_host_delete = _function("wasmtime_component_resource_host_delete", None, _N)
resource_host_to_any = _function("wasmtime_component_resource_host_to_any", c_size_t, _N, _N, _P)
resource_any_to_host = _function("wasmtime_component_resource_any_to_host", c_size_t, _N, _N, _P)
resource_any_clone = _function("wasmtime_component_resource_any_clone", c_size_t, _N)
resource_any_drop = _function("wasmtime_component_resource_any_drop", c_size_t, _N, _N)
resource_any_delete = _function("wasmtime_component_resource_any_delete", None, _N)

_memory_view = ctypes.pythonapi.PyMemoryView_FromMemory
_memory_view.restype = ctypes.py_object
_memory_view.argtypes = (c_void_p, ctypes.c_ssize_t, ctypes.c_int)
_PYBUF_WRITE = 0x200

#: Views kept of one place; the engine uses the same few addresses again and again.
_MOST_VIEWS = 64


class Views:
    """Views of memory that the engine lends for a call, kept by address.

    Copying with ctypes takes 0.3 µs, a view that is there already 0.05. A view is only used while
    the engine has just said that its memory is there.
    """

    __slots__ = ("_kept", "_size")

    def __init__(self, size_bytes: int) -> None:
        self._size = size_bytes
        self._kept: dict[int, memoryview] = {}

    def at(self, address: int) -> memoryview:
        """The memory there, as bytes."""
        view = self._kept.get(address)
        if view is None:
            if len(self._kept) >= _MOST_VIEWS:
                self._kept.clear()
            view = self._kept[address] = _memory_view(address, self._size, _PYBUF_WRITE)
        return view


#: Where a bytes object's data begins, after its header (CPython's layout; checked below).
_HEADER = bytes.__basicsize__ - 1


def address_of_bytes(data: bytes) -> int:
    """Where the data of a bytes object lies; only while somebody holds the object."""
    return id(data) + _HEADER


def _address_by_ctypes(data: bytes) -> int:
    return c_void_p.from_buffer(ctypes.c_char_p(data)).value or 0


if ctypes.string_at(address_of_bytes(b"where"), 5) != b"where":  # pragma: no cover - another Python
    address_of_bytes = _address_by_ctypes

keep_freed_memory()
