"""For every test."""

from __future__ import annotations

import re
import signal
from typing import Any

# A shell ignores Ctrl-C in what it starts in the background, and every process below inherits that: tests
# that interrupt would then wait until their deadlines.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name every chapter that was executed, how it went and how long it took."""
    told = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            found = re.search(
                r"test_chapters\.py::\w+(?:runs_from_top_to_bottom\[(\w+)\]|the_(quickstart)_runs)",
                report.nodeid,
            )
            if found and (report.when == "call" or outcome != "passed"):
                told[found[1] or "00_quickstart"] = f"{outcome} after {report.duration:.1f} s"
    if told:
        terminalreporter.section("chapters, executed by papermill")
        for name, how in sorted(told.items()):
            terminalreporter.line(f"{name:28} {how}")
