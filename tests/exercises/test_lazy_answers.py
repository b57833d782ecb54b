"""Answers that do none of the work, a constant or a table of what is visible, get a third of the points at most."""

from __future__ import annotations

import pytest

from wasm_lab.exercises.course import Course
from wasm_lab.exercises.notebook import Exercise
from wasm_lab.exercises.running import run_exercise

MASTERS = {path.stem: path for path in Course.own().masters()}

LAZY = {
    ("time_of_day", "a constant error"): """
        pub fn minutes(text: &str) -> Result<u32, String> { Err(text.to_string()) }""",
    ("time_of_day", "a constant time"): "pub fn minutes(_: &str) -> Result<u32, String> { Ok(450) }",
    ("time_of_day", "a table"): """
        pub fn minutes(text: &str) -> Result<u32, String> {
            match text { "07:30" => Ok(450), "00:00" => Ok(0), "23:59" => Ok(1439), _ => Err(text.to_string()) }
        }""",
    ("thousandths", "a constant"): 'pub fn degrees(_: i64) -> String { "0.000".to_string() }',
    ("thousandths", "a table"): """
        pub fn degrees(thousandths: i64) -> String {
            match thousandths { 21_500 => "21.500", 7 => "0.007", -12_050 => "-12.050", _ => "0.000" }.to_string()
        }""",
    ("nearest_pixel", "nothing"): """
        pub fn source_of(_: u32, _: u32, _: u32) -> u32 { 0 }
        pub fn resize_row(_: &[u8], _: u32) -> Vec<u8> { Vec::new() }""",
    ("nearest_pixel", "one pixel"): """
        pub fn source_of(_: u32, old: u32, _: u32) -> u32 { old - 1 }
        pub fn resize_row(_: &[u8], new: u32) -> Vec<u8> { vec![0; new as usize] }""",
    ("nearest_pixel", "a table"): """
        pub fn source_of(_: u32, old: u32, _: u32) -> u32 { if old == 4 { 3 } else { 0 } }
        pub fn resize_row(row: &[u8], _: u32) -> Vec<u8> {
            match row { b"ab" => b"aabb".to_vec(), row => row.to_vec() }
        }""",
}


@pytest.mark.slow  # each compiles an answer
@pytest.mark.parametrize(("name", "way"), LAZY, ids=" ".join)
def test_a_lazy_answer_gets_little(name: str, way: str) -> None:
    master = Exercise.read(MASTERS[name])
    checked = run_exercise(master.with_bodies({"answer": LAZY[name, way]}))
    assert checked.broken == {}
    assert checked.points <= sum(test.max_points for test in checked.tests) / 3


@pytest.mark.slow  # each compiles an answer
@pytest.mark.parametrize("way", ["nothing", "one pixel"])
def test_rows_that_say_nothing_are_no_mirror_images_and_do_not_reach_their_ends(way: str) -> None:
    checked = run_exercise(
        Exercise.read(MASTERS["nearest_pixel"]).with_bodies({"answer": LAZY["nearest_pixel", way]})
    )
    (hidden,) = [test for test in checked.tests if test.grade_id == "hidden"]
    passed = {case.name for case in hidden.cases if case.passed}
    # The last pixel is what two cases ask for, so whoever always gives it has those.
    assert passed <= {"the last of a very wide row", "a wide row made wider"}
