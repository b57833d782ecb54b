"""Which frames a backtrace shows, and what it calls them."""

from __future__ import annotations

import pytest

from wasm_lab.build.crate import GLUE_FILE
from wasm_lab.build.world_crate import BINDINGS_FILE, RUNTIME
from wasm_lab.run import Frame
from wasm_lab.runtimes.frames import own_frames, plain_name


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("cell::fib", "cell::fib"),
        ("cell.wasm!cell::fib::h0123456789abcdef", "cell::fib"),
        ("cell[0123abcd4567]::fib", "cell::fib"),
        ("cell::largest::<f64>", "cell::largest"),
        ("cell::largest<f64>::h0123456789abcdef", "cell::largest"),
        ("{closure#0}<fn(Request, Captures) -> Result<Response, Error>, Request>", "{closure#0}"),
        ("run<(), greeter::__spin::{impl#0}::handle::{async_block_env#0}>", "run"),
        ("<cell::Shop<T> as core::ops::Drop>::drop", "<cell::Shop as core::ops::Drop>::drop"),
        ("<cell::Shop as From<Vec<u8>>>::from::<&str>", "<cell::Shop as From>::from"),
        ("<[T] as cell::Sum<u32>>::sum", "<[T] as cell::Sum>::sum"),
        (
            "cell::<impl core::fmt::Debug for cell::Shop<T>>::fmt",
            "cell::<impl core::fmt::Debug for cell::Shop>::fmt",
        ),
        ("<&mut F as FnOnce<A>>::call_once{{vtable.shim}}", "<&mut F as FnOnce>::call_once{{vtable.shim}}"),
        ("cell::pick::{closure#0}::<u8>::inner", "cell::pick::{closure#0}::inner"),
        (
            "std::vector<int, std::allocator<int>>::push_back(int const&)",
            "std::vector::push_back(int const&)",
        ),
        ("operator<(Shop const&, Shop const&)", "operator<(Shop const&, Shop const&)"),
        ("std::ostream& operator<<(std::ostream&, Shop)", "std::ostream& operator<<(std::ostream&, Shop)"),
        ("Shop::operator->()", "Shop::operator->()"),
        ("a<b", "a<b"),
        ("a>b", "a>b"),
        ("", ""),
    ],
)
def test_names_without_hashes_and_generic_arguments(said: str, shown: str) -> None:
    assert plain_name(said) == shown


def test_a_hostile_name_is_read_once() -> None:
    for name in ("a<" * 100_000, "<" * 100_000, "a<" * 50_000 + ">" * 50_000, "operator<" * 20_000):
        assert len(plain_name(name)) <= len(name)  # and it ends


def test_generated_files_and_what_joins_modules_are_left_out() -> None:
    own = Frame(function="twice", file="cell", line=3, column=5)
    added = [
        Frame(function="glue", file=f"/tmp/build/{GLUE_FILE}", line=7),
        Frame(function="_export_twice_cabi", file=f"C:\\build\\{BINDINGS_FILE}", line=90),
        Frame(function="export", file=f"{RUNTIME}.rs", line=2),
        Frame(function="cabi_realloc"),
        Frame(function="indirect-demo:host/log@1.0.0-write"),
    ]
    assert list(own_frames([*added, own, *added])) == [own]


def test_closures_of_one_name_are_not_taken_for_recursion() -> None:
    closures = [Frame(function="{closure#0}", file="cell", line=line) for line in (9, 8, 7, 6)]
    assert list(own_frames(closures)) == closures
    calls = [Frame(function="cell::down", file="cell", line=line) for line in (2, 2, 2, 2)]
    assert list(own_frames(calls)) == calls[:2]


def test_a_function_of_one_letter_keeps_its_name():
    from wasm_lab.runtimes.frames import plain_name

    assert [plain_name(name) for name in ("signed char", "prog!int", "a", "unsigned")] == [
        "a",
        "i",
        "a",
        "unsigned",
    ]


def test_frames_of_zigs_library_are_left_out_and_the_work_folder_is_not_told():
    from wasm_lab.run import Frame
    from wasm_lab.runtimes.frames import own_frames

    every = [
        Frame(function="debug.defaultPanic", file="home/x/ziglang/lib/std/debug.zig", line=620),
        Frame(function="cell.inner", file="tmp/wasm-lab-build-ab_1/cell.zig", line=4),
        Frame(function="start.callMain", file="home/x/ziglang/lib/std/start.zig", line=788),
    ]
    assert [(frame.function, frame.file, frame.line) for frame in own_frames(every)] == [
        ("cell.inner", "cell.zig", 4)
    ]


def test_an_interpreters_frames_are_left_out() -> None:
    inside = [
        Frame(function=name)
        for name in ("long_add", "_PyEval_EvalFrameDefault", "PyObject_Call", "wit_dylib_export_call")
    ]
    exported, called = Frame(function="run"), Frame(function="note", file="cell", line=3)
    assert list(own_frames([*inside, exported])) == [exported]
    assert list(own_frames([called, Frame(function="core::panic", file="/rustc/lib.rs"), *inside])) == [
        called
    ]
    assert list(own_frames(inside[:3])) == []  # the engine tells of a few frames alone
