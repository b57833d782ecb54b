"""libyaml's complaints in words that say what to do, at the line that is to blame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.problems import Problem

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.places import Given

_TAB = re.compile(r"^ *\t")
_DASH_TAB = re.compile(r"^ *(?:- +)*- *(?=\t)")
_DASHES = re.compile(r"^\s*(-{2}|-{4,}|[—–]+)\s*$|^\s+---\s*$")
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")

#: A template that stands where a line or its value begins, where no YAML could.
_TEMPLATE_FIRST = re.compile(r"^\s*(?:- +)*(?:[^\s#\"'{][^:#\"'{]*:\s+)?(\{\{|\{%)")
_QUOTED_OR_COMMENT = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|(?:^|\s)#.*")
_NO_SPACE = re.compile(r"^\s*(?:- +)*([A-Za-z_][\w./-]*):([^\s/].*)$")
_BLOCK = re.compile(r"^( *(?:- +)*)(?:.*[:?-] +|--- +)?(?:[!&]\S+ +)*[|>][-+0-9]*(?: +#.*)?\s*$")
_BREAK = re.compile("\r\n|[\r\n]")


def explain(error: Any, given: Given, file: str) -> Problem:
    """What is wrong with a text that is no YAML.

    Args:
        error: of libyaml.
        given: the text.
        file: for the message.
    """
    lines = _BREAK.split(given.original)
    what = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    first_line = given.first_line
    mark = _mark(error, what, given)
    line, column = given.place(mark) if mark is not None else given.place_of(_reader_index(error, given.text))
    line = min(line - first_line, len(lines)) - 1

    def problem(at: int, column: int, message: str, hint: str = "") -> Problem:
        return Problem(file, first_line + at + 1, column, message, hint)

    near = [at for at in (line, line - 1, line + 1) if 0 <= at < len(lines)]
    blocks = _in_blocks(lines[: line + 2])
    near = [at for at in near if at not in blocks]
    for at in near if not _in_flow(what, given.original) else ():
        if found := _DASH_TAB.match(lines[at]):
            return problem(at, found.end() + 1, "a tab after the dash; write a space.")
        if _TAB.match(lines[at]) and (at == line or lines[at].strip()):
            return problem(
                at,
                lines[at].index("\t") + 1,
                "a tab in the indentation; YAML allows only spaces there.",
                "Write two spaces for each level, and set your editor to do so.",
            )
    for at in near:
        if _DASHES.match(lines[at]):
            return problem(
                at,
                _indentation(lines[at]) + 1,
                f"`{lines[at].strip()}` does not separate documents.",
                "Documents are separated by a line of exactly three dashes, at its very beginning: ---",
            )
    if place := _template(lines, line, near, blocks):
        return problem(
            *place,
            "this is a template, not YAML: `{{ … }}` must be filled in before Kubernetes can read it.",
            "For a Helm chart: helm template . | wasm-lab kube validate -",
        )
    for at in _keys(what, line, near):
        found = _NO_SPACE.match(lines[at])
        if found and (at == line or found.start(1) == _indentation(lines[line])):
            key, value = found[1], _QUOTED_OR_COMMENT.sub(_no_comment, found[2]).strip()
            return problem(at, found.start(1) + 1, f"no space after the colon: write `{key}: {value}`.")
    if what == "found unexpected end of stream":
        return problem(
            line,
            column,
            "no YAML: the quote that opens here is not closed.",
            "Close it; a quote within a text needs the other kind around it.",
        )
    if what == "found a tab character where an indentation space is expected":
        return problem(
            line,
            column,
            "a tab where the text of a block (`|` or `>`) begins: its indentation must be spaces.",
            "Where the text itself begins with a tab, say how much deeper than its key it is indented: |2",
        )
    if what == "did not find expected <document start>":
        return problem(
            line,
            column,
            "no YAML: the document has ended above this line, and kubectl passes over what follows.",
            "Put a line of exactly three dashes here: ---\nOr is the document's first line indented too far?",
        )
    return problem(line, column, f"no YAML: {what}.", _mend(what))


def _mark(error: Any, what: str, given: Given) -> Any:
    """The place that is to blame: where a key or a quote begins, libyaml complains far below."""
    mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    if begun is None or mark is None:
        return mark or begun
    at_end = not given.text[mark.index :].strip()
    if "could not find expected ':'" in what or (at_end and ("end of stream" in what or "',' or" in what)):
        return begun
    return mark


def _reader_index(error: Any, text: str) -> int:
    """The character that libyaml's reader refused; it counts in bytes."""
    position = getattr(error, "position", 0) or 0
    return len(text.encode("utf-8", "replace")[:position].decode("utf-8", "ignore"))


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _in_flow(what: str, text: str) -> bool:
    """Whether the mistake is between brackets, where tabs are as good as spaces."""
    return "',' or" in what or text.lstrip()[:1] in ("{", "[")


def _in_blocks(lines: list[str]) -> set[int]:
    """The lines of block scalars (``|`` and ``>``): whatever stands there is text."""
    found: set[int] = set()
    header: int | None = None  #: the indentation that a block's lines exceed
    indentation: int | None = None
    for at, line in enumerate(lines):
        content = len(line) - len(line.lstrip(" "))
        if header is not None:
            if not line.strip(" "):
                found.add(at)
                continue
            if content >= (header + 1 if indentation is None else indentation):
                indentation = content if indentation is None else indentation
                found.add(at)
                continue
            header = None
        if begins := _BLOCK.match(line):
            header, indentation = len(begins[1]) if ":" in line else len(begins[1].rstrip(" -")), None
            header = -1 if line.startswith("---") else header
    return found


def _template(lines: list[str], line: int, near: list[int], blocks: set[int]) -> tuple[int, int] | None:
    """Line and column of the template that is to blame."""
    for at in near:
        groups = [*_TEMPLATE.finditer(lines[at])]
        bare = _TEMPLATE.search(_QUOTED_OR_COMMENT.sub(lambda found: " " * len(found[0]), lines[at]))
        if groups and (bare or (at == line and any('"' in group[0] for group in groups))):
            return at, groups[0].start() + 1
    for at in range(min(line, len(lines) - 1), -1, -1):
        found = _TEMPLATE_FIRST.match(lines[at]) if at not in blocks else None
        if found and _TEMPLATE.search(lines[at]):
            return at, found.start(1) + 1
    return None


def _keys(what: str, line: int, near: list[int]) -> list[int]:
    """The lines that may lack a space after a colon."""
    if "could not find expected ':'" in what:
        return [at for at in near if at == line]
    if "mapping values are not allowed" in what or "expected '-'" in what:
        return [at for at in near if at == line - 1]  # the line above was read as text
    return []


def _no_comment(found: re.Match[str]) -> str:
    return "" if found[0].lstrip().startswith("#") else found[0]


def _mend(what: str) -> str:
    if "mapping values are not allowed" in what:
        return "Text that holds `: ` must be quoted; else look at the indentation of this line and the one above."
    if "could not find expected ':'" in what:
        return "A key needs a colon and a space after it: `name: value`."
    if "did not find expected key" in what or "did not find expected '-'" in what:
        return "The indentation of this line fits none of the levels above; or a quote above is not closed."
    if "cannot start any token" in what:
        return "Quote text that begins with @, `, % or a tab."
    if "control characters" in what or "special characters" in what:
        return "Remove the character; it is invisible in most editors."
    if "expected ',' or" in what:
        return "A quote or bracket is not closed."
    return ""
