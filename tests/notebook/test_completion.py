"""Tab completion of magics' lines: derived from the commands that parse them, in IPython's own completer."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from wasm_lab.magics import WasmLabMagics
from wasm_lab.magics.completion import COMMANDS, IDENTIFIER, completions
from wasm_lab.magics.line import session

#: Magics without options of their own, and the one whose first word is a language.
WITHOUT = {"wasm_inspect", "wasm_doctor", "wasm"}


def offered(shell: InteractiveShell, text: str) -> set[str]:
    """What the completer offers at the end of the first line."""
    first = text.partition("\n")[0]
    with provisionalcompleter():
        found = list(shell.Completer.completions(text, len(first)))
    return {first[: each.start] + each.text for each in found}


def test_every_magic_is_in_the_table(shell: InteractiveShell) -> None:
    magics = shell.magics_manager.magics
    ours = {
        name
        for kind in ("cell", "line")
        for name, function in magics[kind].items()
        if isinstance(getattr(function, "__self__", None), WasmLabMagics)
    }
    assert ours - WITHOUT == set(COMMANDS)
    for name in COMMANDS:
        assert "--help" in completions(f"%%{name} --"), name


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("%%wasm_rust --wo", {"%%wasm_rust --world"}),
        ("%%wasm_rust --no-run --prof", {"%%wasm_rust --no-run --profile"}),
        ("%%wasm_rust --profile s", {"%%wasm_rust --profile size"}),
        (
            "%%wasm_rust --runtime wasmed",
            {"%%wasm_rust --runtime wasmedge", "%%wasm_rust --runtime wasmedge-aot"},
        ),
        ("%%wasm_rust --target wasm32-wasip2 --aud", {"%%wasm_rust --target wasm32-wasip2 --audit"}),
        ("%wasm_claims --val", {"%wasm_claims --values"}),
        ("%%spin_app --ser", {"%%spin_app --serve"}),
        ("%%wasm zi", {"%%wasm zig"}),
        ("%%wasm c --prof", {"%%wasm c --profile"}),
    ],
)
def test_options_and_values(shell: InteractiveShell, line: str, found: set[str]) -> None:
    assert offered(shell, line) == found
    assert offered(shell, f"{line}\nfn main() {{}}") == found


def test_worlds_and_names_of_the_notebook(shell: InteractiveShell) -> None:
    with capture_output():
        shell.run_cell("%%wit shelf\npackage demo:shelf;\nworld shelf-count {}").raise_error()
    shell.user_ns["shelf_host"] = object()
    try:
        assert offered(shell, "%%wasm_rust --world sh") == {"%%wasm_rust --world shelf-count"}
        line = "%%wasm_rust --world shelf-count --imports she"
        assert offered(shell, line) == {f"{line[:-3]}shelf_host"}
    finally:
        session().wit_texts.pop("shelf")
        del shell.user_ns["shelf_host"]


def test_the_rest_is_left_to_ipython(shell: InteractiveShell) -> None:
    for line in (
        "%%writefile --",
        "%%wasm_rust --wo 'open",
        "%%wasm cobol --",
        "x = 1",
        "%%wasm_rust --nope x --",
    ):
        assert completions(line) == [] or line.startswith("%%wasm_rust --nope")
    assert "%%wasm_rust" in offered(shell, "%%wasm_ru")
    shell.user_ns["shelves"] = 1
    assert "shelves" in offered(shell, "shelv")


def test_loading_twice_offers_once(shell: InteractiveShell) -> None:
    shell.run_line_magic("reload_ext", "wasm_lab")
    assert (
        sum(getattr(each, "matcher_identifier", "") == IDENTIFIER for each in shell.Completer.custom_matchers)
        == 1
    )
