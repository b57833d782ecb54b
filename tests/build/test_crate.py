"""The text that rustc sees, run for real: what a statements cell shows, where its lines are."""

from __future__ import annotations

import pytest

from wasm_lab.build.crate import crate_for
from wasm_lab.cells import parse_cell
from wasm_lab.cells.rich import RichSplitter
from wasm_lab.session import Session, raise_for_failure


def shown(code: str) -> str:
    """What a cell shows as its value: the rich content of its output."""
    session = Session()
    run = session.run(session.compile(parse_cell(code, first_line=2)))
    raise_for_failure(run)
    splitter = RichSplitter()
    pieces = splitter.feed(run.stdout) + splitter.close()
    return "".join(content.decode() for mime, content in pieces if mime == "text/plain")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("1 + 1", "2"),
        ("let v = vec![3, 1, 2]; // the largest\nv.iter().max()", "Some(3)"),
        ('String::from("a").as_str()', '"a"'),
        ("if 1 > 2 { 5 } else { 6 }", "6"),
        ("match 1 { 1 => 'a', _ => 'b' }", "'a'"),
        ("let x = 1;", ""),
        ("let mut x = 1; x += 1", ""),
        ("()", ""),
        ('let n: i32 = "12".parse()?;\nn + 1', "13"),
        ('let n: i32 = "12".parse()?;\nOk::<(), std::num::ParseIntError>(())', ""),
        ('#![allow(unused)]\nuse std::collections::BTreeMap;\nBTreeMap::from([(1, "a")])', '{1: "a"}'),
        (
            "struct P; impl std::fmt::Display for P {\n"
            'fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "shown") } }\nP',
            "shown",
        ),
        ("struct P;\nP", "a P; put #[derive(Debug)] before its definition to see what is in it"),
        ("let mut n = 0;\nloop { n += 1; if n == 3 { break n; } }", "3"),
        ("const { 1 + 2 }", "3"),
        ("loop { if true { break; } }", ""),
        ("fn twice(n: u32) -> u32 { 2 * n }\ntwice(4)", "8"),
        ("let (a, b) = (1, 2);\n// a comment last\na + b // and one behind", "3"),
    ],
)
def test_the_last_expression_is_shown(code: str, value: str) -> None:
    assert shown(code) == value


def test_a_type_that_shows_itself_is_asked_to() -> None:
    code = (
        "struct Page; impl Page { fn evcxr_display(&self) {\n"
        'println!("EVCXR_BEGIN_CONTENT text/plain\\nits own\\nEVCXR_END_CONTENT"); } }\nPage'
    )
    assert shown(code) == "its own"


def test_each_line_stays_where_it_was() -> None:
    code = "let a = 1;\n\nlet b = 2;\na + b"
    lines = crate_for(parse_cell(code, first_line=2)).root.split("\n")
    assert lines[1] == "let a = 1;"
    assert lines[3].startswith("let b = 2;")
    assert lines[4] == "a + b"


def test_should_panic_is_blanked_and_nothing_moves() -> None:
    code = "#[test]\n#[should_panic] fn f() { panic!() }"
    crate = crate_for(parse_cell(code, test=True))
    assert crate.root == "#[test]\n                fn f() { panic!() }"
    assert [case.should_panic for case in crate.tests] == [True]


def test_a_cell_that_forbids_unsafe_code_still_gets_glue() -> None:
    session = Session()
    code = "#![forbid(unsafe_code)]\n#![deny(warnings, missing_docs)]\n//! Docs.\n/// One more.\npub fn f(n: u32) -> u32 { n + 1 }"
    cell = session.define(session.compile(parse_cell(code, first_line=2)))
    assert cell.functions["f"](1) == 2


def test_what_cannot_cross_says_why_and_the_rest_works() -> None:
    session = Session()
    code = "pub struct S;\npub fn bad(s: S) {}\npub fn worse<T>(t: T) {}\npub fn good() -> bool { true }"
    cell = session.define(session.compile(parse_cell(code, first_line=2)))
    assert cell.functions["good"]() is True
    refused = dict(cell.refused)
    assert "s" in refused["bad"]
    assert "S" in refused["bad"]
    assert "generic" in refused["worse"]


def test_a_function_that_may_not_be_there_is_refused_and_the_rest_works() -> None:
    session = Session()
    code = "#[cfg(unix)]\npub fn f() -> u8 { 1 }\n#[cfg(not(unix))]\npub fn f() -> u8 { 2 }\npub fn g() -> u8 { f() }"
    cell = session.define(session.compile(parse_cell(code, first_line=2)))
    assert cell.functions["g"]() == 2
    assert "cfg(unix)" in dict(cell.refused)["f"] or "cfg(not(unix))" in dict(cell.refused)["f"]


def test_a_type_of_the_cells_own_is_not_taken_for_a_standard_one() -> None:
    session = Session()
    code = "pub struct Vec<T>(pub T);\npub fn f(_: Vec<u8>) -> u8 { 1 }\npub fn g() -> u8 { 2 }"
    cell = session.define(session.compile(parse_cell(code, first_line=2)))
    assert cell.functions["g"]() == 2
    assert "Vec<u8>" in dict(cell.refused)["f"]
