"""The table: each language built, its answers compared, then timed beside Rust."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.build.wasm_tools import wasm_tools
from wasm_lab.cells import parse_cell
from wasm_lab.cells.languages import parse_language_cell
from wasm_lab.errors import AnswersDiffer, MeasureError, WasmLabError
from wasm_lab.measure.machine import machine
from wasm_lab.measure.plan import Plan
from wasm_lab.measure.sampling import sample
from wasm_lab.measure.statistics import compare, median, summarise
from wasm_lab.run import Phase
from wasm_lab.scenarios.languages.entries import Language, languages, others
from wasm_lab.scenarios.languages.subjects import language_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.measure.machine import Machine
    from wasm_lab.measure.statistics import Comparison, Summary
    from wasm_lab.measure.store import Measurements
    from wasm_lab.source import Source

#: What ratios are taken against.
BASELINE = "Rust"

#: Up to which number primes are counted: some milliseconds in Rust, and a second in an interpreter.
N = 100_000

#: Edits whose builds are timed.
EDITS = 3

#: In turns; compiling is timed once for each, because an interpreter takes ten seconds.
PHASES = (Phase.LOAD, Phase.INSTANTIATE, Phase.RUN)


@dataclass(frozen=True, kw_only=True)
class LanguageRow:
    """One language."""

    name: str
    why: str = ""  #: why it is not there, and how to get it; empty when it built and ran
    form: str = ""  #: ``module`` or ``component``
    compiler: str = ""
    size_bytes: int = 0  #: without names and debug information, as one deploys it
    build_ns: int = (
        0  #: of the first build here, with the tools there and this text new; 0 when it was cached
    )
    edit_ns: int = 0  #: median of builds after a change of one line
    compile_ns: int = 0  #: to machine code, once
    phases: dict[str, Summary] = field(default_factory=dict)
    speed: Comparison | None = None  #: times as long as Rust; None for Rust itself


@dataclass(frozen=True, kw_only=True, repr=False)
class LanguageTable:
    """What `compare_languages` found."""

    rows: dict[str, LanguageRow]
    others: dict[str, str]  #: languages that the lab does not build, and why
    n: int
    answer: str  #: what every program printed
    measurements: Measurements
    machine: Machine = field(default_factory=machine)

    def __repr__(self) -> str:
        there = [row.name for row in self.rows.values() if not row.why]
        return f"<LanguageTable: {', '.join(there)}; not here: {', '.join(set(self.rows) - set(there)) or 'none'}>"

    @property
    def built(self) -> tuple[LanguageRow, ...]:
        """The languages that were built and gave the answer."""
        return tuple(row for row in self.rows.values() if not row.why)

    @property
    def interrupted(self) -> bool:
        return self.measurements.interrupted


def compare_languages(
    names: tuple[str, ...] = (),
    *,
    n: int = N,
    rounds: int = 5,
    budget_s: float = 60.0,
    seed: int = 0,
    install: bool = False,
    on_step: Callable[[str], None] | None = None,
) -> LanguageTable:
    """Build the task in each language and time it beside Rust, in rounds of fresh processes.

    Args:
        names: of languages; all that the lab builds by default. Rust is always among them.
        n: what the programs count up to.
        rounds: fresh processes of each language.
        budget_s: seconds after which no further round begins.
        install: get tools that are missing and that a build would get by itself (Zig, componentize-py …).
        on_step: told what is done now.

    Raises:
        UsageError: a language is not known.
        AnswersDiffer: two programs print different things; nothing was timed.
        MeasureError: Rust itself cannot be built here.
    """
    say = on_step or (lambda what: None)
    rows: dict[str, LanguageRow] = {}
    built: dict[str, Artifact] = {}
    for language in languages(names):
        why = language.missing()
        if why and not (install and language.comes_by_itself):
            rows[language.name] = LanguageRow(name=language.name, why=why)
            continue
        say(f"building {language.name}")
        try:
            rows[language.name], built[language.name] = _built(language, say)
        except WasmLabError as error:
            rows[language.name] = LanguageRow(name=language.name, why=str(error))
    if BASELINE not in built:
        raise MeasureError(f"Nothing can be compared: {BASELINE} was not built. {rows[BASELINE].why}")
    subjects = {name: language_subject(name, artifact, n) for name, artifact in built.items()}
    answers = {}
    for name, subject in subjects.items():
        say(f"{name}: to machine code, then a run")
        probe = subject.start()
        try:
            took = probe.time(Phase.COMPILE, 1).duration_ns
            answers[name] = probe.answer().stdout
        finally:
            probe.close()
        rows[name] = replace(rows[name], compile_ns=took)
    wanted = answers[BASELINE]
    wrong = [name for name, answer in answers.items() if answer != wanted]
    if wrong:
        raise AnswersDiffer(
            f"{wrong[0]} prints {answers[wrong[0]]!r}, and {BASELINE} {wanted!r}. Nothing was timed."
        )
    say("measuring")
    plan = Plan(
        subjects=tuple(subjects.values()),
        phases=PHASES,
        baseline=BASELINE,
        deciding=Phase.RUN,
        budget_s=budget_s,
        min_rounds=rounds,
        max_rounds=rounds,
        seed=seed,
        weigh=False,
    )
    measurements = sample(plan).measurements
    for name in subjects:
        rows[name] = _measured(rows[name], measurements)
    return LanguageTable(rows=rows, others=others(), n=n, answer=wanted.decode(), measurements=measurements)


def _built(language: Language, say: Callable[[str], None]) -> tuple[LanguageRow, Artifact]:
    code = language.program.read_text(encoding="utf-8")
    artifact = build(_source(language, code), progress=lambda what, _done, _total: say(what))
    edits = []
    for _ in range(EDITS):
        # A remark that no build has seen: another text of the same meaning.
        mark = "#" if language.key == "python" else "//"
        edited = _source(language, f"{code}{mark} {time.time_ns()}\n")
        began = time.perf_counter_ns()
        build(edited)
        edits.append(time.perf_counter_ns() - began)
    row = LanguageRow(
        name=language.name,
        form="component" if artifact.is_component else "module",
        compiler=artifact.compiler,
        size_bytes=len(wasm_tools(["strip", "--all"], artifact.wasm)),
        build_ns=0 if artifact.cached else sum(step.duration_ns for step in artifact.steps),
        edit_ns=int(median(edits)),
    )
    return row, artifact


def _source(language: Language, code: str) -> Source:
    label = language.program.name
    if language.key == "rust":
        return parse_cell(code, name="program", label=label)
    return parse_language_cell(code, language=language.key, name="program", label=label)


def _measured(row: LanguageRow, measurements: Measurements) -> LanguageRow:
    own = summarise(measurements.where(subject=row.name))
    phases = {one.phase: one for one in own if one.unit == "ns"}
    if row.name == BASELINE or Phase.RUN.value not in phases:
        return replace(row, phases=phases)
    speed = compare(measurements, subject=row.name, baseline=BASELINE, phase=Phase.RUN.value)
    return replace(row, phases=phases, speed=speed)
