"""Running other programs: short ones for their answer, long ones with their words passed on."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: A folder in and above which there is no ``rust-toolchain.toml`` that rustup would obey.
NEUTRAL = Path(sys.prefix).anchor

#: Seconds between two lines on how far a download is; rustup itself is silent without a terminal.
HEARTBEAT_S = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a short command said."""

    stdout: str = ""
    stderr: str = ""
    status: int = 0
    failure: str = ""  #: why there is no answer: it did not start, or not end in time

    @property
    def ok(self) -> bool:
        """Whether it ran and ended with status 0."""
        return not self.failure and self.status == 0

    @property
    def why(self) -> str:
        """What went wrong, in one line: its own first line on an error, where there is one."""
        if self.failure:
            return self.failure
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.lower().startswith("error")]
        return (errors or lines or [f"ended with status {self.status} and no message"])[0]


class CommandError(Exception):
    """A long command failed; the message says which and why."""


def ask(
    command: Sequence[str | Path],
    *,
    timeout_s: float,
    cwd: str | Path = NEUTRAL,
    changed: Mapping[str, str] | None = None,
) -> Answer:
    """Run a command that takes no input and soon ends. Raises nothing that the command causes."""
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=_environment(changed),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(failure=f"did not answer within {timeout_s} s")
    except OSError as error:
        return Answer(failure=f"does not start ({error.strerror or error})")
    return Answer(done.stdout, done.stderr, done.returncode)


def follow(
    command: Sequence[str | Path],
    say: Callable[[str], None],
    *,
    timeout_s: float,
    changed: Mapping[str, str] | None = None,
    watch: Path | None = None,
) -> None:
    """Run a long command, telling each line that it prints, and how the folder ``watch`` grows.

    Raises:
        CommandError: it did not start, did not end in time, or ended with a status other than 0.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=NEUTRAL,
            env=_environment(changed),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise CommandError(f"{command[0]} does not start ({error.strerror or error})") from None
    lines: list[str] = []
    ended = threading.Event()
    deadline = threading.Timer(timeout_s, process.kill)
    deadline.daemon = True
    deadline.start()
    if watch:
        threading.Thread(target=_tell_growth, args=(watch, say, ended), daemon=True).start()
    with process:
        assert process.stdout is not None
        try:
            for raw in process.stdout:
                line = raw.strip()
                if line:
                    lines.append(line)
                    say(f"  {line}")
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
        finally:
            ended.set()
            deadline.cancel()
    if status != 0:
        said = [line for line in lines if line.lower().startswith("error")] or lines[-3:] or ["no message"]
        shown = " ".join(map(str, command))
        raise CommandError(f"`{shown}` ended with status {status}: {' '.join(said)}")


def _environment(changed: Mapping[str, str] | None) -> dict[str, str]:
    # A proxy of rustup's must not install a toolchain of 700 MB because it was asked for its version.
    kept = {**os.environ, "RUSTUP_AUTO_INSTALL": "0"}
    if changed and "RUSTUP_HOME" in changed:
        kept.pop("RUSTUP_TOOLCHAIN", None)  # chosen for another home's toolchains
    return {**kept, **(changed or {})}


def _tell_growth(folder: Path, say: Callable[[str], None], ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_S):
        with contextlib.suppress(OSError):  # files are moved about meanwhile
            size = sum(file.lstat().st_size for file in folder.rglob("*"))
            say(f"  {size / 1e6:.0f} MB so far")
