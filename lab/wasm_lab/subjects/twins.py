"""The JavaScript and the Python twin of a Rust function, timed by the same orders.

What a twin is called with, by the Rust type of the parameter:

================================  ==========================================================
Rust                              JavaScript
================================  ==========================================================
integers, floats                  Number; BigInt for an integer beyond ±2^53
``bool``; ``char``, text          boolean; string
sequences of numbers              the typed array of that type, such as Float64Array; of 64-bit
                                  integers a Float64Array when all are within ±2^53, else
                                  BigInt64Array or BigUint64Array; of 128 bits and bool, an Array
other sequences, tuples           Array
``Option``                        the value or null
maps; sets                        Map; Set
================================  ==========================================================

The Python twin gets what was given, and a list where Rust has a sequence of numbers and a list was
given: the lab does not choose NumPy for it.

What Rust takes by value or as ``&mut``, a twin gets as a copy of its own, made before the clock
runs, as in the harness. A twin of a function with ``&mut [T]`` changes its argument in place too.
"""

from __future__ import annotations

import base64
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab import abi
from wasm_lab.measure.subject import Answer
from wasm_lab.run import Phase
from wasm_lab.subjects.base import BaseProbe, BaseSubject, worker_channel
from wasm_lab.subjects.harness import PORTION_BYTES, answer_of, given_away

if TYPE_CHECKING:
    from wasm_lab.cells.signatures import RustType, Signature
    from wasm_lab.subjects.harness import Harness

#: Beyond it a Number no longer holds every integer (ECMA-262, Number.MAX_SAFE_INTEGER + 1).
SAFE_INTEGER = 2**53

PHASES = frozenset({Phase.FIRST_CALL, Phase.CALL})

_SEQUENCES = ("slice", "slice mut", "Vec", "array")


