"""Remembering what a probe of the machine found, for as long as nothing changed.

Running a compiler to learn about it takes tenths of a second, a look at the files it
consists of microseconds. So an answer is kept with the signature (time of last change
and size) of each file and folder that it came from, absent ones included, and is good
while all of them are as they were. It is only a cache: unreadable, damaged or
unwritable, the probe is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

from wasm_lab.toolchains.places import memory_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

FORMAT = 2  #: raise when the meaning of a remembered answer changes
KEEP = 64  #: remembered answers kept; each is one or two kilobytes


def signature(path: str) -> list[int] | None:
    """Time of last change (ns) and size (bytes) of a file or folder; None when absent."""
    try:
        stat = os.stat(path)  # noqa: PTH116  (four times as fast as pathlib's here)
    except OSError:
        return None
    return [stat.st_mtime_ns, stat.st_size]


def _file(question: Iterable[str]) -> Path:
    digest = hashlib.sha256("\0".join((str(FORMAT), *question)).encode("utf-8", "surrogateescape"))
    return memory_folder() / f"{digest.hexdigest()[:32]}.json"


def recall(question: Iterable[str]) -> dict[str, Any] | None:
    """The answer remembered for a question, or None when there is none that still holds.

    ``question`` is all that decides the answer and is not a file: what is asked and the
    environment variables that matter.
    """
    try:
        remembered = json.loads(_file(question).read_bytes())
        saw: dict[str, list[int] | None] = remembered["saw"]
        answer: dict[str, Any] = remembered["answer"]
        holds = all(signature(path) == then for path, then in saw.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return answer if holds and isinstance(answer, dict) else None


def remember(question: Iterable[str], answer: dict[str, Any], saw: Iterable[str]) -> None:
    """Keep an answer with the signatures of the paths it came from. Never raises OSError."""
    file = _file(question)
    content = json.dumps({"saw": {path: signature(path) for path in saw}, "answer": answer})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(content)
            os.replace(temporary, file)  # noqa: PTH105
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108
            raise
        _forget_oldest(file.parent)
    except OSError:
        pass


def first_that_answers(
    what: str, programs: Iterable[Path], asked: Callable[[Path], dict[str, Any] | None]
) -> tuple[Path, dict[str, Any]] | None:
    """The first of some programs that says what it is asked, and its answer; None when none does.

    Args:
        what: names the question.
        asked: runs a program to learn the answer; None when it does not run, which is not remembered.
    """
    for program in programs:
        real = str(program.resolve())
        question = (what, real)
        answer = recall(question)
        if answer is None:
            answer = asked(program)
            if answer is None:
                continue
            remember(question, answer, [real])
        return program, answer
    return None


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[:-KEEP]:
        file.unlink(missing_ok=True)
