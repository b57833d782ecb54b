"""Text of Cap'n Proto configurations. Nothing that a user wrote can end a string here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Bytes that stand for themselves in a string: printable ASCII but for the quote and the backslash.
_PLAIN = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')


def quoted(text: str) -> str:
    """A text as a string of Cap'n Proto's own syntax: every other byte of its UTF-8 as ``\\xHH``.

    Raises:
        ValueError: it holds half of a surrogate pair, or the zero character, which ends texts there.

    Example:
        >>> print(quoted('say "hé"'))
        "say \\x22h\\xc3\\xa9\\x22"
    """
    if "\0" in text:
        raise ValueError("a text with a zero character cannot be given to workerd")
    return '"' + "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in text.encode()) + '"'


def struct(**fields: str) -> str:
    """Fields as ``(name = value, …)``; those that are empty are left out.

    Example:
        >>> struct(name=quoted("main"), worker=".main", missing="")
        '(name = "main", worker = .main)'
    """
    return "(" + ", ".join(f"{name} = {value}" for name, value in fields.items() if value) + ")"


def listed(values: Iterable[str]) -> str:
    """Values as a list, one a line.

    Example:
        >>> listed([])
        '[]'
    """
    lines = [f"\n    {value}," for value in values]
    return f"[{''.join(lines)}\n  ]" if lines else "[]"
