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


def _call(path: str, *, allowed: bool = True) -> HostCall:
    return HostCall(name="path_open", arguments={"path": path}, result="ok", allowed=allowed)


def test_many_harmless_calls_hide_no_refused_one_and_what_is_left_out_is_counted() -> None:
    harmless = [_call(f"/data/{number}") for number in range(sitting.AUDIT_LINES + 30)]
    looked = [_call("/etc/passwd", allowed=False), *harmless[-3:], *harmless[-3:]]
    tried = [_call("/data/secret"), _call("/etc/shadow", allowed=False)]
    lines = sitting.Judged([("answer", False, [*harmless, *looked]), ("answer", True, tried)]).record["audit"]
    refused = [line["subject"] for line in lines if not line["allowed"]]
    assert refused == ["/etc/passwd", "/etc/shadow"]
    told = [line for line in lines if line["call"] == sitting.LEFT_OUT]
    assert len(lines) - len(told) == sitting.AUDIT_LINES
    assert [(line["result"], line["count"], line["allowed"], line["hidden"]) for line in told] == [
        ("kinds of call that are not listed: 32", 32 + 6, True, False),
        ("kinds of call that are not listed: 1", 1, True, True),
    ]
    assert sum(line["count"] for line in lines) == len(harmless) + len(looked) + len(tried)


def test_few_calls_are_all_told_in_their_order() -> None:
    calls = [_call("/a"), _call("/b", allowed=False), _call("/a"), _call("/c")]
    lines = sitting.Judged([("answer", False, calls)]).record["audit"]
    assert [(line["subject"], line["count"]) for line in lines] == [("/a", 2), ("/b", 1), ("/c", 1)]
