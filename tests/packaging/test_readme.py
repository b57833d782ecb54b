"""The README's cells do what it says of them. (Its Python examples are run by `make docs`.)"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text()

#: Runs each cell as a notebook does, and lets an error through.
RUN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in sys.argv[1:]:
    result = shell.run_cell(cell)
    if not result.success:
        sys.exit(1)
"""


def run_cells(*cells: str, cwd: Path) -> str:
    command = [sys.executable, "-c", RUN, "%load_ext wasm_lab", *cells]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rust_cells() -> list[str]:
    return re.findall(r"```rust\n(%%wasm_rust.*?)```", README, re.DOTALL)


def test_the_first_cell(tmp_path):
    fib, _ = rust_cells()
    check = """
import pytest
assert fib(30) == 832040
assert "slow definition" in fib.__doc__
with pytest.raises(OverflowError):
    fib(-1)
"""
    run_cells(fib, check, cwd=tmp_path)


def test_the_program_finds_a_folder_only_when_it_is_opened(tmp_path):
    _, program = rust_cells()
    (tmp_path / "one").touch()
    (tmp_path / "two").touch()
    closed = run_cells(program, cwd=tmp_path)
    assert "Err(" in closed
    assert "no folder is open" in " ".join(closed.split())
    opened = run_cells(program.replace("--audit", "--audit --dir-ro .::/data"), cwd=tmp_path)
    assert "Ok(2)" in opened
