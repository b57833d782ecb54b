"""Marks: nbgrader's rules, and where ours are stricter."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from wasm_lab.exercises.cases import MIME
from wasm_lab.exercises.notebook import Role
from wasm_lab.grading.clean import clean_copy
from wasm_lab.grading.marks import NO_TEXT, NOT_READ, UNTOUCHED, lost_outcome, outcome_of, points_of
from wasm_lab.grading.nouns import Job
from wasm_lab.grading.sitting import PARAMETER


def result(text) -> dict:
    return {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {"text/plain": text},
    }


ERROR = {"output_type": "error", "ename": "NameError", "evalue": "name 'add' is not defined", "traceback": []}
STDERR = {"output_type": "stream", "name": "stderr", "text": "warning"}
STDOUT = {"output_type": "stream", "name": "stdout", "text": "2.0"}

SAME = {
    "nothing": [],
    "full": [result("2.0")],
    "part": [result("0.5")],
    "none": [result("0")],
    "none, negative zero": [result("-0.0")],
    "text": [result("'well done'")],
    "printed": [STDOUT],
    "error": [ERROR],
    "error after a number": [ERROR, result("2.0")],
    "number before an error": [result("2.0"), ERROR],
    "error stream": [STDERR],
    "printed and a number": [STDOUT, result("1.0")],
    "exponent": [result("5e-1")],
}


@pytest.mark.slow  # nbgrader takes seconds to import
@pytest.mark.parametrize("outputs", SAME.values(), ids=SAME)
def test_marks_are_nbgraders(outputs):
    from nbformat.notebooknode import from_dict
    from nbgrader.utils import determine_grade

    cell = {
        "cell_type": "code",
        "source": "",
        "execution_count": 1,
        "outputs": outputs,
        "metadata": {"nbgrader": {"grade": True, "solution": False, "points": 2, "grade_id": "t"}},
    }
    points, most = determine_grade(from_dict(cell))
    assert points_of(cell, 2.0)[0] == points
    assert most == 2.0


STRICTER = {
    "too many": ("3", 0),
    "below zero": ("-1", 0),
    "not a number": ("nan", 0),
    "infinite": ("inf", 0),
}


@pytest.mark.parametrize(("text", "points"), STRICTER.values(), ids=STRICTER)
def test_strange_numbers_give_nothing_and_are_said(text, points):
    got, message = points_of({"execution_count": 1, "outputs": [result(text)]}, 2.0)
    assert got == points
    assert "mistake in the master" in message


def test_a_cell_that_was_not_executed_gives_nothing():
    """nbgrader gives a cell without outputs all of its points."""
    assert points_of({"execution_count": None, "outputs": []}, 2.0)[0] == 0
    assert points_of({}, 2.0)[0] == 0


@pytest.fixture
def job(course):
    master = course.masters["add"]
    return Job(
        student="ada", assignment="01", exercise="add", master=master.text, released=master.released_text,
        bodies={"answer": "mine", "why": "Because."}, digest="d",
    )  # fmt: skip


def executed(job, course, released=None, **outputs):
    exercise, notebook, _ = clean_copy(job)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        cell["outputs"] = outputs.get(grade_id, [])
    released = released or course.masters["add"].released
    return outcome_of(job, exercise, released, notebook["cells"], 5)


def score(points, **cases):
    listed = [
        {"name": name.replace("_", " "), "passed": ok, "message": "" if ok else "why"}
        for name, ok in cases.items()
    ]
    return [{**result(str(points)), "data": {"text/plain": str(points), MIME: {"cases": listed}}}]


def test_cases_are_read_and_hidden_ones_are_known(job, course):
    outcome = executed(
        job, course, visible=score(1.0, two_and_four=True), hidden=score(1.0, a_carry=False, negative=True)
    )
    visible, hidden, why = outcome.cells
    assert [(case.name, case.passed, case.hidden) for case in visible.cases] == [
        ("two and four", True, False)
    ]
    assert [(case.name, case.passed, case.hidden) for case in hidden.cases] == [
        ("a carry", False, True),
        ("negative", True, True),
    ]
    assert (why.kind, why.points, why.max_points, why.answer) == ("written", None, 4, "Because.")
    assert (outcome.points, outcome.max_points, outcome.is_complete) == (2.0, 7.0, False)


def test_a_hidden_case_whose_name_is_a_part_of_the_released_text_stays_hidden(job, course):
    outcome = executed(job, course, visible=score(1.0, two=False, two_and_four=False), hidden=score(2.0))
    assert [(case.name, case.hidden) for case in outcome.cells[0].cases] == [
        ("two", True),
        ("two and four", False),
    ]


def test_what_did_not_compile_is_told_as_that(job, course):
    failed = {
        "output_type": "error",
        "ename": "CompileError",
        "evalue": "no",
        "traceback": ["\x1b[31merror\x1b[0m: no"],
    }
    outcome = executed(job, course, answer=[failed], visible=[ERROR], hidden=[ERROR])
    assert (outcome.status, outcome.message) == ("not_compiled", "error: no")
    assert [cell.message for cell in outcome.cells[:2]] == ["The answer did not compile."] * 2


MACHINE = {
    "no process": ("MachineError", "The process for a guest did not start."),
    "no room": ("NoRoomError", "The answer could not be compiled: [Errno 28] No space left on device."),
    "no crates": ("DependencyError", "The crate registry cannot be reached."),
    "no compiler": ("ToolchainError", "No Rust compiler here builds for wasm32-wasip1."),
    "no memory": ("OSError", "[Errno 12] Cannot allocate memory"),
}


@pytest.mark.parametrize(("name", "words"), MACHINE.values(), ids=MACHINE)
def test_a_failure_of_the_machine_is_no_mark(job, course, name, words):
    failed = {"output_type": "error", "ename": name, "evalue": words, "traceback": []}
    outcome = executed(job, course, answer=[failed], visible=[ERROR], hidden=[ERROR])
    assert outcome.status == "crashed"
    assert words in outcome.message


def test_a_failure_of_the_machine_within_a_case_is_no_mark(job, course):
    outputs = score(0.0, two_and_four=False)
    outputs[0]["data"][MIME]["cases"][0] |= {"message": "MachineError: OSError: 38", "lost": True}
    assert executed(job, course, visible=outputs, hidden=score(2.0)).status == "crashed"


def test_an_answer_that_talks_like_a_failed_machine_is_an_answer(job, course):
    words = "MachineError: The guest's process failed: OSError"
    outputs = score(0.0, two_and_four=False)
    outputs[0]["data"][MIME]["cases"][0] |= {"message": words, "lost": False}
    assert executed(job, course, visible=outputs, hidden=score(2.0)).status == "graded"
    panic = {"output_type": "error", "ename": "GuestTrap", "evalue": words, "traceback": []}
    assert executed(job, course, answer=[panic], visible=[ERROR], hidden=[ERROR]).status == "graded"


def test_what_an_answer_raised_is_told(job, course):
    trap = {"output_type": "error", "ename": "GuestTrap", "evalue": "The guest panicked: no", "traceback": []}
    outcome = executed(job, course, answer=[trap], visible=[ERROR], hidden=[ERROR])
    assert (outcome.status, outcome.message) == ("graded", "GuestTrap: The guest panicked: no")


def test_the_error_of_a_hidden_test_is_not_quoted(job, course):
    secret = {
        "output_type": "error",
        "ename": "AssertionError",
        "evalue": "add(17, 4) is 21",
        "traceback": [],
    }
    outcome = executed(job, course, visible=score(1.0), hidden=[secret])
    assert outcome.cells[1].message == "The test cell ended with AssertionError."


def test_a_function_that_is_absent_is_told_by_name(job, course):
    outcome = executed(job, course, visible=[ERROR], hidden=[ERROR])
    said = "There is no function add: the answer must define it, as pub fn add."
    assert [cell.message for cell in outcome.cells[:2]] == [said, said]


def test_a_text_that_cannot_be_read_is_told_by_name(job, course):
    error = {**ERROR, "evalue": "name 'verdict' is not defined"}
    raised = {
        "output_type": "error",
        "ename": "UsageError",
        "evalue": "Nothing is chosen yet.",
        "traceback": [],
    }
    released = course.masters["add"].released
    asked = replace(released.answers[0], text="%%answer verdict --choice yes,no")
    with_choice = replace(released, cells=(*released.cells, asked))
    outcome = executed(job, course, with_choice, answer=[raised], visible=[error], hidden=[error])
    said = "The answer verdict cannot be read: it is empty, or not what its cell asks for."
    assert [cell.message for cell in outcome.cells[:2]] == [said, said]


def test_a_name_that_nobody_was_given_is_not_told(job, course):
    error = {**ERROR, "evalue": "name 'secret_table' is not defined"}
    outcome = executed(job, course, visible=[error], hidden=[error])
    assert [cell.message for cell in outcome.cells[:2]] == [
        "NameError: name 'secret_table' is not defined",
        "The test cell ended with NameError.",
    ]


def test_a_lost_submission_keeps_its_written_answers(job, course):
    outcome = lost_outcome(job, course.masters["add"].exercise, "stopped", "late")
    assert [cell.points for cell in outcome.cells] == [0, 0, None]


@pytest.mark.parametrize("text", ["Why?", "Why?\n", "  Why?"])
def test_a_written_answer_that_is_as_it_was_released_has_no_points(job, course, text):
    """As nbgrader's `determine_grade` has it, by the cell's checksum."""
    job = replace(job, bodies={**job.bodies, "why": text})
    outcome = executed(job, course, visible=score(1.0), hidden=score(2.0))
    assert (outcome.cells[-1].points, outcome.cells[-1].message) == (0.0, UNTOUCHED)
    lost = lost_outcome(job, course.masters["add"].exercise, "stopped", "late")
    assert lost.cells[-1] == outcome.cells[-1]


def test_text_that_cannot_be_read_is_told_in_words_of_its_own(job, course):
    """Neither the answer's error nor the tests' speaks of Python to who wrote TOML."""
    master = course.masters["port"]
    job = replace(
        job,
        exercise="settings",
        master=master.text,
        released=master.released_text,
        bodies={"answer": "port = x"},
    )
    words = "This is no TOML: Invalid value (at line 1, column 8).\nLines count from below the magic."
    wrong = {"output_type": "error", "ename": "UsageError", "evalue": words, "traceback": []}
    listed = [{"name": "port", "passed": False, "message": "NameError: name 'settings' is not defined\nWhy"}]
    cases = [{**result("0"), "data": {"text/plain": "0", MIME: {"cases": listed}}}]
    outcome = executed(job, course, master.released, answer=[wrong], visible=cases)
    assert (outcome.status, outcome.message) == ("graded", NOT_READ + words)
    assert outcome.cells[0].cases[0].message == NO_TEXT.format(name="settings")


def test_the_clean_copy_is_the_masters_but_for_bodies(job, course):
    exercise, notebook, parameters = clean_copy(job)
    first, begin, *own, last = notebook["cells"]
    assert first["metadata"]["tags"] == ["parameters"]
    assert begin["source"].startswith("from wasm_lab.grading import sitting")
    master = course.masters["add"].exercise
    for cell, raw in zip(master.cells, own, strict=True):
        # Not as a magic: IPython would look for prompts in what a student wrote.
        answer = "get_ipython().run_cell_magic('wasm_rust', '--name answer', 'mine')"
        assert raw["source"] == {"answer": answer, "why": "Because."}.get(cell.grade_id, cell.text)
    assert last["source"].endswith("end()")
    assert parameters[PARAMETER]["functions"] == {"answer": {"add": []}}
    # The judge's cells, setup and text must not be passed over when they raise.
    tolerant = {cell["metadata"]["nbgrader"]["grade_id"] for cell in own if "tags" in cell["metadata"]}
    assert tolerant == {"answer", "visible", "hidden", "why"}
    assert json.loads(exercise.dumps())["cells"][2]["source"] == "%%wasm_rust --name answer\nmine"


@pytest.mark.parametrize("prompt", [">>> ", "In [1]: ", "...: ", "   >>> "])
def test_ipython_changes_nothing_of_a_body(job, prompt):
    from dataclasses import replace

    from IPython.core.inputtransformer2 import TransformerManager

    body = "".join(
        f"{prompt}{line}\n" for line in ("---", "[dependencies]", 'evil = "1"', "---", "fn add() {}")
    )
    _, notebook, _ = clean_copy(replace(job, bodies={**job.bodies, "answer": body}))
    (source,) = [each["source"] for each in notebook["cells"] if "wasm_rust" in each["source"]]
    assert TransformerManager().transform_cell(source) == source + "\n"
    taken = []
    exec(source, {"get_ipython": lambda: SimpleNamespace(run_cell_magic=lambda *words: taken.append(words))})
    assert taken == [("wasm_rust", "--name answer", body)]


def test_functions_of_the_masters_own_cells_have_names_too(job):
    from dataclasses import replace

    master = json.loads(job.master)
    given = {
        **master["cells"][1],
        "id": "given",
        "source": "%%wasm_rust --name given\npub fn twice(n: u32) -> u32 { 2 * n }",
    }
    master["cells"].insert(2, given)
    _, _, parameters = clean_copy(replace(job, master=json.dumps(master)))
    assert parameters[PARAMETER]["functions"] == {"given": {"twice": []}, "answer": {"add": []}}


def test_the_hidden_part_decides_clock_and_seed(job, course):
    from dataclasses import replace

    _, _, first = clean_copy(job)
    _, _, second = clean_copy(replace(job, master=job.master.replace("(1, 1), 2", "(1, 2), 3")))
    assert first[PARAMETER]["digest"] != second[PARAMETER]["digest"]


def test_functions_that_the_master_gives_are_at_hand_too(job):
    from dataclasses import replace

    notebook = json.loads(job.master)
    for magic, code in (
        ("--name given", "pub fn one() {}\npub(crate) fn no() {}"),
        ("", "pub fn first() {}\npub fn next() {}"),
    ):
        cell = {"cell_type": "code", "metadata": {}, "source": f"%%wasm_rust {magic}\n{code}", "outputs": []}
        notebook["cells"].append(cell)
    _, _, parameters = clean_copy(replace(job, master=json.dumps(notebook)))
    functions = parameters[PARAMETER]["functions"]
    assert functions == {"answer": {"add": []}, "given": {"one": []}, "first": {"first": [], "next": []}}


def test_methods_and_what_stands_in_comments_are_no_functions_of_the_master(job):
    """Their names may be Python's own, and a student could give these to the tests."""
    from dataclasses import replace

    notebook = json.loads(job.master)
    code = (
        "pub struct Stack(Vec<i64>);\nimpl Stack { pub fn len(&self) -> usize { self.0.len() } }\n"
        "// pub fn sum() {}\nmod inner { pub fn max() {} }\n"
        "pub fn fill(xs: &mut [i64], with: i64) { xs.fill(with) }"
    )
    magic = "%%wasm_rust --name given\n"
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": magic + code, "outputs": []})
    _, _, parameters = clean_copy(replace(job, master=json.dumps(notebook)))
    assert parameters[PARAMETER]["functions"]["given"] == {"fill": [0]}


def test_an_answer_without_a_name_gets_one_that_no_student_chooses(job):
    from dataclasses import replace

    master = job.master.replace("%%wasm_rust --name answer", "%%wasm_rust")
    assert master != job.master
    exercise, notebook, parameters = clean_copy(replace(job, master=master))
    (index,) = [cell.index for cell in exercise.cells if cell.role is Role.ANSWER]
    assert parameters[PARAMETER]["functions"] == {f"answer_{index}": {"add": []}}
    (source,) = [each["source"] for each in notebook["cells"] if "wasm_rust" in each["source"]]
    assert f"'--name answer_{index}'" in source
