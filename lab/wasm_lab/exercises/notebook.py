"""An exercise: a notebook with nbgrader's metadata, as a master, a released form or a learner's copy.

nbgrader says what each cell is for (its metadata, schema 1 to 3); ``wasm_lab.exercise`` in the notebook's
own metadata says the rest. Reading needs neither nbgrader nor nbformat.
"""

from __future__ import annotations

import ast
import copy
import json
import math
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ExerciseError
from wasm_lab.exercises.markers import language_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


class Role(StrEnum):
    """What a cell is for."""

    ANSWER = "answer"  #: code that the learner writes
    TEST = "test"  #: gives points, by what it runs
    WRITTEN = "written"  #: an answer in words, which a person marks
    GIVEN = "given"  #: all else: text, setup


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of an exercise."""

    index: int  #: its place in the notebook, from 0
    kind: str  #: ``code``, ``markdown`` or ``raw``
    text: str
    role: Role = Role.GIVEN
    grade_id: str = ""  #: nbgrader's name of it; empty where it has none
    points: float = 0.0
    id: str = ""

    @property
    def magic(self) -> str:
        """The first line where that is a cell magic, such as ``%%wasm_rust --name answer``; else empty."""
        return split_magic(self.text).magic if self.kind == "code" else ""

    @property
    def body(self) -> str:
        """The text below the magic line: all that a learner's copy may change.

        Example:
            >>> Cell(index=0, kind="code", text="%%wasm_rust --name answer\\npub fn one() -> i32 { 1 }").body
            'pub fn one() -> i32 { 1 }'
        """
        return split_magic(self.text).body if self.kind == "code" else self.text

    @property
    def language(self) -> str:
        """What the body is written in: ``rust``, ``toml``, ``python``, ``markdown`` and so on."""
        return language_of(self.magic) if self.kind == "code" else self.kind

    def with_body(self, body: str) -> Cell:
        """The same cell with another body below the same magic line."""
        return replace(self, text=f"{self.magic}\n{body}" if self.magic else body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercise:
    """An exercise as its notebook has it."""

    name: str  #: the file's name without its ending; unique over all chapters
    chapter: str  #: the stem of the chapter that it belongs to
    title: str
    cells: tuple[Cell, ...]
    minutes: int = 0  #: what a learner needs; 0 where nothing says
    hints: tuple[str, ...] = ()  #: each says more than the one before
    formerly: tuple[str, ...] = ()  #: names that it had in earlier releases
    fuel: int | None = None  #: instructions for each call, at most; None: as many as the deadline allows
    deadline_s: float | None = None  #: for each call; None: the sandbox's own default
    path: Path | None = None
    notebook: dict[str, Any] = field(default_factory=dict, repr=False)  #: the file's JSON; not to be changed

    @classmethod
    def read(cls, path: Path) -> Exercise:
        """The exercise of a file.

        Raises:
            ExerciseError: it is missing, or no notebook.
        """
        try:
            text = path.read_bytes().decode()
        except OSError as error:
            raise ExerciseError(f"{path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ExerciseError(f"{path} is no text in UTF-8 (byte {error.start}), so no notebook.") from None
        return cls.parse(text, path=path)

    @classmethod
    def parse(cls, text: str, *, path: Path | None = None, name: str = "", chapter: str = "") -> Exercise:
        """The exercise of a notebook's JSON.

        Args:
            path: where the text came from; gives name and chapter where they are not given.

        Raises:
            ExerciseError: the text is no notebook of format 4.
        """
        label = str(path) if path else name or "The text"
        notebook = _notebook(text, label)
        told = _dict(_dict(notebook.get("metadata"), "wasm_lab"), "exercise")
        cells = tuple(_cell(index, raw, label) for index, raw in enumerate(notebook["cells"]))
        return cls(
            name=name or (path.stem if path else ""),
            chapter=chapter or str(told.get("chapter") or (path.parent.name if path else "")),
            title=str(told.get("title") or _heading(cells) or name or (path.stem if path else "")),
            cells=cells,
            minutes=int(_number(told.get("minutes"))),
            hints=_texts(told.get("hints")),
            formerly=_texts(told.get("formerly")),
            fuel=int(_number(told.get("fuel"))) or None,
            deadline_s=_number(told.get("deadline_s")) or None,
            path=path,
            notebook=notebook,
        )

    @property
    def answers(self) -> tuple[Cell, ...]:
        """The cells of code that the learner writes."""
        return tuple(cell for cell in self.cells if cell.role is Role.ANSWER)

    @property
    def tests(self) -> tuple[Cell, ...]:
        """The cells whose run gives points."""
        return tuple(cell for cell in self.cells if cell.role is Role.TEST)

    @property
    def written(self) -> tuple[Cell, ...]:
        """The answers in words, which a person marks."""
        return tuple(cell for cell in self.cells if cell.role is Role.WRITTEN)

    @property
    def max_points(self) -> float:
        return sum(cell.points for cell in self.cells)

    def hides(self, case: str) -> bool:
        """Whether the name of a case is no string of a test in this (released) form."""
        return not any(case in literals(cell.text) for cell in self.tests)

    def cell(self, grade_id: str) -> Cell | None:
        """The first cell that nbgrader knows by this name."""
        return next((cell for cell in self.cells if cell.grade_id == grade_id), None)

    def bodies(self) -> dict[str, str]:
        """The bodies of answers, in code and in words, by grade id; of cells with one id, the first."""
        found: dict[str, str] = {}
        for cell in (*self.answers, *self.written):
            found.setdefault(cell.grade_id, cell.body)
        return found

    def with_bodies(self, bodies: Mapping[str, str]) -> Exercise:
        """A clean copy with these bodies of answers; magic lines and all other cells stay.

        Raises:
            ExerciseError: there is no answer of that grade id.
        """
        answers = {cell.grade_id: cell for cell in (*self.answers, *self.written)}
        unknown = [grade_id for grade_id in bodies if grade_id not in answers]
        if unknown:
            raise ExerciseError(
                f"{self.name} has no answer cell {', '.join(unknown)}.",
                hint=f"Its answer cells: {', '.join(answers) or 'none'}.",
            )
        changed = {
            answers[grade_id].index: answers[grade_id].with_body(body) for grade_id, body in bodies.items()
        }
        notebook = copy.deepcopy(self.notebook)
        for index, cell in changed.items():
            notebook["cells"][index]["source"] = cell.text
        cells = tuple(changed.get(cell.index, cell) for cell in self.cells)
        return replace(self, cells=cells, notebook=notebook)

    def dumps(self) -> str:
        """The notebook as the text of a file, laid out as nbformat does it."""
        return json.dumps(self.notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The text of a cell of code, in parts."""

    above: str = ""  #: another magic line before the expected one, such as ``%%time``
    magic: str = ""  #: empty where the cell does not begin with one
    body: str  #: what stands below; the whole text where there is no magic line


