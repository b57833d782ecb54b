"""The browser as a place to measure, without one: messages, and the worker's code in node."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from wasm_lab import errors
from wasm_lab.measure.sample import Sample
from wasm_lab.session import Session
from wasm_lab.views.browser import TWIN, WASM, BrowserRun, in_browser

FIB = "pub fn fib(n: u32) -> u64 { if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) } }"
FIB_JS = "function fib(n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }"

HELLO = {"kind": "hello", "engine": "Chrome 1 (V8)", "platform": "Linux", "cores": 2}

#: What a page does for its worker, for one task: read from standard input, told on standard output.
HOST = """
const data = JSON.parse(require("node:fs").readFileSync(0));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
globalThis.postMessage = (message) => {
  if (message.wasm) message.wasm = Buffer.from(message.wasm).toString("base64");
  console.log(JSON.stringify(message));
};
(0, eval)(data.worker);
globalThis.onmessage({ data: { ...data.task, wasm: bytes(data.wasm), arguments: bytes(data.arguments) } });
"""


def worker(run: BrowserRun, task: dict[str, Any]) -> list[dict[str, Any]]:
    """What the worker posts for a task, from node instead of a browser."""
    node = shutil.which("node")
    assert node, "these tests need node"
    # `var`, so that the handler is the global one that a page would call.
    text = resources.files("wasm_lab.views").joinpath("browser_worker.js").read_text(encoding="utf-8")
    data = {
        "worker": text.replace('"use strict";', "", 1).replace(
            "\nonmessage =", "\nglobalThis.onmessage =", 1
        ),
        "task": {**task, "twin": run.work.settings()},
        "wasm": base64.b64encode(run.work.wasm).decode(),
        "arguments": base64.b64encode(run.work.harness.arguments).decode(),
    }
    done = subprocess.run(
        [node, "-e", HOST], input=json.dumps(data), capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def answered(run: BrowserRun) -> dict[str, Any] | None:
    """The run after the worker's answers have been compared."""
    assert (run.message(HELLO) or {})["kind"] == "start"
    first, ended = worker(run, {"task": "answer"})
    assert ended == {"kind": "ended"}
    return run.message({"kind": "answers", "twin": first["twin"]}, [base64.b64decode(first["wasm"])])


@pytest.mark.parametrize(
    ("rust", "js", "args"),
    [
        (FIB, FIB_JS, (12,)),
        (
            "pub fn total(xs: &[f64], by: f64) -> f64 { xs.iter().map(|x| x * by).sum() }",
            "function total(xs, by) { let s = 0; for (const x of xs) s += x * by; return s; }",
            ([1.5, 2.5, -0.0], 3.0),
        ),
        (
            "pub fn sorted(mut xs: Vec<u32>) -> Vec<u32> { xs.sort(); xs }",
            "function sorted(xs) { return xs.sort(); }",
            ([3, 1, 2],),
        ),
        (
            "pub fn negate(xs: &mut [i32]) { for x in xs { *x = -*x; } }",
            "function negate(xs) { for (let i = 0; i < xs.length; i++) xs[i] = -xs[i]; }",
            ([1, -2],),
        ),
        (
            "pub fn count(text: &str) -> std::collections::HashMap<char, u64> { let mut m = "
            "std::collections::HashMap::new(); for c in text.chars() { *m.entry(c).or_default() += 1; } m }",
            "function count(text) { const m = new Map(); for (const c of text) m.set(c, (m.get(c) || 0) + 1); return m; }",
            ("hällo",),
        ),
    ],
    ids=["numbers", "a typed array", "owned", "in place", "a map"],
)
def test_equal_answers_are_found_equal(rust: str, js: str, args: tuple[Any, ...]) -> None:
    name = rust.split("(", maxsplit=1)[0].removeprefix("pub fn ")
    assert answered(in_browser(rust, name, args, js_twin=js, session=Session())) == {"kind": "measure"}


def test_different_answers_stop_it_and_show_the_first_difference() -> None:
    run = in_browser(FIB, "fib", (10,), js_twin="function fib(n) { return n + 1; }", session=Session())
    told = answered(run)
    assert told is not None
    assert told["state"] == "failed"
    assert "Rust gives 55, JavaScript gives 11" in told["text"]
    assert run.samples == ()


