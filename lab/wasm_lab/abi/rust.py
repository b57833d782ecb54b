"""The Rust side: a wrapper for each function, and the codecs that these wrappers need, no others.

How values travel:

- a plain number, ``bool`` and ``char``: as one Wasm number (128 bits as two);
- text and sequences of plain elements: as address and count of elements in the argument
  frame, where they lie aligned, so that ``&[f64]`` and ``&str`` borrow them without a copy;
- everything else: as the address of a stream in the frame, which `In` reads: little-endian
  numbers unaligned, a u32 count before text, sequences and maps, plain elements aligned to
  their size, a byte before an Option's value.

A result that is no plain number is held in the guest until the next call and returned as
``address | count << 32``: plain elements as they lie, all others as a stream by `Out`, which
is packed without alignment. Bit 63 marks the text of an ``Err``.
"""

from __future__ import annotations

import functools
from importlib import resources
from typing import TYPE_CHECKING

from wasm_lab.abi.types import (
    FRAME_EXPORT,
    PLAIN,
    TEXTS,
    array_length,
    direct,
    element,
    export_name,
    is_flat,
    owned,
    rust_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.cells.signatures import RustType, Signature


def needs_frame(signature: Signature) -> bool:
    return any(parameter.type.name not in PLAIN for parameter in signature.parameters)


def exports(signatures: Sequence[Signature]) -> tuple[str, ...]:
    """The names under which the glue exports functions to Python's side."""
    names = [export_name(signature.name) for signature in signatures]
    return (*names, FRAME_EXPORT) if any(map(needs_frame, signatures)) else tuple(names)


def glue(signatures: Sequence[Signature], *, edition: str) -> str:
    """The text of the module that exports ``signatures``, whose functions are its parent's.

    Holds for every edition: attributes are spelled ``#[unsafe(…)]``, which rustc accepts in
    all of them since 1.82.

    Args:
        signatures: functions for which `obstacle` is empty.
        edition: the crate's; in 2015 and 2018, the prelude lacks names that are then written whole.
    """
    needs: dict[str, None] = {"head": None}
    wrappers = [_wrapper(index, signature, needs) for index, signature in enumerate(signatures)]
    pieces = [_piece(need) for need in needs]
    return "\n".join((*pieces, *wrappers, ""))


def codecs(taken: Sequence[RustType], given: Sequence[RustType]) -> str:
    """The traits ``In`` and ``Out`` for these types and what they are made of, without any export.

    Holds on hosts with 64-bit addresses too: ``usize`` and ``isize`` cross as 32 bits everywhere.

    Args:
        taken: types of parameters, which are read into values of their own.
        given: types of results; of a ``Result``, the traits that say what an error is, besides.
    """
    needs: dict[str, None] = {"head": None}
    for kind in taken:
        bare = owned(kind)
        if bare.name in ("slice", "slice mut"):
            _need(needs, "in", bare.args[0])
            needs["in Vec"] = None
        elif bare.name == "str":
            needs["in"] = needs["in String"] = None
        else:
            _need(needs, "in", bare)
    for whole in given:
        kind = whole
        if whole.name == "Result":
            needs["err"] = None
            kind = whole.args[0]
        if kind.name == "slice mut":
            _need(needs, "out", kind.args[0])
            needs["out Vec"] = needs["hold"] = None
        elif kind.name != "unit":
            _need(needs, "out", kind)
    return "\n".join(_word(need) if need.endswith("size") else _piece(need) for need in needs)


def _word(need: str) -> str:
    """``usize`` and ``isize`` as they cross: 32 bits, whatever the target's are."""
    way, _, name = need.split()
    narrow = {"usize": "u32", "isize": "i32"}[name]
    if way == "in":
        return (
            f"impl In for {name} {{ unsafe fn get(r: &mut *const u8) -> Self "
            f"{{ unsafe {{ bare::<{narrow}>(r) as {name} }} }} unsafe fn get_all(r: &mut *const u8, n: usize) "
            f"-> Vec<Self> {{ unsafe {{ run::<{narrow}>(r, n).iter().map(|v| *v as {name}).collect() }} }} }}"
        )
    return (
        f"impl Out for {name} {{ fn put(&self, w: &mut Vec<u8>) {{ let v = "
        f'<{narrow} as ::std::convert::TryFrom<{name}>>::try_from(*self).expect("{name} of more than 32 bits"); '
        f"add(&v as *const {narrow} as *const u8, 4, w) }} }}"
    )


def _wrapper(index: int, signature: Signature, needs: dict[str, None]) -> str:
    parameters, lets, arguments = [], [], []
    for i, parameter in enumerate(signature.parameters):
        words, value, argument = _parameter(f"a{i}", f"n{i}", parameter.type, needs)
        parameters.append(words)
        if value:
            lets.append(f"let a{i} = {value}; ")
        arguments.append(argument)
    if needs_frame(signature):
        needs["frame"] = None
    # As a raw identifier, since the name may be a keyword.
    call = f"super::r#{rust_name(signature.name)}({', '.join(arguments)})"
    result, body = _result(call, signature.result, needs)
    release = "release(); " if "hold" in body or "packed" in body else ""
    text = "".join(lets) + release + body
    unsafe = f"unsafe {{ {text} }}" if text != call else text
    return (
        f'#[unsafe(export_name = "{export_name(signature.name)}")] '
        f'extern "C" fn f{index}({", ".join(parameters)}){result} {{ {unsafe} }}'
    )


def _parameter(at: str, n: str, kind: RustType, needs: dict[str, None]) -> tuple[str, str, str]:
    """A parameter's declaration in the wrapper, how its value is made and how it is passed on."""
    if direct(kind):
        return f"{at}: {kind.name}", "", at
    if kind.name in PLAIN:
        return f"{at}: u64, {n}: u64", f"(({n} as u128) << 64 | {at} as u128) as {kind.name}", at
    bare = owned(kind)
    borrow = "&" * _depth(kind)
    if is_flat(bare):
        if bare.name in TEXTS:
            needs["text"] = None
            value = f"text({at}, {n})" + (".to_owned()" if bare.name == "String" else "")
            return f"{at}: *const u8, {n}: usize", value, borrow + at
        plain = element(bare)
        assert plain is not None
        if bare.name == "slice mut":
            needs["slice_mut"] = None
            return f"{at}: *mut {plain.name}, {n}: usize", f"slice_mut({at}, {n})", at
        needs["slice"] = None
        value = f"slice({at}, {n})"
        if bare.name == "Vec":
            value += ".to_vec()"
        elif bare.name == "array":
            value = f"*({at} as *const [{plain.name}; {_length(bare)}])"
        return f"{at}: *const {plain.name}, {n}: usize", value, borrow + at
    if bare.name == "slice":
        _need(needs, "in", bare.args[0])
        needs["in Vec"] = None
        return f"{at}: *const u8", f"<Vec<_> as In>::get(&mut {{ {at} }})", borrow + f"&{at}[..]"
    _need(needs, "in", bare)
    return f"{at}: *const u8", f"In::get(&mut {{ {at} }})", borrow + at


def _length(kind: RustType) -> int:
    length = array_length(kind)
    assert length is not None
    return length


def _depth(kind: RustType) -> int:
    depth = 0
    while kind.name == "ref":
        kind, depth = kind.args[0], depth + 1
    return depth


def _result(call: str, kind: RustType, needs: dict[str, None]) -> tuple[str, str]:
    if kind.name == "unit":
        return "", call
    if direct(kind):
        return f" -> {kind.name}", call
    needs["hold"] = None
    if kind.name == "Result":
        error = f"{_error('e', kind.args[1:], needs)} | 1 << 63"
        return " -> u64", f"match {call} {{ Ok(v) => {_held('v', kind.args[0], needs)}, Err(e) => {error} }}"
    return " -> u64", f"let v = {call}; {_held('v', kind, needs)}"


def _error(value: str, kind: tuple[RustType, ...], needs: dict[str, None]) -> str:
    """An error's text, held. Formatting is left out where the error is text: it costs 15 ms of a compile."""
    if kind and kind[0].name in TEXTS:
        return _held(value, kind[0], needs)
    needs["err"] = None
    return f"hold((&&&Text(&{value})).words().into_bytes())"


def _held(value: str, kind: RustType, needs: dict[str, None]) -> str:
    if kind.name == "unit":
        return "0"
    match kind.name:
        case name if name in PLAIN:
            return f"hold([{value}].to_vec())"
        case "String":
            return f"hold({value}.into_bytes())"
        case "str":
            return f"hold({value}.as_bytes().to_vec())"
        case "Vec" if element(kind):
            return f"hold({value})"
        case "slice" | "array" if element(kind):
            return f"hold({value}.to_vec())"
    _need(needs, "out", kind)
    return f"packed(&{value})"


def _need(needs: dict[str, None], way: str, kind: RustType) -> None:
    """Note the codecs of a type and of what it is made of."""
    needs[way] = None
    if way == "out":
        needs["hold"] = None
        if kind.name in ("str", "slice", "ref"):
            needs["out ref"] = None
    if kind.name == "tuple":
        needs[f"{way} tuple {len(kind.args)}"] = None
    elif kind.name in PLAIN:
        needs[f"{way} plain {kind.name}"] = None
    elif kind.name != "ref":
        needs[f"{way} {kind.name}"] = None
    for arg in kind.args:
        _need(needs, way, arg)


def _piece(need: str) -> str:
    """The Rust text of one need, with the type or the number of members put in."""
    words = need.split()
    if len(words) < 3:
        return _pieces()[need]
    template = _pieces()[" ".join(words[:2])]
    if words[1] == "plain":
        return template.replace("$T", words[2])
    names = [f"T{index}" for index in range(int(words[2]))]
    for form in ("$($A: In),+", "$($A: Out),+", "$($A,)+", "$($A::get(r),)+", "$($A.put(w);)+"):
        inner, separator = form[2:].rsplit(")", 1)
        separator = separator.rstrip("+")
        template = template.replace(form, separator.join(inner.replace("$A", name) for name in names))
    return template


@functools.cache
def _pieces() -> dict[str, str]:
    text = resources.files("wasm_lab.abi").joinpath("codec.rs").read_text(encoding="utf-8")
    parts = (part.split("\n", 1) for part in text.split("//@ ")[1:])
    return {name.strip(): body.rstrip("\n") for name, body in parts}
