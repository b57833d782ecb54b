"""The subjects of one function: the same harness in every engine, and the twins beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.build import build, build_for_host
from wasm_lab.errors import UnsupportedError, UsageError
from wasm_lab.run import Phase
from wasm_lab.subjects import wasmedge
from wasm_lab.subjects.available import GUARDS, require, version
from wasm_lab.subjects.base import DEADLINE_S, BaseSubject, Files, python_worker
from wasm_lab.subjects.dying import dying_with_parent
from wasm_lab.subjects.harness import harness_for
from wasm_lab.subjects.python_code import code_of
from wasm_lab.subjects.talking import DirectSubject, HostedSubject
from wasm_lab.subjects.twins import PHASES, JavaScriptSubject, PythonSubject
from wasm_lab.toolchains.node import find_node, node_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.cells.signatures import RustType, Signature
    from wasm_lab.measure.subject import Subject
    from wasm_lab.source import Source

_CALLS = {Phase.FIRST_CALL, Phase.CALL}
_WASMTIME = frozenset({Phase.COMPILE, Phase.LOAD, Phase.INSTANTIATE, Phase.TEARDOWN, *_CALLS})
_NODE = frozenset({Phase.COMPILE, Phase.INSTANTIATE, *_CALLS})
_DIRECT = frozenset({Phase.PROCESS, *_CALLS})

#: Longest text of an input in a chart or table, in characters.
_INPUT_CHARACTERS = 40


class FunctionSubjects:
    """What the subjects of one function and its arguments share."""

    def __init__(
        self, source: Source, function: str, args: tuple[Any, ...], *, guards: str, deadline_s: float
    ) -> None:
        self.function = function
        self.args = args
        self.guards = guards
        self.harness = harness_for(source, function, args)
        self.common: dict[str, Any] = {
            "workload": function,
            "input": input_text(args, self.harness.signature),
            "deadline_s": deadline_s,
            "files": Files(),
            "harness": self.harness,
        }

    def subject(
        self, place: str, js_twin: str | None, python_twin: Callable[..., Any] | str | None
    ) -> BaseSubject:
        """The subject of that place.

        Raises:
            UsageError: there is no such place, or no twin was given for it.
            UnsupportedError: it is not usable here.
            BuildError: the function does not compile for it.
        """
        require(place)
        common = {**self.common, "place": place, "version": version(place)}
        match place:
            case "wasmtime":
                return self._hosted(common, "wasmtime", python_worker("wasmtime_worker"), _WASMTIME)
            case "node":
                return self._hosted(common, "node", node_command(), _NODE)
            case "wasmer":
                return self._hosted(common, "wasmer", python_worker("wasmer_worker"), frozenset(_CALLS))
            case "native":
                program = self.common["files"].write("harness", native_program(self.harness.source))
                program.chmod(0o700)
                return DirectSubject(
                    **common, language="rust", runtime="native", phases=_DIRECT, command=(str(program),)
                )
            case "wasmedge" | "wasmedge-aot":
                return self._wasmedge(common, place)
            case "javascript":
                if js_twin is None:
                    raise UsageError(
                        f"{self.function} has no JavaScript twin.", hint="Write one with %%js_twin."
                    )
                return JavaScriptSubject(
                    **common,
                    language="javascript",
                    runtime="node",
                    phases=PHASES,
                    args=self.args,
                    code=js_twin,
                    function=self.function,
                    label=f"{self.function}.js",
                    command=tuple(node_command()),
                )
            case "python":
                if python_twin is None:
                    raise UsageError(f"{self.function} has no Python twin.", hint="Define it with def.")
                code, name = (
                    (python_twin, self.function) if isinstance(python_twin, str) else code_of(python_twin)
                )
                return PythonSubject(
                    **common,
                    language="python",
                    runtime="cpython",
                    phases=PHASES,
                    args=self.args,
                    code=code,
                    function=name,
                    label=f"{name}.py",
                    command=tuple(python_worker("python_worker")),
                )
        raise UsageError(f"{place} runs no functions.")

    def _wasmedge(self, common: dict[str, Any], place: str) -> DirectSubject:
        artifact, files = build(self.harness.source, incremental=False), self.common["files"]
        ahead = place == "wasmedge-aot"
        return DirectSubject(
            **common,
            language="rust",
            runtime=place,
            phases=_DIRECT | {Phase.COMPILE} if ahead else _DIRECT,
            module=artifact,
            command=wasmedge.run_command(wasmedge.module_file(place, artifact, files)),
            compiling=wasmedge.compile_command(artifact, files) if ahead else (),
        )

    def _hosted(
        self, common: dict[str, Any], runtime: str, command: list[str], phases: frozenset[Phase]
    ) -> HostedSubject:
        return HostedSubject(
            **common,
            language="rust",
            runtime=runtime,
            guards=self.guards if runtime == "wasmtime" else "none",
            keeps_instances=runtime != "wasmer",
            phases=phases,
            command=tuple(command),
            artifact=build(self.harness.source, incremental=False),
        )


def function_subjects(
    source: Source,
    function: str,
    args: tuple[Any, ...],
    *,
    places: Sequence[str],
    js_twin: str | None = None,
    python_twin: Callable[..., Any] | str | None = None,
    guards: str = "none",
    deadline_s: float = DEADLINE_S,
) -> list[Subject]:
    """A function of a Source in each of ``places``, ready to be timed with ``args``.

    Args:
        places: names as `places()` has them. ``javascript`` and ``python`` are the twins.
        js_twin: JavaScript text that defines a function of the same name.
        python_twin: a Python function, or text that defines one of the same name.
        guards: ``none``, ``epochs``, ``fuel`` or ``audit``: with what wasmtime guards the guest. The
            others have no guards, and are left as they are.
        deadline_s: seconds that one order to a probe may take before it is killed.

    Raises:
        UsageError: a place, function, twin or argument is not what it should be.
        UnsupportedError: a place is not usable on this machine.
        BuildError: the function does not compile.

    Example:
        >>> from wasm_lab.source import Kind, Source
        >>> double = Source(code="pub fn double(n: u32) -> u32 { 2 * n }", kind=Kind.FUNCTIONS)
        >>> [subject] = function_subjects(double, "double", (21,), places=["wasmtime"])
        >>> subject.answer().value
        42
    """
    if guards not in GUARDS:
        raise UsageError(f"{guards!r} is no kind of guards.", hint=f"Guards: {', '.join(GUARDS)}.")
    shared = FunctionSubjects(source, function, args, guards=guards, deadline_s=deadline_s)
    return [shared.subject(place, js_twin, python_twin) for place in places]


def native_program(source: Source) -> bytes:
    """The executable file of a program for this machine, optimised as for Wasm."""
    return build_for_host(source, incremental=False).executable


def node_command() -> list[str]:
    """node with the script of this room, such that it dies with this process."""
    return dying_with_parent(node_program())


def node_program() -> list[str]:
    """node with the script of this room."""
    from importlib import resources

    found = find_node()
    if found is None:
        raise UnsupportedError(node_missing())
    script = resources.files("wasm_lab.subjects").joinpath("node.js")
    return [str(found.program), "--no-warnings", str(script)]


def input_text(args: tuple[Any, ...], signature: Signature | None = None) -> str:
    """Arguments as a short text; a long one is told by its type and size.

    Example:
        >>> input_text((32, "abc", [0.5] * 1000))
        "32, 'abc', list[1000]"
    """
    kinds = [each.type for each in signature.parameters] if signature else [None] * len(args)
    return ", ".join(_short(value, kind) for value, kind in zip(args, kinds, strict=True))


def _short(value: Any, kind: RustType | None) -> str:
    if not hasattr(value, "__len__"):
        return repr(value)
    if isinstance(value, (str, bytes, list, tuple)) and len(value) <= _INPUT_CHARACTERS:
        text = repr(value)
        if len(text) <= _INPUT_CHARACTERS:
            return text
    shape = "×".join(map(str, getattr(value, "shape", None) or (len(value),)))
    if isinstance(value, str):
        return f"text[{shape}]"
    element = kind.args[0].text if kind and kind.args else ""
    return f"{element or getattr(value, 'dtype', None) or type(value).__name__}[{shape}]"
