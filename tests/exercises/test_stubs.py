"""What remains of an answer when its solution is taken out, in each language."""

from __future__ import annotations

import pytest

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.stubs import cleared

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"


def solved(text: str, mark: str = "//") -> str:
    """The text with ``<`` and ``>`` on lines of their own for the markers."""
    lines = []
    for line in text.strip("\n").splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        lines.append({"<": f"{indent}{mark} {BEGIN}", ">": f"{indent}{mark} {END}"}.get(line.strip(), line))
    return "\n".join(lines)


RUST = {
    "body": (
        "pub fn one() -> i32\nwhere\n    i32: Copy,\n{\n    <\n    1\n    >\n}",
        "pub fn one() -> i32\nwhere\n    i32: Copy,\n{\n    // Your code here.\n    todo!()\n}",
    ),
    "after a statement": (
        "pub fn f(n: i32) -> i32 {\n    let twice = 2 * n;\n    <\n    twice + 1\n    >\n    // the end\n}",
        "pub fn f(n: i32) -> i32 {\n    let twice = 2 * n;\n    // Your code here.\n    todo!()\n    // the end\n}",
    ),
    "before a statement": (
        "pub fn f(n: i32) -> i32 {\n    let mut sum = 0;\n    <\n    sum += n;\n    >\n    sum\n}",
        "pub fn f(n: i32) -> i32 {\n    let mut sum = 0;\n    // Your code here.\n    sum\n}",
    ),
    "methods": (
        "struct S;\nimpl S {\n    <\n    fn f(&self) {}\n    >\n}",
        "struct S;\nimpl S {\n    // Your code here.\n}",
    ),
    "fields and a body": (
        "struct S {\n    <\n    n: i32,\n    >\n}\nfn f() -> S {\n    <\n    S { n: 1 }\n    >\n}",
        "struct S {\n    // Your code here.\n}\nfn f() -> S {\n    // Your code here.\n    todo!()\n}",
    ),
    "whole cell": ("// a comment\n<\npub fn one() {}\n>", "// a comment\n// Your code here.\ntodo!()"),
    "beside an item": ("use std::fmt;\n<\npub fn one() {}\n>", "use std::fmt;\n// Your code here."),
    "a closing brace in a text": (
        'fn f() -> &\'static str {\n    let a = "}";\n    <\n    a\n    >\n}',
        'fn f() -> &\'static str {\n    let a = "}";\n    // Your code here.\n    todo!()\n}',
    ),
}


@pytest.mark.parametrize("case", RUST)
def test_rust(case) -> None:
    master, released = RUST[case]
    assert cleared(solved(master), "rust") == released


@pytest.mark.parametrize(
    ("language", "master", "released"),
    [
        ("c", "int f(int n) {\n  <\n  return n;\n  >\n}", "int f(int n) {\n  // Your code here.\n  __builtin_trap();\n}"),
        ("go", "package main\n<\nfunc f() {}\n>", "package main\n// Your code here."),
        ("toml", "[a]\n<\nb = 1\n>", "[a]\n# Your answer here."),
        ("text", "<\nyes\n>", "# Your answer here."),
        ("python", "def f():\n    <\n    return 1\n    >\n\nx = 1", "def f():\n    # Your code here.\n    raise NotImplementedError()\n\nx = 1"),
        ("markdown", "Say why.\n<\nBecause.\n>", "Say why."),
        ("markdown", "<\nBecause.\n>", "*Your answer here.*"),
    ],
    ids=["c", "go", "toml", "text", "python", "markdown", "only markdown"],
)  # fmt: skip
def test_other_languages(language, master, released) -> None:
    mark = "//" if language in ("c", "go") else "#"
    assert cleared(solved(master, mark), language) == released


def test_without_markers_all_of_it_is_solution() -> None:
    assert cleared("pub fn one() -> i32 { 1 }", "rust") == "// Your code here.\ntodo!()"


@pytest.mark.parametrize(
    "text",
    [f"// {BEGIN}\n1", f"// {END}", f"// {BEGIN}\n// {BEGIN}\n// {END}"],
    ids=["no end", "no beginning", "two"],
)
def test_markers_that_do_not_match_are_told(text) -> None:
    with pytest.raises(ExerciseError):
        cleared(text, "rust")


def test_a_starter_stands_where_the_solution_stood() -> None:
    master = solved("pub fn f() -> i32 {\n    <\n    1\n    >\n}")
    assert cleared(master, "rust", starter="    2\n") == "pub fn f() -> i32 {\n    2\n}"
    assert cleared(solved("<\na = 1\n>", "#"), "toml", starter="a = ''\nb = 2") == "a = ''\nb = 2"
    assert cleared(solved("x = 1\n<\na = 1\n>\ny = 1", "#"), "toml", starter="") == "x = 1\ny = 1"


def test_a_starter_is_for_one_solution() -> None:
    with pytest.raises(ExerciseError, match="2 solutions"):
        cleared(solved("<\na = 1\n>\n<\nb = 1\n>", "#"), "toml", starter="a = 2")
