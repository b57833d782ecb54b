"""A Python function as text that another process can execute: its source and what it refers to."""

from __future__ import annotations

import inspect
import textwrap
import types
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def code_of(function: Callable[..., Any]) -> tuple[str, str]:
    """The text that defines ``function``, with the modules, functions and constants it uses; and its name.

    Raises:
        UsageError: it has no source, or uses something that cannot be carried over as text.

    Example:
        >>> import math
        >>> def area(r): return math.pi * r * r
        >>> code_of(area)[1]
        'area'
    """
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        raise UsageError(
            f"{function!r} is no plain Python function, so it cannot be a twin.",
            hint="Define it with def, or give its source as a text.",
        )
    parts: dict[str, str] = {}
    _collect(function, parts, function.__name__)
    return "\n\n".join(parts.values()) + "\n", function.__name__


def _collect(function: types.FunctionType, parts: dict[str, str], wanted_by: str) -> None:
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise UsageError(
            f"The source of {function.__name__} is not known here.",
            hint="Define it in a cell or a file, or give its source as a text.",
        ) from None
    if not text.startswith(("def ", "@", "async def ")):
        raise UsageError(f"{function.__name__} is not defined by a def of its own, so it cannot be a twin.")
    if function.__closure__:
        names = ", ".join(function.__code__.co_freevars)
        raise UsageError(
            f"{function.__name__} uses {names} of the function around it, which another process lacks.",
            hint="Define it at the top level.",
        )
    own = f"function {function.__name__}"
    if own in parts:
        return
    parts[own] = ""  # so that functions which call each other end
    for name in sorted(_names(function.__code__)):
        if name in function.__globals__ and name != function.__name__:
            _carry(name, function.__globals__[name], parts, function.__name__)
    del parts[own]
    parts[own] = text


def _names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _carry(name: str, value: Any, parts: dict[str, str], wanted_by: str) -> None:
    if isinstance(value, types.ModuleType):
        parts[f"name {name}"] = f"import {value.__name__} as {name}"
    elif isinstance(value, types.FunctionType) and _is_local(value):
        _collect(value, parts, wanted_by)
        if value.__name__ != name:
            parts[f"name {name}"] = f"{name} = {value.__name__}"
    elif isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)) and not _is_local(value):
        parts[f"name {name}"] = f"from {value.__module__} import {value.__name__} as {name}"
    elif _is_constant(value):
        parts[f"name {name}"] = f"{name} = {value!r}"
    else:
        raise UsageError(
            f"{wanted_by} uses {name}, a {type(value).__name__}, which cannot be carried to another process.",
            hint="Make it in the function itself, or give the twin's source as a text.",
        )


def _is_local(value: Any) -> bool:
    """Whether it was defined in the notebook or script, which another process cannot import."""
    return getattr(value, "__module__", None) in ("__main__", None) or "<locals>" in value.__qualname__


def _is_constant(value: Any) -> bool:
    if isinstance(value, (tuple, list, set, frozenset)):
        return all(map(_is_constant, value))
    if isinstance(value, dict):
        return all(_is_constant(k) and _is_constant(v) for k, v in value.items())
    if isinstance(value, float):
        return value - value == 0
    return value is None or isinstance(value, (bool, int, str, bytes, complex))
