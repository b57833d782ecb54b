"""``wasm-lab bench``: what it prints, writes and refuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wasm_lab.measure.store import Measurements

FIB = "pub fn fib(n: u32) -> u64 { if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) } }\n"
QUICK = ["--budget", "300ms", "--rounds", "1", "--runtime", "wasmtime", "--runtime", "python"]


@pytest.fixture
def fib(tmp_path: Path) -> Path:
    path = tmp_path / "fib.rs"
    path.write_text(FIB)
    return path


def test_a_function_beside_its_ready_twin_as_tables(wasm_lab, fib):
    done = wasm_lab("bench", *QUICK, "--invoke", "fib", fib, "12")
    assert done.returncode == 0, done.stderr
    assert "fib(12), steady call" in done.stdout
    assert "Times as long as wasmtime" in done.stdout
    assert "Measured on" in done.stdout


def test_json_samples_and_a_page(wasm_lab, fib, tmp_path):
    saved, page = tmp_path / "fib.jsonl", tmp_path / "fib.html"
    arguments = ["--json", "--save", saved, "--html", page, "--invoke", "fib", fib, "12"]
    done = wasm_lab("bench", *QUICK, *arguments)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["answers_equal"] == [
        {"input": "12", "agreed": ["wasmtime", "Python"], "output_changes": False}
    ]
    (ratio,) = record["comparisons"]
    assert ratio["subject"] == "Python"
    samples = Measurements.load(saved)
    assert set(samples.values_of("subject")) == {"wasmtime", "Python"}
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    assert "<caption" in text
    assert "http" not in text.replace("http://www.w3.org/", "")  # it needs nothing else
    again = wasm_lab("bench", *QUICK, "--compare", saved, "--invoke", "fib", fib, "12")
    assert "Times as long as earlier" in again.stdout


def test_a_twin_of_one_s_own_that_is_wrong_stops_it(wasm_lab, fib, tmp_path):
    twin = tmp_path / "fib.py"
    twin.write_text("def fib(n):\n    return n\n")
    done = wasm_lab("bench", *QUICK, "--python-twin", twin, "--invoke", "fib", fib, "12")
    assert done.returncode == 1
    assert "different answers" in done.stderr
    assert "144" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--budget", "0s"], 2, "time budget"),
        (["--budget", "soon"], 2, "no duration"),
        (["--phase", "nap"], 2, "nap"),
        ([], 2, "--invoke"),
        (["--invoke", "fab"], 2, "Did you mean fib?"),
        (["--invoke", "zzzzz"], 2, "It has: fib"),
        (["--runtime", "jvm", "--invoke", "fib"], 2, "jvm"),
        (["--compare", "none.jsonl", "--invoke", "fib"], 2, "none.jsonl"),
    ],
)
def test_what_it_refuses(wasm_lab, fib, arguments, status, message):
    done = wasm_lab("bench", *arguments, fib, "12")
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_early_interrupt_says_that_nothing_was_measured(fib, tmp_path):
    begun, twin, saved = tmp_path / "begun", tmp_path / "fib.py", tmp_path / "fib.jsonl"
    twin.write_text(f"def fib(n):\n    open({str(begun)!r}, 'w').close()\n    while True:\n        pass\n")
    program = Path(sys.executable).with_name("wasm-lab")
    command = [program, "bench", *QUICK, "--save", saved, "--python-twin", twin, "--invoke", "fib", fib, "12"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while not begun.exists() and time.monotonic() < until:  # answers are compared before anything is timed
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    shown, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert shown == ""
    assert told.strip() == (
        "Interrupted before the first round was done: nothing was measured, nothing is saved."
    )
    assert not saved.exists()
