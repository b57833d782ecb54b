"""Exported functions as Python callables, bound to an instance when they are first asked for."""

from __future__ import annotations

import ctypes
from struct import Struct
from typing import TYPE_CHECKING, Any

from wasm_lab.components import native
from wasm_lab.components.names import snake
from wasm_lab.components.nouns import ResultOf
from wasm_lab.components.plain import scalar_format
from wasm_lab.components.values import Ok

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.components.codecs import Codecs
    from wasm_lab.components.instance import ComponentInstance
    from wasm_lab.components.nouns import Function
    from wasm_lab.components.state import State

_P = native.VAL_BYTES


class Plan:
    """What is the same for every call of one exported function, in every instance.

    Args:
        index: its place among the exports (a ``wasmtime.component.ExportIndex``).
    """

    def __init__(self, function: Function, index: Any, codecs: Codecs) -> None:
        self.function = function
        self._index = index  # whose memory `index_at` points to
        self.index_at = ctypes.cast(index.ptr(), ctypes.c_void_p).value
        self.count = len(function.params)
        self.lower = self._lowerer(codecs)
        result = None if function.result is None else codecs.of(function.result)
        self.lift = None if result is None else result.lift
        self.flat = result is not None and result.flat
        self.fallible = isinstance(function.result, ResultOf)
        self.names = [snake(name) for name, _ in function.params]

    def _lowerer(self, codecs: Codecs) -> Callable[[tuple[Any, ...], State], bytes]:
        kinds = [kind for _, kind in self.function.params]
        lowers = self.lowers = [codecs.of(kind).lower for kind in kinds]
        formats = [scalar_format(kind) for kind in kinds]
        if formats and all(formats):
            return _lower_numbers(formats, [native.KINDS[str(kind)] for kind in kinds])
        if len(lowers) == 1:
            (only,) = lowers
            return lambda values, state: only(values[0], state)
        return lambda values, state: b"".join([lower(value, state) for lower, value in zip(lowers, values)])  # noqa: B905

    def arguments(self, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, ...]:
        """The arguments in order.

        Raises:
            TypeError: one is missing, unknown or too many.
        """
        names = self.names
        if len(values) + len(named) == self.count and all(name in names[len(values) :] for name in named):
            return (*values, *(named[name] for name in names[len(values) :]))
        shown = names[1:] if self.function.kind == "method" else names
        given = len(values) + len(named) - (self.function.kind == "method")
        for name in named:
            if name not in names[len(values) :]:
                raise TypeError(
                    f"{self.function.label} has no parameter {name!r} left; it takes {self.function}"
                )
        raise TypeError(
            f"{self.function.label} takes {len(shown)} arguments, and {given} were given: {self.function}"
        )

    def explain(self, values: tuple[Any, ...], state: State, error: Exception) -> Exception:
        """Which argument could not be lowered, and why."""
        from wasm_lab.components.explain import explain  # only a mistake needs it

        for lower, name, (_, kind), value in zip(
            self.lowers, self.names, self.function.params, values, strict=True
        ):
            try:
                lower(value, state)
            except Exception as cause:
                return explain(self.function.label, f"parameter {name}", kind, value, cause)
        return error


def _lower_numbers(formats: list[str], kinds: list[int]) -> Callable[[tuple[Any, ...], State], bytes]:
    """All parameters are numbers: one `struct` packs them, and checks their ranges."""
    pack = Struct("<" + "".join(formats)).pack
    if len(formats) == 1:
        (kind,) = kinds
        return lambda values, _state: pack(kind, values[0])
    if len(formats) == 2:
        one, two = kinds
        return lambda values, _state: pack(one, values[0], two, values[1])

    def lower(values: tuple[Any, ...], _state: State) -> bytes:
        words: list[Any] = []
        for kind, value in zip(kinds, values):  # noqa: B905 - counted by the caller
            words += (kind, value)
        return pack(*words)

    return lower


def bind(plan: Plan, instance: ComponentInstance) -> Callable[..., Any]:
    """The function of one instance."""
    state, guard, output = instance._state, instance._state.guard, instance._store.output
    handle = native.FuncHandle()
    place = ctypes.addressof(handle)
    guard.begin()  # in turn: another thread may be in the guest, or about to close it
    try:
        if instance.poisoned:
            instance._refuse(plan.function.label)
        found = native.instance_get_func(instance._handle_at, state.context, plan.index_at, place)
    finally:
        guard.end()
    if not found:
        raise AttributeError(f"the instance has no function {plan.function.label}")
    # One buffer for all calls: calls of one instance never overlap.
    result = (ctypes.c_ubyte * _P)()
    result_at, results = ctypes.addressof(result), int(plan.lift is not None)
    count, lower, lift, flat, fallible = plan.count, plan.lower, plan.lift, plan.flat, plan.fallible
    enter, delete, string_at, context = native.func_call, native.val_delete, ctypes.string_at, state.context
    streams = bool(output.streams)

    def call(*values: Any, _keep: Any = (handle, result), **named: Any) -> Any:
        if named or len(values) != count:
            values = plan.arguments(values, named)
        guard.begin()
        first_rep = state.next_rep
        try:
            if instance.poisoned:
                instance._refuse(plan.function.label)
            if state.unused:
                instance._drop_unused()
            try:
                data = lower(values, state)
            except Exception as error:
                state.moved.clear()
                try:
                    raise plan.explain(values, state, error) from None
                finally:
                    state.forget_since(first_rep)
            if state.moved:
                state.give_moved()
            failed = enter(place, context, data, count, result_at, results)
            if failed:
                instance._fail(failed)
            if streams and output.written:
                instance._pass_on_output()
            if lift is None:
                return None
            try:
                value = lift(string_at(result_at, _P), 0, state)
            finally:
                if not flat:
                    delete(result_at)
                    result[0] = 0  # or the next call would free it again before it writes its own
        finally:
            try:
                state.after_call()
            finally:
                guard.end()
        if fallible:
            if type(value) is Ok:
                return value.value
            raise value
        return value

    call.__name__ = call.__qualname__ = snake(plan.function.name)
    call.__doc__ = str(plan.function)
    return call
