"""From masters to released forms, by nbgrader's own preprocessors: the same bytes from the same master."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ExerciseError, UsageError
from wasm_lab.exercises.notebook import Exercise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: nbgrader writes these tests by running a kernel, which only its own command does.
_AUTOTEST = re.compile(r"###\s*(HASHED\s+)?AUTOTEST", re.IGNORECASE)

#: Folders that editors and Python leave behind.
_PASSED_OVER = {".ipynb_checkpoints", "__pycache__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What became of one file of the masters' folder."""

    name: str
    chapter: str
    path: Path  #: the released file
    change: str  #: ``new``, ``changed``, ``unchanged`` or ``removed``
    note: str = ""


def released_text(master: str, *, label: str = "The master") -> str:
    """The released form of a master, both as the text of a notebook.

    Solutions become stubs in the language of their cell, hidden tests and outputs go, cells are locked
    and get nbgrader's checksums. Metadata of older schemas is read as schema 3.

    Raises:
        ExerciseError: the master is no notebook, or nbgrader's metadata or the markers in it are wrong.
        UsageError: nbgrader is not installed.
    """
    exercise = Exercise.parse(master, name=label)
    if any(_AUTOTEST.search(cell.text) for cell in exercise.tests):
        raise ExerciseError(
            f"{label} has AUTOTEST directives, which nbgrader turns into tests by running a kernel.",
            hint="Release it with nbgrader generate_assignment; then wasm-lab grades it as it is.",
        )
    preprocess = _preprocessing()
    try:
        return preprocess(with_ids(json.loads(master)))
    except ExerciseError as error:
        raise ExerciseError(f"{label}: {error.message}", hint=error.hint) from None
    except Exception as error:  # nbgrader raises RuntimeError and ValueError; a broken notebook, anything
        reason = f"{error.__cause__ or error.__context__ or error}".splitlines()[:1]
        raise ExerciseError(
            f"{label} cannot be released: {''.join(reason) or type(error).__name__}",
            hint="See nbgrader's description of its metadata and markers.",
        ) from None


def release(source: Path, out: Path) -> list[Released]:
    """Write the released form of every master below ``source`` to the same place below ``out``.

    Files that are no notebooks are copied, for they belong to the exercises beside them. A released
    exercise whose master is gone is removed.

    Raises:
        ExerciseError: a master is wrong; nothing has been written then.
        UsageError: there are no masters, or nbgrader is not installed.
    """
    files = _files(source)
    if not any(file.suffix == ".ipynb" for file in files):
        raise UsageError(f"{source} holds no notebooks.", hint="Name the masters' folder with --source.")
    made: dict[Path, bytes] = {}
    for file in files:
        content = file.read_bytes()
        if file.suffix == ".ipynb":
            content = released_text(_text(content, file), label=str(file)).encode()
        made[out / file.relative_to(source)] = content
    done = [_written(path, content) for path, content in made.items()]
    return [*done, *_removed(out, set(made))]


def _preprocessing() -> Callable[[dict[str, Any]], str]:
    """What makes a released form of a notebook's JSON."""
    try:
        import nbformat
        from nbgrader.nbgraderformat import MetadataValidator  # type: ignore[import-untyped]

        from wasm_lab.exercises.nbgrader_parts import RELEASE
    except ImportError as error:
        raise UsageError(
            f"{error.name} is needed to release exercises and is not installed.",
            hint="Install the instructor's extra: pip install 'wasm-lab[grading]'",
        ) from error
    # What nbgrader and nbformat log is in the errors that they raise.
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)

    def preprocess(content: dict[str, Any]) -> str:
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        nbformat.validate(notebook)
        MetadataValidator().upgrade_notebook_metadata(notebook)
        resources: dict[str, Any] = {}
        for kind in RELEASE:
            notebook, resources = kind().preprocess(notebook, resources)
        return str(nbformat.writes(notebook)).removesuffix("\n") + "\n"

    return preprocess


def with_ids(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook with an id for every cell: its own, else one that depends on its place alone."""
    seen: set[str] = set()
    for index, cell in enumerate(notebook["cells"]):
        told = cell.get("metadata", {}).get("nbgrader", {})
        wish = str(cell.get("id") or told.get("grade_id") or f"cell-{index + 1}")
        wish = re.sub(r"[^A-Za-z0-9_-]", "-", wish)[:60] or f"cell-{index + 1}"
        cell["id"] = wish if wish not in seen else f"{wish}-{index + 1}"
        seen.add(cell["id"])
    notebook["nbformat_minor"] = max(int(notebook.get("nbformat_minor", 0)), 5)
    return notebook


def _files(folder: Path) -> list[Path]:
    found = (file for file in folder.rglob("*") if file.is_file())
    return sorted(file for file in found if not _PASSED_OVER & set(file.relative_to(folder).parts))


def _text(content: bytes, file: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ExerciseError(f"{file} is no text in UTF-8 (byte {error.start}), so no notebook.") from None


def _written(path: Path, content: bytes) -> Released:
    from boltons.fileutils import atomic_save

    before = path.read_bytes() if path.is_file() else None
    change = "new" if before is None else "unchanged" if before == content else "changed"
    if change != "unchanged":
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_save(str(path), overwrite=True) as stream:
            stream.write(content)
    return Released(name=path.stem, chapter=path.parent.name, path=path, change=change)


def _removed(out: Path, kept: set[Path]) -> list[Released]:
    """Released exercises that no master is left of; other notebooks are nobody's to delete."""
    gone = []
    for path in _files(out) if out.is_dir() else []:
        if path.suffix == ".ipynb" and path not in kept and b'"wasm_lab"' in path.read_bytes():
            path.unlink()
            gone.append(Released(name=path.stem, chapter=path.parent.name, path=path, change="removed"))
    return gone
