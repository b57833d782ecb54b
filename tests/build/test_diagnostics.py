"""What rustc says of learners' mistakes, in the learner's own lines and columns."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from wasm_lab.build import build, layout
from wasm_lab.build.crate import Crate, crate_for
from wasm_lab.build.delimiters import unmatched
from wasm_lab.build.diagnostics import read_diagnostics
from wasm_lab.build.hints import edition_hint
from wasm_lab.cells.signatures import Signature
from wasm_lab.errors import CompileError
from wasm_lab.source import Kind, Source
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.diagnostic import Diagnostic

    Say = Callable[..., tuple[Diagnostic, ...]]


def rustc_says(scratch: Path, crate: Crate, source: Source, *, link: bool = False, extra: str = "") -> str:
    """rustc's JSON lines, by a call with the flags that ``build`` uses for messages."""
    (scratch / "main.rs").write_text(crate.root, encoding="utf-8", newline="")
    for name, text in crate.files.items():
        (scratch / name).write_text(text, encoding="utf-8")
    command = [
        find_rust().rustc,
        scratch / "main.rs",
        f"--crate-name={source.name}",
        f"--edition={source.edition}",
        f"--target={source.target}",
        "--test" if source.kind is Kind.TESTS else f"--crate-type={crate.crate_type}",
        f"--emit={'link' if link else 'metadata'}={scratch / 'out'}",
        "--error-format=json",
        "--json=diagnostic-rendered-ansi",
        *extra.split(),
        f"--remap-path-prefix={scratch}=",
        f"--remap-path-prefix={scratch / 'main.rs'}={source.label.replace('=', '-')}",
    ]
    done = subprocess.run(command, capture_output=True, check=False, cwd=scratch)
    return done.stderr.decode()


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """Compile code with the real rustc; gives the diagnostics, which name nothing of ours."""

    def call(
        code: str,
        kind: Kind = Kind.STATEMENTS,
        *,
        first_line: int = 2,
        edition: str = "2024",
        label: str = "cell fib",
        crate: Crate | None = None,
        link: bool = False,
    ) -> tuple[Diagnostic, ...]:
        source = Source(code=code, kind=kind, first_line=first_line, edition=edition, label=label)
        crate = crate or crate_for(source)
        stderr = rustc_says(tmp_path, crate, source, link=link)
        told = read_diagnostics(stderr, crate, source, color=False)
        for each in told:
            assert "__wasm_lab" not in each.rendered + each.message
            assert str(tmp_path) not in each.rendered
            assert "main.rs" not in each.rendered
            assert "\x1b" not in each.rendered
            shown = each.rendered.partition("\nhelp:")[0]
            for number, text in re.findall(r"^ *(\d+) +\| (?:[/|](?: +|$))*(.*)$", shown, re.MULTILINE):
                own = code.split("\n")[int(number) - first_line]
                assert text.strip().removeprefix("...") in own.replace("\t", "    "), (
                    "a source line is the learner's own"
                )
        in_colour = read_diagnostics(stderr, crate, source, color=True)
        assert [re.sub(r"\x1b\[[0-9;]*m", "", each.rendered) for each in in_colour] == [
            each.rendered for each in told
        ]
        assert all("\x1b[" in each.rendered for each in in_colour)
        return told

    return call


