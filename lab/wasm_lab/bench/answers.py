"""Answers: what each subject gives for the input, compared before anything is timed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import AnswersDiffer, MeasureError, ProbeError, UnsupportedError
from wasm_lab.twins import Difference, first_difference

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.measure.subject import Answer, Subject


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Whose answers were found equal, and what could not be compared."""

    workload: str
    input: str
    agreed: tuple[str, ...]  #: names of subjects; the first is what the others were compared with
    answer: Answer
    changing: bool = False  #: a program whose output differs from run to run: only its status was compared


def check_answers(
    subjects: Sequence[Subject],
    *,
    failed: dict[str, str],
    on_step: Callable[[str], None] | None = None,
) -> Checked:
    """Ask every subject of one workload and input for its answer and compare it with the first one's.

    Floats may differ by 1 part in 10⁹, all else not at all (`wasm_lab.twins.first_difference`). A
    program that writes something else each time is told from one that is wrong by asking it twice.

    Args:
        failed: receives the subjects that gave no answer, and why.

    Raises:
        AnswersDiffer: two answers differ; the message has the first difference.
        MeasureError: none gave an answer.
    """
    answers: dict[str, Answer] = {}
    for subject in subjects:
        if on_step:
            on_step(f"comparing answers: {subject.name}")
        try:
            answers[subject.name] = subject.answer()
        except (ProbeError, UnsupportedError) as error:
            failed[subject.name] = str(error)
    able = [subject for subject in subjects if subject.name in answers]
    if not able:
        name, why = next(iter(failed.items()))
        raise MeasureError(f"Nothing could be measured. {name}: {why}")
    reference = able[0]
    expected = answers[reference.name]
    changing = False
    for other in able[1:]:
        found = answers[other.name]
        difference = _difference(expected, found)
        if difference is None:
            continue
        if expected.exit_status == found.exit_status and (changing or _changes(reference)):
            changing = True
            continue
        raise _differ(reference, other, difference)
    return Checked(
        workload=reference.workload,
        input=reference.input,
        agreed=tuple(subject.name for subject in able),
        answer=expected,
        changing=changing,
    )


def _difference(expected: Answer, found: Answer) -> Difference | None:
    if expected.exit_status != found.exit_status:
        return Difference(where="exit status", expected=expected.exit_status, found=found.exit_status)
    if expected.stdout != found.stdout:
        texts = (expected.stdout.decode(errors="replace"), found.stdout.decode(errors="replace"))
        difference = first_difference(*texts) or first_difference(expected.stdout, found.stdout)
        if difference:
            return difference
    return first_difference(expected.value, found.value)


def _changes(subject: Subject) -> bool:
    """Whether a program's own output differs between two runs."""
    first, second = subject.answer(), subject.answer()
    return first.stdout != second.stdout


def _differ(reference: Subject, other: Subject, difference: Difference) -> AnswersDiffer:
    given = f"({reference.input})" if reference.input else ""
    return AnswersDiffer(
        f"{other.name} and {reference.name} give different answers for {reference.workload}{given}: "
        + difference.sentence(f"{reference.name} gives", f"{other.name} gives"),
        hint="Nothing was timed: a faster wrong answer is no answer. Mend one of the two first.",
    )
