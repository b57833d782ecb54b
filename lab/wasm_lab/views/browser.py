"""The reader's own browser as a place to measure: Wasm and its JavaScript twin in a Web Worker.

Asynchronous, and so not behind the interface of the runtimes: a kernel cannot wait for a browser
while a cell runs. Samples arrive as they are taken; `BrowserRun.samples` has those so far.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError, WasmLabError
from wasm_lab.measure.sample import Sample
from wasm_lab.run import Phase
from wasm_lab.views.presence import somebody_watches

if TYPE_CHECKING:
    from wasm_lab.session import Session
    from wasm_lab.source import Source
    from wasm_lab.subjects.harness import Harness
    from wasm_lab.subjects.twins import JavaScriptSubject
    from wasm_lab.views.browser_widget import BrowserWidget

#: Names of the two, as a chart shows them.
WASM, TWIN = "browser (Wasm)", "JavaScript (browser)"

#: A batch lasts at least this long, in milliseconds: browsers show time in steps of up to 0.1 ms.
BATCH_MS = 20

#: Fresh workers, one after the other, and blocks of Wasm, twin, twin, Wasm in each.
PROCESSES, BLOCKS = 5, 5

#: Seconds without any sample after which a worker is stopped.
DEADLINE_S = 30.0

NOBODY = "No browser here: nobody has this notebook open in one, so nothing was measured."
NOBODY_HINT = "Open it in JupyterLab. Headless, the places node and javascript run V8, as Chrome does."

OnSamples = Callable[[Sequence[Sample]], None]


@dataclass(frozen=True, kw_only=True)
class Work:
    """What the browser is to do, built and encoded."""

    workload: str
    input: str
    wasm: bytes
    harness: Harness
    twin: JavaScriptSubject | None

    def settings(self) -> dict[str, Any] | None:
        """What the worker needs to know of the twin; None without one."""
        if self.twin is None:
            return None
        from wasm_lab.subjects.twins import to_js

        parameters = self.harness.signature.parameters
        args = [to_js(value, each.type) for value, each in zip(self.twin.args, parameters, strict=True)]
        return {**self.twin.settings(), "args": json.dumps(args)}


class BrowserRun:
    """One measurement in the browser, from the comparison of answers to the last sample.

    Drive it with messages, as the widget does; each gives what is to be sent back. Display it to
    start it.
    """

    def __init__(self, work: Work, *, on_samples: OnSamples | None = None) -> None:
        self.work = work
        self.state = "waiting"  #: then ``running``; at the end ``done`` or ``failed``
        self.text = "Waiting for a browser to answer."
        self.engine = ""  #: such as ``Chrome 141.0 (V8)``; empty until a browser has answered
        self._machine = ""
        self._samples: list[Sample] = []
        self._on_samples = on_samples
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._widget: BrowserWidget | None = None

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The samples so far, in the order in which they were taken."""
        with self._lock:
            return tuple(self._samples)

    def wait(self, timeout_s: float) -> bool:
        """Whether it has ended within that time. Not in a cell: it keeps a kernel from hearing the browser."""
        return self._ended.wait(timeout_s)

    def message(self, content: Any, buffers: Sequence[Any] = ()) -> dict[str, Any] | None:
        """Take one message of the front end. Gives the answer, if there is one."""
        with self._lock:
            match content:
                case {"kind": "hello", "engine": str(engine)}:
                    return self._hello(engine, content)
                case {"kind": "answers"} if self.state == "running":
                    return self._answers(content, buffers)
                case {"kind": "samples", "rows": list(rows)} if self.state == "running":
                    self._take(rows)
                case {"kind": "failed", "message": str(message)} if self.state == "running":
                    return self._end("failed", message)
                case {"kind": "done"} if self.state == "running":
                    return self._end("done", self._sentence())
        return None

    def _hello(self, engine: str, content: dict[str, Any]) -> dict[str, Any]:
        if self.state != "waiting":  # another tab, or the page was loaded again
            return {"kind": "told", "state": self.state, "text": self.text}
        self.state, self.engine = "running", engine
        cores = content.get("cores")
        self._machine = f"browser: {content.get('platform') or 'unknown system'}, {cores} threads"
        return {
            "kind": "start",
            "twin": self.work.settings(),
            "processes": PROCESSES,
            "blocks": BLOCKS,
            "batch_ms": BATCH_MS,
            "deadline_s": DEADLINE_S,
        }

    def _answers(self, content: dict[str, Any], buffers: Sequence[Any]) -> dict[str, Any]:
        try:
            problem = self._difference(bytes(buffers[0]), content.get("twin"))
        except (WasmLabError, ValueError) as error:
            problem = str(error)
        return self._end("failed", problem) if problem else {"kind": "measure"}

    def _difference(self, payload: bytes, twin: str | None) -> str:
        """Why the two may not be compared: the first difference of their answers; empty when equal."""
        found = self.work.harness.decode(payload)
        if self.work.twin is None or twin is None:
            return ""
        from wasm_lab.subjects.harness import answer_of
        from wasm_lab.twins import first_difference

        signature = self.work.harness.signature
        parts = self.work.twin.read(twin.encode())
        void = self.work.twin.settings()["void"]
        result, changed = (None, parts) if void else (parts[0], parts[1:])
        difference = first_difference(found, answer_of(signature, result, changed))
        if difference is None:
            return ""
        return f"The answers differ, so nothing was timed: {difference.sentence('Rust gives', 'JavaScript gives')}."

    def _take(self, rows: list[Any]) -> None:
        taken = [self._sample(row) for row in rows]
        self._samples += taken
        if self._on_samples and taken:
            self._on_samples(taken)

    def _sample(self, row: Sequence[Any]) -> Sample:
        who, process, iteration, value, count, warm, taken_at = row
        wasm = who == "wasm"
        return Sample(
            workload=self.work.workload,
            input=self.work.input,
            subject=WASM if wasm else TWIN,
            language="rust" if wasm else "javascript",
            runtime="browser",
            runtime_version=self.engine,
            process=int(process),
            iteration=int(iteration),
            phase=Phase.CALL.value,
            value=float(value),
            unit="ns",
            count=int(count),
            warm=bool(warm),
            machine=self._machine,
            taken_at=float(taken_at),
        )

    def _sentence(self) -> str:
        from wasm_lab.measure.store import Measurements

        warm = Measurements(tuple(each for each in self._samples if each.warm))
        count = f"{len(self._samples)} samples from {PROCESSES} workers in {self.engine}."
        if self.work.twin is None:
            return f"{count} There is no JavaScript twin to compare with."
        from wasm_lab.measure.statistics import compare

        return f"{compare(warm, subject=WASM, baseline=TWIN, phase=Phase.CALL.value).sentence}\n{count}"

    def _end(self, state: str, text: str) -> dict[str, Any]:
        self.state, self.text = state, text
        self._ended.set()
        return {"kind": "told", "state": state, "text": text}

    @property
    def widget(self) -> BrowserWidget:
        """The widget, made when it is first asked for."""
        if self._widget is None:
            from wasm_lab.views.browser_widget import BrowserWidget

            self._widget = BrowserWidget(self)
        return self._widget

    def __repr__(self) -> str:
        return (
            f"<BrowserRun {self.work.workload}({self.work.input}): {self.state}, {len(self.samples)} samples>"
        )

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        if self.state == "waiting" and not somebody_watches():
            self._end("failed", f"{NOBODY} {NOBODY_HINT}")
        bundle: dict[str, Any] = {"text/plain": f"{self!r}\n{self.text}"}
        if somebody_watches():
            view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
            bundle["application/vnd.jupyter.widget-view+json"] = view
        return bundle


