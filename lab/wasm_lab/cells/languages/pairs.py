"""Parameters as a language writes them, to parameters as Python gives them.

A Wasm function takes numbers. What C, Zig and Go pass beside numbers is an address, and mostly a count after
it: ``const double *xs, size_t n`` is one sequence to a caller. Such pairs become one parameter, of the
`RustType` whose Python form is the same: ``slice`` (copied in), ``slice mut`` (copied in and back) or
``str``. ``cstr`` is text that ends with a zero byte and has no count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wasm_lab.cells.signatures import Parameter, RustType

#: Names of an integer that tells how many elements stand at the address before it.
_COUNTS = re.compile(
    r"n|len|length|count|size|num|(n|num|len|count)_?[a-z]\w*|\w+_(n|len|length|count|size)|\w+(Len|Count|Size)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One parameter or result as its language writes it."""

    name: str = ""
    text: str = ""  #: as it is written
    plain: str = ""  #: a number: Rust's name of its type
    pointee: str = ""  #: an address: Rust's name of the type of its elements
    constant: bool = False  #: what stands at the address is only read
    letters: bool = False  #: the elements are characters of text
    terminated: bool = False  #: the text ends with a zero byte
    counts: bool = False  #: its type alone says that it is a count (``size_t``, ``usize``)
    counted: bool = False  #: an address that has its count with it (Go's ``string``)
    why: str = ""  #: why Python has no form for it, with what to write instead


def joined(written: list[Written], *, pair: str) -> tuple[tuple[Parameter, ...], str]:
    """The parameters for Python, and why one of them has no form; empty when all have.

    Args:
        pair: what a sequence is written as in the language, such as ``const T *xs, size_t n``.
    """
    parameters: list[Parameter] = []
    index = 0
    while index < len(written):
        each = written[index]
        following = written[index + 1] if index + 1 < len(written) else None
        index += 1
        if each.why:
            return (), f"parameter {each.name or each.text}: {each.why}"
        if each.plain:
            parameters.append(Parameter(each.name, RustType(each.plain, (), each.text)))
            continue
        if each.counted or (following and _is_count(following)):
            text = each.text
            if not each.counted:
                assert following is not None
                text, index = f"{each.text}, {following.text}", index + 1
            parameters.append(Parameter(each.name, _sequence(each, text)))
            continue
        if each.letters and each.constant:
            parameters.append(Parameter(each.name, RustType("cstr", (), each.text)))
            continue
        return (), (
            f"parameter {each.name or each.text}: {each.text} is an address alone, and nothing says how much stands "
            f"there; write {pair}"
        )
    return tuple(parameters), ""


def _is_count(written: Written) -> bool:
    integer = written.plain.lstrip("iu") in ("8", "16", "32", "64", "size")
    return integer and (written.counts or bool(_COUNTS.fullmatch(written.name)))


def _sequence(written: Written, text: str) -> RustType:
    if written.letters and written.constant:
        return RustType("str", (), text)
    element = RustType(written.pointee)
    return RustType("slice" if written.constant else "slice mut", (element,), text)
