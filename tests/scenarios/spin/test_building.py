"""``spin build``, ``deploy``, ``doctor``, the real Spin, and what the own host refuses."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from wasm_lab.build.wasm_tools import assemble
from wasm_lab.errors import BuildError, LoadError, UnsupportedError, UsageError
from wasm_lab.scenarios.spin.build import build_application, in_build_order
from wasm_lab.scenarios.spin.deploy import kubernetes_name, plan_deployment
from wasm_lab.scenarios.spin.doctor import examine
from wasm_lab.scenarios.spin.engine import find_spin, real_spin, run_real_spin, up_arguments
from wasm_lab.scenarios.spin.hosted import check_hosted, not_hosted, with_local_files
from wasm_lab.scenarios.spin.manifest import LocalSource, Manifest, load_manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHT = Path(__file__).parent / "manifests" / "right"

APP = """\
spin_manifest_version = 2
[application]
name = "My App"
version = "1.2.0"
[[trigger.http]]
route = "/..."
component = "one"
[component.one]
source = "one.wasm"
[component.one.build]
command = ["echo first >> log", "echo second >> log && touch one.wasm"]
[component.two]
source = "sub/two.wasm"
[component.two.build]
command = "echo two >> ../log; touch two.wasm"
workdir = "sub"
[component.three]
source = "three.wasm"
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "spin.toml").write_text(APP)
    return tmp_path


def test_each_build_command_runs_in_its_folder_and_order(app: Path) -> None:
    said: list[str] = []
    built = build_application(load_manifest(app), (), said.append)
    assert (app / "log").read_text().split() == ["first", "second", "two"]
    assert [(each.component, len(each.commands)) for each in built] == [("one", 2), ("two", 1), ("three", 0)]
    assert said[0] == "one: echo first >> log"
    assert said[-1] == "three: no build command"
    assert (app / "sub" / "two.wasm").exists()


def test_one_component_can_be_chosen(app: Path) -> None:
    build_application(load_manifest(app), ["two"])
    assert (app / "log").read_text().split() == ["two"]
    with pytest.raises(UsageError, match="no component `four`"):
        build_application(load_manifest(app), ["four"])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("exit 3", "ended with status 3"),
        ("no-such-program-here", "ended with status 127"),
        ("kill -9 $$", "was ended by signal 9"),
        ("true", "'one.wasm' is not there"),
    ],
)
def test_a_build_that_fails_stops_the_rest(app: Path, command: str, message: str) -> None:
    file = app / "spin.toml"
    file.write_text(
        APP.replace('["echo first >> log", "echo second >> log && touch one.wasm"]', f'"{command}"')
    )
    with pytest.raises(BuildError, match=message):
        build_application(load_manifest(app))
    assert not (app / "log").exists()


def test_a_build_folder_that_is_missing_is_named(app: Path) -> None:
    (app / "sub").rmdir()
    with pytest.raises(UsageError, match="sub"):
        build_application(load_manifest(app), ["two"])


def test_a_component_is_built_after_those_it_depends_on() -> None:
    order = [component.id for component in in_build_order(load_manifest(RIGHT / "dependencies.toml"))]
    assert order == ["upper", "main", "logger"]


def test_the_command_line_of_a_build_finds_the_lab(app: Path) -> None:
    file = app / "spin.toml"
    command = f"\"{sys.executable}\" -c \"import shutil, pathlib; pathlib.Path('one.wasm').write_text(str(shutil.which('wasm-lab')))\""
    file.write_text(
        APP.replace('["echo first >> log", "echo second >> log && touch one.wasm"]', f"'''{command}'''")
    )
    build_application(load_manifest(app), ["one"])
    assert (app / "one.wasm").read_text().endswith("wasm-lab")


def test_an_interrupt_ends_what_the_build_started(app: Path) -> None:
    file = app / "spin.toml"
    command = "sleep 600 & echo $! > child; wait"
    file.write_text(
        APP.replace('["echo first >> log", "echo second >> log && touch one.wasm"]', f'"{command}"')
    )
    program = Path(sys.executable).with_name("wasm-lab")
    process = subprocess.Popen(
        [program, "spin", "build", "--from", str(app)], stderr=subprocess.PIPE, text=True
    )
    child = app / "child"
    for _ in range(400):
        if child.exists() and child.read_text().strip():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted" in said
    number = int(child.read_text())
    for _ in range(200):
        if not _lives(number):
            break
        time.sleep(0.05)
    assert not _lives(number)


def _lives(number: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{number}/stat").read_text().split(") ")[1][0] != "Z"
    return False


def test_the_spin_app_of_spinkube(app: Path) -> None:
    file = app / "spin.toml"
    file.write_text(
        APP.replace('source = "one.wasm"', 'source = "one.wasm"\nkey_value_stores = ["default"]')
        + '[variables]\ntoken = { required = true, secret = true }\ncolour = { default = "blue" }\n'
    )
    plan = plan_deployment(load_manifest(app))
    written = yaml.safe_load(plan.yaml)
    assert written == {
        "apiVersion": "core.spinkube.dev/v1alpha1",
        "kind": "SpinApp",
        "metadata": {"name": "my-app"},
        "spec": {
            "image": "localhost:5000/my-app:1.2.0",
            "executor": "containerd-shim-spin",
            "replicas": 2,
            "variables": [
                {"name": "token", "valueFrom": {"secretKeyRef": {"name": "my-app", "key": "token"}}}
            ],
        },
    }
    assert plan.commands[0] == "spin registry push --build --from spin.toml localhost:5000/my-app:1.2.0"
    assert "kubectl apply -f my-app.yaml" in plan.commands
    assert any("loses it" in note for note in plan.notes)
    assert plan.yaml.startswith("# ")


