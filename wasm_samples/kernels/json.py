"""json.rs in Python: the same parser. The ``json`` module, which is native code, is another comparison:
the functions that end in ``_builtin`` use it."""

from __future__ import annotations

import json
import re
from typing import Any

_DEEPEST = 128
_LARGEST = 2**53 - 1
_SPACE = " \t\r\n"
_DIGITS = "0123456789"
_HEXADECIMAL = "0123456789abcdefABCDEF"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WRITTEN = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f]')


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text + "\0"  # no character of JSON's grammar, so it can stand for the end
        self.at = 0

    def wrong(self, expected: str) -> ValueError:
        return ValueError(f"at character {self.at}: expected {expected}")

    def skip_space(self) -> None:
        while self.text[self.at] in _SPACE:
            self.at += 1

    def word(self, wanted: str, value: bool | None) -> bool | None:
        if not self.text.startswith(wanted, self.at):
            raise self.wrong("a value")
        self.at += len(wanted)
        return value

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise self.wrong("less nesting")
        self.skip_space()
        letter = self.text[self.at]
        if letter == "{":
            return self.object(depth)
        if letter == "[":
            return self.array(depth)
        if letter == '"':
            return self.string()
        if letter == "t":
            return self.word("true", True)
        if letter == "f":
            return self.word("false", False)
        if letter == "n":
            return self.word("null", None)
        if letter == "-" or letter in _DIGITS:
            return self.number()
        raise self.wrong("a value")

    def array(self, depth: int) -> Any:
        self.at += 1
        items: list[Any] = []
        self.skip_space()
        if self.text[self.at] == "]":
            self.at += 1
            return items
        while True:
            items.append(self.value(depth + 1))
            self.skip_space()
            letter = self.text[self.at]
            if letter not in ",]":
                raise self.wrong("a comma or ]")
            self.at += 1
            if letter == "]":
                return items

    def object(self, depth: int) -> dict[str, Any]:
        self.at += 1
        fields: dict[str, Any] = {}
        self.skip_space()
        if self.text[self.at] == "}":
            self.at += 1
            return fields
        while True:
            self.skip_space()
            if self.text[self.at] != '"':
                raise self.wrong("a name")
            name = self.string()
            self.skip_space()
            if self.text[self.at] != ":":
                raise self.wrong("a colon")
            self.at += 1
            fields[name] = self.value(depth + 1)
            self.skip_space()
            letter = self.text[self.at]
            if letter not in ",}":
                raise self.wrong("a comma or }")
            self.at += 1
            if letter == "}":
                return fields

    def string(self) -> str:
        self.at += 1
        start, parts = self.at, []
        while True:
            letter = self.text[self.at]
            if letter == '"':
                parts.append(self.text[start : self.at])
                self.at += 1
                return "".join(parts)
            if letter == "\\":
                parts.append(self.text[start : self.at])
                self.at += 1
                parts.append(self.escape())
                start = self.at
            elif letter < " ":
                raise self.wrong("the end of a string")
            else:
                self.at += 1

    def escape(self) -> str:
        letter = self.text[self.at]
        self.at += 1
        if letter in _ESCAPES:
            return _ESCAPES[letter]
        if letter != "u":
            raise self.wrong("an escape")
        code = self.four_digits()
        if 0xD800 <= code < 0xDC00 and self.text.startswith("\\u", self.at):
            self.at += 2
            low = self.four_digits()
            if not 0xDC00 <= low < 0xE000:
                raise self.wrong("the second half of a pair")
            code = 0x10000 + ((code - 0xD800) << 10) + low - 0xDC00
        if 0xD800 <= code < 0xE000:
            raise self.wrong("both halves of a pair")
        return chr(code)

    def four_digits(self) -> int:
        digits = self.text[self.at : self.at + 4]
        if len(digits) < 4 or any(digit not in _HEXADECIMAL for digit in digits):
            raise self.wrong("four hexadecimal digits")
        self.at += 4
        return int(digits, 16)

    def digits(self) -> None:
        if self.text[self.at] not in _DIGITS:
            raise self.wrong("a digit")
        while self.text[self.at] in _DIGITS:
            self.at += 1

    def number(self) -> float:
        start = self.at
        if self.text[self.at] == "-":
            self.at += 1
        if self.text[self.at] == "0":
            self.at += 1
        else:
            self.digits()
        if self.text[self.at] == ".":
            self.at += 1
            self.digits()
        if self.text[self.at] in "eE":
            self.at += 1
            if self.text[self.at] in "+-":
                self.at += 1
            self.digits()
        return float(self.text[start : self.at])


