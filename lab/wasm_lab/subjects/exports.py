"""The subjects of one exported function of a module made elsewhere: numbers in, numbers out.

A host's own call into Wasm costs from tens of nanoseconds (node) to microseconds (Python), so the
calls are made by a second module, generated for the function's type: it imports the function and
calls it ``count`` times. The host enters that loop once for each batch; engines link the two
modules, and a call from one into the other costs them a few nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build.sections import encode_leb128
from wasm_lab.errors import LoadError, UnsupportedError, UsageError
from wasm_lab.measure.subject import Answer
from wasm_lab.run import Phase
from wasm_lab.subjects.available import GUARDS, require, version
from wasm_lab.subjects.base import (
    DEADLINE_S,
    BaseProbe,
    BaseSubject,
    Files,
    python_worker,
    worker_channel,
)
from wasm_lab.subjects.functions import input_text, node_command
from wasm_lab.subjects.modules import check_core_module
from wasm_lab.subjects.serving import number
from wasm_lab.subjects.talking import HOSTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.artifact import Artifact
    from wasm_lab.measure.subject import Subject

_CALLS = {Phase.FIRST_CALL, Phase.CALL}
_PHASES = {
    "wasmtime": frozenset({Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.TEARDOWN, *_CALLS}),
    "node": frozenset({Phase.COMPILE, Phase.INSTANTIATE, *_CALLS}),
}

#: The binary format's bytes for number types, and the opcode of a constant (specification 5.3.1, 5.4.6).
TYPE_BYTES = {"i32": 0x7F, "i64": 0x7E, "f32": 0x7D, "f64": 0x7C}
#: As JavaScript writes them, and Python reads them too.
_NOT_FINITE = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
_WIDE = {"i32": 32, "i64": 64}


@dataclass(frozen=True, kw_only=True)
class ExportSubject(BaseSubject):
    """An exported function with its arguments."""

    artifact: Artifact
    export: str
    args: tuple[int | float, ...]
    params: tuple[str, ...]  #: ``i32``, ``i64``, ``f32``, ``f64``
    results: tuple[str, ...]
    command: tuple[str, ...]

    def start(self) -> ExportProbe:
        settings = {
            "wasm": str(self.files.write("module.wasm", self.artifact.wasm)),
            "driver": str(self.files.write("driver.wasm", driver(self.params, self.results))),
            "label": self.artifact.label,
            "guards": self.guards,
            "export": self.export,
            # As text, which JSON's readers neither round nor refuse.
            "args": [_NOT_FINITE.get(str(value), str(value)) for value in self.args],
            "params": self.params,
            "results": self.results,
        }
        return ExportProbe(self, worker_channel(self, list(self.command), settings))


class ExportProbe(BaseProbe):
    """A worker with the module loaded."""

    subject: ExportSubject

    def __init__(self, subject: ExportSubject, channel: Any) -> None:
        super().__init__(subject, channel)
        self._called = False

    def _elapsed(self, phase: Phase, count: int) -> int:
        if phase in HOSTED:
            return int(self.channel.ask(f"{HOSTED[phase]} {count}")[1])
        if phase is Phase.FIRST_CALL:
            return int(self.channel.ask(f"first {count}")[1])
        if not self._called:
            self.channel.ask("time 1")
            self._called = True
        return int(self.channel.ask(f"time {count}")[1])

    def answer(self) -> Answer:
        size = int(self.channel.ask("answer")[1])
        words = self.channel.payload(size).decode().split()
        values = [number(word, kind) for word, kind in zip(words, self.subject.results, strict=True)]
        return Answer(value=values[0] if len(values) == 1 else tuple(values) or None)

    def _own_sizes(self) -> dict[str, int]:
        _, start, now = self.channel.ask("memory")
        sizes = {"linear memory at start": int(start), "linear memory": int(now)}
        return {"module": self.subject.artifact.size_bytes, **sizes}

    def idle(self, count: int) -> None:
        self.channel.ask(f"keep {count}")


def export_subjects(
    artifact: Artifact,
    export: str,
    args: tuple[int | float, ...],
    *,
    places: Sequence[str],
    guards: str = "none",
    deadline_s: float = DEADLINE_S,
) -> list[Subject]:
    """A numeric export of any core module, in the hosts that can call one: wasmtime and node.

    Args:
        args: one number for each parameter; integers as signed or unsigned.
        guards: as for `function_subjects`.
        deadline_s: seconds that one order to a probe may take.

    Raises:
        UsageError: there is no such export, it takes or gives other things than numbers, or the
            arguments do not fit.
        UnsupportedError: a place cannot call exports, or is not usable here.
        LoadError: the bytes are no module.
    """
    if guards not in GUARDS:
        raise UsageError(f"{guards!r} is no kind of guards.", hint=f"Guards: {', '.join(GUARDS)}.")
    check_core_module(artifact)
    params, results = _type_of(artifact, export)
    numbers = _fitted(export, args, params)
    files, subjects = Files(), []
    for place in places:
        require(place)
        if place not in _PHASES:
            raise UnsupportedError(
                f"{place} runs whole programs and calls no exports.", hint="wasmtime and node do."
            )
        subjects.append(
            ExportSubject(
                place=place,
                workload=export,
                input=input_text(args),
                language="",
                runtime=place,
                version=version(place),
                phases=_PHASES[place],
                guards=guards if place == "wasmtime" else "none",
                deadline_s=deadline_s,
                files=files,
                artifact=artifact,
                export=export,
                args=numbers,
                params=params,
                results=results,
                command=tuple(python_worker("wasmtime_worker") if place == "wasmtime" else node_command()),
            )
        )
    return list(subjects)


def _type_of(artifact: Artifact, export: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    import wasmtime

    from wasm_lab.runtimes.wasmtime.engine import guest_engine

    try:
        module = wasmtime.Module(guest_engine(guarded=False).engine, artifact.wasm)
    except wasmtime.WasmtimeError as error:
        said = " ".join(str(error).split())
        raise LoadError(f"{artifact.label} cannot be loaded: {said}.") from None
    functions = {each.name: each.type for each in module.exports if isinstance(each.type, wasmtime.FuncType)}
    kind = functions.get(export)
    if kind is None:
        known = ", ".join(functions) or "none"
        raise UsageError(f"{artifact.label} exports no function {export!r}.", hint=f"It exports: {known}.")
    return _names(export, kind.params), _names(export, kind.results)


def _names(export: str, types: Sequence[Any]) -> tuple[str, ...]:
    import wasmtime

    from wasm_lab.runtimes.wasmtime.native import same_type

    # The kind of other types must not be asked for: the C API ends the process on some of them.
    known = {
        "i32": wasmtime.ValType.i32(),
        "i64": wasmtime.ValType.i64(),
        "f32": wasmtime.ValType.f32(),
        "f64": wasmtime.ValType.f64(),
    }
    names = []
    for each in types:
        name = next((name for name, kind in known.items() if same_type(each, kind)), "")
        if not name:
            raise UsageError(
                f"{export} takes or gives a vector or a reference, and only numbers can be timed."
            )
        names.append(name)
    return tuple(names)


def _fitted(export: str, args: tuple[int | float, ...], params: tuple[str, ...]) -> tuple[int | float, ...]:
    if len(args) != len(params):
        raise UsageError(
            f"{export} takes {len(params)} numbers ({', '.join(params) or 'none'}), and {len(args)} were given."
        )
    fitted: list[int | float] = []
    for value, kind in zip(args, params, strict=True):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise UsageError(f"{export} takes a number for {kind}, not {type(value).__name__}.")
        if kind.startswith("f"):
            fitted.append(float(value))
            continue
        bits = _WIDE[kind]
        if not isinstance(value, int) or not -(1 << bits - 1) <= value < 1 << bits:
            raise UsageError(f"{value!r} does not fit {kind}, as a signed or an unsigned integer.")
        fitted.append(value - (1 << bits) if value >= 1 << bits - 1 else value)
    return tuple(fitted)


def driver(params: Sequence[str], results: Sequence[str]) -> bytes:
    """A module that imports ``m.f`` of this type and exports ``loop``: ``count`` (i32), then the arguments.

    Written in the binary format (WebAssembly core specification 2.0, chapter 5); as text::

        (module
          (import "m" "f" (func $f (param …) (result …)))
          (func (export "loop") (param $count i32) (param …)
            (loop $again
              (call $f (local.get 1) …) drop …
              (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
    """

    def vector(items: Sequence[bytes]) -> bytes:
        return encode_leb128(len(items)) + b"".join(items)

    def types(names: Sequence[str]) -> bytes:
        return vector([bytes([TYPE_BYTES[name]]) for name in names])

    def section(identifier: int, body: bytes) -> bytes:
        return bytes([identifier]) + encode_leb128(len(body)) + body

    def name(text: str) -> bytes:
        return encode_leb128(len(text)) + text.encode()

    measured = b"\x60" + types(params) + types(results)
    loop = b"\x60" + types(["i32", *params]) + types([])
    call = (
        b"".join(b"\x20" + encode_leb128(index + 1) for index in range(len(params)))
        + b"\x10\x00"
        + b"\x1a" * len(results)
    )
    again = b"\x20\x00\x41\x01\x6b\x22\x00\x0d\x00"  # local.get 0, i32.const 1, i32.sub, local.tee 0, br_if 0
    code = b"\x00\x03\x40" + call + again + b"\x0b\x0b"  # no locals; loop … end, end
    return (
        CORE_PREAMBLE
        + section(1, vector([measured, loop]))
        + section(2, vector([name("m") + name("f") + b"\x00\x00"]))
        + section(3, vector([b"\x01"]))
        + section(7, vector([name("loop") + b"\x00\x01"]))
        + section(10, vector([encode_leb128(len(code)) + code]))
    )
