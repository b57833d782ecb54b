"""Host functions: what stands in the linker for each function that a component imports."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from wasm_lab.components import native
from wasm_lab.components.names import pascal, snake
from wasm_lab.components.nouns import Handle, ResultOf
from wasm_lab.components.state import states
from wasm_lab.components.values import Err, Ok
from wasm_lab.runtimes.wasmtime.native import new_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.components.codecs import Codecs
    from wasm_lab.components.nouns import Function
    from wasm_lab.components.state import State

_P = native.VAL_BYTES


def _implementation(function: Function, provider: Any) -> Callable[..., Any]:
    """What is called for an imported function that is no method, with the values that the guest passed."""
    name = snake(function.name)
    if function.kind == "constructor":
        assert function.resource is not None
        made: Callable[..., Any] = getattr(provider, pascal(function.resource.name))
        return made
    if function.kind == "static":
        assert function.resource is not None
        static: Callable[..., Any] = getattr(getattr(provider, pascal(function.resource.name)), name)
        return static
    found: Callable[..., Any] = getattr(provider, name) if function.interface else provider
    return found


def host_callback(function: Function, provider: Any, codecs: Codecs) -> Any:
    """A C callback that lifts the arguments, calls the host's function and lowers what it gives.

    The codecs are made at the first call: a component imports many functions and calls few.

    Args:
        provider: the object given for the function's interface; for a function of the world, the
            function itself.
    """
    # A method is looked up on the object, which need not be of the class that the interface names.
    count = len(function.params)
    size = count * _P
    ready = False
    read: Callable[[int, State], Any]
    write: Callable[[Any, int, State], None]
    fallible = isinstance(function.result, ResultOf)
    is_method, method = function.kind == "method", snake(function.name)
    target: Any = None if is_method else _implementation(function, provider)

    def callback(
        _data: int, context: int, _type: int, arguments: int, _count: int, results: int, _results: int
    ) -> int:
        nonlocal ready, read, write
        state = states[context]
        try:
            if not ready:
                read, write = _reader(function, codecs, count, size), _writer(function, codecs)
                ready = True
            values = read(arguments, state)
            try:
                result = getattr(values[0], method)(*values[1:]) if is_method else target(*values)
            except Err as error:
                if not fallible:
                    raise
                write(error, results, state)
            else:
                write(result, results, state)
        except BaseException as error:  # comes out of the call that the guest is in, unchanged
            state.failure = error
            return new_error("a host function raised an exception")
        return 0

    return native.HostCallback(callback)


def _reader(function: Function, codecs: Codecs, count: int, size: int) -> Callable[[int, State], Any]:
    """What lifts the arguments."""
    lifts = [codecs.of(kind).lift for _, kind in function.params]
    view_at = native.Views(size).at
    if count == 0:
        return lambda _at, _state: ()
    if count == 1:
        (only,) = lifts
        return lambda at, state: (only(view_at(at), 0, state),)
    if count == 2:
        first, second = lifts

        def read_two(at: int, state: State) -> Any:
            raw = view_at(at)
            return first(raw, 0, state), second(raw, _P, state)

        return read_two
    places = [(number * _P, lift) for number, lift in enumerate(lifts)]

    def read(at: int, state: State) -> Any:
        raw = view_at(at)
        return [lift(raw, place, state) for place, lift in places]

    return read


_RESULT = Struct("<B7xQQ8x")


def _writer(function: Function, codecs: Codecs) -> Callable[[Any, int, State], None]:
    """What lowers the result to where the engine wants it, in memory that the engine can free."""
    kind = function.result
    if kind is None:
        return _check_none(function)
    codec = codecs.of(kind)
    lower, clone, view_at = codec.lower, native.val_clone, native.Views(_P).at
    if isinstance(kind, ResultOf):
        inner, fallible_lower = kind, codec.lower

        def lower(value: Any, state: State) -> bytes:
            return fallible_lower(value if isinstance(value, Err) else Ok(value), state)

        if inner.ok is None:
            return _write_nothing_or_error(function, lower)
    elif codec.boxed:
        assert isinstance(kind, Handle)

        def write_handle(value: Any, at: int, state: State) -> None:
            data = _lowered(function, lower, value, state)
            state.boxes.pop()  # the engine frees this one
            view_at(at)[:] = data

        return write_handle
    elif codec.flat:

        def write_flat(value: Any, at: int, state: State) -> None:
            view_at(at)[:] = _lowered(function, lower, value, state)

        return write_flat

    def write(value: Any, at: int, state: State) -> None:
        clone(_lowered(function, lower, value, state), at)
        state.after_call()

    return write


def _write_nothing_or_error(
    function: Function, lower: Callable[[Any, State], bytes]
) -> Callable[[Any, int, State], None]:
    """The commonest result: nothing, or an error. Nothing needs no memory."""
    good, view_at = _RESULT.pack(native.RESULT, 1, 0), native.Views(_P).at

    def write(value: Any, at: int, state: State) -> None:
        if value is None:
            view_at(at)[:] = good
            return
        native.val_clone(_lowered(function, lower, value, state), at)
        state.after_call()

    return write


def _check_none(function: Function) -> Callable[[Any, int, State], None]:
    def write(value: Any, _at: int, _state: State) -> None:
        if value is not None:
            raise TypeError(f"{function.label}, the result: expected nothing, found {value!r:.60}")

    return write


def _lowered(function: Function, lower: Any, value: Any, state: State) -> bytes:
    try:
        data: bytes = lower(value, state)
    except Exception as error:
        from wasm_lab.components.explain import explain  # only a mistake needs it

        kind, wrapped = function.result, value
        assert kind is not None
        if isinstance(kind, ResultOf) and not isinstance(value, Err):
            wrapped = Ok(value)
        raise explain(f"{function.label} of the host", "the result", kind, wrapped, error) from None
    return data
