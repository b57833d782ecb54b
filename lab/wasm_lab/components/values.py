"""The few classes of values that WIT has and Python lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Ok:
    """The good case of a ``result`` that is part of another value.

    Example:
        >>> Ok(3).value
        3
    """

    value: Any = None


class Err(Exception):
    """The bad case of a ``result``: raised when it is a function's own result, a value elsewhere.

    Example:
        >>> try:
        ...     raise Err("not found")
        ... except Err as error:
        ...     error.value
        'not found'
    """

    __match_args__ = ("value",)

    def __init__(self, value: Any = None) -> None:
        super().__init__(value)
        self.value = value

    def __repr__(self) -> str:
        return f"Err(value={self.value!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Err) and self.value == other.value

    def __hash__(self) -> int:
        return hash((Err, self.value))


@dataclass(frozen=True, slots=True)
class Some:
    """What is there, in an ``option`` of an ``option``: ``Some(None)`` is not ``None``.

    Example:
        >>> Some(None) == None
        False
    """

    value: Any
