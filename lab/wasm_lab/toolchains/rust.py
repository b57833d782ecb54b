"""Finding a ``rustc`` that works and builds for a Wasm target.

A ``rustc`` on ``PATH`` proves nothing: it may be rustup's proxy with no toolchain behind
it, a release too old for the default edition, or one without the standard library of the
target. So each candidate is run, down to a compile of an empty program, and the first that
passes is taken. What was found is remembered (see ``memory``), so that only the first
search on a machine runs anything.

Candidates, in this order:

1. ``$RUSTC``
2. the toolchain that ``wasm-lab doctor --fix`` or ``make setup`` installed
3. every ``rustc`` on ``PATH``, then those in the usual folders that a desktop session
   may not have on its ``PATH`` (``~/.cargo/bin``, Homebrew's)
4. every toolchain of the user's rustup, the default one first

Probes run in an empty folder, so that a ``rust-toolchain.toml`` in the folder of a notebook
does not change which compiler its cells get; ``RUSTUP_TOOLCHAIN`` and ``RUSTC`` do.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ToolchainError
from wasm_lab.source import DEFAULT_EDITION, Target
from wasm_lab.toolchains import memory, places
from wasm_lab.toolchains.advice import rust_commands
from wasm_lab.toolchains.commands import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Seconds that one run of a candidate may take. A compile of an empty program takes a
#: tenth of a second; a first run from a cold network drive takes many.
PROBE_TIMEOUT_S = 60

#: Folders of programs that a session started from a desktop may not have on its PATH.
USUAL_FOLDERS = ("/opt/homebrew/bin", "/usr/local/bin", "/usr/bin") if os.name == "posix" else ()

#: Environment variables that change which compiler is found.
DECIDING = ("RUSTC", "RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "CARGO_HOME", "PATH", "HOME", "USERPROFILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class RustToolchain:
    """A Rust compiler that was seen to build for one target.

    Example:
        >>> toolchain = find_rust()
        >>> toolchain.version.startswith("rustc 1.")
        True
    """

    rustc: Path  #: the real compiler in the sysroot, never rustup's proxy (12 ms slower each time)
    sysroot: Path  #: as ``rustc --print sysroot`` says
    version: str  #: such as ``rustc 1.95.0 (59807616e 2026-04-14)``
    verbose: str  #: the whole of ``rustc -vV``; part of every build's cache key
    host: str  #: such as ``x86_64-unknown-linux-gnu``
    cargo: Path | None  #: the real cargo, for cells with dependencies
    linker: Path | None = None  #: for ``-Clinker``, where rustc comes without its own (Debian's does)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that was tried and why it will not do."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def find_rust(target: Target = Target.WASIP1) -> RustToolchain:
    """The first Rust compiler on this machine that builds for ``target``.

    Under 1 ms when an earlier search, of this or another process, still holds; otherwise
    0.2 s and more, depending on how many candidates fail first.

    Raises:
        ToolchainError: none works. The message lists what was tried and why each was
            refused, the hint the commands that install one.
    """
    question = _question(target)
    answer = memory.recall(question)
    if answer is not None:
        try:
            return _from_json(answer)
        except (KeyError, TypeError):
            pass  # written by another version of the lab; found again below
    refused: list[Refusal] = []
    saw: list[str] = []
    tried: set[Path] = set()
    for candidate in candidates():
        saw.append(str(candidate))
        same = candidate.resolve()  # /bin is often a link to /usr/bin
        if same in tried or not candidate.exists():
            continue
        tried.add(same)
        result = probe(candidate, target, saw=saw)
        if isinstance(result, RustToolchain):
            memory.remember(question, _to_json(result), saw)
            return result
        refused.append(result)
    raise _nothing_works(target, refused)


def candidates() -> Iterator[Path]:
    """Every place where a ``rustc`` may be, in the order of the search, each once.

    Existing or not: one that appears later must make the lab look again.
    """
    seen: set[Path] = set()
    for path in _places():
        if path not in seen:
            seen.add(path)
            yield path


def _places() -> Iterator[Path]:
    name = f"rustc{places.EXE}"
    if os.environ.get("RUSTC"):
        named = Path(os.environ["RUSTC"])
        # As cargo does: a bare name is looked for on PATH.
        yield from places.programs_on_path(named.name) if named.parent == Path() else [named.absolute()]
    yield from _toolchains_of(places.own_rustup_home())
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if folder:
            yield Path(folder) / name
    yield places.user_cargo_home() / "bin" / name
    yield Path.home() / ".cargo" / "bin" / name
    yield from (Path(folder) / name for folder in USUAL_FOLDERS)
    yield from _toolchains_of(places.user_rustup_home())


def _toolchains_of(rustup_home: Path) -> list[Path]:
    """The compilers that a rustup has, without asking it: stable ones first."""
    folder = rustup_home / "toolchains"
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        names = []
    names.sort(key=lambda name: (not name.startswith("stable"), name.startswith(("nightly", "beta"))))
    # The folder itself is first: it does not run, but its signature changes with its content.
    return [folder, *(folder / name / "bin" / f"rustc{places.EXE}" for name in names)]


def probe(rustc: Path, target: Target, *, saw: list[str] | None = None) -> RustToolchain | Refusal:
    """Run a compiler to see whether it builds for ``target``.

    Takes the path of a ``rustc`` or of rustup's proxy; gives the toolchain behind it, or why
    it will not do. ``saw`` collects the files and folders on which the answer depends.
    """
    if rustc.is_dir():
        return Refusal(rustc, "is a folder")
    saw = saw if saw is not None else []
    try:
        with tempfile.TemporaryDirectory(prefix="wasm-lab-probe-") as folder:
            return _probe(rustc, target, folder, saw)
    except _ProbeError as failure:
        return Refusal(rustc, str(failure))


def _probe(rustc: Path, target: Target, folder: str, saw: list[str]) -> RustToolchain:
    sysroot = Path(_run([rustc, "--print", "sysroot"], folder).strip())
    real = sysroot / "bin" / f"rustc{places.EXE}"
    if not real.exists():  # some distributions keep the compiler outside its sysroot
        real = rustc
    # An update in place changes these folders even where it keeps the compiler's own date.
    rustlib = sysroot / "lib" / "rustlib"
    saw += [str(real), str(sysroot / "lib"), str(rustlib), str(rustlib / target)]
    if rustc.is_relative_to(places.user_cargo_home()) or real != rustc:
        saw.append(str(places.user_rustup_home() / "settings.toml"))  # names the default toolchain
    verbose = _run([real, "-vV"], folder)
    version, _, facts = verbose.strip().partition("\n")
    host = dict(line.split(": ", 1) for line in facts.splitlines() if ": " in line).get("host", "")
    if not version.startswith("rustc ") or not host:
        raise _ProbeError(f"does not answer as rustc does, but with {version!r}")
    libdir = _run([real, "--print", "target-libdir", "--target", target], folder, version).strip()
    saw.append(libdir)
    if not any(Path(libdir).glob("libstd-*.rlib")):
        raise _ProbeError(f"{version} is without the standard library for {target}")
    program = Path(folder) / "probe.rs"
    program.write_text("fn main() {}\n")
    command: list[str | Path] = [real, program, f"--target={target}", f"--edition={DEFAULT_EDITION}"]
    linker = _linker_for([*command, "--out-dir", folder], folder, version)
    if linker:
        saw.append(str(linker))
    return RustToolchain(
        rustc=real,
        sysroot=sysroot,
        version=version,
        verbose=verbose,
        host=host,
        cargo=_cargo_of(sysroot, rustc, folder),
        linker=linker,
    )


def _linker_for(command: list[str | Path], folder: str, version: str) -> Path | None:
    """Build an empty program; None when that works as it is, else the linker that it takes."""
    who = f"{version} cannot build an empty program"
    try:
        _run(command, folder, who)
    except _ProbeError as failure:
        # rustup's toolchains bring rust-lld. A distribution's use the lld of its LLVM packages,
        # under a name with or without a version, and rustc does not look for that.
        if "`rust-lld` not found" not in str(failure):
            raise
        for linker in _wasm_linkers():
            try:
                _run([*command, f"-Clinker={linker}"], folder)
            except _ProbeError:
                continue
            return linker
        raise _ProbeError(f"{failure} (sudo apt install lld, or the package of that name)") from None
    return None


def _wasm_linkers() -> list[Path]:
    """Every ``wasm-ld`` on PATH, the one without a version first, then the newest."""
    names = ("wasm-ld", *(f"wasm-ld-{major}" for major in range(40, 13, -1)))
    return [path for name in names for path in places.programs_on_path(name)]


def _cargo_of(sysroot: Path, rustc: Path, folder: str) -> Path | None:
    for home in (sysroot / "bin", rustc.parent):
        cargo = home / f"cargo{places.EXE}"
        try:
            if cargo.exists() and _run([cargo, "--version"], folder).startswith("cargo "):
                return cargo
        except _ProbeError:
            continue
    return None


class _ProbeError(Exception):
    """A candidate is no use; the message says why, in one line."""


def _run(command: list[str | Path], folder: str, who: str = "") -> str:
    answer = ask(command, timeout_s=PROBE_TIMEOUT_S, cwd=folder)
    if not answer.ok:
        raise _ProbeError(f"{who}: {answer.why}" if who else answer.why)
    return answer.stdout


def _question(target: Target) -> tuple[str, ...]:
    deciding = (f"{name}={os.environ.get(name, '')}" for name in DECIDING)
    return ("rust", target, str(places.own_folder()), *deciding)


def _to_json(toolchain: RustToolchain) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in asdict(toolchain).items()}


def _from_json(answer: dict[str, str]) -> RustToolchain:
    paths = {name: Path(answer[name]) for name in ("rustc", "sysroot")}
    cargo, linker = (Path(answer[name]) if answer[name] else None for name in ("cargo", "linker"))
    texts = {name: answer[name] for name in ("version", "verbose", "host")}
    return RustToolchain(cargo=cargo, linker=linker, **paths, **texts)  # type: ignore[arg-type]  # two kinds of **


def _nothing_works(target: Target, refused: list[Refusal]) -> ToolchainError:
    if refused:
        tried = "\n".join(f"  {refusal}" for refusal in refused)
        message = f"No Rust compiler here builds for {target}. Tried:\n{tried}"
    else:
        message = f"No Rust compiler was found on this machine, so nothing can be built for {target}."
    return ToolchainError(message, hint=rust_commands())
