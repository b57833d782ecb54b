"""What clang and wasm-ld say, told in the learner's own lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.build.languages import clang_hints
from wasm_lab.build.languages.messages import ESCAPE, Message, calls_in_vain, diagnostic, marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

_HEAD = re.compile(
    r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): "
    r"(?P<level>fatal error|error|warning|note): (?P<text>.*?)(?: \[(?P<code>-W[^\]]+)\])?$"
)
_INCLUDED = re.compile(r"In file included from (?P<file>.+?):(?P<line>\d+):")
_SHOWN = re.compile(r" *(?P<number>\d*) \| ?(?P<text>.*)$")
_COUNTED = re.compile(
    r"\d+ (?:warning|error)s?(?: and \d+ errors?)? generated\.|fatal error: too many errors"
)
_UNDEFINED = re.compile(r"wasm-ld: (?P<level>error|warning): .*?: undefined symbol: (?P<name>.+)$")
_LINKER = re.compile(r"wasm-ld: (?P<level>error|warning): (?P<text>.+)$")

#: A warning of wasi-libc's own header, which does not know that Zig's copy has the function.
_WORKS_HERE = re.compile(r"'clock' is deprecated: WASI lacks process-associated clocks")

#: The folder of headers in the path of a file that comes with Zig.
_HEADERS = re.compile(r"^.*/lib/(?:libc/include/[^/]+|libcxx/include|libcxxabi/include|include)/")


def read(said: str, source: Source) -> tuple[Diagnostic, ...]:
    """The messages of clang and of its linker."""
    found: list[Message] = []
    current: Message | None = None
    including: list[tuple[str, int]] = []
    in_note = False
    for line in ESCAPE.sub("", said).splitlines():
        head, linker = _HEAD.match(line), _UNDEFINED.match(line) or _LINKER.match(line)
        if included := _INCLUDED.match(line):
            including.append((included["file"], int(included["line"])))
        elif head and head["level"] == "note":
            in_note = True
            if current is not None and "expanded from macro" not in head["text"]:
                current.remarks.append(
                    f"note: {head['text']}{_where(head['file'], int(head['line']), source)}"
                )
        elif head:
            in_note = False
            current = _message(head, including, source)
            including = []
            found.append(current)
        elif linker:
            current, in_note = None, False
            found.append(_of_linker(linker, source))
        elif current is not None and not in_note and not _COUNTED.match(line):
            _picture(current, line)
    for each in found:
        if clang_hints.is_of_other_systems(each.text):  # then what clang takes it for is no help
            each.text = re.sub(r"; did you mean '.*'\?$", "", each.text)
            each.remarks = [remark for remark in each.remarks if not remark.startswith("help: write")]
            each.remarks = [remark for remark in each.remarks if "declared here" not in remark]
    found = [each for each in found if not _WORKS_HERE.match(each.text)]
    found += calls_in_vain(source, clang_hints.IN_VAIN)
    unique = {(each.text, each.file, each.line, each.column): each for each in reversed(found)}
    return tuple(diagnostic(each, source) for each in reversed(unique.values()))


def _message(head: re.Match[str], including: list[tuple[str, int]], source: Source) -> Message:
    level = "error" if head["level"] == "fatal error" else head["level"]
    line, column, file = int(head["line"]), int(head["column"]), head["file"]
    text = re.sub(r" \(aka '/[^']*'\)", "", head["text"].strip('"'))  # where a header of the library lies
    message = Message(level, text, head["code"] or "", file, line, column, column + 1)
    if _HEADERS.match(file):
        # The learner has no such file open: the place is where it was included.
        message.remarks.append(f"note: said by <{_HEADERS.sub('', file)}>")
        own = next(((name, number) for name, number in including if name == source.label), None)
        message.file, message.line, message.column, message.end_column = "", 0, 0, 0
        if own:
            message.file, message.line, message.column, message.end_column = source.label, own[1], 1, 1000
        message.shown = ""
    return message


def _where(file: str, line: int, source: Source) -> str:
    if _HEADERS.match(file):
        return f" (<{_HEADERS.sub('', file)}>)"
    return f" (line {line})" if file == source.label else f" ({file}:{line})"


def _picture(message: Message, line: str) -> None:
    """Take a line of the picture that clang draws under a message."""
    shown = _SHOWN.match(line)
    if not shown or any(each.startswith("note: said by") for each in message.remarks):
        return
    if shown["number"]:
        if int(shown["number"]) == message.line:
            message.shown = shown["text"]
    elif found := marks(shown["text"]):
        # Other marks of the line tell of operands: the message's own begins at its column.
        begin, end = found
        text = shown["text"]
        own = re.match(r"\^~*", text[message.column - 1 :])
        message.end_column = message.column + (own.end() if own else 1)
        del begin, end
    elif shown["text"].strip() and not message.remarks:
        message.remarks.append(f"help: write {shown['text'].strip()}")


def _of_linker(found: re.Match[str], source: Source) -> Message:
    if "name" not in found.groupdict():
        return Message(found["level"], found["text"])
    name = found["name"]
    bare = name.partition("(")[0].rpartition("::")[2]
    message = Message("error", f"{name} is used, and nothing defines it")
    place = re.search(rf"(?<![\w\"]){re.escape(bare)}\s*\(", source.code) if bare else None
    if place:
        places = list(re.finditer(rf"(?<![\w\"]){re.escape(bare)}\s*\(", source.code))
        at = places[-1].start()  # a declaration stands before the call
        message.file, message.line = source.label, source.code.count("\n", 0, at) + source.first_line
        message.column = at - (source.code.rfind("\n", 0, at) + 1) + 1
        message.end_column = message.column + len(bare)
    return message


def hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next about errors."""
    return clang_hints.hint(diagnostics, source)
