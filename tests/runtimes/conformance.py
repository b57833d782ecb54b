"""What every runtime is held to: the cases, and the deviations that are known, with their reasons.

wasmtime in this process is the reference. ``docs/runtimes.md`` is made from these tables:

    .venv/bin/python -m tests.runtimes.conformance
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wasm_lab.capabilities import MIB
from wasm_lab.run import TrapKind
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.runtimes.base import Enforcement

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "runtimes.md"
REFERENCE = "wasmtime"

#: In a text of a case: a folder of the host with ``note.txt`` in it, made for the test.
FOLDER = "{folder}"

#: Writes to the file that its argument names, and says how that went, without errors in words.
WRITER = """
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let written = std::fs::write(&path, "written\\n").is_ok();
    println!("{written} {:?}", std::fs::read_to_string(&path).ok());
}
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run. ``sample`` is a file of ``wasm_samples/``, or Rust text."""

    sample: str
    args: tuple[str, ...] = ()
    folder: str = ""  #: ``ro`` or ``rw``: `FOLDER` is opened, under its own name
    limits: dict[str, Any] = field(default_factory=dict)
    whole_output: bool = True  #: whether standard output is the same to the last byte


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case: an exit status, a trap, or the name of the exception that refused it."""

    ended: int | TrapKind | str
    stdout: bytes | None = None

    def __str__(self) -> str:
        match self.ended:
            case TrapKind():
                return f"trap: {self.ended.value}"
            case int():
                return f"exit status {self.ended}"
        return self.ended


@dataclass(frozen=True, slots=True)
class Deviation:
    """How a runtime differs from the reference in one case, and why."""

    ended: int | TrapKind | str | None  #: None: it ends alike, and its output differs
    reason: str


SHORT = {"deadline_s": 0.5}
SMALL = {"memory_bytes": 64 * MIB}


def bad(name: str, *args: str, **options: Any) -> Case:
    return Case(sample=f"misbehaving/{name}", args=args, **options)


CASES: dict[str, Case] = {
    "hello": Case(sample="programs/hello.rs"),
    "standard input": Case(sample="programs/cat.rs", limits={"stdin": "Grüße\n".encode()}),
    "arguments and variables": Case(
        sample="programs/environment.rs", args=("a b", "", "ü"), limits={"env": {"X": "y=z"}}
    ),
    "argument 0": Case(sample='fn main() { println!("{:?}", std::env::args().next()); }'),
    "a file in an opened folder": Case(sample="programs/cat.rs", args=(f"{FOLDER}/note.txt",), folder="ro"),
    "a file outside of it": Case(sample="programs/cat.rs", args=("/etc/passwd",), folder="ro"),
    "files, none opened": bad("file_snooper.rs"),
    "files, around a read-only folder": bad("file_snooper.rs", f"{FOLDER}/../outside.txt", folder="ro"),
    "writing where it may": Case(sample=WRITER, args=(f"{FOLDER}/new.txt",), folder="rw"),
    "writing where it may only read": Case(sample=WRITER, args=(f"{FOLDER}/note.txt",), folder="ro"),
    "the host's variables": bad("environment_snooper.rs"),
    "the network": bad("network_attempt.rs"),
    "bytes that are no text": bad("strange_output.rs"),
    "exit status 0": bad("exit_code.rs", "0"),
    "exit status 42": bad("exit_code.rs", "42"),
    "exit status 200": bad("exit_code.rs", "200"),
    "a panic": bad("panic.rs"),
    "an abort": bad("abort.rs"),
    "division by zero": bad("divide_by_zero.rs"),
    "overflow, unchecked": bad("integer_overflow.rs"),
    "a wild pointer": bad("out_of_bounds.rs"),
    "a null pointer": bad("out_of_bounds.rs", "null"),
    "a slice beyond its end": bad("out_of_bounds.rs", "slice"),
    "endless recursion, by hand": bad("traps.wat", "9", limits=SMALL | {"deadline_s": 2.0}),
    "a large stack in memory": bad("stack_bomb.rs", "large"),
    "an endless loop": bad("endless_loop.rs", limits=SHORT),
    "an endless loop before the start": bad("slow_start.wat", limits=SHORT),
    "a long sleep": bad("sleeper.rs", limits=SHORT),
    "no input to wait for": bad("waits_for_input.rs"),
    "a flood of output": bad("output_flood.rs", limits={"output_bytes": 100_000}, whole_output=False),
    "ever more memory": bad("memory_bomb.rs", limits=SMALL),
    "too much memory at once": bad("huge_allocation.rs", limits=SMALL),
    "too much memory declared": bad("huge_memory.wat", limits=SMALL),
    "a thread": bad("threads.rs"),
    "a thread, politely": bad("threads.rs", "politely"),
    "no entry point": bad("no_entry.wat"),
    "an unknown import": bad("missing_import.wat"),
    **{
        f"trap: {what}": bad("traps.wat", number)
        for number, what in {
            "0": "unreachable",
            "1": "memory",
            "2": "division",
            "3": "overflow",
            "4": "conversion",
            "5": "call type",
            "6": "null call",
            "7": "call beyond the table",
            "8": "table",
        }.items()
    },
}

