"""The magics as a notebook uses them, in an IPython shell with real rustc and wasmtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from wasm_lab import errors


def run(shell: InteractiveShell, cell: str) -> tuple[ExecutionResult, CapturedIO]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


def value(shell: InteractiveShell, expression: str) -> object:
    result, _ = run(shell, expression)
    result.raise_error()
    return result.result


def test_functions_become_python_calls(shell: InteractiveShell) -> None:
    result, captured = run(
        shell,
        "%%wasm_rust\n/// Twice `n`.\npub fn double(n: u32) -> u64 { 2 * n as u64 }\n"
        "pub fn mean(xs: &[f64]) -> f64 { xs.iter().sum::<f64>() / xs.len() as f64 }",
    )
    result.raise_error()
    shown = "".join(output.data["text/plain"] for output in captured.outputs)
    assert "double(n: int) -> int" in shown
    assert "of Wasm" in shown
    assert value(shell, "double(21)") == 42
    assert value(shell, "double(n=3)") == 6
    shell.user_ns["samples"] = np.array([1.0, 2.0, 6.0])
    assert value(shell, "mean(samples)") == 3.0
    assert "Twice `n`." in str(value(shell, "double.__doc__"))


def test_python_refuses_before_the_guest_is_entered(shell: InteractiveShell) -> None:
    run(shell, "%%wasm_rust\npub fn triple(n: u32) -> u64 { 3 * n as u64 }")
    for call, error in (("triple(-1)", OverflowError), ("triple('x')", TypeError), ("triple()", TypeError)):
        result, _ = run(shell, call)
        assert isinstance(result.error_in_exec, error), call


def test_a_function_that_hides_one_of_pythons_is_told(shell: InteractiveShell) -> None:
    result, captured = run(shell, "%%wasm_rust\npub fn len(text: &str) -> u32 { text.len() as u32 }")
    result.raise_error()
    shown = "".join(output.data["text/plain"] for output in captured.outputs)
    assert "len now hides Python's own; del len brings it back" in shown
    assert value(shell, "len('é')") == 2
    run(shell, "del len")
    assert value(shell, "len('é')") == 1
    _, captured = run(shell, "%%wasm_rust\npub fn length(text: &str) -> u32 { text.len() as u32 }")
    assert "hides" not in "".join(output.data["text/plain"] for output in captured.outputs)


def test_statements_show_their_last_value(shell: InteractiveShell) -> None:
    result, captured = run(shell, '%%wasm_rust\nlet v = vec![3, 1, 2];\nprintln!("said");\nv.iter().max()')
    result.raise_error()
    assert captured.stdout == "said\n"
    assert captured.outputs[0].data["text/plain"].strip() == "Some(\n    3,\n)" or captured.outputs[0].data[
        "text/plain"
    ].strip().startswith("Some(")


def test_a_program_shows_rich_content(shell: InteractiveShell) -> None:
    result, captured = run(
        shell,
        "%%wasm_rust --quiet\nfn main() {\n"
        '    println!("before");\n'
        '    println!("EVCXR_BEGIN_CONTENT text/html\\n<b>bold</b>\\nEVCXR_END_CONTENT");\n'
        '    println!("after");\n}',
    )
    result.raise_error()
    assert captured.stdout == "before\nafter\n"
    assert [output.data["text/html"].strip() for output in captured.outputs] == ["<b>bold</b>"]


def test_an_error_shows_the_learners_lines_and_no_traceback_of_ours(shell: InteractiveShell) -> None:
    result, captured = run(shell, '%%wasm_rust\nfn main() {\n    let n: u32 = "text";\n}')
    assert isinstance(result.error_in_exec, errors.CompileError)
    error = result.error_in_exec
    assert [(span.line, span.column) for span in error.diagnostics[0].spans] == [(3, 18)]
    assert error.diagnostics[0].code == "E0308"
    assert "Traceback" not in captured.stdout
    assert "wasm_lab/" not in captured.stdout
    assert "cell:3:18" in captured.stdout


def test_a_warning_is_shown_and_not_fatal(shell: InteractiveShell) -> None:
    result, captured = run(shell, "%%wasm_rust\nfn main() { let unused = 1; }")
    result.raise_error()
    assert "unused variable" in captured.stderr


def test_exit_status_and_panic_raise(shell: InteractiveShell) -> None:
    result, _ = run(shell, "%%wasm_rust\nfn main() { std::process::exit(3) }")
    assert isinstance(result.error_in_exec, errors.GuestExit)
    assert result.error_in_exec.status == 3
    result, captured = run(shell, '%%wasm_rust\nfn main() {\n    panic!("on purpose");\n}')
    assert isinstance(result.error_in_exec, errors.GuestTrap)
    assert result.error_in_exec.trap.message == "on purpose"
    assert "wasm_lab/" not in captured.stdout


def test_a_trap_closes_the_cell_until_it_is_reset(shell: InteractiveShell) -> None:
    run(
        shell,
        "%%wasm_rust\nuse std::sync::atomic::{AtomicU32, Ordering};\nstatic N: AtomicU32 = AtomicU32::new(0);\n"
        "pub fn count() -> u32 { N.fetch_add(1, Ordering::Relaxed) + 1 }\n"
        "pub fn fail(n: i32) -> i32 { 1 / n }",
    )
    assert (value(shell, "count()"), value(shell, "count()")) == (1, 2)
    result, _ = run(shell, "fail(0)")
    assert isinstance(result.error_in_exec, errors.GuestTrap)
    assert "divide by zero" in result.error_in_exec.trap.message
    result, _ = run(shell, "count()")
    assert isinstance(result.error_in_exec, errors.PoisonedError)
    assert "count.reset()" in str(result.error_in_exec)
    run(shell, "count.reset()")
    assert value(shell, "count()") == 1


def test_running_a_cell_again_replaces_its_functions(shell: InteractiveShell) -> None:
    cell = "%%wasm_rust\npub fn version() -> u32 {{ {} }}"
    run(shell, cell.format(1))
    run(shell, "old = version")
    run(shell, cell.format(2))
    assert value(shell, "version()") == 2
    result, _ = run(shell, "old()")
    assert isinstance(result.error_in_exec, errors.StaleFunctionError)


def test_other_cells_stay_alive(shell: InteractiveShell) -> None:
    run(shell, "%%wasm_rust\npub fn first() -> u32 { 1 }")
    run(shell, "%%wasm_rust\npub fn second() -> u32 { 2 }")
    assert value(shell, "(first(), second())") == (1, 2)


def test_a_named_cell_is_a_crate_for_later_cells(shell: InteractiveShell) -> None:
    run(shell, "%%wasm_rust --name geometry\npub fn area(w: f64, h: f64) -> f64 { w * h }")
    result, captured = run(
        shell, '%%wasm_rust\nuse geometry::area;\nfn main() { println!("{}", area(2.0, 3.5)); }'
    )
    result.raise_error()
    assert captured.stdout == "7\n"


def test_a_refused_file_is_explained(shell: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("granted")
    shell.user_ns["granted"] = tmp_path
    cell = 'fn main() { println!("{:?}", std::fs::read_to_string("/data/note").map_err(|e| e.kind())); }'
    result, captured = run(shell, f"%%wasm_rust --audit\n{cell}")
    result.raise_error()
    assert captured.stdout.startswith("Err(")
    import wasm_lab

    refused = wasm_lab.last_run().refused  # type: ignore[union-attr]
    assert refused
    assert "--dir" in refused[0].explanation
    result, captured = run(shell, f"%%wasm_rust --audit --dir-ro {{granted}}::/data\n{cell}")
    result.raise_error()
    assert captured.stdout.startswith('Ok("granted")')
    assert wasm_lab.last_run().refused == ()  # type: ignore[union-attr]


def test_tests_raise_when_one_fails(shell: InteractiveShell) -> None:
    good = "#[test]\nfn adds() { assert_eq!(1 + 1, 2); }\n"
    result, captured = run(shell, f"%%wasm_rust --test\n{good}")
    result.raise_error()
    assert "test adds ... ok" in captured.stdout
    result, captured = run(
        shell, f"%%wasm_rust --test\n{good}#[test]\nfn fails() {{ assert_eq!(1 + 1, 3); }}"
    )
    assert isinstance(result.error_in_exec, errors.TestsFailed)
    assert "1 passed; 1 failed" in captured.stdout


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nonsense", "No such option"),
        ("--profile fast", "fast"),
        ("--memory lots", "is no size"),
        ("--dir-ro /absent::/x", "does not exist"),
        ("--runtime none", "none"),
        ("--name 'unclosed", "quotation"),
        ("--name 1bad", "1bad"),
    ],
)
def test_a_wrong_magic_line_is_explained(shell: InteractiveShell, line: str, message: str) -> None:
    result, captured = run(shell, f"%%wasm_rust {line}\nfn main() {{}}")
    assert isinstance(result.error_in_exec, errors.WasmLabError)
    assert message in str(result.error_in_exec)
    assert "Traceback" not in captured.stdout


def test_help_is_shown_and_nothing_runs(shell: InteractiveShell) -> None:
    result, captured = run(shell, '%%wasm_rust --help\nfn main() { println!("it happened"); }')
    result.raise_error()
    assert "--dir-ro" in captured.stdout
    assert "it happened" not in captured.stdout


def test_an_empty_cell_is_explained(shell: InteractiveShell) -> None:
    result, _ = run(shell, "%%wasm_rust\n\n")
    assert isinstance(result.error_in_exec, errors.WasmLabError)


def test_the_kernels_state_survives_everything(shell: InteractiveShell) -> None:
    run(shell, "kept = 'still here'")
    for body in ("fn main() { loop {} }", "fn main() { let mut v = vec![]; loop { v.push([0u8; 65536]); } }"):
        result, _ = run(shell, f"%%wasm_rust --timeout 500ms\n{body}")
        assert isinstance(result.error_in_exec, errors.GuestTrap)
    assert value(shell, "kept") == "still here"


def test_module_not_found_is_no_import_of_everything() -> None:
    import subprocess
    import sys

    probe = (
        "import sys, wasm_lab; print([m for m in ('numpy', 'wasmtime', 'click', 'rich') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", probe], text=True).strip() == "[]"


def test_what_is_still_to_be_written_is_not_warned_of(shell):
    _, begun = run(shell, "%%wasm_rust\npub fn boxes(bottles: u32, per_box: u32) -> u32 {\n    todo!()\n}")
    assert "unused" not in begun.stderr
    _, done = run(shell, "%%wasm_rust\npub fn boxes(bottles: u32, per_box: u32) -> u32 {\n    bottles\n}")
    assert "unused variable: `per_box`" in done.stderr
