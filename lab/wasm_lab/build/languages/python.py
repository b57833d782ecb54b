"""Python to a component, by componentize-py.

What is componentized is a module of the lab's own (``python_entry.txt``), which runs the learner's text in
its own namespace while the component is made: so the text keeps its lines, and what goes wrong in it then is
told by its lines. Code without a world becomes a program for ``wasi:cli/run``, which runs the text anew at
each start.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
import time
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.artifact import Artifact, Step
from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.languages import scripting
from wasm_lab.errors import BuildError, CompileError
from wasm_lab.toolchains.componentize_py import ComponentizePy, ensure_componentize_py
from wasm_lab.toolchains.pypi import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

CACHE_KIND = "python-component"

#: Seconds that one build may take; ten are usual.
DEADLINE_S = 180

#: The name of the module that is componentized; no world may have it.
ENTRY = "lab_entry"

#: The world of a program: what every command of WASI 0.2 exports, and where its arguments come from.
PROGRAM = """package lab:program;
world program {
  import wasi:cli/environment@0.2.0;
  export wasi:cli/run@0.2.0;
}
package wasi:cli@0.2.0 {
  interface run { run: func() -> result; }
  interface environment {
    get-environment: func() -> list<tuple<string, string>>;
    get-arguments: func() -> list<string>;
  }
}
"""


def build(source: Source, *, progress: Progress | None = None) -> Artifact:
    """A component of Python code; see `wasm_lab.build.build`.

    Raises:
        CompileError: the text is no Python, or it raised while it was imported; told at its lines.
        ToolchainError: componentize-py cannot be had.
        BuildError: componentize-py failed, or took too long.
    """
    started = time.perf_counter_ns()
    check_syntax(source)
    files = _files(source)
    version = version_of("componentize-py")
    cache = default_cache()
    key = digest(CACHE_KIND, version, files)
    wasm, steps = cache.get(CACHE_KIND, key), []
    cached = wasm is not None
    if wasm is None:
        tool = ensure_componentize_py(scripting.teller(progress))
        if progress:
            progress(
                f"{source.label}: componentize-py {version} makes a component, which takes some 10 s", 0, 0
            )
        now = time.perf_counter_ns()
        if now - started > scripting.NOTABLE_NS:
            steps.append(Step("componentize-py from PyPI", now - started))
        wasm = _componentized(source, files, tool)
        steps.append(Step("componentize-py", time.perf_counter_ns() - now))
        cache.put(CACHE_KIND, key, wasm)
    else:
        steps.append(Step("cache", time.perf_counter_ns() - started))
    return Artifact(
        wasm=wasm,
        label=source.label,
        source=source,
        compiler=f"componentize-py {version}",
        steps=tuple(steps),
        cached=cached,
    )


def check_syntax(source: Source) -> ast.Module:
    """The text's tree.

    Raises:
        CompileError: it is no Python; says where, at the lines of the cell.
    """
    try:
        return ast.parse(source.code)
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        same_line = error.end_lineno in (None, line)
        length = max(1, (error.end_offset or column) - column) if same_line else 1
        mistake = scripting.diagnostic(source, f"SyntaxError: {error.msg}", line, column, length)
        raise scripting.refusal(source, [mistake]) from None
    except ValueError as error:  # a null byte, for one
        raise CompileError(f"{source.label} is no Python: {error}.") from None


def _files(source: Source) -> dict[str, str]:
    """The text files that componentize-py reads, by name: all that decides what it makes."""
    bindings = source.bindings
    tree = ast.parse(source.code)
    given: dict[str, Any] = {
        "LABEL": source.label,
        "CODE": source.code,
        "FIRST_LINE": source.first_line,
        "MODULES": sorted(set(_imported(tree))),
        "FUNCTIONS": list(bindings.functions) if bindings else [],
    }
    spec = "".join(f"{name} = {value!r}\n" for name, value in given.items())
    entry = "python_entry.txt" if bindings else "python_program.txt"
    files = {
        "world.wit": bindings.wit if bindings else PROGRAM,
        "world": bindings.world if bindings else "lab:program/program",
        "lab_spec.py": spec,
        "lab_common.py": _resource("python_common.txt"),
        f"{ENTRY}.py": _resource(entry),
    }
    for name in bindings.modules if bindings else ():
        # componentize-py looks for the resources of an exported interface in a module of its name.
        files[f"{name}.py"] = (
            f"from {ENTRY} import lab_resource\n\ndef __getattr__(name):\n    return lab_resource({name!r}, name)\n"
        )
    return files


def _resource(name: str) -> str:
    return resources.files("wasm_lab.build.languages").joinpath(name).read_text(encoding="utf-8")


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules that code imports anywhere: a component has only those that were loaded while it was made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")


def _componentized(source: Source, files: dict[str, str], tool: ComponentizePy) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-python-") as temporary:
        folder = Path(temporary).resolve()
        app, empty = folder / "app", folder / "empty"
        app.mkdir()
        (empty / "lib" / "site-packages").mkdir(parents=True)
        for name, text in files.items():
            place = folder if name.startswith("world") else app
            (place / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        output = folder / "out.wasm"
        words = ["--quiet", "--wit-path", str(folder / "world.wit"), "--world", files["world"]]
        made = ["componentize", ENTRY, "--python-path", str(app), "--output", str(output)]
        ended = scripting.run_tool(
            source,
            [*tool.command(), *words, *made],
            folder=folder,
            # Python packages of this machine are no part of a component: it sees an environment without any.
            env={"VIRTUAL_ENV": str(empty)},
            reads=(tool.folder,),
            deadline_s=DEADLINE_S,
        )
        if ended.status == 0 and output.exists():
            return output.read_bytes()
    raise _failure(source, ended.stderr.decode("utf-8", "replace"), ended.status)


#: What `python_common` puts around the report of an exception of the learner's code.
_REPORT = re.compile(r"lab-report:(\{.*?\}):lab-report", re.DOTALL)


def _failure(source: Source, said: str, status: int) -> BuildError:
    report = _REPORT.search(said)
    if report is None:
        lines = [line for line in said.partition("Stack backtrace:")[0].splitlines() if line.strip()]
        told = " ".join(line.strip() for line in lines if not line.startswith("Traceback"))[-2000:]
        return BuildError(
            f"{source.label} did not become a component: componentize-py ended with status {status} "
            f"and said: {told or 'nothing'}",
            hint="A negative status is a signal, such as -9 when memory ran out.",
        )
    told = json.loads(report[1])
    places = [(line, column) for line, column in told["places"] if line]
    line, column = places[-1] if places else (1, 1)
    message = f"{told['type']}: {told['message']}" if told["message"] else told["type"]
    mistake = scripting.diagnostic(source, message, line, column, told["length"])
    hint = ""
    if told["type"] in ("ModuleNotFoundError", "ImportError"):
        hint = (
            "A component holds Python's standard library, without what needs threads, processes or C code of "
            "other packages. Packages of this machine are not seen."
        )
    return scripting.refusal(source, [mistake], hint=hint, what="raised while it was imported")
