"""The cases of a test cell: each calls the answer once, and the points are their share.

The host calls the guest's functions and compares here; what the guest prints decides nothing.
"""

from __future__ import annotations

import contextlib
import errno
import io
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import GuestError, GuestFailure, GuestTrap, MachineError, UsageError
from wasm_lab.exercises.values import equal, near, shown
from wasm_lab.run import TrapKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: The MIME type under which the outcomes of a test cell travel.
MIME = "application/vnd.wasm-lab.cases+json"

#: Points are given to this many decimals: what gradebooks keep.
DECIMALS = 2

#: What a case that fails shows of what the guest printed.
SHOWN_LETTERS = 1000

#: What Rust prints of a panic, to the end.
_PANIC = re.compile(r"(^|\n)thread '[^\n]*panicked at .*", re.DOTALL)

#: Cases of one cell that may reach the deadline, or use up the fuel, before the others are given up.
STOPS = 2

#: Limits that end a guest. Reaching one is no trap that a case may wish for, unless it says so.
_LIMITS = {TrapKind.DEADLINE, TrapKind.FUEL, TrapKind.OUTPUT}

#: Those that a run without end reaches. Which of the two comes first depends on the machine.
_ENDLESS = {TrapKind.DEADLINE, TrapKind.FUEL}

#: What the system says when this machine has no more of something; no answer can bring that about from its sandbox.
_EXHAUSTED = {errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of one case."""

    name: str
    passed: bool
    message: str = ""  #: why it failed; the guest's own words may stand in it
    lost: bool = False  #: this machine failed, so that nothing is said of the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The outcomes of a test cell and the points that they give.

    ``str(score)`` is the points: nbgrader reads partial credit from a cell's last expression. A cell
    whose cases are all hidden has none in the released form; what it says there is no number, because
    nbgrader would take a 0 for an answer that is wrong.

    Example:
        >>> cases = Cases(points=2)
        >>> cases.true("sum", 1 + 1 == 2)
        >>> cases.true("product", 2 * 2 == 5, because="2 * 2 is 4")
        >>> cases.score()
        1.0
    """

    max_points: float
    results: tuple[CaseResult, ...]

    @property
    def points(self) -> float:
        """The share of the points that the passed cases have, to two decimals."""
        passed = sum(result.passed for result in self.results)
        return round(self.max_points * passed / len(self.results), DECIMALS) if self.results else 0.0

    def __repr__(self) -> str:
        return str(self.points) if self.results else "Hidden cases: they run when this is graded."

    def record(self) -> dict[str, Any]:
        """What travels under `MIME`."""
        return {
            "max_points": self.max_points,
            "points": self.points,
            "cases": [
                {"name": result.name, "passed": result.passed, "message": result.message, "lost": result.lost}
                for result in self.results
            ],
        }

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), MIME: self.record()}


