"""What a JavaScript text imports and exports, by its tokens: no word in a comment, string or pattern counts.

workerd reads the text in full and says what is wrong with it. This comes before that: it only has to see
which files a worker is made of, and whether it is a module.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ASIDE = re.compile(r"(?:\A#![^\n]*|\s+|//[^\n\r\u2028\u2029]*|/\*.*?(?:\*/|\Z))+", re.DOTALL)
_STRING = re.compile(r'"((?:\\.|[^"\\\n])*)"|\'((?:\\.|[^\'\\\n])*)\'', re.DOTALL)
_WORD = re.compile(r"\d[\w.]*|#?[\w$]+")
_PATTERN = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/\w*")
_TEMPLATE = re.compile(r"(?:\\.|\$(?!\{)|[^`\\$])*(?:`|(\$\{)|\Z)", re.DOTALL)
_MARK = re.compile(r"\+\+|--|\.{3}|.", re.DOTALL)

#: Words before an expression: a slash after one of them begins a pattern, and after any other word divides.
_BEFORE_VALUE = frozenset(
    "await case default delete do else extends in instanceof new of return throw typeof void yield".split()
)
#: Words before a bracket whose closing one is followed by a statement, and not by a division.
_BEFORE_CONDITION = frozenset(("if", "while", "for", "with"))


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a text."""

    kind: str  #: ``word``, ``string``, ``pattern``, ``template`` (a part of one) or ``mark``
    text: str  #: of a string, what stands between its quotes
    end: int  #: where it ends in the text


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says of itself."""

    imports: tuple[tuple[str, int], ...]  #: what it imports, and on which line, from 1
    exports: bool  #: whether it exports anything, and so is a module
    default: bool  #: whether it has a default export
    listens: bool  #: whether it calls ``addEventListener``


def tokens(code: str) -> Iterator[Token]:
    r"""The pieces of a text without its spaces and comments.

    Example:
        >>> [token.text for token in tokens("a = /'/ // 'b'\n")]
        ['a', '=', "/'/"]
    """
    at = 0
    brackets: list[str] = []  # what stood before each open round bracket; "${" or "{" for the curly ones
    value = False  # whether a value ends here, so that a slash divides it
    last = ""
    while at < len(code):
        if aside := _ASIDE.match(code, at):
            at = aside.end()
            continue
        first = code[at]
        if first in "\"'" and (found := _STRING.match(code, at)):
            at, value, last = found.end(), True, ""
            yield Token("string", found[1] if found[1] is not None else found[2], at)
        elif found := _WORD.match(code, at):
            # A name after a dot is a property, whatever it is called.
            value = last == "." or found[0] not in _BEFORE_VALUE
            at, last = found.end(), "" if last == "." else found[0]
            yield Token("word", found[0], at)
        elif first == "/" and not value and (found := _PATTERN.match(code, at)):
            at, value, last = found.end(), True, ""
            yield Token("pattern", found[0], at)
        elif first == "`" or (first == "}" and brackets and brackets[-1] == "${"):
            if first == "}":
                brackets.pop()
            found = _TEMPLATE.match(code, at + 1)
            assert found is not None, "the expression takes an empty text too"
            if found[1]:
                brackets.append("${")
            at, value, last = found.end(), not found[1], ""
            yield Token("template", found[0], at)
        else:
            found = _MARK.match(code, at)
            assert found is not None, "any character is a mark"
            mark = found[0]
            value = mark in ("]", "++", "--")
            if mark in "({":
                brackets.append(last if mark == "(" else mark)
            elif mark in ")}" and brackets:
                before = brackets.pop()
                value = mark == ")" and before not in _BEFORE_CONDITION
            at, last = found.end(), mark
            yield Token("mark", mark, at)


def read(code: str) -> Said:
    """What a text imports and exports.

    Example:
        >>> read('import { a } from "./a.js"; export default { "fetch": a };')
        Said(imports=(('./a.js', 1),), exports=True, default=True, listens=False)
    """
    found = [*tokens(code), *[Token("mark", "", len(code))] * 3]  # so that one may look ahead
    imports: list[tuple[str, int]] = []
    exports = default = listens = False

    def follow(token: Token) -> None:
        imports.append((token.text, code.count("\n", 0, token.end) + 1))

    for at, token in enumerate(found[:-3]):
        if token.kind != "word":
            continue
        after, second, third = found[at + 1 : at + 4]
        if token.text == "addEventListener":
            listens = listens or _is(after, "(")
        elif at and _is(found[at - 1], "."):
            continue  # a property
        elif token.text == "import":
            if after.kind == "string":
                follow(after)
            elif _is(after, "(") and second.kind == "string" and (_is(third, ")") or _is(third, ",")):
                follow(second)
            elif source := _source(found, at + 1):
                follow(source)
        elif token.text == "export" and (after.kind == "word" or _is(after, "{") or _is(after, "*")):
            exports = True
            if after.kind == "word":
                default = default or after.text == "default"
                continue
            default = default or _names_default(found, at + 1)
            if source := _source(found, at + 1):
                follow(source)
    return Said(tuple(imports), exports, default, listens)


def _is(token: Token, mark: str) -> bool:
    return token.kind == "mark" and token.text == mark


def _source(found: list[Token], at: int) -> Token | None:
    """The string after ``from`` that ends a list of names; None where something else comes before it."""
    closed = False
    while (token := found[at]).kind in ("word", "string") or (
        token.kind == "mark" and token.text in list("{},*")
    ):
        if token.text == "from" and token.kind == "word" and found[at + 1].kind == "string":
            return found[at + 1]
        if closed:
            return None  # the next statement
        closed = token.kind == "mark" and token.text == "}"
        at += 1
    return None


def _names_default(found: list[Token], at: int) -> bool:
    """Whether ``default`` is the name under which something is exported: ``{ a as default }``, ``* as default``."""
    if _is(found[at], "*"):
        return found[at + 1].text == "as" and found[at + 2].text == "default"
    while _is(found[at], "{") or found[at].kind in ("word", "string") or _is(found[at], ","):
        at += 1
        if found[at].text == "default" and found[at + 1].kind == "mark" and found[at + 1].text in (",", "}"):
            return True
    return False
