"""Which language a cell has by its magic, and its tokens for pages that are made of notebooks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Operator, String

from wasm_lab.cells.highlighting import MAGICS, CellLexer, head_of, highlight_code
from wasm_lab.magics import WasmLabMagics
from wasm_lab.source import LANGUAGES

IN_THE_BROWSER = Path(__file__).parents[2] / "lab" / "labextension" / "static" / "remoteEntry.js"

HEADER = '---\n[dependencies]\nitoa = "1"\n---\n'


def tokens(text: str) -> list[tuple[object, str]]:
    return list(CellLexer(ensurenl=False, stripnl=False).get_tokens(text))


def test_every_cell_magic_has_a_language():
    # edge is made by a chapter, out of worker.
    assert set(MAGICS) == {*WasmLabMagics.magics["cell"], "edge"}


def test_the_browser_knows_the_same_magics_and_languages():
    code = IN_THE_BROWSER.read_text()
    table = code[code.index("const MAGICS = {") : code.index("const LOOKED_AT")]
    found = dict(re.findall(r'^    (\w+): \((?:line|line, body)?\) => (?:"(\w+)",|\{)', table, re.MULTILINE))
    assert found == MAGICS
    languages = re.search(r"\[([^\]]*)\]\.includes\(language\)", table)
    assert languages is not None
    assert set(re.findall(r'"(\w+)"', languages[1])) == set(LANGUAGES)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("%%wasm_rust", "rust"),
        ("\n \n  %%wasm_rust --name a\nfn main() {}", "rust"),
        ("%%wasm zig --name a\n", "zig"),
        ("%%wasm cobol\n", None),
        ("%%wasm\n", None),
        ("%%wasm_rusty\n", None),
        ("%%time\n%%wasm_rust\n", None),
        ("# why\n%%wasm_rust\n", None),
        ("%wasm_run a.rs", None),
        ("%%answer a --toml\nwords", "toml"),
        ("%%answer a --yaml\nwords", "yaml"),
        ("%%answer a --choice x,y\nname = 1", "text"),
        ('%%answer a\n# why\n[[trigger.http]]\nroute = "/"', "toml"),
        ("%%answer a\nname = 1", "toml"),
        ("%%answer a\napiVersion: v1", "yaml"),
        ("%%answer a\nBecause: it is = so", "text"),
        ("%%answer a\n// why\npackage demo:tea@1.0.0;", "wit"),
        ("%%answer a\nworld tea {}", "wit"),
        ("%%answer a\nworld peace: a plan", "text"),
        ("%%answer a", "text"),
        ("", None),
    ],
)
def test_the_language_of_a_cell(text: str, language: str | None):
    head = head_of(text)
    assert (head.language if head else None) == language


@pytest.mark.parametrize(
    "body",
    [
        "",
        "\n",
        "fn main() {}",
        f"{HEADER}fn main() {{}}\n",
        f"\n{HEADER}",
        "---\nnot closed",
        "----\n---\n----\nfn main() {}",
        "#!/usr/bin/env cargo\n---\n---",
        "#![allow(unused)]\nfn main() {}",
    ],
)
def test_no_character_is_lost(body: str):
    text = f"%%wasm_rust --name a\n{body}"
    assert "".join(part for _, part in tokens(text)) == text


def test_each_part_has_its_tokens():
    found = tokens(f"%%wasm_rust --name a\n{HEADER}fn main() {{}} // here")
    assert (Operator, "%%wasm_rust") in found
    assert any(kind in String and part == "1" for kind, part in found)
    assert (Keyword, "fn") in found
    assert not any(kind in Error for kind, _ in found)


def test_wit():
    text = "%%wit a\nworld a { /* one /* in */ two */ export f: func(a: s32) -> option<string>; }"
    found = tokens(text)
    assert "".join(part for _, part in found) == text
    assert [part for kind, part in found if kind in Keyword] == "world export func s32 option string".split()
    assert "".join(part for kind, part in found if kind in Comment) == "/* one /* in */ two */"


def test_a_page_of_nbconvert():
    assert '<span class="k">fn</span>' in highlight_code("%%wasm_rust\nfn main() {}")
    python = highlight_code("import math")
    assert '<span class="kn">import</span>' in python
    assert highlight_code("%%bash\necho", metadata={"magics_language": "bash"}) != highlight_code(
        "%%bash\necho"
    )


def test_the_pages_of_chapters_have_it(tmp_path: Path):
    from nbformat.v4 import new_code_cell, new_notebook

    from wasm_lab.chapters import _write_page

    _write_page(new_notebook(cells=[new_code_cell("%%wasm_rust\nfn main() {}")]), tmp_path / "page.html")
    assert '<span class="k">fn</span>' in (tmp_path / "page.html").read_text()
