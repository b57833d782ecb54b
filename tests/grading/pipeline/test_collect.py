"""Collecting: layouts, who handed in what, which file counts, and what is said of all others."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.grading.collect import collect
from wasm_lab.grading.times import parse_due, parse_time

DUE = datetime(2026, 11, 20, 12, tzinfo=UTC)


def put(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def pack(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def found(collected) -> dict[tuple[str, str], str]:
    return {(one.student, one.exercise): one.bodies["answer"] for one in collected.submissions if one.bodies}


def notes_of(collected, kind: str) -> list[tuple[str, str]]:
    every = [*collected.notes, *(note for one in collected.submissions for note in one.notes)]
    return [(note.student, note.file) for note in every if note.kind == kind]


LAYOUTS = {
    "flat": "ada/add.ipynb",
    "folders": "ada/01_rust_cells/add.ipynb",
    "course": "submitted/ada/01_rust_cells/add.ipynb",
    "deep": "ada/my work/week 1/add.ipynb",
}


@pytest.mark.parametrize("path", LAYOUTS.values(), ids=LAYOUTS)
def test_a_folder_for_each_student(tmp_path, course, handed, path):
    collected = collect(put(tmp_path / "in", {path: handed.bytes(answer="one")}), course)
    assert found(collected) == {("ada", "add"): "one"}
    assert not collected.notes


@pytest.mark.parametrize("how", ["folders", "archives"])
def test_a_student_called_submitted_hides_nobody(tmp_path, course, handed, how):
    root = put(tmp_path / "in", {"submitted/add.ipynb": handed.bytes(answer="own")})
    if how == "folders":
        put(root, {f"{name}/add.ipynb": handed.bytes(answer=name) for name in ("ada", "bo")})
    else:
        for name in ("ada", "bo"):
            pack(root / f"{name}.zip", {"add.ipynb": handed.bytes(answer=name)})
    collected = collect(root, course)
    assert found(collected) == {("ada", "add"): "ada", ("bo", "add"): "bo", ("submitted", "add"): "own"}
    assert notes_of(collected, "foreign") == [("", "submitted")]


@pytest.mark.parametrize(
    "others",
    [[], ["source"], ["release"], ["autograded", "feedback", ".git"]],
    ids=["alone", "source", "release", "others"],
)
def test_the_folder_of_nbgraders_course_will_do(tmp_path, course, handed, others):
    files = {f"{name}/01_rust_cells/add.ipynb": handed.bytes(answer="master") for name in others}
    root = put(
        tmp_path / "in", {"submitted/ada/01_rust_cells/add.ipynb": handed.bytes(answer="one"), **files}
    )
    collected = collect(put(root, {"gradebook.db": b"", "README.md": b""}), course)
    assert found(collected) == {("ada", "add"): "one"}
    assert not collected.notes


def test_what_lies_beside_the_submissions_of_a_course_and_could_be_one_is_said(tmp_path, course, handed):
    names = ("source", "submitted/ada", "bo", "report")
    root = put(tmp_path / "in", {f"{name}/ps/add.ipynb": handed.bytes(answer="x") for name in names[:3]})
    put(root, {"report/index.html": b""})
    collected = collect(root, course)
    assert set(found(collected)) == {("ada", "add")}
    assert notes_of(collected, "foreign") == [("", "bo")]


MOODLE = {
    "folders": "Ada Byron_41_assignsubmission_file_/add.ipynb",
    "without the last line": "Ada Byron_41_assignsubmission_file/add.ipynb",
    "plain": "Ada Byron_41_assignsubmission_file_add.ipynb",
    "folder inside": "Ada Byron_41_assignsubmission_file_/01_rust_cells/add.ipynb",
}
CANVAS = {
    "new": "byronada_41_977_add.ipynb",
    "second attempt": "byronada_41_977_add-1.ipynb",
}


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "unpacked"])
@pytest.mark.parametrize("path", MOODLE.values(), ids=MOODLE)
def test_moodle(tmp_path, course, handed, path, packed):
    files = {path: handed.bytes(answer="one")}
    root = pack(tmp_path / "export.zip", files) if packed else put(tmp_path / "in", files)
    collected = collect(root, course)
    assert found(collected) == {("Ada Byron_41", "add"): "one"}
    (student,) = collected.students
    assert (student.name, student.lms, student.lms_id) == ("Ada Byron", "moodle", "41")


@pytest.mark.parametrize("packed", [True, False], ids=["zip", "unpacked"])
@pytest.mark.parametrize("path", CANVAS.values(), ids=CANVAS)
def test_canvas(tmp_path, course, handed, path, packed):
    files = {path: handed.bytes(answer="one")}
    root = pack(tmp_path / "export.zip", files) if packed else put(tmp_path / "in", files)
    collected = collect(root, course)
    assert found(collected) == {("byronada_41", "add"): "one"}
    (student,) = collected.students
    assert (student.name, student.lms, student.lms_id) == ("byronada", "canvas", "41")


IMPOSTORS = {
    "canvas, a name that ends with a number": "byronada_41_66_977_add.ipynb",
    "canvas, two numbers": "x_41_977_66_978_add.ipynb",
    "canvas, late": "byronada_LATE_41_66_977_add.ipynb",
    "canvas, an archive": "byronada_41_66_977_add.zip",
}


@pytest.mark.parametrize("path", IMPOSTORS.values(), ids=IMPOSTORS)
def test_nobody_becomes_another_by_a_name(tmp_path, course, handed, path):
    files = {"byronada_41_900_add.ipynb": handed.bytes(answer="Ada's"), path: handed.bytes(answer="forged")}
    collected = collect(pack(tmp_path / "x.zip", files), course)
    assert found(collected) == {("byronada_41", "add"): "Ada's"}
    assert notes_of(collected, "refused") == [("", path)]


def test_a_file_whose_name_looks_like_moodles_stays_its_owners(tmp_path, course, handed):
    files = {
        "Ada_41_assignsubmission_file_add.ipynb": handed.bytes(answer="Ada's"),
        "Eve_66_assignsubmission_file_Ada_41_assignsubmission_file_add.ipynb": handed.bytes(answer="Eve's"),
        "Eve_66_assignsubmission_file_/Ada_41_assignsubmission_file_/port.ipynb": handed.bytes(
            "port", answer="Eve's"
        ),
    }
    assert found(collect(pack(tmp_path / "x.zip", files), course)) == {
        ("Ada_41", "add"): "Ada's",
        ("Eve_66", "add"): "Eve's",
        ("Eve_66", "port"): "Eve's",
    }


@pytest.mark.parametrize(
    ("path", "key", "late"),
    [
        ("o_brien_41_977_add.ipynb", "o_brien_41", False),
        ("anon_x1Y2z_977_add.ipynb", "anon_x1Y2z", False),
        ("LATE_anon_x1Y2z_977_add.ipynb", "anon_x1Y2z", True),
    ],
    ids=["underscore", "anonymous", "anonymous and late"],
)
def test_other_names_of_canvas(tmp_path, course, handed, path, key, late):
    collected = collect(pack(tmp_path / "x.zip", {path: handed.bytes(answer="one")}), course)
    assert found(collected) == {(key, "add"): "one"}
    assert bool(notes_of(collected, "late")) is late


def test_an_export_in_a_folder_is_opened(tmp_path, course, handed):
    pack(tmp_path / "in" / "week 1.zip", {"byronada_41_977_add.ipynb": handed.bytes()})
    pack(tmp_path / "in" / "week 2.zip", {"byronada_41_978_port.ipynb": handed.bytes("port")})
    assert set(found(collect(tmp_path / "in", course))) == {("byronada_41", "add"), ("byronada_41", "port")}


@pytest.mark.parametrize(
    "path",
    ["ada/work.zip", "ada.zip", "Ada_7_assignsubmission_file_/w.zip"],
    ids=["inside", "named", "moodle"],
)
def test_an_archive_of_one_student(tmp_path, course, handed, path):
    pack(tmp_path / "in" / path, {"01_rust_cells/add.ipynb": handed.bytes(answer="one")})
    ((who, exercise), body), *rest = found(collect(tmp_path / "in", course)).items()
    assert (who.lower()[:3], exercise, body, rest) == ("ada", "add", "one", [])


def test_canvas_says_late(tmp_path, course, handed):
    collected = collect(put(tmp_path / "in", {"byronada_LATE_41_977_add.ipynb": handed.bytes()}), course)
    assert notes_of(collected, "late") == [("byronada_41", "byronada_LATE_41_977_add.ipynb")]
    assert set(found(collected)) == {("byronada_41", "add")}


@pytest.mark.parametrize(
    ("stamp", "late"),
    [
        ("2026-11-20 11:59:59 UTC", False),
        ("2026-11-20 12:00:01 UTC", True),
        ("2026-11-20 12:30:00 +0100", False),
        ("2026-11-20T13:30:00+01:00", True),
        ("2026-11-20 12:00:00.5", True),
    ],
    ids=["before", "after", "zone before", "zone after", "no zone"],
)
def test_nbgrader_timestamps(tmp_path, course, handed, stamp, late):
    files = {"ada/01_rust_cells/add.ipynb": handed.bytes(), "ada/01_rust_cells/timestamp.txt": stamp.encode()}
    collected = collect(put(tmp_path / "in", files), course, due=DUE)
    assert bool(notes_of(collected, "late")) is late
    assert collected.submissions[0].submitted_at.startswith("2026-11-20T1")
    assert collected.undated == 0


def test_a_timestamp_that_is_none_is_said(tmp_path, course, handed):
    files = {
        "ada/01_rust_cells/add.ipynb": handed.bytes(),
        "ada/01_rust_cells/timestamp.txt": b"\xff\xff soon",
    }
    collected = collect(put(tmp_path / "in", files), course, due=DUE)
    assert notes_of(collected, "refused") == [("ada", "ada/01_rust_cells/timestamp.txt")]
    assert (set(found(collected)), collected.undated) == ({("ada", "add")}, 1)


@pytest.mark.parametrize("stamp", ["0001-01-01 00:00 +0100", "9999-12-31 23:59 -0100"], ids=["first", "last"])
def test_a_timestamp_beyond_the_calendar_is_one_note(tmp_path, course, handed, stamp):
    files = {"ada/01_rust_cells/add.ipynb": handed.bytes(), "ada/01_rust_cells/timestamp.txt": stamp.encode()}
    collected = collect(put(tmp_path / "in", files), course, due=DUE)
    assert notes_of(collected, "refused") == [("ada", "ada/01_rust_cells/timestamp.txt")]
    assert (set(found(collected)), collected.undated) == ({("ada", "add")}, 1)


EARLY, LATE = b"2026-11-01 10:00:00 UTC", b"2026-11-21 10:00:00 UTC"


def test_a_timestamp_that_was_handed_in_below_nbgraders_has_no_effect(tmp_path, course, handed):
    files = {
        "ada/01_rust_cells/timestamp.txt": LATE,
        "ada/01_rust_cells/sub/add.ipynb": handed.bytes(),
        "ada/01_rust_cells/sub/timestamp.txt": EARLY,
    }
    collected = collect(put(tmp_path / "in", files), course, due=DUE)
    assert [student for student, _ in notes_of(collected, "late")] == ["ada"]


@pytest.mark.parametrize("folder", ["Ada_41_assignsubmission_file_", "ada"], ids=["export", "archive"])
def test_a_timestamp_in_an_export_or_an_archive_is_the_students_own(tmp_path, course, handed, folder):
    files = {"add.ipynb": handed.bytes(), "timestamp.txt": EARLY}
    if folder == "ada":
        files = {"work.zip": pack(tmp_path / "work.zip", files).read_bytes()}
    collected = collect(
        put(tmp_path / "in", {f"{folder}/{name}": data for name, data in files.items()}), course, due=DUE
    )
    assert (len(collected.submissions), collected.undated) == (1, 1)


def test_a_timestamp_in_an_archive_that_looks_like_an_export_dates_nobodys_folder(tmp_path, course, handed):
    root = put(tmp_path / "in", {"ada/add.ipynb": handed.bytes(answer="Ada's")})
    other = {"Eve_66_assignsubmission_file_/add.ipynb": handed.bytes(), "ada/timestamp.txt": LATE}
    pack(root / "export.zip", other)
    collected = collect(root, course, due=DUE)
    assert found(collected)["ada", "add"] == "Ada's"
    assert (notes_of(collected, "late"), collected.undated) == ([], 2)
    assert notes_of(collected, "foreign") == [("ada", "ada/timestamp.txt")]


def test_parse_time_takes_a_zone_of_this_machine():
    assert parse_time("2026-11-20 12:00").tzinfo is UTC


def test_a_renamed_file_is_matched_by_what_is_in_it(tmp_path, course, handed):
    collected = collect(put(tmp_path / "in", {"ada/final version.ipynb": handed.bytes(answer="one")}), course)
    assert found(collected) == {("ada", "add"): "one"}
    assert notes_of(collected, "renamed") == [("ada", "ada/final version.ipynb")]


def test_content_counts_before_the_name(tmp_path, course, handed):
    collected = collect(put(tmp_path / "in", {"ada/add.ipynb": handed.bytes("port")}), course)
    assert set(found(collected)) == {("ada", "port")}
    assert notes_of(collected, "renamed")


def test_without_metadata_the_grade_ids_say_what_it_is(tmp_path, course, handed):
    notebook = handed.notebook("add", answer="one") | {"metadata": {}}
    collected = collect(put(tmp_path / "in", {"ada/x.ipynb": json.dumps(notebook).encode()}), course)
    assert found(collected) == {("ada", "add"): "one"}


def test_of_duplicates_one_counts_and_it_is_said_which(tmp_path, course, handed):
    files = {
        "ada/add.ipynb": handed.bytes(answer="named"),
        "ada/add (1).ipynb": handed.bytes(answer="copy"),
        "ada/old/add-Copy1.ipynb": handed.bytes(answer="other"),
    }
    collected = collect(put(tmp_path / "in", files), course)
    assert found(collected) == {("ada", "add"): "named"}
    assert len(notes_of(collected, "duplicate")) == 2
    (one,) = collected.submissions
    assert all("ada/add.ipynb is submitted for add too, and counts" in note.message for note in one.notes)


def test_the_later_of_two_counts(tmp_path, course, handed):
    files = {
        "ada/first/add.ipynb": handed.bytes(answer="late"),
        "ada/first/timestamp.txt": b"2026-11-20 10:00:00 UTC",
        "ada/second/add.ipynb": handed.bytes(answer="early"),
        "ada/second/timestamp.txt": b"2026-11-19 10:00:00 UTC",
    }
    assert found(collect(put(tmp_path / "in", files), course)) == {("ada", "add"): "late"}


def test_the_last_attempt_in_canvas_counts(tmp_path, course, handed):
    files = {
        f"byronada_41_9{n}_add{end}.ipynb": handed.bytes(answer=end)
        for n, end in enumerate(["-2", "-10", ""])
    }
    assert found(collect(put(tmp_path / "in", files), course)) == {("byronada_41", "add"): "-10"}


def test_in_canvas_the_attempt_of_an_archive_is_the_archives(tmp_path, course, handed):
    root = tmp_path / "in"
    pack(root / "byronada_41_977_work.zip", {"add-7.ipynb": handed.bytes(answer="first")})
    pack(root / "byronada_41_978_work-1.zip", {"add.ipynb": handed.bytes(answer="second")})
    assert found(collect(root, course)) == {("byronada_41", "add"): "second"}


BLANK = "\n\n"  # around what was released: no answer either


@pytest.mark.parametrize("answer", ["blank", "other"])
def test_outside_of_canvas_a_number_is_no_attempt(tmp_path, course, handed, answer):
    other = handed.bytes(answer="other") if answer == "other" else released(course)
    files = {"ada/add.ipynb": handed.bytes(answer="solved"), "ada/add-2.ipynb": other}
    collected = collect(put(tmp_path / "in", files), course)
    assert found(collected) == {("ada", "add"): "solved"}
    assert notes_of(collected, "duplicate") == [("ada", "ada/add-2.ipynb")]


def released(course, around: str = "") -> bytes:
    master = course.masters["add"]
    body = f"{around}{master.answers['answer'].body}{around}"
    return json.dumps(master.released.with_bodies({"answer": body}).notebook).encode()


@pytest.mark.parametrize("around", ["", BLANK], ids=["as it was", "with empty lines"])
@pytest.mark.parametrize(
    ("solved", "blank"),
    [
        ("ada/add-Copy1.ipynb", "ada/add.ipynb"),
        ("ada/first/add.ipynb", "ada/second/add.ipynb"),
        ("byronada_41_900_add.ipynb", "byronada_41_901_add-1.ipynb"),
    ],
    ids=["copy", "later", "canvas"],
)
def test_an_untouched_form_does_not_count_before_an_answer(tmp_path, course, handed, solved, blank, around):
    files = {solved: handed.bytes(answer="solved"), blank: released(course, around)}
    if "first" in solved:
        files |= {"ada/first/timestamp.txt": EARLY, "ada/second/timestamp.txt": LATE}
    collected = collect(put(tmp_path / "in", files), course)
    assert list(found(collected).values()) == ["solved"]
    (note,) = (note for note in collected.submissions[0].notes if note.kind == "duplicate")
    assert note.file == blank
    assert note.message.endswith(
        "counts: the other is as it was released, or has no answer that can be taken."
    )


def test_a_written_answer_alone_is_an_answer(tmp_path, course, handed):
    files = {"ada/add.ipynb": released(course), "ada/add-Copy1.ipynb": handed.bytes(why="Because.")}
    (one,) = collect(put(tmp_path / "in", files), course).submissions
    assert (one.file, one.bodies["why"]) == ("ada/add-Copy1.ipynb", "Because.")


def test_an_untouched_form_counts_before_what_cannot_be_read(tmp_path, course, handed):
    files = {"ada/add.ipynb": handed.bytes()[:-40], "ada/add (1).ipynb": released(course)}
    (one,) = collect(put(tmp_path / "in", files), course).submissions
    assert one.file == "ada/add (1).ipynb"


def test_a_file_that_can_be_read_counts_before_one_that_cannot(tmp_path, course, handed):
    files = {"ada/add.ipynb": handed.bytes()[:-40], "ada/add (1).ipynb": handed.bytes(answer="whole")}
    collected = collect(put(tmp_path / "in", files), course)
    assert found(collected) == {("ada", "add"): "whole"}
    assert notes_of(collected, "truncated") == [("ada", "ada/add.ipynb")]


def test_a_truncated_file_is_a_refused_submission(tmp_path, course, handed):
    (one,) = collect(put(tmp_path / "in", {"ada/add.ipynb": handed.bytes()[:-40]}), course).submissions
    assert (one.bodies, one.refused) == (
        {},
        "It ends in the middle: the whole file has to be handed in again.",
    )


def test_foreign_files_get_a_line_each(tmp_path, course, handed):
    other = b'{"nbformat": 4, "cells": [], "metadata": {}}'
    files = {
        "ada/notes.pdf": b"%PDF",
        "ada/other.ipynb": other,
        "stray.ipynb": handed.bytes(),
        "ada/.DS_Store": b"",
    }
    collected = collect(put(tmp_path / "in", files), course)
    assert notes_of(collected, "foreign") == [
        ("", "stray.ipynb"),
        ("ada", "ada/notes.pdf"),
        ("ada", "ada/other.ipynb"),
    ]
    assert not found(collected)


def test_a_flood_of_foreign_files_is_counted(tmp_path, course):
    collected = collect(pack(tmp_path / "x.zip", {f"ada/{n}.txt": b"" for n in range(500)}), course)
    assert len(collected.notes) == 21
    assert collected.notes[-1].message == "480 more notes of this kind."


def test_two_students_whose_names_differ_by_case_stay_two(tmp_path, course, handed):
    files = {"ada/add.ipynb": handed.bytes(answer="small"), "ADA/add.ipynb": handed.bytes(answer="capital")}
    collected = collect(put(tmp_path / "in", files), course)
    assert found(collected) == {("ada", "add"): "small", ("ADA", "add"): "capital"}
    assert len(notes_of(collected, "collision")) == 1


@pytest.mark.parametrize("other", ["Ada", "ada ", " ada", "ADA", "ada  "])
def test_nobody_takes_the_key_of_another_by_a_name_that_is_nearly_the_same(tmp_path, course, handed, other):
    files = {"ada/add.ipynb": handed.bytes(answer="honest")}
    files[f"{other}/add.ipynb"] = handed.bytes(answer="another's")
    collected = collect(put(tmp_path / "in", files), course)
    assert found(collected)["ada", "add"] == "honest"
    assert len(collected.students) == len(files)


def test_nobody_hands_in_for_another_by_an_archive_that_looks_like_an_export(tmp_path, course, handed):
    bob = "Bob_2_assignsubmission_file_/add.ipynb"
    root = put(tmp_path / "in", {bob: handed.bytes(answer="honest")})
    pack(root / "ada.zip", {bob: handed.bytes(answer="another's")})
    collected = collect(root, course)
    assert found(collected) == {("Bob_2", "add"): "honest"}
    assert notes_of(collected, "duplicate")


def test_two_ways_of_writing_an_accent_are_two_students(tmp_path, course, handed):
    files = {
        "Zo\u00eb/add.ipynb": handed.bytes(answer="one"),
        "Zoe\u0308/add.ipynb": handed.bytes(answer="two"),
    }
    collected = collect(pack(tmp_path / "x.zip", files), course)
    assert sorted(found(collected).values()) == ["one", "two"]
    assert len({student.key for student in collected.students}) == 2


def test_a_number_cannot_be_taken_by_a_name(tmp_path, course, handed):
    """A student who calls himself what a second Ada would be called does not become her."""
    files = {
        f"{name}/add.ipynb": handed.bytes(answer=name)
        for name in ("ada", "ADA", "ada (2)", "ADA (2)", "Ada (2) (2)")
    }
    collected = collect(pack(tmp_path / "x.zip", files), course)
    assert len({student.key for student in collected.students}) == 5
    assert sorted(found(collected).values()) == sorted(["ada", "ADA", "ada (2)", "ADA (2)", "Ada (2) (2)"])


def test_two_with_one_name_in_moodle_stay_two(tmp_path, course, handed):
    files = {f"Ada_{n}_assignsubmission_file_/add.ipynb": handed.bytes(answer=str(n)) for n in (1, 2)}
    assert found(collect(put(tmp_path / "in", files), course)) == {
        ("Ada_1", "add"): "1",
        ("Ada_2", "add"): "2",
    }


def test_names_that_are_no_utf8_are_shown(tmp_path, course, handed):
    put(tmp_path / "in", {f"{os.fsdecode(b'ad' + bytes([255]))}/add.ipynb": handed.bytes()})
    ((who, _),) = found(collect(tmp_path / "in", course))
    who.encode()
    assert who == "ad\\xff"


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "pipe"])
def test_what_is_no_ordinary_file_is_not_opened(tmp_path, course, handed, kind):
    outside = put(tmp_path / "outside", {"add.ipynb": handed.bytes(answer="stolen")})
    root = put(tmp_path / "in", {"bob/add.ipynb": handed.bytes(answer="own")})
    (root / "ada").mkdir()
    if kind == "pipe":
        os.mkfifo(root / "ada" / "add.ipynb")
    elif kind == "link to a file":
        (root / "ada" / "add.ipynb").symlink_to(outside / "add.ipynb")
    else:
        (root / "ada" / "01").symlink_to(outside, target_is_directory=True)
    collected = collect(root, course)
    assert found(collected) == {("bob", "add"): "own"}
    assert len(notes_of(collected, "refused")) == 1


@pytest.mark.parametrize("what", ["nothing", "no archive", "empty"])
def test_what_cannot_be_submissions_is_refused(tmp_path, course, what):
    path = tmp_path / "x.zip"
    if what != "nothing":
        path.write_bytes(b"" if what == "empty" else b"PK no archive")
    with pytest.raises(UsageError):
        collect(path, course)


def test_the_order_on_disk_changes_nothing(tmp_path, course, handed):
    files = {f"s{n}/{name}.ipynb": handed.bytes(name) for n in range(4) for name in ("add", "port")}
    first = collect(pack(tmp_path / "a.zip", files), course)
    second = collect(pack(tmp_path / "b.zip", dict(reversed(files.items()))), course)
    assert first == second


def test_a_mistake_of_ours_is_one_file(tmp_path, course, handed, monkeypatch):
    def wrong(data):
        if b"mischief" in data:
            raise ZeroDivisionError
        return real(data)

    from wasm_lab.grading import collect as module

    real = module.read_notebook
    monkeypatch.setattr(module, "read_notebook", wrong)
    files = {"ada/add.ipynb": handed.bytes(answer="mischief"), "bob/add.ipynb": handed.bytes(answer="fine")}
    collected = collect(put(tmp_path / "in", files), course)
    assert found(collected) == {("bob", "add"): "fine"}
    assert notes_of(collected, "refused") == [("ada", "ada/add.ipynb")]


@pytest.mark.parametrize("where", ["report", "out/report", "ada/report"])
def test_a_report_among_the_submissions_is_nobody(tmp_path, course, handed, where):
    files = {"ada/add.ipynb": handed.bytes(answer="one")}
    files |= {f"{where}/{name}": b"" for name in ("journal.jsonl", "index.html", "students/ada.html")}
    collected = collect(put(tmp_path / "in", files), course)
    assert [who.key for who in collected.students] == ["ada"]
    assert [(note.file, note.message) for note in collected.notes] == [
        (where, "It is a report of wasm-lab grade, and nobody's.")
    ]


@pytest.mark.parametrize("name", ["journal.jsonl", "x/journal.jsonl"])
def test_a_journal_that_is_handed_in_hides_nobodys_work(tmp_path, course, handed, name):
    files = {f"ada/{name}": b"", "ada/x/add.ipynb": handed.bytes(answer="one")}
    assert found(collect(put(tmp_path / "in", files), course)) == {("ada", "add"): "one"}
    listed = {f"Ada_41_assignsubmission_file_/{name}": b""}
    assert [who.key for who in collect(put(tmp_path / "lms", listed), course).students] == ["Ada_41"]


@pytest.mark.parametrize(
    ("files", "says"),
    [({}, "a folder for each student"), ({"add.ipynb": b"{}"}, "add.ipynb: It lies in no student's folder")],
    ids=["nothing", "nobody's"],
)
def test_where_nobody_handed_in_anything_is_told(tmp_path, course, files, says):
    (tmp_path / "in").mkdir()
    with pytest.raises(UsageError, match="in holds no submissions") as raised:
        collect(put(tmp_path / "in", files), course)
    assert says in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20 +01:00", "2026-11-20T22:59:59"),
        ("2026-11-20 UTC", "2026-11-20T23:59:59"),
        ("2026-11-20 12:00 UTC", "2026-11-20T12:00:00"),
    ],
)
def test_a_deadline_without_a_time_is_the_end_of_its_day(text, time):
    assert parse_due(text).isoformat(timespec="seconds") == f"{time}+00:00"


def test_a_deadline_without_a_zone_is_this_machines():
    assert parse_due("2026-11-20") == datetime(2026, 11, 20, 23, 59, 59, 999_999).astimezone()
