"""WIT cells, worlds, Spin applications and tab completion in JupyterLab, as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

WIT = """%%wit shelf
package demo:shelf;
interface log { write: func(line: string); }
world shelf { import log; export count: func(title: string) -> u32; }"""

HOST = """lines = []
class Log:
    @staticmethod
    def write(line: str) -> None:
        lines.append(line)
host = {"demo:shelf/log": Log}"""

RUST = """%%wasm_rust --world shelf --imports host
impl Guest for Component {
    fn count(title: String) -> u32 {
        log::write(&format!("counting {title}"));
        title.chars().count() as u32
    }
}"""

CALL = 'print("COUNT", shelf.count("Dune"), lines)'

APP = """%%spin_app shop
spin_manifest_version = 2

[application]
name = "shop"

[[trigger.http]]
route = "/..."
component = "hello"

[component.hello]
source = "hello.wasm"
"""

ASK = 'print("ANSWER", shop.get("/hello/Ada").text, shop.get("/nowhere").status_code)'


def text_of(outputs: list[dict[str, Any]]) -> str:
    return json.dumps(outputs, ensure_ascii=False)


def test_worlds_and_applications_work_and_completion_offers_options(
    open_notebook: Any, page: Page, lab: Any, screenshots: Path
) -> None:
    from wasm_lab.scenarios.spin.samples import build_sample

    guest = build_sample("hello", lab.folder / "built").parent / "hello.wasm"
    (lab.folder / "hello.wasm").write_bytes(guest.read_bytes())
    empty, begun = "%%wasm_rust --world shelf", "%%wasm_rust --wor"
    cells = ["%load_ext wasm_lab", WIT, empty, HOST, RUST, CALL, APP, ASK, "shop.stop()", begun]
    notebook = open_notebook(cells, "components.ipynb")
    for number in range(len(cells) - 1):
        notebook.run_cell(number)
        notebook.wait_idle(90, but=len(cells) - number - 1)
    texts = text_of(notebook.outputs())
    assert "package demo:shelf" in texts
    assert "implement it with %%wasm_rust --world shelf" in texts
    assert "shelf.count: func(title: string) -> u32" in texts
    assert "COUNT 4 ['counting Dune']" in texts
    assert "ANSWER Hello, Ada!" in texts
    (told,) = notebook.errors()  # of the empty cell: it is told what belongs there
    assert told.startswith("UsageError: The %%wasm_rust --world shelf cell is empty.")
    assert "fn count(title: String) -> u32 { todo!() }" in texts
    page.screenshot(path=screenshots / "components.png")

    last = page.locator(".jp-Notebook .jp-Cell").last
    last.locator(".jp-InputArea-editor .cm-content").click()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    # The only completion is written at once, or stands in a list when other completers have more.
    written = last.locator(".jp-InputArea-editor .cm-content", has_text="%%wasm_rust --world")
    offered = page.locator(".jp-Completer-item", has_text="--world")
    expect(written.or_(offered).first).to_be_visible(timeout=30_000)
    page.screenshot(path=screenshots / "completion.png")