def _parse(text: str) -> Any:
    parser = _Parser(text)
    value = parser.value(0)
    parser.skip_space()
    if parser.at < len(text):
        raise parser.wrong("the end")
    return value


def _written(text: str) -> str:
    def escaped(match: re.Match[str]) -> str:
        letter = match[0]
        return _WRITTEN.get(letter) or f"\\u{ord(letter):04x}"

    return f'"{_TO_ESCAPE.sub(escaped, text)}"'


def _amount(value: Any) -> int:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= _LARGEST or value != int(value):
        raise ValueError("an amount is no whole number of at most 2^53 - 1")
    return int(value)


def _checked(total: int) -> int:
    if total > _LARGEST:
        raise ValueError("a total is above 2^53 - 1")
    return total


def _field(value: Any, name: str) -> Any:
    return value.get(name, _field) if isinstance(value, dict) else _field


def _cents_of(order: Any) -> int:
    items = _field(order, "items")
    if not isinstance(items, list):
        raise TypeError("an order has no items")
    total = 0
    for item in items:
        cents, quantity = _field(item, "cents"), _field(item, "quantity")
        if cents is _field:
            raise ValueError("an item has no cents")
        price = _amount(cents) * (1 if quantity is _field else _amount(quantity))
        total = _checked(total + _checked(price))
    return total


def _totalled(orders: Any) -> list[tuple[str, list[int]]]:
    """The customers with their number of orders and sum in cents, by name."""
    if not isinstance(orders, list):
        raise TypeError("the orders are no list")
    totals: dict[str, list[int]] = {}
    for order in orders:
        customer = _field(order, "customer")
        if not isinstance(customer, str):
            raise TypeError("an order has no customer")
        cents = _cents_of(order)
        total = totals.setdefault(customer, [0, 0])
        total[0] += 1
        total[1] = _checked(total[1] + cents)
    return sorted(totals.items())


def totals_by_customer(orders: str) -> str:
    """Each customer's number of orders and sum in cents, as JSON, by the customer's name."""
    totals = [
        f'{{"customer":{_written(customer)},"orders":{count},"cents":{cents}}}'
        for customer, (count, cents) in _totalled(_parse(orders))
    ]
    return f"[{','.join(totals)}]"


def totals_by_customer_builtin(orders: str) -> str:
    """The same by the ``json`` module, which also accepts NaN and half a surrogate pair."""
    totals = [
        {"customer": customer, "orders": count, "cents": cents}
        for customer, (count, cents) in _totalled(json.loads(orders))
    ]
    return json.dumps(totals, ensure_ascii=False, separators=(",", ":"))


def _orders_of_noise(count: int) -> str:
    """So many orders of 50 customers, drawn by Marsaglia's xorshift generator from 2463534242 on."""
    state = 2463534242

    def below(limit: int) -> int:
        nonlocal state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        return state % limit

    def item() -> str:
        return f'{{"cents": {below(10_000)}, "quantity": {1 + below(9)}}}'

    def order() -> str:
        start = f'\n  {{"customer": "Customer {below(50)}", "items": ['
        items = ", ".join([item() for _ in range(1 + below(4))])
        return f'{start}{items}], "note": "a \\"short\\" caf\\u00e9", "weight": 1.5e-1, "gift": false}}'

    return f"[{','.join([order() for _ in range(count)])}\n]"


def _fnv(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def totals_of_noise(count: int) -> int:
    """The FNV-1a hash (32 bits) of the totals of so many random orders."""
    return _fnv(totals_by_customer(_orders_of_noise(count)))


def totals_of_noise_builtin(count: int) -> int:
    """The same by the ``json`` module."""
    return _fnv(totals_by_customer_builtin(_orders_of_noise(count)))
