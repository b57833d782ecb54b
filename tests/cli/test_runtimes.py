"""``--runtime``: the names are told, completed, and taken; what is missing is said."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from wasm_lab.cli import TIMED_OUT, TRAPPED
from wasm_lab.runtimes import NAMES

MISBEHAVING = Path(__file__).parents[2] / "wasm_samples" / "misbehaving"

ECHO = """
use std::io::Read;
fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    eprintln!("got {} bytes", text.len());
    print!("{text}");
    std::process::exit(3);
}
"""

WORKERS = [
    "wasmtime-worker",
    pytest.param(
        "wasmer",
        marks=pytest.mark.skipif(
            util.find_spec("wasmer_sdk") is None, reason="wasmer-sdk has no wheel for this system"
        ),
    ),
]


@pytest.mark.parametrize("command", ["run", "test"])
def test_the_help_names_them(wasm_lab, command):
    told = "".join(wasm_lab(command, "--help").stdout.split())
    assert "".join(f"{', '.join(NAMES)}.".split()) in told


def test_the_shell_completes_them():
    program = Path(sys.executable).with_name("wasm-lab")
    asked = {
        "_WASM_LAB_COMPLETE": "bash_complete",
        "COMP_WORDS": "wasm-lab run --runtime wasmti",
        "COMP_CWORD": "3",
    }
    told = subprocess.check_output([program], env={**os.environ, **asked}, text=True)
    assert told.split() == ["plain,wasmtime", "plain,wasmtime-worker"]


def test_an_unknown_one_is_refused_with_the_list(wasm_lab, tmp_path):
    file = tmp_path / "a.wat"
    file.write_text('(module (memory (export "memory") 1) (func (export "_start")))')
    done = wasm_lab("run", "--runtime", "abacus", file)
    assert done.returncode != 0
    assert "No runtime is named 'abacus'" in done.stderr
    assert "wasmtime-worker" in done.stderr


@pytest.mark.parametrize("name", WORKERS)
def test_a_program_has_our_streams_and_we_its_status(name, tmp_path):
    file = tmp_path / "echo.rs"
    file.write_text(ECHO)
    program = Path(sys.executable).with_name("wasm-lab")
    done = subprocess.run(
        [program, "run", "--runtime", name, file],
        input="Grüße\n",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3
    assert done.stdout == "Grüße\n"
    assert "got 8 bytes" in done.stderr


@pytest.mark.parametrize("name", WORKERS)
def test_input_that_never_ends_does_not_hold_up_the_end(name):
    """The guest ends without reading, while our standard input stays open."""
    program = Path(sys.executable).with_name("wasm-lab")
    with subprocess.Popen(
        [program, "run", "--runtime", name, MISBEHAVING / "exit_code.rs"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stdout.read() == b"before\n"
        assert process.wait(60) == 1


@pytest.mark.parametrize("name", WORKERS)
def test_limits_and_traps_end_with_their_statuses(wasm_lab, name):
    deadline = wasm_lab("run", "--runtime", name, "--timeout", "300ms", MISBEHAVING / "endless_loop.rs")
    assert deadline.returncode == TIMED_OUT
    assert "deadline exceeded" in deadline.stderr
    panic = wasm_lab("run", "--runtime", name, MISBEHAVING / "panic.rs")
    assert panic.returncode == TRAPPED
    assert "the larder holds 3 eggs, 12 are needed" in panic.stderr


@pytest.mark.parametrize("name", WORKERS)
def test_tests_run_in_it(wasm_lab, name, tmp_path):
    file = tmp_path / "t.rs"
    file.write_text("#[test]\nfn good() {}\n#[test]\nfn bad() { assert_eq!(1, 2); }\n")
    done = wasm_lab("test", "--runtime", name, file)
    assert done.returncode == 101
    assert "good" in done.stdout
    assert "bad" in done.stdout


def test_a_target_has_no_meaning_in_the_native_runtime(wasm_lab, tmp_path):
    path = tmp_path / "hello.rs"
    path.write_text('fn main() { println!("hello") }')
    done = wasm_lab("run", "--runtime", "native", "--target", "wasm32-wasip2", path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "the target wasm32-wasip2 has no meaning there" in done.stderr
    assert "Leave out --target" in done.stderr
