"""Sameness: one module and one input in every runtime; then what is known to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.claims.verdict import Measured, check
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.subjects import function_subjects, places
from wasm_lab.twins import first_difference

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.claims.workbench import Workbench

_WASM = ("wasmtime", "wasmer", "wasmedge", "wasmedge-aot", "node")

#: Function of a kernel, with an input that an interpreter takes below a second for.
_CALLS = (
    ("sieve", "count_primes", (20_000,)),
    ("n_body", "energy_after", (200,)),
    ("sha256", "sha256_of_letters", (5_000,)),
)

#: What may differ: where the host answers, and where the specification leaves a choice.
_EXCEPTIONS = {
    "reads the clock": "use std::time::*; fn main() "
    '{ println!("{:?}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap()); }',
    "takes random numbers": "use std::{collections::hash_map::RandomState, hash::BuildHasher}; fn main() "
    '{ println!("{}", RandomState::new().hash_one(1)); }',
    "shows the bits of a NaN that arithmetic made": "use std::hint::black_box; fn main() "
    '{ println!("{:x}", (black_box(0.0f64) / black_box(0.0f64)).to_bits()); }',
    "grows its memory until it is refused": "use std::arch::wasm32::memory_grow; fn main() "
    '{ let mut pages = 0; while memory_grow::<0>(256) != usize::MAX { pages += 256; } println!("{pages}"); }',
}


def determinism(bench: Workbench) -> list[Measured]:
    """Equal answers, to the last bit, of kernels in every engine; then the known exceptions, tried."""
    usable = places()
    engines = [name for name in _WASM if not usable[name]]
    found = []
    for kernel, function, args in _CALLS:
        bench.watcher("sameness").step(function)
        subjects = function_subjects(bench.kernel(kernel), function, args, places=engines)
        answers = [subject.answer().value for subject in subjects]
        same = all(first_difference(answers[0], each, rel_tol=0, abs_tol=0) is None for each in answers)
        found.append(check(f"{function}: one answer in {', '.join(engines)}", same, n=len(engines)))
    bench.watcher("sameness").step("word_count")
    found += _one_program(bench.program("word_count"))
    for what, code in _EXCEPTIONS.items():
        bench.watcher("sameness").step(f"a program that {what}")
        outputs = _outputs(code)
        found.append(
            check(f"a program that {what}: one output everywhere", len(set(outputs)) == 1, n=len(outputs))
        )
    return found


def _one_program(artifact: Artifact) -> list[Measured]:
    """A program that reads: one output everywhere, and one trace of host calls where there is an audit."""
    given = Capabilities(stdin=b"one two\ntwo three three\n")
    names = [name for name in NAMES if name != "native" and not get_runtime(name).missing()]
    outputs = {get_runtime(name).run(artifact, given).stdout for name in names}
    audited = [name for name in names if get_runtime(name).enforces()["audit"] is not Enforcement.NO]
    traces = [_trace(name, artifact, given) for name in (*audited, audited[0])]
    return [
        check(f"word_count: one output in {', '.join(names)}", len(outputs) == 1, n=len(names)),
        check(
            f"word_count: one trace of {len(traces[0])} host calls in {', '.join(audited)}",
            all(trace == traces[0] for trace in traces),
            n=len(traces),
        ),
    ]


def _trace(name: str, artifact: Artifact, given: Capabilities) -> list[tuple[str, str, str]]:
    run = get_runtime(name).run(artifact, given, audit=True)
    return [(call.name, str(call.arguments), call.result) for call in run.audit or ()]


def _outputs(code: str) -> list[bytes]:
    """What a program prints in each runtime, and once more in the first."""
    artifact = build(parse_cell(code, name="exception", label="exception.rs"))
    granted = Capabilities(memory_bytes=None)
    names = [name for name in NAMES if name in _WASM and not get_runtime(name).missing()]
    return [get_runtime(name).run(artifact, granted).stdout for name in (*names, names[0])]
