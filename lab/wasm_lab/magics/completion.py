"""Tab completion of a magic's line: options and values, from the commands that parse it."""

from __future__ import annotations

import importlib
import re
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from IPython.core.completer import CompletionContext, SimpleMatcherResult
    from IPython.core.interactiveshell import InteractiveShell

#: Each magic with options, and the module here that makes the command of it.
COMMANDS = {
    "wasm_rust": "cells:cell_command",
    "wasm_run": "cells:run_command",
    "wasm_bench": "bench:bench_line",
    "wasm_claims": "claims:claims_line",
    "js_twin": "twins:js_twin_command",
    "spin_app": "spin:spin_app_command",
    "wit": "wit:wit_command",
    "worker": "worker:worker_command",
    "answer": "exercises:answer_command",
    "exercise": "exercises:exercise_command",
}

#: What IPython calls our matcher, as in ``IPCompleter.disable_matchers``.
IDENTIFIER = "wasm_lab.options"

_LINE = re.compile(r"^\s*%%?(\w+)\s(.*)$", re.DOTALL)


def register_completion(shell: InteractiveShell) -> None:
    """Let the shell complete the lines of our magics; once, however often the extension is loaded."""
    from IPython.core.completer import context_matcher

    matchers = shell.Completer.custom_matchers
    if any(getattr(each, "matcher_identifier", "") == IDENTIFIER for each in matchers):
        return

    def match(context: CompletionContext) -> SimpleMatcherResult:
        found = completions(context.text_until_cursor, shell.user_ns)
        # Python's own names have no meaning among options; files are IPython's to complete.
        return {"completions": [_simple(each) for each in found], "suppress": bool(found)}

    matchers.append(context_matcher(priority=100, identifier=IDENTIFIER)(match))


def completions(line: str, names: dict[str, Any] | None = None) -> list[str]:
    """What may stand at the end of a magic's line, in place of its last word.

    Args:
        line: as far as the cursor.
        names: what the notebook's names stand for.

    Example:
        >>> completions("%%wasm_rust --profile s")
        ['size']
    """
    matched = _LINE.match(line)
    words = _words(matched[2]) if matched else None
    if matched is None or words is None:
        return []
    last = "" if matched[2][-1:].isspace() or not words else words.pop()
    if matched[1] == "wasm" and not words:
        from wasm_lab.source import LANGUAGES

        return [each for each in LANGUAGES if each.startswith(last)]
    command = _language(words.pop(0)) if matched[1] == "wasm" else _command(matched[1])
    if command is None:
        return []
    import click
    from click.shell_completion import ShellComplete

    if words and words[-1] in ("--world", "--imports"):
        return _ours(words[-1], last, names or {})
    try:
        items = ShellComplete(command, {}, command.name or "", "").get_completions(words, last)
    except (click.ClickException, TypeError):  # what stands before is wrong already
        return []
    return [item.value for item in items if item.type == "plain"]


def _command(magic: str) -> click.Command | None:
    if magic not in COMMANDS:
        return None
    module, _, maker = COMMANDS[magic].partition(":")
    command: click.Command = getattr(importlib.import_module(f"wasm_lab.magics.{module}"), maker)()
    return command


def _language(name: str) -> click.Command | None:
    """The command of ``%%wasm NAME``."""
    from wasm_lab.magics import languages
    from wasm_lab.source import NATIVE, SCRIPTED

    if name in NATIVE:
        return languages.native_command(name)
    if name in SCRIPTED:
        return languages.scripted_command(name)
    return _command("wasm_rust") if name == "rust" else None


def _words(text: str) -> list[str] | None:
    try:
        return shlex.split(text)
    except ValueError:  # inside of a quotation
        return None


def _ours(option: str, begun: str, names: dict[str, Any]) -> list[str]:
    """What this notebook has: worlds of ``%%wit`` cells, Python's names."""
    if option == "--imports":
        known = [each for each in names if not each.startswith("_")]
    else:
        from wasm_lab.magics.line import session

        known = [short for text in session().wit_texts.values() for short in text.worlds]
    return sorted(each for each in known if each.startswith(begun))


def _simple(text: str) -> Any:
    from IPython.core.completer import SimpleCompletion

    return SimpleCompletion(text=text, type="magic")
