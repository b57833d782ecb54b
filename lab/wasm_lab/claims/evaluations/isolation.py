"""Isolation: a program that tries everything, with nothing granted and then with one thing at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build import build
from wasm_lab.capabilities import Capabilities, Directory
from wasm_lab.cells import parse_cell
from wasm_lab.claims.verdict import Measured, check
from wasm_lab.errors import UnsupportedError
from wasm_lab.runtimes import NAMES, get_runtime

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

#: Tries each thing and says what succeeded.
_PROBE = """
use std::{env, fs, net::TcpStream};
fn main() {
    if fs::read("/etc/passwd").is_ok() { println!("host file"); }
    if fs::read("/granted/../secret.txt").is_ok() { println!("file outside"); }
    if fs::read("/granted/note.txt").is_ok() { println!("granted file"); }
    if fs::write("/granted/new.txt", "x").is_ok() { println!("written"); }
    if env::vars().next().is_some() { println!("environment"); }
    if TcpStream::connect("127.0.0.1:9").is_ok() { println!("network"); }
}
"""

_FORBIDDEN = ("host file", "file outside", "granted file", "written", "environment", "network")


def isolation(_bench: Workbench) -> list[Measured]:
    """What the program reaches: nothing without a grant, in each runtime; with one, that alone."""
    artifact = build(parse_cell(_PROBE, name="tries_everything", label="tries_everything.rs"))
    found = []
    for name in NAMES:
        runtime = get_runtime(name)
        if name == "native" or runtime.missing():
            continue
        reached = runtime.run(artifact, Capabilities()).stdout.decode().splitlines()
        for what in _FORBIDDEN:
            found.append(check(f"{name}, nothing granted: no {what}", what not in reached))
    with tempfile.TemporaryDirectory(prefix="wasm-lab-claims-") as folder:
        found += _one_by_one(artifact, Path(folder))
    refused = get_runtime().run(artifact, Capabilities(), audit=True).refused
    found.append(check(f"the audit lists refused calls ({len(refused)})", bool(refused)))
    return found


def _one_by_one(artifact: object, folder: Path) -> list[Measured]:
    inside = folder / "granted"
    inside.mkdir()
    (inside / "note.txt").write_text("a note")
    (folder / "secret.txt").write_text("a secret")
    read_only = Capabilities(dirs=(Directory(inside, "/granted", writable=False),))
    writable = Capabilities(dirs=(Directory(inside, "/granted"),))
    variable = Capabilities(env={"MODE": "test"})
    cases = (
        ("a folder to read", read_only, {"granted file"}),
        ("a folder to write", writable, {"granted file", "written"}),
        ("a variable", variable, {"environment"}),
    )
    found = []
    for what, granted, expected in cases:
        for name in NAMES:
            runtime = get_runtime(name)
            if name == "native" or runtime.missing():
                continue
            try:
                reached = set(runtime.run(artifact, granted).stdout.decode().splitlines())  # type: ignore[arg-type]
            except UnsupportedError:
                found.append(check(f"{name} refuses {what}, which it cannot enforce", True, counts=False))
                continue
            found.append(check(f"{name}, granted {what}: that alone is reached", reached == expected))
    return found
