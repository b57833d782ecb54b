"""The Python side: one function of its own for each signature.

Its text is written for the signature and compiled, so that a call does only what that
signature needs, and Python itself checks the number and names of arguments. For
``fn scale(xs: &[f64], by: f64) -> Vec<f64>`` it is, in essence::

    def scale(xs, by):
        _d0, _n0 = _take0(xs)                     # TypeError, OverflowError: before the guest
        if by.__class__ is not float: by = _slow1(by)
        if len(_d0) > _frame.size: _grow(len(_d0))
        _a0 = _frame.address
        _view(_a0, len(_d0))[:] = _d0             # the one copy
        return _result(_enter(_a0, _n0, by))
"""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

from wasm_lab.abi import arguments
from wasm_lab.abi.frame import frame_of, grower
from wasm_lab.abi.hints import describe, python_names
from wasm_lab.abi.results import result_reader
from wasm_lab.abi.scalars import F32_LIMIT
from wasm_lab.abi.types import PLAIN, TEXTS, export_name, is_flat, owned, rust_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.abi.frame import Frame, Guest
    from wasm_lab.abi.types import Plain
    from wasm_lab.cells.signatures import RustType, Signature


def bind(signature: Signature, guest: Guest) -> Callable[..., Any]:
    """The function as a Python callable on one instance.

    Arguments are checked before the guest is entered.

    Args:
        signature: one for which `obstacle` is empty.
        guest: an instance of the library that was built with this signature's glue.

    The callable raises:
        TypeError: an argument has the wrong type, is missing, or is not known.
        OverflowError: a number does not fit its Rust type.
        ValueError: a text is no Unicode, or a length is wrong.
        GuestError: the function returned ``Err``.
        MemoryError: the guest has no memory left for the arguments.
        LoadError: the guest returned what is no value of its result type.
        Whatever the instance's own calls raise.
    """
    return compiled(BindingText(signature, guest), signature)


def compiled(binding: BindingText, signature: Signature, language: str = "Rust") -> Callable[..., Any]:
    """The function of a text, described by ``signature``."""
    text, names = binding.whole()
    exec(compile(text, f"<binding of {signature.name}>", "exec"), names)  # noqa: S102  # own text
    function: Callable[..., Any] = names[names["_own_name"]]
    describe(function, signature, language)
    return function


