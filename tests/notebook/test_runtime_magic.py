"""``%%wasm_rust --runtime NAME`` in an IPython shell."""

from __future__ import annotations

from importlib import util

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from wasm_lab import errors

HELLO = 'fn main() { println!("hello from {}", std::env::args().count()); }'

needs_wasmer = pytest.mark.skipif(
    util.find_spec("wasmer_sdk") is None, reason="wasmer-sdk has no wheel for this system"
)


def run(shell: InteractiveShell, cell: str) -> tuple[ExecutionResult, CapturedIO]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


@pytest.mark.parametrize("name", ["wasmtime-worker", pytest.param("wasmer", marks=needs_wasmer)])
def test_a_program_runs_in_it_and_the_footer_says_so(shell: InteractiveShell, name: str) -> None:
    result, captured = run(shell, f"%%wasm_rust --runtime {name}\n{HELLO}")
    result.raise_error()
    shown = captured.stdout + "".join(str(output.data) for output in captured.outputs)
    assert "hello from 1" in shown
    assert f"{name} " in shown


def test_functions_live_in_a_worker(shell: InteractiveShell) -> None:
    result, _ = run(
        shell,
        "%%wasm_rust --runtime wasmtime-worker\n"
        "pub fn shout(text: &str) -> String { text.to_uppercase() }\n"
        "pub fn total(xs: &[f64]) -> f64 { xs.iter().sum() }\n",
    )
    result.raise_error()
    result, _ = run(shell, "(shout('grüße'), total([1.0, 2.5]))")
    assert result.result == ("GRÜSSE", 3.5)


@needs_wasmer
def test_functions_are_refused_where_only_programs_run(shell: InteractiveShell) -> None:
    result, _ = run(shell, "%%wasm_rust --runtime wasmer\npub fn one() -> u32 { 1 }")
    assert isinstance(result.error_in_exec, errors.UnsupportedError)
    assert "function by function" in str(result.error_in_exec)


def test_an_unknown_one_is_refused_with_the_list(shell: InteractiveShell) -> None:
    result, _ = run(shell, f"%%wasm_rust --runtime abacus\n{HELLO}")
    assert isinstance(result.error_in_exec, errors.UsageError)
    assert "wasmtime-worker" in str(result.error_in_exec)
