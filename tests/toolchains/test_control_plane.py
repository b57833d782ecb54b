"""Building the control plane of Kubernetes: the steps around the compiler, for which a stand-in takes no minutes.

That the real one builds what runs is shown by the tests of the API server, which need what it built.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest

from wasm_lab.errors import ToolchainError
from wasm_lab.toolchains import control_plane, go


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A Go that notes how it was called, says two packages, and writes the program that it is asked for."""
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path / "tools"))
    program = tmp_path / "go"
    program.write_text(
        "#!/bin/sh\n"
        f'env > {tmp_path}/env\npwd > {tmp_path}/cwd\necho "$*" > {tmp_path}/words\nls > {tmp_path}/files\n'
        "echo 'go: downloading k8s.io/api v0.36.3' >&2\necho k8s.io/api >&2\necho k8s.io/apiserver >&2\n"
        'mkdir -p "$GOCACHE" "$GOMODCACHE"\n'
        'while [ "$1" != -o ]; do shift; done\necho built > "$2"\nchmod 755 "$2"\nexit ${STAND_IN_STATUS:-0}\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(go, "find_go", lambda: go.Go(program, "1.26.1"))
    return tmp_path


def test_it_is_built_once_and_nothing_else_stays(stand_in):
    said: list[tuple[str, int, int]] = []
    assert control_plane.find_control_plane() is None
    built = control_plane.build_control_plane(lambda *what: said.append(what))
    assert built.read_text() == "built\n"
    assert os.access(built, os.X_OK)
    assert control_plane.find_control_plane() == built
    assert [(what, done) for what, done, _ in said] == [
        ("modules", 0),
        ("k8s.io/api", 1),
        ("k8s.io/apiserver", 2),
    ]
    home = built.parent.parent
    assert sorted(path.name for path in home.iterdir()) == [".lock", built.parent.name]
    (stand_in / "words").unlink()
    assert control_plane.build_control_plane() == built
    assert not (stand_in / "words").exists()


def test_caches_lie_where_they_go_away_and_modules_are_only_read(stand_in):
    control_plane.build_control_plane()
    environment = dict(
        line.split("=", 1) for line in (stand_in / "env").read_text().splitlines() if "=" in line
    )
    folder = Path((stand_in / "cwd").read_text().strip()).parent
    assert {Path(environment["GOCACHE"]).parent, Path(environment["GOMODCACHE"]).parent} == {folder}
    assert "-mod=readonly" in environment["GOFLAGS"]
    assert environment["CGO_ENABLED"] == "0"
    assert sorted((stand_in / "files").read_text().split()) == sorted(control_plane.FILES)
    assert f"gitVersion=v{control_plane.kubernetes_version()}" in (stand_in / "words").read_text()
    assert not folder.exists()


def test_programs_of_other_releases_and_killed_builds_are_removed(stand_in):
    home = stand_in / "tools" / "kubernetes"
    for name in ("1.20.0-abc", ".build-killed"):
        (home / name).mkdir(parents=True)
    built = control_plane.build_control_plane()
    assert sorted(path.name for path in home.iterdir()) == [".lock", built.parent.name]


def test_a_build_that_fails_says_the_compilers_last_words_and_leaves_nothing(stand_in, monkeypatch):
    monkeypatch.setenv("STAND_IN_STATUS", "3")
    with pytest.raises(ToolchainError, match="status 3") as caught:
        control_plane.build_control_plane()
    assert "k8s.io/apiserver" in caught.value.hint
    assert control_plane.find_control_plane() is None
    assert not list((stand_in / "tools" / "kubernetes").glob(".build-*"))


def test_an_older_go_is_refused_with_its_version(stand_in, monkeypatch):
    monkeypatch.setattr(go, "find_go", lambda: go.Go(Path("/usr/bin/go"), "1.22.4"))
    with pytest.raises(ToolchainError) as caught:
        control_plane.build_control_plane()
    assert "1.22.4" in caught.value.hint
    assert "1.26" in caught.value.hint


def test_too_little_room_is_said_before_anything_is_fetched(stand_in, monkeypatch):
    monkeypatch.setattr(control_plane, "ROOM_MB", 1 << 40)
    with pytest.raises(ToolchainError, match="MB"):
        control_plane.build_control_plane()
    assert not (stand_in / "words").exists()


def test_two_at_once_build_once(stand_in):
    counted = stand_in / "go"
    counted.write_text(
        counted.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\necho x >> {stand_in}/count\nsleep 0.2\n")
    )
    threads = [threading.Thread(target=control_plane.build_control_plane) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (stand_in / "count").read_text() == "x\n"


def test_the_modules_and_the_go_that_is_asked_for_agree():
    text = (control_plane.SOURCES / "go.mod").read_text()
    asked = re.search(r"^go (\d+)\.(\d+)", text, re.MULTILINE)
    assert asked is not None
    assert (int(asked[1]), int(asked[2])) == control_plane.OLDEST_GO


@pytest.mark.slow
def test_gofmt_has_nothing_to_say():
    found = go.find_go()
    assert found is not None, go.go_missing()
    done = subprocess.run(
        [found.program.resolve().with_name("gofmt"), "-l", control_plane.SOURCES],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")
