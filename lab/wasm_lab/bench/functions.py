"""`bench_function`: one Rust function in every place, with its twins beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.bench.comparing import GUARDS, Effort, Watcher, compare_subjects
from wasm_lab.build.crate import crate_for
from wasm_lab.cells.missing import function_missing
from wasm_lab.errors import BuildError, UnsupportedError
from wasm_lab.run import Phase
from wasm_lab.subjects import function_subjects, places
from wasm_lab.twins import js_twin_for, python_twin_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.bench.report import Report
    from wasm_lab.measure.subject import Subject
    from wasm_lab.source import Source

TWINS = ("javascript", "python")
_DEFINE = {
    "javascript": "it has no JavaScript twin: define one with %%js_twin.",
    "python": "it has no Python twin: define a Python function of the same name.",
}


def bench_function(
    source: Source,
    function: str,
    inputs: Sequence[tuple[Any, ...]] = ((),),
    *,
    where: Sequence[str] | None = None,
    js_twin: str | None = None,
    python_twin: Callable[..., Any] | str | None = None,
    ready_twins: bool = True,
    guards: bool = False,
    effort: Effort | None = None,
    watcher: Watcher | None = None,
) -> Report:
    """Time a public function of a Source in several places, after its answers were compared.

    Args:
        inputs: tuples of arguments; each is a comparison of its own.
        where: names of places, as `wasm_lab.subjects.places` has them; every usable one by default.
        js_twin: JavaScript text that defines a function of the same name.
        python_twin: a Python function, or text that defines one of the same name.
        ready_twins: whether to take twins that come with the samples where none is given.
        guards: measure wasmtime with epochs, with fuel and with the audit too.
        effort: what is timed and for how long.

    Raises:
        UsageError: there is no such function or place, or an argument does not fit.
        AnswersDiffer: two places give different answers; nothing was timed.
        MeasureError: nothing could be measured.
        BuildError: the function does not compile.

    Example:
        >>> from wasm_lab.source import Kind, Source
        >>> double = Source(code="pub fn double(n: u32) -> u32 { 2 * n }", kind=Kind.FUNCTIONS)
        >>> quick = Effort(phases=(Phase.CALL,), budget_s=1.0, rounds=1)
        >>> report = bench_function(double, "double", [(21,)], where=["wasmtime"], effort=quick)
        >>> report.checked[0].answer.value
        42
    """
    effort, watcher = effort or Effort(), watcher or Watcher()
    effort = effort.given(Phase.CALL, baseline="")
    names = _parameters(source, function)
    if ready_twins:
        js_twin = js_twin if js_twin is not None else js_twin_for(function, names)
        python_twin = python_twin if python_twin is not None else python_twin_for(function, names)
    unavailable = {}
    twins: dict[str, Any] = {"javascript": js_twin, "python": python_twin}
    usable = places()
    chosen = list(where) if where is not None else list(usable)
    for place in list(chosen):
        why = usable.get(place, "")
        if not why and place in TWINS and twins[place] is None:
            why = f"{function} cannot be measured there: {_DEFINE[place]}"
        if why and where is not None:
            raise UnsupportedError(f"{place} is not usable here: {why}", hint="Leave it out to go on.")
        if why:
            unavailable[place] = why
            chosen.remove(place)
    subjects: list[Subject] = []
    for args in inputs:
        for place in chosen:
            watcher.step(f"compiling for {place}")
            try:
                subjects += function_subjects(
                    source, function, args, places=[place], js_twin=js_twin, python_twin=python_twin
                )
            except BuildError:
                raise
            except UnsupportedError as error:
                if where is not None:
                    raise
                unavailable[place] = str(error)
        if guards and "wasmtime" in chosen:
            for guard in GUARDS:
                subjects += function_subjects(source, function, args, places=["wasmtime"], guards=guard)
    return compare_subjects(subjects, effort, watcher, unavailable)


def _parameters(source: Source, function: str) -> list[str]:
    crate = crate_for(source)
    for signature in crate.functions:
        if signature.name == function:
            return [parameter.name for parameter in signature.parameters]
    known = [signature.name for signature in crate.functions]
    raise function_missing(source.label, function, kind=source.kind, known=known, refused=dict(crate.refused))
