"""Archives made to escape, to fill memory or to be read twice: refused in a line, and nothing is written."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.grading import entries
from wasm_lab.grading.collect import collect


def packed(files, *, how=zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of names (or ZipInfo) and bytes, in the given order, doubled names included."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, data in files:
            archive.writestr(name, data, compress_type=how)
    return stream.getvalue()


def named(name: str) -> zipfile.ZipInfo:
    """An entry with exactly this name; zipfile itself would clean it."""
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    return info


def of_ada(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "in" / "ada" / "work.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    (tmp_path / "in" / "bob").mkdir()
    return tmp_path / "in"


def refused(collected) -> list[str]:
    return [note.message for note in collected.notes if note.kind == "refused"]


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


NAMES = {
    "parent": "../add.ipynb",
    "many parents": "../../../../../../tmp/add.ipynb",
    "parent in the middle": "01/../../add.ipynb",
    "parent at the end": "add.ipynb/..",
    "absolute": "/tmp/add.ipynb",
    "two slashes": "//server/share/add.ipynb",
    "slash within": "a//add.ipynb",
    "dot": "./add.ipynb",
    "drive": "C:/add.ipynb",
    "drive without slash": "c:add.ipynb",
    "backslash": "..\\add.ipynb",
    "backslash absolute": "\\\\server\\add.ipynb",
    "backslash parents": "..\\..\\add.ipynb",
    "backslash parents within": "01\\..\\..\\add.ipynb",
    "backslash drive": "C:\\add.ipynb",
    "backslash alone": "\\",
    "empty": "",
    "nul": "add.ipynb\0.txt",
    "nul first": "\0add.ipynb",
    "nul and slash": "add\0/",
    "escape": "\x1b[2Jadd.ipynb",
    "newline": "add\n.ipynb",
    "bidi": "add\u202ebnypi.ipynb",
    "isolate": "\u2066add\u2069.ipynb",
    "zero width": "a\u200bdd.ipynb",
    "line separator": "add\u2028.ipynb",
    "device": "con.ipynb",
    "device with an ending": "a/LPT1.tar.ipynb",
    "device with a blank": "nul .ipynb",
    "trailing dot": "a./add.ipynb",
    "trailing blank": "a /add.ipynb",
    "long": "a" * 2000 + "/add.ipynb",
    "deep": "a/" * 50 + "add.ipynb",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, course, handed, name):
    root = of_ada(tmp_path, packed([(named(name), handed.bytes()), ("port.ipynb", handed.bytes("port"))]))
    before = everything(tmp_path)
    collected = collect(root, course)
    assert [one.exercise for one in collected.submissions] == ["port"]
    assert len(refused(collected)) == 1
    assert all(note.file.isprintable() for note in collected.notes)
    assert everything(tmp_path) == before


def test_backslashes_of_powershell_are_read_as_slashes(tmp_path, course, handed):
    """Compress-Archive of Windows PowerShell 5.1, with the entry of a folder."""
    files = [("01_rust_cells\\", b""), ("01_rust_cells\\add.ipynb", handed.bytes())]
    collected = collect(of_ada(tmp_path, packed([(named(name), data) for name, data in files])), course)
    assert [one.file for one in collected.submissions] == ["ada/work.zip/01_rust_cells/add.ipynb"]
    assert not collected.notes


def test_a_backslash_beside_a_slash_is_refused(tmp_path, course, handed):
    files = [(named("a\\add.ipynb"), handed.bytes()), ("b/port.ipynb", handed.bytes("port"))]
    collected = collect(of_ada(tmp_path, packed(files)), course)
    assert [one.exercise for one in collected.submissions] == ["port"]
    assert refused(collected) == ["Its name holds a backslash."]


@pytest.mark.parametrize("name", ["", "\0add.ipynb"], ids=["empty", "nul first"])
@pytest.mark.parametrize("packing", ["export", "export in a folder"])
def test_an_entry_without_a_name_in_an_export_is_a_line(tmp_path, course, handed, name, packing):
    root = tmp_path / "in" / "export.zip"
    root.parent.mkdir()
    root.write_bytes(packed([(named(name), b""), ("byronada_41_977_add.ipynb", handed.bytes())]))
    collected = collect(root if packing == "export" else root.parent, course)
    assert [one.student for one in collected.submissions] == ["byronada_41"]
    assert refused(collected) == ["Its name is empty or holds a NUL."]


@pytest.mark.parametrize("place", ["ada/work.zip", "export.zip"])
def test_a_mistake_of_ours_with_an_archive_is_one_line(tmp_path, course, handed, monkeypatch, place):
    def wrong(archive):
        raise ZeroDivisionError
        yield

    monkeypatch.setattr(entries.Archive, "files", wrong)
    root = tmp_path / "in"
    for name, data in ((place, packed([("add.ipynb", b"")])), ("bob/add.ipynb", handed.bytes())):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    collected = collect(root, course)
    assert [one.student for one in collected.submissions] == ["bob"]
    assert [(note.kind, note.file) for note in collected.notes] == [("refused", place)]
    assert "ZeroDivisionError" in collected.notes[0].message
    if place == "export.zip":
        with pytest.raises(UsageError, match="ZeroDivisionError"):
            collect(root / place, course)


@pytest.mark.parametrize(
    ("kind", "system"),
    [(stat.S_IFLNK, 3), (stat.S_IFLNK, 0), (stat.S_IFIFO, 3), (stat.S_IFCHR, 3), (stat.S_IFSOCK, 3)],
    ids=["link", "link said to be of DOS", "pipe", "device", "socket"],
)
def test_what_is_no_file_is_refused(tmp_path, course, kind, system):
    info = zipfile.ZipInfo("add.ipynb")
    info.create_system = system
    info.external_attr = (kind | 0o777) << 16
    collected = collect(of_ada(tmp_path, packed([(info, b"/etc/passwd")])), course)
    assert not collected.submissions
    assert len(refused(collected)) == 1


def test_a_link_and_a_file_through_it(tmp_path, course, handed):
    """The way in which a link leads out: the first entry is a link to a folder, the second lies in it."""
    link = zipfile.ZipInfo("out")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    before = everything(tmp_path)
    root = of_ada(tmp_path, packed([(link, str(tmp_path).encode()), ("out/add.ipynb", handed.bytes())]))
    made = everything(tmp_path)
    collected = collect(root, course)
    assert [one.exercise for one in collected.submissions] == ["add"]
    assert everything(tmp_path) == made != before


def peak_mib(run) -> float:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def test_a_bomb_by_ratio_is_not_unpacked(tmp_path, course):
    root = of_ada(tmp_path, packed([("add.ipynb", b" " * (100 << 20))]))
    assert peak_mib(lambda: collect(root, course)) < 20
    assert "unpacks to more than 200 times" in refused(collect(root, course))[0]


def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path, course):
    """The size in the directory is small, and the stream is not."""
    bomb = bytearray(packed([("add.ipynb", b" " * (100 << 20))]))
    at = bomb.rindex(b"PK\x01\x02")
    bomb[at + 24 : at + 28] = struct.pack("<L", 1000)
    root = of_ada(tmp_path, bytes(bomb))
    assert peak_mib(lambda: collect(root, course)) < 50  # twice what is read of any file
    assert len(refused(collect(root, course))) == 1


def test_a_bomb_of_many_files_is_not_unpacked(tmp_path, course):
    """Each is small enough, and all of them together are not."""
    one = bytes(range(256)) * (2 << 10)  # half a megabyte, below which no ratio matters
    root = of_ada(tmp_path, packed([(f"{number}/add.ipynb", one) for number in range(600)]))
    collected = collect(root, course)
    assert any("more notes" in message or "unpacks to more" in message for message in refused(collected))
    assert peak_mib(lambda: collect(root, course)) < 20


def test_files_that_overlap_are_refused(tmp_path, course, monkeypatch):
    """Many entries of one stream (Fifield's better zip bomb): what is read in all has a bound."""
    monkeypatch.setattr(entries, "UNPACKED_BYTES", 1 << 20)
    data = b"x" * (1 << 19)
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = raw.compress(data) + raw.flush()
    crc = zlib.crc32(data)
    local = (
        struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(stream), len(data), 9, 0)
        + b"add.ipynb"
        + stream
    )
    directory = b""
    for _ in range(1000):
        head = (b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(stream), len(data), 9, 0, 0, 0, 0, 0, 0)
        directory += struct.pack("<4s6H3L5H2L", *head) + b"add.ipynb"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(directory), len(local), 0)
    collected = collect(of_ada(tmp_path, local + directory + end), course)
    assert not any(one.bodies for one in collected.submissions)
    assert any("unpacks to more" in message or "Overlapped" in message for message in refused(collected))


