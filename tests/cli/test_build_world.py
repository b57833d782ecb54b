"""``wasm-lab build --world``: what it refuses, and a component of Rust by a contract in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wasm_lab.cli.commands import cli
from wasm_lab.components import Component
from wasm_lab.errors import CompileError, UnsupportedError, UsageError

TASK = Path(__file__).parents[2] / "wasm_samples" / "languages" / "task.wit"


def build(*words: Any) -> Any:
    return cli.main(["build", *map(str, words)], standalone_mode=False)


def test_a_world_needs_its_contract(tmp_path: Path) -> None:
    file = tmp_path / "task.py"
    file.write_text("x = 1\n")
    with pytest.raises(UsageError, match="--world and --wit go together"):
        build("--world", "task", file)
    with pytest.raises(UsageError, match="There is no world tasks"):
        build("--world", "tasks", "--wit", TASK, file)
    with pytest.raises(UsageError, match="does not implement all that the world task exports"):
        build("--world", "task", "--wit", TASK, file)


def test_a_language_without_components_and_a_mistake_are_told(tmp_path: Path) -> None:
    file = tmp_path / "task.c"
    file.write_text("int x;\n")
    with pytest.raises(UnsupportedError, match="no component for a world is made of this"):
        build("--world", "task", "--wit", TASK, file)
    wrong = tmp_path / "task.py"
    wrong.write_text("def count_primes(\n")
    with pytest.raises(CompileError, match="SyntaxError") as caught:
        build("--world", "task", "--wit", TASK, wrong)
    assert caught.value.diagnostics[0].spans[0].label == str(wrong)


def test_rust_implements_a_contract_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "task.rs"
    file.write_text(
        "impl Guest for Component { fn count_primes(n: u32) -> u32 { n }\n"
        "fn count_words(text: String) -> u32 { text.len() as u32 } }\n"
    )
    assert build("--world", "task", "--wit", TASK, file) in (0, None)
    assert "task.wasm" in capsys.readouterr().out
    with Component.load(tmp_path / "task.wasm").instantiate() as instance:
        assert (instance.count_primes(3), instance.count_words("ab")) == (3, 2)
