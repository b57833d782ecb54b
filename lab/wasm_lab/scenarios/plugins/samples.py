"""The plugins that come with the samples, good and hostile, built through the lab's cache.

One cargo workspace has the three plugins in Rust, as components and as programs of this machine;
it is built into one folder of the cache, so its crates are compiled once. The plugin in C needs
PyPI's ``ziglang``, the one in JavaScript npm's ``jco``; the lab takes both into folders of its own.
"""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.cargo import failure
from wasm_lab.build.key import digest, toolchain_parts
from wasm_lab.build.process import run_tool
from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.errors import BuildError, ToolchainError, UsageError
from wasm_lab.source import Target
from wasm_lab.twins import samples_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wasm_lab.build.progress import Progress
    from wasm_lab.toolchains.rust import RustToolchain

#: The plugins in Rust that do real work; each is a program too.
GOOD = ("image-resize", "json-query", "markdown")

#: The plugin in Rust that tries what it may not.
SNOOPER = "snooper"

#: A good plugin in the text format, which needs no compiler.
ECHO = "echo"

WORLD = "plugin"


def plugins_folder() -> Path:
    """Where the sources lie: ``wit``, ``rust``, ``c``, ``js``, ``wat`` and ``hostile``."""
    return samples_folder() / "plugins"


def wit_folder() -> Path:
    """The WIT package that all of them are built against."""
    return plugins_folder() / "wit"


def hostile_names() -> tuple[str, ...]:
    """The hostile plugins in the text format.

    Example:
        >>> "endless_loop" in hostile_names()
        True
    """
    return tuple(sorted(path.stem for path in (plugins_folder() / "hostile").glob("*.wat")))


