"""The crates that cells depend on: resolved once, built once for each set, shared by all cells.

cargo does both, in folders of the cache. What it resolves a table of dependencies to
(``Cargo.lock``) is kept apart from what it builds, so that every profile and target gets
the same versions, and a set that was pruned comes back as it was, offline too.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wasm_lab.build import manifest
from wasm_lab.build.cargo import Cargo
from wasm_lab.build.key import digest, toolchain_parts
from wasm_lab.errors import DependencyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.build.cache import Cache
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Profile
    from wasm_lab.toolchains.rust import RustToolchain

KIND = "crates"
RECORD = "set.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrateSet:
    """A dependency table and what decides how it is built. Its crates may not be built yet."""

    dependencies: Mapping[str, Any]
    profile: Profile
    target: str
    toolchain: RustToolchain
    lock: str  #: the text of Cargo.lock

    @property
    def key(self) -> str:
        """The name of the folder of this set. Changes in path dependencies do not change it."""
        table = manifest.manifest(self.dependencies, self.profile)
        return digest("crates", table, self.lock, self.target, toolchain_parts(self.toolchain))

    @property
    def content_key(self) -> str:
        """A digest of all that decides what its crates are compiled to, path dependencies included."""
        return digest(self.key, [_state_of(path) for path in manifest.local_paths(self.dependencies)])


@dataclass(frozen=True, slots=True)
class Built:
    """The crates of a set, ready to be compiled against."""

    words: tuple[str, ...]  #: for rustc: ``--extern`` and ``-L``
    native: bool  #: whether a build script brought a native library along


def resolve(
    dependencies: Mapping[str, Any],
    profile: Profile,
    target: str,
    toolchain: RustToolchain,
    cache: Cache,
    *,
    progress: Progress | None = None,
) -> CrateSet:
    """Choose a version of every crate, as an earlier resolution of the same table did if there was one.

    Raises:
        DependencyError: cargo found no versions that fit, or could not reach the registry.
    """
    table = manifest.manifest(dependencies, profile)
    key = digest(
        "lock", dict(dependencies), [_manifest_of(path) for path in manifest.local_paths(dependencies)]
    )
    kept = cache.get("lock", key)
    if kept is not None:
        lock = kept.decode()
    else:
        with tempfile.TemporaryDirectory(prefix="wasm-lab-resolve-") as folder:
            _write_package(Path(folder), table)
            Cargo(toolchain, Path(folder), progress).resolve()
            lock = (Path(folder) / "Cargo.lock").read_text(encoding="utf-8")
        cache.put("lock", key, lock.encode())
    return CrateSet(dependencies=dependencies, profile=profile, target=target, toolchain=toolchain, lock=lock)


def built(crates: CrateSet, cache: Cache, *, progress: Progress | None = None) -> Built:
    """The crates of ``crates``, built now unless they are in the cache.

    Raises:
        DependencyError: a crate could not be fetched or built, or the cache cannot be written.
        KeyboardInterrupt: the user interrupted; cargo and all that it started have been stopped.
    """
    try:
        folder = cache.folder(KIND, crates.key)
        found = _read_record(folder, crates)
        if found:
            return found
        lock = cache.lock(KIND, crates.key)
    except OSError as error:
        raise _no_room(cache, error) from error
    with _held(lock, progress):
        try:
            folder = cache.folder(KIND, crates.key)
            return _read_record(folder, crates) or _build(crates, folder, progress)
        except OSError as error:
            raise _no_room(cache, error) from error


def _no_room(cache: Cache, error: OSError) -> DependencyError:
    return DependencyError(
        f"Crates are built in {cache.root}, and that failed: {error.strerror or error}.",
        hint="Make room there, or set WASM_LAB_CACHE to a folder that can be written.",
    )


def _held(lock: Any, progress: Progress | None) -> Any:
    from filelock import Timeout

    try:
        return lock.acquire(timeout=0)
    except Timeout:
        if progress:
            progress("waiting for another process that builds the same crates", 0, 0)
        return lock.acquire(timeout=-1)


def _write_package(folder: Path, table: str) -> None:
    (folder / "Cargo.toml").write_text(table, encoding="utf-8")
    (folder / "lib.rs").write_text("")


def _build(crates: CrateSet, folder: Path, progress: Progress | None) -> Built:
    state = crates.content_key  # of the moment before, so that a change while cargo works is not missed
    _write_package(folder, manifest.manifest(crates.dependencies, crates.profile))
    (folder / "Cargo.lock").write_text(crates.lock, encoding="utf-8")
    cargo = Cargo(crates.toolchain, folder, progress)
    graph = cargo.metadata(crates.target)
    artifacts = cargo.build(
        crates.target,
        manifest.cargo_profile(crates.profile),
        manifest.CRATE_FLAGS[crates.profile],
        total=len(graph.packages),
    )
    externs = {}
    for name, package in graph.direct.items():
        file = artifacts.libraries.get(package)
        if file is None:
            raise DependencyError(
                f"The crate {name} has no library, so code cannot use it.",
                hint="It may hold only a program. Look for a crate of a similar name that is a library.",
                log=artifacts.log,
            )
        externs[name] = _relative(file, folder)
    record = {
        "state": state,
        "externs": externs,
        "searched": sorted({_relative(str(Path(file).parent), folder) for file in artifacts.files}),
        "native_paths": [_relative(path, folder) for path in artifacts.native_paths],
        "native": artifacts.native,
    }
    temporary = folder / f".{RECORD}"
    temporary.write_text(json.dumps(record), encoding="utf-8")
    temporary.replace(folder / RECORD)
    done = _read_record(folder, crates)
    assert done, "a set that was just built is there"
    return done


def _relative(path: str, folder: Path) -> str:
    return os.path.relpath(path, folder) if Path(path).is_relative_to(folder) else path


def _read_record(folder: Path, crates: CrateSet) -> Built | None:
    """What is built, if it is complete and no path dependency has changed."""
    try:
        record = json.loads((folder / RECORD).read_bytes())
        if record["state"] != crates.content_key:
            return None
        externs = {name: str(folder / file) for name, file in record["externs"].items()}
        if not all(os.path.exists(file) for file in externs.values()):  # noqa: PTH110
            return None
        words = [f"--extern={name}={file}" for name, file in externs.items()]
        words += [f"-Ldependency={folder / path}" for path in record["searched"]]
        words += [f"-Lnative={folder / path}" for path in record["native_paths"]]
        return Built(tuple(words), record["native"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _manifest_of(path: Path) -> str:
    try:
        return (path / "Cargo.toml").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DependencyError(
            f"The path dependency {path} has no Cargo.toml that can be read: {error}.",
            hint="A relative path counts from the folder of the file, or of the notebook.",
        ) from None


def _state_of(path: Path) -> list[Any]:
    """Name, size and time of every file of a package, as cargo looks at them, without what is built there."""
    state: list[Any] = []
    for folder, names, files in os.walk(path):
        names[:] = sorted(name for name in names if name != "target" and not name.startswith("."))
        for file in sorted(files):
            full = Path(folder, file)
            try:
                stat = full.stat()
            except OSError:
                continue
            state.append([str(full), stat.st_size, stat.st_mtime_ns])
    return state
