"""Cells that implement a world: what is added to them, what they may leave out, what a refusal says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from wasm_lab.cells import parse_cell
from wasm_lab.components import Component
from wasm_lab.components.provided import provided_by
from wasm_lab.components.skeletons import python_skeleton
from wasm_lab.components.text import WitText, check_text
from wasm_lab.components.wit_hints import wit_hint
from wasm_lab.components.worlds import build_world, world_source
from wasm_lab.errors import CompileError, UsageError, WitError

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.artifact import Artifact

WIT = """package demo:calc@1.0.0;
interface math {
  record point { x: s32, y: s32 }
  middle: func(a: point, b: point) -> point;
  join: func(words: list<string>) -> result<string, string>;
}
world calc { import get: func() -> u32; export math; export run: func() -> u32; }
world small { export add: func(a: s32, b: s32) -> s32; }
"""
RUST = """impl Guest for Component { fn run() -> u32 { get() + 1 } }
impl math::Guest for Component {
    fn middle(a: Point, b: Point) -> Point { Point { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }.doubled() }
    fn join(words: Vec<String>) -> Result<String, String> {
        if words.is_empty() { Err("nothing".into()) } else { Ok(words.join("+")) }
    }
}
use math::Point;
impl Point { fn doubled(self) -> Point { Point { x: self.x * 2, y: self.y * 2 } } }
"""


@pytest.fixture(scope="module")
def calc() -> WitText:
    return check_text(WIT, name="calc")


def built(rust: str, text: WitText, world: str = "calc") -> Artifact:
    return build_world(parse_cell(rust, label="cell", first_line=2), text, world)


def test_only_the_implementation_is_written_and_no_crate_is_needed(calc: WitText) -> None:
    source = world_source(parse_cell(RUST), calc, "calc")
    assert source.dependencies == {}
    with Component.load(built(RUST, calc)).instantiate({"get": lambda: 41}) as instance:
        assert instance.run() == 42
        assert instance.math.middle({"x": 0, "y": 2}, {"x": 4, "y": 4}) == instance.math.Point(4, 6)
        assert instance.math.join(["a", "b"]) == "a+b"


def test_a_type_of_another_name_and_an_export_of_its_own_are_taken(calc: WitText) -> None:
    rust = "struct Mine;\nimpl Guest for Mine { fn add(a: i32, b: i32) -> i32 { a + b } }\n"
    for end in ("", "export!(Mine);"):
        with Component.load(built(rust + end, calc, "small")).instantiate() as instance:
            assert instance.add(1, 2) == 3


def test_a_denied_lint_is_not_about_the_bindings(calc: WitText) -> None:
    rust = "#![forbid(unsafe_code)]\n#![deny(warnings)]\nimpl Guest for Component { fn add(a: i32, b: i32) -> i32 { a - b } }"
    with Component.load(built(rust, calc, "small")).instantiate() as instance:
        assert instance.add(3, 2) == 1


@pytest.mark.slow  # wit-bindgen's crates, which are built once
@pytest.mark.parametrize("where", ["", ', path: "wit"', ', path: "../wit"', ', path: "wit/calc.wit"'])
def test_a_text_with_its_own_macro_stays_as_it_is(
    calc: WitText, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    rust = f"""wit_bindgen::generate!({{ world: "small"{where} }});