def two_archives(
    tmp_path: Path, files, *, names=("byronada_41_977_a.zip", "byronada_41_978_a-1.zip")
) -> Path:
    root = tmp_path / "in"
    root.mkdir()
    for name in names:
        (root / name).write_bytes(packed([(f"{name}/{file}", data) for file, data in files]))
    return root


def test_many_archives_may_list_no_more_than_one(tmp_path, course, handed, monkeypatch):
    monkeypatch.setattr(entries, "STUDENT_ENTRIES", 10)
    notes = [(f"{number}.txt", b"") for number in range(6)]
    collected = collect(two_archives(tmp_path, [("add.ipynb", handed.bytes()), *notes]), course)
    assert refused(collected) == ["It and what was looked at before lists more than 10 files."]
    assert [one.file.partition("/")[0] for one in collected.submissions] == ["byronada_41_978_a-1.zip"], (
        "latest"
    )


def test_many_archives_are_no_larger_than_one(tmp_path, course, handed, monkeypatch):
    root = two_archives(tmp_path, [("add.ipynb", handed.bytes())])
    size = max(path.stat().st_size for path in root.iterdir())
    monkeypatch.setattr(entries, "STUDENT_ARCHIVE_BYTES", size + 10)
    collected = collect(root, course)
    assert [message[:33] for message in refused(collected)] == ["This student's archives are large"]
    assert [one.file.partition("/")[0] for one in collected.submissions] == ["byronada_41_978_a-1.zip"]


