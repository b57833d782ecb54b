"""Isolation: a program that tries everything, with nothing granted and then with one thing at a time."""

from __future__ import annotations

import socket
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities, Directory
from wasm_lab.cells import parse_cell
from wasm_lab.claims.verdict import Measured, check
from wasm_lab.errors import LoadError, UnsupportedError
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.source import Target

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.claims.workbench import Workbench

#: Tries each thing and says what succeeded.
_PROBE = """
use std::{env, fs};
fn main() {
    if fs::read("/etc/passwd").is_ok() { println!("host file"); }
    if fs::read("/granted/../secret.txt").is_ok() { println!("file outside"); }
    if fs::read("/granted/note.txt").is_ok() { println!("granted file"); }
    if fs::write("/granted/new.txt", "x").is_ok() { println!("written"); }
    if env::vars().next().is_some() { println!("environment"); }
}
"""

#: Connects to the address that it is given. WASI 0.1 has no call for that, so it is built for 0.2.
_CONNECT = """
fn main() {
    let to = std::env::args().nth(1).unwrap();
    if std::net::TcpStream::connect(to).is_ok() { println!("connected"); }
}
"""

_FORBIDDEN = ("host file", "file outside", "granted file", "written", "environment")


@dataclass(frozen=True, kw_only=True)
class _Grant:
    """One thing granted, what can then be reached, and what the audit has to list as refused."""

    what: str
    capabilities: Capabilities
    reached: frozenset[str]
    writes: bool = False  #: whether the host's folder may change
    refused: frozenset[str] = frozenset()  #: paths


def isolation(bench: Workbench) -> list[Measured]:
    """What the program reaches: nothing without a grant, in each runtime; with one, that alone."""
    artifact = build(parse_cell(_PROBE, name="tries_everything", label="tries_everything.rs"))
    names = [name for name in NAMES if name != "native" and not get_runtime(name).missing()]
    found = []
    for name in names:
        bench.watcher("isolation").step(f"{name}, nothing granted")
        reached = get_runtime(name).run(artifact, Capabilities()).stdout.decode().splitlines()
        for what in _FORBIDDEN:
            found.append(check(f"{name}, nothing granted: no {what}", what not in reached))
    refused = get_runtime().run(artifact, Capabilities(), audit=True).refused
    listed = any(call.capability == "dirs" for call in refused)
    found.append(check(f"nothing granted: the audit lists what was refused ({len(refused)})", listed))
    with tempfile.TemporaryDirectory(prefix="wasm-lab-claims-") as folder:
        for grant in _grants(Path(folder)):
            for name in names:
                bench.watcher("isolation").step(f"{name}, granted {grant.what}")
                found += _granted(name, artifact, grant, Path(folder) / "granted" / "new.txt")
            found.append(_audited(artifact, grant))
    return found + _network(names)


def _grants(folder: Path) -> tuple[_Grant, ...]:
    inside = folder / "granted"
    inside.mkdir()
    (inside / "note.txt").write_text("a note")
    (folder / "secret.txt").write_text("a secret")
    return (
        _Grant(
            what="a folder to read",
            capabilities=Capabilities(dirs=(Directory(inside, "/granted", writable=False),)),
            reached=frozenset({"granted file"}),
            refused=frozenset({"../secret.txt", "new.txt"}),
        ),
        _Grant(
            what="a folder to write",
            capabilities=Capabilities(dirs=(Directory(inside, "/granted"),)),
            reached=frozenset({"granted file", "written"}),
            writes=True,
            refused=frozenset({"../secret.txt"}),
        ),
        _Grant(
            what="a variable",
            capabilities=Capabilities(env={"MODE": "test"}),
            reached=frozenset({"environment"}),
        ),
    )


def _network(names: list[str]) -> list[Measured]:
    """Whether a program reaches a listener of this machine that would answer; nothing here grants it."""
    source = parse_cell(_CONNECT, name="connects", label="connects.rs")
    artifact = build(replace(source, target=Target.WASIP2))
    found = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        socket.create_connection(address, timeout=5).close()  # it does answer
        listener.accept()[0].close()
        given = Capabilities(args=(f"{address[0]}:{address[1]}",))
        for name in names:
            try:
                reached = b"connected" in get_runtime(name).run(artifact, given).stdout
            except LoadError:
                what = f"{name} runs WASI 0.1 alone, which has no call that connects"
                found.append(check(what, True, counts=False))
                continue
            found.append(check(f"{name}, nothing granted: no network, in WASI 0.2", not reached))
    return found


def _granted(name: str, artifact: Artifact, grant: _Grant, new: Path) -> list[Measured]:
    """One runtime with one grant. What counts of a write is whether the host's folder changed."""
    new.unlink(missing_ok=True)
    try:
        reached = set(get_runtime(name).run(artifact, grant.capabilities).stdout.decode().splitlines())
    except UnsupportedError:
        return [check(f"{name} refuses {grant.what}, which it cannot enforce", True, counts=False)]
    alone = reached - {"written"} == grant.reached - {"written"} and new.exists() == grant.writes
    found = [check(f"{name}, granted {grant.what}: that alone is reached", alone)]
    if "written" in reached and not grant.writes:
        what = f"{name}, granted {grant.what}: a write seems to succeed, in a copy that is dropped"
        found.append(check(what, not new.exists(), counts=False))
    return found


def _audited(artifact: Artifact, grant: _Grant) -> Measured:
    """Whether wasmtime's audit lists the paths that were refused, and no other."""
    calls = get_runtime().run(artifact, grant.capabilities, audit=True).refused
    paths = {str(call.arguments["path"]) for call in calls if "path" in call.arguments}
    said = ", ".join(sorted(grant.refused)) or "no path"
    return check(f"granted {grant.what}: the audit lists as refused {said}", paths == grant.refused)
