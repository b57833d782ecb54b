"""WIT texts: what is right is kept whole, what is wrong is told at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from wasm_lab.components.skeletons import python_skeleton, rust_skeleton
from wasm_lab.components.text import check_path, check_text, package_id
from wasm_lab.errors import WitError

BASE = """package demo:base@1.0.0;
interface types { record point { x: s32, y: s32 } }
"""
CALC = """package demo:calc@1.0.0;
interface math {
  use demo:base/types@1.0.0.{point};
  add: func(a: point, b: point) -> point;
  resource counter {
    constructor(start: u32);
    inc: func() -> u32;
    merge: static func(a: counter, b: borrow<counter>) -> counter;
  }
}
interface log { write: func(line: string); flush-all: func() -> result<u32, string>; }
world calc { import log; import ask: func() -> option<string>; export math; export twice: func(x: list<u8>); }
"""


def test_a_text_may_use_the_packages_of_others() -> None:
    base = check_text(BASE, name="base")
    calc = check_text(CALC, name="calc", others=[base])
    assert calc.id == "demo:calc@1.0.0"
    assert list(calc.worlds) == ["calc"]
    assert "demo:calc/math@1.0.0" in calc.worlds["calc"].exports
    assert "package demo:base@1.0.0 {" in calc.package.text
    again = check_text(calc.text.replace("twice", "thrice"), name="calc", others=[base, calc])
    assert "thrice" in again.worlds["calc"].exports


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("package a:b;\nworld w {\n  export f: func(x: strng);\n}", "name `strng` does not exist", 4, 21),
        ("package a:b;\nworld w { export f func(); }", "expected", 3, 20),
        ("package a:b\nworld w {}", "found keyword `world`", 3, 1),
        (
            "package a:b;\nworld w { import wasi:clocks/wall-clock@0.2.0; }",
            "'wasi:clocks@0.2.0' not found",
            3,
            18,
        ),
        ("package a:b;\ninterface i { record r { a: u8, a: u8 } }", "duplicate field `a`", 3, 33),
        ("package a:b;\ninterface Foo {}", "invalid character in identifier", 3, 11),
    ],
)
def test_a_mistake_is_placed_in_the_authors_text(text: str, message: str, line: int, column: int) -> None:
    with pytest.raises(WitError) as caught:
        check_text(text, name="mine", label="cell mine", first_line=2)
    (diagnostic,) = caught.value.diagnostics
    assert message in diagnostic.message
    (span,) = diagnostic.spans
    assert (span.label, span.line, span.column) == ("cell mine", line, column)
    assert f"--> cell mine:{line}:{column}" in caught.value.rendered
    assert "/tmp" not in str(caught.value)


def test_a_text_without_a_package_is_told_what_to_begin_with() -> None:
    with pytest.raises(WitError, match="does not say what package") as caught:
        check_text("world w {}", name="w")
    assert "package demo:calc@1.0.0;" in caught.value.hint
    assert (
        package_id("// package no:no;\n/* package no:no; */ package %package:x@0.1.0-rc;")
        == "package:x@0.1.0-rc"
    )


def test_folders_with_dependencies_are_packages(tmp_path: Path) -> None:
    (tmp_path / "calc.wit").write_text(CALC)
    with pytest.raises(WitError, match=r"calc\.wit:3:7: package 'demo:base@1\.0\.0' not found"):
        check_path(tmp_path)
    (tmp_path / "deps" / "base").mkdir(parents=True)
    (tmp_path / "deps" / "base" / "types.wit").write_text(BASE)
    assert list(check_path(tmp_path).worlds) == ["calc"]
    with pytest.raises(WitError, match="is not there"):
        check_path(tmp_path / "absent")


def test_skeletons_name_all_that_is_to_be_written() -> None:
    world = check_text(CALC, name="calc", others=[check_text(BASE, name="base")]).worlds["calc"]
    rust = rust_skeleton(world)
    for line in (
        "fn twice(x: Vec<u8>) { todo!() }",
        "type Counter = MyCounter;",
        "fn add(a: types::Point, b: types::Point) -> types::Point { todo!() }",
        "fn new(start: u32) -> Self { todo!() }",
        "fn inc(&self) -> u32 { todo!() }",
        "fn merge(a: math::Counter, b: math::CounterBorrow<'_>) -> math::Counter { todo!() }",
    ):
        assert f"    {line}\n" in rust, rust
    python = python_skeleton(world, "host")
    names: dict[str, object] = {}
    exec(python, names)
    assert set(names["host"]) == {"demo:calc/log", "ask"}  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("package a:b\nworld w { export f: func(); }", "The line before lacks its semicolon"),
        ("package a:b;\nworld w { export f: func() }", "ends with a semicolon"),
        ("package a:b;\ninterface i { f: func()\n g: func(); }", "ends with a semicolon"),
        ("package a:b;\nworld w { export f: func();\n", "each { needs its }"),
        (
            "package a:b;\ninterface i { f: func();\nworld w { export f: func(); }",
            "The block before lacks its closing }",
        ),
        (
            "package a:b;\nworld w { export f: func();\ninterface i { f: func(); }",
            "The block before lacks its closing }",
        ),
        ("package a:b;\ninterface i { record p { x: u32 y: u32 } }", "a comma between two items is missing"),
        ("package a:b;\ninterface i { record p { x: u32,\n f: func(); }", "the } that closes the record"),
        ("package a:b;\ninterface i { f: func(a: u32; }", "lack their closing )"),
        ("package a:b;\ninterface i { f: func(a: list<u32); }", "lacks its closing >"),
        (
            "package a:b;\ninterface i { enum e { a, b };\n f: func(); }",
            "No semicolon stands after a closing }",
        ),
        ("package a:b;\ninterface i { f: func(); }}", "one too many"),
    ],
)
def test_what_is_missing_is_named(text: str, hint: str, tmp_path: Path) -> None:
    with pytest.raises(WitError) as caught:
        check_text(text, name="mine")
    assert hint in caught.value.hint, caught.value
    file = tmp_path / "mine.wit"
    file.write_text(text)
    with pytest.raises(WitError) as caught:
        check_path(file)
    assert hint in caught.value.hint
    assert caught.value.diagnostics[0].spans[0].label == str(file)
