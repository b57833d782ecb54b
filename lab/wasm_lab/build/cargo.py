"""cargo as a tool: resolve, look at the graph, build; and what its failures mean."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.build.manifest import PACKAGE
from wasm_lab.build.process import Finished, run_tool
from wasm_lab.errors import DependencyError, ToolchainError
from wasm_lab.toolchains.host_linker import linker_variables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wasm_lab.build.progress import Progress
    from wasm_lab.toolchains.rust import RustToolchain

ROOT_LIBRARY = PACKAGE.replace("-", "_")


@dataclass(frozen=True, slots=True)
class Graph:
    """The resolved crates."""

    packages: tuple[str, ...]  #: ids of all of them, without the root
    direct: dict[str, str]  #: the name that code uses for a direct dependency, to its package id


@dataclass(slots=True)
class Artifacts:
    """What a build made."""

    libraries: dict[str, str] = field(default_factory=dict)  #: package id to its .rlib or macro library
    files: list[str] = field(default_factory=list)  #: every library
    native_paths: list[str] = field(default_factory=list)
    native: bool = False
    log: str = ""


class Cargo:
    """cargo in one package folder, with the compiler that cells use."""

    def __init__(self, toolchain: RustToolchain, folder: Path, progress: Progress | None) -> None:
        if toolchain.cargo is None:
            raise ToolchainError(
                f"The code has dependencies, and beside {toolchain.rustc} there is no cargo to build them.",
                hint="Install cargo: rustup and Debian's package cargo have it.",
            )
        self.cargo = toolchain.cargo
        self.toolchain = toolchain
        self.folder = folder
        self.progress = progress

    def resolve(self) -> None:
        """Write Cargo.lock, from the registry or, without a network, from what was fetched before.

        Raises:
            DependencyError: there are no versions that fit, or neither way has them.
        """
        self._tell("choosing versions")
        online = self._run(["generate-lockfile"], listen=True)
        if online.status and _is_network(online.stderr):
            offline = self._run(["generate-lockfile", "--offline"])
            if not offline.status:
                return
        if online.status:
            raise failure(online.stderr)

    def metadata(self, target: str) -> Graph:
        """The graph of the locked crates; fetches those that are not on this machine.

        Raises:
            DependencyError: they cannot be fetched.
        """
        words = ["metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
        done = self._run([*words, "--offline"])
        if done.status:
            self._tell("downloading")
            done = self._run(words, listen=True)
        if done.status:
            raise failure(done.stderr)
        described = json.loads(done.stdout)
        nodes = {node["id"]: node for node in described["resolve"]["nodes"]}
        root = described["resolve"]["root"]
        direct = {each["name"]: each["pkg"] for each in nodes[root]["deps"] if each["name"]}
        return Graph(tuple(name for name in nodes if name != root), direct)

    def build(self, target: str, profile: str, flags: Sequence[str], *, total: int) -> Artifacts:
        """Build all crates of the package.

        Args:
            profile: cargo's name of it.
            flags: for rustc, for crates of the target.
            total: how many packages there are, for the progress.

        Raises:
            DependencyError: one could not be built.
        """
        made = Artifacts()
        packages: set[str] = set()

        def on_message(line: str) -> None:
            if not line.startswith("{"):
                return
            message = json.loads(line)
            package = message.get("package_id", "")
            if message["reason"] == "build-script-executed":
                made.native_paths += [path.partition("=")[2] or path for path in message["linked_paths"]]
                made.native = made.native or bool(message["linked_libs"])
            if message["reason"] != "compiler-artifact" or message["target"]["name"] == ROOT_LIBRARY:
                return
            _note_library(made, message)
            if package not in packages and "custom-build" not in message["target"]["kind"]:
                packages.add(package)
                if self.progress:
                    self.progress(_readable(package), len(packages), max(total, len(packages)))

        words = ["build", "--offline", "--locked", "--message-format=json-render-diagnostics"]
        words += [f"--target={target}", f"--profile={profile}", f"--target-dir={self.folder / 'target'}"]
        done = self._run(words, flags=flags, on_stdout=on_message)
        if done.status:
            raise failure(done.stderr)
        made.log = done.stderr
        return made

    def _tell(self, what: str) -> None:
        if self.progress:
            self.progress(what, 0, 0)

    def _run(
        self,
        words: list[str],
        *,
        flags: Sequence[str] = (),
        listen: bool = False,
        on_stdout: Any = None,
    ) -> Finished:
        def on_stderr(line: str) -> None:
            # "   Compiling serde v1.0.228", "  Downloaded syn v2.0.1", "    Updating crates.io index"
            found = re.match(r"\s+(Download\w+|Updating|Locking) (.*)", line)
            if found:
                self._tell(f"{found[1].lower()} {found[2].strip()}")

        return run_tool(
            [self.cargo, *words],
            cwd=self.folder,
            env=self._environment(flags),
            on_stdout=on_stdout,
            on_stderr=on_stderr if listen and self.progress else None,
        )

    def _environment(self, flags: Sequence[str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            # These would let the environment of whoever starts the notebook change what is built.
            if name not in ("RUSTFLAGS", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET")
            and not name.startswith("CARGO_PROFILE_")
        }
        return {
            **inherited,
            "RUSTC": str(self.toolchain.rustc),
            "PATH": f"{self.toolchain.rustc.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
            "CARGO_INCREMENTAL": "0",
            "CARGO_TERM_COLOR": "never",
            "CARGO_TERM_PROGRESS_WHEN": "never",
            "CARGO_NET_RETRY": os.environ.get("CARGO_NET_RETRY", "1"),
            **linker_variables(self.toolchain),
        }


def _note_library(made: Artifacts, message: dict[str, Any]) -> None:
    kinds = set(message["target"]["kind"])
    for file in message["filenames"]:
        if not file.endswith((".rlib", ".so", ".dylib", ".dll")):
            continue
        made.files.append(file)
        if kinds & {"lib", "rlib", "dylib", "proc-macro"}:
            made.libraries[message["package_id"]] = file


def _readable(package_id: str) -> str:
    """``serde 1.0.228`` from ``registry+https://…#serde@1.0.228`` or ``path+file:///…/thing#0.1.0``."""
    place, _, rest = package_id.partition("#")
    name, at, version = rest.partition("@")
    return f"{name} {version}" if at else f"{place.rsplit('/', 1)[-1]} {rest}"


# What cargo's failures mean ---------------------------------------------------------------

_NETWORK = re.compile(
    r"spurious network error|[Cc]ould ?n.t resolve host|[Cc]ould not connect|[Cc]onnection (refused|reset|timed out)"
    r"|failed to (get successful HTTP response|query replaced source)|download of config\.json failed"
    r"|network failure|Timeout was reached|SSL|unable to update registry",
)

_NO_CRATE = re.compile(
    r"no matching package named `([^`]+)` found|no matching package found\nsearched package name: `([^`]+)`"
)
_NO_FEATURE = re.compile(r"depends on `([^`]+)`,? with features? `([^`]+)` but `[^`]+` does not have")

_HOST_LINKER = (
    "Crates with procedural macros (serde's derive is one) or build scripts need a C linker on this machine. "
    "wasm-lab doctor --fix installs one for the lab alone; for the whole machine: "
    "sudo apt install build-essential (Debian, Ubuntu), sudo dnf install gcc (Fedora), "
    "xcode-select --install (macOS), or the Visual Studio Build Tools (Windows)."
)


def _is_network(log: str) -> bool:
    return bool(_NETWORK.search(log)) and "no matching package" not in log


def failure(log: str) -> DependencyError:
    """The exception for a failed cargo, with the cause in the message and the whole log beside it."""
    log = log.strip()
    missing = _NO_CRATE.search(log)
    if missing:
        name = missing[1] or missing[2]
        close = re.search(r"perhaps you meant: +(.+)", log)
        hint = f"Perhaps you meant {close[1].strip()}." if close else "Look for its exact name on crates.io."
        if "--offline" in log:
            hint = "There is no network now, and it was not fetched before."
        return DependencyError(f"There is no crate named {name}.", log=log, hint=hint)
    version = re.search(r"failed to select a version for the requirement `([^`]+)`", log)
    if version:
        known = re.search(r"candidate versions found which didn't match: (.+)", log)
        hint = f"There are {known[1].strip()}." if known else "See the log for the versions that there are."
        return DependencyError(f"No version of the crate fits {version[1]}.", log=log, hint=hint)
    feature = _NO_FEATURE.search(log)
    if feature:
        return DependencyError(f"The crate {feature[1]} has no feature {feature[2]}.", log=log)
    if re.search(r"linker `[^`]+` not found|failed to find tool|could not exec the linker", log):
        return DependencyError(
            f"A crate could not be built: {_first_error(log)}.", log=log, hint=_HOST_LINKER
        )
    if _is_network(log):
        return DependencyError(
            f"The crate registry cannot be reached: {_first_error(log)}.",
            log=log,
            hint="Crates that were fetched before work offline; for new ones, try again with a network.",
        )
    crate = re.search(r"could not compile `([^`]+)`|failed to run custom build command for `([^`]+)`", log)
    if crate:
        name = crate[1] or crate[2]
        return DependencyError(
            f"The crate {name} could not be built: {_first_error(log)}.",
            log=log,
            hint="Not every crate works on WebAssembly. Its documentation may name a feature that does.",
        )
    return DependencyError(f"cargo failed: {_first_error(log)}.", log=log)


def _first_error(log: str) -> str:
    found = re.search(r"^error(?:\[E\d+\])?: (.+)", log, re.MULTILINE)
    return (found[1] if found else log.splitlines()[-1] if log else "it said nothing").rstrip(".:")
