"""Text that someone else chose, as it stands in a report: pages, CSV, XML, file names."""

from __future__ import annotations

import csv
import io
import unicodedata
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasm_lab.grading.report.cells import cell, csv_text, number, uncell
from wasm_lab.grading.report.names import file_stem
from wasm_lab.grading.report.text import capped, shown, visible

#: Any code point, surrogates too: JSON of a submission can hold them.
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)

HIDDEN = {
    "right-to-left override": "\u202e",
    "left-to-right isolate": "\u2066",
    "zero-width space": "\u200b",
    "zero-width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "tag letter": "\U000e0041",
    "line separator": "\u2028",
    "filler of Hangul": "\u3164",
    "lone surrogate": "\ud800",
    "noncharacter": "\uffff",
    "escape": "\x1b",
    "eight-bit CSI": "\x9b",
    "bell": "\a",
    "null": "\0",
    "carriage return": "\r",
}


@pytest.mark.parametrize("letter", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_cannot_be_seen_becomes_a_mark(letter: str) -> None:
    text = visible(f"a{letter}b")
    assert letter not in text
    assert len(text) > 2
    assert text.startswith("a")
    assert text.endswith("b")


@given(ANY)
def test_visible_text_is_utf8_and_xml(text: str) -> None:
    for lines in (True, False):
        result = visible(text, lines=lines)
        element = ET.Element("text", name=visible(text, lines=False))
        element.text = result
        back = ET.fromstring(ET.tostring(element, encoding="utf-8"))
        assert (back.text or "") == result
        kept = "\n\t" if lines else ""
        assert not [
            one
            for one in result
            if one not in kept
            and unicodedata.category(one)[0] == "C"
            and unicodedata.category(one) not in ("Cn", "Co")
        ]


@given(ANY)
def test_visible_text_is_left_as_it_is_the_second_time(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_accents_do_not_climb_over_other_lines() -> None:
    assert len(visible("a" + "\u0301" * 5000)) < 20
    assert visible("Nguyễn Phạm") == "Nguyễn Phạm"


def test_a_flood_is_cut_and_says_so() -> None:
    assert shown("x" * 5_000_000, 100).endswith("(4999900 more characters)")
    assert capped("abc", 3) == "abc"
    assert capped("abcd", 3).endswith("(1 more character)")


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "  =1",
    "\u00a0=1",
    "＝1+1",
    "＠x",
    "|cmd",
    "%x",
    "\n=1",
]


@pytest.mark.parametrize("formula", FORMULAS, ids=range(len(FORMULAS)))
def test_no_cell_is_a_formula(formula: str) -> None:
    assert cell(formula).startswith(("'", "␍"))
    assert next(csv.reader(io.StringIO(csv_text([[formula]])))) == [cell(formula)]


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@given(st.text(st.sampled_from("=+-@＝;,\t\n\"' a"), max_size=12))
def test_no_text_becomes_a_formula_where_lists_have_another_separator(separator: str, text: str) -> None:
    written = csv_text([["w1", text, 1.0, text]])
    for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator):
        assert not [value for value in row if value.lstrip(" ").startswith(tuple("=+-@＝"))]


@pytest.mark.parametrize(
    "text",
    ["Eve;=1+1", "Because of this:\n=1+1", "a, -1", 'she said "=1"', "one\t@x", ";  =1", "\n\n- one\n- two"],
    ids=range(7),
)
def test_a_sign_within_a_text_gets_an_apostrophe_that_goes_again(text: str) -> None:
    assert cell(text) != text
    assert uncell(cell(text)) == text


def test_a_cell_of_signs_alone_stays_within_what_a_spreadsheet_holds() -> None:
    once = cell("=;" * 50_000)
    assert len(once) < 32_767
    assert next(csv.reader(io.StringIO(csv_text([[once]])))) == [once]


@given(ANY)
def test_a_cell_keeps_its_text_however_often_it_is_written(text: str) -> None:
    once = cell(text)
    assert cell(once) == once
    assert cell(uncell(once)) == once
    assert next(csv.reader(io.StringIO(csv_text([[text, "next"]]), newline=""))) == [once, "next"]


def test_points_are_written_as_people_do() -> None:
    assert [number(value) for value in (0.0, 0.5, 2.0, 10.0, 1 / 3, 100.0)] == [
        "0",
        "0.5",
        "2",
        "10",
        "0.3333",
        "100",
    ]


@given(ANY)
def test_names_of_files_are_safe(student: str) -> None:
    stem = file_stem(student)
    assert stem == stem.lower()
    assert stem.isascii()
    assert len(stem) <= 60
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_names_of_files_differ_where_names_do() -> None:
    students = [
        "ada",
        "Ada",
        "ADA",
        "ada ",
        "../ada",
        "a/da",
        "adá",
        "ada\u200b",
        "con",
        "NUL",
        "",
        ".",
        "..",
        "x" * 300,
    ]
    students += ["x" * 301, file_stem("ada"), "ａｄａ"]
    assert len({file_stem(student) for student in students}) == len(students)
    assert file_stem("con") != "con"
