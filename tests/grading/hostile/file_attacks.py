"""Hostile notebooks, names, folders and archives. Each gives the files below the folder of submissions."""

from __future__ import annotations

import copy
import io
import json
import stat
import struct
import zipfile
from typing import TYPE_CHECKING, Any

from .course import RIGHT, SOLUTIONS, WRONG, handed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from .course import World

#: A path below the folder of submissions, and what lies there; a text is where a link leads.
Files = dict[str, "bytes | str"]


def _text(notebook: Any) -> bytes:
    return json.dumps(notebook).encode()


def _wrong() -> dict[str, Any]:
    return handed_in("functions", WRONG)


def _cell(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    for cell in notebook["cells"]:
        if cell["metadata"]["nbgrader"]["grade_id"] == grade_id:
            found: dict[str, Any] = cell
            return found
    raise KeyError(grade_id)


def _with(change: Callable[[dict[str, Any]], Any]) -> Callable[[str, World], Files]:
    """A notebook with a wrong answer, in which something more was changed."""

    def make(student: str, world: World) -> Files:
        notebook = _wrong()
        changed = change(notebook)
        return {f"{student}/functions.ipynb": _text(notebook if changed is None else changed)}

    return make


def _raw(data: bytes) -> Callable[[str, World], Files]:
    return lambda student, world: {f"{student}/functions.ipynb": data}


def _magic(magic: str) -> Callable[[str, World], Files]:
    def make(student: str, world: World) -> Files:
        changed = magic.replace("PATH", str(world.secret))
        return {f"{student}/functions.ipynb": _text(handed_in("functions", WRONG, magic=changed))}

    return make


def _told(grade_id: str, /, **told: Any) -> Callable[[str, World], Files]:
    return _with(lambda notebook: _cell(notebook, grade_id)["metadata"]["nbgrader"].update(told))


def _source(grade_id: str, text: str) -> Callable[[str, World], Files]:
    return _with(lambda notebook: _cell(notebook, grade_id).update(source=text))


def _output(data: dict[str, Any]) -> Callable[[str, World], Files]:
    def change(notebook: dict[str, Any]) -> None:
        for grade_id in ("visible", "hidden", "answer"):
            output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
            _cell(notebook, grade_id).update(outputs=[output], execution_count=1)

    return _with(change)


def _without(*grade_ids: str) -> Callable[[str, World], Files]:
    def change(notebook: dict[str, Any]) -> None:
        notebook["cells"] = [
            cell for cell in notebook["cells"] if cell["metadata"]["nbgrader"]["grade_id"] not in grade_ids
        ]

    return _with(change)


def _added(*cells: dict[str, Any], first: bool = False) -> Callable[[str, World], Files]:
    def change(notebook: dict[str, Any]) -> None:
        more = copy.deepcopy(list(cells))
        notebook["cells"] = [*more, *notebook["cells"]] if first else [*notebook["cells"], *more]

    return _with(change)


def _code(text: str, grade_id: str = "", **metadata: Any) -> dict[str, Any]:
    nbgrader = {
        "grade_id": grade_id,
        "grade": True,
        "solution": False,
        "locked": False,
        "points": 5,
        "schema_version": 3,
    }
    told = {"nbgrader": nbgrader} if grade_id else {}
    return {
        "cell_type": "code", "id": "x", "metadata": told | metadata, "source": text, "outputs": [], "execution_count": 1,
    }  # fmt: skip


def _swap(notebook: dict[str, Any]) -> None:
    _cell(notebook, "visible")["metadata"]["nbgrader"].update(grade_id="other")
    _cell(notebook, "hidden")["metadata"]["nbgrader"].update(grade_id="visible")


def _tag(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"].update(tags=["raises-exception", "parameters", "injected-parameters"])


EVIL = "import os; os.system('touch evil-hostile'); open('/tmp/evil-hostile', 'w')"
SCORE = {"max_points": 4.0, "points": 4.0, "cases": [{"name": "negative", "passed": True, "message": ""}]}

NOTEBOOKS = {
    "changed magic lines": {
        "bash": _magic("%%bash"),
        "a shell": _magic("!touch PATH.evil #"),
        "python": _magic("%%python"),
        "folders": _magic("%%wasm_rust --name answer --dir /::/"),
        "tests": _magic("%%wasm_rust --name answer --test"),
        "real clock": _magic("%%wasm_rust --name answer --clock real --inherit-env --timeout none"),
        "another name": _magic("%%wasm_rust --name cases"),
        "another runtime": _magic("%%wasm_rust --name answer --runtime wasmer"),
        "a program": _magic("%%wasm_rust --name answer --args {get_ipython()} --stdin PATH"),
        "none": _with(lambda notebook: _cell(notebook, "answer").update(source=WRONG)),
        "twice": _magic("%%wasm_rust --name answer\n%%wasm_rust --name answer"),
        "a line before": _magic("\n\n%%wasm_rust --name answer"),
    },
    "metadata edited": {
        "points": _told("visible", points=500),
        "negative points": _told("hidden", points=-5),
        "no tests": _told("hidden", grade=False),
        "answer is graded": _told("answer", grade=True, points=100),
        "a text for points": _told("hidden", points="NaN"),
        "huge points": _told("hidden", points=10**400),
        "unlocked": _told("hidden", locked=False, solution=True),
        "ids swapped": _with(_swap),
        "look-alike id": _told("answer", grade_id="\u0430nswer"),
        "an id that is a list": _told("answer", grade_id=["answer"]),
        "an id with a path": _told("answer", grade_id="../../answer"),
        "another kernel": _with(lambda notebook: notebook["metadata"].update(kernelspec={"name": "bash", "display_name": "x", "language": "sh"})),
        "another exercise": _with(lambda notebook: notebook["metadata"]["wasm_lab"]["exercise"].update(title="Totals", chapter="02_hostile", fuel=10**18, deadline_s=1e9)),
        "papermill's": _with(lambda notebook: notebook["metadata"].update(papermill={"parameters": {"wasm_lab_judge": {"walls": False}}})),
        "tags": _with(_tag),
    },
    "tests replaced": {
        "a full score": _source("hidden", "5.0"),
        "nothing": _source("hidden", ""),
        "evil": _source("hidden", EVIL),
        "setup": _source("setup", "import wasm_lab.exercises as e\ne.Cases.equal = lambda *a, **k: None\n" + EVIL),
        "cases of its own": _source("visible", "class Cases:\n    def score(self): return 5.0\nCases().score()"),
        "story": _source("story", "<script>alert(1)</script>"),
    },
    "outputs forged": {
        "cases": _output({"text/plain": "4.0", "application/vnd.wasm-lab.cases+json": SCORE}),
        "judged": _output({"text/plain": "Judged.", "application/vnd.wasm-lab.judged+json": {"audit": [{"x": 1}]}}),
        "HTML": _output({"text/html": "<script>alert(1)</script>", "text/plain": "5"}),
        "a widget": _output({"application/vnd.jupyter.widget-view+json": {"model_id": "x"}, "application/javascript": "alert(1)"}),
    },
    "cells added": {
        "Python": _added(_code(EVIL)),
        "first": _added(_code(EVIL), first=True),
        "parameters": _added(_code("wasm_lab_judge = {'walls': False}", tags=["parameters"]), first=True),
        "injected": _added(_code("wasm_lab_judge = {'walls': False}", tags=["injected-parameters"]), first=True),
        "a second test": _added(_code("4.0", "hidden")),
        "a second answer": _added(_code(f"%%bash\n{EVIL}", "answer", tags=["x"])),
        "ids of the judge's cells": _added(_code(EVIL) | {"id": "cell-0"}, _code(EVIL) | {"id": "cell-1"}),
        "a thousand answers": _added(*[_code(f"%%wasm_rust --name answer\n{WRONG}// {n}", "answer") for n in range(1000)]),
        "a wrong kind": _added({"cell_type": "widget", "metadata": 7, "source": {"a": 1}}, first=True),
    },
    "cells missing": {
        "tests": _without("visible", "hidden"),
        "answer": _without("answer"),
        "all": _with(lambda notebook: notebook.update(cells=[])),
        "all but tests": _without("setup", "story", "answer", "why"),
    },
    "notebooks that are too much": {
        "a million cells": _raw(b'{"nbformat": 4, "metadata": {}, "cells": [' + b'{"cell_type":"code"},' * 999_999 + b"{}]}"),
        "deep": _raw(b'{"nbformat": 4, "cells": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
        "a long line": _source("answer", "%%wasm_rust --name answer\n" + "a" * 2_000_000),
        "a long number": _raw(b'{"nbformat": 4, "cells": [], "x": ' + b"9" * 1_000_000 + b"}"),
        "metadata": _with(lambda notebook: notebook["metadata"].update({f"k{n}": "v" * 50 for n in range(50_000)})),
        "a large output": _output({"image/png": "A" * 15_000_000}),
        "too large": _raw(b" " * (21 << 20)),
    },
    "notebooks that are broken": {
        "cut": _raw(_text(_wrong())[:-200]),
        "UTF-16": _raw(json.dumps(_wrong()).encode("utf-16")),
        "Latin-1": _raw(_text(_wrong()).replace(b"Functions", b"F\xfcnctions")),
        "NULs": _raw(b"\0" * 1000),
        "nothing": _raw(b""),
        "a number": _raw(b"7"),
        "NaN": _raw(b'{"nbformat": NaN, "cells": Infinity}'),
        "a key twice": _raw(_text(_wrong())[:-1] + b', "cells": []}'),
        "format 3": _with(lambda notebook: notebook.update(nbformat=3, worksheets=[{"cells": []}])),
        "surrogates": _source("answer", "%%wasm_rust --name answer\n// \ud800\n" + WRONG),
        "a pickle": _raw(b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x94\x8c\x04true\x85R."),
        "a program": _raw(b"#!/bin/sh\ntouch evil-hostile\n"),
    },
}  # fmt: skip


def _zip(entries: list[tuple[Any, bytes]]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            info = name
            if isinstance(name, str):
                info = zipfile.ZipInfo("x", (2026, 1, 1, 0, 0, 0))
                info.filename = info.orig_filename = name
            archive.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _special(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    return info


def _archive(*entries: tuple[Any, bytes]) -> Callable[[str, World], Files]:
    return lambda student, world: {f"{student}/work.zip": _zip(list(entries))}


def _linked(student: str, world: World) -> Files:
    link = _special("out", stat.S_IFLNK)
    return {
        f"{student}/work.zip": _zip(
            [(link, str(world.secret.parent).encode()), ("out/functions.ipynb", _text(_wrong()))]
        )
    }


def _lies(student: str, world: World) -> Files:
    bomb = bytearray(_zip([("functions.ipynb", b" " * (50 << 20))]))
    at = bomb.rindex(b"PK\x01\x02")
    bomb[at + 24 : at + 28] = struct.pack("<L", 1000)
    return {f"{student}/work.zip": bytes(bomb)}


ARCHIVES = {
    "names in archives": {
        "parents": _archive(("../../evil-hostile.ipynb", _text(_wrong()))),
        "absolute": _archive(("/tmp/evil-hostile", b"x")),
        "backslashes": _archive(("..\\..\\evil-hostile.ipynb", _text(_wrong()))),
        "a NUL": _archive(("functions.ipynb\0.png", _text(_wrong()))),
        "a device": _archive(("con.ipynb", _text(_wrong()))),
        "another student's": _archive(("../honest-one/functions.ipynb", _text(_wrong()))),
        "direction": _archive(("functions\u202ebnypi.ipynb", _text(_wrong()))),
    },
    "links in archives": {
        "to a file": lambda student, world: {f"{student}/work.zip": _zip([(_special("functions.ipynb", stat.S_IFLNK), str(world.secret).encode())])},
        "to a folder": _linked,
        "a pipe": _archive((_special("functions.ipynb", stat.S_IFIFO), b"")),
        "a device": _archive((_special("functions.ipynb", stat.S_IFCHR), b"")),
    },
    "archives that are bombs": {
        "ratio": _archive(("functions.ipynb", b" " * (100 << 20))),
        "a lie": _lies,
        "many": _archive(*[(f"{n}/functions.ipynb", b"{" * 500_000) for n in range(300)]),
        "nested": lambda student, world: {f"{student}/work.zip": _zip([("a.zip", _zip([("b.zip", _zip([("functions.ipynb", _text(_wrong()))]))]))])},
        "entries": _archive(*[(f"{n}.txt", b"") for n in range(5000)]),
        "broken": lambda student, world: {f"{student}/work.zip": b"PK\x03\x04" + b"\xff" * 100},
    },
    "links in folders": {
        "to the secret": lambda student, world: {f"{student}/functions.ipynb": str(world.secret)},
        "to another student": lambda student, world: {f"{student}/functions.ipynb": "../honest-one/functions.ipynb"},
        "to itself": lambda student, world: {f"{student}/functions.ipynb": "functions.ipynb"},
        "a folder": lambda student, world: {f"{student}/all": "/"},
        "to the master": lambda student, world: {f"{student}/functions.ipynb": "../../course/source/01_hostile/functions.ipynb"},
    },
}  # fmt: skip


def _named(name: str, *, file: str = "functions.ipynb") -> Callable[[str, World], Files]:
    return lambda student, world: {f"{name}/{file}": _text(_wrong())}


NAMES = {
    "names of students": {
        "a formula": _named("=cmd|' C calc'!A0"),
        "another formula": _named("@SUM(1+1)*2"),
        "HTML": _named("<img src=x onerror=alert(1)>"),
        "ANSI": _named("\x1b[2J\x1b]0;owned\x07"),
        "direction": _named("\u202eeno-tsenoh"),
        "another case": _named("Honest-One"),
        "look-alike": _named("h\u043enest-one"),
        "a blank": _named("honest-one "),
        "zero width": _named("honest\u200b-one"),
        "wide": _named("\uff48onest-one"),
        "the journal": _named("journal.jsonl"),
        "the lock": _named("journal.lock"),
        "pages": _named("students"),
        "the gradebook": _named("gradebook.db"),
        "instructor": _named("instructor"),
        "an option": _named("--without-walls"),
        "dots": _named("..."),
        "a device": _named("CON"),
        "long": _named("n" * 255),
        "columns": _named('a,b;"c\nd'),
        "XML": _named("]]><x/>&amp;"),
        "not UTF-8": _named("\udcff\udcfe"),
        "Moodle's of another": _named("Honest One_1_assignsubmission_file_"),
        "Canvas's": lambda student, world: {"honestone_LATE_1_2_functions.ipynb": _text(_wrong())},
        "a placeholder": _named("{student} %s {0.__class__}"),
        "SQL": _named("x'; DROP TABLE student; --"),
    },
    "names of files": {
        "another student's": lambda student, world: {f"{student}/honest-one/functions.ipynb": _text(_wrong())},
        "a copy": lambda student, world: {f"{student}/functions.ipynb": _text(_wrong()), f"{student}/functions-Copy1.ipynb": _text(_wrong())},
        "in another chapter": lambda student, world: {f"{student}/02_hostile/functions.ipynb": _text(_wrong())},
        "another exercise's": lambda student, world: {f"{student}/totals.ipynb": _text(_wrong())},
        "many": lambda student, world: {f"{student}/functions-{n}.ipynb": b"{}" for n in range(300)},
        "deep": lambda student, world: {f"{student}/{'d/' * 60}functions.ipynb": _text(_wrong())},
        "a timestamp": lambda student, world: {f"{student}/functions.ipynb": _text(_wrong()), f"{student}/timestamp.txt": b"1970-01-01 00:00:00 UTC"},
        "a timestamp that is none": lambda student, world: {f"{student}/functions.ipynb": _text(_wrong()), f"{student}/timestamp.txt": b"9999-99-99" * 100},
        "configuration": lambda student, world: {f"{student}/functions.ipynb": _text(_wrong()), f"{student}/nbgrader_config.py": EVIL.encode(), f"{student}/sitecustomize.py": EVIL.encode(), f"{student}/wasm_lab.py": EVIL.encode()},
        "a journal": lambda student, world: {f"{student}/functions.ipynb": _text(_wrong()), f"{student}/journal.jsonl": b'{"outcome": {"points": 5}}\n'},
    },
}  # fmt: skip


def harmless(student: str, world: World) -> Files:
    """Right answers with hostile surroundings: they keep all of their points, and gain nothing."""
    notebook = handed_in("functions", RIGHT, magic="%%bash")
    _cell(notebook, "hidden")["metadata"]["nbgrader"]["points"] = 0
    notebook["metadata"]["wasm_lab"]["exercise"]["fuel"] = 1
    return {f"{student}/functions.ipynb": _text(notebook)}


def honest(student: str, bodies: dict[str, str]) -> Files:
    """What a student hands in who does nothing strange."""
    assert set(bodies) <= set(SOLUTIONS)
    return {
        f"{student}/{exercise}.ipynb": _text(handed_in(exercise, body)) for exercise, body in bodies.items()
    }
