"""Every ready twin gives Rust's answers: in node, in Python, and so does what is built in."""

from __future__ import annotations

import functools
import hashlib
import json
import random
import re
from typing import Any

import pytest

import wasm_lab
from wasm_lab.errors import GuestError, ProbeError
from wasm_lab.live import LiveCell
from wasm_lab.source import Kind, Source
from wasm_lab.subjects import function_subjects, places
from wasm_lab.twins import first_difference, js_twin_for, python_twin_for, samples_folder

needs_node = pytest.mark.skipif(bool(places()["javascript"]), reason=places()["javascript"] or "node is here")

KERNELS = sorted(path.stem for path in (samples_folder() / "kernels").glob("*.rs"))

_random = random.Random(4)


def _matrix(n: int) -> list[float]:
    return [_random.uniform(-1, 1) for _ in range(n * n)]


def _pixels(width: int, height: int) -> bytes:
    return _random.randbytes(4 * width * height)


def _numbers(count: int, low: int = -(2**31), high: int = 2**31 - 1) -> list[int]:
    return [_random.randint(low, high) for _ in range(count)]


def _orders(*customers: str, **more: Any) -> str:
    return json.dumps([{"customer": name, "items": [{"cents": 5, **more}]} for name in customers])


#: Names that UTF-16 and code points order differently, that need escapes, that are special in JavaScript.
_NAMES = ["\U0001d11e", "\uffee", "a", "", '\x00\x1f"\\/\b\f\n\r\t\x7f\u2028', "__proto__", "constructor"]

CASES: dict[str, list[tuple[Any, ...]]] = {
    "fib": [(0,), (1,), (2,), (20,)],
    "fib_iterative": [(0,), (1,), (2,), (93,), (94,), (1000,), (100_000,)],
    "count_primes": [(0,), (1,), (2,), (3,), (4,), (9,), (10,), (25,), (26,), (100_000,)],
    "primes": [(0,), (1,), (2,), (3,), (26,), (10_000,)],
    "energy_after": [(0,), (1,), (2,), (1000,)],
    "places_after": [(0,), (1,), (1000,)],
    "multiply": [([], [], 0), ([2.0], [3.5], 1), (_matrix(5), _matrix(5), 5), (_matrix(40), _matrix(40), 40)],
    "multiply_textbook": [([], [], 0), ([2.0], [3.5], 1), (_matrix(5), _matrix(5), 5)],
    "trace_of_product": [(0,), (1,), (2,), (60,)],
    "sha256": [
        (bytes(range(256)) * 4,),
        *((_random.randbytes(n),) for n in (0, 1, 55, 56, 63, 64, 65, 119, 120)),
    ],
    "sha256_hex": [("",), ("abc",), ("naïve 日本 \U0001d11e",), ("x" * 10_000,)],
    "sha256_of_letters": [(0,), (1,), (55,), (56,), (64,), (100_000,)],
    "totals_by_customer": [
        ("[]",),
        (" \t\r\n[ ] ",),
        (_orders(*_NAMES),),
        (_orders(*_NAMES, *_NAMES, quantity=3, note={"__proto__": [None, True, 1.5e-3]}),),
        ((samples_folder() / "texts/orders.json").read_text(encoding="utf-8"),),
        (
            r'[{"customer":"\ud834\udd1e\u00E9\/","items":[{"cents":12e0,"cents":-0,"quantity":9007199254740991}]}]',
        ),
        ('[{"items":[{"cents":9007199254740991}],"customer":"é","more":[[[]],{},"\U0001d11e",1E400,-0.5]}]',),
    ],
    "totals_of_noise": [(0,), (1,), (2,), (1000,)],
    "escape_time": [(0.0, 0.0, 0), (0.0, 0.0, 1), (2.0, 2.0, 50), (-0.75, 0.001, 10_000), (-0.75, 0.1, 20)],
    "mandelbrot": [(0, 0, 10), (0, 3, 10), (1, 1, 1), (7, 5, 100), (40, 30, 60)],
    "points_inside": [(0,), (1,), (2,), (60,)],
    "resize": [
        (_pixels(1, 1), 1, 1, 1, 1),
        (_pixels(1, 1), 1, 1, 5, 3),
        (_pixels(9, 7), 9, 7, 1, 1),
        (_pixels(9, 7), 9, 7, 9, 7),
        (_pixels(9, 7), 9, 7, 31, 4),
        (_pixels(64, 48), 64, 48, 33, 50),
        (b"\xff" * 4 * 30, 6, 5, 11, 13),
    ],
    "resize_noise": [(1,), (2,), (3,), (150,)],
    "levenshtein": [
        ("", ""),
        ("", "abc"),
        ("kitten", "sitting"),
        ("naïve 日本\U0001d11e", "naive 日\U0001d11e本"),
        ("ab" * 150, "ba" * 130),
    ],
    "levenshtein_of_noise": [(0,), (1,), (2,), (300,)],
    "quicksort": [
        ([],),
        ([7],),
        (_numbers(16),),
        (_numbers(17),),
        (_numbers(5000),),
        (_numbers(3000, 0, 3),),
        (list(range(2000)),),
        (list(range(2000, 0, -1)),),
        ([5] * 2000,),
        ([2**31 - 1, -(2**31)] * 20,),
    ],
    "merge_sort": [([],), ([7],), (_numbers(2),), (_numbers(3),), (_numbers(4097),), ([5] * 1000,)],
    "quicksort_noise": [(0,), (1,), (16,), (17,), (20_000,)],
    "merge_sort_noise": [(0,), (1,), (2,), (20_000,)],
}

