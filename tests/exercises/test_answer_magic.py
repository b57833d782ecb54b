"""``%%answer`` in a shell: text, choice, TOML; nothing executed; an answer that cannot be read is gone."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from wasm_lab.errors import UsageError
from wasm_lab.exercises.answers import read_answer
from wasm_lab.exercises.values import shown
from wasm_lab.magics.completion import completions


@pytest.fixture
def shell():
    made = InteractiveShell()
    made.run_line_magic("load_ext", "wasm_lab")
    return made


def test_an_answer_is_text_and_is_not_executed(shell) -> None:
    shell.run_cell_magic("answer", "verdict", "raise SystemExit('{1+1}')\n")
    assert shell.user_ns["verdict"] == "raise SystemExit('{1+1}')"


def test_markers_of_the_solution_are_no_part_of_it(shell) -> None:
    text = "# which?\n# ### BEGIN SOLUTION\nNo\n# ### END SOLUTION\n"
    shell.run_cell_magic("answer", "verdict --choice yes,no", text)
    assert shell.user_ns["verdict"] == "no"
    shell.run_cell_magic("answer", "words", "### BEGIN SOLUTION\nsome words\n### END SOLUTION")
    assert shell.user_ns["words"] == "some words"


def test_a_table(shell) -> None:
    shell.run_cell_magic("answer", "manifest --toml", '[trigger]\nroute = "/..."\n')
    assert shell.user_ns["manifest"] == {"trigger": {"route": "/..."}}


def test_what_cannot_be_read_leaves_no_earlier_answer(shell) -> None:
    shell.run_cell_magic("answer", "verdict --choice yes,no", "yes")
    with pytest.raises(UsageError, match="'perhaps' is none"):
        shell.run_cell_magic("answer", "verdict --choice yes,no", "perhaps")
    assert "verdict" not in shell.user_ns
    with pytest.raises(UsageError, match="no TOML"):
        shell.run_cell_magic("answer", "manifest --toml", "a = = b")


def test_options_are_completed() -> None:
    assert completions("%%answer verdict --ch") == ["--choice"]


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 14)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 14)
)


def test_a_text_that_means_billions_is_shown_in_part():
    value = read_answer(LAUGHS, form="yaml")
    assert len(shown(value["a13"])) < 1000
    assert shown([1] * 1000).startswith("[1, 1, 1")


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("yaml", MERGES),
        ("yaml", "port: " + "[" * 40_000),
        ("yaml", "port: 9999-99-99"),
        ("toml", "port = " + "9" * 90_000),
        ("toml", "port = " + "[" * 40_000 + "]" * 40_000),
    ],
    ids=["merged tables", "deep yaml", "no date", "a long number", "deep toml"],
)
def test_a_text_that_is_too_much_is_refused(form, text):
    with pytest.raises(UsageError, match="This is no"):
        read_answer(text, form=form)


def test_a_key_of_very_many_parts_is_refused():
    with pytest.raises(UsageError, match="500 dots"):
        read_answer("a." * 45_000 + "a = 1", form="toml")
    assert read_answer('a.b.c = "x...y"', form="toml") == {"a": {"b": {"c": "x...y"}}}
