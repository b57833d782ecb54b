"""Programs and test files that others would bring, mistakes included, unchanged through the lab.

They are in the folder ``foreign``, in the manner of Rust by Example, the Rust book, rustlings and
exercism. Each says in its comments what it must come to: ``//>`` begins a line of standard
output, and ``//@ key: value`` is one of

    args, stdin, env, dir, profile    what it is given
    exit, trap, stderr                how it ends (status 0 by default), and what stderr has in it
    error                             the code, or words, of the compiler's error
    line                              where: of the compiler's error, or of the panic
    tests                             each test and its outcome
    test                              to be built with its tests
    wasip1                            to be built for wasm32-wasip1 only
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from wasm_lab.capabilities import ClockMode, Directory, RandomMode
from wasm_lab.cells.rich import RichSplitter
from wasm_lab.errors import CompileError
from wasm_lab.run import TrapKind
from wasm_lab.source import Profile, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.run import Run
    from wasm_lab.source import Source
    from wasm_lab.testing import TestReport

FOREIGN = Path(__file__).parent / "foreign"


@dataclass
class Expected:
    """What the comments of one file say."""

    path: Path
    stdout: str
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def is_test(self) -> bool:
        return "tests" in self.keys or "test" in self.keys

    def given(self, folder: Path) -> dict[str, Any]:
        """Profile and capabilities, as the fixture ``run`` takes them."""
        options: dict[str, Any] = {"profile": Profile(self.keys.get("profile", "release"))}
        if "stdin" in self.keys:
            options["stdin"] = self.keys["stdin"].replace("\\n", "\n").encode()
        if "env" in self.keys:
            options["env"] = dict([self.keys["env"].split("=", 1)])
        if "dir" in self.keys:
            options["dirs"] = (Directory(folder, self.keys["dir"]),)
        return options


def read(path: Path) -> Expected:
    text = path.read_text(encoding="utf-8")
    lines = re.findall(r"^//>(?: (.*))?$", text, re.MULTILINE)
    found = re.findall(r"^//@ (\w+)(?:: (.*))?$", text, re.MULTILINE)
    return Expected(path, "".join(f"{line}\n" for line in lines), dict(found))


ALL = [read(path) for path in sorted(FOREIGN.glob("*.rs"))]
RUNS = [case for case in ALL if "error" not in case.keys and not case.is_test]
REFUSED = [case for case in ALL if "error" in case.keys]
TESTED = [case for case in ALL if "tests" in case.keys]


#: The ways to run a program that must make no difference to it.
WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "audit": {"audit": True},
    "still": {"clock": ClockMode.FROZEN, "random": RandomMode.SEEDED},
    "wasip2": {"target": Target.WASIP2},
}


def names(cases: list[Expected]) -> list[Any]:
    return [pytest.param(case, id=case.path.stem) for case in cases]


def shown(stdout: bytes) -> str:
    """Standard output as it is shown: the value of a last expression as its text."""
    splitter = RichSplitter()
    return b"".join(content for _, content in splitter.feed(stdout) + splitter.close()).decode()


@pytest.mark.parametrize(
    ("case", "way"),
    [
        pytest.param(case, way, id=f"{case.path.stem}-{way}")
        for case in RUNS
        for way in WAYS
        if not (way == "wasip2" and "wasip1" in case.keys)
    ],
)
def test_programs_run_as_they_do_elsewhere(
    case: Expected, way: str, run: Callable[..., Run], tmp_path: Path
) -> None:
    options = case.given(tmp_path) | WAYS[way]
    result = run(case.path, *case.keys.get("args", "").split(), **options)
    stderr = result.stderr.decode()
    assert shown(result.stdout).rstrip("\n") == case.stdout.rstrip("\n"), stderr
    assert case.keys.get("stderr", "") in stderr
    if "trap" not in case.keys:
        status = int(case.keys.get("exit", "0"))
        # WASI 0.2 has no number: a program says only whether it ended well (wasi:cli/exit).
        expected = min(status, 1) if way == "wasip2" else status
        assert (result.trap, result.exit_status) == (None, expected), stderr
        return
    assert result.trap, stderr
    assert result.trap.kind is TrapKind(case.keys["trap"])
    if "line" in case.keys:
        assert f".rs:{case.keys['line']}:" in stderr
    if "line" in case.keys and case.keys.get("profile") == "dev":
        assert any(frame.line == int(case.keys["line"]) for frame in result.trap.frames if frame.file)


@pytest.mark.parametrize("case", names(REFUSED))
def test_mistakes_are_shown_where_they_are(
    case: Expected, artifact: Callable[..., Artifact], run_tests: Callable[..., TestReport]
) -> None:
    build = run_tests if case.is_test else artifact
    with pytest.raises(CompileError) as caught:
        build(case.path)
    error, wanted = caught.value, case.keys["error"]
    errors = [found for found in error.diagnostics if found.level == "error"]
    fitting = [found for found in errors if found.code == wanted or wanted in found.message]
    assert fitting, [f"{found.code} {found.message}" for found in errors]
    spans = [span for found in fitting for span in found.spans]
    total = len(case.path.read_text().splitlines())
    assert all(1 <= span.line <= total for span in spans)
    if "line" in case.keys:
        assert int(case.keys["line"]) in [span.line for span in spans], spans
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    assert case.path.name in plain
    assert "wasm_lab" not in plain.replace(str(case.path), ""), "the lab's own glue shows"


@pytest.mark.parametrize("case", names(TESTED))
def test_tests_are_judged_as_libtest_does(case: Expected, run_tests: Callable[..., TestReport]) -> None:
    report = run_tests(case.path)
    expected = dict(pair.rsplit(" ", 1) for pair in case.keys["tests"].split(", "))
    assert {result.name: result.outcome for result in report.results} == expected
    assert report.ok is ("FAILED" not in expected.values())


def test_a_failed_assertion_shows_both_sides(run_tests: Callable[..., TestReport]) -> None:
    results = {result.name: result for result in run_tests(FOREIGN / "test_rustlings.rs").results}
    message = results["tests::fails"].message
    assert "three is odd" in message
    assert "left: false" in message
    assert "right: true" in message
    assert results["tests::later"].message == "not today"
    results = {result.name: result for result in run_tests(FOREIGN / "test_exercism.rs").results}
    assert "InvalidDigit" in results["result_err"].message
    assert results["result_err"].stdout == "", "libtest's own lines are not the test's output"
    assert "this text" in results["wrong_panic"].message
    assert "another text" in results["wrong_panic"].message


def test_a_thread_that_cannot_be_is_explained(run: Callable[..., Run]) -> None:
    """rustc's library says "operation not supported"; the lab has to say of what, and why."""
    from wasm_lab.session import failure_of

    failure = failure_of(run(FOREIGN / "threads.rs"))
    assert failure
    assert "thread" in str(failure)


def test_every_file_is_used(source: Callable[..., Source]) -> None:
    assert len(ALL) == len(RUNS) + len(REFUSED) + len(TESTED)
    assert len(ALL) >= 40
    assert all(source(case.path, test=case.is_test).code for case in RUNS + TESTED)
