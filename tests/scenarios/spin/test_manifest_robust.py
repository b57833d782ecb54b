"""Whatever stands in a manifest, it is read or refused with a place; it never breaks the reader."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.errors import ManifestError
from wasm_lab.scenarios.spin.checker import as_toml
from wasm_lab.scenarios.spin.manifest import HttpTrigger
from wasm_lab.scenarios.spin.outbound import OutboundRules, RuleError, destination
from wasm_lab.scenarios.spin.reading import parse_manifest
from wasm_lab.scenarios.spin.routes import RouteError, RouteTable
from wasm_lab.scenarios.spin.toml_text import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFESTS = sorted((Path(__file__).parent / "manifests").glob("*/*.toml"))

#: One value of each kind that TOML has, and some that are nearly right.
OTHERS: tuple[Any, ...] = (
    5,
    1.5,
    True,
    "text",
    "",
    "{{ x",
    [],
    ["x"],
    [5],
    [[]],
    {},
    {"a": 1},
    {"a": {"b": [{}]}},
    [{}],
)


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where each value stands."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def text_of(values: dict[str, Any]) -> str:
    return "".join(f"{spell((key,))} = {as_toml(value)}\n" for key, value in values.items())


def refusal(text: str) -> ManifestError | None:
    try:
        parse_manifest(text, Path("/nowhere/spin.toml"), sources=True)
    except ManifestError as error:
        return error
    return None


def read_or_refuse(text: str) -> None:
    lines = text.count("\n") + 1
    error = refusal(text)
    if error is None:
        return
    assert error.problems
    assert all(0 <= problem.line <= lines and problem.message for problem in error.problems)
    if error.version2:
        second = refusal(error.version2)
        assert second is None or not second.version2, "version 2 is not version 1"


@pytest.mark.slow
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_any_value_may_be_of_any_type(path: Path) -> None:
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for place in paths(values):
        if not place:
            continue
        for other in OTHERS:
            changed = copy.deepcopy(values)
            inner: Any = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = other
            read_or_refuse(text_of(changed))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_any_line_may_be_missing_or_twice(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number in range(len(lines)):
        read_or_refuse("".join(lines[:number] + lines[number + 1 :]))
        read_or_refuse("".join(lines[: number + 1] + lines[number:]))
        read_or_refuse("".join(lines[:number]) + lines[number][: len(lines[number]) // 2])


@given(st.text(alphabet=st.sampled_from("ab=[]{}.\"'\n #,1-_\\ü\t\r"), max_size=60))
def test_any_text(text: str) -> None:
    read_or_refuse(text)
    read_or_refuse(f"spin_manifest_version = 2\n{text}")


@given(
    st.text(alphabet=st.sampled_from("ab/:.*-_%"), max_size=20),
    st.text(alphabet=st.sampled_from("ab/.:%*"), max_size=20),
)
def test_any_route_and_path(route: str, path: str) -> None:
    try:
        table = RouteTable([HttpTrigger(id="t", component="c", route=route)])
    except RouteError:
        return
    match = table.match(f"/{path}")
    if match is not None:
        match.headers(full_url="", client_address="")


@given(st.text(max_size=30), st.text(alphabet=st.sampled_from("htps:/*.@#?[]0123456789a"), max_size=30))
def test_any_rule_and_address(rule: str, url: str) -> None:
    for text in (rule, url):
        destination(text)
        try:
            rules = OutboundRules((text,))
        except RuleError:
            continue
        rules.allows(url)
        rules.allows(rule)
