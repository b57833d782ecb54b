"""Composition: who gets what from whom, and the component that comes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wasm_lab.build.wasm_tools import assemble, wasm_tools
from wasm_lab.components import Component
from wasm_lab.components.compose import HOST, Composition, compose
from wasm_lab.errors import InterfaceError, UsageError
from wasm_lab.views.composition import composition_svg

WIT = """package demo:chain@1.0.0;
interface first { one: func(x: u32) -> u32; }
interface second { two: func(x: u32) -> u32; }
world start { export first; }
world middle { import first; export second; }
world whole { import second; export run: func(x: u32) -> u32; }
world twice { import first; import second; export run: func(x: u32) -> u32; }
world back { import second; export first; }
"""
START = """(module (func (export "demo:chain/first@1.0.0#one") (param i32) (result i32)
  (i32.add (local.get 0) (i32.const 1))))"""
MIDDLE = """(module (import "demo:chain/first@1.0.0" "one" (func $one (param i32) (result i32)))
  (func (export "demo:chain/second@1.0.0#two") (param i32) (result i32)
    (i32.mul (call $one (local.get 0)) (i32.const 10))))"""
WHOLE = """(module (import "demo:chain/second@1.0.0" "two" (func $two (param i32) (result i32)))
  (func (export "run") (param i32) (result i32) (call $two (local.get 0))))"""
TWICE = """(module (import "demo:chain/first@1.0.0" "one" (func $one (param i32) (result i32)))
  (import "demo:chain/second@1.0.0" "two" (func $two (param i32) (result i32)))
  (func (export "run") (param i32) (result i32) (i32.add (call $one (local.get 0)) (call $two (local.get 0)))))"""
BACK = """(module (import "demo:chain/second@1.0.0" "two" (func $two (param i32) (result i32)))
  (func (export "demo:chain/first@1.0.0#one") (param i32) (result i32) (call $two (local.get 0))))"""


@pytest.fixture(params=["wasm-tools", "wac"])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each tool that composes; without wac on this machine its script is all that can be looked at."""
    if request.param == "wasm-tools":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif shutil.which("wac") is None:
        monkeypatch.setattr(shutil, "which", lambda name: f"/{name}")
        monkeypatch.setattr("wasm_lab.components.compose.subprocess.run", _instead_of_wac)
    return str(request.param)


_run = subprocess.run