def test_an_image_is_checked(app: Path) -> None:
    manifest = load_manifest(app)
    assert plan_deployment(manifest, "ghcr.io/me/app@sha256:" + "0" * 64).image.startswith("ghcr.io")
    for image in ("app", "https://ghcr.io/me/app", "ghcr.io/Me/app", "ghcr.io/me/app:"):
        with pytest.raises(UsageError, match="no reference"):
            plan_deployment(manifest, image)
    assert kubernetes_name("Ünder_score!") == "nder-score"
    assert len(kubernetes_name("x" * 100)) == 63


def _program(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / "spin"
    file.write_text(text)
    file.chmod(0o755)


def test_the_real_spin_is_told_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_spin() is None
    with pytest.raises(UnsupportedError, match="no `spin` on PATH"):
        real_spin(["up"])
    _program(tmp_path, "#!/bin/sh\necho 'Spin Version 6.5.2 -- 6 December 2019'\n")  # the model checker
    assert find_spin() is None
    with pytest.raises(UnsupportedError, match="not the Spin"):
        real_spin(["up"])
    _program(
        tmp_path, "#!/bin/sh\nif [ $1 = --version ]; then echo 'spin 3.4.0 (abc 2025)'; else exit 7; fi\n"
    )
    assert find_spin() == (str(tmp_path / "spin"), "3.4.0")
    assert real_spin(["up"]) == [str(tmp_path / "spin"), "up"]
    assert run_real_spin(["up"]) == 7


def test_the_real_spin_gets_the_same_options() -> None:
    assert up_arguments(
        Path("app/spin.toml"),
        listen="127.0.0.1:0",
        environment=["A=1"],
        variables=["b=2", "@c.json"],
        runtime_config=Path("r.toml"),
        state_dir=Path("s"),
        quiet=True,
        build=True,
    ) == (
        "up --from app/spin.toml --env A=1 --variable b=2 --variable @c.json --runtime-config-file r.toml "
        "--state-dir s --quiet --build --listen 127.0.0.1:0"
    ).split(" ")


def test_what_the_own_host_lacks_is_refused() -> None:
    expected = {
        "smallest": [],
        "other_triggers": ["triggers of the kind command, cron, mqtt, sensor"],
        "wagi": ["executor `wagi`", "executor `wasip3-unstable`"],
        "dependencies": [
            "middleware (`dependencies` of a trigger)",
            "composition at start (`dependencies` of main)",
            "registry client (`source` of main)",
        ],
    }
    for name, missing in expected.items():
        manifest = load_manifest(RIGHT / f"{name}.toml")
        assert not_hosted(manifest) == missing
        if missing:
            with pytest.raises(UnsupportedError, match="no executor|no triggers|no middleware") as caught:
                check_hosted(manifest)
            assert "--engine spin" in caught.value.hint
        else:
            check_hosted(manifest)


class _Files(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200 if self.path == "/a.wasm" else 404)
        self.end_headers()
        self.wfile.write(b"\0asm of the network")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_component_behind_a_url_is_fetched_once_and_checked(
    app: Path, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WASM_LAB_CACHE", str(tmp_path / "cache"))
    right = hashlib.sha256(b"\0asm of the network").hexdigest()

    def remote(path: str, digest: str) -> Manifest:
        source = f'{{ url = "{address}{path}", digest = "sha256:{digest}" }}'
        (app / "spin.toml").write_text(APP.replace('"one.wasm"\n[', f"{source}\n["))
        return load_manifest(app)

    _Files.asked = 0
    for _ in range(2):
        source = with_local_files(remote("/a.wasm", right)).components["one"].source
        assert isinstance(source, LocalSource)
        assert source.path.read_bytes() == b"\0asm of the network"
    assert _Files.asked == 1
    with pytest.raises(LoadError, match="not what the manifest says"):
        with_local_files(remote("/a.wasm", "0" * 64))
    with pytest.raises(LoadError, match="cannot be fetched"):
        with_local_files(remote("/b.wasm", "1" * 64))


def test_the_doctor_says_what_is_missing(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIN_VARIABLE_TOKEN", raising=False)
    file = app / "spin.toml"
    file.write_text(
        APP.replace("touch two.wasm", "x").replace('"echo two', '"no-such-tool two')
        + "[variables]\ntoken = { required = true }\n"
    )
    (app / "three.wasm").write_bytes(assemble("(component)"))
    found = {(finding.about, finding.state): finding for finding in examine(app)}
    assert ("manifest", "good") in found
    assert "one.wasm" in found["component one", "wrong"].message
    assert ("component two", "note") in found  # no trigger starts it
    assert ("component three", "good") in found
    assert "SPIN_VARIABLE_TOKEN" in found["variable token", "wrong"].hint
    messages = [finding.message for finding in examine(app)]
    assert any("`no-such-tool`, which is not on PATH" in message for message in messages)
    file.write_text("spin_version = '1'")
    (finding,) = examine(app)
    assert finding.state == "wrong"
    assert "version 1" in finding.message


def test_the_doctor_knows_what_a_component_was_made_for(app: Path) -> None:
    (app / "one.wasm").write_bytes(
        assemble(
            "(component (component $c) (instance $i (instantiate $c))"
            ' (export "wasi:http/handler@0.3.0" (instance $i)))'
        )
    )
    found = [finding for finding in examine(app) if finding.about == "component one"]
    assert [finding.state for finding in found] == ["wrong"]
    assert "WASI 0.3" in found[0].message
    assert os.linesep in found[0].hint or "5.2" in found[0].hint