def errors(diagnostics: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [each for each in diagnostics if each.level == "error"]


def only_error(diagnostics: tuple[Diagnostic, ...]) -> Diagnostic:
    (error,) = errors(diagnostics)
    return error


#: A mistake, marked by « and » in otherwise plain code; the code and a word of the message.
MISTAKES = {
    "borrow after move": ("let s = String::new();\nlet t = s;\nprintln!(\"{}\", «s», );\n", "E0382", "borrow"),
    "type mismatch": ('let x: i32 = 5;\nlet y: i32 = «"five"»;\nx + y', "E0308", "mismatched types"),
    "in the shown expression": ("let v = vec![1];\nv.len() «+» 1.0", "E0277", "cannot add"),
    "missing semicolon": ("let x = 5«»\nlet y = 6;", "", "expected `;`"),
    "unknown name": ("let total = 1;\nprintln!(\"{}\", «totl»);", "E0425", "cannot find value `totl`"),
    "unknown shown name": ("let a = 1;\n«nope»", "E0425", "cannot find value `nope`"),
    "missing lifetime": ("fn longest(a: &str, b: &str) -> «&»str { a }\nlongest(\"a\", \"b\")", "E0106", "lifetime"),
    "missing trait": ("struct Foo;\nprintln!(\"{}\", «Foo»);", "E0277", "`Foo` doesn't implement"),
    "moved value shown": ("let v = vec![1]; let w = v; «v»", "E0382", "use of moved value"),
    "two mutable borrows": (
        "let mut v = vec![1];\nlet a = &mut v;\nlet b = «&mut v»;\na.push(1); b.push(2);", "E0499", "more than once"
    ),
    "after non-ASCII text": ("let größe = \"日本語 é\"; let n: u8 = «größe»; n", "E0308", "mismatched types"),
    "after a tab": ("fn f() -> u8 {\n\t\tlet x = 1u8;\n\t«\"a\"»\n}\nf();", "E0308", "mismatched types"),
    "with CRLF": ("let x = 1;\r\n  let y: u8 = «'c'»;\r\nx\r\n", "E0308", "mismatched types"),
    "wrong return": ("let x = 5;\nreturn «5»;", "E0308", "mismatched types"),
    "question mark": ("let n: i32 = \"5\".parse()?;\nlet m: u8 = «n»;", "E0308", "mismatched types"),
    "hoisted attribute": ("«#![feature(box_patterns)]»\nlet x = 1;\nx", "E0554", "stable"),
    "unsized value shown": ("«*\"abc\"»", "E0277", "size"),
    "unfinished brace": ("let v = vec![1];\nif true «{»\n  v.len()\n", "", "unclosed delimiter"),
    "superfluous brace": ("let v = vec![1];\n«}»\nv\n", "", "unexpected closing delimiter"),
    "unclosed parenthesis": ("fn f(a: u8) {}\nf«(»1;\n", "", "unclosed delimiter"),
    "invocation of a macro": (
        "macro_rules! m { ($e:expr) => { let _x: i32 = $e; } }\nm!(«\"a\"»);", "E0308", "mismatched types"
    ),
}  # fmt: skip


@pytest.mark.parametrize("first_line", [1, 2, 9])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_shown_at_its_own_place(say: Say, name: str, first_line: int) -> None:
    marked, code, words = MISTAKES[name]
    error = next(
        each for each in errors(say(marked.replace("«", "").replace("»", ""), first_line=first_line))
    )
    before, inside, _ = re.split("[«»]", marked)
    line = first_line + before.count("\n")
    column = len(before) - before.rfind("\n")
    assert error.code == code
    assert words in error.message
    span = error.spans[0]
    assert (span.label, span.line, span.column) == ("cell fib", line, column)
    assert (span.end_line, span.end_column) == (line, column + len(inside))
    assert f"--> cell fib:{line}:{column}\n" in error.rendered


@pytest.mark.parametrize("name", MISTAKES)
def test_the_marks_stand_under_the_mistake(say: Say, name: str) -> None:
    marked, _, _ = MISTAKES[name]
    for first_line in (1, 2):  # the wrapping stands on the line of the code, or on one of its own
        error = errors(say(re.sub("[«»]", "", marked), first_line=first_line))[0]
        before, inside, _ = re.split("[«»]", marked)
        line = first_line + before.count("\n")
        lines = error.rendered.split("\n")
        at = next(i for i, text in enumerate(lines) if re.match(rf" *{line} +\|", text))
        shift = lines[at].index("|") + 2
        start = shift + layout.width(before[before.rfind("\n") + 1 :])
        marks = lines[at + 1][start : start + max(1, layout.width(inside))]
        assert set(marks) == {"^"}, error.rendered
        assert lines[at + 1][start - 1] != "^"


def test_a_warning_in_a_program(say: Say) -> None:
    (warning,) = say(
        "fn main() {\n    let é = 1; let unused = é;\n}\n", Kind.PROGRAM, first_line=1, label="a.rs"
    )
    assert (warning.level, warning.code) == ("warning", "unused_variables")
    assert (warning.spans[0].line, warning.spans[0].column) == (2, 20)
    assert "help: if this is intentional, prefix it with an underscore: `_unused`" in warning.rendered


def test_summaries_are_left_out(say: Say) -> None:
    told = say("let a: u8 = 1.0;\nlet b: u8 = 1.0;\nlet c = a + b;")
    assert [each.level for each in told].count("error") == 2
    assert not any("aborting" in each.message or "emitted" in each.message for each in told)


def test_a_label_with_an_equals_sign_is_told_as_it_is(say: Say) -> None:
    error = only_error(say("let x: u8 = 1.0;", label="a=b.rs"))
    assert "--> a=b.rs:2:13" in error.rendered
    assert error.spans[0].label == "a=b.rs"


def test_a_suggested_import_stands_on_a_line_of_the_cell(say: Say) -> None:
    for first_line in (1, 2, 5):
        error = only_error(say("let m: HashMap<u8, u8> = Default::default();", first_line=first_line))
        assert f"\n{first_line} + use std::collections::HashMap;\n" in error.rendered


def test_a_suggested_change_of_the_shown_line(say: Say) -> None:
    error = only_error(say("None", first_line=1))
    assert "\n1 | None::<T>\n  |     +++++\n" in error.rendered


def test_a_long_line_that_rustc_shortens(say: Say) -> None:
    code = "let a = 1; " + "let _ = 2; " * 30 + 'let z: i32 = "a"; z'
    error = only_error(say(code, first_line=1))
    assert error.spans[0].column == code.index('"a"') + 1
    picture = error.rendered.split("\n")[3:5]
    assert picture[1].index("^^^") == picture[0].index('"a"')


def test_an_unterminated_string_ends_with_the_cell(say: Say) -> None:
    error = only_error(say('let s = "abc;\nlet x = 1;'))
    assert error.code == "E0765"
    (span,) = error.spans
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 9, 3, 11)


