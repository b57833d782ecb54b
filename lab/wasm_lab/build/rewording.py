"""Messages about the lab's own text, said in plain words at the learner's place they come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.build import layout
from wasm_lab.build.delimiters import unmatched
from wasm_lab.build.layout import Line
from wasm_lab.build.places import MARK
from wasm_lab.diagnostic import Diagnostic, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.build.crate import Crate
    from wasm_lab.build.places import Places

#: How the glue names a function of the cell.
_CALLED = re.compile(r"super::(?:r#)?(\w+)")

#: The folders before a file's name.
_FOLDERS = re.compile(r"(?<![\w.])(?:[A-Za-z]:)?(?:[/\\][^\s:/\\]+)+[/\\]")


def reworded(message: dict[str, Any], crate: Crate, places: Places, *, color: bool) -> Diagnostic | None:
    """``message`` in the lab's words when it is about the lab's own text; None when it is not."""
    primary = [span for span in message["spans"] if span["is_primary"]]
    if message["message"].startswith("linking with "):
        return _linking(message, color=color)
    if not primary:
        return None
    called = next(filter(None, map(places.span_or_call, primary)), None)
    if all(MARK in span["file_name"] for span in primary):
        if called:  # by the macro that shows the last expression
            label = primary[0]["label"] or ""
            return _told(message["message"], message, called, places, label=label, color=color)
        error = message["level"] == "error"
        return _glue(message, primary[0], crate, places, color=color) if error else None
    blames_ours = "delimiter" in message["message"] and not all(map(places.span, primary))
    if blames_ours and (bracket := _bracket(message, places, color=color)):
        return bracket
    if called:
        return None
    moved = next(filter(None, map(places.moved, primary)), None)
    return _told(message["message"], message, moved, places, color=color) if moved else None


def _linking(message: dict[str, Any], *, color: bool) -> Diagnostic:
    """The linker's own words, without its command and the folders of this machine."""
    notes = [child["message"] for child in message["children"] if child["level"] == "note"]
    said = [
        _FOLDERS.sub("", line.strip())
        for note in notes
        if not note.lstrip().startswith('"') and "some arguments are omitted" not in note
        for line in note.splitlines()
        if line.strip()
    ]
    first = next((line.partition("error: ")[2] for line in said if "error: " in line), "")
    words = "linking failed" + (f": {first}" if first else "")
    lines = [Line.joined(("error", layout.RED), (f": {words}", layout.BOLD))]
    lines += [Line.plain(f"  {line}") for line in said]
    return Diagnostic(level="error", message=words, rendered=layout.text(lines, color=color))


def _bracket(message: dict[str, Any], places: Places, *, color: bool) -> Diagnostic | None:
    """A bracket without a partner, where rustc blames one of the lab's braces."""
    found = unmatched(places.code)
    if not found:
        return None
    line = places.first_line + found.line - 1
    place = Span(
        label=places.label, line=line, column=found.column, end_line=line, end_column=found.column + 1
    )
    if found.opens:
        return _told(
            "this code contains an unclosed delimiter",
            message,
            place,
            places,
            label="never closed",
            color=color,
        )
    words = f"unexpected closing delimiter: `{found.bracket}`"
    return _told(words, message, place, places, label="closes nothing", color=color)


def _glue(
    message: dict[str, Any], span: dict[str, Any], crate: Crate, places: Places, *, color: bool
) -> Diagnostic | None:
    """The glue between a public function and Python did not compile."""
    signature = _whose(span, crate)
    if signature is None:
        first = crate.functions[0] if crate.functions else None
        line = first.line if first else places.first_line
        text, start, length = places.own(line) or "", 1, 1
        what = "the glue between this cell's functions and Python does not compile"
    else:
        line = signature.line
        text = places.own(line) or ""
        found = re.search(rf"\b(?:r#)?{re.escape(signature.name)}\b", text)
        start, length = (found.start() + 1, len(found[0])) if found else (1, max(1, len(text.rstrip())))
        what = f"`{signature.name}` cannot cross into Python"
    place = Span(label=places.label, line=line, column=start, end_line=line, end_column=start + length)
    helps = [
        "help: make the function private (leave out `pub`) if Python need not call it",
    ]
    return _told(f"{what}: {_reason(message)}", message, place, places, remarks=helps, color=color)


def _whose(span: dict[str, Any], crate: Crate) -> Any:
    """The signature of the function whose glue ``span`` lies in."""
    texts = [text["text"] for text in span["text"]]
    name = next((text for text in crate.files if span["file_name"].endswith(text)), "")
    lines = crate.files.get(name, "").split("\n")
    at = span["line_start"] - 1
    # The call stands on the line itself, or within the glue function around it.
    nearby = sorted(range(len(lines)), key=lambda number: (abs(number - at), number))
    texts += [lines[number] for number in nearby[:41]]
    known = {signature.name: signature for signature in crate.functions}
    for text in texts:
        for called in _CALLED.finditer(text):
            if called[1] in known:
                return known[called[1]]
    return None


def _reason(message: dict[str, Any]) -> str:
    if message["message"].endswith("in module `super`"):
        return "it is not there when this compiles, perhaps because of `#[cfg]`"
    labels = [span["label"] for span in message["spans"] if span["is_primary"] and span["label"]]
    return str(labels[0] if labels and MARK not in labels[0] else message["message"])


def _told(
    words: str,
    message: dict[str, Any],
    place: Span,
    places: Places,
    *,
    label: str = "",
    remarks: Sequence[str] = (),
    color: bool,
) -> Diagnostic:
    text = places.own(place.line) or ""
    same = place.line == place.end_line
    code = message["code"]["code"] if message["code"] else ""
    lines = layout.draw(
        level=message["level"],
        code=code,
        message=words,
        place=(place.label, place.line, place.column),
        source=text,
        length=place.end_column - place.column if same else len(text) - place.column + 1,
        label=label,
        remarks=remarks,
    )
    return Diagnostic(
        level=message["level"],
        message=words,
        code=code,
        spans=(place,),
        rendered=layout.text(lines, color=color),
    )
