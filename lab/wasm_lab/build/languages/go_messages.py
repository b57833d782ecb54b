"""What the Go compiler and linker say, told in the learner's own lines, with what to do next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.build.languages.messages import Message, calls_in_vain, diagnostic, own_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

_HEAD = re.compile(r"^(?:vet: )?(?P<file>[^\s:][^:]*?):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<text>.*)$")
_MAIN = re.compile(r"function main is undeclared in the main package")
_RELOCATION = re.compile(
    r"(?:^|\s)(?:main\.|link: )?(?P<name>[\w.]+): (?P<text>relocation target .* not defined|missing function body)"
)
_EXCLUDED = re.compile(r"imports (?P<package>\S+): build constraints exclude all Go files")
_WORD = re.compile(r"[\w.]+|\S")

_NETWORK = (
    "WASI 0.1 cannot open connections; Go imitates a network inside the program, which nobody else is on. "
    "A component can serve and ask over wasi:http: write it in Rust, or see wasm-lab spin."
)

#: Calls that compile for wasip1, and that wait for ever or fail with words of another trouble.
_IN_VAIN = {
    r"http\.(?:ListenAndServe(?:TLS)?|Get|Head|Post|PostForm)": _NETWORK,
    r"net\.(?:Dial\w*|Listen\w*|Lookup\w+)": _NETWORK,
    r"exec\.Command(?:Context)?": "WASI 0.1 has no processes: a guest cannot start another program.",
    r"signal\.Notify(?:Context)?": "WebAssembly has no signals: nothing ever arrives.",
}


def read(said: str, source: Source) -> tuple[Diagnostic, ...]:
    """The messages, each with its place."""
    found: list[Message] = []
    for text in said.splitlines():
        head = _HEAD.match(text)
        if head and not text.startswith(("#", "go: ")):
            found.append(_message(head, source))
        elif excluded := _EXCLUDED.search(text):
            found.append(_of_import(excluded["package"], source))
        elif found and text.startswith(("\t", "    ")):
            found[-1].remarks.append(f"note: {text.strip()}")
        elif _MAIN.search(text):
            found.append(Message("error", "package main has no func main"))
        elif text.startswith("go: ") and "no Go source files" in text:
            found.append(
                Message("error", 'there is nothing to compile: import "C" is left out, and the rest with it')
            )
        elif text.startswith("go: finding "):
            continue
        elif text.startswith("go: ") or _RELOCATION.search(text):
            found.append(Message("error", text.removeprefix("go: ")))
    found += calls_in_vain(source, _IN_VAIN)
    return tuple(diagnostic(each, source) for each in found)


def _message(head: re.Match[str], source: Source) -> Message:
    file = head["file"].rpartition("/")[2]
    own = source.label.rpartition("/")[2]
    message = Message("error", head["text"], file=source.label if file == own else head["file"])
    message.line, message.column = int(head["line"]), int(head["column"] or 1)
    shown = own_line(source, message.line).encode()[message.column - 1 :].decode("utf-8", "replace")
    word = _WORD.match(shown)
    # Go counts bytes, and the lab characters.
    before = own_line(source, message.line).encode()[: message.column - 1].decode("utf-8", "replace")
    message.column = len(before) + 1
    message.end_column = message.column + (word.end() if word else 1)
    return message


def _of_import(package: str, source: Source) -> Message:
    message = Message("error", f"package {package} is not for WASI")
    lines = source.code.split("\n")
    at = next((number for number, line in enumerate(lines) if f'"{package}"' in line), None)
    if at is not None:
        message.file, message.line = source.label, source.first_line + at
        message.column = lines[at].index(f'"{package}"') + 1
        message.end_column = message.column + len(package) + 2
    return message


_HINTS = (
    (
        r"package syscall/js is not for WASI",
        "syscall/js needs a browser or Node.js around it. Here a guest prints, or exports functions: "
        "//go:wasmexport NAME.",
    ),
    (
        r"package (?:machine|device/\w+|tinygo\.org/\S+) is not in std|package tinygo",
        "That is TinyGo's, for microcontrollers: there are no pins here.",
    ),
    (r"imported and not used", "Go compiles no import that is not used: remove it."),
    (r"declared and not used", "Go compiles no variable that is not used: remove it, or write _ = name."),
    (r"expected 'package'", "Begin with package main."),
    (
        r"and a program is package main",
        "Write package main. What Python is to call stands under //go:wasmexport NAME.",
    ),
    (
        r"has no func main",
        "A program begins at func main(). A library has functions under //go:wasmexport NAME.",
    ),
    (
        r"(?:cannot find module|no required module) provid|is not in std",
        "A cell has Go's own library: modules are not fetched.",
    ),
    (
        r"go:wasmexport: unsupported (?:parameter|result) type",
        "Across //go:wasmexport go bool, int32, uint32, int64, uint64, float32, float64, unsafe.Pointer and "
        "pointers to them; a string only as a parameter.",
    ),
    (
        r"go:wasmimport: unsupported",
        "Across //go:wasmimport go numbers of 32 and 64 bits, bool, addresses and strings.",
    ),
    (r"only allowed in Go files that import \"unsafe\"|import \"C\"", "There is no cgo for WebAssembly."),
    (r"unexpected newline, expected \{", "In Go the { stands on the line of if, for and func."),
    (r"missing function body", "Only a function under //go:wasmimport MODULE NAME has no body."),
)


def hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next about errors; empty where the messages say it all."""
    found: dict[str, None] = {}
    for each in diagnostics:
        for pattern, said in _HINTS:
            if re.search(pattern, each.message):
                found.setdefault(said)
        name = re.fullmatch(r"undefined: (\w+)", each.message)
        if name and name[1] in _PACKAGES:
            found.setdefault(f'Write import "{_PACKAGES[name[1]]}"')
    del source
    return "\n".join(found)


#: Packages of Go's library that beginners use, by the name that they have in the text.
_PACKAGES = {
    name.rpartition("/")[2]: name
    for name in (
        "bufio bytes errors fmt io maps math math/rand os regexp slices sort strconv strings time unicode".split()
    )
} | {
    "json": "encoding/json",
    "hex": "encoding/hex",
    "sha256": "crypto/sha256",
    "unsafe": "unsafe",
    "bits": "math/bits",
}
