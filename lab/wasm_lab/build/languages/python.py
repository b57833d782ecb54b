"""Python to a component, by componentize-py.

The tool takes ten seconds, and the engine as long again, for an interpreter that is always the same. So what is
componentized is a module of the lab's own (``python_entry.txt``, ``python_program.txt``) with a place for the
learner's text (`slot`), once for each world and each set of unusual imports; the text is written into it
afterwards. It runs at the first call. Code without a world becomes a program for ``wasi:cli/run``.
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
from wasm_lab.build.languages import scripting, slot
from wasm_lab.build.languages.python_modules import ABSENT, BINDINGS, has_module
from wasm_lab.errors import BuildError, CompileError
from wasm_lab.toolchains.componentize_py import ComponentizePy, ensure_componentize_py
from wasm_lab.toolchains.pypi import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wasm_lab.build.progress import Progress
    from wasm_lab.diagnostic import Diagnostic
    from wasm_lab.source import Source

CACHE_KIND = "python-component"

#: Modules that every component has, so that most texts need no component of their own.
USUAL = (
    "abc argparse array ast base64 binascii bisect calendar cmath codecs collections collections.abc "
    "colorsys contextlib copy csv dataclasses datetime decimal difflib encodings.ascii encodings.cp1252 "
    "encodings.idna encodings.latin_1 encodings.utf_16 encodings.utf_32 enum fnmatch fractions functools gc "
    "glob hashlib heapq hmac html html.parser inspect io itertools json keyword locale logging math numbers "
    "operator os os.path pathlib pprint queue random re secrets shlex statistics string struct sys tempfile "
    "textwrap time timeit traceback types typing unicodedata unittest urllib.parse uuid warnings weakref "
    "xml.etree.ElementTree zlib"
).split()

#: What a text can import, for one that imports something else.
IMPORT_HINT = (
    "A cell can import Python's standard library, and no packages: those that are installed on this machine are "
    f"not in the component. Of the standard library these are missing: {', '.join(sorted(ABSENT))}."
)

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
        CompileError: the text is no Python, or imports what a component cannot have; told at its lines.
        ToolchainError: componentize-py cannot be had.
        BuildError: componentize-py failed, or took too long.
    """
    tree = check_syntax(source)
    check_imports(source, tree)
    given = {"label": source.label, "code": source.code, "first_line": source.first_line}
    text = json.dumps(given).encode()
    size = slot.size_for(text)
    version = version_of("componentize-py")
    parts = (version, _files(source, tree, size))
    made = scripting.base(source, CACHE_KIND, parts, lambda steps: _base(source, tree, size, steps, progress))
    return scripting.artifact(source, made, text, compiler=f"componentize-py {version}")


def interpreter_made(source: Source) -> bool:
    """Whether the cache has the component that a text goes into, so that no tool has to run for it.

    Args:
        source: a text without mistakes, of usual length.
    """
    files = _files(source, check_syntax(source), slot.SIZE)
    return scripting.has_base(CACHE_KIND, (version_of("componentize-py"), files))


def _base(source: Source, tree: ast.Module, size: int, steps: list[Step], progress: Progress | None) -> bytes:
    """The component with a blank place for the text."""
    began = time.perf_counter_ns()
    tool = ensure_componentize_py(scripting.teller(progress))
    now = time.perf_counter_ns()
    if now - began > scripting.NOTABLE_NS:
        steps.append(Step("componentize-py from PyPI", now - began))
    what = source.bindings.world if source.bindings else "programs"
    if progress:
        progress(f"Python for {what}: componentize-py {tool.version}, once, some 10 s", 0, 0)
    wasm = _componentized(source, tree, _files(source, tree, size), tool)
    steps.append(Step("componentize-py", time.perf_counter_ns() - now))
    return wasm


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


def check_imports(source: Source, tree: ast.Module) -> None:
    """Refuse imports that fail in every component; those in functions and below ``try`` may fail when they run.

    Raises:
        CompileError: a statement of the text imports what a component cannot have; told at its line.
    """
    own = _own_modules(source)
    mistakes = []
    for node in tree.body:
        wrong = [name for name in _modules([node]) if not has_module(name, own)]
        if wrong:
            said = f"ModuleNotFoundError: No module named {wrong[0].partition('.')[0]!r}"
            mistakes.append(_at(source, node, said))
    if mistakes:
        raise scripting.refusal(source, mistakes, hint=IMPORT_HINT)


