"""Values of every type through real Rust in a real runtime and back."""

from __future__ import annotations

import array
import ctypes
import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wasm_lab import abi
from wasm_lab.abi.types import MAPS, PLAIN, SETS, TEXTS, array_length
from wasm_lab.build import build
from wasm_lab.build.crate import crate_for
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.errors import GuestError
from wasm_lab.runtimes import get_runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.cells.signatures import RustType, Signature

#: Types of which a value goes in and comes back the same.
ECHOED = [
    *PLAIN,
    "String",
    *(f"Vec<{name}>" for name in PLAIN),
    "[f64; 3]",
    "[u8; 0x2]",
    "[String; 2]",
    "Vec<String>",
    "Vec<Vec<f64>>",
    "Vec<Vec<Vec<u16>>>",
    "Vec<Option<i128>>",
    "Option<u32>",
    "Option<String>",
    "Option<Vec<f64>>",
    "(f64,)",
    "(u8, i64, f32, bool, char)",
    "(String, Vec<u8>)",
    "(Vec<u16>, Vec<i128>, Vec<f64>)",
    "Vec<(String, f64)>",
    "Vec<(u8, f64, i16)>",
    "Vec<(bool, char)>",
    "Vec<[u32; 2]>",
    "HashMap<String, u32>",
    "BTreeMap<i64, Vec<f32>>",
    "BTreeMap<char, (bool, Option<String>)>",
    "HashSet<u8>",
    "BTreeSet<String>",
]

CELL = (
    """
#![deny(warnings, unused, missing_docs, unsafe_code, unsafe_op_in_unsafe_fn, unreachable_pub)]
//! Documented.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::{borrow::Cow, error::Error, fmt};
type Pair<T> = (T, T);

/// The mean.
///
/// NaN of nothing.
pub fn mean(xs: &[f64]) -> f64 { xs.iter().sum::<f64>() / xs.len() as f64 }
/// .
pub fn trimmed(s: &str) -> &str { s.trim() }
/// .
pub fn trimmed_string(s: &String) -> &str { s.trim() }
/// .
pub fn longest<'a>(all: &'a [&'a str]) -> &'a str { all.iter().max_by_key(|s| s.len()).copied().unwrap_or("") }
/// .
pub fn joined(all: &[String], with: char) -> String { all.join(&with.to_string()) }
/// .
pub fn joined_vec(all: &Vec<String>) -> String { all.concat() }
/// .
pub fn lengths(all: &[Vec<f64>], text: Option<&str>, rest: Vec<&[u8]>) -> (Vec<usize>, usize, usize) {
    (all.iter().map(Vec::len).collect(), text.map_or(0, str::len), rest.iter().map(|r| r.len()).sum())
}
/// .
pub fn by_ref(n: &u32, pair: &(f64, String), xs: &Vec<i16>, map: &BTreeMap<String, u8>) -> f64 {
    f64::from(*n) + pair.0 + pair.1.len() as f64 + xs.len() as f64 + map.values().map(|v| f64::from(*v)).sum::<f64>()
}
/// .
pub fn swap(pair: Pair<u8>) -> Pair<u8> { (pair.1, pair.0) }
/// .
pub fn sort(xs: &mut [i32]) { xs.sort() }
/// .
pub fn halve(xs: &mut [f64], by: &[f64]) -> Result<usize, String> {
    for x in xs.iter_mut() { *x /= 2.0; }
    if by.is_empty() { Err("nothing".into()) } else { Ok(by.len()) }
}
/// .
pub fn several(a: &[u8], b: &[f64], c: &str, d: u8, e: Vec<String>, f: i128) -> (usize, f64, usize, u8, usize, i128) {
    (a.len(), b.iter().sum(), c.len(), d, e.len(), f)
}
/// .
pub fn cow(s: &str) -> Cow<'_, str> { if s.is_empty() { Cow::Borrowed("empty") } else { Cow::Owned(s.into()) } }
/// .
pub fn statics() -> &'static [&'static str] { &["a", "b"] }
/// .
pub fn numbers() -> &'static [u16] { &[1, 2] }
/// .
pub fn nothing() {}
/// .
pub fn halves(mut low: Vec<u32>) -> Pair<Vec<u32>> { let high = low.split_off(low.len() / 2); (low, high) }
/// .
pub fn ones(n: usize) -> Vec<f64> { vec![1.0; n] }
/// .
pub fn root(x: f64) -> Result<f64, String> { if x < 0.0 { Err(format!("{x} is negative")) } else { Ok(x.sqrt()) } }
/// .
pub fn roots(x: f64) -> Result<Option<(f64, f64)>, String> {
    if x.is_nan() { Err("not a number".into()) } else if x < 0.0 { Ok(None) } else { Ok(Some((x.sqrt(), -x.sqrt()))) }
}
/// .
pub fn parsed(s: &str) -> Result<Vec<i32>, std::num::ParseIntError> { s.split(',').map(str::parse).collect() }
/// .
pub fn boxed(s: &str) -> Result<String, Box<dyn Error>> { Ok(s.parse::<u8>()?.to_string()) }
/// .
pub fn shown() -> Result<(), Shown> { Err(Shown) }
/// .
pub fn debugged(bad: bool) -> Result<(), Debugged> { if bad { Err(Debugged::Number(3)) } else { Ok(()) } }
/// .
pub fn named() -> Result<u64, Named> { Err(Named) }
/// .
pub fn literal() -> Result<bool, &'static str> { Err("as it is") }
/// .
pub fn alias(s: &str) -> std::io::Result<i128> { if s.is_empty() { Err(std::io::Error::other("no")) } else { Ok(-1) } }
/// .
#[derive(Debug)] pub struct Shown;
impl fmt::Display for Shown { fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { f.write_str("shown ✓") } }
/// .
#[derive(Debug)] pub enum Debugged { /// .
    Number(u8) }
/// .
pub struct Named;
/// .
pub fn len(int: u8, float: &str) -> usize { int as usize + float.len() }
/// .
pub fn from(from: u8, lambda: u8, from_: u8, _enter: &str) -> String { format!("{from} {lambda} {from_} {_enter}") }
/// .
pub fn r#match(r#type: u8) -> u8 { r#type }
/// .
pub fn frame(_: &str) {}
"""
    + "\n".join(
        f"/// .\npub fn echo{index}(value: {kind}) -> {kind} {{ value }}" for index, kind in enumerate(ECHOED)
    )
    + "\n"
)


