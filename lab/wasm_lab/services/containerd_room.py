"""The walls around a private containerd: a program of its own, run by root, that starts it and clears up.

    python containerd_room.py FOLDER    # FOLDER/room.json says what to start

containerd, its shims and every container run in a PID namespace: when its first process ends, the
kernel ends all the others, however the lab ended. They run in a mount namespace, so their mounts end
with them. And they run below one cgroup (one in each hierarchy of cgroup v1), seen by them as the
root through a cgroup namespace, so nothing of the machine's own groups is touched, and a memory limit
can be set where the machine lends a memory controller.

This process stays outside of all that, removes the cgroups at the end, and dies with its parent.
Only the standard library, so that it starts fast.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

#: linux/sched.h
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000

#: linux/mount.h
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1  # prctl(2)

CGROUPS = Path("/sys/fs/cgroup")

#: Controllers of version 2 that a container cannot do without: containerd gives every pod a share of the CPU.
NEEDED = {"memory", "cpu"}

#: How the groups are called; behind it comes the number of the process that made them.
PREFIX = "wasm-lab-"

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source: str, target: Path | str, kind: str, flags: int = 0, options: str = "") -> None:
    done = _libc.mount(
        source.encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(done, f"mount {kind} on {target}")


def _unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def _die_with(parent: int, number: int) -> None:
    _libc.prctl(PR_SET_PDEATHSIG, number)
    if parent and os.getppid() != parent:
        os._exit(1)


@dataclass(frozen=True)
class Hierarchy:
    """One cgroup hierarchy that the machine has, and our group in it."""

    controllers: str  #: as it is mounted, such as ``memory`` or ``cpu,cpuacct``; empty for version 2
    group: Path


class Groups:
    """The cgroups that containerd's own lie below."""

    def __init__(self) -> None:
        self.version = 0  #: 1 or 2; 0 where there are none that can be used
        self.why = ""  #: where memory cannot be limited: the reason
        self.hierarchies: list[Hierarchy] = []

    @property
    def limits_memory(self) -> bool:
        return self.version == 2 or any("memory" in one.controllers for one in self.hierarchies)

    def make(self) -> None:
        """Make our groups, below those that this process is in.

        Version 2 lends controllers only from a group without processes of its own, so there ours lies
        below the nearest one that lends what is needed.
        """
        mounts = _cgroup_mounts()
        mine = _own_groups()
        _sweep(mounts)
        name = f"{PREFIX}{os.getpid()}"
        for controllers, (kind, root, point) in mounts.items():
            if kind != "cgroup" or controllers not in mine:
                continue
            with contextlib.suppress(OSError):
                group = _below(point, root, mine[controllers]) / name
                group.mkdir()
                if "cpuset" in controllers.split(","):  # empty at first, and then no process may enter
                    for file in ("cpuset.cpus", "cpuset.mems"):
                        (group / file).write_text((group.parent / file).read_text())
                self.hierarchies.append(Hierarchy(controllers, group))
        if self.hierarchies:
            self.version = 1
            if not self.limits_memory:
                self.why = "this machine's cgroup v1 has no memory hierarchy that can be written"
            return
        if "" not in mounts or "" not in mine:
            self.why = "no cgroup file system is mounted"
            return
        _, root, point = mounts[""]
        start = _below(point, root, mine[""])
        for parent in (start, *start.parents):
            if not parent.is_relative_to(point):
                break
            with contextlib.suppress(OSError):
                if set((parent / "cgroup.subtree_control").read_text().split()) >= NEEDED:
                    group = parent / name
                    (group / "lab").mkdir(parents=True)
                    self.hierarchies = [Hierarchy("", group)]
                    self.version = 2
                    return
        self.why = (
            f"no cgroup from {start} up to {point} lends its memory and cpu controllers to further ones, "
            "as systemd arranges it"
        )

    def enter(self) -> None:
        """Put this process into them."""
        for one in self.hierarchies:
            (one.group / "cgroup.procs").write_text("0")

    def settle(self) -> None:
        """Version 2: leave our group's root, behind a namespace that keeps it as its root."""
        if self.version == 2:
            (group,) = (one.group for one in self.hierarchies)
            (group / "lab" / "cgroup.procs").write_text("0")
            lent = set((group / "cgroup.controllers").read_text().split())
            for controller in sorted(lent & {"memory", "pids", "cpu", "cpuset", "io"}):
                with contextlib.suppress(OSError):
                    (group / "cgroup.subtree_control").write_text(f"+{controller}")

    def mount(self) -> None:
        """In the new namespaces: show our groups, and nothing else, where programs look for cgroups."""
        if self.version == 1:
            _mount("tmpfs", CGROUPS, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755")
            for one in self.hierarchies:
                target = CGROUPS / one.controllers
                target.mkdir()
                _mount("cgroup", target, "cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, one.controllers)
                for controller in one.controllers.split(","):
                    if controller != one.controllers:
                        (CGROUPS / controller).symlink_to(one.controllers)
        elif self.version == 2:
            _libc.umount2(
                str(CGROUPS).encode(), MNT_DETACH
            )  # the same file system does not mount over itself
            _mount("cgroup2", CGROUPS, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC)

    def remove(self) -> None:
        """Remove them, when no process is left in them."""
        for one in self.hierarchies:
            _remove_group(one.group)


def _read_own() -> str:
    return Path("/proc/self/cgroup").read_text()


def _read_mounts() -> str:
    return Path("/proc/self/mountinfo").read_text()


def _own_groups() -> dict[str, str]:
    """Controllers to the group of this process; version 2 under the empty name."""
    found = {}
    for line in _read_own().splitlines():
        _, controllers, path = line.split(":", 2)
        if "name=" not in controllers:
            found[controllers] = path
    return found


def _cgroup_mounts() -> dict[str, tuple[str, str, Path]]:
    """Controllers to kind, root and place of their mount."""
    known = set(_own_groups())
    found: dict[str, tuple[str, str, Path]] = {}
    for line in _read_mounts().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        root, point = left.split(" ")[3:5]
        if kind == "cgroup2":
            found.setdefault("", (kind, root, Path(point)))
        elif kind == "cgroup":
            controllers = next(
                (name for name in known if name and set(name.split(",")) <= set(options.split(","))), ""
            )
            if controllers:
                found.setdefault(controllers, (kind, root, Path(point)))
    return found


def _below(point: Path, root: str, group: str) -> Path:
    """The folder of a group, where its hierarchy is mounted from ``root``."""
    relative = os.path.relpath(group, root)
    return point if relative.startswith("..") or relative == "." else point / relative


def _sweep(mounts: dict[str, tuple[str, str, Path]]) -> None:
    """Remove what rooms left that were killed together with all that would have cleared up."""
    mine = _own_groups()
    for controllers, (_, root, point) in mounts.items():
        start = _below(point, root, mine.get(controllers, "/"))
        for parent in (start, *start.parents):
            if not parent.is_relative_to(point):
                break
            for group in parent.glob(f"{PREFIX}*"):
                number = group.name.removeprefix(PREFIX)
                if number.isdecimal() and not Path(f"/proc/{number}").exists():
                    _remove_group(group, tries=1)


def _remove_group(group: Path, tries: int = 100) -> None:
    """Remove a group and those below it; the last process may need a moment to be gone."""
    for _ in range(tries):
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        if not group.exists():
            return
        time.sleep(0.02)


def main(folder: Path) -> int:
    """Start what ``room.json`` says and wait for its end. The status is that of the program."""
    parent = os.getppid()
    _die_with(0, signal.SIGTERM)
    room = json.loads((folder / "room.json").read_text())
    groups = Groups()
    child = 0

    def end(number: int, _frame: object) -> None:
        if child:
            os.kill(child, signal.SIGKILL)  # the first process of the namespace dies with it
        elif number:
            raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        groups.make()
        me = os.getpid()
        child = os.fork()
        if child == 0:
            _inside(me, folder, room, groups)
        if os.getppid() != parent:
            end(0, None)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) & 0xFF
    finally:
        groups.remove()


def _inside(parent: int, folder: Path, room: dict[str, Any], groups: Groups) -> NoReturn:
    """The process that goes into the namespaces and waits for their first process."""
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _die_with(parent, signal.SIGKILL)
        groups.enter()
        _unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | (CLONE_NEWCGROUP if groups.version else 0))
        groups.settle()
        first = os.fork()
        if first == 0:
            _die_with(0, signal.SIGKILL)  # its parent has no number in here
            status = _first(folder, room, groups)
        else:
            (folder / "first").write_text(str(first))
            _, ended = os.waitpid(first, 0)
            status = os.waitstatus_to_exitcode(ended) & 0xFF
    except BaseException as error:  # the log is what is shown of it
        os.write(2, f"the room could not be made: {error}\n".encode())
    os._exit(status)