def test_samples_come_in_turn_and_as_rows() -> None:
    seen: list[Sample] = []
    run = in_browser(FIB, "fib", (15,), js_twin=FIB_JS, session=Session(), on_samples=seen.extend)
    assert answered(run) == {"kind": "measure"}
    for process in (0, 1):
        posted = worker(run, {"task": "measure", "process": process, "batch_ms": 2, "blocks": 3})
        assert posted.pop() == {"kind": "ended"}
        assert all(each["kind"] == "sample" for each in posted)
        run.message({"kind": "samples", "rows": [[*each["row"], 1.0] for each in posted]})
    assert tuple(seen) == run.samples
    for process in (0, 1):
        own = [each for each in run.samples if each.process == process]
        measured = [each.subject for each in own][-12:]
        assert measured == [WASM, TWIN, TWIN, WASM] * 3
        assert [each.warm for each in own][-12:] == [False] * 4 + [True] * 8
        for subject in (WASM, TWIN):
            of = [each for each in own if each.subject == subject]
            assert [each.iteration for each in of] == list(range(len(of)))
            counts = [each.count for each in of]
            assert counts == sorted(counts), "a batch only grows"
            # What was sized to last 2 ms lasts about that: far apart, count and value would not belong together.
            assert all(0.02e6 < each.value * each.count < 5e9 for each in of[-6:])
    row = run.samples[0]
    assert (row.workload, row.input, row.runtime, row.runtime_version) == (
        "fib",
        "15",
        "browser",
        "Chrome 1 (V8)",
    )
    assert (row.phase, row.unit, row.machine) == ("steady call", "ns", "browser: Linux, 2 threads")
    told = run.message({"kind": "done"})
    assert told is not None
    assert told["state"] == run.state == "done"
    assert f"{len(run.samples)} samples" in told["text"]
    assert run.wait(0)


def test_without_a_twin_only_wasm_is_timed() -> None:
    run = in_browser(
        "pub fn own_thing(n: u32) -> u32 { n.wrapping_mul(7) }", "own_thing", (5,), session=Session()
    )
    assert run.work.twin is None
    assert answered(run) == {"kind": "measure"}
    posted = worker(run, {"task": "measure", "process": 0, "batch_ms": 1, "blocks": 2})
    assert {each["row"][0] for each in posted[:-1]} == {"wasm"}


def test_a_trap_and_a_twin_that_throws_are_told() -> None:
    trapping = in_browser('pub fn f(n: u32) -> u32 { panic!("no {n}") }', "f", (5,), session=Session())
    assert "no 5" in worker(trapping, {"task": "answer"})[-1]["message"]
    wrong = in_browser(
        FIB, "fib", (5,), js_twin="function fib() { throw new Error('thrown'); }", session=Session()
    )
    assert worker(wrong, {"task": "answer"})[-1] == {"kind": "failed", "message": "thrown"}
    undefined = in_browser(FIB, "fib", (5,), js_twin="function other() {}", session=Session())
    assert "fib" in worker(undefined, {"task": "answer"})[-1]["message"]


def test_a_failure_keeps_the_samples_taken_so_far() -> None:
    run = in_browser(FIB, "fib", (5,), js_twin=FIB_JS, session=Session())
    run.message(HELLO)
    run.message({"kind": "samples", "rows": [["wasm", 0, 0, 5.5, 10, True, 1.0]]})
    told = run.message({"kind": "failed", "message": "Nothing came from the worker for 30 s."})
    assert told is not None
    assert told["state"] == "failed"
    assert [each.value for each in run.samples] == [5.5]
    assert run.message({"kind": "samples", "rows": [["wasm", 0, 1, 5.5, 10, True, 1.0]]}) is None
    assert len(run.samples) == 1, "what comes after the end is of nobody"


def test_a_second_tab_does_not_start_it_again() -> None:
    run = in_browser(FIB, "fib", (5,), session=Session())
    assert (run.message(HELLO) or {})["kind"] == "start"
    assert (run.message(HELLO) or {})["kind"] == "told"
    assert run.message("nonsense") is None


def test_twins_are_found(tmp_path: Path) -> None:
    from wasm_lab.twins import JsTwin

    assert in_browser(FIB, "fib", (5,), session=Session()).work.twin is not None, "a ready one"
    session = Session()
    session.js_twins["fib"] = JsTwin(name="fib", code="function fib(n) { return 0; }")
    twin = in_browser(FIB, "fib", (5,), session=session).work.twin
    assert twin is not None
    assert twin.code == "function fib(n) { return 0; }"


def test_headless_says_that_nobody_is_there() -> None:
    run = in_browser(FIB, "fib", (5,), session=Session())
    bundle = run._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "No browser here" in bundle["text/plain"]
    assert run.state == "failed"
    assert run.samples == ()


def test_wrong_use_is_refused() -> None:
    with pytest.raises(errors.UsageError, match="has no public function nosuch"):
        in_browser(FIB, "nosuch", session=Session())
    with pytest.raises(errors.UsageError, match="takes 1 arguments"):
        in_browser(FIB, "fib", session=Session())
    with pytest.raises(errors.UsageError, match="No cell is named nosuch"):
        in_browser("nosuch", "fib", (5,), session=Session())
