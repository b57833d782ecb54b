"""Modules and components made elsewhere: loading them, and saying what a file is when it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wasm_lab.artifact import COMPONENT_PREAMBLE, CORE_PREAMBLE, Artifact
from wasm_lab.build.sections import sections
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from pathlib import Path


def load_file(path: Path) -> Artifact:
    """An artifact from a ``.wasm`` or ``.wat`` file made elsewhere.

    Whether it is WebAssembly is told by its content: a ``.wasm`` file that holds text is refused.

    Raises:
        LoadError: it cannot be read, or is no module or component; the message says what it looks like.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LoadError(f"{path} cannot be read: {error.strerror}.") from error
    if path.suffix in (".wat", ".wast") and not data.startswith(b"\0asm"):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise LoadError(f"{path} is not UTF-8 text (byte {error.start}), so it is no WAT.") from None
        from wasm_lab.build.wasm_tools import assemble  # it starts a process; most files need none

        return Artifact(wasm=assemble(text, label=str(path)), label=str(path))
    check_binary(data, str(path))
    return Artifact(wasm=data, label=str(path))


def check_binary(data: bytes, label: str) -> None:
    """Refuse what cannot be a whole module or component, by its preamble and section sizes.

    Raises:
        LoadError: saying what the bytes look like instead.
    """
    if not data.startswith((CORE_PREAMBLE, COMPONENT_PREAMBLE)):
        raise LoadError(f"{label} is no WebAssembly: {_looks_like(data)}.", hint=_mend(data))
    try:
        for _ in sections(data):
            pass
    except LoadError as error:
        raise LoadError(f"{label} is damaged. {error.message}", hint="Copy or build it again.") from None


#: First bytes of what people take for WebAssembly, and its name.
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "it is an ELF file: a native program, or machine code that wasmtime compiled ahead of time"),
    (b"MZ", "it is a Windows program"),
    (b"\xcf\xfa\xed\xfe", "it is a macOS program"),
    (b"PK\x03\x04", "it is a zip archive"),
    (b"\x1f\x8b", "it is gzip-compressed"),
    (b"\x28\xb5\x2f\xfd", "it is zstd-compressed"),
    (b"!<arch>\n", "it is a library archive, not yet linked"),
    (b"BC\xc0\xde", "it is LLVM bitcode"),
    (b"version https://git-lfs", "it is a Git LFS pointer, and the file itself was not fetched"),
    (b"#!", "it is a script"),
    (b"{", "it looks like JSON"),
    (b"<", "it looks like HTML or XML, such as the error page of a download"),
)


def _looks_like(data: bytes) -> str:
    if not data:
        return "it is empty"
    if data.startswith(b"\0asm"):
        if len(data) < len(CORE_PREAMBLE):
            return f"it is truncated to {len(data)} bytes"
        version, layer = int.from_bytes(data[4:6], "little"), int.from_bytes(data[6:8], "little")
        return f"its version {version}.{layer} is neither 1.0 (a module) nor 13.1 (a component)"
    start = data[:512].lstrip()
    for magic, what in _MAGIC:
        if start.startswith(magic) or data.startswith(magic):
            return what
    if start.startswith((b"(module", b"(component", b";;", b"(;")):
        return "it is the text format"
    if _is_text(data[:512]):
        return "it is a text file"
    return f"it begins with the bytes {data[:8].hex(' ')} instead of 00 61 73 6d"


def _is_text(data: bytes) -> bool:
    return all(byte >= 0x20 or byte in b"\t\n\r" for byte in data)


def _mend(data: bytes) -> str:
    start = data[:512].lstrip()
    if start.startswith((b"(module", b"(component", b";;", b"(;")):
        return "Give the file the ending .wat."
    if data.startswith(b"\x1f\x8b"):
        return "Unpack it first, with gunzip."
    return ""
