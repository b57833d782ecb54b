"""From masters to released forms, by nbgrader's own preprocessors: the same bytes from the same master."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ExerciseError, UsageError
from wasm_lab.exercises.markers import BEGIN_HIDDEN, BEGIN_SOLUTION
from wasm_lab.exercises.notebook import Exercise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: nbgrader writes these tests by running a kernel, which only its own command does.
_AUTOTEST = re.compile(r"###\s*(HASHED\s+)?AUTOTEST", re.IGNORECASE)

#: Folders that editors and Python leave behind.
_PASSED_OVER = {".ipynb_checkpoints", "__pycache__"}

#: Folders of an nbgrader course beside ``source`` that are other people's to fill: students' work, and wrong answers.
_STUDENTS = ("submitted", "autograded", "feedback", "wrong")


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """What became of one file of the masters' folder."""

    name: str
    chapter: str
    path: Path  #: the released file; the master's neighbour that was left out
    change: str  #: ``new``, ``changed``, ``unchanged``, ``removed`` or ``left out``
    note: str = ""  #: why it was left out, or that it is a copy


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


def masters_folder(folder: Path) -> Path:
    """The folder of masters that is meant: ``source/`` inside, where a whole course is given."""
    inside = folder / "source"
    return inside if inside.is_dir() else folder


def is_exercise(path: Path) -> bool:
    """Whether a notebook has something to answer or to grade; not so nbgrader's ``header.ipynb``."""
    try:
        exercise = Exercise.read(path)
    except ExerciseError:
        return False
    return bool(exercise.answers or exercise.tests or exercise.written)


def release(source: Path, out: Path) -> list[Released]:
    """Write the released form of every master ``source/CHAPTER/NAME.ipynb`` to the same place below ``out``.

    Files that lie beside masters and are no notebooks are copied, for exercises read them; those that
    are plainly solutions are left out. A released exercise whose master is gone is removed.

    Raises:
        ExerciseError: a master is wrong; nothing has been written then.
        UsageError: there are no masters, they lie in another place, ``out`` is no folder for released
            forms, or nbgrader is not installed. Nothing has been written then.
    """
    masters = _masters(source)
    _check_out(source, out)
    made: dict[Path, bytes] = {}
    left = []
    for file in _files(source):
        content = file.read_bytes()
        why = "" if file in masters else _why_left(file, content, source, masters)
        if why:
            left.append(
                Released(name=file.stem, chapter=file.parent.name, path=file, change="left out", note=why)
            )
            continue
        if file in masters:
            content = released_text(_text(content, file), label=str(file)).encode()
        made[out / file.relative_to(source)] = content
    for path, content in made.items():
        _check_overwritten(path, content)
    done = [_written(path, content) for path, content in made.items()]
    return [*done, *left, *_removed(out, set(made))]


def _check_out(source: Path, out: Path) -> None:
    """That released forms do not go where masters or what students handed in may lie."""
    here, there = source.resolve(), out.resolve()
    taken = [here, *(here.parent / name for name in _STUDENTS)]
    if there in here.parents or any(each == there or each in there.parents for each in taken):
        raise UsageError(
            f"Released forms cannot go to {out}: masters, or what students handed in, lie there.",
            hint=f"Name a folder of its own with --out, such as {source.parent / 'release'}.",
        )


def _masters(source: Path) -> set[Path]:
    masters = {path for path in source.glob("*/*.ipynb") if path.parent.name not in _PASSED_OVER}
    direct = [path for path in sorted(source.glob("*.ipynb")) if not masters or is_exercise(path)]
    expected = "Masters lie in source/CHAPTER/NAME.ipynb; name that source/ with --source, or the course."
    if direct:
        raise UsageError(f"{direct[0].name} lies in {source} itself, in no chapter's folder.", hint=expected)
    if not masters:
        raise UsageError(f"{source} holds no notebooks of exercises.", hint=expected)
    return masters


def _why_left(file: Path, content: bytes, source: Path, masters: set[Path]) -> str:
    """Why a file that is no master is not for students; empty when it is copied."""
    place = file.relative_to(source)
    if file.suffix == ".ipynb":
        return "no master: it does not lie in CHAPTER/NAME.ipynb"
    if place.parts[0] not in {master.parent.name for master in masters} or len(place.parts) == 1:
        return "it does not lie beside a master"
    named = any(part.lower().partition(".")[0] in ("solution", "solutions") for part in place.parts)
    if named or _has_markers(content):
        return "it is named a solution, or holds one"
    return ""


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
    note = "" if path.suffix == ".ipynb" else "copied as it is"
    return Released(name=path.stem, chapter=path.parent.name, path=path, change=change, note=note)


def _removed(out: Path, kept: set[Path]) -> list[Released]:
    """Released exercises that no master is left of; other notebooks are nobody's to delete."""
    gone = []
    for path in sorted(out.glob("*/*.ipynb")):
        if path not in kept and path.is_file() and _is_released(path.read_bytes()):
            path.unlink()
            gone.append(Released(name=path.stem, chapter=path.parent.name, path=path, change="removed"))
    return gone


def _check_overwritten(path: Path, content: bytes) -> None:
    """That a notebook with somebody's work in it does not give way to a released form."""
    if path.suffix != ".ipynb" or not path.is_file():
        return
    before = path.read_bytes()
    if before != content and (_has_markers(before) or False in _checksums(before)):
        raise UsageError(
            f"{path} is there already and is no released form, or one that was edited.",
            hint="Nothing was written. Move it away, or name another folder with --out.",
        )


def _is_released(content: bytes) -> bool:
    """Whether a notebook is as a release of the lab's exercises made it, with nothing in it since."""
    checksums = _checksums(content)
    as_made = bool(checksums) and all(checksums)
    return as_made and b'"wasm_lab"' in content and not _has_markers(content)


def _checksums(content: bytes) -> list[bool | None]:
    """For each cell whether nbgrader's checksum is that of its text; None where it has none.

    An answer or an edited test has another text than the one that was released. Empty for what is no notebook.
    """
    import nbformat
    from nbgrader.utils import compute_checksum  # type: ignore[import-untyped]

    try:
        cells = nbformat.reads(content.decode(), as_version=4).cells
        told = [cell.metadata.get("nbgrader", {}).get("checksum") for cell in cells]
        return [one and one == compute_checksum(cell) for one, cell in zip(told, cells, strict=True)]
    except Exception:  # any text may lie there, and nbformat and nbgrader raise what they like
        return []


def _has_markers(content: bytes) -> bool:
    return any(marker.encode() in content for marker in (BEGIN_SOLUTION, BEGIN_HIDDEN))
