"""JavaScript to a component, by componentize-js (StarlingMonkey, the SpiderMonkey engine, as a component).

As with Python, what is made once for each world is a component with a place for the learner's text (`slot`);
an edited text is read by the tool's own parser, which says what it exports, and written there. It runs at the
first call. Code without a world becomes a program for ``wasi:cli/run``.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import CORE_PREAMBLE, Step
from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.languages import scripting, slot
from wasm_lab.build.wasm_tools import ToolError, wasm_tools
from wasm_lab.errors import BuildError, CompileError
from wasm_lab.toolchains.componentize_js import ensure_componentize_js
from wasm_lab.toolchains.npm import version_of
from wasm_lab.toolchains.places import EXE

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.build.progress import Progress
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source
    from wasm_lab.toolchains.componentize_js import ComponentizeJs

CACHE_KIND = "js-component"

#: Seconds that making a component may take; eight are usual. And reading a text; 0.1 is usual.
DEADLINE_S, READ_DEADLINE_S = 180, 30

#: Features of the engine beside its standard output, and what in a text asks for them (componentize-js,
#: ``disableFeatures``). What nothing asks for is left out: each brings imports of WASI.
FEATURES = {
    "clocks": r"\b(Date|performance|setTimeout|setInterval)\b",
    "random": r"\b(random|crypto)\b",
    "http": r"\bfetch\b",
    "fetch-event": r"\baddEventListener\b",
}

#: How a program has what ``readline`` would give.
_LINES = """The lines of standard input: require("node:fs").readFileSync(0, "utf8").split("\\n")"""

PROGRAM = """package lab:program;
world program {
  import wasi:cli/environment@0.2.0;
  import wasi:cli/stdin@0.2.0;
  import wasi:cli/stdout@0.2.0;
  import wasi:cli/stderr@0.2.0;
  import wasi:cli/exit@0.2.0;
  import wasi:io/streams@0.2.0;
  export wasi:cli/run@0.2.0;
}
package wasi:io@0.2.0 {
  interface error { resource error { to-debug-string: func() -> string; } }
  interface streams {
    use error.{error};
    variant stream-error { last-operation-failed(error), closed }
    resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    resource output-stream {
      blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
    }
  }
}
package wasi:cli@0.2.0 {
  interface run { run: func() -> result; }
  interface exit { exit: func(status: result); }
  interface stdin { use wasi:io/streams@0.2.0.{input-stream}; get-stdin: func() -> input-stream; }
  interface stdout { use wasi:io/streams@0.2.0.{output-stream}; get-stdout: func() -> output-stream; }
  interface stderr { use wasi:io/streams@0.2.0.{output-stream}; get-stderr: func() -> output-stream; }
  interface environment {
    get-environment: func() -> list<tuple<string, string>>;
    get-arguments: func() -> list<string>;
  }
}
"""


@dataclass(frozen=True, slots=True)
class Read:
    """What the parser says of a text without mistakes."""

    code: str  #: without its imports and the words ``export``, place for place
    exports: dict[str, str]  #: exported name to local name
    imports: tuple[dict[str, Any], ...]  #: ``source``, ``names`` and the place of each
    shapes: dict[str, list[str]]  #: the members of objects and classes, where they are plain to see
    calls: tuple[dict[str, Any], ...]  #: ``require(…)`` and ``import(…)``: ``source``, ``late`` and the place


def build(source: Source, *, progress: Progress | None = None) -> Artifact:
    """A component of JavaScript code; see `wasm_lab.build.build`.

    Raises:
        CompileError: the text is no JavaScript, or imports what the world does not give; told at its lines.
        ToolchainError: Node.js or componentize-js cannot be had.
        BuildError: componentize-js failed, or took too long.
    """
    text = read(source, progress=progress)
    _check_imports(source, text)
    script = _script(source, text).encode()
    size = slot.size_for(script)
    disabled = [name for name, pattern in FEATURES.items() if not re.search(pattern, source.code)]
    entry = _entry(source, size)
    version = version_of("componentize-js")
    wit = source.bindings.wit if source.bindings else PROGRAM
    world = source.bindings.world if source.bindings else "lab:program/program"

    def make(steps: list[Step]) -> bytes:
        tool = ensure_componentize_js(scripting.teller(progress))
        if progress:
            progress(f"JavaScript for {world}: componentize-js {version}, once, some 8 s", 0, 0)
        began = time.perf_counter_ns()
        wasm = _componentized(source, entry, {"wit": wit, "world": world, "disable": disabled}, tool)
        steps.append(Step("componentize-js", time.perf_counter_ns() - began))
        return wasm

    made = scripting.base(source, CACHE_KIND, (version, wit, world, disabled, entry), make)
    return scripting.artifact(source, made, script, compiler=f"componentize-js {version}")


def read(source: Source, *, progress: Progress | None = None) -> Read:
    """What a text exports and imports, by the parser of componentize-js; remembered by its content.

    Raises:
        CompileError: it is no JavaScript; says where.
        ToolchainError: Node.js or componentize-js cannot be had.
    """
    cache, key = (
        default_cache(),
        digest("js-read", version_of("componentize-js"), source.code, _resource("js_tool.mjs")),
    )
    kept = cache.get("js-read", key)
    if kept is None:
        tool = ensure_componentize_js(scripting.teller(progress))
        with tempfile.TemporaryDirectory(prefix="wasm-lab-js-") as temporary:
            ended = _run(
                source,
                tool,
                "parse",
                Path(temporary).resolve(),
                stdin=source.code,
                deadline_s=READ_DEADLINE_S,
            )
        if ended.status:
            raise _failed(source, ended.stderr.decode("utf-8", "replace"), ended.status)
        kept = ended.stdout
        cache.put("js-read", key, kept)
    told = json.loads(kept)
    if told["errors"]:
        raise scripting.refusal(
            source, [mistake(source, each["message"], each["start"], each["end"]) for each in told["errors"]]
        )
    return Read(
        told["code"], dict(told["exports"]), tuple(told["imports"]), told["shapes"], tuple(told["calls"])
    )


def mistake(source: Source, message: str, start: int, end: int) -> Diagnostic:
    """A message at a place that the parser gave: in UTF-16 units from the start of the text."""
    units = source.code.encode("utf-16-le", "surrogatepass")
    before = units[: 2 * start].decode("utf-16-le", "replace")
    marked = units[2 * start : 2 * end].decode("utf-16-le", "replace")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return scripting.diagnostic(source, message, line, column, len(marked.split("\n")[0]) or 1)


def _imported(source: Source) -> list[str]:
    """What the text may import, as the world calls it."""
    if source.bindings is None:
        return ["node:fs", "node:process"]
    return list(source.bindings.imports)


def _check_imports(source: Source, text: Read) -> None:
    known = _imported(source)
    names = {*known, *(name.partition("@")[0] for name in known)}
    if source.bindings is None:
        names |= {name.removeprefix("node:") for name in known}
    asked = list(text.imports)
    if source.bindings is None:  # the functions of a world are never in what CommonJS calls for
        asked += [each for each in text.calls if not each["late"]]
    what = (
        f"the world imports {', '.join(known) or 'nothing'}"
        if source.bindings
        else f"there are {', '.join(known)}"
    )
    wrong = [
        (each, f"nothing is called {each['source']!r}: {what}")
        for each in asked
        if each["source"] not in names
    ]
    wrong += [
        (each, "import() loads nothing here: import … from … at the top of the text does")
        for each in text.calls
        if each["late"]
    ]
    if wrong:
        lines = any(each["source"].removeprefix("node:").startswith("readline") for each, _ in wrong)
        raise scripting.refusal(
            source,
            [mistake(source, message, each["start"], each["end"]) for each, message in wrong],
            hint=_LINES if lines and source.bindings is None else "",
        )


def _script(source: Source, text: Read) -> str:
    """The text as a function of what it imports, which gives what it exports; lines are those of the cell."""
    names = []
    for each in text.imports:
        bare = source.bindings is None and not each["source"].startswith("node:")
        of = f"$lab[{json.dumps('node:' * bare + each['source'])}]"
        for imported, local in each["names"]:
            names.append(f"{local} = {of if imported == '*' else f'{of}[{json.dumps(imported)}]'}")
    given = f"const {', '.join(names)}; " if names else ""
    gap = "\n" * (source.first_line - 1)
    exports = ", ".join(f"{json.dumps(exported)}: {local}" for exported, local in text.exports.items())
    label = re.sub(r"\s", "_", source.label)
    body = f"{given}{gap}{text.code}\nreturn {{{exports}}};\n"
    if source.bindings is None:  # a program may wait at its top, and may import process or take it as it is
        body = f"const process = $lab['node:process'].default; return (async () => {{ {body}}})();\n"
    return f'(function ($lab) {{ "use strict"; {body}}})\n//# sourceURL={label}'


def _entry(source: Source, size: int) -> str:
    """The module that componentize-js sees."""
    common = _resource("js_entry.txt").replace("SLOT_SIZE", str(size))
    if source.bindings is None:
        return _resource("js_program.txt") + common
    lines, given = [], []
    for number, name in enumerate(source.bindings.imports):
        lines.append(f"import * as $import{number} from {json.dumps(name)};")
        given += [
            f"{json.dumps(each)}: $import{number}" for each in dict.fromkeys((name, name.partition("@")[0]))
        ]
    lines += [f"const given = {{{', '.join(given)}}};", common, source.bindings.entry]
    return "\n".join(lines)


def _componentized(source: Source, entry: str, options: dict[str, Any], tool: ComponentizeJs) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-js-") as temporary:
        folder = Path(temporary).resolve()
        (folder / "cell.js").write_text(entry, encoding="utf-8")
        (folder / "world.wit").write_text(options["wit"], encoding="utf-8")
        output = folder / "out.wasm"
        told = {
            "source": str(folder / "cell.js"),
            "wit": str(folder / "world.wit"),
            "world": options["world"].partition("@")[0].rpartition("/")[2],
            "disable": options["disable"],
            "output": str(output),
            "wizer": str(_wizer(tool)),
        }
        (folder / "options.json").write_text(json.dumps(told))
        ended = _run(source, tool, "build", folder, deadline_s=DEADLINE_S)
        if ended.status or not output.exists():
            raise _failed(source, ended.stderr.decode("utf-8", "replace"), ended.status)
        core = output.read_bytes()
        adapter = folder / "adapter.wasm"
        adapter.write_bytes(_adapter())
        assert core.startswith(CORE_PREAMBLE), "componentize-js gave the module that wasm-tools wraps"
        try:
            return wasm_tools(["component", "new", "--adapt", f"wasi_snapshot_preview1={adapter}"], core)
        except ToolError as error:
            raise BuildError(f"{source.label} did not become a component: {error}") from None


def _run(
    source: Source, tool: ComponentizeJs, command: str, folder: Path, *, stdin: str = "", deadline_s: float
) -> Any:
    script = folder / "js_tool.mjs"
    script.write_text(_resource("js_tool.mjs"), encoding="utf-8")
    modules = tool.folder / "node_modules"
    return scripting.run_tool(
        source,
        [
            str(tool.node.program),
            "--no-warnings",
            str(script),
            command,
            str(modules),
            str(folder / "options.json"),
        ],
        folder=folder,
        env={"OPENSSL_CONF": os.devnull},  # Node.js would read the machine's own, which is behind the wall
        reads=(tool.folder, tool.node.home),
        deadline_s=deadline_s,
        stdin=stdin.encode("utf-8", "replace"),
    )


def _wizer(tool: ComponentizeJs) -> Path:
    modules = tool.folder / "node_modules" / "@bytecodealliance"
    return next(iter(sorted(modules.glob(f"wizer-*/wizer{EXE}"))), modules / "wizer")


def _adapter() -> bytes:
    """The adapter from WASI 0.1 to 0.2 that comes with the lab."""
    return (
        resources.files("wasm_lab") / "components" / "adapters" / "wasi_snapshot_preview1.reactor.wasm"
    ).read_bytes()


def _failed(source: Source, said: str, status: int) -> BuildError:
    lines = [
        line.strip() for line in said.splitlines() if line.strip() and not line.strip().startswith("at ")
    ]
    told = " ".join(lines)[-2000:] or "nothing"
    if "SyntaxError" in said:
        return CompileError(f"{source.label} is no JavaScript: {told}")
    return BuildError(
        f"{source.label} did not become a component: componentize-js ended with status {status} and said: {told}",
        hint="A negative status is a signal, such as -9 when memory ran out.",
    )


def _resource(name: str) -> str:
    return resources.files("wasm_lab.build.languages").joinpath(name).read_text(encoding="utf-8")
