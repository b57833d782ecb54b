"""``%%js_twin`` and what it checks, with a real node and without one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from wasm_lab.errors import CompileError, UsageError
from wasm_lab.session import default_session
from wasm_lab.toolchains.node import node_missing
from wasm_lab.twins import define
from wasm_lab.twins.define import define_js_twin

needs_node = pytest.mark.skipif(bool(node_missing()), reason=node_missing() or "there is a node")

DECLARED = [
    "function fib(n) { return n; }",
    "const fib = (n) => n;",
    "let fib = function (n) { return n; };",
    "var fib = (n) => n;",
    '"use strict";\nconst table = [1];\nfunction fib(n) {\n  return table[n];\n}',
    "// 𝄞 é \ud800\nfunction fib(n) { return n; }",
]
NOT_DECLARED = [
    "",
    "function fibonacci(n) { return n; }",
    "fib(3);",
    "const object = { fib: (n) => n };",
]
#: What only a parser can tell from a declaration at the top level.
HIDDEN = [
    "// function fib(n) { return n; }\nfunction other() {}",
    "/*\nfunction fib(n) { return n; }\n*/",
    "const text = `\nfunction fib(n) {}\n`;",
    "function outer() {\n  function fib(n) { return n; }\n}",
]


@pytest.fixture(params=[pytest.param("node", marks=needs_node), "no node"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With V8 as the reader, and on a machine without node."""
    if request.param == "no node":
        monkeypatch.setattr(define, "find_node", lambda: None)
    return str(request.param)


@pytest.mark.parametrize("code", DECLARED)
def test_a_twin_is_accepted(reader: str, code: str) -> None:
    twin = define_js_twin("fib", code, label="cell", first_line=2)
    assert (twin.name, twin.code, twin.label, twin.first_line) == ("fib", code, "cell", 2)


@pytest.mark.parametrize("code", NOT_DECLARED)
def test_a_text_without_the_function_is_refused(reader: str, code: str) -> None:
    with pytest.raises(UsageError, match="declares no function fib at its top level"):
        define_js_twin("fib", code)


@needs_node
@pytest.mark.parametrize("code", HIDDEN)
def test_only_a_declaration_at_the_top_level_counts(code: str) -> None:
    with pytest.raises(UsageError, match="declares no function fib"):
        define_js_twin("fib", code)


@pytest.mark.parametrize("name", ["", "2fib", "a b", "fib;process.exit()", "fib-2"])
def test_what_is_no_name_is_refused(reader: str, name: str) -> None:
    with pytest.raises(UsageError, match="no name of a function"):
        define_js_twin(name, "function fib(n) { return n; }")


@needs_node
def test_an_error_is_told_at_the_cells_line() -> None:
    code = "function fib(n) {\n  const half = n / ;\n  return half;\n}\n"
    with pytest.raises(CompileError) as caught:
        define_js_twin("fib", code, label="fib.js", first_line=2)
    error = caught.value
    assert error.message == "The twin is not JavaScript: SyntaxError: Unexpected token ';'."
    assert error.rendered.splitlines()[:3] == ["fib.js:3", "  const half = n / ;", "                   ^"]
    [diagnostic] = error.diagnostics
    [span] = diagnostic.spans
    assert (span.label, span.line, span.column) == ("fib.js", 3, 20)


@needs_node
@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("function fib(n) { return n;", ""),
        ("} function fib(n) { return n; } {", ""),
        ("export function fib(n) { return n; }", "leave export and import out"),
        ("import fs from 'fs';\nfunction fib(n) { return n; }", "leave export and import out"),
        ("let fib = 1; let fib = 2;", ""),
    ],
)
def test_what_is_no_script_is_refused(code: str, hint: str) -> None:
    with pytest.raises(CompileError, match="The twin is not JavaScript: SyntaxError") as caught:
        define_js_twin("fib", code)
    assert hint in caught.value.hint


@needs_node
def test_nothing_of_a_twin_is_run_when_it_is_defined() -> None:
    define_js_twin("fib", "for (;;) {}\nfunction fib(n) { return n; }")
    define_js_twin("fib", "throw new Error('run');\nfunction fib(n) { return n; }")


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "wasm_lab")
    yield shell
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> tuple[ExecutionResult, CapturedIO]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


def test_the_magic_keeps_the_twin(shell: InteractiveShell) -> None:
    cell = "%%js_twin triple_js\nfunction triple_js(n) { return 3 * n; }\n"
    result, captured = run(shell, cell)
    result.raise_error()
    assert default_session().js_twins["triple_js"].code == "function triple_js(n) { return 3 * n; }\n"
    text = captured.outputs[0].data["text/plain"]
    assert text.startswith("triple_js: JavaScript twin · no cell has a Rust function triple_js yet")
    run(shell, "%%wasm_rust\npub fn triple_js(n: u32) -> u32 { 3 * n }")
    _, captured = run(shell, cell)
    assert "%wasm_bench triple_js compares the two" in captured.outputs[0].data["text/plain"]


def test_a_cell_that_fails_leaves_the_earlier_twin(shell: InteractiveShell) -> None:
    run(shell, "%%js_twin kept\nfunction kept(n) { return n; }")
    result, _ = run(shell, "%%js_twin kept\nfunction other(n) { return n; }")
    assert isinstance(result.error_in_exec, UsageError)
    assert "kept(n)" in default_session().js_twins["kept"].code


def test_help_and_wrong_lines(shell: InteractiveShell) -> None:
    result, captured = run(shell, "%%js_twin --help\n\n")
    result.raise_error()
    assert "%%js_twin [OPTIONS] NAME" in captured.stdout
    for line in ("", "one two", "--nonsense fib"):
        result, _ = run(shell, f"%%js_twin {line}\nfunction fib(n) {{ return n; }}")
        assert isinstance(result.error_in_exec, UsageError), line


@needs_node
def test_a_syntax_error_shows_the_cells_line(shell: InteractiveShell) -> None:
    result, _ = run(shell, "%%js_twin fib\nfunction fib(n) {\n  return n +;\n}")
    assert isinstance(result.error_in_exec, CompileError)
    assert result.error_in_exec.rendered.startswith("fib.js (cell):3\n  return n +;")
