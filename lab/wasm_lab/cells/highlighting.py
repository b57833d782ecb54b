"""The language of a notebook's cell by its magic, and a Pygments lexer that follows it.

For pages made of notebooks: the HTML of ``nbconvert`` and the documentation. In the browser
``lab/labextension/static/remoteEntry.js`` does the same by the same rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pygments.lexer import Lexer, RegexLexer, words  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    Text,
    Whitespace,
)

from wasm_lab.source import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The language of the cells of each magic. ``%%wasm`` and ``%%answer`` say it on their line.
MAGICS = {
    "wasm_rust": "rust",
    "wasm": "",
    "js_twin": "js",
    "worker": "js",
    "edge": "js",  # chapter 13's own form of %%worker
    "wit": "wit",
    "spin_app": "toml",
    "answer": "",
}

_MAGIC = re.compile(r"(?:[ \t]*\n)*([ \t]*%%(\w+))(?=[ \t]|\n|$)([^\n]*)(?:\n|$)")
_FENCE = re.compile(r"(?:#![^\n\[][^\n]*\n)?(?:[ \t]*\n)*(-{3,})[^\n]*\n")
_OPTION = re.compile(r"(?<=\s)--?[a-zA-Z][\w-]*")


@dataclass(frozen=True, slots=True)
class Head:
    """Where the parts of a cell are that begins with one of our magics; positions count characters."""

    language: str  #: one of `LANGUAGES`, or wit, toml, yaml, text
    name_end: int  #: the end of the magic's name
    line_end: int  #: the end of the magic line
    body: int  #: where the text of the cell begins
    header: tuple[int, int] | None = None  #: the manifest between the dashes of a Rust cell


def head_of(text: str) -> Head | None:
    r"""What stands before the code of a cell; None where it is no cell of ours.

    Example:
        >>> head_of("%%wasm c\nint x;").language
        'c'
        >>> head_of("%%wasm_rust\n---\nedition = 1\n---\nfn main() {}").header
        (16, 28)
        >>> head_of("import math") is None
        True
    """
    found = _MAGIC.match(text)
    language = _language(found[2], found[3], text[found.end() :]) if found else ""
    if found is None or not language:
        return None
    line_end = found.end(3)
    body = min(len(text), found.end())
    fence = _FENCE.match(text, body) if language == "rust" else None
    close = re.compile(rf"^{fence[1]}[ \t]*$", re.MULTILINE).search(text, fence.end()) if fence else None
    if fence is None or close is None:
        return Head(language, found.end(1), line_end, body)
    after = min(len(text), close.end() + 1)
    return Head(language, found.end(1), line_end, after, (fence.end(), close.start()))


def _language(magic: str, line: str, body: str) -> str:
    if magic == "wasm":
        asked = line.split()[:1]
        return asked[0] if asked and asked[0] in LANGUAGES else ""
    if magic == "answer":
        return _language_of_answer(line.split(), body)
    return MAGICS.get(magic, "")


def _language_of_answer(words: list[str], body: str) -> str:
    for language in ("toml", "yaml"):
        if f"--{language}" in words:
            return language
    lines = [line for line in body.split("\n") if not re.match(r"\s*(#|//|$)", line)]
    first = "" if "--choice" in words or not lines else lines[0]
    if re.match(r"""\s*\[{1,2}[\w."' -]+\]{1,2}\s*(#.*)?$|\s*[\w."-]+\s*=\s*\S""", first):
        return "toml"
    if re.match(r"(---|apiVersion:|kind:|metadata:|spec:)(\s|$)", first):
        return "yaml"
    wit = re.match(r"\s*(package\s+[\w-]+:[\w-]|(interface|world)\s+%?[\w-]+\s*\{)", first)
    return "wit" if wit else "text"


class WitLexer(RegexLexer):  # type: ignore[misc]
    """WIT (https://component-model.bytecodealliance.org/design/wit.html); Pygments has no lexer of it."""

    name = "WIT"
    aliases = ("wit",)
    filenames = ("*.wit",)
    url = "https://component-model.bytecodealliance.org/design/wit.html"

    _KEYWORDS = (
        "as async constructor enum export flags from func import include interface package record resource "
        "static type use variant with world"
    )
    _TYPES = (
        "bool borrow char error-context f32 f64 future list option own result s16 s32 s64 s8 stream string "
        "tuple u16 u32 u64 u8"
    )
    tokens = {  # noqa: RUF012 - the form that Pygments asks for
        "root": [
            (r"\s+", Whitespace),
            (r"//[^\n]*", Comment.Single),
            (r"/\*", Comment.Multiline, "comment"),
            (r"@[a-z][\w-]*(?=\()", Name.Decorator),
            (r"@?\d+(\.\d+)*(-[\w.-]+)?", Number),
            (words(_KEYWORDS.split(), prefix=r"(?<![\w-])", suffix=r"(?![\w-])"), Keyword),
            (words(_TYPES.split(), prefix=r"(?<![\w-])", suffix=r"(?![\w-])"), Keyword.Type),
            (r"%?[a-zA-Z][\w-]*", Name),
            (r"->|[=*/:]", Operator),
            (r"[^\w\s]|_", Punctuation),
        ],
        "comment": [
            (r"/\*", Comment.Multiline, "#push"),
            (r"\*/", Comment.Multiline, "#pop"),
            (r"[^*/]+|[*/]", Comment.Multiline),
        ],
    }


class CellLexer(Lexer):  # type: ignore[misc]
    r"""Cells that begin with one of our magics in their language, all others as IPython.

    Example:
        >>> from pygments.token import Keyword
        >>> [text for kind, text in CellLexer().get_tokens("%%wasm_rust\nfn main() {}") if kind in Keyword]
        ['fn']
    """

    name = "IPython with cells of wasm-lab"
    aliases = ("wasm-lab-cell",)

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, Any, str]]:
        """The tokens of a cell, each with its position and kind."""
        head = head_of(text)
        if head is None:
            yield from get_lexer_by_name("ipython3").get_tokens_unprocessed(text)
            return
        yield from _magic_line(text, head)
        if head.header is not None:
            first, last = head.header
            yield head.line_end, Comment.Preproc, text[head.line_end : first]
            yield from _tokens("toml", text, first, last)
            yield last, Comment.Preproc, text[last : head.body]
        else:
            yield head.line_end, Whitespace, text[head.line_end : head.body]
        yield from _tokens(head.language, text, head.body, len(text))


