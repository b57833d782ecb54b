"""The exception tree, and what a learner sees of it."""

from __future__ import annotations

import inspect

from wasm_lab import errors


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__
    drawn = [line.split("──")[-1].split()[0] for line in errors.__doc__.splitlines() if "──" in line]
    defined = [name for name, value in vars(errors).items() if inspect.isclass(value)]
    assert sorted([*drawn, "WasmLabError"]) == sorted(defined)


def test_a_notebook_shows_message_and_hint_without_a_traceback() -> None:
    error = errors.UsageError("It is so.", hint="Do this.")
    assert error._render_traceback_() == ["UsageError: It is so.", "Do this."]
    assert str(error) == "It is so.\nDo this."


def test_a_compile_error_shows_the_compilers_layout_first() -> None:
    error = errors.CompileError("1 error.", rendered="error[E0308]: mismatched\n --> cell:3:5\n")
    assert error._render_traceback_()[0].startswith("error[E0308]")
