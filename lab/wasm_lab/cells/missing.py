"""Why a function that was asked for by name cannot be had."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def function_missing(
    label: str, name: str, *, kind: Kind | None, known: Iterable[str], refused: Mapping[str, str]
) -> UsageError:
    """The error for a function ``name`` that is none of the ``known`` ones.

    ``refused`` says why a function that is there cannot be called from outside. ``kind`` is that of
    the code, or None where the code is not known.

    >>> print(function_missing("sort.rs", "srot", kind=None, known=["sort"], refused={}))
    sort.rs has no public function srot.
    Did you mean sort?
    """
    if name in refused:
        return UsageError(f"{name} of {label} cannot be called from outside: {refused[name]}.")
    if kind is not None and kind is not Kind.FUNCTIONS:
        what = {Kind.PROGRAM: "a program with a fn main", Kind.TESTS: "a set of tests"}.get(
            kind, "statements"
        )
        return UsageError(
            f"{label} is {what}, no library of functions, so {name} cannot be called by itself.",
            hint="Put it into code without a fn main, or run or time the whole program.",
        )
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"It has: {', '.join(names) or 'none'}."
    return UsageError(f"{label} has no public function {name}.", hint=hint)
