"""A JavaScript twin from text: its syntax and its name are checked, and nothing of it is run."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import resources
from typing import Any

from wasm_lab.diagnostic import Diagnostic, Span
from wasm_lab.errors import CompileError, ToolchainError, UsageError
from wasm_lab.toolchains.node import find_node
from wasm_lab.twins.javascript import JsTwin

#: Longest time that node may take to read a twin, in seconds.
_LONGEST_S = 30

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
#: Where V8 says that a syntax error is: the label with the line, the line's text, and marks under it.
_PLACE = re.compile(r"\A.*?:(\d+)\n.*\n( *)(\^*)")


def define_js_twin(name: str, code: str, *, label: str = "cell", first_line: int = 1) -> JsTwin:
    """The JavaScript twin of the Rust function ``name``, defined by ``code``.

    The code is a plain script that declares a function of that name. Where node is installed, V8
    reads it and says what is wrong; elsewhere only the declaration is looked for.

    Args:
        label: what messages call the text.
        first_line: the line of the cell or file in which ``code`` begins.

    Raises:
        UsageError: ``name`` is no name, or ``code`` does not declare it at its top level.
        CompileError: it is not JavaScript; the messages have the cell's or file's lines.
        ToolchainError: node is there and does not run.

    Example:
        >>> define_js_twin("double", "const double = (n) => 2 * n;").name
        'double'
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name of a function.", hint="It is the Rust function's, such as %%js_twin fib."
        )
    node = find_node()
    if node is not None:
        answer = _asked(
            str(node.program), {"code": code, "name": name, "label": label, "firstLine": first_line}
        )
        if answer["wrong"]:
            raise _refusal(answer["wrong"], label)
        declared = answer["declared"]
    else:
        declared = _seems_declared(name, code)
    if not declared:
        raise UsageError(
            f"The text declares no function {name} at its top level.",
            hint=f"Begin it with function {name}(…) {{, with the parameters of the Rust function.",
        )
    return JsTwin(name=name, code=code, label=label, first_line=first_line)


def _asked(node: str, question: dict[str, Any]) -> dict[str, Any]:
    script = resources.files("wasm_lab.twins").joinpath("check.js")
    try:
        done = subprocess.run(
            [node, str(script)],
            input=json.dumps(question).encode(),  # as ASCII, so that no half of a pair is in the way
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
        )
        return dict(json.loads(done.stdout))
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise ToolchainError(
            f"node could not be asked whether the twin is JavaScript: {error}.",
            hint="wasm-lab doctor says what is wrong with it.",
        ) from error


def _refusal(told: str, label: str) -> CompileError:
    message = next((line for line in reversed(told.splitlines()) if line.strip()), "SyntaxError")
    place = _PLACE.match(told)
    spans: tuple[Span, ...] = ()
    if place:
        line, column = int(place[1]), len(place[2]) + 1
        spans = (
            Span(
                label=label,
                line=line,
                column=column,
                end_line=line,
                end_column=column + max(len(place[3]), 1),
            ),
        )
    module = re.search(r"token 'export'|import statement|token 'import'", message)
    return CompileError(
        f"The twin is not JavaScript: {message}.",
        diagnostics=[Diagnostic(level="error", message=message, spans=spans, rendered=told)],
        rendered=told,
        hint="A twin is a plain script, not a module: leave export and import out." if module else "",
    )


def _seems_declared(name: str, code: str) -> bool:
    word = re.escape(name)
    declared = rf"^\s*(?:(?:async\s+)?function\b\s*\*?\s*{word}\s*\(|(?:const|let|var)\s+{word}\s*=)"
    return re.search(declared, code, re.MULTILINE) is not None
