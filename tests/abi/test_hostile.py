"""Guests that return what no Rust function returns: LoadError, never a crash or a huge allocation."""

from __future__ import annotations

import contextlib
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from wasm_lab import abi
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells.functions import public_functions
from wasm_lab.cells.syntax import Syntax
from wasm_lab.errors import GuestError, LoadError
from wasm_lab.runtimes import get_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import FakeGuest

TYPES = [
    "bool",
    "char",
    "u8",
    "i16",
    "u64",
    "i128",
    "String",
    "&str",
    "Vec<u8>",
    "Vec<f64>",
    "Vec<bool>",
    "Vec<char>",
    "Vec<i128>",
    "[f64; 3]",
    "Vec<String>",
    "Vec<Vec<Vec<u8>>>",
    "Vec<(u8, f64)>",
    "Option<bool>",
    "(String, Vec<f64>)",
    "HashMap<String, Option<char>>",
    "HashSet<char>",
    "Result<(), String>",
    "Result<u64, String>",
    "Result<Option<(f64, f64)>, String>",
]

#: Places that exist, with the mark of ``Err`` or without.
PLACES = st.tuples(st.integers(0, 64), st.integers(0, 64), st.booleans()).map(
    lambda parts: parts[0] | parts[1] << 32 | -parts[2] << 63
)
#: Any bytes, and bytes that are often valid lengths and tags.
MEMORIES = st.binary(max_size=64) | st.binary(max_size=64).map(lambda data: bytes(byte % 4 for byte in data))


@pytest.mark.parametrize("kind", TYPES)
def test_whatever_a_guest_returns_is_a_value_or_an_error_of_the_lab(
    kind: str, bound: Callable[..., Any], fake_guest: type[FakeGuest]
) -> None:
    guest = fake_guest()
    function = bound(f"fn f() -> {kind}", guest)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(-(1 << 63), (1 << 63) - 1) | PLACES, MEMORIES)
    @example(-1, b"")
    @example(0x7FFFFFFF_FFFFFFFF, b"")
    @example(4 << 32, b"\xff\xff\xff\xff")
    def check(result: int, memory: bytes) -> None:
        guest.result = result
        guest.memory[: len(memory)] = memory
        try:
            function()
        except LoadError as error:
            refused.append(str(error))
        except GuestError:
            assert kind.startswith("Result")

    refused: list[str] = []
    check()
    assert all("f(): the guest returned" in text for text in refused)


@pytest.mark.parametrize("kind", [kind for kind in TYPES if "Vec" in kind or "Hash" in kind])
def test_a_length_that_cannot_be_allocates_nothing(
    kind: str, bound: Callable[..., Any], fake_guest: type[FakeGuest]
) -> None:
    guest = fake_guest(64 << 32)
    guest.memory[:64] = b"\xff\xff\xff\x7f" * 16
    function = bound(f"fn f() -> {kind}", guest)
    tracemalloc.start()
    try:
        with contextlib.suppress(LoadError):
            function()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("kind", "result", "memory", "words"),
    [
        ("bool", 2, b"", "returned 2 for a bool"),
        ("char", 0xD800, b"", "returned 0xd800 for a char"),
        ("char", -1, b"", "for a char"),
        ("u8", 256, b"", "returned 256 for a u8"),
        ("String", 1 << 32, b"\xff", "returned text that is no UTF-8"),
        ("String", 0x7FFFFFFF << 32, b"", "returned a place for its result that does not exist"),
        ("Vec<f64>", 0xFFFF | 1 << 32, b"", "returned a place for its result that does not exist"),
        ("Vec<bool>", 1 << 32, b"\2", "returned 2 for a bool"),
        ("Vec<char>", 1 << 32, b"\0\xd8\0\0", "returned a char that is none"),
        ("Option<u8>", 2 << 32, b"\2\0", "returned 2 where 0 (None) or 1 (Some) stands"),
        ("Option<u8>", 1 << 32, b"\1", "returned a value that ends before it is whole"),
        ("Option<u8>", 2 << 32, b"\0\0", "returned 2 bytes where its value has 1"),
        (
            "Vec<String>",
            4 << 32,
            b"\xff\xff\xff\xff",
            "returned a length of 4294967295 where 0 bytes are left",
        ),
        ("Vec<String>", 12 << 32, b"\1\0\0\0\5\0\0\0abcd", "returned a length of 5 where 4 bytes are left"),
        ("Result<u8, String>", 1 << 32 | -1 << 63, b"\xff", "returned text that is no UTF-8"),
        ("String", 1.5, b"", "returned 1.5 where the place of its result was expected"),
        ("String", None, b"", "returned None where the place of its result was expected"),
    ],
)
def test_what_the_error_says(
    kind: str, result: Any, memory: bytes, words: str, bound: Callable[..., Any], fake_guest: type[FakeGuest]
) -> None:
    guest = fake_guest(result)
    guest.memory[: len(memory)] = memory
    with pytest.raises(LoadError) as caught:
        bound(f"fn f() -> {kind}", guest)()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (0, MemoryError),
        (8, LoadError),
        (0xFFF0, LoadError),
        (-16, LoadError),
        (1.0, LoadError),
        (None, LoadError),
    ],
)
def test_a_wrong_place_for_arguments(
    frame: Any, error: type[Exception], bound: Callable[..., Any], fake_guest: type[FakeGuest]
) -> None:
    guest = fake_guest(frame=frame)
    function = bound("fn f(s: &str)", guest)
    for _ in range(2):  # a failed attempt leaves nothing behind
        with pytest.raises(error, match=r"f\(\): the guest"):
            function("text")
    assert guest.entered == 2
    assert not any(guest.memory)


WAT = b"""(module
  (memory (export "memory") 1)
  (data (i32.const 0) "\\03\\00\\00\\00ab")
  (func (export "__wasm_lab_frame") (param i32) (result i32) i32.const -16)
  (func (export "wasm_lab_f") (result i64) i64.const 0x7ffffffffffffff0)
  (func (export "wasm_lab_g") (result i64) i64.const 0x600000000)
  (func (export "wasm_lab_h") (param i32 i32))
)"""


def test_a_hostile_module_in_a_real_runtime() -> None:
    import wasmtime

    artifact = Artifact(wasm=bytes(wasmtime.wat2wasm(WAT)), label="hostile")
    instance = get_runtime().instantiate(artifact, Capabilities())
    text = "pub fn f() -> Vec<f64> {} pub fn g() -> Vec<String> {} pub fn h(s: &str) {}"
    f, g, h = (abi.bind(signature, instance) for signature in public_functions(Syntax(text)))
    with pytest.raises(LoadError, match=r"f\(\): the guest returned a place for its result"):
        f()
    with pytest.raises(LoadError, match=r"g\(\): the guest returned a length of 3 where 2 bytes are left"):
        g()
    with pytest.raises(LoadError, match=r"h\(\): the guest returned a wrong place for its arguments"):
        h("text")
