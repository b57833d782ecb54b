"""``wasm-lab spin`` as its users meet it: whole processes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Command

MANIFESTS = Path(__file__).parents[1] / "scenarios" / "spin" / "manifests"

RIGHT = """\
spin_manifest_version = 2
[application]
name = "app"
[[trigger.http]]
route = "/..."
component = "one"
[component.one]
source = "one.wasm"
"""


@pytest.mark.parametrize("command", ["validate", "build", "up", "doctor", "deploy"])
def test_help_has_examples(wasm_lab: Command, command: str) -> None:
    shown = wasm_lab("spin", command, "--help")
    assert shown.returncode == 0
    assert "Examples:" in shown.stdout


def test_validate_says_what_is_right(wasm_lab: Command) -> None:
    done = wasm_lab("spin", "validate", "--no-sources", *sorted((MANIFESTS / "right").glob("*.toml")))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": right (") == len(list((MANIFESTS / "right").glob("*.toml")))
    assert "\x1b" not in done.stdout


def test_validate_says_what_is_wrong_and_where(wasm_lab: Command, tmp_path: Path) -> None:
    file = tmp_path / "spin.toml"
    file.write_text(RIGHT.replace("source", "sorce"))
    done = wasm_lab("spin", "validate", "--no-sources", file)
    assert done.returncode == 1
    assert (
        f"{file}:8:1: error: unknown key `sorce` in [component.one]\n    Did you mean `source`?"
        in done.stdout
    )


def test_one_wrong_file_among_right_ones_counts(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT)
    done = wasm_lab("spin", "validate", "--no-sources", tmp_path, tmp_path / "none.toml")
    assert done.returncode == 1
    assert "right (components: 1, triggers: 1)" in done.stdout
    assert "none.toml: error: there is no such file" in done.stdout


def test_validate_asks_for_sources_unless_told_not_to(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT)
    assert wasm_lab("spin", "validate", "--no-sources", tmp_path).returncode == 0
    done = wasm_lab("spin", "validate", tmp_path)
    assert done.returncode == 1
    assert "'one.wasm' is missing" in done.stdout
    assert "--no-sources" in done.stdout


def test_a_route_that_never_answers_makes_a_file_wrong(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT + '[[trigger.http]]\nroute = "/..."\ncomponent = "one"\n')
    done = wasm_lab("spin", "validate", "--no-sources", tmp_path)
    assert done.returncode == 1
    assert ":10:9: warning: the route" in done.stdout


def test_a_folder_means_every_manifest_below_it(wasm_lab: Command, tmp_path: Path) -> None:
    for name in ("a", "b/c", "b/node_modules/d", "target/e"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "spin.toml").write_text(RIGHT)
    done = wasm_lab("spin", "validate", "--no-sources", "--json", tmp_path)
    files = [Path(record["file"]).relative_to(tmp_path) for record in json.loads(done.stdout)]
    assert files == [Path("a/spin.toml"), Path("b/c/spin.toml")]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert wasm_lab("spin", "validate", empty).returncode == 1


def test_json_holds_everything(wasm_lab: Command, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("spin_manifest_version = 2\n[application]\n")
    done = wasm_lab("spin", "validate", "--json", "--no-sources", wrong, MANIFESTS / "version1" / "http.toml")
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert first["valid"] is False
    assert first["problems"][0] == {
        "line": 1,
        "column": 1,
        "level": "error",
        "message": "`trigger` is missing: nothing would ever start a component",
        "hint": 'Such as [[trigger.http]] with route = "/..." and component = "<id>".',
    }
    assert second["version2"].startswith("spin_manifest_version = 2\n")


def test_the_version_2_text_that_is_printed_is_right(wasm_lab: Command, tmp_path: Path) -> None:
    done = wasm_lab("spin", "validate", "--no-sources", MANIFESTS / "version1" / "http.toml")
    assert done.returncode == 1
    (tmp_path / "spin.toml").write_text(done.stdout.split("the same in version 2:\n\n")[1])
    assert wasm_lab("spin", "validate", "--no-sources", tmp_path).returncode == 0


def test_two_hundred_files_are_checked_at_once(wasm_lab: Command, tmp_path: Path) -> None:
    text = (MANIFESTS / "right" / "everything.toml").read_text()
    for number in range(200):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "spin.toml").write_text(text)
    began = time.monotonic()
    done = wasm_lab("spin", "validate", "--no-sources", tmp_path)
    assert done.returncode == 0
    assert done.stdout.count("right") == 200
    assert time.monotonic() - began < 60  # a hang, not a measurement


def test_build_runs_commands_and_reports_failures(wasm_lab: Command, tmp_path: Path) -> None:
    file = tmp_path / "spin.toml"
    file.write_text(RIGHT + "[component.one.build]\ncommand = 'echo made; touch one.wasm'\n")
    done = wasm_lab("spin", "build", "--from", tmp_path)
    assert (done.returncode, done.stdout) == (0, "made\n")
    assert "one: built in" in done.stderr
    file.write_text(RIGHT + "[component.one.build]\ncommand = 'echo no >&2; false'\n")
    done = wasm_lab("spin", "build", "-f", file)
    assert done.returncode == 1
    assert "no\n" in done.stderr
    assert "ended with status 1" in done.stderr


def test_a_wrong_manifest_stops_every_command(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT.replace("= 2", "= 9"))
    for command in ("build", "up", "deploy"):
        done = wasm_lab("spin", command, "--from", tmp_path)
        assert done.returncode == 2
        assert ":1:25: error: there is no version 9 of the manifest" in done.stderr
        assert "Traceback" not in done.stderr


def test_up_refuses_what_it_cannot_do(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT)
    assert "'one.wasm' is missing" in wasm_lab("spin", "up", "--from", tmp_path).stderr
    (tmp_path / "one.wasm").write_bytes(b"\0asm\x0d\0\x01\0")
    for words, message in (
        (["--env", "novalue"], "--env takes NAME=VALUE"),
        (["--variable", "other=1"], "declares no variable `other`"),
        (["--engine", "spin", "--workers", "2"], "--workers is of the lab's own host"),
    ):
        done = wasm_lab("spin", "up", "--from", tmp_path, *words)
        assert done.returncode == 2
        assert message in done.stderr
    (tmp_path / "spin.toml").write_text(RIGHT.replace("http", "cron"))
    done = wasm_lab("spin", "up", "--from", tmp_path)
    assert done.returncode == 1
    assert "no triggers of the kind cron" in done.stderr


def test_deploy_writes_a_spin_app_and_sends_nothing(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT)
    out = tmp_path / "app.yaml"
    done = wasm_lab("spin", "deploy", "--from", tmp_path, "--image", "ghcr.io/me/app:1", "--out", out)
    assert done.returncode == 0
    assert "kind: SpinApp" in out.read_text()
    assert "no cloud" in done.stderr
    assert "spin registry push --build --from spin.toml ghcr.io/me/app:1" in done.stderr
    assert f"kubectl apply -f {out}" in done.stderr
    assert "kind: SpinApp" in wasm_lab("spin", "deploy", "--from", tmp_path).stdout
    unwritable = wasm_lab("spin", "deploy", "--from", tmp_path, "--out", tmp_path / "absent" / "app.yaml")
    assert unwritable.returncode == 2
    assert "cannot be written: No such file or directory." in unwritable.stderr


def test_doctor_ends_with_1_when_something_is_wrong(wasm_lab: Command, tmp_path: Path) -> None:
    (tmp_path / "spin.toml").write_text(RIGHT)
    done = wasm_lab("spin", "doctor", "--from", tmp_path, "--json")
    assert done.returncode == 1
    assert {"about", "state", "message", "hint"} == set(json.loads(done.stdout)[0])
    assert "one.wasm" in wasm_lab("spin", "doctor", "--from", tmp_path).stdout
