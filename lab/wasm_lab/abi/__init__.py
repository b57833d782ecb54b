"""Rust values in Python and Python values in Rust: both sides of the glue, in one place.

``obstacle`` says whether a signature can cross, ``glue`` and ``exports`` are the Rust side,
``bind`` is Python's. `wasm_lab.abi.rust` describes how values travel between them.

What a Rust type is in Python:

=====================================  ==========================================================
``i8`` … ``u128``, ``isize``, ``usize``  ``int``; ``usize`` has 32 bits
``f32``, ``f64``                       ``float``
``bool``; ``char``                     ``bool``; ``str`` of one character
``&str``, ``String``                   ``str``
``&[T]``, ``Vec<T>``, ``[T; N]``       of numbers and bool: in, any buffer of exactly that type, or
                                       a list; out, a NumPy array, and ``bytes`` for ``u8``.
                                       Of other types: a list
``&mut [T]`` of numbers                a writable buffer or a list, changed in place
``Option<T>``                          the value or None
tuples; ``HashMap``, ``BTreeMap``; sets  ``tuple``; ``dict``; ``set``
``Result<T, E>`` as the result         the value; ``Err`` raises GuestError
``()``                                 None
=====================================  ==========================================================
"""

from wasm_lab.abi.arguments import append_argument
from wasm_lab.abi.binding import bind
from wasm_lab.abi.decode import decoder
from wasm_lab.abi.exported import bind_exported, needs_room
from wasm_lab.abi.frame import Guest
from wasm_lab.abi.obstacles import obstacle
from wasm_lab.abi.rust import codecs, exports, glue
from wasm_lab.abi.types import PLAIN, owned

__all__ = [
    "PLAIN",
    "Guest",
    "append_argument",
    "bind",
    "bind_exported",
    "codecs",
    "decoder",
    "exports",
    "glue",
    "needs_room",
    "obstacle",
    "owned",
]
