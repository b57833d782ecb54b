"""How handles cross: host objects to the guest, and the guest's resources to Python.

A resource that Python provides is any object; the guest gets a handle with a number, and the
instance's `State` knows the object. A resource that the guest provides becomes a `GuestResource`.
One that neither provides (a native stream of WASI) is passed along as it is.
"""

from __future__ import annotations

import ctypes
import itertools
from typing import TYPE_CHECKING, Any

from wasm_lab.components import native
from wasm_lab.components.plain import ONE, Codec, word
from wasm_lab.components.state import State, close_object, states
from wasm_lab.errors import UsageError
from wasm_lab.runtimes.wasmtime.native import new_error

if TYPE_CHECKING:
    from collections.abc import Collection

    from wasm_lab.components.nouns import Handle, Resource

#: Numbers of host resource types; each link has its own, so that links do not mix.
_type_numbers = itertools.count(1)


class GuestResource:
    """A resource that lives in a guest. Close it, or use it in a ``with`` block.

    Its methods are those of WIT. After `close`, or once it was given to a function that takes
    ownership, it can no longer be used.
    """

    __slots__ = ("__weakref__", "_box", "_state")
    _wit: Resource

    _box: int
    _state: State

    @classmethod
    def _take(cls, box: int, state: State) -> GuestResource:
        made = cls.__new__(cls)
        made._box = box
        made._state = state
        return made

    def __enter__(self) -> GuestResource:
        return self

    def __exit__(self, *error: object) -> None:
        GuestResource.close(self)  # its WIT may have a method of that name

    def close(self) -> None:
        """Run its destructor in the guest. Closing twice is nothing."""
        box, self._box = getattr(self, "_box", 0), 0
        if box:
            drop_box(self._state, box)

    def __del__(self) -> None:
        # Here the guest must not be entered: its next call drops what Python lost.
        box = getattr(self, "_box", 0)
        if box and states.get(self._state.context) is self._state:
            self._state.unused.append(box)
        elif box:
            native.resource_any_delete(box)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of a guest{'' if getattr(self, '_box', 0) else ', closed'}>"


def drop_box(state: State, box: int) -> None:
    """Run the destructor of a guest's resource, if its instance is still there."""
    if states.get(state.context) is state:
        state.instance._drop(box)
    else:
        native.resource_any_delete(box)


class ForeignResource:
    """A handle of the engine's own WASI, which Python can only pass on."""

    __slots__ = ("_box", "_owned", "_state")

    def __init__(self, box: int, state: State, *, owned: bool) -> None:
        self._box = box
        self._state = state
        self._owned = owned

    def __del__(self) -> None:
        native.resource_any_delete(self._box)


class HandleCodecs:
    """The codecs of handles in one link.

    Args:
        provided: the resources that Python provides.
        imported: all resources that the component imports.
    """

    def __init__(self, provided: Collection[Resource], imported: Collection[Resource]) -> None:
        self.numbers = {resource: next(_type_numbers) for resource in provided}
        self._imported = frozenset(imported)

    def of(self, kind: Handle) -> Codec:
        """The codec of ``own<R>`` or ``borrow<R>``."""
        number = self.numbers.get(kind.resource)
        if number is not None:
            return _host_handle(kind, number)
        if kind.resource in self._imported:
            return _foreign_handle(kind)
        return _guest_handle(kind)


def _host_handle(kind: Handle, number: int) -> Codec:
    owned = kind.owned
    new, to_any, delete = (
        native.resource_host_new,
        native.resource_host_to_any,
        native.resource_host_delete,
    )
    to_host, rep_of, pack = native.resource_any_to_host, native.resource_host_rep, ONE.pack

    def lower(value: Any, state: State) -> bytes:
        if value is None:
            raise TypeError
        rep = state.add(value)
        if not owned:
            state.lent.append(rep)
        host = new(owned, rep, number)
        error = to_any(state.context, host, state.out_at)
        delete(host)
        if error:
            raise _failed(error)
        box = state.out.value
        state.boxes.append(box)
        return pack(native.RESOURCE, box)

    def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
        error = to_host(state.context, word(raw, at + 8)[0], state.out_at)
        if error:
            raise _failed(error)
        host = state.out.value
        rep = rep_of(host)
        delete(host)
        return state.objects.pop(rep) if owned else state.objects[rep]

    return Codec(lower, lift, boxed=True)


def _guest_handle(kind: Handle) -> Codec:
    resource, owned = kind.resource, kind.owned

    def lower(value: Any, state: State) -> bytes:
        if not isinstance(value, GuestResource) or value._wit is not resource:
            raise TypeError
        if value._state is not state:
            raise TypeError("it belongs to another instance")
        box = value._box
        if not box:
            raise ValueError
        if owned:
            if any(value is other for other in state.moved):
                raise ValueError("it is given away twice")
            state.moved.append(value)  # it is the guest's once everything else could be lowered
        return ONE.pack(native.RESOURCE, box)

    def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
        box = native.resource_any_clone(word(raw, at + 8)[0])
        return state.instance._resource_class(resource)._take(box, state)

    return Codec(lower, lift, boxed=owned)


def _foreign_handle(kind: Handle) -> Codec:
    owned = kind.owned

    def lower(value: Any, state: State) -> bytes:
        if not isinstance(value, ForeignResource) or value._state is not state:
            raise TypeError
        box = native.resource_any_clone(value._box)
        state.boxes.append(box)
        return ONE.pack(native.RESOURCE, box)

    def lift(raw: bytes | memoryview, at: int, state: State) -> Any:
        box = native.resource_any_clone(word(raw, at + 8)[0])
        return ForeignResource(box, state, owned=owned)

    return Codec(lower, lift, boxed=True)


def _failed(error: int) -> Exception:
    from ctypes import c_void_p

    from wasm_lab.runtimes.wasmtime.native import failure

    return UsageError(f"The engine refused a handle: {failure(error, c_void_p())}.")


def _drop(_data: int, context: int, rep: int) -> int:
    """The guest dropped a handle that it owned."""
    state = states.get(context)
    if state is None:  # the store is being closed, and closes its objects itself
        return 0
    try:
        close_object(state.objects.pop(rep, None))
    except BaseException as error:
        state.failure = error
        return new_error("a host object's close() failed")
    return 0


#: The destructor of every host resource (``wasmtime_component_resource_destructor_t``).
drop = native.Destructor(_drop)


def new_type(number: int) -> ctypes.c_void_p:
    """A ``wasmtime_component_resource_type_t`` with that number; free it after use."""
    return ctypes.c_void_p(native.resource_type_new_host(number))
