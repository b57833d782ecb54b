"""``%wasm_bench`` as a notebook uses it, in an IPython shell with real engines."""

from __future__ import annotations

import pytest
from IPython.utils.capture import capture_output

from wasm_lab.bench import Report
from wasm_lab.errors import AnswersDiffer, UsageError

QUICK = "--budget 300ms --rounds 1"


def run(shell, cell):
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


def shown(captured) -> str:
    return "".join(output.data.get("text/plain", "") for output in captured.outputs)


@pytest.fixture
def triple(shell):
    """A Rust function of that name, after a Python function of that name."""
    run(shell, "def triple(n):\n    return 3 * n")
    result, _ = run(shell, "%%wasm_rust --name tripling\npub fn triple(n: u32) -> u32 { 3 * n }")
    result.raise_error()


def test_a_function_beside_its_twins(shell, triple):
    result, captured = run(
        shell, f"report = %wasm_bench triple --args 14 --runtime wasmtime --runtime python {QUICK}"
    )
    result.raise_error()
    report = shell.user_ns["report"]
    assert isinstance(report, Report)
    assert report.checked[0].agreed == ("wasmtime", "Python")
    assert "triple(14), steady call, answers equal" in shown(captured)
    assert any("<table>" in output.data.get("text/html", "") for output in captured.outputs)


def test_arguments_may_use_the_notebook_s_names(shell, triple):
    run(shell, "many = [2, 3]")
    line = f"report = %wasm_bench triple --args many[0] --args many[1] --runtime wasmtime {QUICK}"
    result, _ = run(shell, line)
    result.raise_error()
    assert shell.user_ns["report"].inputs == ("2", "3")


def test_a_wrong_twin_is_shown(shell):
    run(shell, "%%wasm_rust --name quad\npub fn fourfold(n: u32) -> u32 { 4 * n }")
    run(shell, "def fourfold(n):\n    return 5 * n")
    result, _ = run(shell, f"%wasm_bench fourfold --args 1 --runtime wasmtime --runtime python {QUICK}")
    assert isinstance(result.error_in_exec, AnswersDiffer)


def test_the_program_of_the_last_cell(shell):
    run(shell, '%%wasm_rust\nfn main() { println!("{:?}", std::env::args().nth(1)); }')
    result, captured = run(shell, f"report = %wasm_bench --runtime wasmtime {QUICK}")
    result.raise_error()
    assert "run" in shown(captured)
    assert shell.user_ns["report"].checked[0].answer.stdout == b"None\n"


def test_a_file_with_arguments(shell, tmp_path):
    file = tmp_path / "echo.rs"
    file.write_text('fn main() { println!("{:?}", std::env::args().nth(1)); }')
    result, _ = run(shell, f"report = %wasm_bench {QUICK} --runtime wasmtime {file} hello")
    result.raise_error()
    assert shell.user_ns["report"].checked[0].answer.stdout == b'Some("hello")\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nothing_like_it", "No cell has a public function nothing_like_it"),
        ("triple --args 1 --budget never", "no duration"),
        ("triple --args (", "cannot be evaluated"),
        ("tripling", "Name one of its functions"),
        ("--args 3", "--args is for functions"),
    ],
)
def test_what_it_refuses(shell, triple, line, message):
    if line == "--args 3":
        run(shell, "%%wasm_rust\nfn main() {}")
    result, _ = run(shell, f"%wasm_bench {line}")
    assert isinstance(result.error_in_exec, UsageError)
    assert message in str(result.error_in_exec)


def test_help(shell):
    result, captured = run(shell, "%wasm_bench --help")
    result.raise_error()
    assert "%wasm_bench fib --args 32" in captured.stdout