@pytest.fixture(scope="module")
def signatures() -> dict[str, Signature]:
    crate = crate_for(parse_cell(CELL))
    assert not crate.refused
    return {signature.name.removeprefix("r#"): signature for signature in crate.functions}


@pytest.fixture(scope="module")
def cell(signatures: dict[str, Signature]) -> dict[str, Callable[..., Any]]:
    artifact = build(parse_cell(CELL))
    assert not artifact.warnings
    instance = get_runtime().instantiate(artifact, Capabilities())
    return {name: abi.bind(signature, instance) for name, signature in signatures.items()}


def values(kind: RustType) -> st.SearchStrategy[Any]:
    """Every Python value that a type takes, in the form in which it comes back."""
    name, args = kind.name, kind.args
    if name in PLAIN:
        plain = PLAIN[name]
        match plain.kind:
            case "int":
                return st.integers(plain.low, plain.high)
            case "float":
                return st.floats(width=8 * plain.size)
            case "bool":
                return st.booleans()
            case _:
                return st.characters(exclude_categories=["Cs"])
    if name in TEXTS:
        return st.text(st.characters(exclude_categories=["Cs"]))
    if name == "Option":
        return st.none() | values(args[0])
    if name == "tuple":
        return st.tuples(*map(values, args))
    if name in MAPS:
        return st.dictionaries(values(args[0]), values(args[1]), max_size=5)
    if name in SETS:
        return st.sets(values(args[0]), max_size=5)
    length = array_length(kind)
    limits = {"min_size": length or 0, "max_size": 6 if length is None else length}
    inner = args[0].name
    listed = st.lists(values(args[0]), **limits)
    if inner == "u8":
        return st.binary(**limits)
    if inner in PLAIN and PLAIN[inner].dtype:
        return listed | listed.map(lambda items: np.array(items, PLAIN[inner].dtype))
    return listed


def same(sent: Any, got: Any) -> bool:
    if isinstance(got, np.ndarray):
        return np.array_equal(np.asarray(sent, got.dtype), got, equal_nan=got.dtype.kind == "f")
    if type(sent) is not type(got):
        return False
    if isinstance(sent, float):
        return (sent == got and math.copysign(1, sent) == math.copysign(1, got)) or (
            sent != sent and got != got
        )
    if isinstance(sent, dict):
        return sent.keys() == got.keys() and all(same(value, got[key]) for key, value in sent.items())
    if isinstance(sent, list | tuple):
        return len(sent) == len(got) and all(map(same, sent, got))
    return bool(sent == got)


