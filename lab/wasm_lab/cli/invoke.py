"""``wasm-lab run --invoke NAME``: one function of a library, with arguments from the command line."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cells.missing import function_missing
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.capabilities import Capabilities
    from wasm_lab.session import Session


def invoke_function(
    session: Session,
    artifact: Artifact,
    name: str,
    words: tuple[str, ...],
    capabilities: Capabilities,
    *,
    as_json: bool,
) -> int:
    """Call one function and print its result.

    A Rust library's functions take Python literals where the parameter is no text: numbers, lists,
    True, None. A module made elsewhere takes plain numbers.

    Raises:
        UsageError: there is no such function, or an argument cannot be read or does not fit.
    """
    if artifact.source is not None:
        cell = session.define(artifact, capabilities)
        functions = cell.functions
        if name not in functions:
            raise function_missing(
                artifact.label, name, kind=artifact.source.kind, known=functions, refused=dict(cell.refused)
            )
        function: Any = functions[name]
    else:
        from wasm_lab.runtimes import get_runtime

        function = get_runtime(session.runtime).instantiate(artifact, capabilities).function(name)
    try:
        result = function(*map(literal, words))
    except (TypeError, OverflowError, ValueError) as error:
        raise UsageError(
            str(error), hint="Text that looks like a number goes in quotes of its own."
        ) from None
    if as_json:
        from wasm_lab.views.plain import plain

        listed = result.tolist() if hasattr(result, "tolist") else result
        click.echo(json.dumps({"result": plain(listed)}, ensure_ascii=False))
    elif result is not None:
        click.echo(str(result))
    return 0


def literal(word: str) -> Any:
    """A Python literal where the word is one, else the word itself."""
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word
