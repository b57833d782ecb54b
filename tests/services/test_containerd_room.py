"""The room's cgroups, as they would be made on machines of every kind."""

from pathlib import Path

import pytest

from wasm_lab.services import containerd_room as room


class Machine:
    """A machine's cgroup files below a folder."""

    def __init__(self, folder, monkeypatch):
        self.root = folder / "cgroup"
        self.root.mkdir()
        self.mounts = []
        self.own = []
        monkeypatch.setattr(room, "_read_mounts", lambda: "".join(self.mounts))
        monkeypatch.setattr(room, "_read_own", lambda: "".join(self.own))

    def hierarchy(self, controllers, group, root="/"):
        point = self.root / controllers
        (point / group.strip("/")).mkdir(parents=True, exist_ok=True)
        self.mounts.append(f"35 31 0:32 {root} {point} rw - cgroup cgroup rw,{controllers}\n")
        self.own.append(f"4:{controllers}:{group}\n")
        return point

    def unified(self, group, lends):
        point = self.root / "unified"
        (point / group.strip("/")).mkdir(parents=True, exist_ok=True)
        for place, controllers in lends.items():
            (point / place.strip("/") / "cgroup.subtree_control").write_text(controllers)
        self.mounts.append(f"41 31 0:38 / {point} rw - cgroup2 cgroup2 rw,nsdelegate\n")
        self.own.append(f"0::{group}\n")
        return point


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def made(groups):
    return [str(one.group) for one in groups.hierarchies]


def test_version_1_below_our_own_groups(machine):
    memory = machine.hierarchy("memory", "/jobs/7")
    pids = machine.hierarchy("pids", "/")
    machine.unified("/", {})
    groups = room.Groups()
    groups.make()

    assert groups.version == 1
    assert groups.limits_memory
    assert [str(Path(each).parent) for each in made(groups)] == [str(memory / "jobs/7"), str(pids)]
    groups.remove()
    assert not any(Path(each).exists() for each in made(groups))


def test_version_1_a_new_cpuset_is_not_empty(machine):
    point = machine.hierarchy("cpuset", "/")
    (point / "cpuset.cpus").write_text("0-1\n")
    (point / "cpuset.mems").write_text("0\n")
    groups = room.Groups()
    groups.make()

    (own,) = (one.group for one in groups.hierarchies)
    assert (own / "cpuset.cpus").read_text() == "0-1\n"
    assert groups.version == 1
    assert not groups.limits_memory
    assert "no memory hierarchy" in groups.why


def test_version_1_seen_from_a_container(machine):
    """The mount shows a subtree, and the process's own path may lie outside of it."""
    point = machine.hierarchy("memory", "/docker/abc", root="/docker/abc")
    (point / "docker").rmdir() if (point / "docker").exists() and not any(
        (point / "docker").iterdir()
    ) else None
    groups = room.Groups()
    groups.make()

    (own,) = made(groups)
    assert Path(own).parent == point


@pytest.mark.parametrize(
    ("lends", "parent"),
    [
        (
            {"/": "cpu memory pids", "/user.slice": "cpu memory", "/user.slice/user-0.slice": "memory pids"},
            "user.slice",
        ),
        ({"/": "cpuset cpu io memory pids", "/user.slice": "memory pids"}, "."),
        (
            {"/": "cpu memory", "/user.slice": "cpu memory", "/user.slice/user-0.slice": "cpu memory"},
            "user.slice/user-0.slice",
        ),
    ],
)
def test_version_2_below_the_nearest_group_that_lends_what_is_needed(machine, lends, parent):
    point = machine.unified("/user.slice/user-0.slice/session-1.scope", {})
    for place, controllers in lends.items():
        (point / place.strip("/") / "cgroup.subtree_control").write_text(controllers)
    groups = room.Groups()
    groups.make()

    assert groups.version == 2
    assert groups.limits_memory
    (own,) = (one.group for one in groups.hierarchies)
    assert own.parent == point / parent
    assert (own / "lab").is_dir()


@pytest.mark.parametrize("lends", [{}, {"/": ""}, {"/": "memory pids"}])
def test_version_2_that_lends_nothing_is_said_so(machine, lends):
    machine.unified("/a", lends)
    groups = room.Groups()
    groups.make()

    assert groups.version == 0
    assert not groups.limits_memory
    assert "memory and cpu" in groups.why


def test_no_cgroups_at_all(machine):
    groups = room.Groups()
    groups.make()

    assert groups.version == 0
    assert groups.why == "no cgroup file system is mounted"


def test_what_the_dead_left_is_swept_and_what_lives_is_not(machine):
    point = machine.hierarchy("memory", "/")
    (point / "wasm-lab-999999999" / "k8s.io" / "abc").mkdir(parents=True)
    (point / "wasm-lab-1").mkdir()
    (point / "wasm-lab-notes").mkdir()
    groups = room.Groups()
    groups.make()

    assert {path.name for path in point.glob("wasm-lab-*")} >= {"wasm-lab-1", "wasm-lab-notes"}
    assert not (point / "wasm-lab-999999999").exists()
