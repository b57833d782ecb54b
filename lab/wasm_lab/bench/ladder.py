"""The size ladder: one program compiled again and again, each time with one more way to make it small."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.crate import crate_for
from wasm_lab.errors import BuildError, UsageError
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from wasm_lab.source import Source

#: Seconds that one step may take.
_DEADLINE_S = 300

#: What each step adds to rustc's flags of the step before; a flag given again replaces the earlier one.
STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("dev: not optimised, with debug information", ("-Copt-level=0", "-Cdebuginfo=2")),
    ("release: optimised for speed", ("-Copt-level=3", "-Cdebuginfo=0")),
    ("one codegen unit", ("-Ccodegen-units=1",)),
    ("link-time optimisation", ("-Clto=fat",)),
    ("stripped", ("-Cstrip=symbols",)),
    ("optimised for size", ("-Copt-level=z",)),
)

#: Features that rustc's modules use; Debian's wasm-opt writes modules that do not parse when it is
#: told of all that it knows.
_WASM_OPT = (
    "-Oz",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-multivalue",
    "--enable-reference-types",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of the ladder."""

    name: str
    flags: tuple[str, ...]  #: all that were in force
    size_bytes: int
    duration_ns: int
    wasm: bytes


def ladder(source: Source) -> list[Rung]:
    """Compile a program with one more measure at each step; wasm-opt is the last where there is one.

    Args:
        source: a program or statements without dependencies and without other cells' crates.

    Raises:
        UsageError: it is a library, or needs crates.
        BuildError: a step did not compile; the message is the tool's.
        ToolchainError: there is no compiler.
    """
    if source.dependencies or source.uses:
        raise UsageError(
            f"{source.label} needs other crates, which the ladder does not build.",
            hint="Compare profiles instead: --profile dev, release, size.",
        )
    crate = crate_for(source)
    if crate.crate_type != "bin":
        raise UsageError(f"{source.label} has no fn main.", hint="The ladder takes programs.")
    rungs: list[Rung] = []
    flags: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="wasm-lab-ladder-") as name:
        folder = Path(name)
        for path, text in {"main.rs": crate.root, **crate.files}.items():
            (folder / path).write_text(text, encoding="utf-8")
        for step, added in STEPS:
            flags |= {flag.partition("=")[0]: flag for flag in added}
            rungs.append(_compiled(source, folder, step, tuple(flags.values())))
        optimiser = shutil.which("wasm-opt")
        if optimiser:
            rungs.append(_optimised(folder, optimiser, rungs[-1]))
    return rungs


def _compiled(source: Source, folder: Path, step: str, flags: tuple[str, ...]) -> Rung:
    toolchain = find_rust(source.target)
    output = folder / "main.wasm"
    words = [
        str(toolchain.rustc),
        "--crate-name=main",
        f"--edition={source.edition}",
        f"--target={source.target.value}",
        *flags,
        f"--sysroot={toolchain.sysroot}",
        "-o",
        str(output),
        str(folder / "main.rs"),
    ]
    took = _run(words, step, source.label)
    wasm = output.read_bytes()
    return Rung(name=step, flags=flags, size_bytes=len(wasm), duration_ns=took, wasm=wasm)


def _optimised(folder: Path, optimiser: str, before: Rung) -> Rung:
    source, output = folder / "main.wasm", folder / "smaller.wasm"
    took = _run([optimiser, *_WASM_OPT, str(source), "-o", str(output)], "wasm-opt", str(source))
    wasm = output.read_bytes()
    flags = (*before.flags, f"wasm-opt {_WASM_OPT[0]}")
    return Rung(name="wasm-opt -Oz", flags=flags, size_bytes=len(wasm), duration_ns=took, wasm=wasm)


def _run(words: list[str], step: str, label: str) -> int:
    started = time.perf_counter_ns()
    try:
        done = subprocess.run(words, capture_output=True, timeout=_DEADLINE_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{label} could not be built for the step {step!r}: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise BuildError(f"{label} could not be built for the step {step!r}:\n{said[-2000:]}")
    return time.perf_counter_ns() - started
