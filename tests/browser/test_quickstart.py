"""The quickstart in JupyterLab: opened and run as a newcomer does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.slow

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "00_quickstart.ipynb"


def test_the_quickstart_runs(open_notebook: Any, page: Page, screenshots: Path) -> None:
    notebook = open_notebook(QUICKSTART, "quickstart.ipynb")
    notebook.run_all()
    notebook.wait_idle(180)
    assert notebook.errors() == []
    text = json.dumps(notebook.outputs())
    assert "832040" in text, "fib(30)"
    assert "of Wasm" in text
    page.screenshot(path=screenshots / "quickstart.png")
