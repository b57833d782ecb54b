"""Why a compile failed, as an exception."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wasm_lab.errors import BuildError, CompileError

if TYPE_CHECKING:
    from wasm_lab.build.crate import Crate
    from wasm_lab.build.rustc import Compiled
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

#: Where each error code has a page.
EXPLANATIONS = "https://doc.rust-lang.org/error_codes/"

#: Characters of the end of what a broken compiler said that go into the message.
SAID_LENGTH = 4000


def refusal(source: Source, crate: Crate, compiled: Compiled) -> BuildError:
    """The exception for a compile that failed."""
    finished = compiled.finished
    diagnostics = diagnostics_of(finished.stderr, crate, source)
    errors = [each for each in diagnostics if each.level.startswith("error")]
    if not errors:
        said = finished.stderr.strip()[-SAID_LENGTH:] or "nothing"
        return BuildError(
            f"{source.label} did not compile: rustc ended with status {finished.status} and said: {said}",
            hint="The code is not to blame. A negative status is a signal, such as -9 when memory ran out.",
        )
    from wasm_lab.build.hints import edition_hint

    count = f"{len(errors)} error{'s' if len(errors) > 1 else ''}"
    return CompileError(
        f"{source.label} did not compile: {count}.",
        diagnostics=diagnostics,
        rendered="\n\n".join(each.rendered.rstrip() for each in diagnostics if each.rendered) + "\n",
        hint="\n".join(part for part in (edition_hint(diagnostics, source), _explanations(errors)) if part),
    )


def _explanations(errors: list[Diagnostic]) -> str:
    """Where rustc's documentation explains the codes of these errors; terminals and notebooks make links of it."""
    codes = dict.fromkeys(error.code for error in errors if error.code.startswith("E"))
    return "\n".join(f"{code} explained: {EXPLANATIONS}{code}.html" for code in codes)


def diagnostics_of(messages: str, crate: Crate, source: Source) -> tuple[Diagnostic, ...]:
    """rustc's JSON lines as Diagnostics in the lines of the cell."""
    if not messages:
        return ()
    from wasm_lab.build.diagnostics import read_diagnostics

    return read_diagnostics(messages, crate, source, color=True)


#: rustc's errors about a library that is absent, damaged or made by another compiler.
_LIBRARY_ERRORS = frozenset({"E0460", "E0461", "E0462", "E0463", "E0514", "E0786"})


def blames_the_code(stderr: str) -> bool:
    """Whether rustc's errors are about the code itself, and not about a link or a library."""
    blamed = False
    for line in stderr.splitlines():
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if message.get("level") == "error":
            if (message.get("code") or {}).get("code") in _LIBRARY_ERRORS:
                return False  # others follow from it
            blamed = blamed or bool(message.get("spans"))
    return blamed
