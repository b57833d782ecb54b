"""The kernels of the samples give one answer everywhere, and the harness is what it says it is."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from wasm_lab.build import build
from wasm_lab.build.wasm_tools import wasm_tools
from wasm_lab.run import Phase
from wasm_lab.source import Kind, Source
from wasm_lab.subjects import function_subjects, places
from wasm_lab.subjects.functions import input_text
from wasm_lab.subjects.harness import harness_for
from wasm_lab.twins import first_difference

HERE = places()
PLACES = [place for place, why in HERE.items() if not why]
KERNELS = Path(__file__).parents[2] / "wasm_samples" / "kernels"

_random = random.Random(1)
MATRIX = [_random.random() for _ in range(36)]
CASES = [
    ("fib", "fib", (12,)),
    ("levenshtein", "levenshtein", ("kitten" * 5, "sitting" * 5)),
    ("mandelbrot", "mandelbrot", (8, 6, 30)),
    ("matrix", "multiply", (MATRIX, MATRIX, 6)),
    ("n_body", "places_after", (20,)),
    ("sha256", "sha256", (b"abc" * 50,)),
    ("sieve", "primes", (500,)),
    ("sort", "quicksort", ([_random.randrange(-1000, 1000) for _ in range(200)],)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kernel", "function", "args"), CASES, ids=[case[1] for case in CASES])
def test_a_kernel_gives_the_same_answer_everywhere(kernel, function, args):
    code = (KERNELS / f"{kernel}.rs").read_text(encoding="utf-8")
    js, python = ((KERNELS / f"{kernel}.{ending}").read_text(encoding="utf-8") for ending in ("js", "py"))
    subjects = function_subjects(
        Source(code=code, kind=Kind.FUNCTIONS, name=kernel),
        function,
        args,
        places=PLACES,
        js_twin=js,
        python_twin=python,
    )
    expected = subjects[0].answer().value
    for subject in subjects[1:]:
        assert first_difference(expected, subject.answer().value) is None, subject.name


def source(code: str, **more) -> Source:
    return Source(code=code, kind=Kind.FUNCTIONS, **more)


def test_every_kernel_has_one_crate_name_and_so_one_module():
    """A name alone moves a kernel's speed, so the user's own name of a cell must not."""
    code = "pub fn f(n: u32) -> u32 { n }"
    one, other = (harness_for(source(code, name=name), "f", (1,)) for name in ("one", "other"))
    assert build(one.source, incremental=False).sha256 == build(other.source, incremental=False).sha256


def test_a_kernel_that_asks_to_be_inlined_is_still_called_through_a_pointer():
    code = "#[inline(always)] pub fn f(n: u32) -> u32 { n.rotate_left(3) ^ 0x1234567 }"
    wasm = build(harness_for(source(code), "f", (1,)).source, incremental=False).wasm
    text = wasm_tools(["print", "-"], wasm).decode()
    functions = re.split(r"\n  \(func ", text)
    calling = next(each for each in functions if "5again17h" in each.splitlines()[0])
    assert "call_indirect" in calling
    assert "19088743" not in calling  # the constant of the function itself


def test_the_arguments_size_the_portions_of_copies():
    small = harness_for(source("pub fn f(mut x: Vec<u8>) -> Vec<u8> { x.reverse(); x }"), "f", (b"a",))
    large = harness_for(
        source("pub fn f(mut x: Vec<u8>) -> Vec<u8> { x.reverse(); x }"), "f", (bytes(10**6),)
    )
    assert "left.min(1)" in large.source.code
    assert "left.min(1)" not in small.source.code


def test_inputs_are_told_shortly():
    assert input_text((1, 2.5, None, True)) == "1, 2.5, None, True"
    assert input_text(("x" * 100, [1] * 100, b"ab")) == "text[100], list[100], b'ab'"


@pytest.mark.slow
@pytest.mark.parametrize("place", [place for place in ("wasmtime", "native") if place in PLACES])
def test_a_kernel_with_crates_is_timed_too(place):
    code = "pub fn f(n: u32) -> String { let mut buffer = itoa::Buffer::new(); buffer.format(n).to_owned() }"
    with_crate = source(code, dependencies={"itoa": "1"})
    [subject] = function_subjects(with_crate, "f", (1234,), places=[place])
    assert subject.answer().value == "1234"
    probe = subject.start()
    try:
        assert probe.time(Phase.CALL, 10).duration_ns > 0
    finally:
        probe.close()
