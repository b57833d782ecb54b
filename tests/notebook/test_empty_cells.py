"""Cells of magics without a text, and a magic's line that IPython has changed: what the reader is told."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from wasm_lab import errors
from wasm_lab.components.text import check_text
from wasm_lab.magics.line import session
from wasm_lab.scenarios.spin.reading import parse_manifest


@pytest.fixture
def world(shell: InteractiveShell) -> Iterator[None]:
    wit = "package demo:shelf;\ninterface log { write: func(line: string); }\n"
    wit += "world shelf { import log; export count: func(title: string) -> u32; }"
    with capture_output():
        shell.run_cell(f"%%wit shelf\n{wit}").raise_error()
    yield
    session().wit_texts.pop("shelf")


def refused(shell: InteractiveShell, cell: str) -> errors.UsageError:
    with capture_output():
        error = shell.run_cell(cell).error_in_exec
    assert isinstance(error, errors.UsageError), error
    return error


def example(error: errors.UsageError) -> str:
    """The text to begin with, out of a hint."""
    return error.hint.partition("\n\n")[2].rpartition("\n\n")[0]


@pytest.mark.parametrize("after", ["", "\n", "\n\n  \n"])
def test_an_empty_rust_cell_says_what_belongs_there(shell: InteractiveShell, after: str) -> None:
    error = refused(shell, f"%%wasm_rust{after}")
    assert error.message == "The %%wasm_rust cell is empty."
    with capture_output():
        shell.run_cell(f"%%wasm_rust --no-run\n{example(error)}").raise_error()


def test_an_empty_cell_of_a_world_gets_what_the_world_wants(shell: InteractiveShell, world: None) -> None:
    error = refused(shell, "%%wasm_rust --world shelf")
    assert "impl Guest for Component {\n    fn count(title: String) -> u32 { todo!() }\n}" in error.hint
    assert "def write(line: str) -> None" in error.hint
    assert "def write" not in refused(shell, "%%wasm_rust --world shelf --imports host\n").hint
    assert "There is no world shop" in refused(shell, "%%wasm_rust --world shop").message


def test_an_empty_app_shows_a_manifest(shell: InteractiveShell) -> None:
    error = refused(shell, "%%spin_app my_shop")
    assert tomllib.loads(example(error))["application"]["name"] == "my-shop"
    assert parse_manifest(example(error), Path("spin.toml")).name == "my-shop"
    assert 'my_shop.get("/")' in error.hint


@pytest.mark.parametrize("name", ["calc", "My_Shelf", "2"])
def test_an_empty_wit_cell_shows_a_text(shell: InteractiveShell, name: str) -> None:
    error = refused(shell, f"%%wit {name}\n")
    assert len(check_text(example(error), name=name).worlds) == 1


def test_an_empty_twin_shows_a_function(shell: InteractiveShell) -> None:
    assert "function fib(n) {" in refused(shell, "%%js_twin fib").hint


@pytest.mark.parametrize(
    "line", ["wasm c", "wasm cpp", "wasm zig", "wasm go", "wasm python", "wasm js", "worker edge"]
)
def test_an_empty_cell_of_another_language_is_told_so(shell: InteractiveShell, line: str) -> None:
    error = refused(shell, f"%%{line}")
    assert error.message == f"The %%{line} cell is empty."
    assert "\n\n" in error.hint


def test_help_needs_no_text(shell: InteractiveShell) -> None:
    for magic in ("wasm_rust", "wit", "spin_app", "js_twin"):
        with capture_output() as captured:
            shell.run_cell(f"%%{magic} --help").raise_error()
        assert "Usage: %%" in captured.stdout


def test_other_magics_are_left_to_ipython(shell: InteractiveShell) -> None:
    with capture_output():
        error = shell.run_cell("%%writefile").error_in_exec
    assert "cell body is empty" in str(error)


def test_a_terminal_waits_for_the_text_of_a_cell(shell: InteractiveShell) -> None:
    assert shell.check_complete("%%wasm_rust")[0] == "incomplete"


@pytest.mark.parametrize("line", ["--world shelf --imports {host}", "--imports {host} --world shelf"])
def test_a_value_in_the_place_of_a_name_is_explained(shell: InteractiveShell, line: str) -> None:
    for value in ({"demo:shelf/log": print}, object()):
        shell.user_ns["host"] = value
        error = refused(shell, f"%%wasm_rust {line}\nimpl Guest for Component {{}}")
        assert "--imports takes the name of a Python object" in error.message
        assert "--imports host" in error.hint
    del shell.user_ns["host"]
