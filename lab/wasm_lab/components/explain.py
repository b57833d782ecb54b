"""Why a Python value is not of a WIT type: where in it, what was expected, what was found.

Runs only after a conversion failed, so it may be slow.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterable, Mapping
from typing import Any

from wasm_lab.components.names import constant, pascal, snake
from wasm_lab.components.nouns import (
    EnumOf,
    FlagsOf,
    Handle,
    ListOf,
    OptionOf,
    Primitive,
    Record,
    ResultOf,
    TupleOf,
    Type,
    Variant,
)
from wasm_lab.components.resources import GuestResource
from wasm_lab.components.values import Err, Ok, Some

#: Most characters of a value that are shown.
_SHOWN = 60


class _Found(Exception):
    def __init__(self, path: str, expected: str, value: Any, error: type[Exception]) -> None:
        self.path, self.expected, self.value, self.error = path, expected, value, error


def explain(label: str, what: str, kind: Type, value: Any, cause: Exception) -> Exception:
    """The exception for a value that could not be lowered.

    Args:
        label: the function, such as ``calc.add``.
        what: ``parameter b`` or ``the result``.
        cause: what the conversion raised, when the value looks right after all.

    Returns:
        A TypeError; an OverflowError for a number out of range; a ValueError for a string, character
        or handle that is of the right type and cannot be passed.

    Example:
        >>> str(explain("calc.add", "parameter b", Primitive("s32"), "a", TypeError()))
        "calc.add, parameter b: expected s32, found 'a'"
    """
    try:
        _check(kind, value, "")
    except _Found as found:
        path = f"{what}{found.path}"
        return found.error(f"{label}, {path}: expected {found.expected}, found {_show(found.value)}")
    except Exception as error:  # the value's own attributes raise
        return TypeError(f"{label}, {what}: reading it raised {type(error).__name__}: {error}")
    why = f" ({cause})" if str(cause) else ""
    return TypeError(f"{label}, {what}: expected {kind}, found {_show(value)}{why}")


def _show(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _check(kind: Type, value: Any, path: str) -> None:
    match kind:
        case Primitive():
            _check_primitive(kind.name, value, path)
        case ListOf():
            _check_list(kind, value, path)
        case TupleOf():
            if (
                isinstance(value, (str, Mapping))
                or not hasattr(value, "__len__")
                or len(value) != len(kind.items)
            ):
                raise _Found(path, f"{len(kind.items)} values ({kind})", value, TypeError)
            for number, (part, one) in enumerate(zip(kind.items, value, strict=True)):
                _check(part, one, f"{path}[{number}]")
        case OptionOf():
            _check_option(kind, value, path)
        case ResultOf():
            _check_result(kind, value, path)
        case Record():
            _check_record(kind, value, path)
        case Variant():
            _check_variant(kind, value, path)
        case EnumOf():
            names = {name for case in kind.cases for name in (case, snake(case), constant(case))}
            found = value.name if isinstance(value, enum.Enum) else value
            if not isinstance(found, str) or found not in names:
                raise _Found(path, f"{kind} (one of {', '.join(kind.cases)})", value, TypeError)
        case FlagsOf():
            _check_flags(kind, value, path)
        case Handle():
            _check_handle(kind, value, path)


def _check_primitive(name: str, value: Any, path: str) -> None:
    match name:
        case "bool":
            good = isinstance(value, bool)
        case "string":
            good = isinstance(value, str)
            if good:
                try:
                    value.encode()
                except UnicodeEncodeError:
                    raise _Found(path, "a string that is valid Unicode", value, ValueError) from None
        case "char":
            good = isinstance(value, str) and len(value) == 1
            if good and 0xD800 <= ord(value) <= 0xDFFF:
                raise _Found(path, "char, which is no half of a surrogate pair", value, ValueError)
        case "f32" | "f64":
            good = hasattr(value, "__float__") or hasattr(value, "__index__")
            if good:
                number = float(value)
                if name == "f32":
                    try:
                        struct.pack("<f", number)
                    except OverflowError:
                        raise _Found(path, "f32", value, OverflowError) from None
        case _:
            good = hasattr(value, "__index__")
            if good:
                bits, number = int(name[1:]), value.__index__()
                low, high = (0, 2**bits - 1) if name[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
                if not low <= number <= high:
                    raise _Found(path, f"{name} ({low} to {high})", value, OverflowError)
    if not good:
        raise _Found(path, name, value, TypeError)


def _check_list(kind: ListOf, value: Any, path: str) -> None:
    is_bytes = isinstance(kind.item, Primitive) and kind.item.name == "u8"
    if isinstance(value, (bytes, bytearray)) and is_bytes:
        return
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not isinstance(value, Iterable):
        raise _Found(path, "bytes" if is_bytes else str(kind), value, TypeError)
    for number, one in enumerate(value):
        _check(kind.item, one, f"{path}[{number}]")


def _check_option(kind: OptionOf, value: Any, path: str) -> None:
    if value is None:
        return
    if isinstance(kind.item, OptionOf):
        if not isinstance(value, Some):
            raise _Found(path, f"None or Some(...) ({kind})", value, TypeError)
        value = value.value
    elif isinstance(value, Some):
        raise _Found(path, f"None or {kind.item} (Some is for an option of an option)", value, TypeError)
    _check(kind.item, value, path)


def _check_result(kind: ResultOf, value: Any, path: str) -> None:
    if not isinstance(value, (Ok, Err)):
        raise _Found(path, f"Ok(...) or Err(...) ({kind})", value, TypeError)
    good = isinstance(value, Ok)
    part = kind.ok if good else kind.err
    inner = f"{path}.{'ok' if good else 'err'}"
    if part is not None:
        _check(part, value.value, inner)
    elif value.value is not None:
        raise _Found(inner, "nothing", value.value, TypeError)


def _check_record(kind: Record, value: Any, path: str) -> None:
    fields = {snake(name): part for name, part in kind.fields}
    if isinstance(value, Mapping):
        unknown = [name for name in value if name not in fields]
        missing = [name for name in fields if name not in value]
        read = value.__getitem__
    else:
        unknown, missing = [], [name for name in fields if not hasattr(value, name)]

        def read(name: str) -> Any:
            return getattr(value, name)

    if missing or unknown:
        which = f"without {', '.join(missing)}" if missing else f"with {', '.join(map(str, unknown))}"
        raise _Found(path, f"{kind} (fields {', '.join(fields)}; this is {which})", value, TypeError)
    for name, part in fields.items():
        _check(part, read(name), f"{path}.{name}")


def _check_variant(kind: Variant, value: Any, path: str) -> None:
    cases = dict(kind.cases)
    payload: Any = None
    if isinstance(value, str):
        name: str | None = value
    elif isinstance(value, tuple) and len(value) == 2:
        name, payload = value
    elif isinstance(value, enum.Enum):
        name = str(value.value)
    else:
        by_class = {pascal(case): case for case in cases}
        name, payload = by_class.get(type(value).__name__), getattr(value, "value", None)
    if name not in cases:
        listed = ", ".join(
            f"{kind_name}.{pascal(case)}" for case in cases for kind_name in [pascal(kind.name)]
        )
        raise _Found(path, f"{kind} (one of {listed})", value, TypeError)
    part = cases[name]
    if part is not None:
        _check(part, payload, f"{path}.{snake(name)}")
    elif payload is not None:
        raise _Found(f"{path}.{snake(name)}", "nothing", payload, TypeError)


def _check_flags(kind: FlagsOf, value: Any, path: str) -> None:
    names = {name for flag in kind.flags for name in (flag, snake(flag), constant(flag))}
    if isinstance(value, enum.Flag):
        good = 0 <= value.value < 1 << len(kind.flags)
    else:
        good = isinstance(value, (list, tuple, set, frozenset)) and all(one in names for one in value)
    if not good:
        raise _Found(path, f"{kind} (flags {', '.join(kind.flags)})", value, TypeError)


def _check_handle(kind: Handle, value: Any, path: str) -> None:
    if value is None:
        raise _Found(path, f"a {pascal(kind.resource.name)}", value, TypeError)
    if isinstance(value, GuestResource):
        if value._wit is not kind.resource:
            raise _Found(path, f"a {pascal(kind.resource.name)}", value, TypeError)
        if not value._box:
            raise _Found(path, f"a {pascal(kind.resource.name)} that is still open", value, ValueError)
