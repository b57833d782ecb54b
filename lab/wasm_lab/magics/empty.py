"""What an empty cell is told: what belongs there, as a text to begin with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.magics.line import session

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_RUST = """\
pub fn double(n: i32) -> i32 {
    2 * n
}"""

_JS_TWIN = """\
function {name}(n) {{
    return 2 * n;
}}"""

_SPIN_APP = """\
spin_manifest_version = 2

[application]
name = "{name}"

[[trigger.http]]
route = "/..."
component = "hello"

[component.hello]
source = "hello.wasm"  # of the cell %%wasm_rust --name hello, or a file"""

_WIT = """\
package demo:{name};

world {name} {{
  import log: func(line: string);
  export add: func(a: s32, b: s32) -> s32;
}}"""


_LANGUAGES = {
    "c": "int twice(int n) { return 2 * n; }",
    "cpp": 'extern "C" int twice(int n) { return 2 * n; }',
    "zig": "export fn twice(n: i32) i32 { return 2 * n; }",
    "go": "package main\n\n//go:wasmexport twice\nfunc twice(n int32) int32 { return 2 * n }\n\nfunc main() {}",
    "python": 'print("hello")',
    "js": 'console.log("hello");',
}

_WORKER = """\
export default {
  async fetch(request, env, ctx) {
    return new Response("hello");
  },
};"""


class KeepEmptyCells:
    """Lets an empty cell of ours come to its magic; IPython refuses it otherwise, ``--help`` too.

    A transformation of a cell's lines, as ``shell.input_transformers_cleanup`` holds them.
    """

    has_side_effects = True  # so that a terminal still waits for the cell's text after its first line

    def __init__(self, shell: InteractiveShell, owner: type) -> None:
        self._shell = shell
        self._owner = owner

    def __call__(self, lines: list[str]) -> list[str]:
        first = re.match(r"%%(\w+)(?=\s|$)", lines[0]) if lines else None
        if first is None or "".join(lines[1:]):
            return lines
        magic = self._shell.find_cell_magic(first[1])
        if not isinstance(getattr(magic, "__self__", None), self._owner):
            return lines
        return [lines[0] if lines[0].endswith("\n") else f"{lines[0]}\n", "\n"]


def refuse_empty(magic: str, text: str, begin: str, *, after: str = "") -> None:
    """Raise for a cell without text.

    Args:
        magic: such as ``%%wit``.
        begin: a text to begin with.
        after: what can be done once it is there.

    Raises:
        UsageError: ``text`` is blank.
    """
    if not text.strip():
        more = f"\n\n{after}" if after else ""
        raise UsageError(
            f"The {magic} cell is empty.", hint=f"Below its first line belongs, for example:\n\n{begin}{more}"
        )


def refuse_empty_rust(text: str, options: dict[str, Any]) -> None:
    """Raise for a Rust cell without code; with ``--world`` the hint is what the world wants."""
    if text.strip():
        return
    if options["world"]:
        from wasm_lab.components.skeletons import python_skeleton, rust_skeleton
        from wasm_lab.components.worlds import find_world

        wit, short = find_world(options["world"], session().wit_texts.values())
        world = wit.worlds[short]
        needed = any(
            not name.startswith("wasi:") and getattr(item, "functions", True)
            for name, item in world.imports.items()
        )
        after = ""
        if needed and not options["imports"]:
            after = f"With --imports host, after a cell of Python:\n\n{python_skeleton(world, 'host')}"
        refuse_empty(f"%%wasm_rust --world {short}", text, rust_skeleton(world), after=after)
    refuse_empty("%%wasm_rust", text, _RUST, after="Then double(21) in the next cell calls it.")


def refuse_empty_twin(text: str, name: str) -> None:
    """Raise for a ``%%js_twin`` cell without code."""
    refuse_empty(f"%%js_twin {name}", text, _JS_TWIN.format(name=name))


def refuse_empty_language(text: str, language: str) -> None:
    """Raise for a ``%%wasm LANG`` cell without code."""
    refuse_empty(f"%%wasm {language}", text, _LANGUAGES[language])


def refuse_empty_worker(text: str, name: str) -> None:
    """Raise for a ``%%worker`` cell without a module."""
    refuse_empty(f"%%worker {name}", text, _WORKER, after=f'Then {name}.get("/") sends it a request.')


def refuse_empty_app(text: str, name: str) -> None:
    """Raise for a ``%%spin_app`` cell without a manifest."""
    refuse_empty(
        f"%%spin_app {name}",
        text,
        _SPIN_APP.format(name=name.replace("_", "-")),
        after=f'Then {name}.get("/") sends it a request.',
    )


def refuse_empty_wit(text: str, name: str) -> None:
    """Raise for a ``%%wit`` cell without a text."""
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "calc"
    word = word if word[0].isalpha() else "calc"
    refuse_empty(
        f"%%wit {name}",
        text,
        _WIT.format(name=word),
        after=f"Then a cell %%wasm_rust --world {word} implements it.",
    )