@pytest.mark.parametrize("index", range(len(ECHOED)), ids=ECHOED)
def test_a_value_comes_back_as_it_went(
    index: int, cell: dict[str, Callable[..., Any]], signatures: dict[str, Signature]
) -> None:
    echo, kind = cell[f"echo{index}"], signatures[f"echo{index}"].result

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values(kind))
    def check(value: Any) -> None:
        assert same(value, echo(value))
        assert same(value, echo(value=value))

    check()


def test_results_are_arrays_of_exactly_the_rust_type(cell: dict[str, Callable[..., Any]]) -> None:
    for index, kind in enumerate(ECHOED):
        plain = PLAIN.get(kind.removeprefix("Vec<").removesuffix(">"))
        if kind.startswith("Vec") and plain and plain.dtype and plain.name != "u8":
            got = cell[f"echo{index}"]([])
            assert got.dtype == np.dtype(plain.dtype)
            assert got.flags.writeable
            assert got.flags.owndata


def test_borrowed_parameters_and_results(cell: dict[str, Callable[..., Any]]) -> None:
    assert cell["mean"](np.arange(5.0)) == 2.0
    assert math.isnan(cell["mean"]([]))
    assert cell["trimmed"](" é ") == "é"
    assert cell["trimmed"]("") == ""
    assert cell["trimmed_string"](" é ") == "é"
    assert cell["longest"](["a", "ccc", "bb"]) == "ccc"
    assert cell["joined"](("a", "b"), "→") == "a→b"
    assert cell["joined_vec"](["a", "b"]) == "ab"
    lengths, text, rest = cell["lengths"](np.ones((2, 3)), None, [b"ab", bytearray(b"c")])
    assert (lengths.tolist(), text, rest) == ([3, 3], 0, 3)
    assert cell["by_ref"](1, (0.5, "ab"), np.zeros(3, np.int16), {"a": 4, "b": 5}) == 15.5
    assert cell["swap"]((1, 2)) == (2, 1)
    assert cell["several"](b"ab", [1, 2.5], "é", 7, ["x"], -(2**100)) == (2, 3.5, 2, 7, 1, -(2**100))
    assert cell["cow"]("") == "empty"
    assert cell["cow"]("x") == "x"
    assert cell["statics"]() == ["a", "b"]
    assert cell["numbers"]().tolist() == [1, 2]
    assert cell["nothing"]() is None
    assert [half.tolist() for half in cell["halves"]([1, 2, 3])] == [[1], [2, 3]]


def test_every_buffer_of_the_type_is_taken(cell: dict[str, Callable[..., Any]]) -> None:
    mean, numbers = cell["mean"], np.arange(12.0)
    assert mean(numbers[::2]) == mean(numbers[::-2]) - 1 == 5.0
    assert mean(array.array("d", numbers)) == 5.5
    assert mean(memoryview(numbers)) == 5.5
    assert mean((ctypes.c_double * 2)(1, 2)) == 1.5
    assert mean(range(3)) == 1.0
    assert mean([True, 2, np.float32(3), np.int8(4)]) == 2.5
    read_only = numbers.copy()
    read_only.flags.writeable = False
    assert mean(read_only) == 5.5


def test_changes_of_a_mutable_slice_come_back(cell: dict[str, Callable[..., Any]]) -> None:
    sort = cell["sort"]
    whole = np.array([3, 1, 2], np.int32)
    sort(whole)
    assert whole.tolist() == [1, 2, 3]
    some = np.array([3, 9, 1, 9, 2], np.int32)
    sort(some[::2])
    assert some.tolist() == [1, 9, 2, 9, 3]
    listed = [5, -4]
    sort(xs=listed)
    assert listed == [-4, 5]
    other = array.array("i", [2, 1])
    sort(other)
    assert other.tolist() == [1, 2]
    foreign = (ctypes.c_int32 * 2)(2, 1)
    sort(foreign)
    assert list(foreign) == [1, 2]
    sort(np.zeros(0, np.int32))
    changed = np.ones(2)
    assert cell["halve"](changed, [1]) == 1
    with pytest.raises(GuestError, match="nothing"):
        cell["halve"](changed, [])
    assert changed.tolist() == [0.25, 0.25]