#: What Rust answers with Err, and the twins by raising and throwing.
REFUSED: dict[str, list[tuple[Any, ...]]] = {
    "multiply": [([1.0], [1.0, 2.0], 1)],
    "resize": [(b"", 0, 0, 1, 1), (b"abc", 1, 1, 1, 1), (b"abcd", 1, 1, 0, 1), (b"abcd", 1, 1, 1, 16_385)],
    "resize_noise": [(0,)],
    "totals_by_customer": [
        (text,)
        for text in [
            "", "[", "[1]", "[null]", "{}", "[] []", "[,]", '["a"]', '[{"customer":1,"items":[]}]', "[{]",
            '[{"customer":"a"}]', '[{"customer":"a","items":{}}]', '[{"customer":"a","items":[null]}]',
            '[{"customer":"a","items":[[]]}]', '[{"customer":"a","items":[{"quantity":1}]}]',
            _orders("a", cents=1.5), _orders("a", cents=-1), _orders("a", cents="1"), _orders("a", cents=True),
            _orders("a", quantity=None), _orders("a", cents=2**53), _orders("a", cents=2**53 - 1, quantity=2),
            _orders("a", "a", cents=2**53 - 1), '[{"customer":"\\ud800","items":[]}]', '["\\u12g4"]', "[01]",
            '[{"customer":"a","items":[]},]', '["\t"]', '["a', "[1.]", "[.1]", "[1e]", "[-]", "[NaN]", "[\0]",
            "[" * 5000, "[\ufeff]", "[\u00a0]", '["\\x"]', "['a']", "[tru]",
        ]
    ],
}  # fmt: skip


@functools.cache
def code(kernel: str, ending: str = "rs") -> str:
    return (samples_folder() / "kernels" / f"{kernel}.{ending}").read_text(encoding="utf-8")


@functools.cache
def public(kernel: str) -> tuple[str, ...]:
    return tuple(re.findall(r"^pub fn (\w+)", code(kernel), re.MULTILINE))


def kernel_of(function: str) -> str:
    return next(kernel for kernel in KERNELS if function in public(kernel))


@functools.cache
def rust(kernel: str) -> LiveCell:
    return wasm_lab.load(code(kernel))


def python(function: str) -> Any:
    names: dict[str, Any] = {}
    text = python_twin_for(function)
    assert text is not None
    exec(text, names)
    return names[function]


def javascript(function: str, args: tuple[Any, ...], twin: str | None = None) -> Any:
    kernel = code(kernel_of(function))
    source = Source(code=kernel, kind=Kind.FUNCTIONS)
    [subject] = function_subjects(
        source, function, args, places=["javascript"], js_twin=twin or js_twin_for(function)
    )
    return subject.answer().value


def test_every_function_of_every_kernel_is_here() -> None:
    functions = [function for kernel in KERNELS for function in public(kernel)]
    assert len(KERNELS) == 10
    assert len(set(functions)) == len(functions), "a twin is found by its function's name alone"
    assert sorted(CASES) == sorted(functions)
    assert all(len(cases) >= 3 for cases in CASES.values())