class BindingText:
    """The text of a binding and what its names stand for."""

    def __init__(self, signature: Signature, guest: Guest) -> None:
        self.signature = signature
        self.guest = guest
        self.names: dict[str, Any] = {}
        self.parameters = python_names(signature)
        self.mark = "_"
        while any(name.startswith(self.mark) for name in self.parameters):
            self.mark += "_"
        # The learner's functions and parameters may be called so too.
        self.len, self.int, self.float = (
            self.name("len", len),
            self.name("int", int),
            self.name("float", float),
        )
        self.checks: list[str] = []
        self.places: list[tuple[str, str]] = []  # (bytes, address) variables of what lies in the frame
        self.words: list[str] = []  # what the raw call is given
        self.after: list[str] = []

    def name(self, name: str, value: Any) -> str:
        """A global of the binding."""
        marked = self.mark + name
        self.names[marked] = value
        return marked

    def export(self) -> str:
        """Under which name the module exports the function."""
        return export_name(self.signature.name)

    def grow(self, frame: Frame, what: str) -> Callable[[int], None]:
        """What makes the frame larger."""
        return grower(self.guest, frame, what)

    def whole(self) -> tuple[str, dict[str, Any]]:
        signature = self.signature
        own = rust_name(signature.name)
        if not own.isidentifier() or keyword.iskeyword(own) or own.startswith(self.mark):
            own = "function"
        for index, parameter in enumerate(signature.parameters):
            where = f"{rust_name(signature.name)}() argument {self.parameters[index]!r}"
            self.argument(index, self.parameters[index], parameter.type, where)
        enter = self.name("enter", self.guest.function(self.export()))
        call = f"{enter}({', '.join(self.words)})"
        lines = [*self.checks, *self.placing(), *self.result(call)]
        text = f"def {own}({', '.join(self.parameters)}):\n" + "".join(f"    {line}\n" for line in lines)
        self.names["_own_name"] = own
        return text, self.names

    def argument(self, index: int, name: str, kind: RustType, where: str) -> None:
        plain = PLAIN.get(kind.name)
        if plain:
            self._scalar(index, name, plain, where)
            return
        data, at = f"{self.mark}d{index}", f"{self.mark}a{index}"
        bare = owned(kind)
        self.places.append((data, at))
        self.words.append(at)
        if bare.name in TEXTS:
            take = self.name(f"take{index}", arguments.text(where))
            self.checks.append(f"{data} = {take}({name})")
            self.words.append(f"{self.len}({data})")
        elif is_flat(bare):
            mutable = bare.name == "slice mut"
            taker = (arguments.mutable_run if mutable else arguments.run)(bare, where)
            count = f"{self.mark}n{index}"
            self.checks.append(f"{data}, {count} = {self.name(f'take{index}', taker)}({name})")
            self.words.append(count)
            if mutable:
                back = self.name(f"back{index}", arguments.give_back(bare))
                self.after.append(f"{back}({name}, {self.mark}view({at}, {self.len}({data})))")
        else:
            take = self.name(f"take{index}", arguments.stream(kind, where))
            self.checks.append(f"{data} = {take}({name})")

    def _scalar(self, index: int, name: str, plain: Plain, where: str) -> None:
        slow = self.name(f"slow{index}", arguments.scalar(plain, where))
        match plain.kind:
            case "int":
                quick = f"{name}.__class__ is {self.int} and {plain.low} <= {name} <= {plain.high}"
            case "float" if plain.size == 8:
                quick = f"{name}.__class__ is {self.float}"
            case "float":
                quick = f"{name}.__class__ is {self.float} and -{F32_LIMIT!r} < {name} < {F32_LIMIT!r}"
            case "bool":
                quick = f"{name} is True or {name} is False"
            case _:
                quick = "False"
        self.checks.append(
            f"{name} = {slow}({name})" if quick == "False" else f"if not ({quick}): {name} = {slow}({name})"
        )
        if plain.size <= 8:
            self.words.append(name)
        else:  # 128 bits as two numbers of 64
            self.words += [f"{name} & 0xFFFFFFFFFFFFFFFF", f"{name} >> 64 & 0xFFFFFFFFFFFFFFFF"]

    def placing(self) -> list[str]:
        """Lines that make room in the frame and copy the bytes there, each part aligned."""
        if not self.places:
            return []
        frame = frame_of(self.guest)
        name, grow = self.name("frame", frame), self.name("grow", None)
        view = self.name("view", self.guest.view)
        self.names[grow] = self.grow(frame, f"{rust_name(self.signature.name)}()")
        sizes = [f"({self.len}({data}) + 15 & -16)" for data, _ in self.places[:-1]]
        total = " + ".join([*sizes, f"{self.len}({self.places[-1][0]})"])
        size = f"{self.mark}size"
        lines = [f"{size} = {total}", f"if {size} > {name}.size: {grow}({size})"]
        before = f"{name}.address"
        for (data, at), length in zip(self.places, [*sizes, ""], strict=True):
            lines += [f"{at} = {before}", f"if {data}: {view}({at}, {self.len}({data}))[:] = {data}"]
            before = f"{at} + {length}"
        return lines

    def result(self, call: str) -> list[str]:
        reader = result_reader(self.signature.result, self.guest, f"{rust_name(self.signature.name)}()")
        value = f"{self.mark}value"
        expression = reader.expression.replace("$", value)
        names = {word: self.name(word, thing) for word, thing in reader.names.items()}
        for word, marked in names.items():
            expression = expression.replace(f"@{word}", marked)
        if not self.after and expression.count(value) == 1:
            return [f"return {expression.replace(value, call)}"]
        if not self.after and not expression:
            return [call]
        return [f"{value} = {call}", *self.after, f"return {expression or None}"]
