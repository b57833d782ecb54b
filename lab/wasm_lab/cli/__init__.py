"""The ``wasm-lab`` command. Nothing is imported before it is known to be needed."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

from wasm_lab.errors import DeadlineExceeded, GuestTrap, UsageError, WasmLabError

#: Exit status after an interrupt: 128 plus the number of SIGINT, as shells have it.
INTERRUPTED = 130
#: What a shell reports for a process that ended by SIGABRT (128 + 6): wasmtime's own choice for a trap.
TRAPPED = 134
#: What ``timeout(1)`` exits with.
TIMED_OUT = 124
FAILED = 1
USAGE = 2


def main() -> NoReturn:
    """Run the command line; errors of the lab are shown without a traceback.

    Exit status: the guest's own where one ran, 134 for a trap, 124 for a deadline,
    1 for an error, 2 for wrong usage, 130 after an interrupt.
    """
    # Start-up makes many objects and no garbage; looking for some meanwhile takes a tenth of it.
    gc.set_threshold(100_000)
    try:
        status = _dispatch(sys.argv[1:])
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)  # noqa: T201
        status = INTERRUPTED
    except WasmLabError as error:
        from wasm_lab.cli.show import show_error

        show_error(error)
        status = status_of(error)
    sys.exit(status)


#: What ``wasm-lab run`` takes.
_RUN_ENDINGS = (".wasm", ".wat", ".rs", ".c", ".cpp", ".cc", ".cxx", ".zig", ".go")


def _dispatch(words: list[str]) -> int:
    if len(words) > 1 and words[0] == "run" and words[1].endswith(_RUN_ENDINGS):
        # Without options there is nothing to parse, and the parser takes a third of the start-up.
        from pathlib import Path

        file = Path(words[1])
        if file.is_file() and not words[1].startswith("-"):
            from wasm_lab.cli.execute import DEFAULTS, execute

            return execute(file, DEFAULTS.with_args(words[2:]))
    from wasm_lab.cli.commands import run_commands

    return run_commands()


def status_of(error: WasmLabError) -> int:
    """The status to exit with for an error: a guest's trap as ``wasm-lab run`` reports one."""
    if isinstance(error, GuestTrap):
        return TIMED_OUT if isinstance(error, DeadlineExceeded) else TRAPPED
    return USAGE if isinstance(error, UsageError) else FAILED
