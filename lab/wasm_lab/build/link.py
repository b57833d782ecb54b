"""Linking while rustc still compiles.

A linker that rustc starts begins when everything else is done. So, for ordinary crates,
rustc only compiles (to object files), and the lab runs the linker itself: with rustc's own
command line, recorded from a small crate of the same kind, in which the objects are an
archive that comes through a pipe. The linker starts beside rustc, waits at the pipe, and
goes on as soon as the objects are there, while rustc still clears up behind itself.

The module is the one that rustc would have linked, byte for byte, and that is tested when a
command line is recorded. A crate for which rustc may choose other link arguments (see
`is_ordinary`) is left to rustc, and so is every crate when the recording fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from wasm_lab.build import archives
from wasm_lab.build.key import digest, toolchain_parts
from wasm_lab.build.nearby import may_name_files
from wasm_lab.build.process import Finished, run_tool, started
from wasm_lab.build.rustc import Bench, Compiled, prepare

if TYPE_CHECKING:
    import subprocess

    from wasm_lab.build.cache import Cache
    from wasm_lab.build.rustc import Prepared
    from wasm_lab.build.unit import Unit
    from wasm_lab.toolchains.rust import RustToolchain

KIND = "link"
USELESS = b"useless"
PROBE = "__wasm_lab_probe"
OBJECTS, OUTPUT, EXPORTS = "{objects}", "{output}", "{exports}"

#: In the text of a crate: what may change the link arguments, the exports or the allocator.
_UNUSUAL = re.compile(
    r"no_mangle|export_name|link_section|link_name|\blink\b|linkage|global_allocator|global_asm"
    r"|extern\s+(crate|\")|no_main|no_std|\bfeature\s*\(|panic_handler|alloc_error|\bused\b|\bnaked\b"
)


@dataclass(frozen=True, slots=True)
class Line:
    """The linker's command line for crates of one kind, with holes for what differs."""

    linker: str
    path: str  #: PATH while it runs: the linker of components finds the one of modules there
    words: tuple[str, ...]  #: with `OBJECTS`, `OUTPUT` and, for a library, `EXPORTS` as holes
    shim: bytes  #: the object with rustc's allocator functions

    def command(self, output: Path, exports: tuple[str, ...], objects: str) -> list[str]:
        """The words to run, for an archive of objects at the path ``objects``."""
        fill = {
            OBJECTS: ["--whole-archive", objects, "--no-whole-archive"],
            OUTPUT: [str(output)],
            EXPORTS: [word for name in sorted(exports) for word in ("--export", name)],
        }
        return [self.linker, *(filled for word in self.words for filled in fill.get(word, [word]))]


def is_ordinary(unit: Unit) -> bool:
    """Whether nothing in the text of a crate can change how rustc would link it."""
    if os.name == "nt" or unit.crate_type not in ("bin", "cdylib"):
        return False
    # What the glue needs, it says in ``exports``; it stands in files of its own.
    return not _UNUSUAL.search(unit.root) and not may_name_files(unit.root)


def line_for(unit: Unit, toolchain: RustToolchain, bench: Bench, cache: Cache, crates: str) -> Line | None:
    """The command line for crates like ``unit``, recorded now if it is not in the cache.

    Args:
        crates: the key of the dependencies that ``bench.words`` name; empty when there are none.
    """
    key = _key(unit, toolchain, bench, crates)
    kept = cache.get(KIND, key)
    if kept is None:
        line = _record(_kind(unit), toolchain, bench)
        content = USELESS
        if line:
            content = json.dumps([line.linker, line.path, *line.words]).encode() + b"\n" + line.shim
        cache.put(KIND, key, content)
        return line
    if kept == USELESS:
        return None
    head, _, shim = kept.partition(b"\n")
    linker, path, *words = json.loads(head)
    return Line(linker, path, tuple(words), shim)


def give_up(unit: Unit, toolchain: RustToolchain, bench: Bench, cache: Cache, crates: str) -> None:
    """Note that a crate which rustc links well was not linked so: crates like it are left to rustc."""
    cache.put(KIND, _key(unit, toolchain, bench, crates), USELESS)


def _kind(unit: Unit) -> Unit:
    """What a crate has in common with all that are linked alike."""
    return replace(unit.without_text(), name="probe", label="probe", env={}, incremental=False)


def _key(unit: Unit, toolchain: RustToolchain, bench: Bench, crates: str) -> str:
    return digest("line", _kind(unit).flags(), toolchain_parts(toolchain), str(bench.sysroot), crates)