def fill(folder: Path, names: Iterable[str] = GOOD, *, progress: Progress | None = None) -> Path:
    """Put plugins into a folder, as ``NAME.wasm`` each; gives the folder.

    Args:
        names: of plugins in Rust (`GOOD`, `SNOOPER`), ``echo``, of `hostile_names`, and ``image-resize-c`` and
            ``image-resize-js``.

    Raises:
        UsageError: there is no such plugin.
        BuildError, ToolchainError: one could not be built.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        put(folder / f"{name}.wasm", wasm_of(name, progress=progress))
    return folder


def put(path: Path, wasm: bytes) -> None:
    """Write a plugin so that whoever looks sees the old one or the new one, and nothing in between."""
    from boltons.fileutils import atomic_save

    with atomic_save(str(path)) as file:
        file.write(wasm)


def wasm_of(name: str, *, progress: Progress | None = None) -> bytes:
    """One plugin as a component; see `fill`."""
    if name in (*GOOD, SNOOPER):
        return _rust(name, progress).read_bytes()
    if name == ECHO:
        return componentize((plugins_folder() / "wat" / f"{ECHO}.wat").read_bytes(), wit_folder())
    if name in hostile_names():
        return hostile(name)
    if name == "image-resize-c":
        return in_c()
    if name == "image-resize-js":
        return in_javascript()
    known = (*GOOD, ECHO, SNOOPER, "image-resize-c", "image-resize-js", *hostile_names())
    raise UsageError(f"There is no sample plugin {name}.", hint=f"There are {', '.join(known)}.")


# Rust --------------------------------------------------------------------------------------


def _rust(name: str, progress: Progress | None) -> Path:
    from wasm_lab.toolchains.rust import find_rust

    words = ("--lib", "--package", name, "--target", Target.WASIP2.value)
    made = _cargo(find_rust(Target.WASIP2), words, progress)
    return made / Target.WASIP2.value / "release" / f"{name.replace('-', '_')}.wasm"


def program(name: str, *, progress: Progress | None = None) -> Path:
    """The same Rust code as a program of this machine, which answers JSON lines.

    Raises:
        UsageError: there is no such plugin in Rust.
        BuildError, ToolchainError: it could not be built.
    """
    from wasm_lab.toolchains.host_linker import for_host
    from wasm_lab.toolchains.places import EXE
    from wasm_lab.toolchains.rust import find_rust

    if name not in GOOD:
        raise UsageError(f"{name} is no program.", hint=f"There are {', '.join(GOOD)}.")
    return (
        _cargo(for_host(find_rust()), ("--bin", name, "--package", name), progress)
        / "release"
        / f"{name}{EXE}"
    )


def _cargo(toolchain: RustToolchain, words: Sequence[str], progress: Progress | None) -> Path:
    """Build the workspace; gives the target folder. Takes a fifth of a second when nothing changed."""
    from wasm_lab.toolchains.host_linker import linker_variables

    if toolchain.cargo is None:
        raise ToolchainError(f"Beside {toolchain.rustc} there is no cargo.", hint="rustup has it.")
    cache, key = default_cache(), digest("plugins", toolchain_parts(toolchain))
    target = cache.folder("crates", key) / "target"
    if progress:
        progress("building the plugins in Rust", 0, 0)
    command: list[str | Path] = [
        toolchain.cargo,
        "build",
        "--release",
        "--locked",
        *words,
        f"--target-dir={target}",
    ]
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CARGO_PROFILE_", "RUSTFLAGS"))
    }
    with cache.lock("crates", key):
        done = run_tool(
            command,
            cwd=plugins_folder() / "rust",
            env={
                **kept,
                "RUSTC": str(toolchain.rustc),
                "PATH": f"{toolchain.rustc.parent}{os.pathsep}{os.environ.get('PATH', '')}",
                "CARGO_TERM_COLOR": "never",
                **linker_variables(toolchain),
            },
        )
    if done.status:
        raise failure(done.stderr)
    return target


# The text format ---------------------------------------------------------------------------


def hostile(name: str) -> bytes:
    """A hostile plugin from its text, made a component against its own WIT or that of all plugins."""
    folder = plugins_folder() / "hostile"
    own = folder / f"{name}.wit"
    return componentize((folder / f"{name}.wat").read_bytes(), own if own.exists() else wit_folder())


def componentize(core: bytes, wit: Path, world: str = WORLD) -> bytes:
    """A component from a core module that exports what the world wants under the canonical names.

    Args:
        core: the module, in the binary or the text format, without WASI imports.
        wit: the file or folder of the WIT package.

    Raises:
        BuildError: the module does not fit the world.
    """
    texts = [
        path.read_text(encoding="utf-8") for path in ([wit] if wit.is_file() else sorted(wit.glob("*.wit")))
    ]
    key = digest("plugin", core.hex(), texts, world)
    kept = default_cache().get("component", key)
    if kept is not None:
        return kept
    try:
        embedded = wasm_tools(["component", "embed", "--world", world, str(wit), "-"], core)
        made = wasm_tools(["component", "new", "-"], embedded)
    except ToolError as error:
        raise BuildError(f"The module is no {world} of {wit.name}: {error}") from None
    default_cache().put("component", key, made)
    return made


# C and JavaScript --------------------------------------------------------------------------


def in_c() -> bytes:
    """The plugin in C, compiled by zig. Half a minute the first time, for zig's own C library.

    Raises:
        ToolchainError: ziglang is not here and could not be had.
        BuildError: the code does not compile.
    """
    folder = plugins_folder() / "c"
    sources = [folder / "image_resize.c", folder / "plugin.c"]
    flags = ["-target", "wasm32-wasi", "-mexec-model=reactor", "-Os", "-s"]
    key = digest("c", flags, [path.read_text(encoding="utf-8") for path in (*sources, folder / "plugin.h")])
    core = default_cache().get("c", key)
    if core is None:
        zig = _zig()
        with tempfile.TemporaryDirectory(prefix="wasm-lab-c-") as scratch:
            output = Path(scratch) / "core.wasm"
            env = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(default_cache().folder("crates", "zig"))}
            _run([zig, "cc", *flags, *sources, "-o", output], Path(scratch), "The plugin in C", env)
            core = output.read_bytes()
        default_cache().put("c", key, core)
    return componentize(core, wit_folder())


def _zig() -> Path:
    from wasm_lab.toolchains import pypi
    from wasm_lab.toolchains.commands import CommandError
    from wasm_lab.toolchains.install import own_folder_locked

    try:
        with own_folder_locked():
            home = pypi.unpack("ziglang", lambda _line: None)
    except CommandError as error:
        raise ToolchainError(
            f"There is no compiler for C here: {error}", hint="pip install ziglang"
        ) from None
    return home / "ziglang" / ("zig.exe" if os.name == "nt" else "zig")


def in_javascript() -> bytes:
    """The plugin in JavaScript, with a JavaScript engine in it, by ``jco``. Ten seconds the first time.

    Raises:
        ToolchainError: Node.js or npm is not here, or jco could not be had.
        BuildError: jco refused the code.
    """
    folder = plugins_folder() / "js"
    wit = [path.read_text(encoding="utf-8") for path in sorted(wit_folder().glob("*.wit"))]
    texts = [(folder / name).read_text(encoding="utf-8") for name in ("image_resize.js", "package.json")]
    key = digest("javascript", texts, wit)
    kept = default_cache().get("component", key)
    if kept is not None:
        return kept
    modules = _node_modules(texts[1])
    with tempfile.TemporaryDirectory(prefix="wasm-lab-js-") as scratch:
        output = Path(scratch) / "plugin.wasm"
        jco: list[str | Path] = [
            *_node(), modules / "@bytecodealliance" / "jco" / "src" / "jco.js",
            "componentize", folder / "image_resize.js", "--wit", wit_folder(),
            "--world-name", WORLD, "--disable", "all", "-o", output,
        ]  # fmt: skip
        _run(jco, Path(scratch), "The plugin in JavaScript")
        made = output.read_bytes()
    default_cache().put("component", key, made)
    return made


def _node_modules(package: str) -> Path:
    """The folder of jco and what it needs, installed by npm unless it is there."""
    cache, key = default_cache(), digest("npm", package)
    with cache.lock("crates", key):
        folder = cache.folder("crates", key)
        modules, mark = folder / "node_modules", folder / "complete"
        if not mark.exists():
            npm = shutil.which("npm")
            if npm is None:
                raise ToolchainError(
                    "npm is not here, and jco comes by it.", hint="Install npm: sudo apt install npm"
                )
            (folder / "package.json").write_text(package, encoding="utf-8")
            words = ["install", "--no-fund", "--no-audit", "--loglevel=error"]
            _run([npm, *words], folder, "jco could not be installed, and so the plugin in JavaScript")
            mark.touch()
    return modules


@functools.cache
def _node() -> tuple[Path]:
    from wasm_lab.toolchains.node import find_node, node_missing

    node = find_node()
    if node is None:
        raise ToolchainError("JavaScript plugins are made by a program for Node.js.", hint=node_missing())
    return (node.program,)


def _run(command: Sequence[str | Path], cwd: Path, what: str, env: dict[str, str] | None = None) -> None:
    done = run_tool(command, cwd=cwd, env=env)
    if done.status:
        said = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-12:])
        raise BuildError(
            f"{what} was not built: {said}", hint=f"The command was: {' '.join(map(str, command))}"
        )
