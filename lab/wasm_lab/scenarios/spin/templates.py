"""Texts with ``{{ name }}`` in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class TemplateError(ValueError):
    """A template has ``{{`` without ``}}``."""


def split_template(text: str) -> list[tuple[str, bool]]:
    """Split into parts, each with whether it is a name.

    Raises:
        TemplateError: a ``{{`` is never closed.

    Example:
        >>> split_template("a-{{ b }}")
        [('a-', False), ('b', True)]
    """
    parts: list[tuple[str, bool]] = []
    while text:
        literal, opened, text = text.partition("{{")
        if literal:
            parts.append((literal, False))
        if opened:
            name, closed, text = text.partition("}}")
            if not closed:
                raise TemplateError("`{{` has no `}}`")
            parts.append((name.strip(), True))
    return parts


def names_in(text: str) -> list[str]:
    """The names that a template asks for; raises as ``split_template`` does."""
    return [part for part, is_name in split_template(text) if is_name]


def fill(text: str, value_of: Callable[[str], str]) -> str:
    """Put the value of each name into its place; raises as ``split_template`` and ``value_of`` do."""
    return "".join(value_of(part) if is_name else part for part, is_name in split_template(text))
