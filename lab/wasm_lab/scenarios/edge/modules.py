"""The modules that a worker is made of: its own text, what that imports, and what those import."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wasm_lab.build.foreign import check_binary
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.edge.glue import cell_module, runtime_modules
from wasm_lab.scenarios.edge.javascript import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wasm_lab.artifact import Artifact

#: The kind of a module by the end of its name: wrangler's own rules for Workers
#: (Cloudflare's documentation, "Bundling", "Including non-JavaScript modules").
KINDS = {
    ".js": "esModule",
    ".mjs": "esModule",
    ".wasm": "wasm",
    ".txt": "text",
    ".html": "text",
    ".sql": "text",
    ".bin": "data",
    ".json": "json",
}

#: The kind of a module that only passes another one on under a short name; to workerd it is an ES module.
SHORT = "short"

#: Modules that workerd has itself.
BUILT_IN = ("cloudflare:", "node:", "workerd:")

#: Modules of Node.js by the names that they have there without ``node:``, up to a slash
#: (its documentation, "Modules: node:module API", ``builtinModules``).
_OF_NODE = frozenset(
    "assert async_hooks buffer child_process cluster console constants crypto dgram "
    "diagnostics_channel dns domain events fs http http2 https inspector module net os path perf_hooks "
    "process punycode querystring readline repl stream string_decoder sys timers tls trace_events tty url "
    "util v8 vm wasi worker_threads zlib".split()
)

#: An import that names a module of Wasm as wrangler lets one write it.
_MODULE_QUERY = "?module"


@dataclass(frozen=True, slots=True)
class Module:
    """One module: its name is its path in the worker, such as ``lib/names.js``."""

    name: str
    kind: str  #: one of the values of `KINDS`, or `SHORT`
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A worker's modules, its own text first, and the cells among them."""

    modules: tuple[Module, ...]
    cells: tuple[str, ...]  #: names under which Rust functions are imported


def gather(
    main: str,
    text: str,
    *,
    folder: Path,
    artifacts: Mapping[str, Artifact],
    always: tuple[str, ...] = (),
    aliases: Mapping[str, str] | None = None,
    first_line: int = 1,
) -> Gathered:
    """Every module that a worker's text leads to.

    Args:
        main: the name of the text itself, such as ``shop.js``.
        text: an ES module.
        folder: where relative imports start.
        artifacts: cells and files by the names under which they may be imported: ``import { f } from
            "NAME"`` for the functions, ``import module from "./NAME.wasm"`` for the module itself.
        aliases: paths that further short names stand for, as wrangler's ``alias`` has them.
        first_line: of the cell or file, in which the text begins.
        always: those of ``artifacts`` that belong to it whether the text imports them or not.

    Raises:
        UsageError: an import leads nowhere; the message has its line.
    """
    found = _Gathering(folder, artifacts, aliases or {})
    found.add(Module(main, "esModule", text.encode()), first_line)
    for name in always:
        found.add_cell(name)
    return Gathered(tuple(found.modules.values()), tuple(found.cells))


