"""Library archives of Wasm object files, made lighter for the linker.

The formats are the System V ``ar`` archive, as LLVM writes it, and relocatable Wasm
objects (tool-conventions, ``Linking.md``). Only what is asked of them is read; an object
or archive of another form is left as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build.sections import CUSTOM, IMPORT, encode_leb128, leb128, sections

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

ARCHIVE_MAGIC = b"!<arch>\n"
HEADER_BYTES = 60
INDEX, LONG_NAMES = b"/", b"//"  #: names of the archive's own two members

#: Sections that a link without debug information and without link-time optimisation never uses.
DEAD_WEIGHT = (".debug_", ".llvmbc", ".llvmcmd")

#: Of a symbol in the section ``linking``: it is not defined here; its name is not the import's.
UNDEFINED, EXPLICIT_NAME = 0x10, 0x40
SYMBOL_TABLE = 8  #: the subsection of ``linking`` with the symbols
FUNCTION, DATA, GLOBAL, SECTION, TAG, TABLE = range(6)  #: kinds of symbols


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    header: bytes
    data: bytes
    offset: int  #: of the header, in bytes from the start of the archive

    @property
    def is_own(self) -> bool:
        """Whether it is the archive's own index or table of names."""
        return self.header[:16].rstrip() in (INDEX, LONG_NAMES)


def members(archive: bytes) -> Iterator[Member]:
    """The members of an archive, its own index and table of names included.

    Raises:
        ValueError: it is no archive of this form.
    """
    if not archive.startswith(ARCHIVE_MAGIC):
        raise ValueError("no archive")
    offset = len(ARCHIVE_MAGIC)
    while offset < len(archive):
        header = archive[offset : offset + HEADER_BYTES]
        size = int(header[48:58])
        start = offset + HEADER_BYTES
        yield Member(header, archive[start : start + size], offset)
        offset = start + size + size % 2


def definitions(archive: bytes) -> dict[bytes, int]:
    """Each symbol in the archive's index, to the offset of the member that defines it."""
    first = next(members(archive), None)
    if first is None or first.header[:16].rstrip() != INDEX:
        raise ValueError("the archive has no index")
    offsets, names = _index(first.data)
    return dict(zip(names, offsets, strict=True))


def _index(data: bytes) -> tuple[tuple[int, ...], list[bytes]]:
    count = int.from_bytes(data[:4], "big")
    offsets = struct.unpack_from(f">{count}I", data, 4)
    return offsets, data[4 + 4 * count :].split(b"\0")[:count]


def rewrite(
    archive: bytes, change: Callable[[bytes], bytes], keep: Callable[[Member], bool] = lambda _: True
) -> bytes:
    """The archive with each kept member's data changed, and its index corrected."""
    kept = [member for member in members(archive) if member.is_own or keep(member)]
    contents = [member.data if member.is_own else change(member.data) for member in kept]
    position = {member.offset: place for place, member in enumerate(kept)}
    for place, member in enumerate(kept):
        if member.header[:16].rstrip() == INDEX:
            # Its own size is settled before the offsets in it are known.
            offsets, names = _index(member.data)
            pairs = [(position[at], name) for at, name in zip(offsets, names, strict=True) if at in position]
            text = b"".join(name + b"\0" for _, name in pairs)
            text += b"\0" * (len(text) % 2)  # LLVM pads it within
            contents[place] = bytes(4 + 4 * len(pairs)) + text
            starts = _starts(contents)
            table = struct.pack(f">{len(pairs) + 1}I", len(pairs), *(starts[at] for at, _ in pairs))
            contents[place] = table + text
    written = bytearray(ARCHIVE_MAGIC)
    for member, content in zip(kept, contents, strict=True):
        written += member.header[:48] + str(len(content)).encode().ljust(10) + member.header[58:]
        written += content + b"\n" * (len(content) % 2)
    return bytes(written)


def only(archive: bytes, offsets: Container[int]) -> bytes:
    """The archive with none but the members at these offsets."""
    return rewrite(archive, bytes, lambda member: member.offset in offsets)


