"""Imports that nobody here provides: what kind of host such a module was made for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.wasi.tables import MODULE, calls

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Import as ``module.name`` (or a component's import name), what it tells, and what to do.
#: The first that matches any missing import is told.
_HOSTS = (
    (
        r"(wbg|__wbindgen\w*|\./.*_bg\.js)\.|.*\.__wb(indgen|g)_",
        "It was made by wasm-bindgen for a JavaScript host.",
        "Build it for wasm32-wasip1, or run it in a browser or Node.js.",
    ),
    (
        r"(env|wasi_snapshot_preview1|a)\.(emscripten_|invoke_[a-z]+|__syscall_|_?_?embind_|__cxa_|em_)",
        "It was made by Emscripten for a JavaScript host.",
        "Build it with -sSTANDALONE_WASM, or with a WASI toolchain.",
    ),
    (
        r"(go|gojs)\.",
        "It was made by Go for a JavaScript host (GOOS=js).",
        "Build it with GOOS=wasip1.",
    ),
    (
        r"wasix_\w+\.",
        "It needs WASIX, which Wasmer provides.",
        "Run it with Wasmer, or build it for wasm32-wasip1.",
    ),
    (
        r"wasi\.thread-spawn|env\.memory",
        "It needs threads: wasi-threads, or a memory that its host shares.",
        "Build it for wasm32-wasip1, without threads.",
    ),
    (
        r"wasi_unstable\.",
        "It was made for WASI 0.0 (wasi_unstable, 2019).",
        "Build it with a newer compiler.",
    ),
    (
        r"wasi_(ephemeral_)?(nn|crypto)\.",
        "It needs a WASI proposal (neural networks or cryptography) that this runtime does not have.",
        "Run it with a host that has that proposal, such as WasmEdge.",
    ),
    (
        r"wasi_snapshot_preview1\.sock_",
        "It needs sockets as WasmEdge has them, beyond WASI 0.1.",
        "Run it with WasmEdge, or build it for wasm32-wasip2.",
    ),
    (
        r"wasi:[a-z-]+/[a-z-]+@0\.3",
        "It is a component for WASI 0.3, which this runtime does not have yet.",
        "Run it with the wasmtime command line, or build it for wasm32-wasip2.",
    ),
    (
        r"wasi:http/",
        "It serves or calls HTTP through wasi:http.",
        "Run it with a server such as wasmtime serve or Spin.",
    ),
    (
        r"wasi:[a-z-]+/[a-z-]+@0\.2[^.]*\.",
        "It is a core module with imports of WASI 0.2, which only components can have.",
        "Make a component of it with wasm-tools component new.",
    ),
    (r"(fermyon|spin):|spin\.", "It was made for Spin.", "Run it with Spin."),
    (
        r"env\.(abort|seed|trace)$",
        "It was made by AssemblyScript, which imports these from its JavaScript host.",
        "Build it with --use abort= and --config of the WASI shim, or run it in Node.js.",
    ),
    (
        r"env\.",
        "Functions of the module env come from whoever embeds the module, or are C symbols that no library "
        "defined when it was linked.",
        "Run it with the host that it was made for, or link the library that has them.",
    ),
)

#: How a cell of a language imports a function of a named cell.
_FROM_A_CELL = {
    "c": '__attribute__((import_module("NAME"), import_name("{name}"))) before its declaration',
    "cpp": '__attribute__((import_module("NAME"), import_name("{name}"))) before its declaration',
    "zig": 'extern "NAME" fn {name}(…) …;',
    "go": "//go:wasmimport NAME {name}",
}

#: Import names shown before "and N more".
_SHOWN = 4


def missing_imports(imports: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those imports of a core module that are not calls of WASI 0.1."""
    known = calls()
    return [(module, name) for module, name in imports if module != MODULE or name not in known]


def explain_missing(label: str, missing: Sequence[tuple[str, str]], *, language: str = "") -> tuple[str, str]:
    """What is missing and what to do: the message and the hint of a LoadError.

    Args:
        language: of the module's source, where the lab has built it.
    """
    names = [f"{module}.{name}" if name else module for module, name in missing]
    told = ", ".join(names[:_SHOWN])
    if len(names) > _SHOWN:
        told += f" and {len(names) - _SHOWN} more"
    message = f"{label} imports what no host here provides: {told}."
    of_env = next((name for module, name in missing if module == "env"), "")
    if of_env and language in _FROM_A_CELL:
        written = _FROM_A_CELL[language].format(name=of_env)
        return (
            f"{message} No JavaScript is around this guest.",
            f"Print instead, or import it from a named cell: {written}",
        )
    for pattern, reason, advice in _HOSTS:
        if any(re.match(pattern, name) for name in names):
            return f"{message} {reason}", advice
    cells = [module for module, name in missing if name and module.isidentifier()]
    if cells:
        return message, (
            f"If {cells[0]} is to be another cell, run that before, with --name {cells[0]}; otherwise run it with the "
            "host that it was made for."
        )
    return message, "Run it with the host that it was made for."


#: What a file that is no WebAssembly is, by how it begins.
_MAGIC = (
    (b"\x7fELF", "It is a native program or library (ELF), or machine code of an engine's own cache."),
    (b"MZ", "It is a Windows program."),
    (b"\xcf\xfa\xed\xfe", "It is a native program or library (Mach-O)."),
    (b"#!", "It is a script."),
    (b"PK", "It is a zip archive."),
    (b"\x1f\x8b", "It is compressed by gzip."),
    (b"BC\xc0\xde", "It is LLVM bitcode, which a compiler has yet to turn into WebAssembly."),
    (b"(module", "It is WebAssembly text, which has to be assembled first."),
    (b"(component", "It is WebAssembly text, which has to be assembled first."),
)


def explain_unloadable(label: str, wasm: bytes, reason: str) -> tuple[str, str]:
    """Why bytes could not be loaded, and what to do: the message and the hint of a LoadError.

    Args:
        reason: what the engine said.
    """
    said = " ".join(line.strip() for line in reason.splitlines() if line.strip())
    if not wasm:
        return f"{label} is empty: there is no module in it.", "Was it written, or downloaded, to its end?"
    if wasm[:4] != b"\0asm":
        kind = next((text for magic, text in _MAGIC if wasm.lstrip()[: len(magic)] == magic), "")
        return (
            f"{label} is no WebAssembly module: it does not begin with the magic number \\0asm. {kind}".rstrip(),
            "Compile to a wasm32 target first.",
        )
    if "unexpected end" in said or "extends past end" in said or "out of bounds" in said:
        return f"{label} is cut short: {said}", "Get or build the file again."
    if "unknown binary version" in said:
        return (
            f"{label} has a version that this engine does not know: {said}",
            "Build it with a newer compiler.",
        )
    return f"{label} cannot be loaded: {said}", "wasm-tools validate tells more about an invalid module."