def compile_and_link(unit: Unit, toolchain: RustToolchain, bench: Bench, line: Line) -> Compiled | None:
    """Run rustc and the linker side by side; None when the linker fails.

    Raises:
        OSError: the scratch folder cannot be written, or a program cannot be started.
        KeyboardInterrupt: the user interrupted; both have been stopped.
    """
    if not os.access(line.linker, os.X_OK):
        return None
    prepared = prepare(unit, toolchain, bench)
    objects = bench.scratch / "objects"
    objects.mkdir(exist_ok=True)
    for left in objects.iterdir():
        left.unlink()
    output = bench.scratch / "out.wasm"
    command = [*prepared.emitting("obj"), f"--out-dir={objects}", "--json=artifacts"]
    reading, writing = os.pipe()
    with contextlib.ExitStack() as stack:
        pipe = stack.enter_context(os.fdopen(writing, "wb"))
        own_end = stack.enter_context(os.fdopen(reading, "rb"))
        rustc = stack.enter_context(started(command, cwd=bench.scratch, env=prepared.env))
        errors = stack.enter_context((bench.scratch / "linker.txt").open("w", encoding="utf-8"))
        linker = stack.enter_context(
            started(
                line.command(output, unit.exports, f"/dev/fd/{reading}"),
                cwd=bench.scratch,
                env={**os.environ, "PATH": line.path},
                pass_fds=(reading,),
                stderr_to=errors,
            )
        )
        own_end.close()
        said: list[str] = []
        if not unit.incremental:
            # The one object is whole before rustc has cleared up behind itself.
            for message in rustc.stderr or ():
                if '"artifact"' in message and '"emit":"obj"' in message:
                    _hand_over(pipe, objects, line)
                    break
                said.append(message)
        finished = _finish(rustc, said)
        if finished.status:
            linker.kill()
            linker.wait()
            return prepared.compiled(finished, None)
        _hand_over(pipe, objects, line)
        linker.communicate()
        if linker.returncode or not output.exists():
            return None
    return prepared.compiled(finished, output.read_bytes())


def _hand_over(pipe: IO[bytes], objects: Path, line: Line) -> None:
    """Send the linker what it waits for, unless it has it already."""
    if pipe.closed:
        return
    items = [path.read_bytes() for path in sorted(objects.glob("*.o"))]
    with contextlib.suppress(BrokenPipeError):  # it has failed, and its status will say so
        pipe.write(archives.bundle([*items, line.shim]))
        pipe.close()


def _finish(rustc: subprocess.Popen[str], said: list[str]) -> Finished:
    stdout, rest = rustc.communicate()
    lines = [*said, *(line for line in rest.splitlines(keepends=True))]
    return Finished(rustc.returncode, stdout, "".join(line for line in lines if '"artifact":' not in line))


# Recording --------------------------------------------------------------------------------


def _record(kind: Unit, toolchain: RustToolchain, bench: Bench) -> Line | None:
    """Let rustc link a small crate of this kind, and see that the recorded line links the same."""
    names = [word.split("=")[1] for word in bench.words if word.startswith("--extern=")]
    text = "".join(f"use {name} as _;\n" for name in names)
    if kind.crate_type == "cdylib":
        text += f'#[unsafe(no_mangle)] pub extern "C" fn {PROBE}(x: u32) {{ println!("{{x}}") }}'
    else:
        text += 'fn main() { println!("{:?}", std::env::args()) }'
    try:
        with tempfile.TemporaryDirectory(prefix="wasm-lab-line-", ignore_cleanup_errors=True) as folder:
            scratch = Path(folder).resolve()
            small = replace(bench, scratch=scratch, incremental=None)
            prepared = prepare(replace(kind, root=text), toolchain, small)
            output = scratch / "out.wasm"
            command = [*prepared.emitting(f"link={output}"), "--print=link-args", "-Csave-temps"]
            finished = run_tool(command, cwd=scratch, env=prepared.env)
            if finished.status:
                return None
            line, objects = _parse(finished.stdout, prepared)
            exports = (PROBE,) if kind.crate_type == "cdylib" else ()
            return line if _links_the_same(line, objects, exports, output) else None
    except (OSError, ValueError, IndexError, StopIteration):
        return None


def _parse(printed: str, prepared: Prepared) -> tuple[Line, list[Path]]:
    """The recorded line, and the objects that it names; the last of them is the allocator's.

    rustc prints ``LC_ALL="C" PATH="…" "rust-lld" "-flavor" …``.
    """
    printed_line = next(line for line in printed.splitlines() if ".rcgu.o" in line)
    words = shlex.split(printed_line)
    path = os.environ.get("PATH", "")
    while re.match(r"[A-Z_]+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        path = value if name == "PATH" else path
    linker = shutil.which(words.pop(0), path=path)
    if linker is None:
        raise ValueError("the linker was not found where rustc finds it")
    objects = [Path(prepared.scratch, word) for word in words if word.endswith(".rcgu.o")]
    first = next(at for at, word in enumerate(words) if word.endswith(".rcgu.o"))
    words[first] = OBJECTS
    words = [word for word in words if not word.endswith(".rcgu.o")]
    words[words.index("-o") + 1] = OUTPUT
    if PROBE in words:
        at = words.index(PROBE)
        if words[at - 1] != "--export":
            raise ValueError("exports are named otherwise than was thought")
        words[at - 1 : at + 1] = [EXPORTS]
    if any(str(prepared.scratch) in word for word in words):
        raise ValueError("the line names more files of the crate's own")
    return Line(linker, path, tuple(words), objects[-1].read_bytes()), objects


def _links_the_same(line: Line, objects: list[Path], exports: tuple[str, ...], wanted: Path) -> bool:
    """Whether the line makes of these objects the very module that rustc made."""
    output = wanted.parent / "again" / wanted.name  # whose name is in the module
    output.parent.mkdir()
    bundle = output.with_name("objects.a")
    bundle.write_bytes(archives.bundle(path.read_bytes() for path in objects))
    environment = {**os.environ, "PATH": line.path}
    done = run_tool(line.command(output, exports, str(bundle)), cwd=wanted.parent, env=environment)
    return not done.status and output.read_bytes() == wanted.read_bytes()
