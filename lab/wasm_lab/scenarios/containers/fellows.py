"""The same program as a module, natively, in Python and in Node: written here, and put into images.

It tells its clock as its first words and then idles, or ends when it is told ``exit``. So whoever starts it
learns when it began to do something of its own.
"""

from __future__ import annotations

import importlib.util
import json
import py_compile
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.errors import BuildError, UnsupportedError
from wasm_lab.scenarios.containers.image import files_image, wasm_image
from wasm_lab.scenarios.containers.layers import Entry
from wasm_lab.source import Kind, Profile, Source
from wasm_lab.subjects.functions import native_program
from wasm_lab.toolchains.node import find_node, node_missing
from wasm_lab.toolchains.rust import find_rust
from wasm_lab.toolchains.wasmedge import find_wasmedge, wasmedge_missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.containers.image import Image

#: Where archives lie in the cache.
KIND = "container-images"

#: Changes with the way in which files are put into layers.
_FORM = "2"

#: The word that has the program end after its first line.
EXIT = "exit"

RUST = """\
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn main() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    println!("{}", now.as_nanos());
    if std::env::args().all(|word| word != "exit") {
        loop {
            std::thread::sleep(Duration::from_secs(3600));
        }
    }
}
"""

PYTHON = """\
import time
print(time.time_ns(), flush=True)
import sys
if "exit" not in sys.argv:
    while True:
        time.sleep(3600)
"""

#: Node's fine clock has no date, so both parts are put together. console.log would open its stream first,
#: which takes some milliseconds.
NODE = """\
const now = Math.round((performance.timeOrigin + performance.now()) * 1e3);
require("fs").writeSync(1, now + "000\\n");
if (!process.argv.includes("exit")) setInterval(() => {}, 3600e3);
"""

#: The annotation by which crun takes a container's program for a module, and leaves a native one alone.
_WASM = (("module.wasm.image/variant", "compat-smart"),)

#: Folders of Python's library that no program of ours reads, and that official images leave out too.
_LEFT_OUT = {
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "ensurepip",
    "turtledemo",
    "site-packages",
    "dist-packages",
}

#: Where Debian keeps what Node.js loads from outside of its binary.
_NODE_SCRIPTS = Path("/usr/share/nodejs")


@dataclass(frozen=True)
class Fellow:
    """One form of the program."""

    name: str  #: such as ``wasm``
    title: str  #: as a table has it
    language: str
    make: Callable[[], Image]  #: builds its image
    missing: Callable[[], str]  #: why it cannot be had here and how to get it; empty when it can
    decided_by: Callable[[], tuple[str, ...]]  #: what else decides the image, such as a compiler's version
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Archive:
    """An image in a file."""

    path: Path
    compressed: int  #: bytes of its layers as a registry holds them
    uncompressed: int


@cache
def module() -> bytes:
    """The program as a module, optimised for size."""
    return build(Source(code=RUST, kind=Kind.PROGRAM, name="idle", profile=Profile.SIZE)).wasm


