"""``%exercise`` in a shell, and once in a real kernel: check in place, the kernel's own names untouched."""

from __future__ import annotations

import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from wasm_lab.exercises.course import Course
from wasm_lab.exercises.progress import Progress
from wasm_lab.magics.completion import completions


@pytest.fixture
def shell(tmp_path, course, monkeypatch):
    """A shell that is the process's one, in whose folder the small course is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Course, "own", classmethod(lambda _class: course))
    monkeypatch.setattr(Progress, "own", classmethod(lambda own: own(tmp_path / "data.json")))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "wasm_lab")
    yield made
    InteractiveShell.clear_instance()


def shown(shell: InteractiveShell, line: str) -> str:
    with capture_output() as captured:
        shell.run_cell(line)
    text = "".join(output.data["text/plain"] for output in captured.outputs)
    return f"{captured.stdout}{text}"


def test_the_loop_in_a_notebook(shell, tmp_path, monkeypatch, write_answer) -> None:
    assert "0 of 3 exercises are solved." in shown(shell, "%exercise")
    assert "first.ipynb" in shown(shell, "%exercise next")
    path = tmp_path / "wasm-lab-exercises" / "00_chapter" / "first.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    write_answer(path, "yes")
    assert "hidden: read the task again" in shown(shell, "%exercise check")
    assert "hint 1 of 2" in shown(shell, "%exercise hint")
    assert "not solved yet, and it is this notebook" in shown(shell, "%exercise next")
    # What ran is newer than what was saved.
    shown(shell, "%%answer verdict --choice yes,no\nno\n")
    assert "First: solved." in shown(shell, "%exercise check")
    assert "second.ipynb" in shown(shell, "%exercise next")
    assert "before-reset-1" in shown(shell, "%exercise reset")
    assert "started" in shown(shell, "%exercise list")


def test_a_check_leaves_the_kernel_as_it_was(shell, tmp_path, write_answer) -> None:
    shown(shell, "verdict = 'mine'; cases = 5")
    shown(shell, "%exercise next")
    hook, main = sys.displayhook, sys.modules["__main__"]
    assert "not solved yet" in shown(shell, "%exercise check first")
    assert (shell.user_ns["verdict"], shell.user_ns["cases"]) == ("mine", 5)
    assert InteractiveShell.instance() is shell
    assert (sys.displayhook, sys.modules["__main__"]) == (hook, main)
    assert "2" in shown(shell, "print(1 + 1)")


def test_a_renamed_notebook_is_known_by_its_title(shell, tmp_path, monkeypatch, write_answer) -> None:
    shown(shell, "%exercise next")
    path = tmp_path / "wasm-lab-exercises" / "00_chapter" / "first.ipynb"
    renamed = path.rename(path.with_name("my own name.ipynb"))
    monkeypatch.setenv("JPY_SESSION_NAME", str(renamed))
    write_answer(renamed, "no")
    assert "First: solved." in shown(shell, "%exercise check")


def test_a_cell_below_another_magic_counts_before_it_is_saved(
    shell, tmp_path, monkeypatch, write_answer
) -> None:
    shown(shell, "%exercise next")
    path = tmp_path / "wasm-lab-exercises" / "00_chapter" / "first.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    write_answer(path, "yes")
    shown(shell, "%%time\n%%answer verdict --choice yes,no\nno\n")
    assert "First: solved." in shown(shell, "%exercise check")


def test_a_wrong_line_is_told(shell) -> None:
    assert "is not one of" in shown(shell, "%exercise chekc")
    assert "No exercise has been begun" in shown(shell, "%exercise check")


def test_completion(course, monkeypatch) -> None:
    monkeypatch.setattr(Course, "own", classmethod(lambda _class: course))
    assert completions("%exercise ") == ["list", "next", "check", "hint", "reset"]
    assert completions("%exercise ch") == ["check"]
    assert completions("%exercise check s") == ["second"]


@pytest.mark.slow
def test_in_a_real_kernel_a_check_is_in_place(tmp_path, monkeypatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    from wasm_lab.exercises.learner import Learner

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    opened = Learner(tmp_path / "wasm-lab-exercises").open()
    monkeypatch.setenv("JPY_SESSION_NAME", str(opened.path))
    notebook = nbformat.read(opened.path, as_version=4)
    done = NotebookClient(notebook, allow_errors=True, timeout=120).execute()
    check = done.cells[-1]
    assert check.source == "%exercise check"
    page = "".join(output.data.get("text/html", "") for output in check.outputs)
    assert "not solved yet" in page
    assert "<table>" in page
