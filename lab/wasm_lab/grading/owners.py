"""Whose a file is, by where it lies: a student's folder, or the names that Moodle and Canvas give.

Moodle (``mod/assign/classes/downloader.php``) has ``FULL NAME_ID_assignsubmission_file/work.ipynb``, or the same in
one name where it was told not to make folders; older releases have one more underscore, and no name has any. Canvas
(``lib/content_zipper.rb``) has ``lastfirst_LATE_USER_FILE_work-1.ipynb``, where ``LATE_`` and the number of the
attempt are not always there, or ``anon_x1Y2z`` for name and user.

Students may choose their names and those of their files, so a name that could be read in two ways is nobody's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from wasm_lab.grading.nouns import Student
from wasm_lab.grading.report.text import shown

_MOODLE = re.compile(
    r"(?P<name>[^_]{1,200})_(?P<id>\d{1,12})_assignsubmission_(?P<plugin>[a-z]{1,20})(?:_(?P<rest>.*))?",
    re.DOTALL,
)
_CANVAS = re.compile(
    r"(?P<name>\w{1,200}?)_(?P<late>LATE_)?(?P<ids>\d{1,20}(?:_\d{1,20})+)_(?P<rest>.+)", re.DOTALL
)
_CANVAS_ANONYMOUS = re.compile(
    r"(?P<late>LATE_)?(?P<name>anon)_(?P<id>[A-Za-z0-9]{5})_\d{1,20}_(?P<rest>.+)", re.DOTALL
)
#: What Canvas appends to a name that a student hands in again, and what browsers and Jupyter append to copies.
_COPY = re.compile(r"(?:-(?P<attempt>\d{1,3})| ?\(\d{1,3}\)|-Copy\d{0,3}| - Copy| copy)+$")
_ENDING = re.compile(r"\.(?:ipynb|zip)$", re.IGNORECASE)

#: A student's key is at most this long.
KEY_CHARACTERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A file with its owner."""

    student: Student
    rest: tuple[str, ...]  #: its path within what the student handed in
    late: bool = False  #: Canvas says so
    exported: bool = True  #: by an LMS


def owner_of(parts: tuple[str, ...]) -> Owned | None:
    """Whose the file at this path of a batch is; None where nothing says.

    Example:
        >>> owner_of(("Ada Byron_41_assignsubmission_file_", "add.ipynb")).student.key
        'Ada Byron_41'
        >>> found = owner_of(("byronada_LATE_41_977_add-1.ipynb",))
        >>> found.student.key, found.rest, found.late
        ('byronada_41', ('add-1.ipynb',), True)
        >>> owner_of(("ada", "01_rust_cells", "add.ipynb")).rest
        ('01_rust_cells', 'add.ipynb')
        >>> owner_of(("add.ipynb",)) is None
        True
    """
    first, below = parts[0], parts[1:]
    if moodle := _MOODLE.fullmatch(first):
        rest = (*((moodle["rest"],) if moodle["rest"] else ()), *below)
        return Owned(student=_student("moodle", moodle["name"], moodle["id"]), rest=rest) if rest else None
    if not below:
        return _in_canvas(first)
    return Owned(student=Student(key=_key(first), name=_key(first)), rest=below, exported=False)


def _in_canvas(name: str) -> Owned | None:
    if anonymous := _CANVAS_ANONYMOUS.fullmatch(name):
        student = _student("canvas", "anon", anonymous["id"])
        return Owned(student=student, rest=(anonymous["rest"],), late=bool(anonymous["late"]))
    canvas = _CANVAS.fullmatch(name)
    if canvas is None or is_ambiguous(name):
        return None
    student = _student("canvas", canvas["name"], canvas["ids"].partition("_")[0])
    return Owned(student=student, rest=(canvas["rest"],), late=bool(canvas["late"]))


def is_ambiguous(name: str) -> bool:
    """Whether a name of Canvas has more numbers in a row than user and file.

    Either the student's name ends with a number, or that of the file begins with one; a student who calls himself
    ``Ada_41`` must not become whoever has the number 41.

    Example:
        >>> is_ambiguous("byronada_41_66_977_add.ipynb"), is_ambiguous("byronada_66_977_add.ipynb")
        (True, False)
    """
    canvas = _CANVAS.fullmatch(name)
    return canvas is not None and canvas["ids"].count("_") > 1


def owner_of_archive(parts: tuple[str, ...]) -> Owned | None:
    """As `owner_of`, for an archive: outside of any folder it is the student's whose name it has."""
    found = owner_of(parts)
    if found or len(parts) != 1 or is_ambiguous(parts[0]):
        return found
    name = _key(parts[0].rpartition(".")[0])
    return Owned(student=Student(key=name, name=name), rest=parts, exported=False)


def is_export(first_parts: set[str]) -> bool:
    """Whether an archive with these names at its top was made by Moodle or Canvas for a class."""
    patterns = (_MOODLE, _CANVAS, _CANVAS_ANONYMOUS)
    return any(pattern.fullmatch(name) for pattern in patterns for name in first_parts)


def _student(lms: str, name: str, lms_id: str) -> Student:
    who = Student(key=_key(f"{name}_{lms_id}"), name=_key(name), lms_id=lms_id)
    return replace(who, lms="moodle" if lms == "moodle" else "canvas")


def _key(name: str) -> str:
    return (
        shown(" ".join(unicodedata.normalize("NFC", name).split()), KEY_CHARACTERS, lines=False)
        or "(no name)"
    )


def plain_stem(name: str) -> str:
    """The name of a notebook's file without ending and marks of copies.

    Example:
        >>> plain_stem("first_function-2.ipynb"), plain_stem("first_function (1).ipynb")
        ('first_function', 'first_function')
    """
    stem = _ENDING.sub("", name)
    copy = _COPY.search(stem)
    return stem[: copy.start()] if copy and copy.start() else stem


def attempt_of(owned: Owned) -> int:
    """The number that Canvas gave to the attempt; 0 for a first one, and for all that is not of Canvas.

    Elsewhere such a number is a browser's, which counts downloads. Canvas numbers what was handed in: of a file in
    an archive, the archive.

    Example:
        >>> attempt_of(owner_of(("byronada_41_977_add-1.ipynb",))), attempt_of(owner_of(("ada", "add-1.ipynb")))
        (1, 0)
    """
    if owned.student.lms != "canvas":
        return 0
    copy = _COPY.search(_ENDING.sub("", owned.rest[0]))
    return int(copy["attempt"] or 0) if copy and copy.start() else 0
