"""Sample: one measured value in one flat row, with all that is needed to group and to repeat it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measured value, kept raw: nothing is averaged, corrected or dropped before it is stored.

    Example:
        >>> row = Sample(workload="fib", input="32", subject="wasmtime", language="rust",
        ...              runtime="wasmtime", runtime_version="50.0.1", process=0, iteration=3,
        ...              phase="steady call", value=9.1e6, unit="ns", count=2)
        >>> row.value
        9100000.0
    """

    workload: str  #: what was done, such as ``fib`` or a module's label
    input: str  #: with what, such as ``32``; empty when it takes none
    subject: str  #: who did it, as a chart names it: ``wasmtime``, ``native``, ``JavaScript (node)``
    language: str  #: what the code was written in: ``rust``, ``javascript``, ``python``; empty when unknown
    runtime: str  #: the engine: ``wasmtime``, ``node``, ``native``, ``cpython``
    runtime_version: str
    process: int  #: which fresh process of this subject, from 0; also the round it belongs to
    iteration: int  #: which value of this process and phase, from 0
    phase: str  #: a `wasm_lab.run.Phase`, or what was weighed: ``linear memory``, ``PSS`` …
    value: float  #: for one call: the batch's total divided by ``count``
    unit: str  #: ``ns`` or ``bytes``; of a load also ``requests/s``
    count: int = 1  #: how many calls the batch had
    cache: str = ""  #: state of the code cache: ``cold``, ``warm``; empty where there is none
    guards: str = "none"  #: ``none``, ``epochs``, ``fuel``, ``audit``
    warm: bool = True  #: False for values before the warm-up was over
    machine: str = ""  #: the name that `wasm_lab.measure.machine` gives to this machine
    taken_at: float = 0.0  #: seconds since 1970
