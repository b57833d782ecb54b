"""What to do next about errors of clang and wasm-ld that tell of WebAssembly, or that beginners make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.build.languages.messages import own_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

_PROCESSES = "WASI 0.1 has no processes: a guest can neither start another program nor wait for one."
_NETWORK = (
    "WASI 0.1 cannot open connections: a guest gets its input by standard input, arguments and folders (--dir). "
    "A component can, over wasi:http."
)
_THREADS = "Guests here have one thread. Do the work in turn, or start several instances."
_SIGNALS = "WebAssembly has no signals: nothing can interrupt a guest from inside. Leave <signal.h> out."
_EXCEPTIONS = (
    "C++ exceptions are off, as WASI 0.1 engines do not have them in common: return a status, std::optional or "
    "std::expected."
)
_EMSCRIPTEN = (
    "No JavaScript is around this guest: of <emscripten.h> only EMSCRIPTEN_KEEPALIVE is here, and no other header of "
    "Emscripten's."
)
_OF_EMSCRIPTEN = re.compile(r"\b(?:EM_(?:ASM|JS)\w*|EMSCRIPTEN_BINDINGS|emscripten_\w+|emscripten::)")
_MODULES = "C++ modules are not built here: #include what you use."

#: Names that only other systems have, to what to say of them.
_NAMES: dict[str, str] = (
    dict.fromkeys(
        "fork vfork execv execve execvp execl execlp system popen pclose wait waitpid posix_spawn".split(),
        _PROCESSES,
    )
    | dict.fromkeys(
        "socket connect bind listen getaddrinfo gethostbyname setsockopt inet_pton sendto recvfrom".split(),
        _NETWORK,
    )
    | dict.fromkeys("pthread_create thrd_create pthread_join".split(), _THREADS)
    | dict.fromkeys("signal sigaction raise kill alarm".split(), _SIGNALS)
    | dict.fromkeys(
        "__cxa_throw __cxa_allocate_exception __cxa_begin_catch __cxa_rethrow".split(), _EXCEPTIONS
    )
    | dict.fromkeys(
        "setjmp longjmp".split(), "setjmp and longjmp need exceptions of the engine: return a status instead."
    )
    | dict.fromkeys("mmap munmap mprotect".split(), "WebAssembly has one memory, which grows: use malloc.")
    | dict.fromkeys(
        "getuid geteuid getpwnam getpwuid chown chroot".split(),
        "WASI has no users: a guest has what its capabilities say.",
    )
)

#: Names that the libraries have no more, or under another name, to what to write instead.
_INSTEAD = {
    "gets": "gets is gone since C11, as it cannot know where to stop: write fgets(line, sizeof line, stdin).",
    "getch": "There is no console here: read standard input with getchar.",
    "getche": "There is no console here: read standard input with getchar.",
    "clrscr": "There is no console here: print lines alone.",
    "itoa": 'itoa is not of the C library: write snprintf(text, sizeof text, "%d", number).',
}

#: Calls that compile, as the library has a function of that name, which only ever says that it failed.
IN_VAIN = {"pthread_create|thrd_create": _THREADS}

#: Headers of other systems.
_HEADERS = {
    "pthread.h": _THREADS,
    "threads.h": _THREADS,
    "thread": _THREADS,
    "signal.h": _SIGNALS,
    "sys/wait.h": _PROCESSES,
    "spawn.h": _PROCESSES,
    "netdb.h": _NETWORK,
    "bits/stdc++.h": "That header is GCC's own: include what you use, such as <iostream>, <vector>, <string>.",
    "conio.h": "There is no console here: read standard input with getchar, and leave <conio.h> out.",
    "omp.h": f"OpenMP needs threads. {_THREADS} Leave <omp.h> out; the pragmas do nothing.",
    "windows.h": "This is WebAssembly, not Windows: use the C library and POSIX.",
    "setjmp.h": _NAMES["setjmp"],
    "iostream": "That is a header of C++: begin the cell with %%wasm cpp.",
    "vector": "That is a header of C++: begin the cell with %%wasm cpp.",
    "string": "That is a header of C++: begin the cell with %%wasm cpp; that of C is <string.h>.",
}

#: Names of the C++ library to their headers, where the header's name is another.
_STD = {
    "cout": "iostream",
    "cin": "iostream",
    "cerr": "iostream",
    "endl": "iostream",
    "sort": "algorithm",
    "count_if": "algorithm",
    "accumulate": "numeric",
    "iota": "numeric",
    "unique_ptr": "memory",
    "make_unique": "memory",
    "shared_ptr": "memory",
    "pair": "utility",
    "move": "utility",
    "uint32_t": "cstdint",
    "int64_t": "cstdint",
    "size_t": "cstddef",
    "ifstream": "fstream",
    "ofstream": "fstream",
    "stringstream": "sstream",
    "sqrt": "cmath",
    "printf": "cstdio",
    "getline": "string",
    "to_string": "string",
}
_SAME = frozenset(
    "vector string map set unordered_map unordered_set array optional variant tuple deque list queue stack span "
    "format print ranges expected functional string_view bitset complex random chrono thread mutex filesystem".split()
)


def hint(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """What to do next; empty where the messages say it all.

    Args:
        diagnostics: of a compile that failed.
    """
    found: dict[str, None] = {}
    for each in diagnostics:
        if each.level == "error":
            for said in (_of_name(each.message), _of_header(each.message), _of_words(each.message, source)):
                if said:
                    found.setdefault(said)
            if any(_OF_EMSCRIPTEN.search(own_line(source, span.line)) for span in each.spans):
                found.setdefault(_EMSCRIPTEN)
    if source.language == "cpp":
        if any(re.search(r"std::(?:j?thread|async)\b", line) for line in _lines_of_std(diagnostics, source)):
            found.setdefault(_THREADS)
        headers = _std_headers(diagnostics, source)
        if headers and not any(each.startswith(_MODULES) for each in found):
            found.setdefault(f"Begin with {' '.join(f'#include <{each}>' for each in headers)}")
        bare = _without_std(diagnostics, source)
        if bare:
            found.setdefault(bare)
    return "\n".join(found)


def _of_name(message: str) -> str:
    used = re.match(
        r"use of undeclared identifier '(\w+)'|(?:call to undeclared (?:library )?function '(\w+)')", message
    )
    missing = re.match(r"(\w+)(?:\(.*\))? is used, and nothing defines it", message)
    name = next((group for match in (used, missing) if match for group in match.groups() if group), "")
    if name in _NAMES or name in _INSTEAD:
        return _NAMES.get(name) or _INSTEAD[name]
    if missing and name == "main":
        return "A program begins at int main(void)."
    if missing:
        return (
            f"Define {name} in this cell. If another cell exports it, say of which name the cell is: "
            f'__attribute__((import_module("NAME"), import_name("{name}"))) before its declaration.'
        )
    return ""


def is_of_other_systems(message: str) -> bool:
    """Whether an error is of a name that is left out of the libraries here, and not of a slip of the pen."""
    found = re.match(r"use of undeclared identifier '(\w+)'|no (?:member|type) named '(\w+)' in", message)
    name = (found[1] or found[2]) if found else ""
    return name in _NAMES or name in _INSTEAD or name in ("thread", "jthread", "mutex", "async")


def _of_header(message: str) -> str:
    found = re.match(r"'([^']+)' file not found", message)
    if not found:
        return ""
    header = found[1]
    if header.startswith("emscripten"):
        return _EMSCRIPTEN
    if header in _HEADERS:
        return _HEADERS[header]
    return (
        f"Only the C and C++ libraries come with the compiler, and {header} is of neither. "
        "A header of your own stands beside a file that you build with wasm-lab build."
    )


def _of_words(message: str, source: Source) -> str:
    if "signal support" in message:
        return _SIGNALS
    if message.startswith("Setjmp/longjmp"):
        return _NAMES["setjmp"]
    if "exceptions disabled" in message:
        return _EXCEPTIONS
    if "process-associated clocks" in message:
        return (
            "A guest has no clock of its own: use clock, or clock_gettime(CLOCK_MONOTONIC, …), of <time.h>."
        )
    if re.match(r"module '[^']+' not found|header file <[^>]+> cannot be imported", message):
        return f"{_MODULES}{_instead_of_import(source)}"
    if "target feature 'simd128'" in message:
        return 'Write __attribute__((target("simd128"))) before the function that uses <wasm_simd128.h>.'
    if "only meant to be used on x86" in message:
        return "That header is of x86 processors. The one of WebAssembly is <wasm_simd128.h>."
    if "a type specifier is required" in message:
        return "A function says what it returns: write int main(void)."
    if (
        source.language == "c"
        and "expected ';' after top level declarator" in message
        and _is_old_style(source)
    ):
        return "C23 has no definitions in the old style: write the types inside the parentheses, int add(int a, int b)."
    if message.startswith("main is started"):
        return "Write int main(void), or int main(int argc, char *argv[]); variables are had with getenv."
    if re.search(r"basic_[io]?f(?:stream|ilebuf)|named '[io]?fstream'", message):
        return "File streams are left out of this C++ library: use fopen, fgets and fprintf of <cstdio>, with --dir."
    if re.search(
        r"named '(?:recursive_|timed_|shared_)?mutex' in|named '(?:condition_variable|scoped_lock)'", message
    ):
        return "Guests here have one thread, so nothing needs a lock: leave std::mutex out."
    if "in namespace 'std::execution'" in message:
        return "Guests here have one thread: leave the execution policy out."
    if "std::thread" in message or "'thread' in namespace 'std'" in message:
        return _THREADS
    if "undeclared library function" in message:
        header = {"printf": "stdio.h", "malloc": "stdlib.h", "strlen": "string.h"}
        name = re.search(r"function '(\w+)'", message)
        known = header.get(name[1], "") if name else ""
        return f"Begin with #include <{known}>" if known else ""
    if source.language == "c" and re.search(
        r"unknown type name '(?:class|template|namespace|using)'", message
    ):
        return "That is C++: begin the cell with %%wasm cpp."
    if "undeclared identifier 'std'" in message and source.language == "c":
        return "That is C++: begin the cell with %%wasm cpp."
    if "std::filesystem" in message or "namespace 'std::filesystem'" in message:
        return "std::filesystem is left out of this C++ library: use fopen, or opendir of <dirent.h>, with --dir."
    return ""


def _instead_of_import(source: Source) -> str:
    """The headers of what the whole text names of ``std::``."""
    headers = _headers_of(re.findall(r"std::(\w+)", source.code), source)
    return f" Here: {' '.join(f'#include <{each}>' for each in headers)}" if headers else ""


def _is_old_style(source: Source) -> bool:
    """Whether a function is defined as before 1989: ``int add(a, b) int a; int b; {``."""
    return bool(re.search(r"^\w[\w \*]*\([\w ,]+\)\s*(?:\w[\w \*,]*;\s*)+\{", source.code, re.MULTILINE))


def _lines_of_std(diagnostics: Sequence[Diagnostic], source: Source) -> list[str]:
    """The learner's lines where something of ``std::`` is not known."""
    unknown = [each for each in diagnostics if re.search(r"'std'|in namespace 'std'", each.message)]
    return [own_line(source, span.line) for each in unknown if each.level == "error" for span in each.spans]


def _std_headers(diagnostics: Sequence[Diagnostic], source: Source) -> list[str]:
    """Headers of what the lines with errors name of ``std::`` and the text does not include."""
    lines = _lines_of_std(diagnostics, source)
    return _headers_of([name for line in lines for name in re.findall(r"std::(\w+)", line)], source)


def _headers_of(names: Sequence[str], source: Source) -> list[str]:
    """The headers of names of ``std::``, those that the text does not include."""
    included = set(re.findall(r"#\s*include\s*<([^>]+)>", source.code))
    headers = dict.fromkeys(_STD.get(name, name if name in _SAME else "") for name in names)
    return [
        each
        for each in headers
        if each and each not in included and each not in ("thread", "mutex", "filesystem")
    ]


def _without_std(diagnostics: Sequence[Diagnostic], source: Source) -> str:
    """Names of the C++ library that stand without ``std::``; clang itself says so once their header is there."""
    messages = [each.message for each in diagnostics if each.level == "error"]
    used = [
        re.match(r"(?:use of undeclared identifier|unknown type name) '(\w+)'", each) for each in messages
    ]
    names = dict.fromkeys(match[1] for match in used if match and (match[1] in _STD or match[1] in _SAME))
    names = {name: None for name in names if f"std::{name}" not in " ".join(messages)}
    included = set(re.findall(r"#\s*include\s*<([^>]+)>", source.code))
    headers = dict.fromkeys(_STD.get(name, name) for name in names)
    begin = " ".join(f"#include <{each}>" for each in headers if each not in included)
    if not names or not begin:
        return ""
    return f"Begin with {begin} and write {', '.join(f'std::{name}' for name in names)}"
