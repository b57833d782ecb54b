"""JSON as the API server reads it: what libyaml would not take, such as an emoji as two escapes, is right here.

kubectl reads a text that begins with a brace as JSON objects that follow each other, with or without a line
between them (``decoder.go`` of k8s.io/apimachinery).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from wasm_lab.scenarios.kubernetes.nodes import Composer

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.nodes import Node
    from wasm_lab.scenarios.kubernetes.places import Lines
    from wasm_lab.scenarios.kubernetes.problems import Problem

_SPACE = re.compile(r"[ \t\r\n]*")
_TOKEN = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")|([{\[])|([}\]])|([^\s,:{}\[\]"]+)')
_LONE = re.compile("[\ud800-\udfff]")


def json_objects(text: str) -> list[tuple[int, int]]:
    """Where each of several JSON objects begins and ends; nothing where the text is anything else.

    Example:
        >>> json_objects('{"a": 1}{}'), json_objects('{a: 1}')
        ([(0, 8), (8, 10)], [])
    """
    if not text.lstrip().startswith("{"):
        return []
    decoder, found, at = json.JSONDecoder(), [], _end_of_space(text, 0)
    while at < len(text):
        try:
            end = decoder.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            return []
        found.append((at, end))
        at = _end_of_space(text, end)
    return found


def _end_of_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def compose_json(
    text: str, start: int, end: int, lines: Lines, file: str
) -> tuple[list[Node], list[Problem]]:
    """One JSON object as a tree.

    Args:
        text: the whole text.
        start: where the object begins, and ``end`` where it ends, as `json_objects` says.
        lines: of the text.
        file: for the messages.

    Raises:
        YamlMistake: too deep, too large.
    """
    composer = Composer(file)
    for token in _TOKEN.finditer(text, start, end):
        quoted, opening, closing, word = token.groups()
        place = lines.place(token.start())
        if quoted is not None:
            # Go reads half of a pair of surrogates as U+FFFD, and Python could not even print it
            composer.text(_LONE.sub("\ufffd", json.loads(quoted)), place)
        elif opening:
            composer.open("map" if opening == "{" else "list", place)
        elif closing:
            composer.close()
        else:
            composer.word(word, place)
    composer.end()
    return composer.roots, composer.problems