def test_an_unclosed_string_in_a_library_is_blamed_where_it_begins(say: Say) -> None:
    error = only_error(say('pub fn f(x: u8) -> u8 { g(") }\n\npub fn g(x: u8) -> u8 { x }', Kind.FUNCTIONS))
    assert error.code == "E0765"
    assert (error.spans[0].line, error.spans[0].column) == (2, 27)


def test_a_blanked_attribute_is_shown_as_it_was_written(say: Say) -> None:
    error = only_error(
        say('#[test]\n#[should_panic(expected = "a")] fn a() { let x: u8 = "a"; }', Kind.TESTS, first_line=2)
    )
    assert (error.spans[0].line, error.spans[0].column) == (3, 54)
    assert '")] fn a() { let x: u8 = "a"; }' in error.rendered


GLUE = """
#[unsafe(no_mangle)] extern "C" fn __wasm_lab_make(x: u32) -> u32 {
    let made = super::make(x);
    to_wire(made)
}
#[unsafe(no_mangle)] extern "C" fn __wasm_lab_fine(x: u32) -> u32 {
    to_wire(super::fine(x))
}
fn to_wire(value: impl Into<u32>) -> u32 { let unused = 1; value.into() }
"""


def test_an_error_in_the_glue_is_told_at_the_function(say: Say) -> None:
    code = "pub struct Foo;\n\npub fn make(_: u32) -> Foo { Foo }\npub fn fine(x: u32) -> u32 { x }\n"
    module = '#[path = "__wasm_lab_glue.rs"] mod __wasm_lab_glue;'
    crate = Crate(
        root=f"\n{code}\n{module}\n",
        files={"__wasm_lab_glue.rs": GLUE},
        crate_type="cdylib",
        functions=(Signature(name="fine", line=5), Signature(name="make", line=4)),
        synthetic=(module,),
    )
    told = say(code, Kind.FUNCTIONS, crate=crate)
    error = only_error(told)
    assert error.message.startswith("`make` cannot cross into Python: ")
    assert (error.spans[0].line, error.spans[0].column, error.spans[0].end_column) == (4, 8, 12)
    assert "4 | pub fn make(_: u32) -> Foo { Foo }\n  |        ^^^^\n" in error.rendered
    assert told == (error,), "a warning of the glue is none of the learner's"


