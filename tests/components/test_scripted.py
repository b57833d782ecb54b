"""Components from Python and JavaScript: what is seen before the tools run, and what they make."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.build.languages import python, slot
from wasm_lab.cells import parse_cell
from wasm_lab.cells.languages import parse_language_cell
from wasm_lab.components import Component, Err
from wasm_lab.components.compose import compose
from wasm_lab.components.python_guests import check, skeleton
from wasm_lab.components.text import WitText, check_text
from wasm_lab.components.worlds import build_world
from wasm_lab.errors import CompileError, GuestTrap, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.artifact import Artifact
    from wasm_lab.source import Source

WIT = """package demo:calc@1.0.0;
interface log { write: func(line: string); }
interface math {
  record point { x: s32, y: s32 }
  middle: func(a: point, b: point) -> point;
  join: func(words: list<string>) -> result<string, string>;
}
interface counters {
  resource counter { constructor(start: u32); up: func() -> u32; of: static func(n: u32) -> counter; }
}
world calc { import log; export math; export counters; export run: func(n: u64) -> u64; }
world logger { export log; }
"""
PYTHON = """import json

def run(n):
    log.write(json.dumps({"n": n}))
    return n + 1

class Math:
    def middle(self, a, b):
        return math.Point((a.x + b.x) // 2, (a.y + b.y) // 2)

    def join(self, words):
        if not words:
            raise Err("nothing")
        return {"boom": None}.get(words[0], "+".join(words)).strip()

class Counter:
    def __init__(self, start):
        self.n = start

    def up(self):
        self.n += 1
        return self.n

    @classmethod
    def of(cls, n):
        return cls(n)
"""
JS = """import { write } from 'demo:calc/log@1.0.0';
export function run(n) { write(`{"n": ${n}}`); return n + 1n; }
export const math = {
  middle(a, b) { return { x: (a.x + b.x) >> 1, y: (a.y + b.y) >> 1 }; },
  join(words) {
    if (!words.length) throw 'nothing';
    return (words[0] === 'boom' ? null : words.join('+')).trim();
  },
};
class Counter {
  constructor(start) { this.n = start; }
  up() { return ++this.n; }
  static of(n) { return new Counter(n); }
}
export const counters = { Counter };
"""


@pytest.fixture(scope="module")
def calc() -> WitText:
    return check_text(WIT, name="calc")


def cell(code: str, language: str = "python") -> Source:
    return parse_language_cell(code, language=language, label="cell", first_line=2)


def built(code: str, text: WitText, language: str = "python", world: str = "calc") -> Artifact:
    return build_world(cell(code, language), text, world)


# Before the tool --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = 1\n", ["def run", "class Math", "class Counter"]),
        (PYTHON.replace("def up(", "def upp("), ["up: func() -> u32 (def up in class Counter)"]),
        (PYTHON.replace("class Math:", "class Maths:"), ["demo:calc/math@1.0.0 (class Math)"]),
    ],
)
def test_what_is_not_implemented_is_said_with_a_text_to_begin_with(
    calc: WitText, code: str, said: list[str]
) -> None:
    with pytest.raises(UsageError) as caught:
        built(code, calc)
    for each in said:
        assert each in caught.value.message
    assert (
        "class Counter:\n    def __init__(self, start: int) -> None: ...  # constructor(start: u32)"
        in caught.value.hint
    )


def test_other_parameters_are_shown_at_their_line(calc: WitText) -> None:
    with pytest.raises(CompileError) as caught:
        built(PYTHON.replace("def middle(self, a, b)", "def middle(self, a)"), calc)
    (mistake,) = caught.value.diagnostics
    assert mistake.message.startswith("middle takes 1 parameter, and the world gives 2")
    assert mistake.spans[0].line == 9  # the eighth of the text, after the line of the magic


@pytest.mark.parametrize("code", ["def run(:\n", "run = (\n", "def run(n):\nreturn n\n"])
def test_what_is_no_python_is_shown_at_its_line(calc: WitText, code: str) -> None:
    with pytest.raises(CompileError, match="SyntaxError") as caught:
        built(code, calc)
    assert caught.value.diagnostics[0].spans[0].line in (2, 3)


@pytest.mark.parametrize(
    ("line", "name"),
    [("import numpy as np", "numpy"), ("from requests.auth import x", "requests"), ("import os, ssl", "ssl")],
)
def test_a_module_that_no_component_has_is_refused_at_its_line_before_the_tool_runs(
    calc: WitText, monkeypatch: pytest.MonkeyPatch, line: str, name: str
) -> None:
    monkeypatch.setattr(python, "ensure_componentize_py", lambda say: pytest.fail("the tool is asked for"))
    with pytest.raises(CompileError) as caught:
        built(PYTHON.replace("import json", f"import json\n{line}"), calc)
    (mistake,) = caught.value.diagnostics
    assert mistake.message == f"ModuleNotFoundError: No module named '{name}'"
    assert mistake.spans[0].line == 3
    assert "no packages" in caught.value.hint


def test_imports_that_may_fail_while_the_text_runs_are_left_to_it() -> None:
    texts = (
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
        "def f():\n    import numpy\n",
        "import xml.dom.minidom, _json, wit_world, componentize_py_types\nfrom . import other\n",
    )
    for text in texts:
        source = cell(text)
        python.check_imports(source, python.check_syntax(source))


def test_whether_a_texts_interpreter_is_made_depends_on_its_world_and_unusual_imports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path))
    monkeypatch.setattr(python, "_base", lambda *given: slot.blank(slot.SIZE))
    assert not python.interpreter_made(cell("x = 1\n"))
    python.build(cell("x = 1\n"))
    assert python.interpreter_made(cell("import json\ny = 2\n"))
    assert not python.interpreter_made(cell("import sched\n"))


def test_a_base_class_or_a_name_bound_otherwise_is_taken_on_trust(calc: WitText) -> None:
    text = calc.worlds["calc"]
    inherited = PYTHON.replace("class Math:", "class Math(Base):").replace("def join", "def joined")
    assert check(cell("class Base:\n    pass\n" + inherited), text) == ([], [])
    assert check(cell("from other import run, Math, Counter\n"), text) == ([], [])
    protocol = PYTHON.replace("class Math:", "class Math(exports.Math):").replace("def join", "def joined")
    assert check(cell(protocol), text)[0], "a class of the bindings implements nothing"


def test_an_interface_with_resources_is_not_named_as_a_module_of_pythons_own() -> None:
    wit = "package a:b; interface json { resource reader { next: func() -> u8; } } world w { export json; }"
    with pytest.raises(UsageError, match="Python has a module json"):
        built("class Reader:\n    def next(self): return 1\n", check_text(wit, name="w"), world="w")


def test_the_text_to_begin_with_fits_the_world(calc: WitText) -> None:
    text = calc.worlds["calc"]
    assert check(cell(skeleton(text)), text) == ([], [])


# The place for the text -------------------------------------------------------------------------


def test_a_block_is_filled_in_place_and_only_where_there_is_one() -> None:
    before = b"\0asm" + slot.blank(slot.SIZE) + b"end"
    after = slot.fill(before, "é".encode(), "cell")
    assert len(after) == len(before)
    assert after[4:12] == slot.FILLED
    assert after[16:18] == "é".encode()
    assert 0 not in slot.blank(slot.SIZE)
    with pytest.raises(Exception, match="no place"):
        slot.fill(b"\0asm", b"text", "cell")
    assert slot.size_for(b" " * slot.SIZE) == 4 * slot.SIZE


# What the tools make ----------------------------------------------------------------------------


class Log:
    lines: list[str]

    def __init__(self) -> None:
        self.lines = []

    def write(self, line: str) -> None:
        self.lines.append(line)


def language_of_this_machine(name: str) -> str:
    if name == "js":
        assert shutil.which("node"), "Node.js is needed: scripts/test_tools.py gets it"
    return name


@pytest.mark.slow  # the tools make one component of each, which the other tests share
@pytest.mark.parametrize(("language", "code"), [("python", PYTHON), ("js", JS)])
def test_a_component_of_a_script_is_like_any_other(calc: WitText, language: str, code: str) -> None:
    log = Log()
    component = Component.load(built(code, calc, language_of_this_machine(language)))
    prepared = component.link({"demo:calc/log": log})
    with prepared.instantiate() as instance:
        assert instance.run(2**63) == 2**63 + 1
        assert log.lines == ['{"n": 9223372036854775808}']
        assert instance.math.middle({"x": 0, "y": 2}, {"x": 4, "y": 4}) == instance.math.Point(2, 3)
        assert instance.math.join(["a", "é"]) == "a+é"
        with pytest.raises(Err, match="nothing"):
            instance.math.join([])
        with instance.counters.Counter(3) as counter:
            assert [counter.up(), counter.up()] == [4, 5]
        assert instance.counters.Counter.of(9).up() == 10
    # An edit makes no new component: its text is written into the one that is there.
    edited = built(code.replace("n + 1", "n + 2"), calc, language)
    assert edited.cached
    assert edited.template is not None
    assert component.artifact.template is not None
    assert edited.template.sha256 == component.artifact.template.sha256
    with Component.load(edited).instantiate({"demo:calc/log": log}) as instance:
        assert instance.run(1) == 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "code", "said", "place"),
    [
        ("python", PYTHON, "'NoneType' object has no attribute 'strip'", "join at cell:15"),
        ("js", JS, "TypeError: .*null", "join at cell:8"),
    ],
)
def test_an_exception_in_the_guest_is_a_trap_with_its_words_and_lines(
    calc: WitText, language: str, code: str, said: str, place: str
) -> None:
    printed: list[bytes] = []
    prepared = Component.load(built(code, calc, language_of_this_machine(language))).link(
        {"demo:calc/log": Log()}
    )
    instance = prepared.instantiate(output=lambda _name, data: printed.append(data))
    with pytest.raises(GuestTrap, match=said) as caught:
        instance.math.join(["boom"])
    assert place in str(caught.value)
    told = b"".join(printed).decode().partition("Stack:")[0]  # the engine's own follows
    assert place.rpartition(" at ")[2] in told or "line 15" in told
    assert "initializer.js" not in told
    assert "cell.js" not in told
    instance.close()


@pytest.mark.slow
def test_only_what_the_text_asks_for_is_imported(calc: WitText) -> None:
    made = Component.load(built(JS, calc, language_of_this_machine("js")))
    names = {name.partition("@")[0] for name in made.world.imports}
    assert not [name for name in names if name.startswith(("wasi:http/", "wasi:random/", "wasi:sockets/"))]
    assert "wasi:clocks/monotonic-clock" not in names


@pytest.mark.slow
def test_a_python_component_calls_a_rust_component(calc: WitText) -> None:
    rust = """use std::cell::Cell;
thread_local! { static SEEN: Cell<u32> = const { Cell::new(0) }; }
impl log::Guest for Component {
    fn write(line: String) { SEEN.set(SEEN.get() + 1); println!("{}: {line}", SEEN.get()); }
}
"""
    logger = build_world(parse_cell(rust, label="logger"), calc, "logger")
    made = compose(
        Component.load(replace(built(PYTHON, calc), label="calc.py")),
        Component.load(replace(logger, label="logger.rs")),
    )
    assert "calc.py takes demo:calc/log@1.0.0 from logger.rs" in str(made)
    assert made.component.artifact.template is not None, "so that its machine code serves the next edit too"
    printed: list[bytes] = []
    with made.component.instantiate(output=lambda _name, data: printed.append(data)) as instance:
        assert (instance.run(1), instance.run(2)) == (2, 3)
    assert b"".join(printed) == b'1: {"n": 1}\n2: {"n": 2}\n'


@pytest.mark.slow
def test_machine_code_with_a_text_written_into_it_is_what_the_engine_makes_of_the_component(
    calc: WitText,
) -> None:
    from wasmtime import component

    from wasm_lab.runtimes.wasmtime.engine import guest_engine

    artifact = built(JS, calc, language_of_this_machine("js"))
    assert artifact.template is not None
    engine = guest_engine()
    # The lab's is made of the component without a text, which other tests have compiled; the other at once.
    loaded: Any = engine.load(artifact).module
    code = bytes(component.Component(engine.engine, artifact.wasm).serialize())
    assert artifact.template.filled in code
    assert bytes(loaded.serialize()) == code
