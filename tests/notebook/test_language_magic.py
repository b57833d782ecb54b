"""``%%wasm LANG`` as a notebook uses it."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

from wasm_lab import errors
from wasm_lab.toolchains import go, zig


def run(shell: InteractiveShell, cell: str) -> tuple[ExecutionResult, CapturedIO]:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    return result, captured


def refused(shell: InteractiveShell, cell: str) -> BaseException:
    result, _ = run(shell, cell)
    assert result.error_in_exec is not None
    return result.error_in_exec


def test_the_languages_are_listed(shell):
    _, captured = run(shell, "%%wasm --help\n")
    assert "rust, c, cpp, zig, go" in captured.stdout
    error = refused(shell, "%%wasm fortran\nend\n")
    assert isinstance(error, errors.UsageError)
    assert "'fortran' is no language" in str(error)
    assert "Did you mean %%wasm cpp?" in str(refused(shell, "%%wasm C++\nint main() {}\n"))
    assert "Did you mean %%wasm c?" in str(refused(shell, "%%wasm C\nint main() {}\n"))


def test_options_are_checked(shell):
    assert "No such option" in str(refused(shell, "%%wasm c --frobnicate\nint x;\n"))
    assert "is empty" in str(refused(shell, "%%wasm zig\n\n"))


def test_a_missing_zig_is_explained(shell, monkeypatch, tmp_path):
    from wasm_lab.toolchains import pypi
    from wasm_lab.toolchains.commands import CommandError

    def fail(name, say):
        raise CommandError("no network here")

    monkeypatch.setenv("WASM_LAB_TOOLCHAIN", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(pypi, "unpack", fail)
    assert zig.find_zig() is None
    error = refused(shell, "%%wasm c\nint main(void) { return 0; }\n")
    assert isinstance(error, errors.ToolchainError)
    assert "no network here" in str(error)
    assert "ziglang.org" in error.hint


def test_a_missing_go_is_explained(shell, monkeypatch):
    monkeypatch.setattr("wasm_lab.toolchains.go._candidates", list)
    assert go.find_go() is None
    error = refused(shell, "%%wasm go\npackage main\nfunc main() {}\n")
    assert isinstance(error, errors.ToolchainError)
    assert "No go is on PATH" in str(error)
    assert "apt install" in error.hint


def test_an_old_go_cannot_export(shell, monkeypatch, tmp_path):
    old = go.Go(tmp_path / "go", "1.22.1")
    monkeypatch.setattr("wasm_lab.build.languages.go.find_go", lambda: old)
    error = refused(shell, "%%wasm go\npackage main\n//go:wasmexport f\nfunc f() {}\n")
    assert "takes Go 1.24 or later" in str(error)


@pytest.mark.slow
def test_programs_functions_links_and_mistakes(shell):
    result, captured = run(
        shell,
        '%%wasm c --stdin "a b" --env WHO=me hello\n#include <stdio.h>\n#include <stdlib.h>\nint main(int argc, char **argv) {\n'
        '  int unused;\n  printf("%s %s %c\\n", argv[1], getenv("WHO"), getchar()); return 0; }\n',
    )
    result.raise_error()
    assert captured.stdout == "hello me a\n"
    assert "unused variable" in captured.stderr
    assert "cell:5:" in captured.stderr

    run(
        shell,
        "%%wasm c --name numbers\nint gcd(int a, int b) { return b ? gcd(b, a % b) : a; }\nint lone(int *p) { return *p; }\n",
    )
    result, _ = run(shell, "gcd(12, 18)")
    assert result.result == 6
    result, captured = run(
        shell,
        '%%wasm rust\n#[link(wasm_import_module = "numbers")] unsafe extern "C" { fn gcd(a: i32, b: i32) -> i32; }\n'
        'fn main() { println!("{}", unsafe { gcd(8, 12) }); }',
    )
    result.raise_error()
    assert captured.stdout == "4\n"

    error = refused(shell, "%%wasm c\nint main(void) {\n  return undeclared;\n}\n")
    assert isinstance(error, errors.CompileError)
    assert error.diagnostics[0].spans[0].line == 3

    _, captured = run(shell, "%wasm_inspect numbers")
    assert "gcd" in str([each.data for each in captured.outputs])


@pytest.mark.slow
def test_a_cell_does_something_or_says_why_not(shell):
    result, captured = run(
        shell, '%%wasm c\n#include <stdio.h>\n#define MAIN int main(void)\nMAIN { puts("m"); }\n'
    )
    result.raise_error()
    assert captured.stdout == "m\n"
    for language, code in {
        "c": "#define X 1\n",
        "cpp": "class A { public: int x; };\n",
        "zig": "fn main() void {}\n",
    }.items():
        _, captured = run(shell, f"%%wasm {language}\n{code}")
        told = str([each.data["text/plain"] for each in captured.outputs])
        assert "main nor a function that Python could call" in told, language


@pytest.mark.slow
def test_functions_and_programs_are_timed(shell):
    run(shell, "%%wasm c --name timed\nint twice(int n) { return 2 * n; }\n")
    result, _ = run(shell, "%wasm_bench twice --args 21 --budget 2s --rounds 1 --runtime wasmtime")
    result.raise_error()
    assert result.result.checked[0].answer.value == 42
