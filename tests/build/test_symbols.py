"""Names of symbols as rustc writes them, under both of its schemes."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from wasm_lab.build.symbols import demangle
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
use std::fmt::Debug;
pub struct Foo<'a, T>(&'a T);
pub trait Shape { fn area(&self) -> f64; }
impl<'a, T> Shape for Foo<'a, T> { fn area(&self) -> f64 { 1.0 } }
impl<'a, T: Debug> Foo<'a, T> { fn own(&self) -> String { format!("{:?}", self.0) } }
impl Shape for [u8; 4] { fn area(&self) -> f64 { 2.0 } }
pub fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }
pub fn array<const N: usize>(_: [u8; N]) -> usize { N }
pub fn values<const B: bool, const C: char, const I: i16>() -> i16 { I }
pub fn size<T: ?Sized>(x: &T) -> usize { std::mem::size_of_val(x) }
pub fn named<T>() -> usize { std::mem::size_of::<T>() }
mod größe { pub fn länge() -> u32 { 3 } }
pub fn main() {
    let k = 5i32;
    Foo(&k).area();
    Foo(&k).own();
    [1u8; 4].area();
    fib(3);
    array([1, 2, 3]);
    values::<true, 'é', -5>();
    size(&move |s: &str| s.len() as i32 + k);
    size::<dyn Debug + Send>(&k);
    size::<dyn Iterator<Item = u8>>(&[1u8].into_iter());
    named::<(u8,)>();
    named::<Option<&'static mut [u16]>>();
    named::<for<'x> fn(&'x u8, *const str) -> &'x u8>();
    named::<unsafe extern "C" fn(*mut [u32; 3]) -> !>();
    named::<Box<dyn for<'x> Fn(&'x u8) -> bool>>();
    größe::länge();
}
"""

#: What each function is called, where the scheme keeps it.
V0 = {
    "cell::main",
    "cell::fib",
    "<cell::Foo<i32> as cell::Shape>::area",
    "<cell::Foo<i32>>::own",
    "<[u8; 4] as cell::Shape>::area",
    "cell::array::<3>",
    "cell::values::<true, 'é', -5>",
    "cell::size::<cell::main::{closure#0}>",
    "cell::size::<dyn core::fmt::Debug + core::marker::Send>",
    "cell::size::<dyn core::iter::traits::iterator::Iterator<Item = u8>>",
    "cell::named::<(u8,)>",
    "cell::named::<core::option::Option<&mut [u16]>>",
    "cell::named::<for<'a> fn(&'a u8, *const str) -> &'a u8>",
    'cell::named::<unsafe extern "C" fn(*mut [u32; 3]) -> !>',
    "cell::named::<alloc::boxed::Box<dyn for<'a> core::ops::function::Fn<(&'a u8,), Output = bool>>>",
    "cell::größe::länge",
}

LEGACY = {
    "cell::main",
    "cell::fib",
    "<cell::Foo<T> as cell::Shape>::area",
    "cell::Foo<T>::own",
    "<[u8; 4] as cell::Shape>::area",
    "cell::array",
    "cell::values",
    "cell::size",
    "cell::named",
    "cell::größe::länge",
}


def symbols(folder: Path, scheme: str) -> set[str]:
    """The functions of the cell as rustc's assembly names them."""
    (folder / "cell.rs").write_text(CODE, encoding="utf-8")
    command = [
        find_rust().rustc,
        folder / "cell.rs",
        "--crate-name=cell",
        "--crate-type=lib",
        "--edition=2024",
        "--target=wasm32-wasip1",
        "-Zunstable-options",  # which the scheme that is not the default needs
        f"-Csymbol-mangling-version={scheme}",
        f"--emit=asm={folder / 'cell.s'}",
    ]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "RUSTC_BOOTSTRAP": "1"})
    text = (folder / "cell.s").read_text(encoding="utf-8")
    return set(re.findall(r"^\s*\.type\s+([^\s,]+),@function", text, re.MULTILINE))


@pytest.mark.parametrize(("scheme", "wanted"), [("v0", V0), ("legacy", LEGACY)])
def test_the_names_that_rustc_gives(tmp_path: Path, scheme: str, wanted: set[str]) -> None:
    names = symbols(tmp_path, scheme)
    plain = {demangle(name) for name in names}
    assert wanted <= plain
    mangled = {name for name in names if name.startswith(("_R", "_ZN"))}
    assert len(mangled) > len(wanted) / 2
    assert not [name for name in mangled if demangle(name) == name], "every one of them is decoded"
    assert not [name for name in plain if re.search(r"::h[0-9a-f]{16}|\$|_ZN|_R[A-Z]", name)]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("_RNvCs6n5lIMUnTCz_4cell3fib", "cell::fib"),
        ("_RNvCs6n5lIMUnTCz_4cell3fib.llvm.123", "cell::fib"),
        ("_ZN4cell3fib17h0123456789abcdefE", "cell::fib"),
        ("_ZN4cell3fib17h0123456789abcdefE.command_export", "cell::fib"),
        ("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$GT$3bar17h930b740aa94f1d3aE",
         "<Test + 'static as foo::Bar<Test>>::bar"),
        # rustc's own example of a name with letters beyond ASCII
        ("_RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y",
         "utf8_idents::საჭმელად_გემრიელი_სადილი"),
        ("_RNSNvCs4fqI2P2rA04_4cell3run6vtable0", "_RNSNvCs4fqI2P2rA04_4cell3run6vtable0"),
        ("_RNSCs4fqI2P2rA04_4cell6vtable", "cell::{shim:vtable#0}"),
    ],
)  # fmt: skip
def test_single_names(name: str, wanted: str) -> None:
    assert demangle(name) == wanted


@pytest.mark.parametrize(
    "name",
    [
        "",
        "main",
        "_start",
        "memory.grow",
        "_R",
        "_RNvC4cell",
        "_RNvC9cell3fib",
        "_RNvB5_3fib",
        "_RIC4cell" + "T" * 5000,
        "_RMB_",
        "_RINvC4cell1fBzz_E",
        "_ZN",
        "_ZN4cell",
        "_ZN99cellE",
        "_ZN4llvm11raw_ostream10resetColorEv",  # C++
        "_ZNSt6vectorE",
        "größe",
        "_RNvC4cell3fib!",
    ],
)
def test_other_names_stay_as_they_are(name: str) -> None:
    assert demangle(name) == name
