"""Which signatures cannot cross, and why, in the learner's own names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.abi.types import MAPS, PLAIN, SEQUENCES, SETS, TEXTS, array_length, element, owned

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.cells.signatures import RustType, Signature

_KEYS = TEXTS | {name for name, plain in PLAIN.items() if plain.kind != "float"}

#: How many members of a tuple the standard library's own traits cover.
_TUPLE_LIMIT = 12


def obstacle(signature: Signature) -> str:
    """Why Python cannot call this function, naming the parameter; empty when it can.

    Example:
        A parameter ``f: impl Fn(f64) -> f64`` gives
        ``parameter f: impl Fn(f64) -> f64 has no Python form``.
    """
    if signature.obstacle:
        return signature.obstacle
    for parameter in signature.parameters:
        why = _parameter(parameter.type)
        if why:
            return f"parameter {parameter.name}: {why}"
    why = _result(signature.result)
    return f"its result: {why}" if why else ""


def _parameter(kind: RustType) -> str:
    if "'static" in kind.text:
        return f"{kind} would have to live for ever, and arguments live for one call"
    if kind.name == "slice mut":
        plain = element(kind)
        if plain and plain.dtype:
            return ""
        return f"{kind} can be copied back only when its elements are numbers"
    if kind.name == "ref mut":
        return f"{kind} would change Python's own value; take the value and return the changed one"
    if kind.name == "slice":  # any elements: the wrapper holds them in a Vec of its own
        return _value(kind.args[0], result=False)
    return _value(owned(kind) if kind.name == "ref" else kind, result=False)


def _result(kind: RustType) -> str:
    if kind.name == "Result":
        return _result(kind.args[0]) if kind.args and kind.args[0].name != "Result" else _unknown(kind)
    return "" if kind.name == "unit" else _value(kind, result=True)


def _value(kind: RustType, *, result: bool) -> str:
    name, args = kind.name, kind.args
    if name in ("ref", "Cow"):
        if result and args:
            return _value(args[-1], result=True)
        return f"{kind} inside another type is not supported; use the owned type"
    if name in PLAIN or name in TEXTS:
        return ""
    if name in ("slice mut", "ref mut"):
        return f"{kind} can only be a parameter of its own"
    if name == "slice":
        if not result and not element(kind):
            return f"{kind} inside another type is not supported; use Vec"
        return _value(args[0], result=result)
    if name == "Result":
        return f"{kind} can only be the whole result"
    if name == "array" and not result and array_length(kind) is None:
        return f"the length of {kind} is not written as a number here"
    if name == "Option" and args and args[0].name == "Option":
        return f"{kind} has two kinds of None, and Python has one"
    if (name in SEQUENCES or name == "Option") and len(args) == 1:
        if args[0].name == "unit":
            return f"{kind} has no values to hold"
        return _value(args[0], result=result)
    if name == "tuple" and 0 < len(args) <= _TUPLE_LIMIT:
        return _first(_value(arg, result=result) for arg in args)
    if (name in MAPS and len(args) == 2) or (name in SETS and len(args) == 1):
        key = args[0]
        if key.name not in _KEYS:
            return f"keys of type {key} are not supported; integers, bool, char and text are"
        return _first(_value(arg, result=result) for arg in args[1:])
    return _unknown(kind)


def _first(reasons: Iterable[str]) -> str:
    return next((why for why in reasons if why), "")


def _unknown(kind: RustType) -> str:
    return f"{kind} has no Python form; numbers, text, sequences, tuples, Option and maps have"
