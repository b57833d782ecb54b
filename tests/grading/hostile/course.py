"""A course that hostile submissions are made for: functions, a program, texts of three kinds, a written answer.

All answers are wrong by themselves, so every point that a submission gets is one that it stole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: An input of hidden tests, which stands nowhere else; expected values are made of it. What a hidden case is called
#: a student may read, but neither what goes in nor what must come out.
HIDDEN_NUMBER = 730_114_209

WRONG = "pub fn add(a: i32, b: i32) -> i32 { a.wrapping_sub(b) }\npub fn hi(name: &str) -> String { name.to_string() }\n"
RIGHT = (
    'pub fn add(a: i32, b: i32) -> i32 { a + b }\npub fn hi(name: &str) -> String { format!("hi {name}") }\n'
)
PARTLY = (
    'pub fn add(a: i32, b: i32) -> i32 { a | b }\npub fn hi(name: &str) -> String { format!("hi {name}") }\n'
)

RIGHT_PROGRAM = """fn main() {
    let text = std::fs::read_to_string("/data/numbers.txt").unwrap();
    println!("{}", text.lines().map(|line| line.parse::<i64>().unwrap()).sum::<i64>());
}"""


_PACKED = """pub fn pack(text: &str) -> Vec<u8> { text.bytes().rev().collect() }
pub fn unpack(data: Vec<u8>) -> String { String::from_utf8(data.into_iter().rev().collect()).unwrap() }
"""
RIGHT_LISTS = f"""struct Row(Vec<i64>);
impl Row {{
    pub fn len(&self) -> usize {{ self.0.len() }}
    pub fn sum(&self) -> i64 {{ self.0.iter().sum() }}
}}
pub fn total(xs: &[i64]) -> i64 {{ let row = Row(xs.to_vec()); if row.len() == 0 {{ 0 }} else {{ row.sum() }} }}
{_PACKED}"""


WRONG_LISTS = """pub fn total(xs: &[i64]) -> i64 { 0 }
pub fn pack(text: &str) -> Vec<u8> { vec![] }
pub fn unpack(data: Vec<u8>) -> String { String::new() }
"""


def _cell(kind: str, source: str, grade_id: str, **told: Any) -> dict[str, Any]:
    nbgrader = {"grade": False, "solution": False, "locked": True, "task": False, "schema_version": 3}
    metadata = {"nbgrader": nbgrader | {"grade_id": grade_id} | told}
    cell = {"cell_type": kind, "id": f"c-{grade_id}", "metadata": metadata, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _notebook(title: str, chapter: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    told = {"title": title, "chapter": chapter, "minutes": 3, "deadline_s": 4, "fuel": 1_000_000_000}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "wasm_lab": {"exercise": told},
        },
        "cells": [
            _cell("markdown", f"# {title}", "story"),
            _cell("code", "%load_ext wasm_lab\nfrom wasm_lab.exercises import Cases, program", "setup"),
            *cells,
        ],
    }


def _tests(visible: str, hidden: str, *, master: bool, given: str = "") -> list[dict[str, Any]]:
    begin, end = "### BEGIN HIDDEN TESTS\n", "### END HIDDEN TESTS\n"
    inner = f"{begin}{hidden}\n{end}" if master else ""
    cells = [_cell("code", given, "given")] if given else []
    return [
        *cells,
        _cell("code", f"cases = Cases(points=1)\n{visible}\ncases.score()", "visible", grade=True, points=1),
        _cell("code", f"cases = Cases(points=4)\n{inner}cases.score()", "hidden", grade=True, points=4),
    ]


def _answer(magic: str, text: str) -> dict[str, Any]:
    return _cell("code", f"{magic}\n{text}", "answer", solution=True, locked=False)


def functions(*, master: bool) -> dict[str, Any]:
    hidden = (
        f'cases.equal("a carry", add, (1, 1), 2)\n'
        f'cases.equal("negative", add, (-3, {HIDDEN_NUMBER}), {HIDDEN_NUMBER - 3})\n'
        f'cases.equal("a greeting", hi, ("{HIDDEN_NUMBER}",), "hi {HIDDEN_NUMBER}")\n'
        'cases.equal("nobody", hi, ("",), "hi ")'
    )
    stub = "pub fn add(a: i32, b: i32) -> i32 {\n    todo!()\n}\npub fn hi(name: &str) -> String {\n    todo!()\n}"
    return _notebook(
        "Functions",
        "01_hostile",
        [
            _answer("%%wasm_rust --name answer", RIGHT if master else stub),
            *_tests('cases.equal("two and four", add, (2, 4), 6)', hidden, master=master),
            _cell("markdown", "Why?", "why", grade=True, solution=True, locked=False, points=2),
        ],
    )


_GIVEN = """from pathlib import Path
from tempfile import TemporaryDirectory


