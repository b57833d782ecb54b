"""Getting a Rust compiler that builds for the lab's targets, where there is none.

Two ways, tried in this order:

1. Where the user has a rustup with a toolchain, that toolchain is given the targets.
2. Otherwise the lab installs a toolchain of its own, of one fixed version, into one folder
   (``places.own_folder()``) that can be deleted at any time. rustup does that; where there
   is none, it comes from its PyPI package (see ``pypi``). Neither ``PATH`` nor any file of
   the shell is changed.

A toolchain takes 0.8 GB on the disk, most of it rustc itself.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.source import DEFAULT_EDITION, Target
from wasm_lab.toolchains import places, pypi
from wasm_lab.toolchains.advice import rust_commands
from wasm_lab.toolchains.commands import CommandError, ask, follow
from wasm_lab.toolchains.rust import RustToolchain, find_rust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

#: The release that the lab installs; the lab is tested with it. Any release that knows the
#: default edition (1.85 and later for 2024) will do where one is there already.
PINNED_RUST = "1.99.1"

#: Seconds. The download is 0.2 GB; a toolchain unpacks in ten seconds on a fast disk.
INSTALL_TIMEOUT_S = 1800

#: Seconds for rustup to say what it has.
ASK_TIMEOUT_S = 60


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
        except CommandError as error:
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
    return next((path for path in found if path and path.exists() and _output(path, "--version")), None)


def _add_targets(targets: Sequence[Target], say: Callable[[str], None]) -> None:
    rustup = user_rustup()
    if rustup is None:
        raise CommandError("")
    active = _output(rustup, "show", "active-toolchain").split()
    if not active:
        raise CommandError(f"{rustup} has no toolchain to add targets to.")
    # A target added to a compiler that is too old for the lab would be of no use.
    if not _output(rustup, "run", active[0], "rustc", f"--edition={DEFAULT_EDITION}", "--print", "sysroot"):
        raise CommandError(
            f"The toolchain {active[0]} of {rustup} is too old for edition {DEFAULT_EDITION}, or does not run."
        )
    say(f"Adding {' and '.join(targets)} to the Rust toolchain {active[0]} (rustup target add)")
    command: list[str | Path] = [rustup, "target", "add", "--toolchain", active[0], *targets]
    follow(command, say, timeout_s=INSTALL_TIMEOUT_S)


def _install_own(targets: Sequence[Target], say: Callable[[str], None]) -> None:
    with own_folder_locked() as folder:
        rustup = user_rustup() or _rustup_from_pypi(say)
        say(f"Installing Rust {PINNED_RUST} with {' and '.join(targets)} into {folder} (0.8 GB)")
        # Without the last word, rustup looks for itself in CARGO_HOME, where it is not, and fails.
        words = ["--profile", "minimal", *(f"--target={target}" for target in targets), "--no-self-update"]
        command: list[str | Path] = [rustup, "toolchain", "install", PINNED_RUST, *words]
        follow(
            command,
            say,
            timeout_s=INSTALL_TIMEOUT_S,
            changed={
                "RUSTUP_HOME": str(places.own_rustup_home()),
                "CARGO_HOME": str(places.own_cargo_home()),
            },
            watch=places.own_rustup_home(),
        )


@contextlib.contextmanager
def own_folder_locked() -> Iterator[Path]:
    """The folder of the lab's own toolchain, made if need be, for one process at a time.

    Raises:
        CommandError: it cannot be written.
    """
    from filelock import FileLock

    folder = places.own_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        lock.acquire()
    except OSError as error:
        raise CommandError(
            f"The folder {folder} cannot be written ({error.strerror}). "
            "Set WASM_LAB_TOOLCHAIN to a folder that can."
        ) from None
    try:
        yield folder
    finally:
        lock.release()


def _rustup_from_pypi(say: Callable[[str], None]) -> Path:
    home = pypi.unpack("rustup", say)
    rustup = home / ("Scripts" if os.name == "nt" else "bin") / f"rustup{places.EXE}"
    if not rustup.exists():
        raise CommandError(f"PyPI's rustup, installed into {home}, has no program for this system.")
    return rustup


def _output(program: Path, *arguments: str) -> str:
    """What a short command prints, or nothing when it fails."""
    answer = ask([program, *arguments], timeout_s=ASK_TIMEOUT_S)
    return answer.stdout.strip() if answer.ok else ""
