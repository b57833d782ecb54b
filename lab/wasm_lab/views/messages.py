"""A widget whose messages are heard while a cell runs."""

from __future__ import annotations

import contextlib
from typing import Any

import anywidget


class HeardWidget(anywidget.AnyWidget):
    """An anywidget that a kernel listens to in the subshell that the front end asked for.

    ipykernel 7 hands a message to the shell from which the kernel last sent on the same comm. A widget
    is made in a cell, so its messages would wait in the main shell until the running cell has ended.
    Where ipykernel does not note that shell, as before version 7, there is nothing to forget.
    """

    def __init__(self) -> None:
        super().__init__()
        self._forget_shell()

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a custom message to the front end."""
        super().send(content, buffers)
        self._forget_shell()

    def _forget_shell(self) -> None:
        with contextlib.suppress(AttributeError):
            del self.comm._reply_subshell_id
