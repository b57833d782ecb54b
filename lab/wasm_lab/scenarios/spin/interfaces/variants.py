"""Values of WIT variants that host functions give, made without the guest's own types.

The binding knows a case by the name of its class, and takes the payload from ``value``.
"""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Any


def variant(name: str, plain: str = "", carrying: str = "") -> Any:
    """A namespace with one frozen class for each case.

    Args:
        name: of the variant, for its ``repr``.
        plain: cases without a payload, in PascalCase, separated by blanks.
        carrying: cases with one, their ``value``.

    Example:
        >>> Shape = variant("Shape", "Nothing", "Circle")
        >>> Shape.Circle(1.0), Shape.Nothing()
        (Shape.Circle(value=1.0), Shape.Nothing())
    """
    space = type(name, (), {})
    for case in plain.split():
        setattr(space, case, _case(name, case, []))
    for case in carrying.split():
        setattr(space, case, _case(name, case, [("value", Any)]))
    return space


def case_of(value: object) -> str:
    """The name of the case of a variant's value that came from a guest."""
    return type(value).__name__


def _case(name: str, case: str, fields: list[tuple[str, Any]]) -> type:
    made: type = make_dataclass(case, fields, frozen=True, slots=True)
    made.__qualname__ = f"{name}.{case}"
    made.__module__ = __name__
    return made
