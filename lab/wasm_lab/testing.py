"""Outcomes of ``#[test]`` functions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """One ``#[test]`` function's outcome."""

    __test__ = False

    name: str
    outcome: str  #: ``ok``, ``FAILED`` or ``ignored``
    message: str = ""  #: why it failed, or the reason given to ``#[ignore]``
    stdout: str = ""
    duration_ns: int = 0
    should_panic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReport:
    """All outcomes of one ``--test`` build."""

    __test__ = False

    label: str
    results: tuple[TestResult, ...]
    filtered_out: int = 0
    duration_ns: int = 0

    def count(self, outcome: str) -> int:
        return sum(result.outcome == outcome for result in self.results)

    @property
    def ok(self) -> bool:
        return not self.count("FAILED")
