"""Looking into modules and components, and loading those made elsewhere."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest

from wasm_lab.artifact import Artifact
from wasm_lab.build import build
from wasm_lab.build.foreign import load_file
from wasm_lab.build.inspect import Export, Import, inspect
from wasm_lab.build.wasm_tools import assemble
from wasm_lab.errors import LoadError
from wasm_lab.source import Kind, Source, Target

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.build.cache import Cache

WAT = r"""(module
  (type $t (func (param i32 i64) (result f64)))
  (import "a\"b" "c\n\u{e9}" (func $f (type $t)))
  (import "env" "mem" (memory 1 20))
  (import "x" "tab" (table 1 funcref))
  (import "x" "glo" (global (mut v128)))
  (global (export "g") (mut i32) i32.const 3)
  (func (export "run") (param f32))
  (func (export "pair") (result i32 i64) i32.const 1 i64.const 2)
  (export "again" (func $f))
  (export "mem" (memory 0)))
"""


def test_imports_and_exports_of_a_module() -> None:
    found = inspect(Artifact(wasm=assemble(WAT), label="wat"))
    assert found.imports == (
        Import('a"b', "c\né", "func", "(i32, i64) -> f64"),
        Import("env", "mem", "memory", "1 20"),
        Import("x", "tab", "table", "1 funcref"),
        Import("x", "glo", "global", "(mut v128)"),
    )
    assert found.exports == (
        Export("g", "global", "(mut i32)"),
        Export("run", "func", "(f32)"),
        Export("pair", "func", "() -> (i32, i64)"),
        Export("again", "func", "(i32, i64) -> f64"),
        Export("mem", "memory", "1 20"),
    )
    assert not found.is_component


def test_a_program_of_rust(cache: Cache, program: Source) -> None:
    artifact = build(program)
    found = inspect(artifact)
    assert {each.module for each in found.imports} == {"wasi_snapshot_preview1"}
    assert {"_start", "memory"} <= {each.name for each in found.exports}
    names = [section.name for section in found.sections]
    assert "code" in names
    assert 'custom "name"' in names
    assert sum(section.size_bytes for section in found.sections) < found.size_bytes
    assert found.producers["processed-by"]["rustc"] in artifact.compiler
    assert "+bulk-memory" in found.target_features
    assert found.sha256 == hashlib.sha256(artifact.wasm).hexdigest()
    assert base64.b64decode(found.base64) == artifact.wasm


def test_a_component(cache: Cache) -> None:
    found = inspect(build(Source(code="fn main() {}", kind=Kind.PROGRAM, target=Target.WASIP2)))
    assert found.is_component
    assert {each.kind for each in found.imports} == {"instance"}
    assert any(each.name.startswith("wasi:cli/environment@0.2") for each in found.imports)
    assert any(each.name.startswith("wasi:cli/run@0.2") for each in found.exports)
    assert found.producers["processed-by"]["wit-component"]
    assert max(section.depth for section in found.sections) > 0


def test_a_component_with_a_function() -> None:
    wat = '(component (import "f" (func (param "x" u32) (result string))) (export "g" (func 0)))'
    found = inspect(Artifact(wasm=assemble(wat), label="wat"))
    assert [(each.name, each.kind) for each in found.imports] == [("f", "func")]
    assert [(each.name, each.kind) for each in found.exports] == [("g", "func")]


def test_damaged_bytes_cannot_be_inspected() -> None:
    with pytest.raises(LoadError, match="broken cannot be read"):
        inspect(Artifact(wasm=assemble(WAT)[:-5], label="broken"))


def test_text_is_assembled_on_loading(tmp_path: Path) -> None:
    (tmp_path / "a.wat").write_text(WAT)
    artifact = load_file(tmp_path / "a.wat")
    assert artifact.wasm == assemble(WAT)
    assert artifact.label == str(tmp_path / "a.wat")
    (tmp_path / "a.wasm").write_bytes(artifact.wasm)
    assert load_file(tmp_path / "a.wasm").wasm == artifact.wasm


def test_wrong_text_names_line_and_column() -> None:
    with pytest.raises(LoadError, match=r"line 2, column 11: unknown operator") as caught:
        assemble("(module\n  (func   i32.con 1))", label="my.wat")
    assert "my.wat" in caught.value.message
    with pytest.raises(LoadError, match="line 1, column"):
        assemble("(module (func $a (bad")
    with pytest.raises(LoadError):
        assemble("")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"\0asm\x01", "truncated to 5 bytes"),
        (b"\0asm\x02\0\0\0", "version 2.0"),
        (b"\x7fELF\x02\x01\x01", "ELF"),
        (b"MZ\x90\0", "Windows program"),
        (b"PK\x03\x04", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"!<arch>\nx", "archive"),
        (b"(module)", "the text format"),
        (b";; comment\n(module)", "the text format"),
        (b"<!DOCTYPE html>", "HTML"),
        (b'{"a": 1}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"fn main() {}", "text file"),
        (b"\x01\x02\x03\x04\x05", "01 02 03 04 05"),
    ],
)
def test_what_is_no_wasm_is_named(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "a.wasm").write_bytes(content)
    with pytest.raises(LoadError, match=what):
        load_file(tmp_path / "a.wasm")


def test_every_truncation_is_refused_or_ends_between_sections(tmp_path: Path) -> None:
    whole = assemble(WAT)
    refused = 0
    for size in range(9, len(whole)):
        (tmp_path / "a.wasm").write_bytes(whole[:size])
        try:
            load_file(tmp_path / "a.wasm")
        except LoadError:
            refused += 1
    assert refused >= len(whole) - 20


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="No such file"):
        load_file(tmp_path / "absent.wasm")
    with pytest.raises(LoadError, match="directory"):
        load_file(tmp_path)
    (tmp_path / "a.wat").write_bytes(b"(module \xff)")
    with pytest.raises(LoadError, match="byte 8"):
        load_file(tmp_path / "a.wat")
