"""A sysroot whose standard library weighs little, so that linking a cell against it is quick.

Half of the time from a small program to its module goes into linking: the linker reads
megabytes of the standard library's debug information and a thousand objects of libc, and
throws nearly all of it away. So the lab keeps, in its cache, a sysroot of links to the
real one, in which only the libraries of one Wasm target are copies, with

- debug and bitcode sections emptied, so that a module holds line tables of the cell and
  none of the standard library, and
- those members of libc and of the compiler's builtins left out that nothing in the
  standard library can reach.

The linked code is the same, byte for byte. A program that needs a member left out (it
calls a C function that Rust's own library does not use) shows it by an import from
``env``, or by an error of the linker, and is then built with the toolchain's own sysroot,
as it is whenever anything here fails.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build import archives
from wasm_lab.build.key import digest, toolchain_parts
from wasm_lab.build.sections import IMPORT, sections
from wasm_lab.errors import LoadError

if TYPE_CHECKING:
    from wasm_lab.build.cache import Cache
    from wasm_lab.toolchains.rust import RustToolchain

KIND = "sysroot"
COMPLETE, USELESS = "complete", "useless"

#: Archives whose unreachable members are left out.
PRUNED = ("libc.a", "libcompiler_builtins-")

#: What Rust code calls without the standard library itself calling it: the functions behind the
#: methods of f64 and f32 (``library/std/src/sys/cmath.rs``) and behind 128-bit arithmetic and
#: conversions (``compiler-builtins``, ``src/int`` and ``src/float``).
_MATH = (
    "acos asin atan atan2 cbrt cos cosh erf erfc exp exp2 expm1 fdim fma fmod fmax fmin hypot ldexp log "
    "log10 log1p log2 pow round roundeven rint sin sincos sinh sqrt tan tanh tgamma trunc ceil floor"
)
_ARITHMETIC = (
    "__multi3 __muloti4 __mulodi4 __udivti3 __umodti3 __divti3 __modti3 __udivmodti4 __divmodti4 __ashlti3 "
    "__ashrti3 __lshrti3 __addtf3 __floattidf __floattisf __floatuntidf __floatuntisf __fixdfti __fixsfti "
    "__fixunsdfti __fixunssfti __powidf2 __powisf2 memcpy memmove memset memcmp bcmp strlen "
    "lgamma_r lgammaf_r"
)
ROOTS = frozenset(
    name.encode() for name in (*_MATH.split(), *(f"{name}f" for name in _MATH.split()), *_ARITHMETIC.split())
)


def lean_sysroot(toolchain: RustToolchain, target: str, cache: Cache) -> Path | None:
    """The lean sysroot for a toolchain and target, made if need be (half a second); None if that fails."""
    rustlib = toolchain.sysroot / "lib" / "rustlib"
    try:
        changed = (rustlib / target / "lib").stat().st_mtime_ns
        key = digest("lean", target, toolchain_parts(toolchain), changed)
        folder = cache.folder(KIND, key)
        if not (folder / COMPLETE).exists():
            _make(rustlib, target, folder)
        return None if _is_useless(folder) else folder
    except (OSError, ValueError, LoadError, IndexError):
        return None


#: Seconds that a sysroot is not used for after a program built only without it. What was at fault may have
#: been a full disk or a tool that was killed, and without it every module is larger and slower to make.
GIVEN_UP_S = 3600


def _is_useless(folder: Path) -> bool:
    try:
        return time.time() - (folder / USELESS).stat().st_mtime < GIVEN_UP_S
    except FileNotFoundError:
        return False


def give_up(folder: Path) -> None:
    """Note that a program built only without this sysroot for no reason of its own: it rests for an hour."""
    with contextlib.suppress(OSError):
        (folder / USELESS).touch()


def misses_symbols(wasm: bytes) -> bool:
    """Whether a module has imports from ``env``, which is where the linker puts what it did not find."""
    if not wasm.startswith(CORE_PREAMBLE):
        return False  # a component cannot have such imports: its linker refuses them
    imports = (section for section in sections(wasm) if section.number == IMPORT)
    return any(b"\x03env" in wasm[section.body : section.end] for section in imports)


def _make(rustlib: Path, target: str, folder: Path) -> None:
    # Made under another name and renamed whole, so that another process sees all of it or nothing.
    with tempfile.TemporaryDirectory(
        dir=folder.parent, prefix=".new-", ignore_cleanup_errors=True
    ) as temporary:
        root = Path(temporary) / "sysroot"
        lean = root / "lib" / "rustlib"
        lean.mkdir(parents=True)
        for entry in rustlib.iterdir():
            if entry.name != target:
                (lean / entry.name).symlink_to(entry)
        _copy_library(rustlib / target / "lib", lean / target / "lib")
        (root / COMPLETE).touch()
        with contextlib.suppress(OSError):
            os.rename(root, folder)  # noqa: PTH104 - replaces the empty folder, never a full one
    if not (folder / COMPLETE).exists():
        raise OSError(f"{folder} could not be filled")


def _copy_library(library: Path, lean: Path) -> None:
    heavy = {path.relative_to(library): path.read_bytes() for path in _heavy_files(library)}
    light = {name: _without_dead_weight(data) for name, data in heavy.items()}
    kept = _reachable(light)
    for name, data in light.items():
        destination = lean / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        destination.write_bytes(archives.only(data, kept[name]) if name in kept else data)
    for path in library.rglob("*"):
        destination = lean / path.relative_to(library)
        if path.is_file() and not destination.exists():
            destination.parent.mkdir(parents=True, exist_ok=True)
            destination.symlink_to(path)


def _heavy_files(library: Path) -> list[Path]:
    return [path for path in library.rglob("*") if path.suffix in (".rlib", ".a", ".o") and path.is_file()]


def _without_dead_weight(data: bytes) -> bytes:
    if data.startswith(archives.ARCHIVE_MAGIC):
        return archives.rewrite(data, archives.without_dead_weight)
    return archives.without_dead_weight(data)


def _reachable(files: dict[Path, bytes]) -> dict[Path, set[int]]:
    """For each archive to be pruned, the offsets of the members that are kept."""
    pruned = {name: data for name, data in files.items() if name.name.startswith(PRUNED)}
    definers: dict[bytes, list[tuple[Path, int]]] = {}
    objects: dict[tuple[Path, int], bytes] = {}
    kept: dict[Path, set[int]] = {name: set() for name in pruned}
    for name, data in pruned.items():
        for symbol, offset in archives.definitions(data).items():
            definers.setdefault(symbol, []).append((name, offset))
        defining = set(archives.definitions(data).values())
        for member in archives.members(data):
            objects[name, member.offset] = member.data
            if member.offset not in defining:
                kept[name].add(member.offset)  # metadata and the like, which no symbol leads to
    wanted = set(ROOTS)
    for name, data in files.items():
        if name not in pruned:
            items = [data] if name.suffix == ".o" else [member.data for member in archives.members(data)]
            for item in items:
                wanted |= archives.references(item)
    seen: set[bytes] = set()
    while wanted:
        symbol = wanted.pop()
        seen.add(symbol)
        for name, offset in definers.get(symbol, ()):
            if offset not in kept[name]:
                kept[name].add(offset)
                wanted |= archives.references(objects[name, offset]) - seen
    return kept
