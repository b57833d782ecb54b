"""The panel's widget: passes forms from the browser to the state, and answers back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.views.messages import HeardWidget

if TYPE_CHECKING:
    from wasm_lab.views.panel_state import PanelState

_HERE = Path(__file__).parent


class PanelWidget(HeardWidget):
    """The switches in the browser.

    Forms and answers are custom messages, not synchronised state: state that changes while a cell
    runs can be lost in the front end, and would be saved into the notebook. Runs are made in a
    thread of their own, so that a long one holds up neither the kernel nor the next switch; of
    forms that arrive meanwhile, only the last is run.
    """

    _esm = _HERE / "panel.js"
    _css = _HERE / "panel.css"

    def __init__(self, state: PanelState) -> None:
        super().__init__()
        self._state = state
        self._wake = threading.Condition()
        self._waiting: dict[str, Any] | None = None
        self._thread: threading.Thread | None = None
        self.on_msg(self._received)

    def _received(self, _widget: Any, content: Any, _buffers: Any) -> None:
        match content:
            case {"kind": "hello"}:
                self.send({"kind": "state", **self._state.description(), **self._state.latest()})
            case {"kind": "submit", "form": dict()}:
                with self._wake:
                    self._waiting = content
                    if self._thread is None:
                        self._thread = threading.Thread(target=self._work, name="wasm-lab panel", daemon=True)
                        self._thread.start()
                    self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while self._waiting is None:
                    self._wake.wait()
                asked, self._waiting = self._waiting, None
            try:
                answer = self._state.submit(asked["form"])
            except Exception as error:
                # Told where the user looks; this thread has nobody else to tell.
                answer = {**self._state.latest(), "problem": f"{type(error).__name__}: {error}"}
            self.send({"kind": "answer", "view": asked.get("view"), "serial": asked.get("serial"), **answer})
