"""An audit tells which of its lines a hidden test made: a program can put its input into a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core import getipython
from IPython.core.events import EventManager, available_events
from IPython.core.interactiveshell import ExecutionInfo

from wasm_lab.grading import sitting
from wasm_lab.run import HostCall


@dataclass
class Done:
    audit: tuple[HostCall, ...]


class Session:
    """Runs programs that open the file which they were told."""

    def run(self, artifact: Any, *, told: str) -> Done:
        call = HostCall(name="path_open", arguments={"path": told}, result="ok", allowed=True)
        return Done(audit=(call,))


class Shell:
    def __init__(self) -> None:
        self.events = EventManager(self, available_events)


@dataclass
class Artifact:
    label: str = "answer"


def test_a_run_of_a_hidden_test_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, session = Shell(), Session()
    monkeypatch.setattr(getipython, "get_ipython", lambda: shell)
    monkeypatch.setattr(sitting, "_audits", [])
    sitting._listen(session)  # type: ignore[arg-type]
    cells = {
        "open": "cases.equal('two', run, (2,), 2)",
        "secret": "### BEGIN HIDDEN TESTS\ncases.equal('x', run, (1729,), 1)\n### END HIDDEN TESTS\ncases.score()",
        "open again": "run(3)",
    }
    for told, text in cells.items():
        shell.events.trigger("pre_run_cell", ExecutionInfo(text, False, False, True, None))
        session.run(Artifact(), told=told)
    lines = sitting.end().record["audit"]
    assert {line["subject"]: line["hidden"] for line in lines} == {
        "open": False,
        "secret": True,
        "open again": False,
    }
