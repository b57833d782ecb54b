"""What rustc says, told in the learner's own text: lines, columns and words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from wasm_lab.build import layout
from wasm_lab.build.places import MARK, Places
from wasm_lab.build.rewording import reworded
from wasm_lab.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.build.crate import Crate
    from wasm_lab.build.layout import Line
    from wasm_lab.source import Source

#: What rustc adds after the last message, which says nothing of the code.
_SUMMARY = re.compile(r"aborting due to |\d+ warnings? emitted|For more information about |Some errors have ")


def read_diagnostics(stderr: str, crate: Crate, source: Source, *, color: bool) -> tuple[Diagnostic, ...]:
    """The messages that rustc wrote under ``--error-format=json --json=diagnostic-rendered-ansi``.

    Spans are in the learner's lines and columns. Text of the lab's own making is taken out of the
    layout, and a message about nothing else is said in other words at the place it comes from.
    Summaries and repetitions are left out; lines that are no JSON are left out unless the compiler
    itself broke down, which is told as one message.

    Args:
        stderr: all that rustc wrote there.
        color: whether ``rendered`` keeps its ANSI colours.
    """
    messages, other = _split(stderr)
    if any("internal compiler error" in each["level"] for each in messages) or "thread 'rustc'" in other:
        return (_breakdown(messages, other, color=color),)
    places = Places(crate, source)
    seen: dict[Diagnostic, None] = {}
    for message in messages:
        if message["level"] == "failure-note" or _SUMMARY.match(message["message"]):
            continue
        told = reworded(message, crate, places, color=color)
        if told is None:
            told = _translated(message, places, color=color)
        if told:
            seen.setdefault(told)
    return tuple(seen)


def _split(stderr: str) -> tuple[list[dict[str, Any]], str]:
    """The JSON messages, and the lines that are none."""
    messages, other = [], []
    for line in stderr.split("\n"):  # not splitlines: messages may hold U+2028 as it is
        try:
            message = json.loads(line) if line.startswith("{") else None
        except ValueError:
            message = None
        if isinstance(message, dict) and "rendered" in message and "level" in message:
            messages.append(message)
        elif not (isinstance(message, dict) and "$message_type" in message):
            other.append(line)
    return messages, "\n".join(other).strip()


def _breakdown(messages: list[dict[str, Any]], other: str, *, color: bool) -> Diagnostic:
    """The compiler's own failure, as it told it."""
    said = [other, *(each["rendered"] or each["message"] for each in messages)]
    lines = layout.parse("\n".join(part.rstrip() for part in said if part))
    return Diagnostic(
        level="error",
        message="the compiler itself failed (an internal compiler error)",
        rendered=layout.text(lines, color=color),
    )


def _translated(message: dict[str, Any], places: Places, *, color: bool) -> Diagnostic | None:
    """A message about the learner's own text."""
    primary = [span for span in message["spans"] if span["is_primary"]]
    spans = list(dict.fromkeys(found for span in primary if (found := places.span_or_call(span))))
    if primary and not spans and message["level"] == "warning":
        return None  # of the lab's own text
    file = primary[0]["file_name"] if primary else places.label
    lines = _own_lines(layout.parse(message["rendered"].rstrip("\n")), places, file)
    code = message["code"]["code"] if message["code"] else ""
    return Diagnostic(
        level=message["level"],
        message=message["message"],
        code=code,
        spans=tuple(spans),
        rendered=layout.text(lines, color=color),
    )


def _own_lines(lines: list[Line], places: Places, file: str) -> list[Line]:
    """The layout with the learner's line numbers and without the lab's own text."""
    parts = list(_parts(lines))
    kept = []
    for number, part in enumerate(parts):
        edited = _Editor(places, file).edit(part)
        if number and not _worth_showing(part, edited):
            continue
        kept += edited
    kept = [line for line, before in zip(kept, [None, *kept], strict=False) if not _repeats(line, before)]
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept and lines[-1].text.strip() != "|" == kept[-1].text.strip():
        kept.pop()  # it led to a note that is left out
    return kept


def _repeats(line: Line, before: Line | None) -> bool:
    """Whether a line is a second bar that separates nothing."""
    return before is not None and line.text.strip() == before.text.strip() == "|"


def _parts(lines: list[Line]) -> Iterator[list[Line]]:
    """The message itself and each ``note:`` or ``help:`` that it adds, with their pictures."""
    start = 0
    for number, line in enumerate(lines):
        if number and layout.HEADING.match(line.text):
            yield lines[start:number]
            start = number
    yield lines[start:]


def _worth_showing(before: list[Line], after: list[Line]) -> bool:
    """Whether a note or help still says something of the learner's text."""
    if any(MARK in line.text for line in after):
        return False
    had = any(layout.SOURCE.match(line.text) for line in before)
    return not had or any(layout.SOURCE.match(line.text) for line in after)