@pytest.mark.parametrize("packing", ["archives", "files"])
def test_all_notebooks_of_a_student_have_one_limit(tmp_path, course, handed, monkeypatch, packing):
    data = handed.bytes()
    monkeypatch.setattr(entries, "UNPACKED_BYTES", len(data) * 3 // 2)
    root = tmp_path / "in"
    if packing == "archives":
        two_archives(tmp_path, [("add.ipynb", data)])
    else:
        for name in ("byronada_41_977_add.ipynb", "byronada_41_978_add-1.ipynb"):
            root.mkdir(exist_ok=True)
            (root / name).write_bytes(data)
    collected = collect(root, course)
    assert len([one for one in refused(collected) if "unpacks to more" in one]) == 1
    (one,) = collected.submissions
    assert one.bodies
    assert "_978_" in one.file


@pytest.mark.parametrize(("name", "most"), [("add", 50), ("work", 50), ("odd", 200)])
def test_so_many_notebooks_of_a_student_are_looked_at(tmp_path, course, handed, monkeypatch, name, most):
    from wasm_lab.grading import collect as module

    counts = {"read": 0, "taken": 0}

    def counted(what, real):
        def call(*args, **options):
            counts[what] += 1
            return real(*args, **options)

        return call

    monkeypatch.setattr(module, "read_notebook", counted("read", module.read_notebook))
    monkeypatch.setattr(module, "take_answers", counted("taken", module.take_answers))
    data = handed.bytes(answer="mine") if name != "odd" else b'{"nbformat": 4, "cells": []}'
    files = [(f"{number:03}/{name}.ipynb", data) for number in range(220)]
    collected = collect(of_ada(tmp_path, packed(files)), course)
    assert counts == {"read": 50 if name == "add" else 200, "taken": 0 if name == "odd" else 50}
    assert any(f"{most} notebooks" in message for message in refused(collected))
    assert [one.bodies["answer"] for one in collected.submissions] == ["mine"] * (name != "odd")


def test_an_archive_of_a_million_entries_is_not_listed(tmp_path, course):
    head = (b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
    directory = (struct.pack("<4s6H3L5H2L", *head) + b"a") * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(directory), 0, 0)
    root = of_ada(tmp_path, directory + end)
    assert peak_mib(lambda: collect(root, course)) < 150  # the file itself is 47 MiB
    assert refused(collect(root, course)) == ["It lists more than 2000 files."]


def test_archives_in_archives_are_opened_once(tmp_path, course, handed):
    inner = packed([("add.ipynb", handed.bytes())])
    collected = collect(of_ada(tmp_path, packed([("a.zip", inner), ("b.ZIP", inner)])), course)
    assert not collected.submissions
    assert refused(collected) == ["An archive within an archive is not opened."] * 2


def test_an_archive_that_holds_itself_ends(tmp_path, course):
    data = packed([("x.zip", b"")])
    for _ in range(5):
        data = packed([("x.zip", data)])
    assert len(refused(collect(of_ada(tmp_path, data), course))) == 1


def test_an_encrypted_file_is_refused(tmp_path, course, handed):
    data = bytearray(packed([("add.ipynb", handed.bytes())]))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = data.index(mark) + at
        data[place] |= 1
    collected = collect(of_ada(tmp_path, bytes(data)), course)
    assert refused(collected) == ["It is encrypted."]


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_packings_that_explode_in_one_step_are_refused(tmp_path, course, handed, how):
    collected = collect(of_ada(tmp_path, packed([("add.ipynb", handed.bytes())], how=how)), course)
    assert not collected.submissions
    assert len(refused(collected)) == 1


DAMAGE = {
    "no end": lambda data: data[:-30],
    "half": lambda data: data[: len(data) // 2],
    "nothing": lambda data: b"",
    "no archive": lambda data: b"MZ" * 100,
    "wrong checksum": lambda data: data.replace(data[60:64], b"\0\1\2\3", 1),
    "end points nowhere": lambda data: data[:-6] + b"\xff\xff\xff\x7f\0\0",
    "directory of rubbish": lambda data: data[: data.index(b"PK\1\2")] + b"\0" * 60 + data[-22:],
    "every tenth byte": lambda data: bytes(0 if n % 10 == 3 else byte for n, byte in enumerate(data)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_archive_is_a_line(tmp_path, course, handed, damage):
    collected = collect(of_ada(tmp_path, damage(packed([("add.ipynb", handed.bytes())]))), course)
    assert not any(one.bodies for one in collected.submissions)
    assert refused(collected)


def test_any_damage_is_only_a_line(tmp_path, course, handed):
    """Every byte of a small archive in turn: whatever zipfile makes of it, the batch goes on."""
    data = packed([("add.ipynb", handed.bytes()[:200])], how=zipfile.ZIP_STORED)
    root = of_ada(tmp_path, data)
    for place in range(len(data)):
        (root / "ada" / "work.zip").write_bytes(
            data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]
        )
        collect(root, course)


def test_one_name_twice_is_said(tmp_path, course, handed):
    data = packed([("add.ipynb", handed.bytes(answer="one")), ("odd.ipynb", handed.bytes(answer="two"))])
    collected = collect(of_ada(tmp_path, data.replace(b"odd.ipynb", b"add.ipynb")), course)
    (one,) = collected.submissions
    assert [note.kind for note in collected.notes] == ["collision"]
    assert "duplicate" in [note.kind for note in one.notes]


@pytest.mark.parametrize(
    "names", [("Add.ipynb", "add.ipynb"), ("\u00e9/add.ipynb", "e\u0301/add.ipynb")], ids=["case", "accents"]
)
def test_names_that_would_be_one_file_elsewhere_are_said(tmp_path, course, handed, names):
    collected = collect(of_ada(tmp_path, packed([(name, handed.bytes()) for name in names])), course)
    assert "collision" in [note.kind for note in collected.notes]
    assert len(collected.submissions) == 1


def test_one_bad_archive_stops_nobody_else(tmp_path, course, handed):
    root = of_ada(tmp_path, b"PK")
    (root / "bob" / "add.ipynb").write_bytes(handed.bytes())
    assert [one.student for one in collect(root, course).submissions] == ["bob"]