class _Gathering:
    def __init__(self, folder: Path, artifacts: Mapping[str, Artifact], aliases: Mapping[str, str]) -> None:
        self.folder = folder
        self.artifacts = artifacts
        self.aliases = aliases
        self.modules: dict[str, Module] = {}
        self.cells: dict[str, None] = {}

    def add(self, module: Module, first_line: int = 1) -> None:
        if module.name in self.modules:
            return
        self.modules[module.name] = module
        if module.kind == "esModule":
            for name, line in read(module.data.decode(errors="replace")).imports:
                self._follow(module.name, name, line + first_line - 1)

    def add_cell(self, name: str, importer: str = "") -> None:
        """The functions of a cell: its glue, its Wasm, and the short name that leads there."""
        self._shorten(importer, name, f"{name}.js")
        if name in self.cells:
            return
        self.cells[name] = None
        artifact = self._artifact(name)
        self.modules[f"{name}.js"] = Module(f"{name}.js", "esModule", cell_module(name, artifact).encode())
        self.modules[f"{name}.wasm"] = Module(f"{name}.wasm", "wasm", artifact.wasm)
        for shared, text in runtime_modules().items():
            self.modules[shared] = Module(shared, "esModule", text.encode())

    def _shorten(self, importer: str, name: str, path: str) -> None:
        """A module of a short name beside its importer, where workerd looks for it, that passes another on."""
        folder = posixpath.dirname(importer)
        short = posixpath.join(folder, name)
        there = posixpath.relpath(path, folder or ".")
        self.modules[short] = Module(short, SHORT, f'export * from "./{there}";\n'.encode())

    def _artifact(self, name: str) -> Artifact:
        artifact = self.artifacts[name]
        if artifact.is_component:
            raise UsageError(
                f"{name} is a component, and Workers run core modules.",
                hint="Write its functions in a %%wasm_rust cell without --world.",
            )
        return artifact

    def _follow(self, importer: str, name: str, line: int) -> None:
        if name.startswith(BUILT_IN):
            return
        plain = name.removesuffix(_MODULE_QUERY)
        cell = name.removeprefix("./").removesuffix(".js")
        if cell in self.artifacts and (name == cell or "/" not in importer):
            self.add_cell(cell, importer)
            return
        if name in self.aliases:
            path = posixpath.normpath(self.aliases[name])
            self._shorten(importer, name, path)
            self._follow("", f"./{path}", line)
            return
        if not plain.startswith(("./", "../")):
            raise self._nowhere(importer, name, line)
        path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), plain))
        raw = path.removesuffix(".wasm")
        if path.endswith(".wasm") and raw in self.artifacts:
            data = self._artifact(raw).wasm
        else:
            data = self._file(importer, name, path, line)
        kind = KINDS.get(posixpath.splitext(path)[1])
        if kind is None:
            raise UsageError(
                f'Line {line} of {importer} imports "{name}", whose kind its name does not tell.',
                hint=f"Names end in {', '.join(KINDS)}.",
            )
        self.add(Module(path + (_MODULE_QUERY if name.endswith(_MODULE_QUERY) else ""), kind, data))

    def _file(self, importer: str, name: str, path: str, line: int) -> bytes:
        file = self.folder / path
        if path.startswith("../") or not file.resolve().is_relative_to(self.folder.resolve()):
            raise UsageError(
                f'Line {line} of {importer} imports "{name}", which is outside the folder of the worker.',
                hint=f"Put the file below {self.folder}.",
            )
        try:
            data = file.read_bytes()
        except OSError:
            raise self._nowhere(importer, name, line) from None
        if path.endswith(".wasm"):
            check_binary(data, path)  # says in plain words what is wrong with it
        return data

    def _nowhere(self, importer: str, name: str, line: int) -> UsageError:
        cells = ", ".join(self.artifacts) or "none yet"
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))
        for suffix in ("", ".js", ".mjs"):
            if (self.folder / f"{beside}{suffix}").is_file():
                written = f"{name if name.startswith('.') else f'./{name}'}{suffix}"
                return UsageError(
                    f'Line {line} of {importer} imports "{name}", which is not the path of a file.',
                    hint=f'For the file write "{written}"; bundlers guess this, and workerd does not.',
                )
        if name.startswith("."):
            return UsageError(
                f'Line {line} of {importer} imports "{name}", and there is no such file.',
                hint=f"It would be {self.folder / name}. Cells that can be imported: {cells}.",
            )
        if name.partition("/")[0] in _OF_NODE:
            return UsageError(
                f'Line {line} of {importer} imports "{name}", and workerd has the modules of Node.js as node:….',
                hint=f"Write node:{name}; with --compatibility-flag nodejs_compat.",
            )
        return UsageError(
            f'Line {line} of {importer} imports "{name}": no cell has this name, and no --wasm gives it.',
            hint=f"Cells that can be imported: {cells}. A package of npm is put into one file first, for example "
            "by esbuild --bundle --format=esm.",
        )
