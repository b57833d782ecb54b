"""Header fields as guests see them."""

from __future__ import annotations

from typing import Any

import pytest

from wasm_lab.components import Err
from wasm_lab.scenarios.spin.host.fields import FIELDS_BYTES, Fields


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(Err) as caught:
        call(*arguments)
    return type(caught.value.value).__name__


def test_names_are_compared_without_case_and_values_kept_in_order() -> None:
    fields = Fields.from_list([("X-One", b"1"), ("other", b"2"), ("x-one", b"3")])
    assert fields.get("X-ONE") == [b"1", b"3"]
    assert fields.has("x-One")
    assert fields.entries() == [("x-one", b"1"), ("other", b"2"), ("x-one", b"3")]
    fields.set("x-one", [b"4"])
    assert fields.get("x-one") == [b"4"]
    fields.delete("X-one")
    assert not fields.has("x-one")
    assert fields.get("absent") == []


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\r\nb", "ä"])
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    assert refused(Fields().append, name, b"x") == "InvalidSyntax"


@pytest.mark.parametrize("value", [b"a\r\nset-cookie: x", b"\0", b"a\nb", b"\x7f"])
def test_a_value_with_control_characters_is_refused(value: bytes) -> None:
    assert refused(Fields().append, "x", value) == "InvalidSyntax"
    assert refused(Fields.from_list, [("x", value)]) == "InvalidSyntax"
    assert refused(Fields().set, "x", [b"fine", value]) == "InvalidSyntax"


def test_a_value_may_hold_tabs_and_bytes_above_127() -> None:
    fields = Fields()
    fields.append("x", b"a\tb\xff")
    assert fields.get("x") == [b"a\tb\xff"]


@pytest.mark.parametrize("name", ["Connection", "transfer-encoding", "Upgrade", "keep-alive"])
def test_fields_of_the_connection_are_the_servers(name: str) -> None:
    assert refused(Fields().append, name, b"x") == "Forbidden"


def test_fields_that_were_given_cannot_be_changed_but_cloned() -> None:
    given = Fields.given([("a", b"1")])
    assert refused(given.append, "b", b"2") == "Immutable"
    assert refused(given.delete, "a") == "Immutable"
    assert refused(given.set, "a", []) == "Immutable"
    copy = given.clone()
    copy.append("b", b"2")
    assert copy.entries() == [("a", b"1"), ("b", b"2")]
    assert given.entries() == [("a", b"1")]


def test_fields_are_bounded() -> None:
    fields = Fields()
    while sum(len(name) + len(value) + 32 for name, value in fields.entries()) < FIELDS_BYTES - 1100:
        fields.append(f"x-{len(fields.entries())}", b"y" * 1000)
    with pytest.raises(ValueError, match="header fields take more"):
        fields.append("x-last", b"y" * 1200)
    assert len(fields.entries()) < FIELDS_BYTES / 1000
