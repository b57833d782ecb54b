"""The C and C++ libraries, compiled by Zig once for a user and kept in the lab's cache.

``zig cc`` compiles wasi-libc from source when it is first used, which takes most of a minute. Then it starts
clang and wasm-ld, as any driver does, and looks through its cache for the libraries on every call. The lab lets
it do so once, for a program of one line, and notes both command lines: from then on it starts clang and wasm-ld
itself, which takes half the time. The libraries are kept without their debug information, which is nine tenths
of them, and of which the linker would otherwise write a megabyte into every module.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.build.archives import ARCHIVE_MAGIC, rewrite, without_dead_weight
from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.languages.making import run_compiler, teller, work_folder
from wasm_lab.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from wasm_lab.build.languages.zig_home import ZigHome
    from wasm_lab.build.progress import Progress

#: Kind of the cache's folders that hold libraries.
CACHE_KIND = "c-library"

#: Raise when the form of a kept library changes.
FORMAT = 2

#: How the libraries are optimised, whatever the cell is. With ``-Os``, which would take another minute, the
#: sample program of C is not smaller (24061 against 23966 bytes).
_OPTIMISED = "-O2"

#: Seconds for one library: a minute on two free cores, six where ten other programs want them.
DEADLINE_S = 1800.0

#: The file that says how a library is used; it is written last.
_LINES = "lines.json"

#: Words of clang's command line that are about the program of one line, and how many words follow each.
_OF_THE_PROBE = {
    "-main-file-name": 1,
    "-dependency-file": 1,
    "-MT": 1,
    "-sys-header-deps": 0,
    "-MV": 0,
    "-MP": 0,
}
_OF_THE_PROBE |= {
    "-o": 1,
    "-x": 1,
    "-v": 0,
    "-emit-obj": 0,
    "-fno-spell-checking": 0,
    "-disable-O0-optnone": 0,
}

#: What the cell's profile decides, and asserts, which a cell is to keep.
_DECIDED = re.compile(
    r"-O.|-fdebug-compilation-dir=.*|-fcoverage-compilation-dir=.*|-debug-info-kind=.*|-std=.*|-gkey-instructions"
)


@dataclass(frozen=True, slots=True)
class Library:
    """How clang and wasm-ld are called, and what is linked."""

    folder: Path
    frontend: tuple[str, ...]  #: words of ``zig -cc1``, without the file's own
    command: tuple[str, ...]  #: files to be linked with a program, in this order
    reactor: tuple[str, ...]  #: files to be linked with a library
    linker: tuple[str, ...]  #: words of ``wasm-ld``

    def files(self, *, reactor: bool) -> list[Path]:
        return [self.folder / name for name in (self.reactor if reactor else self.command)]

    @property
    def whole(self) -> bool:
        """Whether all of it is there."""
        return all((self.folder / name).exists() for name in {*self.command, *self.reactor})


def library(home: ZigHome, language: str, progress: Progress | None) -> Library:
    """The library for a language; made first if it is not there, which takes a minute.

    Safe for processes that need it at once: one makes it, the others wait.

    Raises:
        BuildError: Zig could not make it.
        OSError: the cache cannot be written.
    """
    cache = default_cache()
    key = digest("c library", FORMAT, language, _OPTIMISED, home.zig.version, str(home.zig.program))
    folder = cache.folder(CACHE_KIND, key)
    found = _read(folder)
    if found is not None:
        return found
    names = {"c": "C", "cpp": "C++"}
    tell = teller(f"Compiling the {names[language]} library for WebAssembly, once: about a minute", progress)
    with _locked(cache.lock(CACHE_KIND, key), tell):
        found = _read(cache.folder(CACHE_KIND, key))
        if found is None:
            _make(home, language, folder, tell)
            found = _read(folder)
    if found is None:
        raise BuildError(f"The library for {names[language]} was made and is gone again.", hint="Try again.")
    return found


class _locked:  # noqa: N801 - used as a function
    """Holds a lock of the cache, and tells how long it is waited for."""

    def __init__(self, lock: object, tell: Callable[[], None]) -> None:
        self._lock, self._tell = lock, tell

    def __enter__(self) -> None:
        from filelock import Timeout

        while True:
            try:
                self._lock.acquire(timeout=0.2)  # type: ignore[attr-defined]
                return
            except Timeout:
                self._tell()

    def __exit__(self, *error: object) -> None:
        self._lock.release()  # type: ignore[attr-defined]


def _read(folder: Path) -> Library | None:
    try:
        lines = json.loads((folder / _LINES).read_bytes())
    except (OSError, ValueError):
        return None
    found = Library(folder, *(tuple(lines[name]) for name in ("frontend", "command", "reactor", "linker")))
    return found if found.whole else None


def _make(home: ZigHome, language: str, folder: Path, tell: Callable[[], None]) -> None:
    (folder / _LINES).unlink(missing_ok=True)
    words = [_OPTIMISED, "-fno-exceptions"] if language == "cpp" else [_OPTIMISED]
    frontend, command, linker = _probe(home, language, words, tell)
    _, reactor, _ = _probe(home, language, [*words, "-mexec-model=reactor"], tell)
    for file in dict.fromkeys((*command, *reactor)):
        new = folder / f"{file.name}.new"
        new.write_bytes(_light(file.read_bytes()))
        new.replace(folder / file.name)
    lines = {
        "frontend": list(_general(frontend)),
        "command": [file.name for file in command],
        "reactor": [file.name for file in reactor],
        "linker": linker,
    }
    new = folder / f"{_LINES}.new"
    new.write_text(json.dumps(lines), encoding="utf-8")
    new.replace(folder / _LINES)


def _light(data: bytes) -> bytes:
    """A library or an object file without debug information."""
    if data.startswith(ARCHIVE_MAGIC):
        return rewrite(data, without_dead_weight)
    return without_dead_weight(data)


def _probe(
    home: ZigHome, language: str, words: Sequence[str], tell: Callable[[], None]
) -> tuple[list[str], list[Path], list[str]]:
    """How Zig itself compiles and links a program: clang's words, the files linked, wasm-ld's other words."""
    with work_folder() as folder:
        file = folder / f"probe.{language}"
        # Nothing that the linker leaves out by itself decides which libraries there are.
        file.write_text("int main(void) { return 0; }\n" if language == "c" else "int main() { return 0; }\n")
        status, said = run_compiler(
            [
                home.zig.program,
                "c++" if language == "cpp" else "cc",
                "-target",
                "wasm32-wasi",
                *words,
                "--verbose",
                file.name,
                "-o",
                "probe.wasm",
            ],
            folder=folder,
            env=home.environment(folder),
            label="The C library",
            reads=[],
            writes=home.writes,
            executes=home.executes,
            deadline_s=DEADLINE_S,
            on_wait=tell,
        )
        frontend = linker = None
        for line in said.splitlines():
            if " -cc1 " in line and file.name in line:
                frontend = shlex.split(line)[2:-1]
            elif line.startswith("wasm-ld "):
                linker = shlex.split(line)[1:]
        if status or frontend is None or linker is None:
            raise BuildError(
                f"Zig could not make the C library (status {status}): {said[-2000:]}",
                hint="Is there room in the cache's folder? wasm-lab cache says where it is.",
            )
        own, given = linker.index("-o"), []
        files = [(folder / word).resolve() for word in linker if word.endswith((".o", ".a"))]
        linked = [path for path in files if not path.is_relative_to(folder)]
        given = [
            word
            for i, word in enumerate(linker)
            if i not in (own, own + 1) and not word.endswith((".o", ".a"))
        ]
        return frontend, linked, list(_without_entry(given))


def _without_entry(words: Sequence[str]) -> Iterator[str]:
    """wasm-ld's words without what depends on the kind of module."""
    skip = 0
    for word in words:
        if skip:
            skip -= 1
        elif word in ("--entry", "-z"):
            skip = 1
        elif word not in ("--error-limit=0", "-s", "--no-entry"):
            yield word


def _general(words: Sequence[str]) -> Iterator[str]:
    """clang's words without those of the program of one line, and without ``-D NDEBUG``: asserts stay."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in _OF_THE_PROBE:
            del rest[: _OF_THE_PROBE[word]]
        elif word == "-D" and rest and rest[0].startswith("NDEBUG"):
            rest.pop(0)
        elif not _DECIDED.fullmatch(word):
            yield word