def _magic_line(text: str, head: Head) -> Iterator[tuple[int, Any, str]]:
    yield 0, Operator, text[: head.name_end]
    at = head.name_end
    for option in _OPTION.finditer(text, head.name_end, head.line_end):
        yield at, Text, text[at : option.start()]
        yield option.start(), Name.Attribute, option[0]
        at = option.end()
    yield at, Text, text[at : head.line_end]


def _tokens(language: str, text: str, first: int, last: int) -> Iterator[tuple[int, Any, str]]:
    lexer = WitLexer() if language == "wit" else get_lexer_by_name(language)
    for at, kind, part in lexer.get_tokens_unprocessed(text[first:last]):
        yield first + at, kind, part


def highlight_code(source: str, language: str | None = None, metadata: Any = None) -> str:
    """The HTML of a code cell: a filter for nbconvert, which differs from its own for our cells alone.

    ``jupyter nbconvert --to html --HTMLExporter.filters
    highlight_code=wasm_lab.cells.highlighting.highlight_code``
    """
    from nbconvert.filters.highlight import Highlight2HTML
    from pygments import highlight  # type: ignore[import-untyped]
    from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

    if language or head_of(source) is None:
        return str(Highlight2HTML()(source, language, metadata))
    return str(highlight(source, CellLexer(), HtmlFormatter(cssclass=" highlight hl-ipython3")))
