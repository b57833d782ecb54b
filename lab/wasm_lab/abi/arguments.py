"""What turns one argument into bytes for the frame, with errors that name the argument."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, NoReturn

from wasm_lab.abi.buffers import checked, listed, to_run, wanted
from wasm_lab.abi.encode import check_length, encoder
from wasm_lab.abi.misfit import Misfit, type_of
from wasm_lab.abi.scalars import check, to_utf8
from wasm_lab.abi.types import array_length, element, owned

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.abi.buffers import Run
    from wasm_lab.abi.types import Plain
    from wasm_lab.cells.signatures import RustType


def scalar(plain: Plain, where: str) -> Callable[[Any], Any]:
    """What checks a value that the quick test did not let pass."""
    take = check(plain)

    def slow(value: Any) -> Any:
        try:
            return take(value)
        except Misfit as misfit:
            raise misfit.named(where) from None

    return slow


def text(where: str) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        if value.__class__ is str:
            try:
                return value.encode()
            except UnicodeEncodeError:
                pass
        try:
            return to_utf8(value)
        except Misfit as misfit:
            raise misfit.named(where) from None

    return encode


def run(kind: RustType, where: str) -> Callable[[Any], Run]:
    """For sequences of plain elements: their bytes and their count."""
    plain, length = element(kind), array_length(kind) if kind.name == "array" else None
    assert plain is not None

    def take(value: Any) -> Run:
        try:
            found = to_run(value, plain)
            if length is not None:
                check_length(found[1], length)
        except Misfit as misfit:
            raise misfit.named(where) from None
        return found

    return take


def mutable_run(kind: RustType, where: str) -> Callable[[Any], Run]:
    """For ``&mut [T]``: as `run`, but only of what can take the changes back."""
    plain = element(kind)
    assert plain is not None

    def take(value: Any) -> Run:
        try:
            if isinstance(value, list):
                return listed(value, plain)
            try:
                view = memoryview(value)
            except (TypeError, ValueError, BufferError):
                _refuse(value, plain)
            found = checked(view, value, plain)
            if view.readonly:
                raise Misfit(
                    TypeError,
                    f"must be writable, since the function changes it in place, and this {type_of(value)} is not",
                )
        except Misfit as misfit:
            raise misfit.named(where) from None
        return found

    return take


def _refuse(value: Any, plain: Plain) -> NoReturn:
    raise Misfit(TypeError, f"must be {wanted(plain)} that can be changed in place, not {type_of(value)}")


def give_back(kind: RustType) -> Callable[[Any, memoryview], None]:
    """What copies the changed elements of ``&mut [T]`` from the guest into the caller's buffer."""
    plain = element(kind)
    assert plain is not None

    def restore(value: Any, changed: memoryview) -> None:
        if isinstance(value, list):
            value[:] = [number for (number,) in struct.iter_unpack(f"<{plain.form}", changed)]
            return
        view = memoryview(value)
        if view.nbytes and view.c_contiguous and (view.format or "B")[0] not in "<>=@!":
            view.cast("B")[:] = changed
        elif view.nbytes:
            import numpy as np

            np.asarray(view)[:] = np.frombuffer(changed, plain.dtype)

    return restore


def stream(kind: RustType, where: str) -> Callable[[Any], bytearray]:
    """For all other types: the stream that the glue reads."""
    encode = encoder(owned(kind))

    def take(value: Any) -> bytearray:
        out = bytearray()
        try:
            encode(value, out)
        except Misfit as misfit:
            raise misfit.named(where) from None
        return out

    return take


def append_argument(kind: RustType, value: Any, out: bytearray, *, where: str) -> None:
    """Append ``value`` to a stream that the traits of `rust.codecs` read, aligned from its start.

    Args:
        where: what a message calls the argument, such as ``fib() argument 'n'``.

    Raises:
        TypeError, ValueError, OverflowError: the value does not fit the type.
    """
    try:
        encoder(owned(kind))(value, out)
    except Misfit as misfit:
        raise misfit.named(where) from None