def _instead_of_wac(words: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Reads a script as wac does, as far as `wac_script` writes it, and composes by wasm-tools."""
    from wasm_lab.components import compose as module

    if words[0] != "wac":
        return _run(words, **options)
    script = Path(words[2]).read_text()
    assert script.startswith("package lab:composed;\n")
    files = dict(word.removeprefix("lab:").split("=", 1) for word in words if word.startswith("lab:"))
    parts = [Component.load(files[f"part{n}"], label=f"part{n}") for n in range(len(files))]
    order, wires = [], []
    for line in script.splitlines()[1:-1]:
        name = line.split()[1]
        order.append(name)
        for given in line[line.index("{") + 1 : -2].split(", "):
            if given.strip() == "...":
                continue
            imported, _, source = given.strip().partition(": ")
            provider, _, exported = source.partition("[")
            wires.append(module.Wire(name, imported.strip('"'), provider, exported.strip('"]')))
    assert script.splitlines()[-1] == "export part0...;"
    Path(words[4]).write_bytes(module._by_wasm_tools(parts, order, wires))
    return subprocess.CompletedProcess(words, 0, "", "")


def part(tmp_path: Path, world: str, wat: str, *, wit: str = WIT, label: str = "") -> Component:
    file = tmp_path / "world.wit"
    file.write_text(wit)
    embedded = wasm_tools(["component", "embed", "--world", world, str(file), "-"], assemble(wat))
    return Component.load(wasm_tools(["component", "new", "-"], embedded), label=label or world)


def run(made: Composition, x: int, imports: dict[str, Any] | None = None) -> int:
    with made.component.instantiate(imports or {}) as instance:
        result: int = instance.run(x)
    return result


def test_plugs_feed_the_socket_and_one_another(tmp_path: Path, tool: str) -> None:
    start, middle, whole = (
        part(tmp_path, *each) for each in (("start", START), ("middle", MIDDLE), ("whole", WHOLE))
    )
    for plugs in ((start, middle), (middle, start)):
        made = compose(whole, *plugs)
        assert made.tool.startswith(tool)
        assert not [name for name in made.component.world.imports if name.startswith("demo:")]
        assert run(made, 4) == 50
        wires = {(wire.importer, wire.imported, wire.provider) for wire in made.wires}
        assert wires == {
            ("whole", "demo:chain/second@1.0.0", "middle"),
            ("middle", "demo:chain/first@1.0.0", "start"),
        }


def test_what_no_plug_gives_stays_for_the_host(tmp_path: Path, tool: str) -> None:
    made = compose(part(tmp_path, "whole", WHOLE), part(tmp_path, "middle", MIDDLE))
    assert [wire.imported for wire in made.wires if wire.provider == HOST] == ["demo:chain/first@1.0.0"]
    assert run(made, 4, {"demo:chain/first": {"one": lambda x: x + 100}}) == 1040
    assert "middle takes demo:chain/first@1.0.0 from host" in str(made)


def test_an_instance_stands_for_its_component(tmp_path: Path) -> None:
    middle = part(tmp_path, "middle", MIDDLE)
    with middle.instantiate({"demo:chain/first": {"one": lambda x: x}}) as instance:
        made = compose(part(tmp_path, "whole", WHOLE), instance)
    assert made.parts == ("whole", "middle")


def test_a_plug_used_by_two_is_one_instance(tmp_path: Path, tool: str) -> None:
    counting = """(module (global $n (mut i32) (i32.const 0))
      (func (export "demo:chain/first@1.0.0#one") (param i32) (result i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))"""
    made = compose(
        part(tmp_path, "twice", TWICE), part(tmp_path, "start", counting), part(tmp_path, "middle", MIDDLE)
    )
    assert run(made, 0) == 1 + 2 * 10


def test_a_newer_compatible_version_is_taken_and_an_older_major_is_not(tmp_path: Path) -> None:
    newer = part(
        tmp_path,
        "middle",
        MIDDLE.replace("chain/first@1.0.0", "chain/first@1.4.0").replace("second@1.0.0", "second@1.4.0"),
        wit=WIT.replace("@1.0.0", "@1.4.0"),
        label="newer",
    )
    whole = part(tmp_path, "whole", WHOLE)
    made = compose(whole, newer)
    assert ("demo:chain/second@1.0.0", "demo:chain/second@1.4.0") in {
        (wire.imported, wire.exported) for wire in made.wires
    }
    major = part(
        tmp_path,
        "middle",
        MIDDLE.replace("@1.0.0", "@2.0.0"),
        wit=WIT.replace("@1.0.0", "@2.0.0"),
        label="major",
    )
    with pytest.raises(UsageError, match=r"major fits nothing: it exports demo:chain/second@2.0.0"):
        compose(whole, major)


def test_types_that_differ_are_named_function_by_function(tmp_path: Path) -> None:
    other = part(
        tmp_path,
        "middle",
        MIDDLE.replace(
            "(param i32) (result i32)\n    (i32.mul (call $one (local.get 0))",
            "(param i64) (result i32)\n    (i32.mul (call $one (i32.const 1))",
        ),
        wit=WIT.replace("two: func(x: u32)", "two: func(x: u64)"),
        label="other",
    )
    with pytest.raises(
        InterfaceError,
        match=r"whole imports two: func\(x: u32\) -> u32 of demo:chain/second@1.0.0, and other has two: func\(x: u64\)",
    ):
        compose(part(tmp_path, "whole", WHOLE), other)


def test_circles_and_equal_labels_are_refused(tmp_path: Path) -> None:
    whole, middle = part(tmp_path, "whole", WHOLE), part(tmp_path, "middle", MIDDLE)
    with pytest.raises(UsageError, match="in a circle"):
        compose(whole, middle, part(tmp_path, "back", BACK))
    with pytest.raises(UsageError, match="same label"):
        compose(whole, part(tmp_path, "middle", MIDDLE, label="whole"))


def test_the_picture_names_every_part_and_wire(tmp_path: Path) -> None:
    made = compose(part(tmp_path, "whole", WHOLE), part(tmp_path, "middle", MIDDLE, label="a<b"))
    drawn = composition_svg(made)
    for text in ("whole", "a&lt;b", "host", "demo:chain/second@1.0.0", "demo:chain/first@1.0.0"):
        assert f">{text}</text>" in drawn
    assert "<desc>whole exports run" in drawn
