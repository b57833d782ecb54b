"""``wasm-lab plugins`` as its users meet it: whole processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wasm_lab.scenarios.plugins.samples import fill

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path / "plugins", ["echo", "endless_loop", "late_trap"])


def test_each_command_has_examples(wasm_lab: Command) -> None:
    for words in (["plugins"], *(["plugins", each] for each in ("list", "call", "watch", "sample"))):
        shown = wasm_lab(*words, "--help")
        assert shown.returncode == 0
        assert "Examples:" in shown.stdout, words


def test_plugins_are_listed(wasm_lab: Command, folder: Path) -> None:
    shown = wasm_lab("plugins", "list", folder)
    assert shown.returncode == 0, shown.stderr
    assert "3 plugins" in shown.stdout
    told = json.loads(wasm_lab("plugins", "list", "--json", folder).stdout)
    assert [(each["name"], each["state"]) for each in told] == [
        ("echo", "ready"),
        ("endless_loop", "ready"),
        ("late_trap", "ready"),
    ]
    assert told[0]["description"]["version"] == "1.0.0"


def test_a_refused_file_is_listed_with_the_reason_and_status_1(wasm_lab: Command, folder: Path) -> None:
    fill(folder, ["next_version"])
    (folder / "broken.wasm").write_bytes(b"\0asm")
    shown = wasm_lab("plugins", "list", folder)
    assert shown.returncode == 1
    assert "next_version: next_version is made for version 2.0.0" in shown.stdout
    assert "broken: broken.wasm is no WebAssembly: it is truncated" in shown.stdout


def test_a_plugin_is_called_with_a_file_or_standard_input(
    wasm_lab: Command, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("Größe\n", encoding="utf-8")
    assert wasm_lab("plugins", "call", folder, "echo", tmp_path / "text.txt").stdout == "Größe\n"
    program = Path(sys.executable).with_name("wasm-lab")
    data = bytes(range(256))
    done = subprocess.run(
        [program, "plugins", "call", folder, "echo", "-o", tmp_path / "out"],
        input=data,
        timeout=60,
        check=True,
    )
    assert done.returncode == 0
    assert (tmp_path / "out").read_bytes() == data


def test_a_call_is_told_as_json(wasm_lab: Command, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("hello")
    done = wasm_lab("plugins", "call", folder, "echo", tmp_path / "text.txt", "--json")
    told = json.loads(done.stdout)
    assert (told["outcome"], told["output"], told["given_bytes"]) == ("ok", "hello", 5)


def test_settings_bound_a_plugin_and_its_deadline_is_status_124(
    wasm_lab: Command, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text('[plugin.endless_loop]\ntimeout = "100ms"\n')
    (tmp_path / "empty").touch()
    words = [
        "plugins",
        "call",
        folder,
        "endless_loop",
        tmp_path / "empty",
        "--settings",
        tmp_path / "settings.toml",
    ]
    done = wasm_lab(*words)
    assert done.returncode == 124
    assert "deadline exceeded" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["call", "{}", "absent", os.devnull], 1, "There is no plugin absent"),
        (["call", "{}", "echo", os.devnull, "-O", "nothing"], 2, "'nothing' is no option"),
        (["list", "{}/absent"], 2, "does not exist"),
        (["sample", "{}", "absent"], 2, "There is no sample plugin absent"),
    ],
)
def test_mistakes_are_told(wasm_lab: Command, folder: Path, words: list[str], status: int, said: str) -> None:
    done = wasm_lab("plugins", *(word.format(folder) for word in words))
    assert done.returncode == status
    assert said in done.stderr


def test_changes_are_watched_until_ctrl_c(folder: Path) -> None:
    program = Path(sys.executable).with_name("wasm-lab")
    process = subprocess.Popen(
        [program, "plugins", "watch", "--json", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        first = [json.loads(process.stdout.readline()) for _ in range(3)]
        assert {each["event"] for each in first} == {"ready"}
        (folder / "echo.wasm").write_bytes(b"\0asm")
        kept = json.loads(process.stdout.readline())
        assert (kept["name"], kept["event"]) == ("echo", "kept")
        (folder / "late_trap.wasm").unlink()
        assert json.loads(process.stdout.readline())["event"] == "removed"
        process.send_signal(signal.SIGINT)
        until = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_samples_are_built_into_a_folder(wasm_lab: Command, tmp_path: Path) -> None:
    done = wasm_lab("plugins", "sample", tmp_path / "new", "markdown")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "new" / "markdown.wasm")
    (tmp_path / "page.md").write_text("*tea*")
    assert wasm_lab("plugins", "call", tmp_path / "new", "markdown", tmp_path / "page.md").stdout == (
        "<p><em>tea</em></p>\n"
    )
