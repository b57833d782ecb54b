"""The state of one capability panel: the artifact, the last form, the last two runs.

No widget: a front end, a test and a headless notebook drive it alike.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import LoadError, UnsupportedError, UsageError, WasmLabError
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.views.panel_command import command_line, magic_line
from wasm_lab.views.panel_form import PLACES, Asked, Form, form_of, read_form, refusals
from wasm_lab.views.panel_runs import Outcome, execute, record

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.session import Session


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a panel runs."""

    artifact: Artifact
    file: str = ""  #: the file it came from, as it was given; empty for a cell
    functions: tuple[str, ...] = ()  #: of a library: what can be called, as Python signatures show them

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(each.partition("(")[0] for each in self.functions)


class PanelState:
    """Reads forms, runs what they ask for, and keeps the last two runs.

    A form that cannot be read, or asks for what the runtime cannot enforce, runs nothing; the runs
    before it stay. Safe to use from several threads: one form at a time.

    Example:
        >>> import wasm_lab
        >>> from wasm_lab.session import default_session
        >>> program = wasm_lab.compile('fn main() { println!("{:?}", std::env::var("A")); }')
        >>> asked = Asked(capabilities=wasm_lab.Capabilities())
        >>> state = PanelState(default_session(), Subject(artifact=program), asked)
        >>> state.submit(state.form)["current"]["stdout"]
        'Err(NotPresent)\\n'
        >>> answer = state.submit(state.form | {"env": [{"on": True, "text": "A=1"}]})
        >>> answer["current"]["stdout"], answer["previous"]["stdout"]
        ('Ok("1")\\n', 'Err(NotPresent)\\n')
    """

    def __init__(self, session: Session, subject: Subject, asked: Asked) -> None:
        self.subject = subject
        self.asked = asked  #: the last that could be read and was not refused
        self.form: Form = form_of(asked)
        self.current: Outcome | None = None
        self.previous: Outcome | None = None
        self.number = 0  #: how often it has been run
        self._session = session
        self._lock = threading.Lock()
        self._answer: dict[str, Any] = {}

    def submit(self, form: Form) -> dict[str, Any]:
        """Run what the form asks for. Gives what the front end shows; never raises for bad input."""
        with self._lock:
            self.form = form
            asked, errors = read_form(form)
            problem = ""
            if errors:
                problem = "Nothing was run: see the message at the field."
            else:
                errors, problem = self._run(asked)
            self._answer = self._shown(errors, problem)
            return self._answer

    def latest(self) -> dict[str, Any]:
        """What the front end shows, without another run."""
        with self._lock:
            return self._answer or self._shown({}, "")

    def description(self) -> dict[str, Any]:
        """What a front end needs to draw the form: what there is to choose from."""
        artifact = self.subject.artifact
        return {
            "label": artifact.label,
            "functions": list(self.subject.functions),
            "runtimes": [_runtime(name) for name in NAMES],
        }

    def _run(self, asked: Asked) -> tuple[dict[str, str], str]:
        """Run, and keep the outcome. Gives messages by field, and what stood in the way, if anything."""
        try:
            runtime = get_runtime(asked.runtime)
        except UsageError as error:
            return {"runtime": str(error)}, "Nothing was run: see the message at the runtime."
        missing = runtime.missing()
        if missing:
            return {"runtime": missing}, f"Nothing was run: {runtime.name} is not usable here."
        refused = refusals(runtime, asked)
        if refused:
            return refused, f"Refused: {runtime.name} cannot enforce what is asked for, so nothing was run."
        try:
            outcome = execute(self._session, self.subject.artifact, asked)
        except UsageError as error:
            place = "call_args" if asked.function else "args"
            return {place: str(error)}, "Nothing was run: see the message at the field."
        except (UnsupportedError, LoadError) as error:
            return {}, f"Nothing was run: {error}"
        except WasmLabError as error:
            return {}, f"{type(error).__name__}: {error}"
        self.asked = asked
        self.previous, self.current = self.current, outcome
        self.number += 1
        return {}, ""

    def _shown(self, errors: dict[str, str], problem: str) -> dict[str, Any]:
        current = record(self.current, self.number) if self.current else None
        previous = record(self.previous, self.number - 1) if self.previous else None
        return {
            "form": self.form,
            "errors": errors,
            "problem": problem,
            "current": current,
            "previous": previous,
            "summary": _summary(current, previous),
            "command": self.command,
            "magic": magic_line(self.subject.artifact, self.subject.file, self.asked),
        }

    @property
    def command(self) -> str:
        """The command line that does what was run last."""
        return command_line(self.subject.artifact, self.subject.file or "cell.rs", self.asked)


def initial(subject: Subject, asked: Asked) -> Asked:
    """What a panel asks for at first: a library's first function, and no audit of what has none."""
    if subject.functions and not asked.function:
        asked = replace(asked, function=subject.names[0])
    if subject.artifact.is_component:
        asked = replace(asked, audit=False)
    return asked


def _summary(current: dict[str, Any] | None, previous: dict[str, Any] | None) -> str:
    """One sentence for the status line, which a screen reader speaks."""
    if current is None:
        return "Nothing has been run yet."
    count = current["refused"]
    refused = f", {count} host call{'s' if count > 1 else ''} refused" if count else ""
    words = f"Run {current['number']}: {current['ended']}, {current['total']}{refused}."
    if previous:
        shown = ("stdout", "stderr", "value", "ended")
        same = all(current[name] == previous[name] for name in shown)
        words += " Same output as before." if same else f" Output differs from run {previous['number']}."
    return words


def _runtime(name: str) -> dict[str, Any]:
    """A runtime as the selector shows it: why it cannot be used, and what it cannot enforce."""
    runtime = get_runtime(name)
    how = runtime.enforces()
    return {
        "name": name,
        "missing": runtime.missing(),
        "cannot": [PLACES[field] for field, by in how.items() if by is Enforcement.NO and field in PLACES],
        "rewritten": [
            PLACES[field] for field, by in how.items() if by is Enforcement.REWRITTEN and field in PLACES
        ],
    }
