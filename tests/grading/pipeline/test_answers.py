"""Submitted notebooks: only the bodies of answer cells have an effect, and everything strange is said."""

from __future__ import annotations

import copy
import json
import random
import time
from dataclasses import replace

import pytest

from wasm_lab.exercises import Exercise
from wasm_lab.grading import submitted as limits
from wasm_lab.grading.answers import digest_of, released_answers, split_header, take_answers
from wasm_lab.grading.entries import Unreadable
from wasm_lab.grading.nouns import Settings
from wasm_lab.grading.submitted import Truncated, read_notebook


@pytest.fixture
def add(course):
    return course.masters["add"]


def cell_of(notebook, grade_id):
    return next(
        cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def take(master, notebook):
    return take_answers(
        master, read_notebook(json.dumps(notebook).encode()), student="ada", file="ada/add.ipynb"
    )


def take_cell(master, handed, text):
    """What is taken of a submission whose answer cell has this whole text."""
    notebook = copy.deepcopy(handed.notebook())
    cell_of(notebook, "answer")["source"] = text
    return take(master, notebook)


def said(taken) -> str:
    return " ".join(note.message for note in taken.notes)


def test_an_honest_submission_has_no_notes(add, handed):
    taken = take(add, handed.notebook(answer="mine", why="Because."))
    assert taken.bodies == {"answer": "mine", "why": "Because."}
    assert not taken.notes


def test_an_untouched_one_is_what_was_released(add):
    assert take(add, add.released.notebook).bodies == released_answers(add)


MAGICS = {
    "bash": "%%bash\nrm -rf ~",
    "python": "%%python\nimport os",
    "another name": "%%wasm_rust --name other\nmine",
    "no name": "%%wasm_rust\nmine",
    "a folder": "%%wasm_rust --name answer --dir /::/host\nmine",
    "a target": "%%wasm_rust --name answer --target native\nmine",
    "tests": "%%wasm_rust --name answer --test\nmine",
    "shell in the line": "%%wasm_rust --name answer {__import__('os').system('id')}\nmine",
}


@pytest.mark.parametrize("text", MAGICS.values(), ids=MAGICS)
def test_a_changed_magic_line_has_no_effect(add, handed, text):
    taken = take_cell(add, handed, text)
    assert taken.bodies["answer"] == text.partition("\n")[2]
    assert add.exercise.with_bodies(taken.bodies).cell("answer").magic == "%%wasm_rust --name answer"
    assert "the master's magic line counts" in said(taken)


@pytest.mark.parametrize(
    "text",
    [
        "\n\n%%wasm_rust --name answer\nmine",
        "%%wasm_rust --name answer   \nmine",
        "%%wasm_rust --name answer\r\nmine",
        "  \n\t\n%%wasm_rust --name answer\nmine",
        "    %%wasm_rust --name answer\n    mine",
    ],
    ids=["blank lines", "trailing blanks", "windows", "lines of blanks", "the cell indented"],
)
def test_blanks_around_the_magic_line_are_no_change(add, handed, text):
    taken = take_cell(add, handed, text)
    assert (taken.bodies["answer"], taken.notes) == ("mine", ())


@pytest.mark.parametrize("above", ["%%time", "%%time\n\n", "\n  %%capture --no-stderr"])
def test_a_magic_above_the_magic_line_is_left_out(add, handed, above):
    taken = take_cell(add, handed, f"{above}\n%%wasm_rust --name answer\nmine")
    assert taken.bodies["answer"] == "mine"
    assert [note.kind for note in taken.notes] == ["edited"]
    assert f"has {above.strip()!r} above its magic line" in said(taken)


NOT_LEFT_OUT = {
    "two magics above": "%%time\n%%capture\n%%wasm_rust --name answer\nmine",
    "one below as well": "%%time\n%%wasm_rust --name answer\n%%bash\nid",
    "one below, indented": "  %%wasm_rust --name answer\n  %%bash\n  id",
    "a blank line, and one below": "%%wasm_rust --name answer\n \n%%bash\nid",
    "the same magic twice": "%%wasm_rust --name answer\n%%wasm_rust --name answer\nmine",
    "another cell's": "%%time\n%%wasm_rust --name other\nmine",
    "code between": "%%time\nfn a() {}\n%%wasm_rust --name answer\nmine",
    "a header between": "%%time\n---\n%%wasm_rust --name answer\nmine",
    "code before": "fn a() {}\n%%wasm_rust --name answer\nmine",
}


@pytest.mark.parametrize("text", NOT_LEFT_OUT.values(), ids=NOT_LEFT_OUT)
def test_a_magic_anywhere_else_is_refused(add, handed, text):
    taken = take_cell(add, handed, text)
    assert taken.bodies["answer"] == released_answers(add)["answer"]
    assert "refused" in [note.kind for note in taken.notes]


@pytest.mark.parametrize(
    "text",
    [
        '  %%wasm_rust --name answer\n  ---\n  [dependencies]\n  evil = "1"\n  ---\n  mine',
        '%%time\n%%wasm_rust --name answer\n---\n[dependencies]\nevil = "1"\n---\nmine',
    ],
    ids=["indented", "below two magics"],
)
def test_a_header_that_only_then_begins_a_line_has_no_effect(add, handed, text):
    taken = take_cell(add, handed, text)
    assert taken.bodies["answer"] == "mine"
    assert "the master's dependencies count" in said(taken)


ANEW = {
    "typed anew": "%%wasm_rust --name answer\nmine",
    "with other blanks": "\n%%wasm_rust  --name  answer\nmine",
    "below %%time": "%%time\n%%wasm_rust --name answer\nmine",
}


def put_anew(notebook, *texts):
    notebook["cells"].remove(cell_of(notebook, "answer"))
    notebook["cells"] += [{"cell_type": "code", "metadata": {}, "source": text} for text in texts]


@pytest.mark.parametrize("text", ANEW.values(), ids=ANEW)
def test_an_answer_without_its_metadata_is_found_by_its_magic_line(add, handed, text):
    notebook = copy.deepcopy(handed.notebook())
    put_anew(notebook, text)
    taken = take(add, notebook)
    assert taken.bodies["answer"] == "mine"
    assert {note.kind for note in taken.notes} == {"edited"}
    assert "was made anew; it is found by its first line" in said(taken)
    assert "left out" not in said(taken).replace("that line is left out", "")


def test_of_several_answers_without_metadata_the_last_that_was_changed_counts(add, handed):
    stub = add.answers["answer"].text
    notebook = copy.deepcopy(handed.notebook())
    put_anew(notebook, *(f"%%wasm_rust --name answer\n{body}" for body in ("first", "second")), stub)
    taken = take(add, notebook)
    assert taken.bodies["answer"] == "second"
    assert "is there 3 times" in said(taken)


NOT_ANEW = {
    "another line": {"source": "%%wasm_rust --name other\nmine"},
    "text": {"cell_type": "markdown"},
    "a grade id of its own": {"metadata": {"nbgrader": {"grade_id": "mine"}}},
}


@pytest.mark.parametrize("change", NOT_ANEW.values(), ids=NOT_ANEW)
def test_no_other_cell_is_taken_for_the_answer(add, handed, change):
    notebook = copy.deepcopy(handed.notebook())
    put_anew(notebook, "%%wasm_rust --name answer\nmine")
    notebook["cells"][-1] |= change
    taken = take(add, notebook)
    assert taken.bodies["answer"] == released_answers(add)["answer"]
    assert "missing" in [note.kind for note in taken.notes]


def test_where_two_answers_have_one_magic_line_none_is_guessed(add, handed):
    released = copy.deepcopy(add.released.notebook)
    twin = copy.deepcopy(cell_of(released, "answer"))
    twin["metadata"]["nbgrader"]["grade_id"] = "twin"
    released["cells"].append(twin)
    master = replace(add, released=Exercise.parse(json.dumps(released), name="add"))
    notebook = copy.deepcopy(handed.notebook())
    put_anew(notebook, "%%wasm_rust --name answer\nmine")
    taken = take(master, notebook)
    assert taken.bodies["answer"] == taken.bodies["twin"] == released_answers(add)["answer"]
    assert [note.kind for note in taken.notes].count("missing") == 2


def test_a_lost_magic_line_is_the_masters(add, handed):
    taken = take_cell(add, handed, "fn mine() {}")
    assert taken.bodies["answer"] == "fn mine() {}"
    assert "has lost its magic line" in said(taken)


REFUSED_BODIES = {
    "a second magic line": "%%bash\nid",
    "a magic line further down": "fn mine() {}\n  %%bash\nid",
    "control characters": "fn mine() {} // \x1b[2J",
    "a quarter of a megabyte": "// " + "x" * 300_000,
}


@pytest.mark.parametrize("body", REFUSED_BODIES.values(), ids=REFUSED_BODIES)
def test_a_body_that_is_no_code_counts_as_not_answered(add, handed, body):
    taken = take(add, handed.notebook(answer=body))
    assert taken.bodies["answer"] == released_answers(add)["answer"]
    assert [note.kind for note in taken.notes] == ["refused"]


HEADERS = {
    "a crate": '---\n[dependencies]\nevil = "1"\n---\n',
    "two headers": '---\n---\n---\n[dependencies]\nevil = "1"\n---\n',
    "after blank lines": '\n \n---\n[dependencies]\nevil = "1"\n---\n',
    "after a script's line": '#!/usr/bin/env cargo\n---\n[dependencies]\nevil = "1"\n---\n',
    "script's line between": '---\n---\n#!x\n---\n[dependencies]\nevil = "1"\n---\n',
    "with a word": '---cargo\n[dependencies]\nevil = "1"\n---\n',
    "longer fences": '-----\n[dependencies]\nevil = "1"\n-----\n',
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_of_the_students_own_has_no_effect(add, handed, header):
    from wasm_lab.cells.header import read_header

    taken = take(add, handed.notebook(answer=f"{header}mine"))
    read = read_header(taken.bodies["answer"], label="answer", first_line=1)
    assert (read.dependencies, read.code) == ({}, "mine")
    assert "the master's dependencies count" in said(taken)


@pytest.mark.parametrize(
    "text", ["---", "---\nmine", "---\n[dependencies]", "-----\n---\nmine"], ids=range(4)
)
def test_a_header_that_is_not_closed_is_no_header(add, handed, text):
    from wasm_lab.cells.header import read_header

    body = take(add, handed.notebook(answer=text)).bodies["answer"]
    assert read_header(body, label="answer", first_line=1).dependencies == {}


def test_the_masters_header_stays(add, handed):
    header = '---\n[dependencies]\nserde = "1"\n---\n'
    assert split_header(f"{header}fn main() {{}}") == (header, "fn main() {}")


def test_very_many_headers_are_read_at_once():
    """Each line begins a header that nothing closes, and none is looked for to the end of the text."""
    text = "---a\n" * 200_000
    begun = time.process_time()
    assert split_header(text + "fn main() {}") == (text, "fn main() {}")
    assert time.process_time() - begun < 60  # an hour, where each is looked for


def test_edited_points_and_ids_have_no_effect_and_are_said(add, handed):
    notebook = copy.deepcopy(handed.notebook(answer="mine", why="w"))
    for grade_id, change in (
        ("visible", {"points": 100}),
        ("hidden", {"locked": False}),
        ("answer", {"grade": True, "points": 9}),
    ):
        cell_of(notebook, grade_id)["metadata"]["nbgrader"] |= change
    taken = take(add, notebook)
    assert taken.bodies["answer"] == "mine"
    assert said(taken).count("The metadata of") == 3


def test_an_edited_test_cell_is_said(add, handed):
    notebook = copy.deepcopy(handed.notebook())
    cell_of(notebook, "visible")["source"] = "3.0"
    cell_of(notebook, "setup")["source"] = "import os"
    taken = take(add, notebook)
    assert "The cell visible was changed; the master's counts." in said(taken)
    assert "The cell setup was changed; the master's counts." in said(taken)


def test_missing_cells_are_said(add, handed):
    notebook = copy.deepcopy(handed.notebook())
    notebook["cells"] = [cell_of(notebook, "story")]
    taken = take(add, notebook)
    assert taken.bodies == released_answers(add)
    assert [note.kind for note in taken.notes].count("missing") == 2
    assert "The cell hidden is not there" in said(taken)


def test_of_two_cells_with_one_id_the_last_that_was_changed_counts(add, handed):
    notebook = copy.deepcopy(handed.notebook(answer="first"))
    answer = cell_of(notebook, "answer")
    for body in ("second", add.answers["answer"].body):
        notebook["cells"].append(answer | {"source": f"%%wasm_rust --name answer\n{body}"})
    taken = take(add, notebook)
    assert taken.bodies["answer"] == "second"
    assert "is there 3 times" in said(taken)


def test_cells_of_the_students_own_are_left_out_and_counted(add, handed):
    notebook = copy.deepcopy(handed.notebook())
    extra = {"cell_type": "code", "metadata": {}, "source": "import os; os.abort()", "outputs": []}
    notebook["cells"] += [
        extra,
        extra | {"metadata": {"nbgrader": {"grade_id": "mine", "grade": True, "points": 50}}},
    ]
    assert "It has 2 more cells than was released; left out." in said(take(add, notebook))


STRANGE_CELLS = {
    "number": 7,
    "null": None,
    "list": [],
    "no source": {"cell_type": "code"},
    "source a number": {"cell_type": "code", "source": 7},
    "source of numbers": {"cell_type": "code", "source": ["a", 7]},
    "metadata a list": {"cell_type": "code", "source": "x", "metadata": []},
    "nbgrader a list": {"cell_type": "code", "source": "x", "metadata": {"nbgrader": [1]}},
    "grade_id a list": {
        "cell_type": "code",
        "source": "x",
        "metadata": {"nbgrader": {"grade_id": ["answer"]}},
    },
    "type a table": {"cell_type": {}, "source": "x"},
    "half a character": {"cell_type": "code", "source": "\ud800"},
}


@pytest.mark.parametrize("cell", STRANGE_CELLS.values(), ids=STRANGE_CELLS)
def test_a_strange_cell_spoils_nothing(add, handed, cell):
    notebook = copy.deepcopy(handed.notebook(answer="mine"))
    notebook["cells"].insert(0, cell)
    assert take(add, notebook).bodies["answer"] == "mine"


def test_half_a_character_in_an_answer_is_refused(add, handed):
    taken = take_cell(add, handed, "%%wasm_rust --name answer\nlet s = '\udc80';")
    assert taken.bodies["answer"] == released_answers(add)["answer"]
    assert "has no text that can be taken" in said(taken)


def test_source_as_lines_is_the_same(add, handed):
    notebook = copy.deepcopy(handed.notebook(answer="one\ntwo"))
    cell = cell_of(notebook, "answer")
    cell["source"] = cell["source"].splitlines(keepends=True)
    assert take(add, notebook).bodies["answer"] == "one\ntwo"


def test_an_answer_that_became_text_is_still_one(add, handed):
    notebook = copy.deepcopy(handed.notebook(answer="mine"))
    cell_of(notebook, "answer")["cell_type"] = "markdown"
    taken = take(add, notebook)
    assert taken.bodies["answer"] == "mine"
    assert "is no code cell any more" in said(taken)


def cells(count: int) -> bytes:
    return b'{"nbformat": 4, "cells": [' + b",".join([b"{}"] * count) + b"]}"


REFUSED = {
    "a list": (b"[]", "no object"),
    "a text": (b'"x"', "no object"),
    "no format": (b"{}", "does not say nbformat"),
    "format a word": (b'{"nbformat": "4"}', "does not say nbformat"),
    "format true": (b'{"nbformat": true}', "format True"),
    "format 3": (b'{"nbformat": 3, "worksheets": []}', "format 3"),
    "format 5": (b'{"nbformat": 5, "cells": []}', "format 5"),
    "format of thousands of digits": (b'{"nbformat": ' + b"9" * 5000 + b"}", "number is too long"),
    "no cells": (b'{"nbformat": 4}', "no list of cells"),
    "cells a table": (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
    "2001 cells": (cells(2001), "2001 cells"),
    "a million cells": (cells(1_000_000), "brackets"),
    "400 000 objects": (b'{"nbformat": 4, "x": [' + b",".join([b"{}"] * 400_000) + b"]}", "objects"),
    "deep lists": (b"[" * 100_000, "nested too deeply"),
    "deep objects": (b'{"a":' * 100_000, "nested too deeply"),
    "a key twice": (b'{"nbformat": 4, "cells": [], "cells": []}', "twice"),
    "utf-16": ('{"nbformat": 4, "cells": []}'.encode("utf-16"), "UTF-16"),
    "utf-16 without a mark": ('{"nbformat": 4, "cells": []}'.encode("utf-16-le"), "UTF-16"),
    "latin-1": ('{"nbformat": 4, "cells": ["é"]}'.encode("latin-1"), "no UTF-8"),
    "binary": (bytes(range(128, 256)), "no UTF-8"),
    "single quotes": (b"{'nbformat': 4}", "no JSON"),
    "a comma too many": (b'{"nbformat": 4, "cells": [],}', "no JSON"),
    "two notebooks": (b'{"nbformat": 4, "cells": []} {"nbformat": 4, "cells": []}', "no JSON"),
    "a comment": (b'/* */ {"nbformat": 4, "cells": []}', "no JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_notebook_is_refused(data, why):
    with pytest.raises(Unreadable, match=why):
        read_notebook(data)


@pytest.mark.parametrize(
    "keep", [0, 1, 100, -1, -2, -30], ids=["nothing", "a byte", "start", "end", "ends", "most"]
)
def test_a_cut_file_is_truncated(handed, keep):
    with pytest.raises(Truncated):
        read_notebook(handed.bytes(answer="ö")[:keep])


def test_a_file_cut_within_a_letter_is_truncated():
    with pytest.raises(Truncated, match="middle of a character"):
        read_notebook('{"nbformat": 4, "cells": ["ö'.encode()[:-1])


ACCEPTED = {
    "a mark before": lambda data: b"\xef\xbb\xbf" + data,
    "blanks around": lambda data: b"\n\n" + data + b"\n \n",
    "not a number": lambda data: data[:-1] + b', "x": [NaN, Infinity, -Infinity]}',
    "minor of another age": lambda data: data.replace(b'"nbformat_minor": 5', b'"nbformat_minor": 0'),
}


@pytest.mark.parametrize("change", ACCEPTED.values(), ids=ACCEPTED)
def test_what_editors_do_to_a_file_is_accepted(add, handed, change):
    notebook = read_notebook(change(handed.bytes(answer="mine")))
    assert take_answers(add, notebook, student="ada", file="x").bodies["answer"] == "mine"


def test_a_huge_cell_is_not_taken(add, handed, monkeypatch):
    monkeypatch.setattr(limits, "CELL_CHARACTERS", 1000)
    taken = take(add, handed.notebook(answer="x" * 2000))
    assert taken.bodies["answer"] == released_answers(add)["answer"]


def test_the_digest_is_of_all_that_decides(course, add):
    bodies = {"answer": "a", "why": "b"}
    known = digest_of(add, bodies, Settings())
    assert digest_of(add, dict(reversed(bodies.items())), Settings()) == known
    others = [
        digest_of(add, bodies | {"answer": "c"}, Settings()),
        digest_of(add, bodies, Settings(deadline_s=3)),
        digest_of(add, bodies, Settings(walls=False)),
        digest_of(course.masters["port"], bodies, Settings()),
    ]
    assert len({known, *others}) == 5


def test_a_written_answer_has_an_end(add, handed):
    taken = take(add, handed.notebook(answer="mine", why="x" * 200_000))
    assert len(taken.bodies["why"]) == 100_000
    assert [note.kind for note in taken.notes] == ["truncated"]


VALUES = [None, True, -1, 1e308, "", "x", "\ud800", [], {}, [None], {"a": 1}, "answer", ["a", 1], 10**30]


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


@pytest.mark.parametrize("seed", range(5))
def test_whatever_stands_anywhere_in_a_notebook_is_a_note_at_most(add, handed, seed):
    dice = random.Random(seed)
    for _ in range(100):
        notebook = copy.deepcopy(handed.notebook(answer="mine"))
        for path in dice.sample(list(places(notebook))[1:], 3):
            inner = notebook
            try:
                for key in path[:-1]:
                    inner = inner[key]
                inner[path[-1]] = copy.deepcopy(dice.choice(VALUES))
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took the place away
        try:
            taken = take(add, notebook)
        except Unreadable:
            continue
        add.exercise.with_bodies(taken.bodies).dumps().encode()
        digest_of(add, taken.bodies, Settings())


def test_magic_lines_of_the_master_are_found_once_for_thousands_of_cells(course, handed, monkeypatch):
    from wasm_lab.exercises import notebook as module

    calls = []

    def split(text, expected=""):
        calls.append(text)
        return real(text, expected)

    real = module.split_magic
    notebook = handed.notebook("add")
    notebook["cells"] = [{"cell_type": "code", "metadata": {}, "source": "%%w"}] * 1900
    submitted = read_notebook(json.dumps(notebook).encode())
    monkeypatch.setattr(module, "split_magic", split)
    take_answers(course.masters["add"], submitted, student="ada", file="add.ipynb")
    assert calls.count(course.masters["add"].answers["answer"].text) < 10
