"""A real JupyterLab, once for all of these tests, and a real browser, once for each module.

The browser is one that is installed already (Debian's ``chromium``); nothing is downloaded. Where
it is missing these tests fail, for a skipped test would look like a passed one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, TimeoutError, expect, sync_playwright

ROOT = Path(__file__).parents[2]

#: Where screenshots are kept; git ignores it, and CI keeps it as an artifact.
SCREENSHOTS = ROOT / "out" / "browser"

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


def chromium() -> str:
    """The path of a browser; fails the test when there is none."""
    asked = os.environ.get("WASM_LAB_CHROMIUM")
    found = asked or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not found or not Path(found).exists():
        pytest.fail(
            "No Chromium is installed, and these tests drive one. On Debian: apt-get install chromium. "
            "Elsewhere, set WASM_LAB_CHROMIUM to the path of a Chromium or Chrome."
        )
    return str(found)


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab with its own folders."""

    url: str
    token: str
    folder: Path
    log: Path

    def at(self, path: str) -> str:
        return f"{self.url}/{path}?token={self.token}"


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("jupyter")
    folder = home / "notebooks"
    folder.mkdir()
    port, token = _free_port(), secrets.token_hex(16)
    settings = home / "settings" / "@jupyterlab"
    (settings / "apputils-extension").mkdir(parents=True)
    # A question about news stands before the notebook otherwise.
    (settings / "apputils-extension" / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false, "doNotDisturbMode": true}'
    )
    _without_nbgrader(home / "config")
    env = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")} | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"),
        *(f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"),
    ]
    log = home / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        started = Lab(f"http://127.0.0.1:{port}", token, folder, log)
        _wait_until_ready(started, process)
        yield started
    finally:
        with contextlib.suppress(OSError):  # the server ends its kernels when it is asked to
            request = urllib.request.Request(started.at("api/shutdown"), method="POST")
            request.add_header("Authorization", f"token {token}")
            urllib.request.urlopen(request, timeout=60).close()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _without_nbgrader(config: Path) -> None:
    """Its panels and its server's part are an instructor's; a learner has neither."""
    parts = ("formgrader", "validate_assignment", "assignment_list", "course_list")
    off = {f"nbgrader.server_extensions.{part}": False for part in parts}
    (config / "labconfig").mkdir(parents=True)
    (config / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": off}})
    )
    (config / "labconfig" / "page_config.json").write_text(
        '{"disabledExtensions": {"@jupyter/nbgrader": true}}'
    )


def _wait_until_ready(lab: Lab, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"JupyterLab ended with status {process.returncode}:\n{lab.log.read_text()[-4000:]}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(lab.at("api/status"), timeout=2).close()
            return
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not answer within 60 s:\n{lab.log.read_text()[-4000:]}")


# Not for the session: as long as it is open, this thread has a running event loop, which other tests start.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1400, "height": 1500})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    page.close()


_RAN = """(but) => {
    const cells = [...window.jupyterapp.shell.currentWidget.content.model.cells];
    const code = cells.filter((each) => each.type === 'code');
    return code.slice(0, code.length - but).every((each) => each.executionCount !== null);
}"""


@dataclass
class Notebook:
    """A notebook open in JupyterLab."""

    page: Page
    lab: Lab
    path: str

    def run_all(self) -> None:
        """Run every cell, one after the other, as a person does with the menu."""
        for _ in range(5):
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            # What is asked of a kernel in the moment in which it connects can come to nothing.
            with contextlib.suppress(TimeoutError):
                self.page.wait_for_function(
                    """() => [...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')]
                        .some((each) => each.textContent.trim() !== '[ ]:')""",
                    timeout=3000,
                )
                return
        pytest.fail("JupyterLab ran no cell.")

    def run_cell(self, index: int) -> None:
        """Run one cell, as with Ctrl+Enter in it (Shift+Enter in the last one adds a cell)."""
        cell = self.page.locator(".jp-Notebook .jp-Cell").nth(index)
        for _ in range(5):
            cell.locator(".jp-InputArea-editor .cm-content").click()
            self.page.keyboard.press("Control+Enter")
            # What is asked of a kernel in the moment in which it connects can come to nothing.
            with contextlib.suppress(AssertionError):
                expect(cell.locator(".jp-InputPrompt")).not_to_have_text("[ ]:", timeout=3000)
                return
        pytest.fail("JupyterLab did not run the cell.")

    # JupyterLab draws only the cells that are in sight, so cells are asked of its model.

    def wait_idle(self, timeout_s: float = 60, but: int = 0) -> None:
        """Until every code cell has its number, but for the last few."""
        self.page.wait_for_function(_RAN, arg=but, timeout=timeout_s * 1000)

    def is_idle(self) -> bool:
        """Whether every code cell has its number."""
        return bool(self.page.evaluate(_RAN, 0))

    def outputs(self) -> list[dict[str, Any]]:
        """The outputs of all cells, as nbformat has them."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
                .filter((each) => each.type === 'code').flatMap((each) => each.outputs.toJSON())"""
        )
        return found

    def errors(self) -> list[str]:
        """What outputs that are errors say."""
        return [
            f"{each['ename']}: {each['evalue']}" for each in self.outputs() if each["output_type"] == "error"
        ]


@pytest.fixture
def open_notebook(page: Page, lab: Lab) -> Any:
    """Opens cells, or a notebook file, in JupyterLab and waits until the kernel is there."""

    def opened(cells: list[str] | Path, name: str = "test.ipynb") -> Notebook:
        import nbformat
        from nbformat.v4 import new_code_cell, new_notebook

        if isinstance(cells, Path):
            shutil.copy(cells, lab.folder / name)
        else:
            notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
            notebook.metadata["kernelspec"] = {
                "name": "python3",
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
            }
            nbformat.write(notebook, lab.folder / name)
        page.goto(lab.at(f"lab/workspaces/{secrets.token_hex(4)}/tree/{name}"))
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        # Cells that are run before the kernel is connected can come to nothing.
        page.wait_for_function(
            """() => {
                const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
                return kernel && kernel.connectionStatus === 'connected' && kernel.status === 'idle';
            }"""
        )
        page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info.then(() => 0)"
        )
        return Notebook(page, lab, name)

    return opened


@pytest.fixture(scope="session")
def screenshots() -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS
