"""The judge's session: everything that a notebook compiles, calls or runs is a student's, and behind walls.

`begin` makes it the session that the magics of this process share; a grader calls it before the first cell of a
master is executed with a student's answers in it. Then

- Rust is compiled behind walls (`wasm_lab.build.walls`), and nothing else is compiled;
- functions live, and programs run, in a process of their own (`wasm_lab.grading.guest`); numbers and bytes come
  back, and Python values are made of them here;
- the clock is frozen and randomness seeded, by a digest that no student knows;
- what a guest writes, and what the compiler warns of, goes to `JudgeSession.said` and to no stream.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import hashlib
from collections import UserDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab.build.crate import crate_for
from wasm_lab.capabilities import Capabilities, ClockMode, RandomMode
from wasm_lab.errors import BuildError, CompileError, HeaderError, UnsupportedError, UsageError, WasmLabError
from wasm_lab.grading.bodies import refuse_body
from wasm_lab.grading.walls import check_walls
from wasm_lab.session import Session, use_session
from wasm_lab.source import Kind, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from wasm_lab.artifact import Artifact
    from wasm_lab.build import Progress
    from wasm_lab.build.walls import Walls
    from wasm_lab.cells.signatures import Signature
    from wasm_lab.live import LiveCell
    from wasm_lab.runtimes.base import OutputSink, Runtime
    from wasm_lab.source import Source
    from wasm_lab.testing import TestReport

    #: For each cell its functions, and for each function the positions of what it changes in place.
    Functions = Mapping[str, Mapping[str, Sequence[int]]]

#: Bytes of what guests wrote that are kept.
SAID_BYTES = 256 * 1024

#: Public functions of one answer. Each is bound anew for each case.
MOST_FUNCTIONS = 100

#: Of what the compiler says of errors: messages, and characters of its own layout of them.
MOST_DIAGNOSTICS, RENDERED = 20, 16_000

#: Of each call or run where the master does not say: instructions, and seconds. Fuel is what ends an endless loop,
#: because it is the same on every machine: 1e9 take about a third of a second. The clock is there for what uses none.
FUEL, DEADLINE_S = 1_000_000_000, 20.0


def begin(
    *,
    digest: str,
    functions: Functions | None = None,
    dependencies: Sequence[Mapping[str, Any]] = (),
    fuel: int | None = None,
    deadline_s: float = DEADLINE_S,
    walls: bool = True,
) -> JudgeSession:
    """Make a judge's session the one that the magics of this process share.

    Args:
        digest: of the master, hidden tests included; decides what the frozen clock and the seed are.
        functions: for each cell, the functions that the master has there, and for each of them the positions
            of the parameters that it changes in place. A student's other functions get no name in the notebook,
            where they might stand in the way of the master's own, and what others change are copies.
        dependencies: what the headers of the master's cells name, a table for each. Crates are built outside of
            the walls, so a cell with any other table is refused.
        fuel: of each call or run where the master's cell does not say; None for no limit but the clock.
        deadline_s: seconds of each call or run, where the master's cell does not say.
        walls: False compiles and runs where there are no walls. Guests have a process of their own even then.

    Raises:
        UnsupportedError: walls are asked for, and the kernel has none.
    """
    session = JudgeSession(
        digest=digest,
        functions=functions,
        dependencies=dependencies,
        fuel=fuel,
        deadline_s=deadline_s,
        walls=walls,
    )
    session.stay()
    use_session(session)
    return session


class JudgeSession(Session):
    """A session that trusts nothing that it compiles; see the module's text and `begin`."""

    def __init__(
        self,
        *,
        digest: str,
        functions: Functions | None = None,
        dependencies: Sequence[Mapping[str, Any]] = (),
        fuel: int | None = None,
        deadline_s: float = DEADLINE_S,
        walls: bool = True,
    ) -> None:
        from wasm_lab.grading.guest_runtime import WalledRuntime

        super().__init__()
        self._walls: Walls | None = None
        if walls:
            check_walls()
            from wasm_lab.build.walls import Walls

            self._walls = Walls()
        self._functions = functions
        self._dependencies = [dict(each) for each in dependencies]
        self._fuel = fuel
        self._deadline_s = deadline_s
        self._frozen_ns, self._seed = clock_and_seed(digest)
        self._runtime = WalledRuntime(self._keep, walls=walls)
        self.said: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self.guests = _NoGuests()  # type: ignore[assignment]
        self.warnings: list[str] = []  #: the compiler's, which stand in no output of a cell

    def compile(self, source: Source, *, progress: Progress | None = None) -> Artifact:
        """Build ``source`` behind walls.

        Raises:
            UnsupportedError: it is no Rust for WASI 0.1, or holds tests of its own.
            HeaderError: nobody writes such an answer (`refuse_body`), or it names crates that the master does not.
            CompileError, DependencyError, BuildError, ToolchainError: why there is no artifact.
        """
        _refuse(source)
        if why := refuse_body(source.code):
            raise HeaderError(f"{source.label} is not compiled: {why}")
        if source.dependencies and source.dependencies not in self._dependencies:
            raise HeaderError(f"{source.label} is not compiled: its crates are not those of the exercise.")
        try:
            with self._compiling():
                artifact = super().compile(source, progress=progress)
        except CompileError as error:
            error.diagnostics = error.diagnostics[:MOST_DIAGNOSTICS]
            if len(error.rendered) > RENDERED:
                error.rendered = error.rendered[:RENDERED] + "\x1b[0m …\n"
            raise
        except (WasmLabError, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever a parser of ours makes of what a compiler wrote
            raise BuildError(f"{source.label} could not be compiled: {type(error).__name__}.") from None
        self.warnings += [each.rendered for each in artifact.warnings]
        self.last_artifact = replace(artifact, warnings=())
        return self.last_artifact

    def _compiling(self) -> AbstractContextManager[None]:
        from wasm_lab.build.walls import behind_walls

        return contextlib.nullcontext() if self._walls is None else behind_walls(self._walls)

    def define(
        self,
        artifact: Artifact,
        capabilities: Capabilities | None = None,
        *,
        runtime: str | None = None,
        audit: bool = False,
        output: OutputSink | None = None,
    ) -> LiveCell:
        """Make the functions of a student's library callable, in a process of their own.

        Raises:
            UsageError: it has very many.
            LoadError, GuestFailure: it cannot be loaded, or its constructors do not end well.
        """
        del output
        if artifact.source is not None and len(crate_for(artifact.source).functions) > MOST_FUNCTIONS:
            raise UsageError(
                f"{artifact.label} has more than {MOST_FUNCTIONS} public functions.",
                hint="Leave out pub where the exercise does not ask for a function.",
            )
        cell = super().define(artifact, capabilities, runtime=runtime, audit=audit)
        if self._functions is not None:
            cell.afresh = True
            cell.refused = ()
            masters = self._functions.get(cell.name, {})
            cell.functions = {
                each.name: _keeping(cell.functions[each.name], each, masters[each.name])
                for each in cell.signatures
                if each.name in masters
            }
        return cell

    def stay(self) -> None:
        """Compile nothing in this process without walls any more, whatever asks for it."""
        from wasm_lab.build.walls import always_behind_walls

        if self._walls is not None:
            always_behind_walls(self._walls)

    def cell_of_function(self, name: str) -> LiveCell:
        """Refused: what asks for it would run a student's code outside of its process.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(
            f"{name} is judged, and not measured or inspected.",
            hint="Leave %wasm_bench out of the master; a Run and a Score tell what an exercise needs.",
        )

    def test(self, *args: Any, **options: Any) -> TestReport:
        """Refused: what a student's own tests say is no judgement.

        Raises:
            UnsupportedError: always.
        """
        raise UnsupportedError(
            "Tests inside of an answer are not run when it is judged.",
            hint="Leave out --test in the master, and call its functions in a cell of tests.",
        )

    def check_wit(self, *args: Any, **options: Any) -> Any:
        """Refused, as all of components is."""
        raise _no_components()

    def compile_world(self, *args: Any, **options: Any) -> Any:
        """Refused, as all of components is."""
        raise _no_components()

    def close(self) -> None:
        """End the processes of the guests."""
        self._runtime.close()

    def _checked(
        self, runtime: str | None, capabilities: Capabilities | None, *, audit: bool = False
    ) -> tuple[Runtime, Capabilities]:
        if runtime not in (None, "wasmtime"):
            raise UnsupportedError(
                f"Answers are judged in wasmtime, not in {runtime}.",
                hint="Leave out --runtime in the master.",
            )
        chosen = self._granted(capabilities or Capabilities())
        self._runtime.check(chosen, audit=audit)
        return self._runtime, chosen

    def _granted(self, asked: Capabilities) -> Capabilities:
        default = Capabilities()
        changes: dict[str, Any] = {"inherit_output": False}
        if asked.clock is ClockMode.REAL or asked.frozen_ns == default.frozen_ns:
            changes |= {"frozen_ns": self._frozen_ns}
        if asked.clock is ClockMode.REAL:
            changes |= {"clock": ClockMode.FROZEN}
        if asked.random is not RandomMode.REFUSED and asked.seed == default.seed:
            changes |= {"random": RandomMode.SEEDED, "seed": self._seed}
        if asked.fuel is None:
            changes |= {"fuel": self._fuel}
        if asked.deadline_s in (None, default.deadline_s):
            changes |= {"deadline_s": self._deadline_s}
        if asked.stdin is None:
            changes |= {"stdin": b""}
        return replace(asked, **changes)

    def _keep(self, stream: str, data: bytes) -> None:
        kept = self.said[stream]
        kept += data[: max(0, SAID_BYTES - len(kept))]


class _NoGuests(UserDict[str, "Artifact"]):
    """Keeps no cell for a host of components or workers, which would run it outside of its process."""

    def __setitem__(self, name: str, artifact: Artifact) -> None:
        raise _no_components()

    def keys(self) -> Any:
        raise _no_components()


def _keeping(
    function: Callable[..., Any], signature: Signature, may_change: Sequence[int]
) -> Callable[..., Any]:
    """The function with copies of what only the student's own changes: a test's values are not theirs to change."""
    positions = set(signature.changes) - set(may_change)
    if not positions:
        return function
    names = {signature.parameters[position].name for position in positions}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        given = [copy.copy(each) if position in positions else each for position, each in enumerate(args)]
        named = {name: copy.copy(each) if name in names else each for name, each in kwargs.items()}
        return function(*given, **named)

    return call


def clock_and_seed(digest: str) -> tuple[int, int]:
    """Where the frozen clock stands (nanoseconds since 1970, from 2001 to 2033) and the seed, for a master.

    Example:
        >>> clock_and_seed("a") == clock_and_seed("a") != clock_and_seed("b")
        True
    """
    numbers = hashlib.sha256(f"judge {digest}".encode()).digest()
    frozen_ns = 10**18 + int.from_bytes(numbers[:8], "big") % 10**18
    return frozen_ns, int.from_bytes(numbers[8:15], "big")


def _refuse(source: Source) -> None:
    if source.language != "rust" or source.bindings is not None or source.target is not Target.WASIP1:
        raise UnsupportedError(
            f"{source.label}: answers are judged in Rust for {Target.WASIP1}.",
            hint="Leave out --target and --world in the master, or let the answer be text (%%answer).",
        )
    if source.kind is Kind.TESTS:
        raise UnsupportedError(
            f"{source.label}: tests inside of an answer are not run when it is judged.",
            hint="Leave out --test in the master, and call its functions in a cell of tests.",
        )


def _no_components() -> UnsupportedError:
    return UnsupportedError(
        "Answers are judged as modules, not as components.",
        hint="Let the answer be functions, a program or text.",
    )
