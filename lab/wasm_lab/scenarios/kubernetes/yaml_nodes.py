"""A YAML text to trees, by the events of libyaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.nodes import Composer, YamlMistake
from wasm_lab.scenarios.kubernetes.places import Given
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.yaml_errors import explain

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.nodes import Node

#: Texts with ``\\'`` in one document; each costs another reading.
QUOTED_MAX = 50

#: Dashes with a key right behind them: two lines that became one.
_GLUED = re.compile(r"---(?![\s#-])")


def compose(text: str, *, file: str = "", first_line: int = 0) -> tuple[list[Node], list[Problem]]:
    """The documents of a text as trees; an empty one is none.

    Args:
        text: YAML.
        file: for the messages.
        first_line: how many lines of the file stand before the text.

    Raises:
        YamlMistake: it is no YAML.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    given, changed = Given(text, first_line), 0
    if _GLUED.match(text):
        given.replace([(3, 3)], "\n")
    while True:
        composer = Composer(file)
        try:
            for event in yaml.parse(given.text, Loader=loader):
                _take(composer, event, given)
        except yaml.YAMLError as error:
            if changed == QUOTED_MAX or not _quotes_as_go(given, error):
                raise YamlMistake(explain(error, given, file)) from error
            changed += 1
        except RecursionError as error:
            raise YamlMistake(Problem(file, first_line + 1, 1, "too deeply nested to be read.")) from error
        else:
            return composer.roots, composer.problems


def _take(composer: Composer, event: Any, given: Given) -> None:
    """Go on by one event of libyaml."""
    import yaml

    kind = type(event)
    if kind is yaml.ScalarEvent:
        composer.scalar(event, given.place(event.start_mark))
    elif kind is yaml.MappingStartEvent:
        composer.open("map", given.place(event.start_mark), event.anchor)
    elif kind is yaml.SequenceStartEvent:
        composer.open("list", given.place(event.start_mark), event.anchor)
    elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
        composer.close()
    elif kind is yaml.AliasEvent:
        composer.alias(event.anchor, given.place(event.start_mark))
    elif kind is yaml.DocumentEndEvent:
        composer.end()


_REST = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def _quotes_as_go(given: Given, error: Any) -> bool:
    """Put ``'`` for every ``\\'`` of the scalar in which libyaml refuses one; False for other errors.

    kubectl's reader takes ``\\'`` in double quotes for a quote (``scannerc.go`` of go.yaml.in/yaml/v2), though
    YAML has no such escape.
    """
    mark = getattr(error, "problem_mark", None)
    if mark is None or getattr(error, "problem", "") != "found unknown escape character":
        return False
    rest = _REST.match(given.text, mark.index)
    if rest is None or not given.text.startswith("\\'", mark.index):
        return False
    escapes = (rest.start() + each.start() for each in _ESCAPE.finditer(rest[0]) if each[1] == "'")
    given.replace([(at, at + 2) for at in escapes], "'")
    return True