@cache
def compiled_module() -> bytes:
    """The module with machine code of this machine in it, by WasmEdge's compiler.

    Raises:
        UnsupportedError: there is no WasmEdge with a compiler.
    """
    engine = find_wasmedge()
    if engine is None or not engine.can_compile:
        raise UnsupportedError(wasmedge_missing() or "The WasmEdge here was built without its compiler.")
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as own:
        plain, made = Path(own) / "plain.wasm", Path(own) / "made.wasm"
        plain.write_bytes(module())
        words = [*engine.compile_command(), str(plain), str(made)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode or not made.exists():
            raise BuildError("WasmEdge could not compile the module.", hint=done.stderr[-500:])
        return made.read_bytes()


@cache
def native() -> bytes:
    """The program as an executable of this machine."""
    return native_program(Source(code=RUST, kind=Kind.PROGRAM, name="idle"))


def _wasm_image() -> Image:
    return wasm_image(module(), "localhost/wasm-lab/idle-wasm:1")


def _compiled_image() -> Image:
    return wasm_image(compiled_module(), "localhost/wasm-lab/idle-wasm-compiled:1")


def _native_image() -> Image:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as own:
        program = Path(own) / "idle"
        program.write_bytes(native())
        program.chmod(0o755)
        layers = {"libraries": libraries_of([str(program)]), "program": [Entry("/idle", native(), 0o755)]}
        return files_image(layers, "localhost/wasm-lab/idle-native:1", entrypoint=["/idle"])


def _python_image() -> Image:
    program = _python_program()
    library = Path(sysconfig.get_path("stdlib"))
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    files = {
        f"/usr/lib/{version}/{path.relative_to(library)}": path
        for path in library.rglob("*")
        if path.is_file()
        and not _LEFT_OUT & set(path.relative_to(library).parts)
        and "__pycache__" not in path.parts
        and path.suffix != ".a"
    }
    standard = [Entry(path, real) for path, real in files.items()]
    standard += [Entry(path, data) for path, data in _compiled_python(library, version).items()]
    native_parts = [str(path) for path in files.values() if path.suffix == ".so"]
    layers = {
        "libraries": libraries_of([str(program), *native_parts]),
        "interpreter": [Entry(f"/usr/bin/{version}", program, 0o755)],
        "standard library": standard,
        "program": [Entry("/idle.py", PYTHON.encode())],
    }
    return files_image(
        layers,
        "localhost/wasm-lab/idle-python:1",
        entrypoint=[f"/usr/bin/{version}", "/idle.py"],
        environment={"PYTHONHOME": "/usr"},
    )


def _python_program() -> Path:
    """The interpreter itself, not a virtual environment's link to it."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _compiled_python(library: Path, version: str) -> dict[str, bytes]:
    """Byte code of what Python loads when it starts: files in an image have another time, which voids their own."""
    ask = (
        "import sys, time; print(*(m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", ask], capture_output=True, text=True, check=True)
    found = {}
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as own:
        for number, name in enumerate(done.stdout.split()):
            path = Path(name)
            if path.suffix != ".py" or not path.is_relative_to(library):
                continue
            made = Path(own) / f"{number}.pyc"
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            inside = f"/usr/lib/{version}/{path.relative_to(library)}"
            py_compile.compile(name, cfile=str(made), dfile=inside, invalidation_mode=mode, doraise=True)
            kept = Path(importlib.util.cache_from_source(name)).relative_to(library)
            found[f"/usr/lib/{version}/{kept}"] = made.read_bytes()
    return found


def _node_image() -> Image:
    program, lister = _node_program()
    engine = [Entry("/usr/bin/node", program, 0o755)]
    root = program.parents[2] if lister else Path("/")
    scripts = root / _NODE_SCRIPTS.relative_to("/")
    for folder in ("acorn", "acorn-walk", "cjs-module-lexer", "undici"):
        for path in sorted((scripts / folder).rglob("*.js")):
            engine.append(Entry(f"{_NODE_SCRIPTS}/{path.relative_to(scripts)}", path))
    layers = {
        "libraries": libraries_of([str(program)], lister),
        "node": engine,
        "program": [Entry("/idle.js", NODE.encode())],
    }
    return files_image(layers, "localhost/wasm-lab/idle-node:1", entrypoint=["/usr/bin/node", "/idle.js"])


def _node_program() -> tuple[Path, tuple[str, ...]]:
    """The binary of Node.js, and what lists its libraries."""
    found = find_node()
    if found is None:
        raise UnsupportedError(node_missing())
    return unwrapped(found.program)


def unwrapped(program: Path) -> tuple[Path, tuple[str, ...]]:
    """The binary behind a program, and what lists its libraries where ldd cannot: it was unpacked with a loader."""
    program = program.resolve()
    if program.read_bytes()[:2] != b"#!":
        return program, ()
    root = program.parent.parent
    loader = next(root.glob("usr/lib/*/ld-linux-*.so.*"))
    return root / "usr/bin" / program.name, (str(loader), "--library-path", str(loader.parent), "--list")


def libraries_of(programs: list[str], lister: tuple[str, ...] = ()) -> list[Entry]:
    """The shared libraries of programs, for an image: the loader in its place, all others in ``/lib``.

    Takes paths, and the command that lists libraries in place of ``ldd``.

    Raises:
        UnsupportedError: ldd is missing, or a library is.
    """
    found: dict[str, Path] = {}
    for each in programs:
        words = [*(lister or ("ldd",)), each]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        except OSError:
            raise UnsupportedError(
                "ldd is missing, which tells the libraries of a program.", hint="It comes with the C library."
            ) from None
        for line in done.stdout.splitlines():
            match = re.match(r"\s*(\S+)(?: => (\S.*?))? \(0x", line)
            if "not found" in line:
                raise UnsupportedError(f"A library of {each} is missing: {line.strip()}.")
            if match is None or "vdso" in match[1]:
                continue
            name, path = match[1], Path(match[2] or match[1])
            loader = name.startswith("/") or "/ld-linux" in f"/{name}"
            found[_loader_place(Path(each), name) if loader else f"/lib/{name}"] = path
    return [Entry(path, real.resolve(), 0o755) for path, real in found.items()]


def _loader_place(program: Path, name: str) -> str:
    """Where a program looks for its loader, which its own header says; libraries say nothing."""
    match = re.search(rb"\0(/[\w./-]*/ld-(?:linux|musl)[\w.-]*)\0", program.read_bytes()[: 1 << 16])
    return match[1].decode() if match else name if name.startswith("/") else f"/lib64/{Path(name).name}"


def archive(fellow: Fellow) -> Archive:
    """Its image as an archive in the user's cache, made anew when what goes into it has changed.

    Python's and Node's take some seconds to compress.

    Raises:
        BuildError: the program does not build, or the cache cannot be written.
        UnsupportedError: what it needs is missing here.
    """
    cache = default_cache()
    key = digest(KIND, _FORM, fellow.name, RUST, PYTHON, NODE, *fellow.decided_by())
    try:
        with cache.lock(KIND, key):
            folder = cache.folder(KIND, key)
            path, facts = folder / "image.tar", folder / "image.json"
            if not facts.exists():
                image = fellow.make()
                image.write_archive(path)
                sizes = {
                    "compressed": image.size_bytes.compressed,
                    "uncompressed": image.size_bytes.uncompressed,
                }
                facts.write_text(json.dumps(sizes))
            return Archive(path, **json.loads(facts.read_text()))
    except OSError as error:
        raise BuildError(
            f"An image is kept in {cache.root}, and that failed: {error.strerror or error}.",
            hint="Make room there, or set WASM_LAB_CACHE to a folder that can be written.",
        ) from error


def _file_seen(path: Path | None) -> str:
    """What tells that a file is another one."""
    if path is None or not path.exists():
        return ""
    stat = path.resolve().stat()
    return f"{path.resolve()} {stat.st_mtime_ns} {stat.st_size}"


def _compilers() -> tuple[str, ...]:
    engine = find_wasmedge()
    return find_rust().version, engine.version if engine else ""


def _pythons() -> tuple[str, ...]:
    return sys.version, _file_seen(_python_program()), sysconfig.get_path("stdlib")


def _nodes() -> tuple[str, ...]:
    found = find_node()
    return (found.version, _file_seen(found.program)) if found else ()


def _nothing() -> str:
    return ""


def _compiler_missing() -> str:
    engine = find_wasmedge()
    if engine is not None and not engine.can_compile:
        return "The WasmEdge here was built without its compiler."
    return wasmedge_missing()


FELLOWS = (
    Fellow("wasm", "Wasm", "rust", _wasm_image, _nothing, _compilers, _WASM),
    Fellow(
        "wasm-compiled",
        "Wasm, compiled",
        "rust",
        _compiled_image,
        _compiler_missing,
        _compilers,
        _WASM,
    ),
    Fellow("native", "native", "rust", _native_image, _nothing, _compilers),
    Fellow("python", "Python", "python", _python_image, _nothing, _pythons),
    Fellow("node", "Node", "javascript", _node_image, node_missing, _nodes),
)
