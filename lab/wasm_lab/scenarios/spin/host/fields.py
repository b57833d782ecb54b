"""HTTP fields: the resource that holds headers, and the rules for their names and values."""

from __future__ import annotations

import re

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.host.codes import variant

#: Bytes that the fields of one message may take together: names, values and 32 for each, as HTTP/2 counts.
FIELDS_BYTES = 128 * 1024

#: Fields that the server alone decides about (wasmtime-wasi-http, ``DEFAULT_FORBIDDEN_HEADERS``,
#: without ``host``, which Spin lets guests see and set).
FORBIDDEN = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    )
)

#: RFC 9110, 5.6.2: a token; and 5.5: no control characters but the tab.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_BAD_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search


#: The variant ``header-error``.
HeaderError = variant("HeaderError", "InvalidSyntax Forbidden Immutable")

#: Names that were checked before: most guests use few, and the same again.
_checked: dict[str, str] = {}


def _checked_name(name: str) -> str:
    known = _checked.get(name)
    if known is not None:
        return known
    if not _NAME(name):
        raise Err(HeaderError.InvalidSyntax())
    lower = name.lower()
    if lower in FORBIDDEN:
        raise Err(HeaderError.Forbidden())
    if len(_checked) < 1000 and len(name) < 100:
        _checked[name] = lower
    return lower


def _checked_value(value: bytes) -> bytes:
    if _BAD_VALUE(value):
        raise Err(HeaderError.InvalidSyntax())
    return value


class Fields:
    """The resource ``fields``: names are compared without regard to case, and kept in lower case."""

    __slots__ = ("_bytes", "items", "mutable")

    def __init__(self) -> None:
        self.items: list[tuple[str, bytes]] = []
        self.mutable = True
        self._bytes = 0

    @classmethod
    def given(cls, items: list[tuple[str, bytes]]) -> Fields:
        """Fields that the guest may read only."""
        fields = cls.__new__(cls)
        fields.items, fields.mutable, fields._bytes = items, False, 0
        return fields

    @staticmethod
    def from_list(entries: list[tuple[str, bytes]]) -> Fields:
        fields = Fields()
        for name, value in entries:
            fields.append(name, value)
        return fields

    def get(self, name: str) -> list[bytes]:
        name = name.lower()
        return [value for key, value in self.items if key == name]

    def has(self, name: str) -> bool:
        name = name.lower()
        return any(key == name for key, _ in self.items)

    def set(self, name: str, value: list[bytes]) -> None:
        self._check_mutable()
        name = _checked_name(name)
        values = [_checked_value(one) for one in value]
        self._remove(name)
        for one in values:
            self._add(name, one)

    def delete(self, name: str) -> None:
        self._check_mutable()
        self._remove(_checked_name(name))

    def append(self, name: str, value: bytes) -> None:
        self._check_mutable()
        self._add(_checked_name(name), _checked_value(value))

    def entries(self) -> list[tuple[str, bytes]]:
        return self.items

    def clone(self) -> Fields:
        copy = Fields()
        copy.items = list(self.items)
        copy._bytes = self._bytes or sum(len(name) + len(value) + 32 for name, value in copy.items)
        return copy

    def _check_mutable(self) -> None:
        if not self.mutable:
            raise Err(HeaderError.Immutable())

    def _add(self, name: str, value: bytes) -> None:
        self._bytes += len(name) + len(value) + 32
        if self._bytes > FIELDS_BYTES:
            raise ValueError(f"The guest's header fields take more than {FIELDS_BYTES} bytes.")
        self.items.append((name, value))

    def _remove(self, name: str) -> None:
        kept = [item for item in self.items if item[0] != name]
        if len(kept) != len(self.items):
            self.items = kept
            self._bytes = sum(len(key) + len(value) + 32 for key, value in kept)