def test_lines_are_renumbered_by_the_offset(say: Say) -> None:
    code = 'fn f() -> u8 {\n    let a = 1;\n    "a"\n}'
    crate = Crate(
        root=f"#![allow(unused)]\n#![allow(dead_code)]\n{code}\n", crate_type="cdylib", line_offset=-2
    )
    error = only_error(say(code, Kind.FUNCTIONS, first_line=1, crate=crate))
    assert (error.spans[0].line, error.spans[0].column) == (3, 5)
    assert "--> cell fib:3:5\n" in error.rendered
    assert '3 |     "a"\n' in error.rendered
    assert "1 | fn f() -> u8 {\n" in error.rendered


def test_a_failed_link_is_told_without_folders(say: Say) -> None:
    code = '#[link(name = "nosuch")] unsafe extern "C" { fn foo(); }\nfn main() { unsafe { foo() } }'
    error = only_error(say(code, Kind.PROGRAM, link=True))
    assert error.message == "linking failed: unable to find library -lnosuch"
    assert "/" not in error.rendered


def test_the_compilers_own_failure_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSTC_BOOTSTRAP", "1")
    monkeypatch.setenv("RUSTC_ICE", "0")
    source = Source(code='fn main() { let x: u8 = "a"; }', kind=Kind.PROGRAM)
    crate = crate_for(source)
    said = rustc_says(tmp_path, crate, source, extra="-Ztreat-err-as-bug=1")
    (told,) = read_diagnostics(said, crate, source, color=False)
    assert told.level == "error"
    assert "internal compiler error" in told.message
    assert "stack backtrace:" in told.rendered


def test_repetitions_and_other_output_are_left_out(tmp_path: Path) -> None:
    source = Source(code="fn main() { let x: u8 = 1.0; }", kind=Kind.PROGRAM)
    crate = crate_for(source)
    said = rustc_says(tmp_path, crate, source)
    once = read_diagnostics(said, crate, source, color=False)
    assert read_diagnostics(f"warning: noise\n{said}{{not json\n{said}", crate, source, color=False) == once
    assert once


@pytest.mark.usefixtures("cache")
def test_a_refused_build_tells_what_to_do_next() -> None:
    code = 'use rand::Rng;\nlet x: u8 = "a";'
    with pytest.raises(CompileError) as raised:
        build(Source(code=code, kind=Kind.STATEMENTS, first_line=2, label="cell a"))
    error = raised.value
    assert '---\n[dependencies]\nrand = "0.9"\n---' in error.hint
    assert "Cargo.toml" not in str(error), "there is none"
    assert [each.spans[0].line for each in error.diagnostics] == [2, 3]
    assert "cell a did not compile: 2 errors." in str(error)


@pytest.mark.usefixtures("cache")
def test_other_files_are_named_as_the_learner_knows_them(tmp_path: Path) -> None:
    (tmp_path / "part.rs").write_text("pub fn f() -> u8 {\n    let unused = 1;\n    2\n}\n")
    code = 'mod part;\nfn main() { part::f(); let _ = include_str!("nowhere.txt"); }'
    with pytest.raises(CompileError) as raised:
        build(Source(code=code, kind=Kind.PROGRAM, label="cell a", folder=str(tmp_path)))
    assert f"couldn't read `{tmp_path / 'nowhere.txt'}`" in raised.value.diagnostics[0].message
    assert "wasm-lab-build" not in str(raised.value)
    fine = code.replace('include_str!("nowhere.txt")', "1")
    (warning,) = build(Source(code=fine, kind=Kind.PROGRAM, label="cell a", folder=str(tmp_path))).warnings
    span = warning.spans[0]
    assert (span.label, span.line, span.column) == (str(tmp_path / "part.rs"), 2, 9)


