"""What Zig says, told in the learner's own lines, with what to do next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.build.languages.messages import ESCAPE, Message, diagnostic, marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

_HEAD = re.compile(
    r"(?P<file>\S+?\.zig):(?P<line>\d+):(?P<column>\d+): (?P<level>error|note|warning): (?P<text>.*)$"
)
_REFERENCE = re.compile(r"    \S.*?: (?P<file>\S+?\.zig):(?P<line>\d+):(?P<column>\d+)$")
_PLAIN = re.compile(r"(?:error|zig): (?:wasm-ld: )?(?P<text>.*)$")
_UNDEFINED = re.compile(r"(?:error: )?(?:wasm-ld: )?.*?undefined symbol: (?P<name>\S+)")


def read(said: str, source: Source) -> tuple[Diagnostic, ...]:
    """The messages in the order of their lines; of Zig's own library, at the cell's line that led there."""
    found: list[Message] = []
    current: Message | None = None
    picture: list[str] | None = None
    for line in ESCAPE.sub("", said).splitlines():
        head = _HEAD.match(line)
        if head and head["level"] == "note":
            picture = None
            if current is not None and "struct declared here" not in head["text"]:
                where = f" (line {head['line']})" if head["file"] == file_name(source) else ""
                current.remarks.append(f"note: {head['text']}{where}")
        elif head:
            at, column = int(head["line"]), int(head["column"])
            current = Message(
                head["level"], head["text"], file=head["file"], line=at, column=column, end_column=column + 1
            )
            found.append(current)
            picture = []
        elif current is not None and (reference := _REFERENCE.match(line)):
            _refer(current, reference, source)
        elif current is not None and picture is not None and len(picture) < 2 and line.strip():
            picture.append(line)
            _picture(current, picture)
        elif (undefined := _UNDEFINED.match(line)) or (plain := _PLAIN.match(line)):
            text = f"{undefined['name']} is used, and nothing defines it" if undefined else plain["text"]  # type: ignore[index]
            found.append(Message("error", text))
    placed = [_own_place(each, source) for each in found]
    placed.sort(key=lambda each: each.line)
    return tuple(diagnostic(each, source) for each in placed)


def file_name(source: Source) -> str:
    """What the cell's file is called, as messages and the frames of a trap have it."""
    return f"{source.name}.zig"


def _picture(message: Message, lines: list[str]) -> None:
    if len(lines) == 2 and (found := marks(lines[1])):
        message.shown = lines[0]
        caret = lines[1].index("^")
        own = re.match(r"\^~*", lines[1][caret:])
        message.column, message.end_column = caret + 1, caret + 1 + (own.end() if own else 1)
        if found[0] < message.column:  # the operands are marked on both sides
            message.column = found[0]
            message.end_column = found[1]


def _refer(message: Message, reference: re.Match[str], source: Source) -> None:
    """An error in the library happened for a line of the cell's."""
    if reference["file"] == file_name(source) != message.file:
        message.remarks.append(f"note: said by Zig's own {_library_name(message.file)}")
        message.file, message.shown = file_name(source), ""
        message.line, message.column = int(reference["line"]), int(reference["column"])
        message.end_column = message.column + 1


def _library_name(file: str) -> str:
    return file.rpartition("/lib/")[2] if "/lib/" in file else file


def _own_place(message: Message, source: Source) -> Message:
    if message.file == file_name(source):
        message.file = source.label
    elif message.file.endswith("__wasm_lab_glue.zig"):
        message.file, message.line = "", 0
    elif message.file:
        message.file = _library_name(message.file)
    return message


#: Patterns of messages to what to do next.
_HINTS = (
    (
        r"unused (?:local )?(?:constant|variable|function parameter|capture)",
        "Zig compiles nothing that is not used: remove it, or write _ = name;",
    ),
    (r"local variable is never mutated", "Write const instead of var."),
    (
        r"has no member named '(?:getStdOut|getStdErr|getStdIn|io)'|struct 'fs' has no member named '(?!path)\w+'",
        "Since Zig 0.16 a main takes init: std.process.Init, and files an Io: "
        "var out = std.Io.File.stdout().writerStreaming(init.io, &buffer); std.debug.print writes to standard error.",
    ),
    (
        r"'array_list\.Aligned.*' has no member named 'init'",
        "An ArrayList holds no allocator: var list: std.ArrayList(T) = .empty; list.append(allocator, item).",
    ),
    (
        r"has no member named 'argsAlloc'|has no member named 'args'",
        "A main takes init: std.process.Init; the arguments are init.minimal.args.",
    ),
    (
        r"struct 'process' has no member named '(?:getEnv\w+|hasEnv\w+)'",
        'A main takes init: std.process.Init; a variable is init.environ_map.get("NAME"), null where it is not set.',
    ),
    (
        r"struct 'heap' has no member named 'GeneralPurposeAllocator'",
        "It is std.heap.DebugAllocator(.{}) now. A main(init: std.process.Init) has init.gpa and init.arena.",
    ),
    (
        r"struct 'time' has no member named '(?:sleep|\w*[tT]imestamp|Timer|Instant)'",
        "Since Zig 0.16 clocks need an Io, from main(init: std.process.Init): try init.io.sleep(.fromMilliseconds(5), "
        ".awake) waits, std.Io.Timestamp.now(init.io, .real) is the time.",
    ),
    (
        r"invalid builtin function: '@cImport'",
        "Zig has no @cImport any more: write C into a cell of its own, %%wasm c --name NAME, and call it by "
        'extern "NAME" fn f(x: i32) i32;',
    ),
    (
        r"spawn thread|single-threaded",
        "Guests here have one thread. Do the work in turn, or start several instances.",
    ),
    (
        r"parameter of type '\[\].*' not allowed",
        "A slice is an address and a length: take xs: [*]const T, n: usize, and use xs[0..n].",
    ),
    (
        r"unable to load|import of file outside module path",
        "A cell is one file, with Zig's own library: put the code into this cell.",
    ),
    (r"error is ignored|error union is ignored", "Write try before the call, or catch the error."),
    (
        r"root source file struct '\w+' has no member named 'main'",
        "A program begins at pub fn main() !void.",
    ),
    (r"no module named", "Packages are not fetched: there is Zig's own library, and this cell."),
)


def hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next about errors; empty where the messages say it all."""
    del source
    found: dict[str, None] = {}
    for each in diagnostics:
        if each.level != "error":
            continue
        for pattern, said in _HINTS:
            if re.search(pattern, each.message):
                found.setdefault(said)
        missing = re.match(r"(\w+) is used, and nothing defines it", each.message)
        if missing:
            found.setdefault(
                f"Define {missing[1]} in this cell, or import it from another cell by that cell's name: "
                f'extern "NAME" fn {missing[1]}(…) …;'
            )
    return "\n".join(found)
