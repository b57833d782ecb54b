"""Versions of WASI: what each runtime here really runs."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from wasm_lab.artifact import Artifact
from wasm_lab.build import build
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.capabilities import Capabilities
from wasm_lab.cells import parse_cell
from wasm_lab.claims.verdict import Measured, check
from wasm_lab.errors import WasmLabError
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.source import Target
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

_HELLO = 'fn main() { println!("hello") }'

#: A command that asks its host for an interface of one version of WASI, and only for that. The
#: empty interface is the least that a host of that version has to have.
_COMPONENT = '(component (import "wasi:cli/environment@{version}" (instance)))'


def wasi_versions(_bench: Workbench) -> list[Measured]:
    """A hello for WASI 0.1 and 0.2 in every runtime; then what a WASI 1.0 would need."""
    source = parse_cell(_HELLO, name="hello", label="hello.rs")
    found = []
    usable = [name for name in NAMES if name != "native" and not get_runtime(name).missing()]
    for target, version in ((Target.WASIP1, "0.1"), (Target.WASIP2, "0.2")):
        artifact = build(replace(source, target=target))
        for name in usable:
            found.append(
                check(f"{name} runs a program for WASI {version}", _runs(name, artifact), counts=False)
            )
    targets = _targets()
    for version, triple in (("0.1", "wasm32-wasip1"), ("0.2", "wasm32-wasip2"), ("0.3", "wasm32-wasip3")):
        found.append(
            check(f"rustc has a target for WASI {version}, {triple}", triple in targets, counts=False)
        )
    stable = [
        each for each in targets if each.startswith("wasm") and each.endswith(("wasi1", "wasip4", "wasi1.0"))
    ]
    found.append(check("rustc has a target for WASI 1.0", bool(stable)))
    asking = Artifact(wasm=assemble(_COMPONENT.format(version="1.0.0")), label="a component for WASI 1.0.0")
    accepted = [name for name in usable if _runs(name, asking)]
    found.append(
        check("a runtime here gives a program wasi:cli/environment@1.0.0", bool(accepted), n=len(usable))
    )
    return found


def _runs(name: str, artifact: Artifact) -> bool:
    try:
        return get_runtime(name).run(artifact, Capabilities()).ok
    except WasmLabError:
        return False


def _targets() -> set[str]:
    done = subprocess.run(
        [find_rust().rustc, "--print", "target-list"], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())
