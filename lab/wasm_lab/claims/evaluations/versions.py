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
from wasm_lab.claims.verdict import Measured, check, open_check
from wasm_lab.errors import WasmLabError
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.source import Target
from wasm_lab.toolchains.rust import find_rust

if TYPE_CHECKING:
    from wasm_lab.claims.workbench import Workbench

_HELLO = 'fn main() { println!("hello") }'

#: A program whose only import is an interface of one version of WASI, of which it uses nothing:
#: whether it runs depends on that version alone.
_COMPONENT = """(component
  (import "wasi:cli/environment@{version}" (instance))
  (core module $code (func (export "run") (result i32) i32.const 0))
  (core instance $made (instantiate $code))
  (func $run (result (result)) (canon lift (core func $made "run")))
  (instance $program (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $program)))"""


def wasi_versions(_bench: Workbench) -> list[Measured]:
    """A hello for WASI 0.1 and 0.2 in every runtime; then whether 0.3 and 1.0 are offered at all."""
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
    control = _offered("0.2.0", usable)
    for version in ("0.2.0", "0.3.0"):
        offered = bool(_offered(version, usable))
        found.append(
            check(f"a runtime here offers {_interface(version)}", offered, n=len(usable), counts=False)
        )
    what = f"a runtime here offers {_interface('1.0.0')}"
    if control:
        found.append(check(what, bool(_offered("1.0.0", usable)), n=len(usable)))
    else:  # then a refusal says nothing about the version
        found.append(open_check(f"{what} (none here runs such a program for 0.2 either)"))
    return found


def _interface(version: str) -> str:
    return f"wasi:cli/environment@{version}"


def _offered(version: str, names: list[str]) -> list[str]:
    """The runtimes that run a program which asks for that version."""
    asking = Artifact(
        wasm=assemble(_COMPONENT.format(version=version)), label=f"a program for WASI {version}"
    )
    return [name for name in names if _runs(name, asking)]


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