@pytest.mark.parametrize("kernel", KERNELS)
def test_each_function_has_its_twins_and_their_parameters_its_names(kernel: str) -> None:
    for function in public(kernel):
        names = [each.name for each in inspect_parameters(kernel, function)]
        for found, ending in ((js_twin_for, "js"), (python_twin_for, "py")):
            assert found(function, names) == code(kernel, ending), (function, ending)
            assert found(function, [*names, "more"]) is None


def inspect_parameters(kernel: str, function: str) -> Any:
    import inspect

    return inspect.signature(rust(kernel).functions[function]).parameters.values()


def test_what_is_no_kernel_has_no_twin() -> None:
    assert js_twin_for("no_such_function") is None
    assert python_twin_for("no_such_function") is None
    assert js_twin_for("checksum") is None, "a twin's own functions are not for others"
    assert python_twin_for("_checksum") is None


@pytest.mark.parametrize("function", CASES)
def test_python_gives_rusts_answers(function: str) -> None:
    twin, original = python(function), rust(kernel_of(function)).functions[function]
    for args in CASES[function]:
        assert first_difference(original(*args), twin(*args), rel_tol=0, abs_tol=0) is None, args


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("function", CASES)
def test_javascript_gives_rusts_answers(function: str) -> None:
    original = rust(kernel_of(function)).functions[function]
    for args in CASES[function]:
        found = javascript(function, args)
        assert first_difference(original(*args), found, rel_tol=0, abs_tol=0) is None, args


@pytest.mark.parametrize("function", REFUSED)
def test_python_refuses_what_rust_refuses(function: str) -> None:
    twin, original = python(function), rust(kernel_of(function)).functions[function]
    for args in REFUSED[function]:
        with pytest.raises(GuestError):
            original(*args)
        with pytest.raises((ValueError, TypeError)):
            twin(*args)


@needs_node
@pytest.mark.slow
@pytest.mark.parametrize("function", REFUSED)
def test_javascript_refuses_what_rust_refuses(function: str) -> None:
    for args in REFUSED[function]:
        with pytest.raises(ProbeError, match=r"(Syntax|Range|Type)Error"):
            javascript(function, args)


@needs_node
@pytest.mark.parametrize("function", ["totals_by_customer", "totals_of_noise", "quicksort_noise"])
def test_what_is_built_in_gives_the_same_answers(function: str) -> None:
    names: dict[str, Any] = {}
    exec(python_twin_for(f"{function}_builtin") or "", names)
    twin = f"{js_twin_for(f'{function}_builtin')}\n{function} = {function}_builtin;"
    original = rust(kernel_of(function)).functions[function]
    for args in CASES[function]:
        # A number that no float holds is Infinity to JSON.parse, as to the kernel.
        assert names[f"{function}_builtin"](*args) == original(*args), args
        assert javascript(function, args, twin) == original(*args), args


def test_the_hash_is_hashlibs() -> None:
    for (data,) in CASES["sha256"]:
        assert python("sha256")(data) == hashlib.sha256(data).digest()


@needs_node
@pytest.mark.parametrize(
    ("function", "args", "right", "wrong", "message"),
    [
        (
            "primes",
            (26,),
            "number * number < limit",
            "number * number < limit - 1",
            "at [9]: expected nothing, found 25",
        ),
        ("quicksort_noise", (100,), "Math.imul(sum, 31)", "Math.imul(sum, 33)", "expected "),
        ("energy_after", (1,), "const STEP = 0.01", "const STEP = 0.011", "floats may differ by 1e-09"),
        ("sha256_hex", ("abc",), "(x >>> 3)", "(x >>> 4)", "at [0]: expected 'ba7816bf"),
        ("totals_by_customer", (_orders("b", "a"),), "return a - b", "return b - a", "at [14]: expected"),
    ],
)
def test_a_planted_fault_is_found(
    function: str, args: tuple[Any, ...], right: str, wrong: str, message: str
) -> None:
    twin = js_twin_for(function)
    assert twin is not None
    assert twin.count(right) == 1
    expected = rust(kernel_of(function)).functions[function](*args)
    assert first_difference(expected, javascript(function, args, twin)) is None
    difference = first_difference(expected, javascript(function, args, twin.replace(right, wrong)))
    assert difference is not None
    assert message in str(difference)
