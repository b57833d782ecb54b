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
    assert (told[1]["file"], told[1]["line"], told[1]["column"]) == (str(wrong), 2, 29)
    (absent,) = json.loads(wasm_lab("wit", "check", "--json", tmp_path / "absent.wit").stdout)
    assert (absent["right"], absent["line"], absent["column"]) == (False, None, None)


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


def test_a_text_is_shown_and_a_binary_is_not_checked(wasm_lab: Command, tmp_path: Path) -> None:
    text = tmp_path / "calc.wit"
    text.write_text("package a:b@0.1.0;\nworld w { export f: func(x: u8); }")
    shown = wasm_lab("wit", "show", text)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("package a:b@0.1.0;")
    assert "export f: func(x: u8);" in shown.stdout
    assert wasm_lab("wit", "show", tmp_path).stdout == shown.stdout
    text.write_text("package a:b;\nworld w {")
    refused = wasm_lab("wit", "show", text)
    assert refused.returncode == 1
    assert "each { needs its }" in refused.stderr
    module, component = tmp_path / "m.wasm", tmp_path / "c.wasm"
    module.write_bytes(assemble("(module)"))
    component.write_bytes(assemble("(component)"))
    for path, words in (
        (module, ("is a WebAssembly module, not a WIT text", f"wasm-lab inspect {module}")),
        (component, ("is a WebAssembly component, not a WIT text", f"wasm-lab wit show {component}")),
    ):
        checked = wasm_lab("wit", "check", path)
        assert checked.returncode == 1
        for said in words:
            assert said in checked.stderr
