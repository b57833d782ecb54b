"""The widget behind a measurement in the browser: passes messages between page and `BrowserRun`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.views.messages import HeardWidget

if TYPE_CHECKING:
    from wasm_lab.views.browser import BrowserRun

_HERE = Path(__file__).parent


class BrowserWidget(HeardWidget):
    """Its state is the front end alone: module, arguments and samples are custom messages."""

    _esm = _HERE / "browser.js"
    _css = _HERE / "browser.css"

    def __init__(self, run: BrowserRun) -> None:
        super().__init__()
        self._run = run
        self.on_msg(self._received)

    def _received(self, _widget: Any, content: Any, buffers: Any) -> None:
        answer = self._run.message(content, buffers or ())
        if answer is None:
            return
        if answer["kind"] == "start":
            answer["worker"] = (_HERE / "browser_worker.js").read_text(encoding="utf-8")
            self.send(answer, [self._run.work.wasm, self._run.work.harness.arguments])
        else:
            self.send(answer)