class _Editor:
    """Goes through one part line by line, keeping in mind which source line the marks belong to."""

    def __init__(self, places: Places, file: str) -> None:
        self.places = places
        self.root = places.is_root(file)
        self.ours = MARK in file  #: in the lab's own file: nothing of it is shown
        self.dropping = False  #: the source line above was not the learner's
        self.remark = False  #: in a ``= note:`` that is left out
        self.cuts: list[tuple[int, int]] = []  #: columns of the layout, rightmost first

    def edit(self, part: list[Line]) -> list[Line]:
        return [line for line in part if self._keep(line)]

    def _keep(self, line: Line) -> bool:
        if layout.REMARK.match(line.text):
            # There is no Cargo.toml to add a crate to; `hints` tells of the header instead.
            self.remark = MARK in line.text or "`Cargo.toml`" in line.text
            return not self.remark
        if arrow := layout.ARROW.match(line.text):
            return self._arrow(line, arrow)
        if source := layout.SOURCE.match(line.text):
            return self._source(line, source)
        if marks := layout.MARKS.match(line.text):
            if not line.text[marks.end() :].strip():
                return True
            if self.ours or self.dropping:
                return False
            for start, end in self.cuts:
                layout.cut_marks(line, start, end)
            return True
        if self.remark and line.text.startswith(" "):
            return False
        self.remark = False
        return not (self.ours and line.text == "...")

    def _arrow(self, line: Line, arrow: re.Match[str]) -> bool:
        places = self.places
        self.root, self.ours = places.is_root(arrow["file"]), MARK in arrow["file"]
        self.cuts, self.dropping = [], False
        if not self.root:
            return not self.ours
        rust_line = int(arrow["line"])
        number, column = places.line(rust_line), places.column(rust_line, int(arrow["column"]))
        if places.own(number) is None:
            number, column = places.clamp(number)
        if column is None:
            column = places.end_column(rust_line, int(arrow["column"]))
        line.replace(arrow.start("file"), arrow.end("column"), f"{places.label}:{number}:{column}")
        return True

    def _source(self, line: Line, source: re.Match[str]) -> bool:
        if self.ours:
            return False
        self.cuts, self.dropping = [], False
        if not self.root:
            return True
        places, rust_line = self.places, int(source["number"])
        number = places.line(rust_line)
        added = source["bar"] in "+~"
        if places.own(number) is None and not added:
            self.dropping = True
            return False
        start = source.start("bar") + 2
        if source["bar"] in "|-":
            self._cut_known(line, start, rust_line)
        else:
            self._cut_new(line, start, rust_line)
            number = max(number, places.first_line)
        old = line.text[: source.start("bar")]
        line.replace(0, source.start("bar"), str(number).ljust(len(old) - 1) + " ")
        return True

    def _cut_known(self, line: Line, start: int, rust_line: int) -> None:
        """Take synthetic text out of a line of the root as it is."""
        root = self.places.root(rust_line)
        own = self.places.own(self.places.line(rust_line)) or ""
        if own != root and len(own) == len(root):  # some of it was blanked out
            _restore(line, start, layout.shown(root), layout.shown(own))
            return
        at = line.text.find(layout.shown(root), start)
        if at < 0:
            self._cut_new(line, start, rust_line)
            return
        for first, end in self.places.cuts(rust_line):
            begin = at + len(root[:first].replace("\t", "    "))
            stop = at + len(root[:end].replace("\t", "    "))
            column = at + layout.width(root[:first])
            self.cuts.append((column, column + layout.width(root[first:end])))
            line.cut(begin, min(stop, len(line.text)))

    def _cut_new(self, line: Line, start: int, rust_line: int) -> None:
        """Take synthetic text out of a line that a suggestion has changed, or that rustc has shortened."""
        for first, end in self.places.cuts(rust_line):
            piece = layout.shown(self.places.root(rust_line)[first:end] + ".")[:-1]
            at, length = _occurrence(line.text, piece, start, leading=not first)
            if length:
                column = start + layout.width(line.text[start:at])
                self.cuts.append((column, column + layout.width(line.text[at : at + length])))
                line.cut(at, at + length)


def _restore(line: Line, start: int, root: str, own: str) -> None:
    """Put what the learner wrote for a line with blanks; rustc may have shortened it on the left."""
    short = line.text.startswith("...", start)
    begin = start + 3 if short else line.text.find(root, start)
    rest = line.text[begin:]
    if begin >= 0 and root.endswith(rest):
        line.replace(begin, len(line.text), own[len(root) - len(rest) :])


def _occurrence(text: str, piece: str, start: int, *, leading: bool) -> tuple[int, int]:
    """Where ``piece`` stands in a line and how much of it: rustc shortens long lines by ``...``."""
    at = text.find(piece, start) if leading else text.rfind(piece, start)
    if at >= 0:
        return at, len(piece)
    if leading and text.startswith("...", start):
        for length in range(len(piece) - 1, 2, -1):
            if text.startswith(piece[-length:], start + 3):
                return start, length + 3
    bare = piece.rstrip()
    return (len(text) - len(bare), len(bare)) if bare and text.endswith(bare) else (0, 0)
