"""Guests: modules become components, and what cannot run here is explained."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest

from wasm_lab.artifact import COMPONENT_PREAMBLE as COMPONENT
from wasm_lab.artifact import CORE_PREAMBLE as CORE
from wasm_lab.build.wasm_tools import assemble, wasm_tools
from wasm_lab.components.adapt import ADAPTER, ADAPTER_SHA256, ADAPTER_VERSION, adapter_bytes
from wasm_lab.errors import LoadError
from wasm_lab.scenarios.spin.componentize import componentize
from wasm_lab.scenarios.spin.samples import build_sample


def exporting(name: str) -> bytes:
    """A component that exports an instance of this name with nothing in it."""
    return assemble(
        f'(component (component $c) (instance $i (instantiate $c)) (export "{name}" (instance $i)))'
    )


def test_the_adapter_is_the_one_that_is_described() -> None:
    assert hashlib.sha256(adapter_bytes()).hexdigest() == ADAPTER_SHA256
    described = (resources.files("wasm_lab.components") / "adapters" / "README.md").read_text()
    assert ADAPTER in described
    assert ADAPTER_SHA256 in described
    assert ADAPTER_VERSION in described
    assert f"{len(adapter_bytes()):,} bytes" in described
    licence = resources.files("wasm_lab.components") / "adapters" / "LICENSE"
    assert "LLVM Exceptions to the Apache 2.0 License" in licence.read_text()


def test_a_module_with_wit_in_it_becomes_a_component(tmp_path: Path) -> None:
    wit = tmp_path / "world.wit"
    wit.write_text("package mine:kind;\nworld w { export run: func(); }")
    module = assemble(
        '(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))'
        ' (memory (export "memory") 1) (func (export "run")))'
    )
    embedded = wasm_tools(["component", "embed", str(wit), "-"], module)
    assert embedded.startswith(CORE)
    guest = componentize(embedded, "own.wasm")
    assert guest.adapted
    assert guest.wasm.startswith(COMPONENT)
    assert guest.exports == ("run",)
    assert any(re.fullmatch(r"wasi:cli/exit@0\.2\.\d+", name) for name in guest.imports)
    again = componentize(embedded, "own.wasm")
    assert again == guest


def test_a_component_is_used_as_it_is() -> None:
    wasm = exporting("wasi:http/incoming-handler@0.2.0")
    guest = componentize(wasm)
    assert guest.wasm == wasm
    assert not guest.adapted
    assert guest.handler("http") == "wasi:http/incoming-handler@0.2.0"


@pytest.mark.parametrize("version", ["0.2.0", "0.2.6", "0.2.12"])
def test_versions_of_wasi_02_are_taken(version: str) -> None:
    assert componentize(exporting(f"wasi:http/incoming-handler@{version}")).handler("http").endswith(version)


@pytest.mark.parametrize(
    ("export", "kind", "message", "hint"),
    [
        ("wasi:http/handler@0.3.0", "http", "spin-sdk 6 and 7", 'spin-sdk = "5.2"'),
        ("wasi:http/handler@0.3.0-rc-2026-03-15", "http", "WASI 0.3", "--engine spin"),
        ("spin:redis/inbound-redis@3.0.0", "redis", "WASI 0.3", 'spin-sdk = "5.2"'),
        ("wasi:http/incoming-handler@0.2.0-rc-2023-11-10", "http", "spin-sdk 1 or 2", "newer SDK"),
        ("fermyon:spin/inbound-http", "http", "spin-sdk 1 or 2", "newer SDK"),
        ("fermyon:spin/inbound-redis", "http", "answers redis triggers", "[[trigger.redis]]"),
        ("wasi:http/incoming-handler@0.2.0", "redis", "answers http triggers", "[[trigger.http]]"),
        ("wasi:cli/run@0.2.0", "http", "a program with a main function", "cdylib"),
        ("own:kind/thing", "http", "exports own:kind/thing", "#[http_component]"),
    ],
)
def test_guests_that_answer_no_trigger_here_are_explained(
    export: str, kind: str, message: str, hint: str
) -> None:
    guest = componentize(exporting(export), "guest.wasm")
    with pytest.raises(LoadError) as caught:
        guest.handler(kind)
    assert message in caught.value.message
    assert "guest.wasm" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("wasm", "message"),
    [
        (b"", "no WebAssembly file"),
        (b"version https://git-lfs", "no WebAssembly file"),
        (b"\0asm\x0d\0\x01\0\xff", "damaged"),
        (b"\0asm\x01\0\0\0\xff", "cannot be made a component"),
    ],
)
def test_files_that_are_no_guest(wasm: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        componentize(wasm, "x.wasm")


def test_a_module_without_wit_is_explained() -> None:
    module = assemble('(module (import "env" "x" (func)))')
    with pytest.raises(LoadError) as caught:
        componentize(module, "x.wasm")
    assert "env" in caught.value.message
    assert "spin-sdk" in caught.value.hint


@pytest.mark.slow
def test_what_spin_sdk_builds_becomes_a_component_with_a_handler(tmp_path: Path) -> None:
    folder = build_sample("counter", tmp_path).parent
    wasm = (folder / "counter.wasm").read_bytes()
    assert wasm.startswith(CORE)
    guest = componentize(wasm, "counter.wasm")
    assert guest.adapted
    assert guest.handler("http") == "wasi:http/incoming-handler@0.2.0"
    assert "fermyon:spin/key-value@2.0.0" in guest.imports
    assert all("@0.2." in name for name in guest.imports if name.startswith("wasi:"))
