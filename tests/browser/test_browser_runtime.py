"""Wasm and its JavaScript twin timed in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

START = """from wasm_lab.views.browser import in_browser
arrived = []
run = in_browser('''pub fn primes(n: u32) -> u32 {
    (2..n).filter(|i| (2..*i).take_while(|d| d * d <= *i).all(|d| i % d != 0)).count() as u32
}''', "primes", (3000,), js_twin='''function primes(n) {
    let count = 0;
    for (let i = 2; i < n; i++) {
        let prime = true;
        for (let d = 2; d * d <= i; d++) if (i % d === 0) { prime = false; break; }
        if (prime) count++;
    }
    return count;
}''', on_samples=arrived.extend)
run"""

TOLD = """import json
print("TOLD" + json.dumps({
    "state": run.state, "engine": run.engine, "n": len(run.samples), "arrived": len(arrived),
    "subjects": sorted({each.subject for each in run.samples}),
    "processes": sorted({each.process for each in run.samples}),
    "batch_ms": sorted(each.value * each.count / 1e6 for each in run.samples if each.warm)[
        sum(each.warm for each in run.samples) // 2],
    "medians_us": {s: sorted(each.value for each in run.samples if each.warm and each.subject == s)[
        sum(each.warm and each.subject == s for each in run.samples) // 2] / 1e3
        for s in {each.subject for each in run.samples}},
}))"""


def told(page: Page) -> dict[str, Any]:
    output = page.locator(".jp-OutputArea-output", has_text="TOLD").last
    expect(output).to_be_visible()
    return dict(json.loads(output.inner_text().partition("TOLD")[2]))


def test_samples_come_from_the_browser(open_notebook: Any, page: Page, screenshots: Path) -> None:
    notebook = open_notebook(["%load_ext wasm_lab", START, TOLD], "browser.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    view = page.locator(".wlb")
    expect(view).to_have_attribute("data-state", "done", timeout=90_000)
    page.screenshot(path=screenshots / "browser-runtime.png")
    notebook.run_cell(2)
    found = told(page)
    print(view.inner_text(), found)
    assert found["state"] == "done"
    assert found["engine"].startswith("Chrome ")
    assert found["subjects"] == ["JavaScript (browser)", "browser (Wasm)"]
    assert found["processes"] == [0, 1, 2, 3, 4]
    assert found["n"] == found["arrived"] >= 5 * 2 * 10
    assert found["batch_ms"] > 15, "a batch is long against the timer's step of 0.1 ms"
    expect(view).to_contain_text("JavaScript (browser)")


def test_different_answers_are_not_timed(open_notebook: Any, page: Page) -> None:
    cell = START.replace("return count;", "return count + 1;")
    notebook = open_notebook(["%load_ext wasm_lab", cell, TOLD], "differ.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    view = page.locator(".wlb")
    expect(view).to_have_attribute("data-state", "failed", timeout=60_000)
    expect(view).to_contain_text("Rust gives 430, JavaScript gives 431")


def test_a_worker_that_does_not_end_is_killed(open_notebook: Any, page: Page) -> None:
    cell = START.replace("return count;", "for (;;) count++;")
    before = "%load_ext wasm_lab\nimport wasm_lab.views.browser as b\nb.DEADLINE_S = 2.0"
    notebook = open_notebook([before, cell], "endless.ipynb")
    notebook.run_cell(0)
    notebook.run_cell(1)
    view = page.locator(".wlb")
    expect(view).to_have_attribute("data-state", "failed", timeout=60_000)
    expect(view).to_contain_text("Nothing came from the worker for 2 s, so it was stopped.")
