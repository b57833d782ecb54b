"""The first and the last cell of the clean copy that is executed: the judge's session begins and tells.

They call `begin` and `end`, with what papermill injects as parameters. Only the master's code and these two
cells are Python; a student's text stands below magic lines of the master and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from wasm_lab.exercises.markers import BEGIN_HIDDEN

if TYPE_CHECKING:
    from wasm_lab.grading.judge import JudgeSession
    from wasm_lab.run import HostCall

#: The parameter that papermill injects.
PARAMETER = "wasm_lab_judge"
#: The MIME type of what `end` gives.
MIME = "application/vnd.wasm-lab.judged+json"

#: Lines of one audit that are kept, and characters of a name or path in them.
AUDIT_LINES, NAME_CHARACTERS = 200, 300
#: Stands where the name of a host call would, in the lines that tell of those which were not kept.
LEFT_OUT = "left out"

#: Of the judge's own process. It needs a tenth; a text of a few lines that means gigabytes (YAML with many
#: references) gets a MemoryError in a test instead of the machine's memory. Processes below it inherit that.
MEMORY_BYTES = 2 << 30

#: The arguments of host calls that say what a call was about.
_SUBJECTS = ("path", "old_path", "name", "host", "address", "url")

#: Name of the answer, whether a hidden test ran it, and its calls.
Audits = list[tuple[str, bool, "list[HostCall]"]]

_audits: Audits = []


def cells() -> tuple[str, str, str]:
    """The text of the cell of parameters, of the first and of the last cell."""
    imported = "from wasm_lab.grading import sitting as wasm_lab_sitting"
    return (
        f"{PARAMETER} = {{}}",
        f"{imported}\nwasm_lab_sitting.begin(**{PARAMETER})\ndel wasm_lab_sitting, {PARAMETER}",
        f"{imported}\nwasm_lab_sitting.end()",
    )


def begin(
    *,
    digest: str,
    functions: dict[str, dict[str, list[int]]],
    dependencies: list[dict[str, Any]],
    fuel: int | None,
    deadline_s: float | None,
    walls: bool,
) -> None:
    """Make a judge's session the one that every cell of this process uses.

    Args:
        digest: of the master, from which the frozen clock and the seed are made.
        functions: which functions of each cell the tests may call, and what each of them changes in place.
        dependencies: of each cell of the master; there are no others.
        fuel: of each call, where the exercise says it.
        deadline_s: seconds of each call, where the exercise says them.

    Raises:
        UnsupportedError: walls are asked for, and there are none here.
    """
    from wasm_lab.grading import judge

    _limit_memory()
    session = judge.begin(
        digest=digest,
        functions=functions,
        dependencies=dependencies,
        fuel=fuel or judge.FUEL,
        deadline_s=deadline_s or judge.DEADLINE_S,
        walls=walls,
    )
    _listen(session)


def _limit_memory() -> None:
    import resource

    # What is written to counts, not what is reserved: an engine reserves far more than it uses.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(MEMORY_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _listen(session: JudgeSession) -> None:
    """Keep the audit of each program that is run with one, and whether a cell with hidden tests ran it."""
    from IPython.core.getipython import get_ipython

    run = session.run
    executing = [""]
    shell = get_ipython()
    if shell is not None:
        shell.events.register("pre_run_cell", lambda info: executing.__setitem__(0, info.raw_cell or ""))

    def run_and_keep(artifact: Any, *args: Any, **options: Any) -> Any:
        done = run(artifact, *args, **options)
        if done.audit:
            _audits.append((artifact.label, BEGIN_HIDDEN in executing[0], list(done.audit)))
        return done

    session.run = run_and_keep  # type: ignore[method-assign]


class Judged:
    """What a sitting has to tell beside the marks."""

    def __init__(self, audits: Audits) -> None:
        self.record = {"audit": _lines(audits)}

    def __repr__(self) -> str:
        return "Judged."

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/plain": repr(self), MIME: self.record}


def end() -> Judged:
    """What the sitting has to tell; the last expression of the last cell."""
    return Judged(_audits)


def _lines(audits: Audits) -> list[dict[str, Any]]:
    """Equal calls as one line, in the order in which each came first; then what was left out, and how much.

    Refused calls are kept rather than others, so that many harmless ones hide none.
    """
    counted: Counter[tuple[str, str, str, str, bool, bool]] = Counter()
    for label, hidden, calls in audits:
        for call in calls:
            subject = next((str(call.arguments[key]) for key in _SUBJECTS if call.arguments.get(key)), "")
            said = subject[:NAME_CHARACTERS], call.result[:NAME_CHARACTERS]
            counted[label, call.name, *said, call.allowed, hidden] += 1
    kept = set(sorted(counted, key=lambda line: line[4])[:AUDIT_LINES])
    left_out: dict[tuple[str, bool, bool], Counter[str]] = {}
    lines = []
    for line, count in counted.items():
        cell, *_, allowed, hidden = line
        if line in kept:
            lines.append((*line, count))
        else:  # apart by who may see them
            left_out.setdefault((cell, allowed, hidden), Counter()).update(lines=1, calls=count)
    for (cell, allowed, hidden), left in left_out.items():
        result = f"kinds of call that are not listed: {left['lines']}"
        lines.append((cell, LEFT_OUT, "", result, allowed, hidden, left["calls"]))
    names = ("cell", "call", "subject", "result", "allowed", "hidden", "count")
    return [dict(zip(names, line, strict=True)) for line in lines]