def said(*numbers):
    \"\"\"What the program writes for a folder with these numbers.\"\"\"
    with TemporaryDirectory() as folder:
        Path(folder, "numbers.txt").write_text("\\n".join(map(str, numbers)))
        run = program("answer", dirs_ro={"/data": folder}, audit=True, deadline_s=4.0)
        return run.stdout.decode("utf-8", "replace").strip() if run.ok else "it failed\""""


def totals(*, master: bool) -> dict[str, Any]:
    hidden = (
        f'cases.true("a large number", lambda: said(1, {HIDDEN_NUMBER}) == "{HIDDEN_NUMBER + 1}")\n'
        'cases.true("none below zero", lambda: said(-4, -5) == "-9")'
    )
    return _notebook(
        "Totals",
        "02_hostile",
        [
            _answer(
                "%%wasm_rust --name answer --no-run", RIGHT_PROGRAM if master else "fn main() { todo!() }"
            ),
            *_tests(
                'cases.true("two numbers", lambda: said(3, 4) == "7")', hidden, master=master, given=_GIVEN
            ),
        ],
    )


def lists(*, master: bool) -> dict[str, Any]:
    """Its answer has no name, its tests compare with Python's own functions, a given one and with one another."""
    hidden = (
        f"numbers = [4, -1, {HIDDEN_NUMBER}]\n"
        'cases.true("as Python adds", lambda: total(numbers) == sum(numbers))\n'
        'cases.true("as the given function", lambda: total([1, 2, 3, 4]) == triangle(4))\n'
        f'cases.true("there and back", lambda: unpack(pack("{HIDDEN_NUMBER}")) == "{HIDDEN_NUMBER}")\n'
        'cases.true("of a length", lambda: len(pack("four")) == 4)'
    )
    given = "%%wasm_rust\npub fn triangle(n: u32) -> u32 { n * (n + 1) / 2 }"
    stub = "pub fn total(xs: &[i64]) -> i64 {\n    todo!()\n}"
    tests = _tests('cases.equal("three", total, ([1, 2, 3],), 6)', hidden, master=master, given=given)
    tests[0], answer = _answer("%%wasm_rust", RIGHT_LISTS if master else stub), tests[0]
    return _notebook("Lists", "06_hostile", [answer, *tests])


def _settings(title: str, chapter: str, magic: str, right: str, *, master: bool) -> dict[str, Any]:
    port = '{"yes": 8080}[settings]' if "--choice" in magic else 'settings["port"]'
    hidden = (
        f'cases.equal("the port itself", lambda: {port}, (), 8080)\n'
        f'cases.true("a number", lambda: type({port}) is int and {port} == 8080)'
    )
    return _notebook(
        title,
        chapter,
        [
            _answer(magic, right if master else ""),
            *_tests(f'cases.true("a port", lambda: {port} == 8080)', hidden, master=master),
        ],
    )


def toml(*, master: bool) -> dict[str, Any]:
    return _settings("A table", "03_hostile", "%%answer settings --toml", "port = 8080", master=master)


def yaml(*, master: bool) -> dict[str, Any]:
    return _settings("A list", "04_hostile", "%%answer settings --yaml", "port: 8080", master=master)


def choice(*, master: bool) -> dict[str, Any]:
    return _settings("A choice", "05_hostile", "%%answer settings --choice yes,no", "yes", master=master)


EXERCISES = {
    "functions": functions,
    "totals": totals,
    "lists": lists,
    "toml": toml,
    "yaml": yaml,
    "choice": choice,
}
ANSWERS = {
    "functions": WRONG,
    "totals": 'fn main() { println!("0"); }',
    "lists": WRONG_LISTS,
    "toml": "port = 1",
    "yaml": "port: 1",
    "choice": "no",
}
SOLUTIONS = {
    "functions": RIGHT,
    "totals": RIGHT_PROGRAM,
    "lists": RIGHT_LISTS,
    "toml": "port = 8080",
    "yaml": "port: 8080",
    "choice": "yes",
}


def write_course(folder: Path) -> Path:
    """The course directory, with masters and released forms."""
    for name, make in EXERCISES.items():
        chapter = make(master=True)["metadata"]["wasm_lab"]["exercise"]["chapter"]
        for form, master in (("source", True), ("release", False)):
            path = folder / form / chapter / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(make(master=master)))
    return folder


def handed_in(exercise: str, body: str, *, magic: str = "") -> dict[str, Any]:
    """The released notebook with a body in its answer cell."""
    notebook = EXERCISES[exercise](master=False)
    for cell in notebook["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == "answer":
            own = cell["source"].partition("\n")[0]
            cell["source"] = f"{magic or own}\n{body}"
    return notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What lies around a batch and must neither be seen nor touched."""

    secret: Path  #: a file outside, which holds `token`
    token: str
    variable: str  #: of the grader's environment, which holds `token` too
    port: int  #: of a socket that listens on this machine
    home: Path
