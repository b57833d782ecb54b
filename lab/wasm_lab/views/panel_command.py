"""The command line and the magic line that ask for the same as a panel."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.capabilities import Capabilities, format_duration, format_size
from wasm_lab.source import Profile, Target

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.views.panel_form import Asked


def command_line(artifact: Artifact, file: str, asked: Asked) -> str:
    """``wasm-lab run`` with the same capabilities.

    The command's own defaults have no limits, and it passes its standard input on: so limits and
    input are written out.

    Example:
        >>> from wasm_lab.artifact import CORE_PREAMBLE, Artifact
        >>> from wasm_lab.views.panel_form import Asked
        >>> given = Capabilities(memory_bytes=None, output_bytes=None)
        >>> command_line(Artifact(wasm=CORE_PREAMBLE, label="x"), "x.wasm", Asked(capabilities=given))
        'wasm-lab run --timeout 10s --audit x.wasm < /dev/null'
    """
    given = asked.capabilities
    unlimited = replace(given, **_DEFAULT_LIMITS)
    words = ["wasm-lab", "run", *_build_flags(artifact), *unlimited.flags()]
    if given.memory_bytes is not None:
        words += ["--memory", format_size(given.memory_bytes)]
    if given.deadline_s is not None:
        words += ["--timeout", format_duration(given.deadline_s)]
    if given.output_bytes is not None:
        words += ["--max-output", format_size(given.output_bytes)]
    words += _common(asked)
    if asked.function:
        words += ["--invoke", asked.function, file, *_call_words(asked.call_args)]
    else:
        words += [file, *given.args]
    line = shlex.join(words)
    if given.stdin:
        return f"printf %s {shlex.quote(given.stdin.decode(errors='replace'))} | {line}"
    return f"{line} < /dev/null"


def magic_line(artifact: Artifact, file: str, asked: Asked) -> str:
    """``%%wasm_rust``, or ``%wasm_run`` for a file, with the same capabilities."""
    given = asked.capabilities
    words = ["%wasm_run" if file else "%%wasm_rust", *_build_flags(artifact), *given.flags()]
    if given.stdin:
        words += ["--stdin", given.stdin.decode(errors="replace")]
    words += [*_common(asked), *([file] if file else []), *(() if asked.function else given.args)]
    return words[0] + (" " + shlex.join(words[1:]) if words[1:] else "")


_DEFAULT_LIMITS = {
    name: getattr(Capabilities(), name) for name in ("memory_bytes", "deadline_s", "output_bytes")
}


def _build_flags(artifact: Artifact) -> list[str]:
    source = artifact.source
    words: list[str] = []
    if source and source.profile is not Profile.RELEASE:
        words += ["--profile", source.profile.value]
    if source and source.target is not Target.WASIP1:
        words += ["--target", source.target.value]
    return words


def _common(asked: Asked) -> list[str]:
    words: list[str] = []
    if asked.capabilities.program:
        words += ["--argv0", asked.capabilities.program]
    if asked.runtime != "wasmtime":
        words += ["--runtime", asked.runtime]
    if asked.audit and not asked.function:
        words.append("--audit")
    return words


def _call_words(text: str) -> list[str]:
    """Each argument as one word, as ``--invoke`` takes them: Python literals."""
    from wasm_lab.views.panel_runs import literals

    return [repr(value) for value in literals(text)]
