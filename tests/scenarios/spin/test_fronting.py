"""The front: what it is made of, which guests get it, and when guests run in the event loop's thread."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from typing import Any

import pytest

from wasm_lab.build.wasm_tools import assemble, wasm_tools
from wasm_lab.scenarios.spin.componentize import Guest
from wasm_lab.scenarios.spin.fronting import HOST, PROVIDED, VERSION, _framed, fronted
from wasm_lab.scenarios.spin.launch import AT_ONCE_S, FIRST_PENALTY, AtOnce, is_harmless

HANDLER = "wasi:http/incoming-handler@0.2.6"

FRONT = resources.files("wasm_lab.scenarios.spin") / "front"

#: A guest as wit-component lays it out, and as small as one can be: it answers nothing.
SMALL = """
(component
  (type $types (instance
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (import "wasi:http/types@0.2.6" (instance $http (type $types)))
  (alias export $http "incoming-request" (type $request))
  (alias export $http "response-outparam" (type $outparam))
  (core module $m (func (export "handle") (param i32 i32)))
  (core instance $i (instantiate $m))
  (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))
    (canon lift (core func $i "handle")))
  (component $shape
    (import "request" (type $request (sub resource)))
    (import "outparam" (type $outparam (sub resource)))
    (import "handle" (func $handle (param "request" (own $request)) (param "response-out" (own $outparam))))
    (export "handle" (func $handle)))
  (instance $handler (instantiate $shape
    (with "request" (type $request)) (with "outparam" (type $outparam)) (with "handle" (func $handle))))
  (export "wasi:http/incoming-handler@0.2.6" (instance $handler)))
"""


def guest(*imports: str, wasm: bytes = b"") -> Guest:
    names = ("wasi:http/types@0.2.6", *imports)
    return Guest(label="guest", wasm=wasm, imports=names, exports=(HANDLER,), adapted=False)


def wit(component: bytes) -> str:
    return wasm_tools(["component", "wit"], component).decode()


def test_the_front_gives_what_is_asked_of_it() -> None:
    text = wit((FRONT / "front.wasm").read_bytes())
    world = text[text.index("world") : text.index("\n}")]
    exports = {line.split()[1].rstrip(";") for line in world.splitlines() if "  export " in line}
    assert exports == {f"{name}@{VERSION}" for name in PROVIDED} | {"wasm-lab:front/start"}
    assert f"import {HOST};" in world


def test_the_glue_is_what_its_text_says() -> None:
    assert (FRONT / "glue.wasm").read_bytes() == assemble((FRONT / "glue.wat").read_text())


def test_a_guest_is_composed_once() -> None:
    small = guest(wasm=assemble(SMALL))
    composed = fronted(small, HANDLER, has_files=False)
    assert composed is not None
    assert fronted(small, HANDLER, has_files=False) == composed
    world = wit(composed)
    assert f"import {HOST};" in world
    assert "export run: func();" in world
    assert "import wasi:http" not in world


def test_what_stands_around_a_guest_is_a_component() -> None:
    framed, imported = _framed(assemble(SMALL), (FRONT / "glue.wasm").read_bytes(), HANDLER)
    wasm_tools(["validate", "-"], framed)
    assert imported == ["wasi:http/types@0.2.6"]


@pytest.mark.parametrize(
    "name",
    [
        "wasi:http/outgoing-handler@0.2.6",
        "wasi:sockets/tcp@0.2.0",
        "wasi:io/streams@0.2.13",
        "wasi:io/streams@0.3.0",
        "wasi:io/streams@0.2.0-rc-2023-11-10",
        "wasi:io/streams",
        "some:thing/else@1.0.0",
    ],
)
def test_a_guest_that_needs_more_does_without(name: str) -> None:
    small = guest(wasm=assemble(SMALL))
    assert fronted(replace(small, imports=(*small.imports, name)), HANDLER, has_files=False) is None


def test_a_guest_with_files_does_without() -> None:
    small = replace(
        guest(wasm=assemble(SMALL)), imports=("wasi:http/types@0.2.6", "wasi:filesystem/types@0.2.6")
    )
    assert fronted(small, HANDLER, has_files=True) is None
    assert fronted(small, HANDLER, has_files=False) is not None


def test_a_component_of_another_layout_does_without() -> None:
    assert fronted(guest(wasm=assemble("(component)")), HANDLER, has_files=False) is None


def test_what_changes_something_outside_never_runs_twice() -> None:
    assert is_harmless(HOST)
    assert is_harmless("wasi:random/random@0.2.0")
    for name in (
        "fermyon:spin/key-value@2.0.0",
        "wasi:keyvalue/store@0.2.0-draft2",
        "spin:sqlite/sqlite@3.0.0",
    ):
        assert not is_harmless(name)


def attempts(at_once: AtOnce, number: int) -> int:
    return sum(at_once.worth_it() for _ in range(number))


def test_a_component_whose_guests_take_long_is_not_tried_for_a_while() -> None:
    prepared: Any = None
    at_once = AtOnce(prepared)
    assert attempts(at_once, 10) == 10
    at_once.failed(must_wait=False, used_s=0.0)
    assert at_once.worth_it(), "the machine was busy, not the guest"
    at_once.failed(must_wait=False, used_s=AT_ONCE_S)
    first = FIRST_PENALTY * 2
    assert attempts(at_once, first) == 0
    assert at_once.worth_it()
    at_once.failed(must_wait=True, used_s=0.0)
    assert attempts(at_once, 2 * first) == 0
    assert at_once.worth_it()
