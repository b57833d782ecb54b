"""Python's buffers and lists as runs of plain Rust values, and back."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wasm_lab.abi.misfit import Misfit, type_of
from wasm_lab.abi.scalars import check
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.abi.types import Plain

#: Characters of the buffer protocol's formats to NumPy's name of the kind of number.
_KINDS = dict.fromkeys("bhilqn", "int") | dict.fromkeys("BHILQNP", "uint") | dict.fromkeys("efdg", "float")

#: What a run of plain values may be given as: its bytes and how many values they are.
Run = tuple["bytes | memoryview", int]


def to_run(value: Any, plain: Plain) -> Run:
    """The bytes of a sequence of plain values, without a copy where it is contiguous.

    Raises:
        Misfit: it is no sequence of exactly this type.
    """
    if isinstance(value, (list, tuple)):
        return listed(value, plain)
    try:
        view = memoryview(value)
    except TypeError:
        if _is_sequence(value, plain):
            return listed(list(value), plain)
        raise Misfit(TypeError, f"must be {wanted(plain)}, not {type_of(value)}") from None
    except (ValueError, BufferError):  # a dtype without a format, such as datetime64
        raise Misfit(
            TypeError, f"must be {wanted(plain)}, not {type_of(value)}{_advice(value, plain)}"
        ) from None
    return checked(view, value, plain)


def checked(view: memoryview, value: Any, plain: Plain) -> Run:
    """The bytes of a buffer whose elements are of exactly this type."""
    if view.format != plain.form and not _same(view, plain):
        if plain.kind == "char" and _is_sequence(value, plain):
            return listed(list(value), plain)
        raise Misfit(TypeError, f"must be {wanted(plain)}, not {_given(view, value)}{_advice(value, plain)}")
    if view.shape is None or view.ndim != 1:
        advice = "; .ravel() makes it one" if hasattr(value, "ravel") else ""
        raise Misfit(ValueError, f"must have one dimension, not {view.ndim}{advice}")
    if not view.c_contiguous or (view.format or "B")[0] in "<>=@!":
        return view.tobytes(), view.shape[0]
    return (view.cast("B") if view.nbytes else b""), view.shape[0]


def _is_sequence(value: Any, plain: Plain) -> bool:
    """Whether a value that is no buffer is taken item by item; text is so only for char."""
    if isinstance(value, str):
        return plain.kind == "char"
    return isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray))


def _same(view: memoryview, plain: Plain) -> bool:
    if view.itemsize != plain.size or not plain.dtype:
        return False
    return _dtype(view) == plain.dtype


def _dtype(view: memoryview) -> str:
    """NumPy's name for a buffer's elements; the format itself where there is none."""
    form = view.format or "B"
    code = form.lstrip("<=@")
    if code == "?":
        return "bool"
    if code[:1] in (">", "!") and code[1:] in _KINDS:
        if view.itemsize > 1:
            return f"big-endian {_KINDS[code[1:]]}{8 * view.itemsize}"
        code = code[1:]
    return f"{_KINDS[code]}{8 * view.itemsize}" if code in _KINDS else f"the format {form!r}"


def wanted(plain: Plain) -> str:
    if plain.dtype:
        return f"a sequence of {plain.dtype}" + (f" ({plain.name})" if plain.name.endswith("size") else "")
    return f"a sequence of {plain.name}"


def _given(view: memoryview, value: Any) -> str:
    name = type(value).__name__
    if name == "ndarray":
        return f"an array of {_dtype(view)}"
    return name if name in ("bytes", "bytearray") else f"{name} of {_dtype(view)}"


def _advice(value: Any, plain: Plain) -> str:
    if not plain.dtype:
        return "; give a list"
    dtype = "np.bool_" if plain.kind == "bool" else f"np.{plain.dtype}"
    if hasattr(value, "astype"):
        return f"; convert it with .astype({dtype})"
    way = "frombuffer" if isinstance(value, (bytes, bytearray)) else "asarray"
    return f"; convert it with np.{way}(…, {dtype})"


def listed(values: list[Any] | tuple[Any, ...], plain: Plain) -> Run:
    """The bytes of a list of Python values, each checked for its range."""
    count = len(values)
    if plain.form and plain.kind != "bool":
        try:
            return struct.pack(f"<{count}{plain.form}", *values), count
        except (struct.error, OverflowError, TypeError, ValueError):
            pass  # found again below, one by one, by a check that can say which it is
    take = check(plain)
    numbers = []
    for index, value in enumerate(values):
        try:
            numbers.append(take(value))
        except Misfit as misfit:
            raise misfit.inside(f"[{index}]") from None
    return pack_all(numbers, plain), count


def pack_all(numbers: list[Any], plain: Plain) -> bytes:
    """Values that were checked, as their bytes."""
    if plain.form:
        return struct.pack(f"<{len(numbers)}{plain.form}", *numbers)
    signed = plain.low < 0
    return b"".join(number.to_bytes(plain.size, "little", signed=signed) for number in numbers)


def from_run(plain: Plain, what: str = "the guest") -> Callable[[memoryview], Any]:
    """What turns the bytes of a run into ``bytes`` (u8), a list (char, 128 bits) or an array.

    The returned function copies, and raises LoadError when the bytes are no values of the type.
    """
    if plain.name == "u8":
        return bytes
    if plain.kind == "char":
        return lambda view: list(_decoded(view, what))
    if not plain.dtype:
        size, signed = plain.size, plain.low < 0

        def wide(view: memoryview) -> list[int]:
            data = bytes(view)
            return [
                int.from_bytes(data[at : at + size], "little", signed=signed)
                for at in range(0, len(data), size)
            ]

        return wide
    return _to_array(plain, what)


def _decoded(view: memoryview, what: str) -> str:
    try:
        return str(view, "utf-32-le")
    except UnicodeDecodeError as error:
        raise LoadError(f"{what} returned a char that is none: {error.reason}.") from None


def _to_array(plain: Plain, what: str) -> Callable[[memoryview], Any]:
    def boolean(view: memoryview) -> Any:
        import numpy as np

        largest = np.frombuffer(view, np.uint8).max(initial=0)
        if largest > 1:
            raise LoadError(f"{what} returned {largest} for a bool.")
        return np.frombuffer(view, np.bool_).copy()

    def number(view: memoryview) -> Any:
        import numpy as np

        return np.frombuffer(view, dtype).copy()

    if plain.kind == "bool":
        return boolean
    dtype = f"<{'iuf'[('int', 'uint', 'float').index(plain.dtype.rstrip('0123456789'))]}{plain.size}"
    return number
