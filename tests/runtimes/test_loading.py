"""What cannot be loaded says why; machine code is cached, and the cache is never trusted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build.cache import default_cache
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import LoadError, UnsupportedError, UsageError
from wasm_lab.run import Phase
from wasm_lab.runtimes import NAMES, get_runtime
from wasm_lab.runtimes.base import Enforcement
from wasm_lab.runtimes.wasmtime.engine import CACHE_KIND, GuestEngine


def test_names_of_runtimes():
    assert get_runtime("wasmtime") is get_runtime("wasmtime")
    with pytest.raises(UsageError, match="wasmtime"):
        get_runtime("abacus")
    assert all(get_runtime(name).name == name for name in NAMES)


def test_every_capability_has_an_answer(runtime):
    from dataclasses import fields

    enforced = runtime.enforces()
    assert set(enforced) == {field.name for field in fields(Capabilities)} | {"audit"}
    assert [name for name, how in enforced.items() if how is Enforcement.NO] == ["hosts"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"hello world", "magic number"),
        (b"\x7fELF\x02\x01\x01", "native program"),
        (b"#!/bin/sh\n", "script"),
        (b"(module)", "text"),
        (b"\0asm", "cut short"),
        (b"\0asm\x63\0\0\0", "version"),
        (b"\0asm\x01\0\0\0\x01\x99", "cut short"),
        (b"\0asm\x01\0\0\0\x63\0", "cannot be loaded"),
    ],
    ids=repr,
)
def test_bytes_that_are_no_module(runtime, data, reason):
    with pytest.raises(LoadError, match=reason) as caught:
        runtime.run(Artifact(wasm=data, label="bad.wasm"), Capabilities())
    assert caught.value.message.startswith("bad.wasm ")
    assert caught.value.hint


@pytest.mark.parametrize("part", [0.1, 0.5, 0.999])
def test_truncated_guests(runtime, probe, probe2, part):
    for guest in (probe, probe2):
        cut = Artifact(wasm=guest.wasm[: int(guest.size_bytes * part)], label="cut.wasm")
        with pytest.raises(LoadError, match=r"cut\.wasm (is cut short|cannot be loaded)"):
            runtime.run(cut, Capabilities())


@pytest.mark.parametrize(
    ("module", "name", "told"),
    [
        ("__wbindgen_placeholder__", "__wbindgen_throw", "wasm-bindgen"),
        ("./pkg_bg.js", "f", "wasm-bindgen"),
        ("env", "emscripten_memcpy_js", "Emscripten"),
        ("env", "invoke_vii", "Emscripten"),
        ("gojs", "runtime.wasmExit", "GOOS=js"),
        ("wasix_32v1", "fd_dup", "WASIX"),
        ("wasi", "thread-spawn", "threads"),
        ("wasi_unstable", "fd_write", r"WASI 0\.0"),
        ("wasi_snapshot_preview1", "sock_open", "WasmEdge"),
        ("wasi_ephemeral_nn", "load", "neural"),
        ("wasi:cli/stdout@0.2.0", "get-stdout", "component"),
        ("env", "abort", "AssemblyScript"),
        ("env", "my_function", "embeds the module"),
        ("elsewhere", "f", "no host here provides"),
    ],
)
def test_missing_imports(runtime, wat, module, name, told):
    guest = wat(f'(module (import "{module}" "{name}" (func)) (func (export "_start")))')
    for use in (runtime.run, runtime.instantiate):
        with pytest.raises(LoadError, match=told) as caught:
            use(guest, Capabilities())
        assert f"{module}.{name}" in caught.value.message


def test_many_missing_imports_are_told_in_short(runtime, wat):
    imports = " ".join(f'(import "x" "f{number}" (func))' for number in range(9))
    with pytest.raises(LoadError, match=r"x\.f0, x\.f1, x\.f2, x\.f3 and 5 more"):
        runtime.run(wat(f"(module {imports})"), Capabilities())


def test_an_import_of_the_wrong_type(runtime, wat):
    guest = wat('(module (import "wasi_snapshot_preview1" "fd_write" (func)) (func (export "_start")))')
    with pytest.raises(LoadError, match="fd_write"):
        runtime.run(guest, Capabilities())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('(component (import "wasi:http/types@0.2.0" (instance)))', "HTTP"),
        ('(component (import "wasi:cli/stdout@0.3.0" (instance)))', r"WASI 0\.3"),
        ('(component (import "fermyon:spin/key-value@2.0.0" (instance)))', "Spin"),
        ("(component)", "no program"),
    ],
)
def test_components_that_cannot_run(runtime, wat, text, told):
    with pytest.raises(LoadError, match=told):
        runtime.run(wat(text), Capabilities())


def test_components_have_no_raw_functions(runtime, wat):
    with pytest.raises(UnsupportedError, match="component"):
        runtime.instantiate(wat("(component)"), Capabilities())


def test_a_library_lists_its_functions(runtime, wat):
    with pytest.raises(LoadError, match="exports add, sub"):
        runtime.run(wat('(module (func (export "add")) (func (export "sub")))'), Capabilities())


def test_a_module_without_wasi(runtime, wat):
    instance = runtime.instantiate(
        wat('(module (func (export "one") (result i32) i32.const 1))'), Capabilities()
    )
    assert instance.function("one")() == 1


# Machine code ------------------------------------------------------------------------------


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    return default_cache()


@pytest.fixture
def guest(wat, tmp_path):
    return wat(f'(module (func (export "one") (result i32) i32.const 1) (data "{tmp_path.name}") (memory 1))')


def load(guest):
    """As a process that has not seen the module yet."""
    return GuestEngine(guarded=True, fuel=False).load(guest)


def test_machine_code_is_cached(own_cache, guest):
    first, second = load(guest), load(guest)
    assert (set(first.phases_ns), first.code_cached) == ({Phase.COMPILE}, False)
    assert (set(second.phases_ns), second.code_cached) == ({Phase.LOAD}, True)
    assert second.exports == first.exports == ("one",)


def test_in_one_process_it_is_loaded_once(own_cache, guest):
    engine = GuestEngine(guarded=True, fuel=False)
    first, second = engine.load(guest), engine.load(guest)
    assert second.module is first.module
    assert (second.phases_ns, second.code_cached) == ({}, True)


def test_each_configuration_has_machine_code_of_its_own(own_cache, guest):
    for options in ({"guarded": True, "fuel": False}, {"guarded": True, "fuel": True},
                    {"guarded": False, "fuel": False}):  # fmt: skip
        assert not GuestEngine(**options).load(guest).code_cached
        assert GuestEngine(**options).load(guest).code_cached


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "other file"])
def test_damaged_machine_code_is_compiled_again(own_cache, guest, damage):
    load(guest)
    (entry,) = [entry for entry in own_cache.entries() if entry.kind == CACHE_KIND]
    data = bytearray(entry.path.read_bytes())
    if damage == "flip":
        data[len(data) // 2] ^= 0xFF
    entry.path.unlink()  # in place, a mapped file would change beneath the engine that uses it
    entry.path.write_bytes(
        {"truncate": data[:1000], "empty": b"", "other file": b"x" * 5000}.get(damage, bytes(data))
    )
    assert not load(guest).code_cached
    assert load(guest).code_cached


def test_machine_code_of_a_foreign_engine_is_compiled_again(own_cache, guest):
    load(guest)
    (entry,) = [entry for entry in own_cache.entries() if entry.kind == CACHE_KIND]
    # Intact as far as the cache can tell, but nothing that this engine made.
    own_cache.put(CACHE_KIND, entry.key, b"machine code of another engine" * 100)
    loaded = load(guest)
    assert not loaded.code_cached
    assert loaded.exports == ("one",)


def test_no_cache_no_harm(guest, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "file" / "cache"))
    assert not load(guest).code_cached
    assert load(guest).exports == ("one",)


SMALL = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2 * 1024**3, 2 * 1024**3))
from wasm_lab.artifact import Artifact
from wasm_lab.capabilities import Capabilities
from wasm_lab.runtimes import get_runtime
run = get_runtime().run(Artifact(wasm=Path(sys.argv[1]).read_bytes(), label="guest"), Capabilities())
print(run.stdout, run.trap)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_a_small_address_space(probe, tmp_path):
    (tmp_path / "guest.wasm").write_bytes(probe.wasm)
    command = [sys.executable, "-c", SMALL, str(tmp_path / "guest.wasm")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "b'hello\\n' None\n", done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_runs_guests_of_its_own(runtime, probe):
    runtime.run(probe, Capabilities())
    child = os.fork()
    if child == 0:
        status = 1
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(30)  # a child that cannot stop its guest must not outlive this test
        try:
            stopped = runtime.run(probe, Capabilities(args=("loop",), deadline_s=0.1))
            hello = runtime.run(probe, Capabilities(args=("hello",)))
            status = 0 if stopped.trap and hello.stdout == b"hello\n" else 2
        finally:
            os._exit(status)
    assert runtime.run(probe, Capabilities()).stdout == b"hello\n"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