def _first(folder: Path, room: dict[str, Any], groups: Groups) -> int:
    """The first process in there: mounts, writes the settings, starts containerd, reaps what is orphaned."""
    _mount("none", "/", "none", MS_REC | MS_PRIVATE)
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    # A /tmp from which nothing may be executed is so for others, not for what is in here.
    _mount(str(folder), folder, "none", MS_BIND)
    _mount("none", folder, "none", MS_BIND | MS_REMOUNT)
    _own_run()
    groups.mount()
    overlay = _overlay_works(folder)
    told = {
        "cgroup_version": groups.version,
        "memory_limits": groups.limits_memory,
        "why_no_memory_limits": groups.why,
        "snapshotter": "overlayfs" if overlay else "native",
    }
    (folder / "told.json").write_text(json.dumps(told))
    for name, texts in room["files"].items():
        path = folder / name
        text = texts["limits" if groups.version else "no_limits"]
        path.write_text(text.replace("@SNAPSHOTTER@", str(told["snapshotter"])))
        path.chmod(texts["mode"])
    program = os.fork()
    if program == 0:
        os.execve(room["command"][0], room["command"], room["env"])
    while True:
        number, status = os.wait()
        if number == program:
            return os.waitstatus_to_exitcode(status) & 0xFF


def _own_run() -> None:
    """An empty /run: sockets of shims and states of runtimes have fixed places there."""
    names = Path("/etc/resolv.conf")
    real = names.resolve()
    kept = real.read_bytes() if real.is_file() and real.is_relative_to("/run") else None
    _mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    if kept is not None:
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_bytes(kept)


def _overlay_works(folder: Path) -> bool:
    """Whether the folder's file system can carry an overlay; one that is an overlay cannot."""
    place = folder / "overlay-probe"
    for name in ("lower", "upper", "work", "merged"):
        (place / name).mkdir(parents=True)
    options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
    try:
        _mount("overlay", place / "merged", "overlay", 0, options)
        _libc.umount2(str(place / "merged").encode(), MNT_DETACH)
    except OSError:
        return False
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
