"""``wasi:cli``: environment, exit, standard streams, and no terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.components import current
from wasm_lab.scenarios.spin.host.io import InputStream, OutputStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.scenarios.spin.host.log import ComponentLog


class GuestExit(Exception):
    """The guest called ``exit``: it is over, and nothing went wrong in the engine."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the guest called exit with status {code}")
        self.code = code


class LogStream(OutputStream):
    """Standard output or error of a guest: its lines go to the component's log."""

    def __init__(self, watch: Any, log: ComponentLog, name: str) -> None:
        super().__init__(watch)
        self._lines = watch.lines(log, name)

    def accept(self, contents: bytes) -> None:
        self._lines.write(contents)

    def flush(self) -> None:
        pass  # a line is logged when it is whole, or the guest is over


class _Environment:
    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = list(variables.items())

    def get_environment(self) -> list[tuple[str, str]]:
        return self._variables

    def get_arguments(self) -> list[str]:
        return []

    def initial_cwd(self) -> str | None:
        return None


class _Exit:
    def exit(self, status: Any) -> None:
        raise GuestExit(0 if type(status).__name__ == "Ok" else 1)

    def exit_with_code(self, status_code: int) -> None:
        raise GuestExit(status_code)


class _TerminalInput:
    pass


class _TerminalOutput:
    pass


class _Stdin:
    def get_stdin(self) -> InputStream:
        return InputStream(current.data)  # at its end from the start


class _Stdout:
    def __init__(self, log: ComponentLog) -> None:
        self._log = log

    def get_stdout(self) -> LogStream:
        return LogStream(current.data, self._log, "stdout")


class _Stderr:
    def __init__(self, log: ComponentLog) -> None:
        self._log = log

    def get_stderr(self) -> LogStream:
        return LogStream(current.data, self._log, "stderr")


class _Terminals:
    """Everything of ``wasi:cli/terminal-*``: nobody sits at one."""

    TerminalInput = _TerminalInput
    TerminalOutput = _TerminalOutput

    def get_terminal_stdin(self) -> None:
        return None

    def get_terminal_stdout(self) -> None:
        return None

    def get_terminal_stderr(self) -> None:
        return None


def implement(environment: Mapping[str, str], log: ComponentLog) -> dict[str, object]:
    """The interfaces of ``wasi:cli`` for one component.

    Args:
        environment: its environment variables.
        log: where what it prints goes.
    """
    terminals = _Terminals()
    return {
        "wasi:cli/environment": _Environment(environment),
        "wasi:cli/exit": _Exit(),
        "wasi:cli/stdin": _Stdin(),
        "wasi:cli/stdout": _Stdout(log),
        "wasi:cli/stderr": _Stderr(log),
        **{
            f"wasi:cli/terminal-{name}": terminals
            for name in ("input", "output", "stdin", "stdout", "stderr")
        },
    }