@pytest.mark.usefixtures("cache")
def test_a_function_whose_types_are_not_what_they_seem() -> None:
    code = "use std::collections::VecDeque as Vec;\npub fn f(_: Vec<u8>) -> u8 { 1 }"
    with pytest.raises(CompileError) as raised:
        build(Source(code=code, kind=Kind.FUNCTIONS, first_line=2, label="cell a"))
    (error,) = raised.value.diagnostics
    assert error.message.startswith("`f` cannot cross into Python: ")
    assert (error.spans[0].line, error.spans[0].column) == (3, 8)
    assert "__wasm_lab" not in str(raised.value)


HINTS = {
    "fn gen() {}": "--edition 2021",
    'extern "C" { fn foo(); }': "--edition 2021",
    '#[no_mangle]\npub extern "C" fn x() {}': "--edition 2021",
    "static mut X: u8 = 0;\npub fn f() -> u8 { unsafe { let y = &X; *y } }": "--edition 2021",
    'pub fn f() { std::env::set_var("A", "b"); }': "--edition 2021",
    "pub fn f(x: &Option<u8>) -> u8 { let Some(ref y) = x else { return 0 }; *y }": "--edition 2021",
    "pub fn g<T: Default>() -> Result<T, ()> { Ok(T::default()) }\n"
    "pub fn f() -> Result<(), ()> { g()?; Ok(()) }": "--edition 2021",
    "pub trait T {}\npub fn f(_: Box<T>) {}": "--edition 2018",
    "pub trait T { fn f(u8); }": "--edition 2015",
    "use rand::Rng;": '---\n[dependencies]\nrand = "0.9"\n---',
    "pub fn f() -> u8 { rand::random() }": '---\n[dependencies]\nrand = "0.9"\n---',
    "#![no_std]\npub fn f() {}": "Leave out #![no_std]",
    "use wasm_bindgen::prelude::*;": "without it",
    "use std::os::unix::fs::PermissionsExt;": "std::os::wasi",
}


@pytest.mark.parametrize("code", HINTS)
def test_a_hint_where_rustc_cannot_know(say: Say, code: str) -> None:
    source = Source(code=code, kind=Kind.FUNCTIONS, first_line=2)
    told = say(code, Kind.FUNCTIONS, crate=Crate(root=f"\n{code}", crate_type="cdylib"))
    assert errors(told)
    assert HINTS[code] in edition_hint(told, source)


@pytest.mark.parametrize(
    ("code", "edition", "wanted"),
    [
        ("pub fn f(x: Option<u8>) { if let Some(y) = x && y > 1 {} }", "2021", "--edition 2024"),
        ("pub async fn f() {}", "2015", "--edition 2018"),
    ],
)
def test_a_hint_at_a_later_edition(say: Say, code: str, edition: str, wanted: str) -> None:
    source = Source(code=code, kind=Kind.FUNCTIONS, first_line=2, edition=edition)
    told = say(code, Kind.FUNCTIONS, edition=edition, crate=Crate(root=f"\n{code}", crate_type="cdylib"))
    assert wanted in edition_hint(told, source)


@pytest.mark.parametrize(
    "code", ["let x: u8 = 1.0;", "mod foo {}\nfoo::bar();", "use std::nothing;", "let x = y;"]
)
def test_no_hint_where_rustc_says_enough(say: Say, code: str) -> None:
    told = say(code)
    assert errors(told)
    assert edition_hint(told, Source(code=code, kind=Kind.STATEMENTS)) == ""


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("f(1, '(', \"[\", b'{', r#\"}\"#, 'a: loop {})", None),
        ("/* ( /* [ */ { */ // }\n x", None),
        ("f<'a>('\\'', '\\u{7d}', b\"\\\"(\")", None),
        ('let s = "never closed (', None),
        ("a(\n  b[1\n)", ("[", 2, 4)),
        ("fn f() {\n    if x {\n        1;\n}\nlet y = 2;", ("{", 2, 10)),
        ("x)", (")", 1, 2)),
        ("(a]", ("]", 1, 3)),
    ],
)
def test_unmatched_brackets(code: str, place: tuple[str, int, int] | None) -> None:
    found = unmatched(code)
    assert (found and (found.bracket, found.line, found.column)) == place
