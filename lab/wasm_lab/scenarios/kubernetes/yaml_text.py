"""Objects to YAML with comments, the same text each time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from wasm_lab.scenarios.kubernetes.scalars import resolve

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:@+-]*(?<!:)")


@dataclass(frozen=True, slots=True)
class Said:
    """A value with a comment, which is written above its key or entry."""

    value: Any
    why: str


def yaml_text(value: Any) -> str:
    """A mapping as YAML; keys in the order in which they stand.

    Example:
        >>> print(yaml_text({"a": Said("yes", "quoted"), "b": [1]}), end="")
        # quoted
        a: "yes"
        b:
          - 1
    """
    return "".join(f"{line}\n" for line in _lines(value, 0))


def plain(value: Any) -> Any:
    """The same value without its comments."""
    if isinstance(value, Said):
        return plain(value.value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def scalar(value: Any) -> str:
    """A scalar, in quotes wherever a reader could take it for something else."""
    if isinstance(value, str):
        sure = _PLAIN.fullmatch(value) and resolve(value) == value
        return value if sure else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _lines(value: Any, depth: int) -> list[str]:
    space = "  " * depth
    lines: list[str] = []
    if isinstance(value, dict):
        for key, each in value.items():
            lines += _comment(each, space)
            lines += _entry(f"{space}{scalar(key)}:", each.value if isinstance(each, Said) else each, depth)
        return lines
    for each in value:
        lines += _comment(each, space)
        inner = each.value if isinstance(each, Said) else each
        if isinstance(inner, dict | list) and inner:
            first, *rest = _lines(inner, depth + 1)
            while first.lstrip().startswith("#"):  # a comment goes above the dash
                lines.append(space + first.lstrip())
                first, *rest = rest
            lines += [f"{space}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{space}- {_inline(inner)}")
    return lines


def _entry(start: str, value: Any, depth: int) -> list[str]:
    if isinstance(value, dict | list) and value:
        return [start, *_lines(value, depth + 1)]
    return [f"{start} {_inline(value)}"]


def _inline(value: Any) -> str:
    return "{}" if isinstance(value, dict) else "[]" if isinstance(value, list) else scalar(value)


def _comment(value: Any, space: str) -> list[str]:
    return [f"{space}# {line}".rstrip() for line in value.why.splitlines()] if isinstance(value, Said) else []
