"""The comment at the head of each sample is true: its commands are run and their output compared."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[2] / "wasm_samples"
FILES = sorted(path.relative_to(SAMPLES) for path in SAMPLES.glob("*/*") if path.suffix in {".rs", ".wat"})
#: Building the crates of a sample takes most of it.
LONGEST_S = 180
NEED_CRATES = {"json_transform.rs", "image_resize.rs"}


def sessions(text: str) -> list[tuple[str, str]]:
    """Commands and their expected outputs from the ``console`` blocks of a comment."""
    comment = "".join(
        f"{line[3:].removeprefix(' ')}\n"
        for line in text.splitlines()
        if line.startswith(("//!", ";; ", ";;"))
    )
    found: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", comment, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def test_readme_says_how_to_break_a_module(path: str, tmp_path: Path) -> None:
    folder = tmp_path / "wasm_samples"
    shutil.copytree(SAMPLES, folder)
    block = re.findall(
        r"```console\n(.*?)```", (SAMPLES / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    commands = [line.removeprefix("$ ") for line in "".join(block).splitlines()]
    assert len(commands) == 4
    assert not any("[exit status" in execute(command, folder, path) for command in commands)
    for broken in ("truncated", "bad_magic", "bad_version"):
        output = execute(f"wasm-lab run {broken}.wasm", folder, path)
        assert re.fullmatch(r"error: (?:.*\n)+\[exit status 1\]\n", output), output


def pattern(expected: str) -> str:
    """A regular expression: ``...`` is any text, on a line of its own any lines."""
    parts = []
    for line in expected.splitlines(keepends=True):
        if line == "...\n":
            parts.append(r"(?:[^\n]*\n)*(?:[^\n]+\Z)?")
        else:
            parts.append(".*".join(re.escape(piece) for piece in line.split("...")))
    return "".join(parts)


def execute(command: str, folder: Path, path: str) -> str:
    """Output (both streams) of a command, and its status when that is not 0."""
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a guest that nothing stops must not outlive its test
            raise
    text = output.decode(errors="replace")
    if process.returncode:
        newline = "" if not text or text.endswith("\n") else "\n"
        text += f"{newline}[exit status {process.returncode}]\n"
    return text


@pytest.fixture(scope="session")
def path() -> str:
    """A PATH on which ``wasm-lab`` is the one under test."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(
    "file",
    [pytest.param(file, marks=pytest.mark.slow if file.name in NEED_CRATES else ()) for file in FILES],
    ids=str,
)
def test_commands_print_what_the_comment_says(file: Path, path: str, tmp_path: Path) -> None:
    commands = sessions((SAMPLES / file).read_text(encoding="utf-8"))
    assert commands, f"{file} does not say how to run it"
    folder = tmp_path / "wasm_samples"
    shutil.copytree(SAMPLES, folder)
    for command, expected in commands:
        output = execute(command, folder, path)
        assert re.fullmatch(pattern(expected), output), f"$ {command}\n{output}\n--- expected ---\n{expected}"


def test_readme_lists_every_sample() -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert [file for file in FILES if f"`{file.name}`" not in readme and f"`{file}`" not in readme] == []
    named = set(re.findall(r"`(?:\w+/)?(\w+\.(?:rs|wat))`", readme))
    assert named - {file.name for file in FILES} == set()


@pytest.mark.parametrize(
    ("expected", "output", "matches"),
    [
        ("one\n", "one\n", True),
        ("one\n", "one\ntwo\n", False),
        ("...\n", "", True),
        ("...\ntwo\n", "zero\none\ntwo\n", True),
        ("...\ntwo\n", "zero\none\n", False),
        ("a ... c\n", "a b c\n", True),
        ("a ... c\n", "a b\nc\n", False),
        ("...\n[exit status 1]\n", "said\n[exit status 2]\n", False),
    ],
)
def test_the_comparison_itself(expected: str, output: str, matches: bool) -> None:
    assert bool(re.fullmatch(pattern(expected), output)) is matches