def bundle(items: Iterable[bytes]) -> bytes:
    """An archive of these files under numbers for names, without an index: to be linked as a whole."""
    written = bytearray(ARCHIVE_MAGIC)
    for number, item in enumerate(items):
        written += f"{number}.o/".encode().ljust(16) + b"0".ljust(12) + b"0".ljust(6) * 2 + b"644".ljust(8)
        written += str(len(item)).encode().ljust(10) + b"`\n" + item + b"\n" * (len(item) % 2)
    return bytes(written)


def _starts(contents: Iterable[bytes]) -> list[int]:
    starts, offset = [], len(ARCHIVE_MAGIC)
    for content in contents:
        starts.append(offset)
        offset += HEADER_BYTES + len(content) + len(content) % 2
    return starts


def without_dead_weight(item: bytes) -> bytes:
    """An object file with its debug and bitcode sections emptied.

    They are emptied and not removed, and so are their relocations, because symbols refer to
    sections by number.
    """
    if not item.startswith(CORE_PREAMBLE):
        return item
    light = bytearray(CORE_PREAMBLE)
    for section in sections(item):
        name = section.name
        if section.number == CUSTOM and name.startswith(DEAD_WEIGHT):
            light += _custom(name, b"")
        elif section.number == CUSTOM and name.startswith(tuple(f"reloc.{dead}" for dead in DEAD_WEIGHT)):
            target, _ = leb128(item, section.body)
            light += _custom(name, encode_leb128(target) + encode_leb128(0))
        else:
            light += item[section.start : section.end]
    return bytes(light)


def _custom(name: str, content: bytes) -> bytes:
    encoded = name.encode()
    body = encode_leb128(len(encoded)) + encoded + content
    return bytes((CUSTOM,)) + encode_leb128(len(body)) + body


def references(item: bytes) -> set[bytes]:
    """The symbols that an object file uses and does not define."""
    if not item.startswith(CORE_PREAMBLE):
        return set()
    found: set[bytes] = set()
    for section in sections(item):
        if section.number == IMPORT:
            found.update(_imported(item, section.body))
        elif section.name == "linking":
            found.update(_undefined(item, section.body, section.end))
    return found


def _name(data: bytes, offset: int) -> tuple[bytes, int]:
    length, offset = leb128(data, offset)
    return data[offset : offset + length], offset + length


def _imported(data: bytes, offset: int) -> Iterator[bytes]:
    """The fields of an import section (core specification 5.5.5)."""
    count, offset = leb128(data, offset)
    for _ in range(count):
        _, offset = _name(data, offset)
        field, offset = _name(data, offset)
        yield field
        kind = data[offset]
        offset += 1
        if kind == 0:  # a function: its type
            _, offset = leb128(data, offset)
        elif kind == 3:  # a global: its value type and whether it changes
            offset += 2
        elif kind == 4:  # a tag: an attribute and its type
            _, offset = leb128(data, offset + 1)
        else:  # a table (whose element type comes first) or a memory: limits
            offset += kind == 1
            bounded = data[offset] & 1
            _, offset = leb128(data, offset + 1)
            if bounded:
                _, offset = leb128(data, offset)


def _undefined(data: bytes, offset: int, end: int) -> Iterator[bytes]:
    """The names of undefined symbols in the section ``linking``, where the imports do not have them."""
    _, offset = leb128(data, offset)  # the version
    while offset < end:
        subsection = data[offset]
        size, offset = leb128(data, offset + 1)
        if subsection == SYMBOL_TABLE:
            yield from _undefined_symbols(data, offset)
        offset += size


def _undefined_symbols(data: bytes, offset: int) -> Iterator[bytes]:
    count, offset = leb128(data, offset)
    for _ in range(count):
        kind = data[offset]
        flags, offset = leb128(data, offset + 1)
        if kind == DATA:
            name, offset = _name(data, offset)
            if flags & UNDEFINED:
                yield name
            else:
                for _ in range(3):  # segment, offset and size
                    _, offset = leb128(data, offset)
        elif kind == SECTION:
            _, offset = leb128(data, offset)
        else:
            _, offset = leb128(data, offset)
            if not flags & UNDEFINED or flags & EXPLICIT_NAME:
                name, offset = _name(data, offset)
                if flags & UNDEFINED:
                    yield name
