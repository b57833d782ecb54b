"""Languages: which of those that the claims name build and run here; who speaks HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.cells.languages import parse_language_cell
from wasm_lab.claims.verdict import Measured, check, open_check
from wasm_lab.errors import WasmLabError
from wasm_lab.runtimes import get_runtime
from wasm_lab.scenarios.languages.entries import languages as entries
from wasm_lab.scenarios.languages.entries import others

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench
    from wasm_lab.scenarios.languages.entries import Language

#: What the claim names, as the lab calls it.
_NAMED = ("Rust", "Go", "C++", "Python")

#: The task's answer for 1000: ``wasm_samples/languages/task.md``.
_ANSWER = b"primes: 168\nwords: 3\n"
_INPUT = Capabilities(args=("1000",), stdin=b"one two\tthree", deadline_s=60)


def languages(bench: Workbench) -> list[Measured]:
    """The same program in each language that can be built here; C#, for which there is no tool, stays open."""
    found: list[Measured] = []
    for language in entries():
        found += _tried(language, bench, counts=language.name in _NAMED)
    sharp = others()["C#"]
    found.append(open_check(f"C# builds and runs ({sharp})"))
    if bench.full:
        found += _speeds(bench)
    return found


def languages_and_http(bench: Workbench) -> list[Measured]:
    """How many languages were built here, of the twenty and more; and HTTP in each runtime."""
    there = [each for each in entries() if _builds(each, bench)[0]]
    count = float(len(there))
    found = [
        Measured(
            what="languages built and run here",
            value=count,
            low=count,
            high=count,
            unit="languages",
            n=1,
            counts=False,
        ),
        open_check(
            f"more than 20 languages compile to Wasm (quoted; tried here: {', '.join(x.name for x in there)})"
        ),
    ]
    if not bench.full:
        return [*found, open_check("each runtime's HTTP, by asking a server in it (builds them: --full)")]
    from wasm_lab.scenarios.languages.http import http_seen

    seen = {each.name: each for each in http_seen(say=bench.on_step)}
    edge = seen["wasmedge"]
    if edge.answers is None:
        found.append(open_check(f"WasmEdge speaks HTTP natively ({edge.why})"))
    else:
        found.append(check("a server in WasmEdge answers HTTP without a plugin", edge.answers))
        found.append(
            check("WasmEdge itself speaks HTTP, and not the guest over its sockets", edge.host_speaks_http)
        )
    for name, title in (("wasmtime", "wasmtime serve"), ("spin", "the embedded Spin host")):
        other = seen[name]
        if other.answers is None:
            found.append(open_check(f"{title} needs a plugin for HTTP ({other.why})"))
        else:
            plugin = not (other.answers and other.host_speaks_http)
            found.append(check(f"{title} needs a plugin for HTTP", plugin))
    found.append(
        open_check(
            "wasmer needs a plugin for HTTP (its SDK gives sockets to WASIX modules alone, which nothing here builds)"
        )
    )
    return found


def _tried(language: Language, bench: Workbench, *, counts: bool) -> list[Measured]:
    ran, why, size_bytes = _builds(language, bench)
    what = f"{language.name} builds and runs"
    if ran is None:
        return [open_check(f"{what} ({why})")] if counts else []
    size = size_bytes / 1e6
    return [
        check(what, ran, counts=counts),
        Measured(
            what=f"{language.name}: the program",
            value=size,
            low=size,
            high=size,
            unit="MB",
            n=1,
            counts=False,
        ),
    ]


def _builds(language: Language, bench: Workbench) -> tuple[bool | None, str, int]:
    """Whether it builds and prints the answer; None with the reason when it cannot be tried."""
    why = language.missing()
    if why:
        return None, why, 0
    if bench.on_step:
        bench.on_step(f"building {language.name}")
    code = language.program.read_text(encoding="utf-8")
    label = language.program.name
    source = (
        parse_cell(code, name="program", label=label)
        if language.key == "rust"
        else parse_language_cell(code, language=language.key, name="program", label=label)
    )
    try:
        artifact = build(source)
        run = get_runtime().run(artifact, _INPUT)
    except WasmLabError as error:
        return False, str(error), 0
    return run.ok and run.stdout == _ANSWER, "", artifact.size_bytes


def _speeds(bench: Workbench) -> list[Measured]:
    """How many times as long as Rust each takes."""
    from wasm_lab.scenarios.languages.comparing import compare_languages

    table = compare_languages(
        rounds=5, budget_s=max(1.0, min(60.0, bench.left_s)), seed=bench.seed, on_step=bench.on_step
    )
    bench.keep(table.measurements)
    if table.interrupted:
        raise KeyboardInterrupt
    return [
        Measured(
            what=f"{row.name}: time as a multiple of Rust's",
            value=row.speed.ratio,
            low=row.speed.low,
            high=row.speed.high,
            unit="times",
            n=row.speed.processes,
            counts=False,
        )
        for row in table.built
        if row.speed
    ]