def in_browser(
    x: Source | str,
    function: str,
    args: tuple[Any, ...] = (),
    *,
    js_twin: str | None = None,
    on_samples: OnSamples | None = None,
    session: Session | None = None,
) -> BrowserRun:
    """Time a Rust function and its JavaScript twin in the reader's own browser.

    Display what this gives, as the last line of a cell: then the browser starts. Its answers are
    compared first. Each batch lasts 20 ms or more, Wasm and twin take turns (A B B A), and each of
    five fresh workers does so anew.

    Args:
        x: a Source of functions, the name of a cell, or Rust text.
        function: its name.
        args: as for a call from Python.
        js_twin: JavaScript that defines a function of that name; by default the one that
            ``%%js_twin`` made, or a ready one.
        on_samples: called with new samples, about seven times a second, not in the main thread.

    Raises:
        UsageError: there is no such function, or the arguments do not fit.
        BuildError: it does not compile.
    """
    from wasm_lab.session import default_session

    session = session or default_session()
    source = _source(session, x)
    if js_twin is None:
        js_twin = _known_twin(session, source, function)
    return BrowserRun(work_for(source, function, args, js_twin), on_samples=on_samples)


def work_for(source: Source, function: str, args: tuple[Any, ...], js_twin: str | None) -> Work:
    """Build the harness, and encode the arguments for both."""
    from wasm_lab.build import build
    from wasm_lab.subjects.functions import input_text
    from wasm_lab.subjects.harness import harness_for
    from wasm_lab.subjects.twins import PHASES, JavaScriptSubject

    harness = harness_for(source, function, args)
    twin = js_twin and JavaScriptSubject(
        place="browser",
        workload=function,
        input=input_text(args),
        language="javascript",
        runtime="browser",
        version="",
        phases=PHASES,
        harness=harness,
        args=args,
        code=js_twin,
        function=function,
        label=f"{function}.js",
        command=(),
    )
    return Work(
        workload=function,
        input=input_text(args),
        wasm=build(harness.source, incremental=False).wasm,
        harness=harness,
        twin=twin or None,
    )


def _source(session: Session, x: Source | str) -> Source:
    if not isinstance(x, str):
        return x
    if x in session.cells or x.strip().isidentifier():
        source = session.cell(x.strip()).artifact.source
        if source is None:
            raise UsageError(f"{x} was made elsewhere, so its Rust is not known.")
        return source
    from wasm_lab.cells import parse_cell

    return parse_cell(x)


def _known_twin(session: Session, source: Source, function: str) -> str | None:
    made = session.js_twins.get(function)
    if made is not None:
        return made.code
    from wasm_lab.subjects.harness import signature_of
    from wasm_lab.twins import js_twin_for

    return js_twin_for(function, [each.name for each in signature_of(source, function).parameters])
