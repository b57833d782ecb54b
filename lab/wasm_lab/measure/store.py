"""Measurements: samples together, saved as flat rows that any other tool can read."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from wasm_lab.errors import UsageError
from wasm_lab.measure.sample import Sample

if TYPE_CHECKING:
    import pandas

_FIELDS = {field.name: field for field in dataclasses.fields(Sample)}
_REQUIRED = [name for name, field in _FIELDS.items() if field.default is dataclasses.MISSING]
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Measurements(Sequence[Sample]):
    """Samples, in the order in which they were taken.

    Args:
        samples: one for each value.
        interrupted: whether somebody stopped the sampling before its plan was fulfilled.

    Example:
        >>> Measurements().save(Path("fib.jsonl"))  # doctest: +SKIP
        >>> Measurements.load(Path("fib.jsonl")).where(phase="steady call").frame()  # doctest: +SKIP
    """

    samples: tuple[Sample, ...] = ()
    interrupted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", tuple(self.samples))

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Sample, ...]: ...
    def __getitem__(self, index: int | slice) -> Sample | tuple[Sample, ...]:
        return self.samples[index]

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    def __repr__(self) -> str:
        subjects = ", ".join(self.values_of("subject"))
        return f"<Measurements: {len(self)} samples{' of ' if subjects else ''}{subjects}>"

    def __add__(self, other: Measurements) -> Measurements:
        return Measurements(self.samples + other.samples, self.interrupted or other.interrupted)

    def where(self, **fields: Any) -> Measurements:
        """The samples whose fields have these values; a list, tuple or set means any of its members.

        Example:
            >>> Measurements().where(subject="node", phase=("load", "compile"))
            <Measurements: 0 samples>

        Raises:
            UsageError: a sample has no such field.
        """
        _known(fields)
        tests = [
            (name, wanted if isinstance(wanted, (list, tuple, set, frozenset)) else (wanted,))
            for name, wanted in fields.items()
        ]
        kept = tuple(s for s in self.samples if all(getattr(s, name) in any_of for name, any_of in tests))
        return Measurements(kept, self.interrupted)

    def values_of(self, field: str) -> tuple[Any, ...]:
        """Each different value of one field, in order of first appearance."""
        _known((field,))
        return tuple(dict.fromkeys(getattr(sample, field) for sample in self.samples))

    def frame(self) -> pandas.DataFrame:
        """A table with one row for each sample and one column for each of its fields."""
        import pandas

        return pandas.DataFrame(
            {name: [getattr(sample, name) for sample in self.samples] for name in _FIELDS},
            columns=list(_FIELDS),
        )

    def save(self, path: Path) -> None:
        """Write one row for each sample; the file is replaced in one step or left as it was.

        Args:
            path: ends in ``.jsonl`` (an object on each line) or ``.csv`` (with a line of names).

        Raises:
            UsageError: another suffix, or the file cannot be written.
        """
        from boltons.fileutils import atomic_save

        path = Path(path)
        text = _form(path).write(self.samples)
        try:
            with atomic_save(str(path), overwrite=True) as file:
                # Unpaired surrogates stand for bytes of a file name that are no text.
                file.write(text.encode("utf-8", "surrogatepass"))
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror or error}.", hint="Name another file."
            ) from error

    @classmethod
    def load(cls, path: Path) -> Measurements:
        """Read what `save` wrote.

        Raises:
            UsageError: another suffix, no such file, or a damaged line, which the message names.
        """
        path = Path(path)
        form = _form(path)
        try:
            text = path.read_bytes().decode("utf-8-sig", "surrogatepass")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror or error}.",
                hint="Name a file that --save has written.",
            ) from error
        except UnicodeDecodeError as error:
            raise _damaged(path, 1, "it is not text in UTF-8") from error
        return cls(tuple(form.read(path, text)))


class _JsonLines:
    @staticmethod
    def write(samples: Sequence[Sample]) -> str:
        rows = (json.dumps({name: getattr(s, name) for name in _FIELDS}) for s in samples)
        return "".join(f"{row}\n" for row in rows)

    @staticmethod
    def read(path: Path, text: str) -> Iterator[Sample]:
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise _damaged(path, number, f"it is not JSON: {error}") from error
            if not isinstance(row, dict):
                raise _damaged(path, number, "it is not an object")
            yield _sample(path, number, row)


class _Csv:
    @staticmethod
    def write(samples: Sequence[Sample]) -> str:
        out = io.StringIO()
        # All text is quoted: a lone carriage return would be left bare before Python 3.13.
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerow(_FIELDS)
        writer.writerows([getattr(s, name) for name in _FIELDS] for s in samples)
        return out.getvalue()

    @staticmethod
    def read(path: Path, text: str) -> Iterator[Sample]:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            names = next(reader, None)
            if names is None:
                return
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise _damaged(
                        path,
                        reader.line_num,
                        f"it has {len(cells)} cells and not {len(names)} as its heading",
                    )
                row = {name: _read_cell(name, cell) for name, cell in zip(names, cells, strict=True)}
                yield _sample(path, reader.line_num, row)
        except csv.Error as error:
            raise _damaged(path, reader.line_num, str(error)) from error


_FORMS: dict[str, type[_JsonLines] | type[_Csv]] = {".jsonl": _JsonLines, ".csv": _Csv}


def check_suffix(path: Path) -> None:
    """Refuse a name that does not say how samples are written, before anything is measured.

    Raises:
        UsageError: it ends neither in ``.jsonl`` nor in ``.csv``.
    """
    _form(path)


def _form(path: Path) -> type[_JsonLines] | type[_Csv]:
    form = _FORMS.get(path.suffix.lower())
    if form is None:
        raise UsageError(
            f"{path} does not say how samples are written in it.",
            hint="Let the name end in .jsonl (JSON lines) or .csv.",
        )
    return form


def _read_cell(name: str, cell: str) -> Any:
    """A cell as its field's type; what cannot be one stays text, and is refused with its name later."""
    kind = str(_FIELDS[name].type) if name in _FIELDS else "str"
    try:
        if kind == "bool":
            return _TRUTH.get(cell.lower(), cell)
        return {"int": int, "float": float, "str": str}[kind](cell)
    except ValueError:
        return cell


def _sample(path: Path, number: int, row: dict[str, Any]) -> Sample:
    for name in _REQUIRED:
        if name not in row:
            raise _damaged(path, number, f"it has no {name}")
    for name, value in list(row.items()):
        if name not in _FIELDS:
            raise _damaged(path, number, f"{name!r} is no field of a sample")
        kind = str(_FIELDS[name].type)
        if kind == "float" and type(value) is int:
            row[name] = _whole_as_float(value)
        if type(row[name]).__name__ != kind:
            raise _damaged(path, number, f"{name} is {value!r}, which is not of type {kind}")
        if kind == "float" and not math.isfinite(row[name]):
            raise _damaged(path, number, f"{name} is {value!r}, which is no quantity")
    return Sample(**row)


def _whole_as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _damaged(path: Path, number: int, why: str) -> UsageError:
    return UsageError(
        f"Line {number} of {path} cannot be read as a sample: {why}.",
        hint="Remove that line, or name a file that --save has written whole.",
    )


def _known(names: Sequence[str] | dict[str, Any]) -> None:
    for name in names:
        if name not in _FIELDS:
            raise UsageError(f"A sample has no field {name!r}.", hint=f"It has {', '.join(_FIELDS)}.")
