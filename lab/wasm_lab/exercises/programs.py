"""Running an answer that is a program: ``fn main``, with what a test gives it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.capabilities import ClockMode, RandomMode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wasm_lab.run import Run


def program(
    name: str,
    *,
    args: Sequence[str] = (),
    stdin: bytes | str = b"",
    env: Mapping[str, str] | None = None,
    dirs: Mapping[str, Path | str] | None = None,
    dirs_ro: Mapping[str, Path | str] | None = None,
    audit: bool = False,
    clock: ClockMode = ClockMode.FROZEN,
    random: RandomMode = RandomMode.SEEDED,
    memory_bytes: int | None = None,
    fuel: int | None = None,
    deadline_s: float = 5.0,
    runtime: str | None = None,
) -> Run:
    """Run the program of a named cell in a fresh sandbox; a run that did not end well is returned too.

    Args:
        name: of the cell, as ``%%wasm_rust --name`` gave it.
        stdin: what the program reads from its standard input.
        dirs, dirs_ro: folders that are opened, from the guest's name to the host's folder.
        audit: whether host calls are recorded, in ``run.audit``.
        clock, random: frozen and seeded unless told otherwise, so that equal answers behave alike.
        memory_bytes, fuel: as in `Capabilities`; its defaults where they are None.

    Raises:
        UsageError: no cell of that name holds a program.

    Example:
        >>> from wasm_lab.cells import parse_cell
        >>> from wasm_lab.session import default_session
        >>> _ = default_session().compile(parse_cell('fn main() { print!("hi"); }', name="greeter"))
        >>> program("greeter").stdout
        b'hi'
    """
    from wasm_lab.capabilities import Capabilities, Directory
    from wasm_lab.session import default_session

    session = default_session()
    limits = {"memory_bytes": memory_bytes, "fuel": fuel}
    capabilities = Capabilities(
        args=tuple(args),
        stdin=stdin.encode() if isinstance(stdin, str) else stdin,
        env=dict(env or {}),
        dirs=(
            *(Directory(Path(host), guest, writable=True) for guest, host in (dirs or {}).items()),
            *(Directory(Path(host), guest, writable=False) for guest, host in (dirs_ro or {}).items()),
        ),
        clock=clock,
        random=random,
        deadline_s=deadline_s,
        **{key: value for key, value in limits.items() if value is not None},  # type: ignore[arg-type]
    )
    return session.run(session.program(name), capabilities, runtime=runtime, audit=audit)