#: (case, runtime) to how it differs.
DEVIATIONS: dict[tuple[str, str], Deviation] = {
    **{
        (name, "native"): Deviation(
            "LoadError", "It builds Rust for this machine; this is a finished module."
        )
        for name, case in CASES.items()
        if case.sample.endswith(".wat") and name not in ("no entry point", "an unknown import")
    },
    ("arguments and variables", "native"): Deviation(
        None, "Its current folder is one of the host, and empty."
    ),
    **{
        (name, "native"): Deviation(None, "The sample makes symlinks by a call of WASI alone.")
        for name in ("files, none opened", "files, around a read-only folder")
    },
    ("the network", "native"): Deviation(1, "TCP is refused; UDP is not, as Landlock has no rule for it."),
    ("a null pointer", "native"): Deviation(
        TrapKind.OUT_OF_BOUNDS, "In Wasm address 0 is ordinary memory; on this machine it is nobody's."
    ),
    ("a thread", "native"): Deviation(0, "This machine has threads; the Wasm target has none."),
    ("a thread, politely", "native"): Deviation(None, "This machine has threads; the Wasm target has none."),
    **{
        ("argument 0", name): Deviation(None, "It is the name of the module's file, which ends in .wasm.")
        for name in ("wasmedge", "wasmedge-aot")
    },
    ("endless recursion, by hand", "wasmedge"): Deviation(
        TrapKind.ALLOCATION, "The interpreter keeps the stack on its heap, so that ends first."
    ),
    ("endless recursion, by hand", "wasmedge-aot"): Deviation(
        TrapKind.DEADLINE, "Its compiler sees that the calls do nothing and makes a loop of them."
    ),
    ("writing where it may", "wasmer"): Deviation(
        "UnsupportedError",
        "It works on copies of folders, and copies back from those below /workspace alone.",
    ),
    ("writing where it may only read", "wasmer"): Deviation(
        None, "It works on copies: writing succeeds, and is dropped. The host's file stays as it was."
    ),
}


def page() -> str:
    """The text of `PAGE`."""
    return f"""# Runtimes

Made by `python -m tests.runtimes.conformance` from the code; a test compares. Change it there.

The same samples run under every runtime in `tests/runtimes/test_conformance.py`, which compares how they
end and what they print with wasmtime in process. This page says what each runtime keeps a guest to, and
where one ends otherwise and why.

## What each runtime enforces

{_enforcement()}

A dash means that it cannot: asked for, it is refused with a message, and nothing runs. Arguments,
variables, standard input, the deadline and the limit of output hold everywhere.

{NOTES}
## Where a runtime differs

{_deviations()}
"""


NOTES = """\
- Files start closed, and so does the network: no WASI 0.1 call opens a connection. `native` is no
  sandbox: Landlock closes files and TCP to it on Linux, but not UDP, and where the kernel has no
  Landlock nothing does. A folder can be opened to it under its own name alone.
- `node:wasi` says of itself that it is no safe sandbox for files, so the process of `node` is behind
  Landlock too, which also keeps read-only folders so; where the kernel has none, no folder can be opened.
- That a file is refused is the same everywhere; which error number says so, each engine decides.
- A guest that two engines stop for the same reason has the same kind of trap in both. A panic of the
  native program ends it by an abort, as on Wasm: it is built with `panic=abort`.
- WasmEdge writes why it stopped among the guest's own output, from where the lab takes it away again. A
  guest that imitates that, and ends with status 134, passes its exit off as a trap.

"""


def _enforcement() -> str:
    columns = {name: get_runtime(name).enforces() for name in NAMES}
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for field_, flag in FLAGS.items():
        words = [_how(column.get(field_, Enforcement.NO)) for column in columns.values()]
        rows.append(f"| {flag} | {' | '.join(words)} |")
    return "\n".join(rows)


#: Capabilities that not every runtime enforces, as flags.
FLAGS = {
    "dirs": "folders: `--dir`, `--dir-ro`",
    "memory_bytes": "`--memory`",
    "program": "a name as argument 0",
    "clock": "`--clock`",
    "random": "`--random`",
    "fuel": "`--fuel`",
    "hosts": "`--allow-host`",
    "audit": "`--audit`",
}


def _how(how: Enforcement) -> str:
    return "–" if how is Enforcement.NO else how.value


def _deviations() -> str:
    rows = ["| what runs | runtime | ends otherwise | why |", "|---|---|---|---|"]
    order = {name: place for place, name in enumerate(CASES)}
    found: dict[tuple[str, str, str], list[str]] = {}
    for (case, runtime), deviation in sorted(DEVIATIONS.items(), key=lambda item: order[item[0][0]]):
        ends = "other output" if deviation.ended is None else str(Outcome(deviation.ended))
        found.setdefault((runtime, ends, deviation.reason), []).append(case)
    rows += [
        f"| {'; '.join(cases)} | {runtime} | {ends} | {why} |"
        for (runtime, ends, why), cases in found.items()
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
