"""The generated program that calls one Rust function and times it from within.

It is a PROGRAM Source that uses the measured one, so one module serves every engine that runs
WASI commands, and the same text serves the host. Engines that cannot call functions are thereby
compared on functions, and a call costs no crossing from a host.

It reads a mark and its arguments once, then orders, one a line, and answers each by a line that
begins with the mark: ``time N``, ``answer``, ``memory``, ``step``; anything else ends it.

What one call is: ``black_box(function(black_box(arguments)))`` in a function of its own, which is
called through a pointer (see ``again`` in harness.rs). References borrow what was decoded
once. What the function takes by value, or changes in place (``&mut [T]``), is cloned before the
clock runs, in portions of at most 256 KiB, so that no copy is timed and the copies fit the cache.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from importlib import resources
from typing import TYPE_CHECKING, Any

from wasm_lab import abi
from wasm_lab.build.crate import crate_for
from wasm_lab.cells.missing import function_missing
from wasm_lab.errors import GuestError, LoadError, UsageError
from wasm_lab.source import Kind, Source, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.cells.signatures import RustType, Signature

#: The crate name of every measured kernel: the name alone decides where the compiler lays
#: functions, and moves their speed by up to 10 %.
KERNEL = "measured"

#: Clones that are made ahead of one portion of calls, in bytes: what an L2 cache holds.
PORTION_BYTES = 256 * 1024


#: One call, of which the compiler knows neither data nor code.
_HIDDEN = "black_box(&mut one as &mut dyn FnMut())"


@dataclass(frozen=True, kw_only=True)
class Harness:
    """A function to be timed, with its arguments.

    Attributes:
        source: the generated program.
        arguments: what the program decodes.
    """

    signature: Signature
    source: Source
    arguments: bytes

    def decode(self, payload: bytes) -> Any:
        """The answer of the program as a Python value (see `answer_of` for its form).

        Raises:
            GuestError: the function returned ``Err``.
            LoadError: the payload is no value of the result's type.
        """
        kind = self.signature.result
        what = f"{self.signature.name}()"
        at = 0
        fallible = kind.name == "Result"
        if fallible:
            if payload[:1] == b"\x01":
                raise GuestError(f"{what} returned Err: {payload[1:].decode(errors='replace')}")
            kind, at = kind.args[0], 1
        result = None
        if kind.name != "unit":
            result, at = abi.decoder(kind, what)(payload, at)
        changed = []
        for parameter in self.signature.parameters:
            if parameter.type.name == "slice mut":
                value, at = abi.decoder(parameter.type, what)(payload, at)
                changed.append(value)
        if at != len(payload):
            raise LoadError(f"{what} answered {len(payload)} bytes where its value has {at}.")
        return answer_of(self.signature, result, changed)


def answer_of(signature: Signature, result: Any, changed: Sequence[Any]) -> Any:
    """One value of all that a call gives: its result, then each ``&mut [T]`` as it is afterwards.

    A lone part stands for itself; several are a tuple; ``()`` counts as none.
    """
    kind = signature.result
    void = kind.name == "unit" or (kind.name == "Result" and kind.args[0].name == "unit")
    parts = [*([] if void else [result]), *changed]
    return parts[0] if len(parts) == 1 else tuple(parts) if parts else None


def signature_of(source: Source, function: str) -> Signature:
    """The signature of a public function of ``source``.

    Raises:
        UsageError: there is none of that name that Python can call; says why.
    """
    crate = crate_for(source)
    for signature in crate.functions:
        if source.kind is Kind.FUNCTIONS and signature.name.removeprefix("r#") == function:
            return signature
    known = [each.name for each in crate.functions]
    raise function_missing(source.label, function, kind=source.kind, known=known, refused=dict(crate.refused))


def harness_for(source: Source, function: str, args: tuple[Any, ...]) -> Harness:
    """The program that times ``function`` of ``source`` with ``args``.

    Raises:
        UsageError: there is no such function, or an argument does not fit its Rust type.
    """
    signature = signature_of(source, function)
    arguments = _encoded(signature, args)
    kernel = replace(source, name=KERNEL, target=Target.WASIP1)
    program = Source(
        code=program_text(signature, len(arguments)),
        kind=Kind.PROGRAM,
        name="harness",
        label=f"the harness of {function}",
        uses=(kernel,),
        edition="2021",
        profile=source.profile,
    )
    return Harness(signature=signature, source=program, arguments=arguments)


def _encoded(signature: Signature, args: tuple[Any, ...]) -> bytes:
    name, parameters = signature.name, signature.parameters
    if len(args) != len(parameters):
        raise UsageError(
            f"{name}() takes {len(parameters)} arguments, and {len(args)} were given.",
            hint=f"It is {signature.text}.",
        )
    out = bytearray()
    for parameter, value in zip(parameters, args, strict=True):
        try:
            abi.append_argument(parameter.type, value, out, where=f"{name}() argument {parameter.name!r}")
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(str(error), hint=f"It is {signature.text}.") from None
    return bytes(out)


def program_text(signature: Signature, argument_bytes: int) -> str:
    """The Rust text of the harness. ``argument_bytes`` decides how many clones are made ahead."""
    text = _template()
    parts = {
        "/*arguments*/": _reading(signature),
        "/*timed*/": _timing(signature, max(1, PORTION_BYTES // max(argument_bytes, 1))),
        "/*answered*/": _answering(signature),
    }
    for place, rust in parts.items():
        text = text.replace(place, rust)
    given = [signature.result, *(p.type for p in signature.parameters if p.type.name == "slice mut")]
    return abi.codecs([parameter.type for parameter in signature.parameters], given) + "\n" + text


@functools.cache
def _template() -> str:
    return resources.files("wasm_lab.subjects").joinpath("harness.rs").read_text(encoding="utf-8")


def _reading(signature: Signature) -> str:
    lines = []
    for index, parameter in enumerate(signature.parameters):
        # Types are inferred from the call, except of what is borrowed as a slice. (Hence Clone::clone.)
        storage = {"str": ": String", "slice": ": Vec<_>", "slice mut": ": Vec<_>"}.get(
            abi.owned(parameter.type).name, ""
        )
        lines.append(f"let a{index}{storage} = unsafe {{ In::get(&mut at) }};")
    return " ".join(lines)


def _is_copy(kind: RustType) -> bool:
    """Whether passing it by value leaves the original usable."""
    if kind.name in ("array", "tuple", "Option"):
        return all(map(_is_copy, kind.args))
    return kind.name in abi.PLAIN


def given_away(signature: Signature) -> list[int]:
    """The indices of parameters that need a value of their own for each call: owned ones and ``&mut``."""
    return [
        index
        for index, parameter in enumerate(signature.parameters)
        if parameter.type.name not in ("ref", "str", "slice") and not _is_copy(parameter.type)
    ]


def _call(signature: Signature, fresh: dict[int, str]) -> str:
    words = []
    for index, parameter in enumerate(signature.parameters):
        kind, name = parameter.type, f"a{index}"
        if index in fresh:
            words.append(f"black_box({fresh[index]})")
            continue
        depth = 0
        while kind.name == "ref":
            kind, depth = kind.args[0], depth + 1
        borrowed = f"&{name}[..]" if kind.name in ("str", "slice") else name
        words.append(f"black_box({'&' * depth}{borrowed})")
    return f"black_box({KERNEL}::r#{signature.name.removeprefix('r#')}({', '.join(words)}))"


def _timing(signature: Signature, portion: int) -> str:
    fresh = given_away(signature)
    if not fresh:
        return f"let mut one = || {{ {_call(signature, {})}; }}; let elapsed = again(count, {_HIDDEN});"
    made, uses = [], {}
    for place, index in enumerate(fresh):
        mutable = signature.parameters[index].type.name == "slice mut"
        made.append(f"Clone::clone(&a{index})" if mutable else f"Some(Clone::clone(&a{index}))")
        uses[index] = f"&mut own.{place}[..]" if mutable else f"own.{place}.take().unwrap()"
    return (
        "let mut elapsed = 0u128; let mut left = count; while left > 0 { "
        f"let portion = left.min({portion}); left -= portion; "
        f"let mut copies: Vec<_> = (0..portion).map(|_| ({', '.join(made)},)).collect(); "
        "let mut next = copies.iter_mut(); "
        f"let mut one = || {{ let own = next.next().unwrap(); {_call(signature, uses)}; }}; "
        f"elapsed += again(portion, {_HIDDEN}); }}"
    )


def _answering(signature: Signature) -> str:
    fresh, lines, uses, kind = given_away(signature), [], {}, signature.result
    for index in fresh:
        mutable = signature.parameters[index].type.name == "slice mut"
        lines.append(f"let mut c{index} = Clone::clone(&a{index});")
        uses[index] = f"&mut c{index}[..]" if mutable else f"c{index}"
    changed = "".join(
        f"c{index}.put(&mut w); " for index in fresh if signature.parameters[index].type.name == "slice mut"
    )
    call = _call(signature, uses)
    if kind.name == "Result":
        good = "" if kind.args[0].name == "unit" else "v.put(&mut w); "
        lines.append(
            f"match {call} {{ Ok(v) => {{ w.push(0); {good}{changed}}} "
            "Err(e) => { w.push(1); w.extend_from_slice((&&&Text(&e)).words().as_bytes()); } }"
        )
    elif kind.name == "unit":
        lines.append(f"{call}; {changed}")
    else:
        lines.append(f"let v = {call}; v.put(&mut w); drop(v); {changed}")
    return " ".join(lines)
