"""What the two sides agree on: Rust's types as sorts of values, and the sizes of the plain ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wasm_lab.cells.signatures import RustType


@dataclass(frozen=True, slots=True)
class Plain:
    """A type that is its bytes: little-endian, ``size`` bytes, aligned to its size at most."""

    name: str
    size: int  #: bytes
    form: str = ""  #: character of ``struct`` and of the buffer protocol; empty for 128 bits and char
    kind: str = "int"  #: int, float, bool or char
    low: int = 0
    high: int = 0
    dtype: str = ""  #: NumPy's name; empty when it has none


def _integer(name: str, bits: int, form: str) -> Plain:
    signed = name.startswith("i")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    dtype = f"{'int' if signed else 'uint'}{bits}" if bits <= 64 else ""
    return Plain(name, bits // 8, form, "int", low, high, dtype)


#: usize and isize have 32 bits on the Wasm targets.
PLAIN: dict[str, Plain] = {
    plain.name: plain
    for plain in (
        _integer("i8", 8, "b"),
        _integer("u8", 8, "B"),
        _integer("i16", 16, "h"),
        _integer("u16", 16, "H"),
        _integer("i32", 32, "i"),
        _integer("u32", 32, "I"),
        _integer("i64", 64, "q"),
        _integer("u64", 64, "Q"),
        _integer("isize", 32, "i"),
        _integer("usize", 32, "I"),
        _integer("i128", 128, ""),
        _integer("u128", 128, ""),
        Plain("f32", 4, "f", "float", dtype="float32"),
        Plain("f64", 8, "d", "float", dtype="float64"),
        Plain("bool", 1, "?", "bool", dtype="bool"),
        Plain("char", 4, "", "char"),
    )
}

SEQUENCES = {"slice", "Vec", "array", "slice mut"}
MAPS = {"HashMap", "BTreeMap"}
SETS = {"HashSet", "BTreeSet"}
TEXTS = {"str", "String"}

#: The argument frame and every part of it starts at a multiple of this: the largest alignment
#: of a plain type (i128).
FRAME_ALIGNMENT = 16

FRAME_EXPORT = "__wasm_lab_frame"
EXPORT_PREFIX = "wasm_lab_"


def rust_name(name: str) -> str:
    """A Rust identifier without the mark of a raw one: ``r#type`` is ``type``."""
    return name.removeprefix("r#")


def export_name(name: str) -> str:
    """Under which name the glue exports the function ``name``."""
    return EXPORT_PREFIX + rust_name(name)


def owned(kind: RustType) -> RustType:
    """The type behind shared references: ``&Vec<f64>`` is ``Vec<f64>``, ``Cow<str>`` is ``str``."""
    while kind.name == "ref":
        kind = kind.args[0]
    return kind


def direct(kind: RustType) -> Plain | None:
    """The plain type that travels as one Wasm number; None for all others."""
    plain = PLAIN.get(kind.name)
    return plain if plain and plain.size <= 8 else None


def element(kind: RustType) -> Plain | None:
    """The plain type of whose elements a sequence consists; None for all other types."""
    return PLAIN.get(kind.args[0].name) if kind.name in SEQUENCES else None


def is_flat(kind: RustType) -> bool:
    """Whether a value is one run of bytes: text, or a sequence of a plain type."""
    return kind.name in TEXTS or element(kind) is not None


def row_format(kind: RustType) -> str:
    """The ``struct`` format of a tuple of numbers, which a list has one after the other; else empty."""
    if kind.name != "tuple":
        return ""
    members = [PLAIN.get(arg.name) for arg in kind.args]
    forms = [plain.form for plain in members if plain and plain.kind in ("int", "float")]
    return "<" + "".join(forms) if len(forms) == len(members) and all(forms) else ""


_LENGTH = re.compile(r";\s*(0x[0-9a-fA-F_]+|[0-9][0-9_]*?)_?(?:usize)?\s*\]\s*$")


def array_length(kind: RustType) -> int | None:
    """The N of ``[T; N]`` where it is written as a number."""
    match = _LENGTH.search(kind.text)
    return int(match[1].replace("_", ""), 0 if match[1].startswith("0x") else 10) if match else None
