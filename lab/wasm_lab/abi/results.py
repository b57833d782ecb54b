"""What a raw result becomes in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.buffers import from_run
from wasm_lab.abi.decode import decoded, decoder, special, whole
from wasm_lab.abi.types import PLAIN, TEXTS, direct, element
from wasm_lab.errors import GuestError, LoadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.abi.frame import Guest
    from wasm_lab.abi.types import Plain
    from wasm_lab.cells.signatures import RustType


@dataclass(frozen=True)
class Reader:
    """An expression in which ``$`` is the raw result and ``@name`` one of ``names``."""

    expression: str
    names: dict[str, Any] = field(default_factory=dict)


def result_reader(kind: RustType, guest: Guest, what: str) -> Reader:
    """How the result of ``what`` (such as ``fib()``) is read."""
    what = f"{what}: the guest"
    plain = direct(kind)
    if kind.name == "unit":
        return Reader("")
    if plain:
        return _plain(plain, what)
    return Reader("@result($)", {"result": _held(kind, guest, what)})


def _plain(plain: Plain, what: str) -> Reader:
    if plain.kind == "float":
        return Reader("$")
    if plain.kind == "int" and plain.size >= 4:
        return Reader("$" if plain.low else f"$ & {plain.high}")

    def narrow(value: int) -> Any:
        if plain.kind == "int" and not plain.low <= value <= plain.high:
            raise LoadError(f"{what} returned {value} for a {plain.name}.")
        return special(value, plain, what)

    return Reader("@result($)", {"result": narrow})


def _held(kind: RustType, guest: Guest, what: str) -> Callable[[Any], Any]:
    """What reads a value that the guest holds: ``address | count << 32``, bit 63 for ``Err``."""
    fallible = kind.name == "Result"
    inner = kind.args[0] if fallible else kind
    size, convert = _converter(inner, what)
    view = guest.view

    def place(value: Any, size: int) -> memoryview:
        if not isinstance(value, int):
            raise LoadError(f"{what} returned {value!r} where the place of its result was expected.")
        try:
            return view(value & 0xFFFFFFFF, (value >> 32 & 0xFFFFFFFF) * size)
        except LoadError as error:
            raise LoadError(f"{what} returned a place for its result that does not exist. {error}") from None

    def read(value: Any) -> Any:
        if fallible and value.__class__ is int and value < 0:
            raise GuestError(decoded(place(value & 0x7FFFFFFFFFFFFFFF, 1), what))
        return convert(place(value, size))

    if inner.name == "unit":

        def nothing(value: Any) -> None:
            if value:
                read(value)

        return nothing
    return read


def _converter(kind: RustType, what: str) -> tuple[int, Callable[[memoryview], Any]]:
    """The size of the elements in bytes, and what turns them into the Python value."""
    if kind.name in TEXTS:
        return 1, lambda view: decoded(view, what)
    plain = element(kind)
    if plain:
        return plain.size, from_run(plain, what)
    plain = PLAIN.get(kind.name)
    if plain:
        return plain.size, whole(decoder(kind, what), what)
    if kind.name == "unit":
        return 1, lambda view: None
    return 1, whole(decoder(kind, what), what)