struct Component;
impl Guest for Component {{ fn add(a: i32, b: i32) -> i32 {{ a * b }} }}
export!(Component);
"""
    with Component.load(built(rust, calc, "small")).instantiate() as instance:
        assert instance.add(6, 7) == 42


def test_a_macro_cannot_write_outside_the_cache(calc: WitText, tmp_path: Path) -> None:
    rust = 'wit_bindgen::generate!({ world: "small", path: "../../../../../elsewhere/wit" });'
    with pytest.raises(UsageError, match="is not there"):
        world_source(parse_cell(rust), calc, "small", folder=tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("fn join(", "fn joined(", ["join: func(words: list<string>) -> result<string, string> — nothing"]),
        ("fn join(", "fn joined(", ["in Rust: fn join(words: Vec<String>) -> Result<String, String> {"]),
        ("fn join(", "fn joined(", ["exports no joined; it exports run, middle, join"]),
        ("fn run() -> u32 {", "fn run(x: u32) -> u32 {", ["run: func() -> u32 — the Rust function differs"]),
    ],
)
def test_a_refusal_says_what_the_contract_wants(calc: WitText, old: str, new: str, told: list[str]) -> None:
    with pytest.raises(CompileError) as caught:
        built(RUST.replace(old, new), calc)
    assert "The world demo:calc/calc@1.0.0:" in caught.value.hint
    for words in told:
        assert words in caught.value.hint
    assert "__wasm_lab" not in str(caught.value)
    wrong = next(n for n, line in enumerate(RUST.replace(old, new).split("\n"), 2) if new in line)
    assert any(span.line == wrong for each in caught.value.diagnostics for span in each.spans)


def test_an_error_that_is_not_about_the_world_says_nothing_of_it(calc: WitText) -> None:
    with pytest.raises(CompileError) as caught:
        built(RUST.replace("get() + 1", 'get() + "1"'), calc)
    assert "The world" not in caught.value.hint


def test_async_functions_are_refused_before_rustc_sees_them() -> None:
    text = check_text("package a:b; world w { export f: async func() -> stream<u8>; }", name="w")
    with pytest.raises(WitError, match="async functions, streams or futures"):
        built("impl Guest for Component { async fn f() -> u8 { 1 } }", text, "w")


def test_names_may_be_words_of_wit_and_of_rust() -> None:
    wit = "package %interface:%type; world %import { export %match: func(%type: u32) -> u32; }"
    text = check_text(wit, name="w")
    with Component.load(
        built("impl Guest for Component { fn match_(n: u32) -> u32 { n } }", text, "import")
    ).instantiate() as instance:
        assert instance.match(3) == 3


def test_one_object_gives_every_import() -> None:
    wit = "package a:b; interface log { write: func(l: string); } world w { import log; import get: func() -> u8; }"
    world = check_text(wit, name="w").worlds["w"]
    whole = SimpleNamespace(write=print, get=len)
    assert provided_by(world, whole) == {"a:b/log": whole, "get": len}
    log = SimpleNamespace(write=print)
    assert provided_by(world, SimpleNamespace(log=log)) == {"a:b/log": log}


def test_the_python_to_write_has_types_and_runs() -> None:
    wit = """package a:b;
interface log { enum level { low, high } write: func(l: level, words: list<u8>) -> result<option<u32>, level>; }
world w { import log; import get: func() -> tuple<u8, option<string>>; }"""
    told = python_skeleton(check_text(wit, name="w").worlds["w"], "host")
    assert 'def write(l: "Level", words: bytes) -> int | None: ...' in told
    assert "def get() -> tuple[int, str | None]: ..." in told
    names: dict[str, object] = {}
    exec(told, names)
    assert set(names["host"]) == {"a:b/log", "get"}  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("name `i32` does not exist", "WIT's word for i32 is s32."),
        ("package 'acme:log@2.0.0' not found", "There is acme:log@1.0.0; write that version"),
        ("package 'acme:other' not found", "Run the %%wit cell of acme:other first"),
        ("package 'wasi:http@0.2.0' not found", "need not name WASI"),
        ("expected ';', found '}'", "semicolon"),
        ("name `brew` does not exist", ""),
    ],
)
def test_mistakes_in_wit_come_with_advice(message: str, advice: str) -> None:
    found = wit_hint(message, ["acme:log@1.0.0"])
    assert advice in found if advice else not found


def test_advice_reaches_the_error() -> None:
    with pytest.raises(WitError, match="WIT's word for usize is u32 or u64"):
        check_text("package a:b; interface c { f: func(n: usize); }", name="c")


def test_an_inspection_shows_the_contract_and_what_may_be_asked(calc: WitText) -> None:
    from wasm_lab.build.inspect import inspect
    from wasm_lab.views.inspection import inspection_record

    record = inspection_record(inspect(built(RUST, calc)), with_base64=False)
    assert "import get: func() -> u32;" in record["wit"]
    assert "join: func(words: list<string>) -> result<string, string>;" in record["wit"]
    assert "package wasi:" not in record["wit"]
    assert "wasi:cli/environment" in record["asks_for"]["env"]
    assert "hosts" not in record["asks_for"]
