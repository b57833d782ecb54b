"""A shell of IPython for one exercise: the magics of the lab, and no trace of it afterwards."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from wasm_lab.session import Session, using

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wasm_lab.capabilities import Capabilities
    from wasm_lab.live import LiveCell
    from wasm_lab.runtimes.base import Runtime

#: What running a cell gives: the value of its last expression, and what was raised.
Ran = tuple[Any, BaseException | None]


class _KeepValue(DisplayHook):
    """Keeps the value of a cell's last expression and shows it nowhere."""

    def __call__(self, result: Any = None) -> None:
        if result is not None and self.exec_result is not None:
            self.exec_result.result = result

    def flush(self) -> None:
        """Nothing is held. What this does elsewhere, a full collection of garbage, takes 0.2 s in a large process."""


class _Shell(InteractiveShell):
    """A shell without history, configuration files, output and tracebacks."""

    displayhook_class = _KeepValue
    display_pub_class = CapturingDisplayPublisher

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """The error is in the result of the cell."""

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """The same."""


class LimitedSession(Session):
    """A session in which an exercise's own limits hold, and each call finds a fresh instance, as when it is graded."""

    def __init__(self, *, fuel: int | None, deadline_s: float | None) -> None:
        super().__init__()
        self._fuel = fuel
        self._deadline_s = deadline_s

    def define(self, *args: Any, **options: Any) -> LiveCell:
        """The functions of an answer; see `Session.define`."""
        cell = super().define(*args, **options)
        cell.afresh = True
        return cell

    def _checked(
        self, runtime: str | None, capabilities: Capabilities | None, *, audit: bool = False
    ) -> tuple[Runtime, Capabilities]:
        engine, chosen = super()._checked(runtime, capabilities, audit=audit)
        fuel, deadline_s = chosen.fuel, chosen.deadline_s
        if self._fuel:
            fuel = min(fuel or self._fuel, self._fuel)
        if self._deadline_s:
            deadline_s = min(deadline_s or self._deadline_s, self._deadline_s)
        limited = replace(chosen, fuel=fuel, deadline_s=deadline_s)
        engine.check(limited, audit=audit)
        return engine, limited


@contextlib.contextmanager
def fresh_shell(*, fuel: int | None, deadline_s: float | None) -> Iterator[Callable[[str], Ran]]:
    """What runs cells one after the other, in names and a session that are gone afterwards.

    Args:
        fuel: instructions for each call of a guest, at most.
        deadline_s: seconds for each call, at most.
    """
    # The lab's displays ask for the one shell of the process, so this must be it meanwhile.
    kept: Any = InteractiveShell
    before, main = kept._instance, sys.modules["__main__"]
    config = Config()
    config.HistoryManager.enabled = False
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as folder:
        kept._instance = None
        made: Any = _Shell
        shell = made(config=config, ipython_dir=folder, colors="nocolor")
        kept._instance = shell

        def run(text: str) -> Ran:
            result = shell.run_cell(text, store_history=False)
            return result.result, result.error_before_exec or result.error_in_exec

        try:
            with using(LimitedSession(fuel=fuel, deadline_s=deadline_s)):
                yield run
        finally:
            kept._instance = before
            sys.modules["__main__"] = main
            shell.restore_sys_module_state()
            shell._atexit_once()
