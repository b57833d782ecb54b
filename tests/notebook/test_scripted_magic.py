"""``%%wasm python`` and ``%%wasm js`` as a notebook uses them, with the real tools."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import capture_output

from wasm_lab import errors
from wasm_lab.build.languages.js_fetch import fetch_call

PROGRAM = {
    "python": "import sys\nprint(sys.argv[1:], sys.stdin.read().split())\nif len(sys.argv) > 2:\n    raise ValueError('no')\n",
    "js": (
        "import { readFileSync } from 'node:fs';\n"
        "console.log(JSON.stringify(process.argv.slice(2)), readFileSync(0, 'utf8').split(' '));\n"
        "if (process.argv.length > 3) throw new Error('no');\n"
    ),
}


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    made = InteractiveShell()
    made.run_line_magic("load_ext", "wasm_lab")
    yield made
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, text: str) -> tuple[ExecutionResult, str, str]:
    with capture_output() as captured:
        result = shell.run_cell(text)
    return result, captured.stdout, captured.stderr


@pytest.mark.parametrize(
    ("line", "error", "said"),
    [
        ("python --imports host", errors.UsageError, "--imports goes with --world"),
        ("python --world nowhere", errors.UsageError, "There is no world nowhere"),
        ("python --target wasm32-wasip2", errors.WasmLabError, "target"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_tool_runs(
    shell: InteractiveShell, line: str, error: type[Exception], said: str
) -> None:
    result, *_ = run(shell, f"%%wasm {line}\nx = 1\n")
    assert isinstance(result.error_in_exec, error)
    assert said in str(result.error_in_exec)


def test_a_mistake_is_shown_at_the_cells_own_line(shell: InteractiveShell) -> None:
    result, *_ = run(shell, "%%wasm python\nx = 1\ny = (\n")
    assert isinstance(result.error_in_exec, errors.CompileError)
    assert result.error_in_exec.diagnostics[0].spans[0].line == 3


@pytest.mark.parametrize("options", ["", "--world w"])
def test_fetch_is_refused_at_its_line_before_any_tool_runs(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    monkeypatch.setattr(
        "wasm_lab.build.languages.js.ensure_componentize_js", lambda say: pytest.fail("it runs")
    )
    result, *_ = run(shell, f"%%wasm js {options}\n// fetch\nconst page = await fetch('http://x');\n")
    assert isinstance(result.error_in_exec, errors.CompileError)
    (mistake,) = result.error_in_exec.diagnostics
    assert "wasi:http" in mistake.message
    assert (mistake.spans[0].line, mistake.spans[0].column) == (3, 20)


@pytest.mark.parametrize(
    "code",
    [
        "// fetch(1)\nconsole.log('fetch(1)');\n",
        "function fetch(n) { return n; }\nfetch(1);\n",
        "const fetch = (n) => n;\nfetch(1);\n",
        "export const api = { fetch(n) { return n; } };\n",
        "cache.fetch(1);\n",
    ],
)
def test_a_fetch_of_the_texts_own_is_no_request(code: str) -> None:
    assert fetch_call(code) is None


def componentize_js(*_: object) -> bytes:
    pytest.fail("it makes the component")


@pytest.mark.slow  # gets the parser
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("const rl = require('readline');", {"nothing is called 'readline'": "require"}),
        ("const path = () => require('node:path').sep;", {"nothing is called 'node:path'": "require"}),
        (
            "import os from 'os'; require('net');",
            {"nothing is called 'os'": "import", "nothing is called 'net'": "require"},
        ),
        ("const fs = await import('node:fs');", {"import() loads nothing here": "import"}),
    ],
)
def test_a_module_that_is_not_there_is_told_before_the_component_is_made(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, code: str, told: dict[str, str]
) -> None:
    monkeypatch.setattr("wasm_lab.build.languages.js._componentized", componentize_js)
    result, *_ = run(shell, f"%%wasm js\nfor (;;);\n\t/**/{code}\n")
    assert isinstance(result.error_in_exec, errors.CompileError)
    mistakes = result.error_in_exec.diagnostics
    assert [each.spans[0].line for each in mistakes] == [3] * len(told)
    for mistake, (words, marked) in zip(mistakes, told.items(), strict=True):
        assert mistake.message.startswith(words)
        assert mistake.spans[0].column == len("\t/**/") + code.index(marked) + 1
    assert ("split" in (result.error_in_exec.hint or "")) == ("readline" in code)


@pytest.mark.slow
def test_what_is_asked_for_on_a_condition_is_not_refused(shell: InteractiveShell) -> None:
    text = (
        "try { require('net'); } catch (error) { console.log('none'); }\n"
        "if (typeof module === 'object') require('path');\n"
        "{ const require = (name) => name; console.log(require('own')); }\n"
        "process.stdout.write('one '); console.log('two'); process.stdout.write(new Uint8Array([51, 10]));\n"
        "process.stdout.write('long '.repeat(2000) + '\\n', () => console.log('written'));\n"
        "process.stderr.write('complaint\\n');\n"
    )
    result, stdout, stderr = run(shell, f"%%wasm js\n{text}")
    assert result.success, stderr
    # Where the engine is made for the first time, progress stands before it.
    assert f"none\nown\none two\n3\n{'long ' * 2000}\nwritten\n" in stdout
    assert "complaint\n" in stderr


@pytest.mark.slow
@pytest.mark.parametrize("language", list(PROGRAM))
def test_a_program_runs_with_its_arguments_and_what_it_throws_fails_the_cell(
    shell: InteractiveShell, language: str
) -> None:
    words = "['x'] ['one', 'two']" if language == "python" else '["x"] ["one", "two"]'
    result, stdout, _ = run(shell, f"%%wasm {language} --stdin 'one two' x\n{PROGRAM[language]}")
    result.raise_error()
    assert words in stdout
    result, _, stderr = run(shell, f"%%wasm {language} x y\n{PROGRAM[language]}")
    assert isinstance(result.error_in_exec, errors.GuestExit)
    line = 'File "cell", line 5' if language == "python" else "cell:4:"
    assert line in stderr
    assert "Error: no" in stderr


#: What was meant for other hosts: Node.js' CommonJS with timers, componentize-py's class that is run.
ELSEWHERE = {
    "js": (
        "const fs = require('fs');\n"
        "setTimeout(() => console.log('later'), 5);\n"
        "console.log(fs.readFileSync(0, 'utf8').length);\n",
        "3\nlater\n",
    ),
    "python": (
        "from wit_world import exports\n\n\n"
        "class Run(exports.Run):\n    async def run(self):\n        print('run')\n",
        "run\n",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["python", "js"])
def test_a_program_that_was_written_for_another_host_runs(shell: InteractiveShell, language: str) -> None:
    text, printed = ELSEWHERE[language]
    result, stdout, _ = run(shell, f"%%wasm {language} --stdin one\n{text}")
    assert result.success
    assert printed in stdout