def _own_modules(source: Source) -> tuple[str, ...]:
    return ("cell", "__main__", *(source.bindings.modules if source.bindings else ()))


def _at(source: Source, node: ast.stmt, message: str) -> Diagnostic:
    length = (node.end_col_offset or 0) - node.col_offset if node.end_lineno == node.lineno else 1
    return scripting.diagnostic(source, message, node.lineno, node.col_offset + 1, length)


def _files(source: Source, tree: ast.Module, size: int) -> dict[str, str]:
    """The text files that componentize-py reads, by name: all that decides what it makes."""
    bindings = source.bindings
    required = set(_imported(tree.body)) - set(USUAL)
    own = _own_modules(source)
    others = set(_imported(ast.walk(tree))) - required - set(USUAL)
    given: dict[str, Any] = {
        "SLOT": size,
        "USUAL": list(USUAL),
        "REQUIRED": sorted(required & set(_modules(tree.body))),
        # What no component has makes no component of its own: the text fails at its line, when it gets there.
        "OPTIONAL": sorted(name for name in others if has_module(name, own)),
        "FUNCTIONS": list(bindings.functions) if bindings else [],
        "INTERFACES": list(bindings.interfaces) if bindings else [],
    }
    files = {
        "world.wit": bindings.wit if bindings else PROGRAM,
        "world": bindings.world if bindings else "lab:program/program",
        "lab_spec.py": "".join(f"{name} = {value!r}\n" for name, value in given.items()),
        "lab_common.py": _resource("python_common.txt"),
        f"{ENTRY}.py": _resource("python_entry.txt" if bindings else "python_program.txt"),
    }
    for name in bindings.modules if bindings else ():
        # componentize-py looks for the resources of an exported interface in a module of its name.
        files[f"{name}.py"] = (
            f"from {ENTRY} import lab_resource\n\n"
            f"def __getattr__(name):\n"
            f"    if name.startswith('__'):\n        raise AttributeError(name)\n"
            f"    found = globals()[name] = lab_resource({name!r}, name)\n    return found\n"
        )
    return files


def _resource(name: str) -> str:
    return resources.files("wasm_lab.build.languages").joinpath(name).read_text(encoding="utf-8")


def _modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The modules that certain imports name themselves; ``from x import y`` may name a function."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _imported(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The modules that code may import: a component has only those that were loaded while it was made."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            root = node.module.partition(".")[0]
            if root not in BINDINGS:
                yield node.module
                if node.module not in USUAL:
                    yield from (f"{node.module}.{alias.name}" for alias in node.names if alias.name != "*")


def _componentized(source: Source, tree: ast.Module, files: dict[str, str], tool: ComponentizePy) -> bytes:
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
    raise _failure(source, tree, ended.stderr.decode("utf-8", "replace"), ended.status)


#: What `python_common` puts around its report of a module that cannot be imported.
_REPORT = re.compile(r"lab-report:(\{.*?\}):lab-report", re.DOTALL)


def _failure(source: Source, tree: ast.Module, said: str, status: int) -> BuildError:
    report = _REPORT.search(said)
    if report is None:
        lines = [line for line in said.partition("Stack backtrace:")[0].splitlines() if line.strip()]
        told = " ".join(line.strip() for line in lines if not line.startswith("Traceback"))[-2000:]
        if "duplicate items detected" in told:
            return BuildError(
                f"{source.label} did not become a component: componentize-py links the world's functions with C's "
                "library under one set of names, and a name is in both.",
                hint="Such as div, abs, read or exit: rename that function in the world, or put it into an interface.",
            )
        return BuildError(
            f"{source.label} did not become a component: componentize-py ended with status {status} "
            f"and said: {told or 'nothing'}",
            hint="A negative status is a signal, such as -9 when memory ran out.",
        )
    told = json.loads(report[1])
    place = next((node for node in tree.body if told["module"] in _imported([node])), tree.body[0])
    return scripting.refusal(source, [_at(source, place, told["message"])], hint=IMPORT_HINT)