def split_magic(text: str, expected: str = "") -> Split:
    """The magic line of a cell and what stands below it, where Jupyter would find them.

    As in Jupyter, blank lines before the magic line do not count, nor does the indentation of the whole cell.

    Args:
        expected: a magic line. Where another magic stands right above it, it is still the cell's own.

    Example:
        >>> split_magic("\\n  %%answer verdict\\n  yes")
        Split(above='', magic='%%answer verdict', body='yes')
        >>> split_magic("%%time\\n%%answer verdict\\nyes", "%%answer verdict")
        Split(above='%%time', magic='%%answer verdict', body='yes')
    """
    lines = text.split("\n")
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    magic = lines[start].lstrip(" \t")
    if not magic.startswith("%%"):
        return Split(body=text)
    indent = lines[start].removesuffix(magic)
    body = "\n".join(line.removeprefix(indent) for line in lines[start + 1 :])
    # The same magic twice is no wrapper: Jupyter would hand the second line to the first as code.
    if expected and magic.split(maxsplit=1)[0] != expected.split(maxsplit=1)[0]:
        inner = split_magic(body)
        if inner.magic.split() == expected.split():
            return replace(inner, above=magic)
    return Split(magic=magic, body=body)


def begins_alone(text: str, answer: Cell, answers: Iterable[Cell]) -> bool:
    """Whether a cell of code without a grade id is an answer that was typed anew.

    It is when it begins with the answer's magic line, and no other answer of the exercise has that line.
    """
    words = answer.magic.split()
    if not words or sum(each.magic.split() == words for each in answers) != 1:
        return False
    return split_magic(text, answer.magic).magic.split() == words


@lru_cache(maxsize=1024)
def literals(text: str) -> frozenset[str]:
    """The strings that the Python code of a cell holds as literals, each as a whole; none where it is no Python.

    Example:
        >>> sorted(literals("%load_ext lab\\ncases.true('an empty list', f'{n} words', 'a ' 'b')"))
        ['a b', 'an empty list']
    """
    tree = _tree(text) or _tree(re.sub(r"^([ \t]*)[%!].*$", r"\1pass", text, flags=re.MULTILINE))
    found = set()
    nodes: list[ast.AST] = [tree] if tree else []
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        # The words between the braces of an f-string are no string of their own.
        part = ast.Constant if isinstance(node, ast.JoinedStr) else ()
        nodes += [each for each in ast.iter_child_nodes(node) if not isinstance(each, part)]
    return frozenset(found)


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _notebook(text: str, label: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExerciseError(
            f"{label} is no notebook: {error}.",
            hint="It may be cut off, or have been edited by hand; get it again from where it came from.",
        ) from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise ExerciseError(f"{label} is no notebook: it does not say nbformat.")
    if notebook["nbformat"] != 4:
        raise ExerciseError(
            f"{label} is a notebook of format {notebook['nbformat']}, and format 4 is read here.",
            hint="Convert it: jupyter nbconvert --to notebook FILE",
        )
    if not isinstance(notebook.get("cells"), list):
        raise ExerciseError(f"{label} is no notebook: it has no list of cells.")
    return notebook


def _cell(index: int, raw: Any, label: str) -> Cell:
    source = raw.get("source") if isinstance(raw, dict) else None
    if isinstance(source, list):
        source = "".join(map(str, source))
    if not isinstance(source, str):
        raise ExerciseError(f"{label} is no notebook: its cell {index + 1} has no text.")
    told = _dict(raw.get("metadata"), "nbgrader")
    kind = str(raw.get("cell_type", "code"))
    graded, solution = bool(told.get("grade")), bool(told.get("solution"))
    # nbgrader's task cells (schema 3) are marked by a person, as written answers are.
    if told.get("task") or (graded and solution) or (solution and kind != "code"):
        role = Role.WRITTEN
    elif solution:
        role = Role.ANSWER
    else:
        role = Role.TEST if graded and kind == "code" else Role.GIVEN
    return Cell(
        index=index,
        kind=kind,
        text=source,
        role=role,
        grade_id=str(told.get("grade_id") or ""),
        points=_number(told.get("points")) if role in (Role.TEST, Role.WRITTEN) else 0.0,
        id=str(raw.get("id") or ""),
    )


def _dict(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(value: Any) -> float:
    """A number that was written as one; 0 for anything else, and for what no float holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        number = float(value)
    except OverflowError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _heading(cells: tuple[Cell, ...]) -> str:
    for cell in cells:
        found = re.search(r"^#+ +(.+)$", cell.text, re.MULTILINE) if cell.kind == "markdown" else None
        if found:
            return found[1].strip()
    return ""
