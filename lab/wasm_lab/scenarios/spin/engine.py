"""The real ``spin``: found on PATH, and run on the same file."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from wasm_lab.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

INSTALL = (
    "Install Spin (https://spinframework.dev/install), or leave --engine out: the lab hosts the file itself."
)


def find_spin() -> tuple[str, str] | None:
    """The program and its version; None when there is none, or another of the same name (a model checker)."""
    program = shutil.which("spin")
    if program is None:
        return None
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.match(r"spin (\d+\.\d+\S*)", done.stdout)
    return (program, version[1]) if version else None


def real_spin(arguments: Sequence[str]) -> list[str]:
    """The command line of the real ``spin``.

    Raises:
        UnsupportedError: it is not here.
    """
    found = find_spin()
    if found is not None:
        return [found[0], *arguments]
    if shutil.which("spin"):
        raise UnsupportedError("The `spin` on PATH is not the Spin of spinframework.dev.", hint=INSTALL)
    raise UnsupportedError("There is no `spin` on PATH.", hint=INSTALL)


def up_arguments(
    manifest: Path,
    *,
    listen: str = "",
    environment: Sequence[str] = (),
    variables: Sequence[str] = (),
    runtime_config: Path | None = None,
    state_dir: Path | None = None,
    quiet: bool = False,
    build: bool = False,
) -> list[str]:
    """The words behind ``spin`` that start an application."""
    words = ["up", "--from", str(manifest)]
    for value in environment:
        words += ["--env", value]
    for value in variables:
        words += ["--variable", value]
    words += ["--runtime-config-file", str(runtime_config)] if runtime_config else []
    words += ["--state-dir", str(state_dir)] if state_dir else []
    words += ["--quiet"] if quiet else []
    words += ["--build"] if build else []
    return words + (["--listen", listen] if listen else [])


def run_real_spin(arguments: Sequence[str]) -> int:
    """Run the real ``spin`` in the foreground and give its exit status.

    Raises:
        UnsupportedError: it is not here.
    """
    process = subprocess.Popen(real_spin(arguments))
    while True:
        try:
            status = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # and it shuts its servers down
        else:
            return status if status >= 0 else 128 - status
