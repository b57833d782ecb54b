"""``wasm-lab wit`` as its users meet it: whole processes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from wasm_lab.build.wasm_tools import assemble

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def test_files_are_checked_and_one_wrong_one_is_enough(wasm_lab: Command, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.wit", tmp_path / "wrong.wit"
    right.write_text("package a:b@0.1.0;\nworld w { export f: func(); }")
    wrong.write_text("package a:b;\nworld w { export f: func(x: strng); }")
    shown = wasm_lab("wit", "check", right)
    assert shown.returncode == 0
    assert "right (package a:b@0.1.0; worlds: w)" in shown.stdout
    shown = wasm_lab("wit", "check", right, wrong, tmp_path / "absent.wit")
    assert shown.returncode == 1
    assert "wrong.wit:2:29: name `strng` does not exist" in shown.stderr
    assert "absent.wit is not there" in shown.stderr
    told = json.loads(wasm_lab("wit", "check", "--json", right, wrong).stdout)
    assert [each["right"] for each in told] == [True, False]


def test_the_contract_inside_a_component_is_shown(wasm_lab: Command, tmp_path: Path) -> None:
    file = tmp_path / "c.wasm"
    file.write_bytes(assemble('(component (import "a:b/c" (instance (export "f" (func (param "x" u32))))))'))
    shown = wasm_lab("wit", "show", file)
    assert shown.returncode == 0, shown.stderr
    assert "import a:b/c;" in shown.stdout
    assert "f: func(x: u32);" in shown.stdout
    module = tmp_path / "m.wasm"
    module.write_bytes(assemble("(module)"))
    shown = wasm_lab("wit", "show", module)
    assert shown.returncode != 0
    assert "is a core module" in shown.stderr
    assert "Examples:" in wasm_lab("wit", "check", "--help").stdout