def test_err_raises_its_text(cell: dict[str, Callable[..., Any]]) -> None:
    assert cell["root"](4.0) == 2.0
    assert cell["roots"](-1.0) is None
    assert cell["roots"](4.0) == (2.0, -2.0)
    assert cell["parsed"]("1,2").tolist() == [1, 2]
    assert cell["boxed"]("7") == "7"
    assert cell["debugged"](False) is None
    assert cell["alias"]("x") == -1
    for name, args, text in (
        ("root", (-1.0,), "-1 is negative"),
        ("roots", (math.nan,), "not a number"),
        ("parsed", ("1,x",), "invalid digit found in string"),
        ("boxed", ("256",), "number too large to fit in target type"),
        ("shown", (), "shown ✓"),
        ("debugged", (True,), "Number(3)"),
        ("named", (), "cell::Named"),
        ("literal", (), "as it is"),
        ("alias", ("",), "no"),
    ):
        with pytest.raises(GuestError) as caught:
            cell[name](*args)
        assert str(caught.value) == text


def test_names_that_mean_something_else_in_python(cell: dict[str, Callable[..., Any]]) -> None:
    assert cell["len"](1, "ab") == 3
    assert cell["from"](1, 2, 3, "x") == "1 2 3 x"
    assert cell["from"](from_=1, lambda_=2, from__=3, _enter="x") == "1 2 3 x"
    assert cell["match"](type=3) == 3
    assert cell["frame"]("x") is None
    assert cell["frame"](arg0="x") is None


def test_the_frame_grows_and_is_shared(cell: dict[str, Callable[..., Any]]) -> None:
    for size in (1, 5000, 3, 1 << 17, 1 << 20):
        assert cell["mean"](np.ones(size)) == 1.0
        assert cell["trimmed"]("x" * size) == "x" * size
    assert cell["ones"](1 << 20).sum() == 1 << 20


def test_what_python_shows_of_a_function(cell: dict[str, Callable[..., Any]]) -> None:
    mean = cell["mean"]
    assert mean.__name__ == mean.__qualname__ == "mean"
    assert str(inspect.signature(mean)) == "(xs: np.ndarray[float64]) -> float"
    assert inspect.getdoc(mean) == "The mean.\n\nNaN of nothing.\n\nRust: fn mean(xs: &[f64]) -> f64"
    assert str(inspect.signature(cell["roots"])) == "(x: float) -> tuple[float, float] | None"
    assert inspect.signature(cell["joined"]).parameters["all"].annotation == list[str]
    assert cell["several"].__annotations__["a"] is bytes


@pytest.mark.parametrize("edition", ["2015", "2018", "2021"])
def test_the_glue_compiles_in_older_editions(edition: str) -> None:
    from dataclasses import replace

    code = """
    use std::collections::HashMap;
    pub fn f(a: &str, b: Vec<(String, [u8; 2])>, c: &mut [f64]) -> Result<HashMap<String, f64>, Box<std::error::Error>> {
        let mut m = HashMap::new();
        for (s, n) in b { m.insert(s, n[0] as f64 + c[0]); }
        c[0] = 0.0;
        m.insert(a.to_string(), 0.5);
        Ok(m)
    }"""
    if edition != "2015":
        code = code.replace("Box<std", "Box<dyn std")
    source = replace(parse_cell(code), edition=edition)
    artifact = build(source)
    instance = get_runtime().instantiate(artifact, Capabilities())
    function = abi.bind(crate_for(source).functions[0], instance)
    assert function("a", [("b", b"\1\2")], [2.0]) == {"a": 0.5, "b": 3.0}


def test_memory_that_the_guest_does_not_have(signatures: dict[str, Signature]) -> None:
    capabilities = Capabilities(memory_bytes=4 << 20)
    instance = get_runtime().instantiate(build(parse_cell(CELL)), capabilities)
    mean = abi.bind(signatures["mean"], instance)
    with pytest.raises(MemoryError, match=r"mean\(\): the guest has no \d+ bytes left for its arguments"):
        mean(np.ones(1 << 20))
    assert mean([1.0]) == 1.0


@pytest.mark.parametrize(
    "attribute",
    [
        "forbid(unsafe_code, missing_docs)",
        "forbid(warnings, unused)",
        "deny(unused_results, single_use_lifetimes)",
    ],
)
def test_the_glue_trips_no_lint_of_the_cell(attribute: str) -> None:
    code = """//! Documented.
    /// .
    pub fn f(a: &str, b: Vec<(String, [u8; 2])>, c: &mut [f64]) -> Result<(u8, String), std::num::ParseIntError> {
        c[0] = b.len() as f64;
        Ok((a.parse()?, a.to_string()))
    }"""
    assert not build(parse_cell(f"#![{attribute}]\n{code}")).warnings