@dataclass(frozen=True, kw_only=True)
class TwinSubject(BaseSubject):
    """A function in another language, with the Rust function's arguments."""

    harness: Harness  #: for the signature, and how large the arguments are
    args: tuple[Any, ...]
    code: str
    function: str  #: its name in ``code``
    label: str  #: what its tracebacks call the code
    command: tuple[str, ...]

    def settings(self) -> dict[str, Any]:
        signature = self.harness.signature
        mutable = [i for i, each in enumerate(signature.parameters) if each.type.name == "slice mut"]
        # Text cannot be changed in either language.
        owned = [i for i in given_away(signature) if signature.parameters[i].type.name != "String"]
        return {
            "code": self.code,
            "name": self.function,
            "label": self.label,
            "mutable": mutable,
            "owned": [index for index in owned if index not in mutable],
            "void": _is_void(signature),
            "portion": max(1, PORTION_BYTES // max(len(self.harness.arguments), 1)),
        }


@dataclass(frozen=True, kw_only=True)
class PythonSubject(TwinSubject):
    """The Python twin in a Python of its own, the same that runs the lab."""

    def start(self) -> TwinProbe:
        data = pickle.dumps(tuple(map(_portable, self.args)))
        settings = {**self.settings(), "size": len(data)}
        return TwinProbe(self, worker_channel(self, list(self.command), settings, data))

    def read(self, payload: bytes) -> list[Any]:
        return list(pickle.loads(payload))


@dataclass(frozen=True, kw_only=True)
class JavaScriptSubject(TwinSubject):
    """The JavaScript twin in node."""

    def start(self) -> TwinProbe:
        parameters = self.harness.signature.parameters
        args = [to_js(value, each.type) for value, each in zip(self.args, parameters, strict=True)]
        settings = {**self.settings(), "args": args}
        return TwinProbe(self, worker_channel(self, list(self.command), settings))

    def read(self, payload: bytes) -> list[Any]:
        import json

        signature = self.harness.signature
        kinds = [] if _is_void(signature) else [_value_of(signature.result)]
        kinds += [each.type for each in signature.parameters if each.type.name == "slice mut"]
        found = json.loads(payload)
        return [from_js(value, kind) for value, kind in zip(found, kinds, strict=True)]


class TwinProbe(BaseProbe):
    """A process with the twin's code evaluated and nothing called yet."""

    subject: PythonSubject | JavaScriptSubject

    def __init__(self, subject: PythonSubject | JavaScriptSubject, channel: Any) -> None:
        super().__init__(subject, channel)
        self._called = False

    def _elapsed(self, phase: Phase, count: int) -> int:
        if phase is Phase.FIRST_CALL:
            return int(self.channel.ask(f"first {count}")[1])
        if not self._called:
            self.channel.ask("time 1")
            self._called = True
        return int(self.channel.ask(f"time {count}")[1])

    def answer(self) -> Answer:
        size = int(self.channel.ask("answer")[1])
        parts = self.subject.read(self.channel.payload(size))
        signature = self.subject.harness.signature
        result, changed = (None, parts) if _is_void(signature) else (parts[0], parts[1:])
        return Answer(value=answer_of(signature, result, changed))


def _is_void(signature: Signature) -> bool:
    return _value_of(signature.result).name == "unit"


def _value_of(kind: RustType) -> RustType:
    return kind.args[0] if kind.name == "Result" else kind


def _portable(value: Any) -> Any:
    """A memory view as what can be sent to another process; anything else as it is."""
    if not isinstance(value, memoryview):
        return value
    if value.format == "B":
        return value.tobytes()
    import numpy as np

    return np.array(value)


# Values on their way to JavaScript and back --------------------------------------------------


def to_js(value: Any, kind: RustType) -> Any:
    """A value as JSON, tagged where JSON has no such thing (`untagged` in node.js reads it)."""
    kind = abi.owned(kind)
    plain = abi.PLAIN.get(kind.name)
    if plain:
        return _number(value, plain.kind)
    if value is None or kind.name in ("str", "String"):
        return value
    if kind.name in _SEQUENCES:
        inner = abi.PLAIN.get(kind.args[0].name)
        if inner and inner.dtype and inner.kind != "bool":
            return _typed_array(value, inner.dtype)
        return [to_js(each, kind.args[0]) for each in value]
    if kind.name == "tuple":
        return [to_js(each, arg) for each, arg in zip(value, kind.args, strict=True)]
    if kind.name == "Option":
        return to_js(value, kind.args[0])
    if kind.name in ("HashMap", "BTreeMap"):
        return {"map": [[to_js(k, kind.args[0]), to_js(v, kind.args[1])] for k, v in value.items()]}
    return {"set": [to_js(each, kind.args[0]) for each in value]}


def _number(value: Any, kind: str) -> Any:
    if kind == "int":
        number = int(value)
        return number if abs(number) <= SAFE_INTEGER else {"big": str(number)}
    if kind == "float":
        real = float(value)
        told = real - real == 0 and str(real) != "-0.0"
        return real if told else {"number": _words(real)}
    return bool(value) if kind == "bool" else value


def _words(number: float) -> str:
    """As JavaScript writes what JSON cannot."""
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(str(number), str(number))


def _typed_array(value: Any, dtype: str) -> dict[str, str]:
    import numpy as np

    array = np.frombuffer(value, dtype) if isinstance(value, (bytes, bytearray)) else np.asarray(value, dtype)
    if array.dtype.itemsize == 8 and array.dtype.kind in "iu":
        exact = array.size == 0 or (int(array.min()) >= -SAFE_INTEGER and int(array.max()) <= SAFE_INTEGER)
        if exact:
            array = array.astype(np.float64)
    name = {"i": "i", "u": "u", "f": "f"}[array.dtype.kind] + str(array.dtype.itemsize * 8)
    return {name: base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()}


def from_js(value: Any, kind: RustType) -> Any:
    """What node.js answered, in the form that the same value has from Rust, as far as it fits."""
    return _shaped(_untagged(value), kind)


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(each) for each in value]
    if not isinstance(value, dict):
        return value
    ((tag, inner),) = value.items()
    match tag:
        case "big":
            return int(inner)
        case "number":
            return float(inner)  # reads "Infinity" and "NaN" too
        case "map":
            return {_hashable(_untagged(k)): _untagged(v) for k, v in inner}
        case "set":
            return {_hashable(_untagged(each)) for each in inner}
    import numpy as np

    dtype = {"i": "int", "u": "uint", "f": "float"}[tag[0]] + tag[1:]
    return np.frombuffer(base64.b64decode(inner), dtype)


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _shaped(value: Any, kind: RustType) -> Any:
    """``value`` as the Rust type's Python form; as it is where it does not fit, to be seen as different."""
    while kind.name in ("ref", "Cow"):
        kind = kind.args[-1]
    plain = abi.PLAIN.get(kind.name)
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    if plain and numeric:
        if plain.kind == "float":
            return float(value)
        return int(value) if plain.kind == "int" and value == value // 1 else value
    if kind.name in _SEQUENCES and hasattr(value, "__len__") and not isinstance(value, (str, dict)):
        return _sequence(value, kind.args[0])
    if kind.name == "tuple" and isinstance(value, list) and len(value) == len(kind.args):
        return tuple(_shaped(each, arg) for each, arg in zip(value, kind.args, strict=True))
    if kind.name == "Option" and value is not None:
        return _shaped(value, kind.args[0])
    if kind.name in ("HashMap", "BTreeMap") and isinstance(value, dict):
        return {_shaped(k, kind.args[0]): _shaped(v, kind.args[1]) for k, v in value.items()}
    return value


def _sequence(value: Any, kind: RustType) -> Any:
    plain = abi.PLAIN.get(kind.name)
    if plain is None or not plain.dtype:
        return [_shaped(each, kind) for each in value]
    import numpy as np

    try:
        array = np.asarray(value)
        exact = array.astype(plain.dtype)
        same = np.array_equal(exact, array, equal_nan=array.dtype.kind == "f")
        if not same and plain.dtype != "float32":  # whose rounding is its own
            return list(value)
    except (TypeError, ValueError, OverflowError):
        return list(value)
    return exact.tobytes() if plain.dtype == "uint8" else exact
