"""Cell text to Source: header, kind, signatures, tests."""

from __future__ import annotations

import pytest

from wasm_lab.cells import parse_cell
from wasm_lab.cells.functions import public_functions
from wasm_lab.cells.syntax import Syntax
from wasm_lab.cells.unit_tests import TestCase, find_tests
from wasm_lab.errors import HeaderError
from wasm_lab.source import Kind

HEADER = '---\n[dependencies]\nserde = { version = "1", features = ["derive"] }\n[package]\nedition = "2021"\n---\n'


def test_a_header_is_read_and_blanked() -> None:
    source = parse_cell(HEADER + "fn main() {}", first_line=2)
    assert source.dependencies == {"serde": {"version": "1", "features": ["derive"]}}
    assert source.edition == "2021"
    assert source.code == "\n" * 6 + "fn main() {}"
    assert parse_cell(HEADER + "fn main() {}", edition="2024").edition == "2024"


def test_a_shebang_and_longer_fences() -> None:
    source = parse_cell('#!/usr/bin/env cargo\n\n----cargo\n[dependencies]\nrand = "0.9"\n----\nfn main() {}')
    assert source.dependencies == {"rand": "0.9"}
    assert source.code.split("\n") == [""] * 6 + ["fn main() {}"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("---\n[dependencies]\nfn main() {}", "cell:2: the header is not closed"),
        ("---\nnot toml\n---\nfn main() {}", "is no TOML"),
        ("---\n[profile.release]\nlto = true\n---\nfn main() {}", r"\[profile\]"),
        ("---\n[dependencies]\nrand = 1\n---\nfn main() {}", "rand has no version"),
        ('---\n[package]\nedition = "2023"\n---\nfn main() {}', "no Rust edition"),
        (':dep rand = "1"\nfn main() {}', "cell:2: :dep is how evcxr"),
        ("  \n\n", "has no code"),
        ("---\n---\n", "has no code"),
    ],
)
def test_a_wrong_header_is_explained(text: str, message: str) -> None:
    with pytest.raises(HeaderError, match=message) as caught:
        parse_cell(text, first_line=2)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["1st", "a-b", "ä", "fn", "std", "a b"])
def test_a_name_that_no_crate_can_have_is_refused(name: str) -> None:
    with pytest.raises(HeaderError, match="cannot name a cell"):
        parse_cell("1", name=name)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("fn main() {}", Kind.PROGRAM),
        ("#![allow(unused)]\nuse std::fs;\nfn main() { let x = 1; }", Kind.PROGRAM),
        ("pub fn f() {}", Kind.FUNCTIONS),
        ("struct A;\nimpl A { fn main() {} }", Kind.FUNCTIONS),
        ("thread_local! { static N: u32 = 1; }\npub fn f() {}", Kind.FUNCTIONS),
        ("macro_rules! m { () => {} }", Kind.FUNCTIONS),
        ('wit_bindgen::generate!("w");\nstruct A;\nexport!(A);', Kind.FUNCTIONS),
        ("// only a comment", Kind.FUNCTIONS),
        ("1 + 1", Kind.STATEMENTS),
        ("let x = 1;", Kind.STATEMENTS),
        ('println!("x");', Kind.STATEMENTS),
        ('println!{"x"}', Kind.STATEMENTS),
        ("fn f() -> u32 { 1 }\nf()", Kind.STATEMENTS),
        ("for i in 0..3 {}", Kind.STATEMENTS),
        ("let x = (;", Kind.STATEMENTS),
        ("fn main() { let x = (; }", Kind.PROGRAM),
        ("pub fn f( {", Kind.FUNCTIONS),
    ],
)
def test_kinds(code: str, kind: Kind) -> None:
    assert parse_cell(code).kind is kind


def test_signatures() -> None:
    functions = public_functions(
        Syntax(
            """
            /// First line.
            /// Second line.
            #[inline]
            pub fn f<'a>(mut n: u32, (a, b): (i32, i32), s: &'a str) -> Option<&'a str> { None }
            type Answer<T> = Result<T, String>;
            pub fn g(x: &mut [f64], y: [u8; 3]) -> Answer<Vec<u8>> { todo!() }
            fn private() {}
            pub(crate) fn inner() {}
            pub async fn waits() {}
            pub unsafe fn risky() {}
            pub fn any<T: Copy>(x: T) -> T { x }
            #[cfg(test)] pub fn helper() {}
            """
        )
    )
    by_name = {function.name: function for function in functions}
    assert list(by_name) == ["f", "g", "waits", "risky", "any"]
    f = by_name["f"]
    assert f.doc == "First line.\nSecond line."
    assert [(p.name, p.type.name) for p in f.parameters] == [("n", "u32"), ("arg1", "tuple"), ("s", "str")]
    assert (f.result.name, f.result.args[0].name) == ("Option", "str")
    assert f.line == 5
    g = by_name["g"]
    assert [p.type.name for p in g.parameters] == ["slice mut", "array"]
    assert (g.result.name, [arg.name for arg in g.result.args]) == ("Result", ["Vec", "String"])
    assert "async" in by_name["waits"].obstacle
    assert "unsafe" in by_name["risky"].obstacle
    assert "generic over T" in by_name["any"].obstacle
    assert f.obstacle == g.obstacle == ""


def test_an_alias_that_names_itself_ends() -> None:
    (function,) = public_functions(Syntax("type A = B; type B = A; pub fn f(x: A) {}"))
    assert function.parameters[0].type.name in ("A", "B")


def test_tests_are_found_in_modules() -> None:
    code = """
    #[test] fn plain() {}
    #[cfg(test)]
    mod tests {
        mod inner {
            #[test]
            #[should_panic(expected = "by \\"zero\\"")]
            fn panics() {}
        }
        #[test] #[ignore = "slow"] fn ignored() -> Result<(), String> { Ok(()) }
        #[should_panic] #[test] fn any() {}
        fn no_test() {}
    }
    """
    found = find_tests(Syntax(code))
    assert found.cases == (
        TestCase(name="plain"),
        TestCase(name="tests::inner::panics", should_panic=True, expected='by "zero"'),
        TestCase(name="tests::ignored", ignored=True, reason="slow"),
        TestCase(name="tests::any", should_panic=True),
    )
    assert [code[start:end] for start, end in found.should_panic_ranges] == [
        '#[should_panic(expected = "by \\"zero\\"")]',
        "#[should_panic]",
    ]


def test_a_byte_order_mark_is_left_out() -> None:
    assert parse_cell("\ufefffn main() {}", first_line=2).code == "fn main() {}"
    assert parse_cell("\ufeff" + HEADER + "fn main() {}").edition == "2021"
