"""Calling exports as C does: numbers, sequences, texts with a zero at their end; on modules written by hand."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from wasm_lab.abi import bind_exported, needs_room
from wasm_lab.artifact import Artifact
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells.languages import read_code
from wasm_lab.errors import LoadError
from wasm_lab.runtimes import get_runtime

#: What the C text below would become. The allocator only counts up.
WAT = """
(module
  (memory (export "memory") 2)
  (data (i32.const 16) "ab\\00")
  (data (i32.const 131070) "zz")
  (global $next (mut i32) (i32.const 1024))
  (global $freed (mut i32) (i32.const 0))
  (func (export "malloc") (param i32) (result i32)
    global.get $next  (global.set $next (i32.add (global.get $next) (local.get 0))))
  (func (export "free") (param i32) (global.set $freed (local.get 0)))
  (func (export "freed") (result i32) global.get $freed)
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "narrow") (param i32) (result i32) local.get 0)
  (func (export "wide") (param i64) (result i64) local.get 0)
  (func (export "flip") (param i32) (result i32) (i32.eqz (local.get 0)))
  (func (export "last") (param $at i32) (param $n i32) (result f64)
    (f64.load (i32.add (local.get $at) (i32.mul (i32.const 8) (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "first") (param $at i32) (param $n i32)
    (i32.store8 (local.get $at) (i32.const 7)))
  (func (export "length") (param $at i32) (result i32) (local $n i32)
    (block (loop
      (br_if 1 (i32.eqz (i32.load8_u (i32.add (local.get $at) (local.get $n)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1))) (br 0)))
    local.get $n)
  (func (export "text") (param i32) (result i32) local.get 0))
"""

C = """\
unsigned freed(void) { return 0; }
/* The sum. */
int add(int a, int b) { return a + b; }
unsigned char narrow(unsigned char x) { return x; }
unsigned long long wide(unsigned long long x) { return x; }
bool flip(bool x) { return !x; }
double last(const double *xs, size_t n) { return xs[n - 1]; }
void first(unsigned char *out, size_t n) { out[0] = 7; }
int length(const char *text) { return 0; }
const char *text(int at) { return (const char *)at; }
"""


@pytest.fixture
def call():
    artifact = Artifact(wasm=assemble(WAT), label="c")
    instance = get_runtime("wasmtime").instantiate(artifact, Capabilities())
    return {each.name: bind_exported(each, instance, "c") for each in read_code("c", C).functions}


def test_numbers_are_checked_for_their_range(call):
    assert call["add"](-(2**31), 1) == 1 - 2**31
    assert call["wide"](2**64 - 1) == 2**64 - 1
    assert call["narrow"](255) == 255
    assert call["flip"](False) is True
    with pytest.raises(OverflowError, match=r"narrow\(\) argument 'x' must fit u8"):
        call["narrow"](256)
    with pytest.raises(TypeError, match="must be an integer"):
        call["add"](1.5, 2)
    with pytest.raises(TypeError, match="must be True or False"):
        call["flip"](1)
    with pytest.raises(TypeError, match="missing 1 required"):
        call["add"](1)


def test_a_pair_of_address_and_count_is_one_sequence(call):
    assert str(inspect.signature(call["last"])) == "(xs: np.ndarray[float64]) -> float"
    assert call["last"]([1.0, 2.5]) == 2.5
    assert call["last"](np.arange(4.0)) == 3.0
    with pytest.raises(TypeError, match=r"last\(\) argument 'xs' must be a sequence of float64"):
        call["last"](np.arange(4))


def test_what_is_not_const_is_copied_back(call):
    for room in (bytearray(b"abc"), np.zeros(3, np.uint8), [1, 2, 3]):
        call["first"](room)
        assert room[0] == 7
    with pytest.raises(TypeError, match="must be writable"):
        call["first"](b"abc")


def test_texts_end_with_a_zero(call):
    assert call["length"]("häß") == 5
    with pytest.raises(ValueError, match="no zero character"):
        call["length"]("a\0b")
    assert call["text"](16) == "ab"
    assert call["text"](0) is None
    with pytest.raises(LoadError, match="no end in its memory"):
        call["text"](131070)


def test_room_that_is_outgrown_is_given_back(call):
    call["length"]("a")
    assert call["freed"]() == 0
    call["length"]("a" * 5000)
    assert call["freed"]() == 1024


def test_functions_say_where_they_come_from(call):
    assert call["add"].__doc__ == "The sum.\n\nC: int add(int a, int b)"


def test_room_is_needed_only_for_addresses():
    needed = {each.name for each in read_code("c", C).functions if needs_room(each)}
    assert needed == {"last", "first", "length"}
