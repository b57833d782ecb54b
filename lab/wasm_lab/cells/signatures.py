"""The signatures of a cell's public functions, read by tree-sitter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RustType:
    """A Rust type as a small tree.

    ``name`` is the type's last path segment (``u32``, ``String``, ``Vec``, ``Option``), or one of
    ``str`` (for ``&str``), ``slice`` and ``slice mut`` (for ``&[T]`` and ``&mut [T]``), ``array``
    (for ``[T; N]``), ``tuple``, ``unit``, ``ref`` and ``ref mut`` (for any other reference), or
    ``other`` for what is none of these (``impl Trait``, function pointers, and so on).

    Example:
        ``Result<Vec<f64>, String>`` is
        ``RustType("Result", (RustType("Vec", (RustType("f64"),)), RustType("String")))``.
    """

    name: str
    args: tuple[RustType, ...] = ()
    text: str = ""  #: as it is written in the cell

    def __str__(self) -> str:
        return self.text or self.name


UNIT = RustType("unit", (), "()")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``name`` is ``arg0``, ``arg1`` … where Rust has a pattern instead of a name."""

    name: str
    type: RustType


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One public function of a cell."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    result: RustType = UNIT
    doc: str = ""  #: the Rust doc comment
    text: str = ""  #: the signature as it is written, such as ``fn fib(n: u32) -> u64``
    line: int = 0  #: in the cell, where the function's name stands
    #: why no signature of this form can cross (generic, async, unsafe, extern, …); empty when it may
    obstacle: str = ""

    @property
    def changes(self) -> tuple[int, ...]:
        """The positions of the parameters that the caller finds changed.

        Example:
            >>> row = Parameter("row", RustType("slice mut", (RustType("u8"),)))
            >>> Signature(name="fill", parameters=(Parameter("with", RustType("u8")), row)).changes
            (1,)
        """
        return tuple(at for at, each in enumerate(self.parameters) if each.type.name == "slice mut")
