"""Readable names from rustc's symbols, of the v0 scheme and of the legacy one.

The schemes: https://doc.rust-lang.org/rustc/symbol-mangling/v0.html and, for the legacy one,
``rustc_symbol_mangling/src/legacy.rs``. No well-kept Python package decodes them.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: ``_ZN`` as the linker sees it; ``ZN`` and ``__ZN`` where a platform drops or adds an underscore.
_LEGACY = re.compile(r"^_{0,2}ZN(?=\d)")
_V0 = re.compile(r"^_{0,2}R(?=[A-Z])")
_HASH = re.compile(r"^h[0-9a-f]{16}$")
#: What LLVM and linkers add: ``.llvm.123``, ``.cold``, ``.command_export``.
_SUFFIX = re.compile(r"[.$].*$", re.DOTALL)

_ESCAPES = {"SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ","}

_BASIC = {
    "a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32", "h": "u8", "i": "isize",
    "j": "usize", "l": "i32", "m": "u32", "n": "i128", "o": "u128", "s": "i16", "t": "u16", "u": "()",
    "v": "...", "x": "i64", "y": "u64", "z": "!", "p": "_",
}  # fmt: skip

_BASE_62 = string.digits + string.ascii_lowercase + string.ascii_uppercase

#: Types nested deeper than this are cut short; a symbol may nest without end through its own past.
_DEPTH_LIMIT = 200


def demangle(name: str) -> str:
    """The Rust path that a symbol stands for, without hashes; any other name as it is.

    Example:
        >>> demangle("_RNvCs6n5lIMUnTCz_4cell3fib")
        'cell::fib'
        >>> demangle("_ZN4cell3fib17h0123456789abcdefE")
        'cell::fib'
    """
    try:
        if found := _LEGACY.match(name):
            return _legacy(name[found.end() :])
        if found := _V0.match(name):
            return _V0Reader(name[found.end() :]).symbol()
    except (ValueError, IndexError, RecursionError):
        return name  # it only looks like one
    return name


# The legacy scheme -----------------------------------------------------------------------


def _legacy(rest: str) -> str:
    parts = []
    at = 0
    while rest[at] != "E":
        digits = re.compile(r"\d+").match(rest, at)
        if not digits or digits.end() + int(digits[0]) > len(rest):
            raise ValueError("no length stands where one must")
        at = digits.end() + int(digits[0])
        parts.append(rest[digits.end() : at])
    if at + 1 < len(rest) and not _SUFFIX.match(rest, at + 1):
        raise ValueError("parameter types follow, as in C++")
    if parts and _HASH.match(parts[-1]):
        parts.pop()
    if not parts:
        raise ValueError("it has no path")
    return "::".join(map(_unescaped, parts))


def _unescaped(part: str) -> str:
    if part.startswith("_$"):  # identifiers may not begin with a dollar sign
        part = part[1:]
    part = re.sub(r"\$(\w+?)\$", _escape, part)
    return part.replace("..", "::")


def _escape(found: re.Match[str]) -> str:
    word = found[1]
    if word in _ESCAPES:
        return _ESCAPES[word]
    if re.fullmatch(r"u[0-9a-f]+", word):
        return chr(int(word[1:], 16))
    return found[0]


# The v0 scheme ---------------------------------------------------------------------------


class _V0Reader:
    """Reads one symbol after its ``_R``, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._lifetimes = 0  # bound by the ``for<…>`` around what is read

    def symbol(self) -> str:
        path = self._path(in_type=False)
        rest = self._text[self._at :]
        if rest and not _SUFFIX.match(rest):
            self._path(in_type=False)  # the crate that asked for the instance
            rest = self._text[self._at :]
        if rest and not _SUFFIX.match(rest):
            raise ValueError("something follows the path")
        return path

    # Letters and numbers ---------------------------------------------------------------

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _eat(self, letter: str) -> bool:
        if self._text.startswith(letter, self._at):
            self._at += 1
            return True
        return False

    def _base_62(self) -> int:
        """A number that ends with ``_``; the bare ``_`` is 0."""
        if self._eat("_"):
            return 0
        number = 0
        while (letter := self._next()) != "_":
            number = number * 62 + _BASE_62.index(letter)
        return number + 1

    def _tagged(self, tag: str) -> int:
        """0 without the tag, else one more than the number after it."""
        return self._base_62() + 1 if self._eat(tag) else 0

    def _decimal(self) -> int:
        if self._eat("0"):
            return 0
        start = self._at
        while self._text[self._at : self._at + 1].isdecimal():
            self._at += 1
        return int(self._text[start : self._at])

    def _until_end(self, read: Callable[[], str]) -> list[str]:
        items = []
        while not self._eat("E"):
            items.append(read())
        return items

    def _back(self, read: Callable[[], str]) -> str:
        """What stands at an earlier place in the symbol."""
        place = self._base_62()
        here = self._at
        if place >= here:
            raise ValueError("a reference must point back")
        self._at = place
        result = self._deeper(read)
        self._at = here
        return result

    def _deeper(self, read: Callable[[], str]) -> str:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise ValueError("nested too deeply")
        result = read()
        self._depth -= 1
        return result

    # Paths -----------------------------------------------------------------------------

    def _name(self) -> str:
        """An identifier without its disambiguator."""
        puny = self._eat("u")
        length = self._decimal()
        self._eat("_")  # keeps the length apart from a name that begins with a digit or underscore
        text = self._text[self._at : self._at + length]
        if len(text) < length:
            raise ValueError("the name is cut short")
        self._at += length
        if not puny:
            return text
        head, separator, tail = text.rpartition("_")
        return f"{head}-{tail}".encode().decode("punycode") if separator else tail.encode().decode("punycode")

    def _path(self, *, in_type: bool) -> str:
        return self._deeper(lambda: self._path_of(self._next(), in_type=in_type))

    def _path_of(self, tag: str, *, in_type: bool) -> str:
        match tag:
            case "C":
                self._tagged("s")
                return self._name()
            case "N":
                return self._nested(in_type=in_type)
            case "M":
                self._implementation()
                return f"<{self._type()}>"
            case "X" | "Y":
                if tag == "X":
                    self._implementation()
                own = self._type()
                return f"<{own} as {self._path(in_type=True)}>"
            case "I":
                path = self._path(in_type=in_type)
                arguments = ", ".join(filter(None, self._until_end(self._argument)))
                return f"{path}{'' if in_type else '::'}<{arguments}>"
            case "B":
                return self._back(lambda: self._path(in_type=in_type))
        raise ValueError(f"no path begins with {tag}")

    def _implementation(self) -> None:
        """The place of an ``impl`` block, which its name does not show."""
        self._tagged("s")
        self._path(in_type=False)

    def _nested(self, *, in_type: bool) -> str:
        space = self._next()
        path = self._path(in_type=in_type)
        number = self._tagged("s")
        name = self._name()
        if space.islower():
            return f"{path}::{name}" if name else path
        kind = {"C": "closure", "S": "shim"}.get(space, space)
        return f"{path}::{{{kind}{':' if name else ''}{name}#{number}}}"

    def _argument(self) -> str:
        if self._eat("L"):
            return self._lifetime(self._base_62())
        return self._constant() if self._eat("K") else self._type()

    # Types -----------------------------------------------------------------------------

    def _lifetime(self, number: int) -> str:
        """Its name, counted from the outermost ``for<…>``; empty for one that was erased."""
        if not number:
            return ""
        depth = self._lifetimes - number
        return f"'{string.ascii_lowercase[depth]}" if 0 <= depth < 26 else f"'_{depth}"

    def _type(self) -> str:
        return self._deeper(lambda: self._type_of(self._next()))

    def _type_of(self, tag: str) -> str:
        if tag in _BASIC:
            return _BASIC[tag]
        match tag:
            case "R" | "Q":
                lifetime = self._lifetime(self._base_62()) if self._eat("L") else ""
                return f"&{lifetime}{' ' if lifetime else ''}{'mut ' if tag == 'Q' else ''}{self._type()}"
            case "P" | "O":
                return f"*{'const' if tag == 'P' else 'mut'} {self._type()}"
            case "A":
                element = self._type()
                return f"[{element}; {self._constant()}]"
            case "S":
                return f"[{self._type()}]"
            case "T":
                items = self._until_end(self._type)
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            case "F":
                return self._bound(self._function)
            case "D":
                bounds = self._bound(lambda: " + ".join(self._until_end(self._trait)))
                self._eat("L")
                lifetime = self._lifetime(self._base_62())
                return f"dyn {bounds}{' + ' if lifetime else ''}{lifetime}"
            case "B":
                return self._back(self._type)
        return self._path_of(tag, in_type=True)

    def _bound(self, read: Callable[[], str]) -> str:
        """What stands under a ``for<…>``, if there is one."""
        count = self._tagged("G")
        self._lifetimes += count
        names = ", ".join(self._lifetime(number) for number in range(count, 0, -1))
        text = f"for<{names}> {read()}" if count else read()
        self._lifetimes -= count
        return text

    def _function(self) -> str:
        unsafe = "unsafe " if self._eat("U") else ""
        abi = ""
        if self._eat("K"):
            name = "C" if self._eat("C") else self._name().replace("_", "-")
            abi = f'extern "{name}" '
        parameters = ", ".join(self._until_end(self._type))
        result = self._type()
        return f"{unsafe}{abi}fn({parameters}){'' if result == '()' else f' -> {result}'}"

    def _trait(self) -> str:
        """A trait in ``dyn``, with its associated types."""
        path = self._path(in_type=True)
        bindings = []
        while self._eat("p"):
            name = self._name()
            bindings.append(f"{name} = {self._type()}")
        if not bindings:
            return path
        inner = ", ".join(bindings)
        return f"{path[:-1]}, {inner}>" if path.endswith(">") else f"{path}<{inner}>"

    # Constants -------------------------------------------------------------------------

    def _constant(self) -> str:
        return self._deeper(lambda: self._constant_of(self._next()))

    def _constant_of(self, tag: str) -> str:
        match tag:
            case "p":
                return "_"
            case "B":
                return self._back(self._constant)
            case "b":
                return "true" if self._digits() == "1" else "false"
            case "c":
                return f"'{chr(int(self._digits() or '0', 16))}'"
            case "e":
                return f'*"{self._text_constant()}"'
            case "R" | "Q":
                if tag == "R" and self._eat("e"):
                    return f'"{self._text_constant()}"'
                return f"&{'mut ' if tag == 'Q' else ''}{self._constant()}"
            case "A":
                return f"[{', '.join(self._until_end(self._constant))}]"
            case "T":
                items = self._until_end(self._constant)
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            case "V":
                return self._variant()
        if tag not in _BASIC:
            raise ValueError(f"no constant begins with {tag}")
        sign = "-" if self._eat("n") else ""
        return f"{sign}{int(self._digits() or '0', 16)}"

    def _digits(self) -> str:
        start = self._at
        self._at = self._text.index("_", start) + 1
        return self._text[start : self._at - 1]

    def _text_constant(self) -> str:
        return bytes.fromhex(self._digits()).decode("utf-8", "replace")

    def _variant(self) -> str:
        """A value of a struct or of an enum's variant."""
        kind = self._next()
        path = self._path(in_type=False)
        match kind:
            case "U":
                return path
            case "T":
                return f"{path}({', '.join(self._until_end(self._constant))})"
            case "S":
                return f"{path} {{ {', '.join(self._until_end(self._field))} }}"
        raise ValueError(f"no value is of the kind {kind}")

    def _field(self) -> str:
        self._tagged("s")
        name = self._name()
        return f"{name}: {self._constant()}"
