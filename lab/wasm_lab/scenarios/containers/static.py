"""A Rust program as one file that needs no other: the smallest image of a native program."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from wasm_lab.errors import BuildError, UnsupportedError
from wasm_lab.toolchains.rust import find_rust

#: Seconds that rustc may take.
_DEADLINE_S = 120

#: As the lab's profile `size`, with the C library in the program (rustc's book, crt-static).
_FLAGS = (
    "-Copt-level=z",
    "-Clto=fat",
    "-Ccodegen-units=1",
    "-Cpanic=abort",
    "-Cstrip=symbols",
    "-Ctarget-feature=+crt-static",
)


def static_program(code: str) -> bytes:
    """An executable of this machine, without shared libraries.

    Args:
        code: a Rust program without dependencies, of the lab's own.

    Raises:
        UnsupportedError: this is no Linux, or the C library is not here in its static form.
        BuildError: rustc refused the program.
        ToolchainError: there is no compiler, or no linker.
    """
    from wasm_lab.toolchains.host_linker import for_host

    toolchain = for_host(find_rust())
    if "linux" not in toolchain.host:
        raise UnsupportedError(
            f"Programs without shared libraries are of Linux, and this is {toolchain.host}."
        )
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as own:
        source, program = Path(own) / "main.rs", Path(own) / "main"
        source.write_text(code, encoding="utf-8")
        words = [str(toolchain.rustc), "--edition=2024", *_FLAGS, f"--sysroot={toolchain.sysroot}"]
        if toolchain.linker:
            words.append(f"-Clinker={toolchain.linker}")
        words += ["-o", str(program), str(source)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(f"The static program could not be built: {error}.") from error
        if done.returncode and "linking with" in done.stderr:
            raise UnsupportedError(
                "No program can be linked with the C library in it.",
                hint="It comes with the C library's development package: sudo apt install libc6-dev",
            )
        if done.returncode:
            raise BuildError(f"The static program could not be built:\n{done.stderr.strip()[-2000:]}")
        return program.read_bytes()
