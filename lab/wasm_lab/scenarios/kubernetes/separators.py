"""Where one document of a file ends and the next begins, as kubectl sees it.

kubectl looks for lines that begin with three dashes before it reads YAML, and refuses a file in which anything
but a comment follows them (``decoder.go`` of k8s.io/apimachinery).
"""

from __future__ import annotations

import re

from wasm_lab.scenarios.kubernetes.problems import Problem

_LINE = re.compile(r"^---(.*)$", re.MULTILINE)

#: What follows dashes where a line break was lost, rather than a line of a text that happens to begin with dashes.
_BEGINS = re.compile(r"[\"'\w./-]*:(\s|$)|[{\[]")


def split(text: str, file: str = "") -> tuple[list[tuple[int, str]], list[Problem]]:
    """The documents of a text, each with the number of lines before it; and what kubectl would refuse.

    Example:
        >>> split("a: 1\\n---\\nb: 2\\n")
        ([(0, 'a: 1\\n'), (1, '---\\nb: 2\\n')], [])
    """
    text = text.replace("\r\n", "\n")
    starts, problems, changed = [0], list[Problem](), list[str]()
    line, counted, copied, begun, dashed = 1, 0, 0, 0, False
    for found in _LINE.finditer(text):
        line += text.count("\n", counted, found.start())
        counted = found.start()
        rest = found[1]
        problem = _problem(rest, file, line)
        problems += [problem] if problem else []
        dashes = not rest.strip(" \t\r-")
        if problem and not dashes and not rest[0].isspace() and not _BEGINS.match(rest):
            continue
        if rest and (dashes or rest[0] == "#"):  # no separator to libyaml
            changed += [text[copied : found.start(1)], " " * len(rest)]
            copied = found.end()
        start = _with_directives(text, starts[-1], found.start())
        if text[start] == "%" and not dashed and not _says(text[begun:start]):
            problems.append(
                _directive(
                    file, line - text.count("\n", start, found.start()), text[start : start + 20].split()[0]
                )
            )
        # kubectl drops the dashes that end something, and takes those that end nothing for a part of what follows
        dashed = not dashed and begun == found.start()
        begun = found.end() + 1
        if start:
            starts.append(start)
    text = "".join([*changed, text[copied:]])
    parts: list[tuple[int, str]] = []
    before = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]
        parts.append((before, part))
        before += part.count("\n")
    return parts, problems


def _problem(rest: str, file: str, line: int) -> Problem | None:
    """What is wrong with a line, by what follows its three dashes."""
    said = rest.strip()
    if not said or said.startswith("#"):
        return None
    if not said.strip("-"):
        return Problem(
            file,
            line,
            1,
            f"`---{rest.rstrip()}` does not separate documents.",
            "Documents are separated by a line of exactly three dashes, at its very beginning: ---",
        )
    if rest[0] == "-":
        return Problem(
            file,
            line,
            1,
            "a line of a text begins with three dashes: kubectl takes them for the end of the document.",
            "Indent the line, such as below `key: |`.",
        )
    return Problem(
        file,
        line,
        4,
        "a line break is missing after ---: kubectl refuses whatever stands there but a comment.",
        "Write `---` in a line of its own.",
    )


def _with_directives(text: str, floor: int, start: int) -> int:
    """Where a document with dashes begins: at the directives (``%YAML 1.1``) above them, where there are any."""
    begins = at = start
    while at > floor:
        above = max(floor, text.rfind("\n", floor, at - 1) + 1)
        line = text[above:at]
        if line.startswith("%"):
            begins = above
        elif line.strip() and not line.startswith("#"):
            break
        at = above
    return begins


def _says(text: str) -> bool:
    """Whether there is anything but comments."""
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines())


def _directive(file: str, line: int, word: str) -> Problem:
    return Problem(
        file,
        line,
        1,
        f"kubectl reads no directives such as `{word}`: it takes the dashes below for the end of a document.",
        "Remove the line; Kubernetes reads YAML 1.1 without it.",
    )
