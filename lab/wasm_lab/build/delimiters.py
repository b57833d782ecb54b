"""Which bracket of the learner's text has no partner.

rustc sees the braces around statements as well, and blames those when the learner's do not match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLOSES = {")": "(", "]": "[", "}": "{"}

#: All that may hold brackets which count for nothing, and the brackets themselves.
_TOKEN = re.compile(
    r"""//[^\n]* | (?P<comment>/\*) | (?:[bc]?r(?P<hashes>\#*)"(?:.*?"(?P=hashes)|.*)) | [bc]?"(?:[^"\\]|\\.)*(?:"|$)
      | b?'(?:[^'\\\n]|\\(?:u\{[^}]*\}|x..|.))' | '\w+ | \w+ | (?P<bracket>[()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A bracket without a partner. ``line`` and ``column`` count from 1 in the text."""

    bracket: str
    line: int
    column: int

    @property
    def opens(self) -> bool:
        return self.bracket in "([{"


def unmatched(code: str) -> Unmatched | None:
    """The bracket of ``code`` that has no partner, or None when all match.

    Among several unclosed ones it is the one whose closing bracket, by the indentation, is most
    likely the missing one.

    Example:
        >>> unmatched("if x {\\n    y(1\\n}")
        Unmatched(bracket='(', line=2, column=6)
    """
    opened: list[tuple[str, int]] = []
    suspect: int | None = None
    at = 0
    while token := _TOKEN.search(code, at):
        at = token.end()
        if token["comment"]:
            at = _end_of_comment(code, at)
        bracket = token["bracket"]
        if not bracket:
            continue
        if bracket not in _CLOSES:
            opened.append((bracket, token.start()))
        elif not opened:
            return _place(code, token.start())
        elif opened[-1][0] != _CLOSES[bracket]:
            below = [opener for opener, _ in opened]
            # The closing bracket of an outer pair shows which inner one is unclosed.
            return _place(code, opened[-1][1] if _CLOSES[bracket] in below else token.start())
        else:
            _, start = opened.pop()
            if _stands_alone(code, token.start()) and _indent(code, start) != _indent(code, token.start()):
                suspect = start
    if not opened:
        return None
    inner = opened[-1][1]
    return _place(code, suspect if suspect is not None and suspect > inner else inner)


def _end_of_comment(code: str, at: int) -> int:
    """The end of a block comment, which may hold others; ``at`` is after its opening."""
    depth = 1
    for mark in re.finditer(r"/\*|\*/", code[at:]):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return at + mark.end()
    return len(code)


def _line_before(code: str, at: int) -> str:
    return code[code.rfind("\n", 0, at) + 1 : at]


def _indent(code: str, at: int) -> int:
    line = _line_before(code, at)
    return len(line) - len(line.lstrip())


def _stands_alone(code: str, at: int) -> bool:
    return not _line_before(code, at).strip()


def _place(code: str, at: int) -> Unmatched:
    return Unmatched(code[at], code.count("\n", 0, at) + 1, len(_line_before(code, at)) + 1)
