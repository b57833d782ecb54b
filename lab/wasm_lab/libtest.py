"""Running a libtest build: each ``#[test]`` in a fresh instance, judged from outside.

A panic aborts a Wasm instance, and libtest on Wasm ignores ``should_panic`` tests, so
the lab lists the tests itself, runs each by ``--exact NAME`` and judges by the trap and
its message. That is honest enough for one's own tests. It is no way to grade: code that
shares a crate with its tests can end the program with status 0.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.build.crate import TestCase, crate_for
from wasm_lab.errors import UsageError
from wasm_lab.run import TrapKind
from wasm_lab.testing import TestReport, TestResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.run import Run

#: libtest's exit status when a test fails without trapping (library/test/src/lib.rs, ERROR_EXIT_CODE).
LIBTEST_FAILED = 101


def run_tests(
    artifact: Artifact,
    execute: Callable[[Capabilities], Run],
    capabilities: Capabilities,
    *,
    matching: str = "",
    include_ignored: bool = False,
    on_result: Callable[[TestResult], None] | None = None,
) -> TestReport:
    """Run the tests of a libtest artifact and report each.

    Args:
        execute: runs the artifact's command under given capabilities in a fresh instance.
        matching: only tests whose path contains this text.
        include_ignored: run ``#[ignore]`` tests too.
        on_result: called with each outcome as it comes.

    Raises:
        UsageError: the artifact is not a build of Rust source.
    """
    if artifact.source is None:
        raise UsageError(f"{artifact.label} was made elsewhere: its tests are not known.")
    cases = _all_cases(crate_for(artifact.source).tests, execute, capabilities)
    chosen = [case for case in cases if matching in case.name]
    started = time.perf_counter_ns()
    results = []
    for case in chosen:
        if case.ignored and not include_ignored:
            result = TestResult(
                name=case.name, outcome="ignored", message=case.reason, should_panic=case.should_panic
            )
        else:
            result = _run_one(case, execute, capabilities)
        results.append(result)
        if on_result:
            on_result(result)
    return TestReport(
        label=artifact.label,
        results=tuple(results),
        filtered_out=len(cases) - len(chosen),
        duration_ns=time.perf_counter_ns() - started,
    )


def _all_cases(
    seen: tuple[TestCase, ...], execute: Callable[[Capabilities], Run], capabilities: Capabilities
) -> list[TestCase]:
    """The tests that libtest lists, with what the text says of each; macros may make more than the text shows."""
    run = execute(replace(capabilities, args=("--list", "--format=terse")))
    if run.exit_status != 0:
        # Code of the learner's that runs before main, or a harness of their own: rely on the text.
        return list(seen)
    by_name = {case.name: case for case in seen}
    # What `cfg_attr` or a macro ignores, only libtest knows.
    ignored = _listed(execute(replace(capabilities, args=("--list", "--format=terse", "--ignored"))))
    cases = [by_name.get(name) or TestCase(name=name) for name in _listed(run)]
    return [replace(case, ignored=True) if case.name in ignored else case for case in cases]


def _listed(run: Run) -> list[str]:
    lines = run.stdout.decode(errors="replace").splitlines()
    return [name for name in (line.rpartition(": test")[0] for line in lines) if name]


def _run_one(
    case: TestCase, execute: Callable[[Capabilities], Run], capabilities: Capabilities
) -> TestResult:
    # --include-ignored, because whether to run an ignored test was decided above.
    args = ("--exact", case.name, "--include-ignored", "--nocapture", "--test-threads=1")
    started = time.perf_counter_ns()
    run = execute(replace(capabilities, args=args))
    failure = _why_failed(case, run)
    return TestResult(
        name=case.name,
        outcome="FAILED" if failure else "ok",
        message=failure,
        stdout=_own_output(run),
        duration_ns=time.perf_counter_ns() - started,
        should_panic=case.should_panic,
    )


def _why_failed(case: TestCase, run: Run) -> str:
    """Why a run does not count as passed; empty when it does."""
    if case.should_panic:
        if not run.trap:
            return "test did not panic as expected"
        if run.trap.kind is not TrapKind.PANIC:
            return f"a panic was expected, but the guest stopped otherwise. {run.trap}"
        if case.expected not in run.trap.message:
            return (
                f"panic did not contain expected string\n"
                f"      panic message: {run.trap.message!r}\n"
                f" expected substring: {case.expected!r}"
            )
        return ""
    if run.trap:
        return str(run.trap)
    if run.exit_status == LIBTEST_FAILED:
        return _returned_error(run) or "the test returned an error"
    if run.exit_status:
        return f"the test ended the program with exit status {run.exit_status}"
    if b"1 ignored" in run.stdout:
        return "libtest on Wasm cannot run a should_panic test that a macro made"
    if b"1 passed" not in run.stdout:
        return "the test ended the program before libtest could report"
    return ""


def _returned_error(run: Run) -> str:
    lines = (run.stderr + run.stdout).decode(errors="replace").splitlines()
    return next((line for line in lines if line.startswith("Error: ")), "")


def _own_output(run: Run) -> str:
    """What the test itself printed: libtest's own lines around it are taken off."""
    text = run.stdout.decode(errors="replace")
    _, _, rest = text.partition("running 1 test\n")
    body, _, _ = rest.partition("\ntest result: ")
    _, _, own = body.partition(" ... ")
    own, failed, _ = own.partition("FAILED\n\nfailures:\n")
    return (own if failed else own.strip("\n").removesuffix("ok")).strip("\n")