class Cases:
    """Collects the cases of one test cell; `score` is the cell's last expression.

    Every call is made in a fresh instance of its cell, so none sees what another one did, in the same case or
    before. What the guest prints meanwhile is kept from the cell's output and shown with a case that fails. An
    answer that runs without end would take all of its time or fuel in every case: after `STOPS` of them no other
    is tried.

    Args:
        points: what the cell is worth, as its nbgrader metadata has it.

    Example:
        >>> cases = Cases(points=1)
        >>> cases.equal("two and two", lambda a, b: a + b, (2, 2), 4)
        >>> cases.equal("two and three", lambda a, b: a + b, (2, 3), 6)
        >>> print(cases.score().results[1].message)
        <lambda>(2, 3) gives 5, and 6 is expected.
    """

    def __init__(self, *, points: float = 1) -> None:
        self.max_points = float(points)
        self._results: list[CaseResult] = []
        self._stops = 0  #: cases that reached the deadline

    def equal(
        self, name: str, function: Callable[..., Any], args: Sequence[Any], expected: Any, because: str = ""
    ) -> None:
        """``function(*args)`` must give ``expected``.

        Args:
            because: what to think of when it does not.
        """
        with self._case(name, because) as case:
            got = case.call(function, args)
            case.require(
                equal(got, expected),
                f"{_written(function, args)} gives {shown(got)}, and {shown(expected)} is expected.",
            )

    def close(
        self,
        name: str,
        function: Callable[..., Any],
        args: Sequence[Any],
        expected: Any,
        *,
        within: float = 1e-9,
        because: str = "",
    ) -> None:
        """As `equal`, for floats, also inside of lists: each within an absolute or relative distance."""
        with self._case(name, because) as case:
            got = case.call(function, args)
            case.require(
                near(got, expected, within),
                f"{_written(function, args)} gives {shown(got)}, and {shown(expected)} "
                f"(within {within:g}) is expected.",
            )

    def traps(
        self,
        name: str,
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        says: str = "",
        because: str = "",
    ) -> None:
        """``function(*args)`` must trap: panic, or be stopped.

        Args:
            says: must stand in the message. A guest that reached its deadline, its fuel or its limit of
                output has trapped only where ``says`` names that.
        """
        self._fails(name, GuestTrap, function, args, says=says, because=because)

    def fails(
        self,
        name: str,
        function: Callable[..., Any],
        args: Sequence[Any] = (),
        says: str = "",
        because: str = "",
    ) -> None:
        """``function(*args)`` must return ``Err``, and ``says`` must stand in its text."""
        self._fails(name, GuestError, function, args, says=says, because=because)

    def true(self, name: str, condition: Any, because: str = "", *, one_instance: bool = False) -> None:
        """``condition`` must be true; of a callable, its result must be.

        Args:
            because: why it is wrong when it is not.
            one_instance: all calls that a callable makes find one instance, fresh at its beginning: for
                answers that shall keep something from call to call. An answer to anything else could pass
                by what it kept.
        """
        with self._case(name, "") as case:
            met = case.call(condition, (), afresh=not one_instance) if callable(condition) else condition
            case.require(bool(met), because or "This does not hold.")

    def score(self) -> Score:
        """All outcomes so far."""
        return Score(max_points=self.max_points, results=tuple(self._results))

    def _fails(
        self,
        name: str,
        kind: type[GuestFailure],
        function: Callable[..., Any],
        args: Sequence[Any],
        *,
        says: str,
        because: str,
    ) -> None:
        with self._case(name, because) as case:
            written = _written(function, args)
            demand = "must trap" if kind is GuestTrap else "must return Err"
            try:
                got = case.call(function, args)
            except kind as failure:
                limit = isinstance(failure, GuestTrap) and failure.trap.kind in _LIMITS
                case.require(
                    says in failure.message if says else not limit,
                    f"{written} {demand}{f' and say {says!r}' if says else ''}. It said: {failure.message}",
                )
            else:
                case.require(False, f"{written} {demand}, and gives {shown(got)}.")

    @contextlib.contextmanager
    def _case(self, name: str, because: str) -> Iterator[_Case]:
        if any(result.name == name for result in self._results):
            raise UsageError(f"Two cases are named {name!r}.", hint="Give each case of a cell its own name.")
        case = _Case(tried=self._stops < STOPS)
        lost = False
        try:
            yield case
        except _NotMet as wrong:
            message = str(wrong)
        except Exception as error:  # whatever an answer does, the other cases are tried
            message = error.message if isinstance(error, GuestFailure) else _told(error)
            lost = isinstance(error, MachineError) or (
                isinstance(error, OSError) and error.errno in _EXHAUSTED
            )
            if isinstance(error, GuestTrap) and error.trap.kind in _ENDLESS:
                self._stops += 1
                message += "\nIs there a loop that never ends?"
        else:
            self._results.append(CaseResult(name=name, passed=True))
            return
        parts = (message, because, f"It printed:\n{case.printed}" if case.printed else "")
        shown_message = "\n".join(filter(None, parts))
        self._results.append(CaseResult(name=name, passed=False, message=shown_message, lost=lost))


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # of a key that is a number of thousands of digits, which Python does not write
        return type(error).__name__


class _NotMet(Exception):
    """A case does not hold."""


class _Case:
    """One case while it runs."""

    def __init__(self, *, tried: bool) -> None:
        self._tried = tried
        self.printed = ""  #: what the guest printed, as much as is worth showing

    def call(self, function: Callable[..., Any], args: Sequence[Any], *, afresh: bool = True) -> Any:
        self.require(self._tried, f"Not tried: {STOPS} cases before it were stopped.")
        # A guest's output would be taken for the test cell's: nbgrader gives no points where a test
        # cell wrote to its error stream.
        printed = io.StringIO()
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
                _instances(function, afresh=afresh),
            ):
                return function(*args)
        finally:
            # A panic's own message is in the trap already.
            self.printed = _PANIC.sub("", printed.getvalue())[:SHOWN_LETTERS].strip()

    def require(self, met: bool, message: str) -> None:
        if not met:
            raise _NotMet(message)


@contextlib.contextmanager
def _instances(function: Callable[..., Any], *, afresh: bool) -> Iterator[None]:
    """Meanwhile each call finds a fresh instance, or all of them find one that is fresh now."""
    session = sys.modules.get("wasm_lab.session")
    cells = [*session.default_session().cells.values()] if session else []
    own = getattr(function, "cell", None)
    if own is not None and own not in cells:  # of no session, or of an earlier one
        cells.append(own)
    before = [cell.afresh for cell in cells]
    for cell in cells:
        cell.afresh = afresh
        if not afresh:
            cell.reset()
    try:
        yield
    finally:
        for cell, was in zip(cells, before, strict=True):
            cell.afresh = was


def _written(function: Callable[..., Any], args: Sequence[Any]) -> str:
    name = getattr(function, "__name__", "the function")
    return f"{name}({', '.join(map(shown, args))})"
