"""What cargo's failures are told as, and the manifest that it is given."""

from __future__ import annotations

import tomllib

import pytest

from wasm_lab.build.cargo import failure
from wasm_lab.build.manifest import every_used, manifest, merged_dependencies
from wasm_lab.errors import DependencyError
from wasm_lab.source import Kind, Profile, Source

UNKNOWN = """    Updating crates.io index
error: no matching package named `serdee` found
location searched: crates.io index
required by package `wasm-lab-cells v0.0.0 (/tmp/x)`
"""
VERSION = """error: failed to select a version for the requirement `serde = "^99"`
candidate versions found which didn't match: 1.0.229, 1.0.228, ...
location searched: crates.io index
"""
FEATURE = """error: failed to select a version for `serde`.
    ... required by package `wasm-lab-cells v0.0.0 (/tmp/x)`
versions that meet the requirements `^1` are: 1.0.229
package `wasm-lab-cells` depends on `serde` with feature `zzz` but `serde` does not have that feature.
"""
NETWORK = """    Updating crates.io index
warning: spurious network error (1 try remaining): [6] Could not resolve hostname
error: failed to get `serde` as a dependency of package `wasm-lab-cells v0.0.0 (/tmp/x)`
Caused by:
  download of config.json failed
"""
LINKER = """   Compiling proc-macro2 v1.0.1
error: linker `cc` not found
  |
  = note: No such file or directory (os error 2)
error: could not compile `proc-macro2` (build script) due to 1 previous error
"""
CRATE = """   Compiling tokio v1.40.0
error: Only features sync,macros,io-util,rt,time are supported on wasm.
   --> src/lib.rs:480:1
error: could not compile `tokio` (lib) due to 1 previous error
"""
SCRIPT = """error: failed to run custom build command for `ring v0.17.8`
Caused by:
  process didn't exit successfully
"""


@pytest.mark.parametrize(
    ("log", "message", "hint"),
    [
        (UNKNOWN, "no crate named serdee", "exact name"),
        (VERSION, "No version of the crate fits serde", "1.0.229, 1.0.228"),
        (FEATURE, "serde has no feature zzz", ""),
        (NETWORK, "registry cannot be reached", "offline"),
        (LINKER, "linker `cc` not found", "wasm-lab doctor --fix"),
        (CRATE, "crate tokio could not be built: Only features sync", "WebAssembly"),
        (SCRIPT, "crate ring v0.17.8 could not be built", "WebAssembly"),
        ("", "it said nothing", ""),
        ("error: something new\nmore", "cargo failed: something new", ""),
    ],
)
def test_a_failure_says_what_and_what_to_do(log: str, message: str, hint: str) -> None:
    error = failure(log)
    assert message in error.message
    assert hint in error.hint
    assert error.log == log.strip()


def test_the_manifest_is_toml_with_the_same_table() -> None:
    table = {
        "serde": {"version": "1", "features": ["derive"], "default-features": False},
        "odd-one": 'quote " and \\ ünï',
        "nested": {"git": "x", "target": {"a b": [1, True]}},
    }
    for profile in Profile:
        read = tomllib.loads(manifest(table, profile))
        assert read["dependencies"] == table
        assert read["workspace"] == {}


def cell(name: str, *uses: Source, **dependencies: object) -> Source:
    return Source(
        code="", kind=Kind.FUNCTIONS, name=name, label=f"cell {name}", dependencies=dependencies, uses=uses
    )


def test_dependencies_of_used_cells_count() -> None:
    a = cell("a", serde="1")
    b = cell("b", a, rand="0.9")
    c = cell("c", b, a, serde="1")
    assert merged_dependencies(c) == {"serde": "1", "rand": "0.9"}
    assert [each.name for each in every_used(c)] == ["a", "b"]


def test_cells_that_disagree_are_told_so() -> None:
    with pytest.raises(DependencyError, match=r"cell b and cell a, which it uses, ask for serde") as caught:
        merged_dependencies(cell("b", cell("a", serde="1.0.100"), serde="1"))
    assert "same requirement" in caught.value.hint


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(DependencyError, match="no name for a crate"):
        merged_dependencies(cell("a", **{"a b": "1"}))
