"""A private containerd for real: pods, how containers end, and that nothing is left of it. Root alone can run it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from wasm_lab.build import build
from wasm_lab.errors import ContainerError, ServiceError
from wasm_lab.scenarios.containers.fellows import libraries_of
from wasm_lab.scenarios.containers.image import files_image, wasm_image
from wasm_lab.scenarios.containers.layers import Entry
from wasm_lab.services import Containerd
from wasm_lab.services.cri import Cri, PodSandbox
from wasm_lab.services.pause import pause_program
from wasm_lab.source import Kind, Profile, Source
from wasm_lab.subjects.functions import native_program
from wasm_lab.toolchains.containerd import not_root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(not_root()), reason=not_root()),
]

WASM = {"module.wasm.image/variant": "compat-smart"}

#: Does what its first argument says, in a container of either kind.
PROGRAM = """\
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{} {}", words.join(" "), std::env::var("COLOUR").unwrap_or_default());
    eprintln!("to the other stream");
    match words.first().map(String::as_str) {
        Some("three") => std::process::exit(3),
        Some("crash") => panic!("on purpose"),
        Some("eat") => {
            let mut held = Vec::new();
            loop { held.push(vec![1u8; 1 << 20]); std::hint::black_box(&held); }
        }
        Some("idle") => loop { std::thread::sleep(std::time::Duration::from_secs(60)) },
        _ => {}
    }
}
"""


@pytest.fixture(scope="module")
def containerd():
    why = Containerd.missing()
    assert not why, f"scripts/test_tools.py gets it: {why}"
    with Containerd() as server:
        assert server.handlers == ("crun-wasm", "crun", "runc"), "scripts/test_tools.py gets all of them"
        yield server


@pytest.fixture(scope="module")
def cri(containerd):
    with containerd.cri() as client:
        yield client


@pytest.fixture(scope="module")
def images(containerd, tmp_path_factory):
    """The program as a module and natively: names of the images."""
    folder = tmp_path_factory.mktemp("images")
    module = build(Source(code=PROGRAM, kind=Kind.PROGRAM, name="ending", profile=Profile.SIZE)).wasm
    native = native_program(Source(code=PROGRAM, kind=Kind.PROGRAM, name="ending"))
    program = folder / "ending"
    program.write_bytes(native)
    program.chmod(0o755)
    entries = [Entry("/ending", native, 0o755), *libraries_of([str(program)])]
    made = {
        "wasm": wasm_image(module, "localhost/test/ending-wasm:1"),
        "native": files_image(entries, "localhost/test/ending-native:1", entrypoint=["/ending"]),
    }
    names = {}
    for kind, image in made.items():
        image.write_archive(folder / f"{kind}.tar")
        names[kind] = containerd.import_image(folder / f"{kind}.tar")
    return names


def pod(cri, handler, **more):
    annotations = WASM if handler == "crun-wasm" else {}
    return cri.run_pod(PodSandbox(name="test", annotations=annotations, runtime_handler=handler, **more))


@pytest.mark.parametrize(
    ("handler", "image"), [("crun-wasm", "wasm"), ("crun", "native"), ("runc", "native")]
)
def test_a_program_runs_and_ends(cri, images, handler, image):
    before = time.time_ns()
    with pod(cri, handler) as one:
        container = one.start(
            name="a", image=images[image], args=["hello", "there"], env={"COLOUR": "blue"}, annotations=WASM
        )
        status = container.wait(20)

        assert (status.state, status.exit_code, status.reason) == ("exited", 0, "Completed")
        assert before < status.created_at_ns < status.started_at_ns < time.time_ns()
        # A program may have ended before the runtime has noted that it runs.
        assert status.created_at_ns < status.finished_at_ns < time.time_ns()
        lines = {(line.stream, line.text) for line in container.log_lines()}
        assert lines == {("stdout", "hello there blue\n"), ("stderr", "to the other stream\n")}
        asked = container.asked
        assert asked.create_ns < status.created_at_ns < asked.created_ns < asked.start_ns
        assert asked.start_ns < status.started_at_ns < asked.started_ns


def test_the_status_that_a_program_exits_with(cri, images):
    with pod(cri, "crun") as one:
        status = one.start(name="a", image=images["native"], args=["three"]).wait(20)

    assert (status.state, status.exit_code, status.reason) == ("exited", 3, "Error")


@pytest.mark.parametrize(
    ("handler", "image", "said"),
    [("crun-wasm", "wasm", "unreachable"), ("crun", "native", "on purpose")],
)
def test_a_crash(cri, images, handler, image, said):
    with pod(cri, handler) as one:
        container = one.start(name="a", image=images[image], args=["crash"], annotations=WASM)
        status = container.wait(20)

        assert status.exit_code != 0
        assert status.reason == "Error"
        assert said in container.logs()


@pytest.mark.parametrize(("handler", "image"), [("crun-wasm", "wasm"), ("runc", "native")])
def test_who_takes_more_memory_than_it_may_is_killed(containerd, cri, images, handler, image):
    if not containerd.memory_wall:
        with pod(cri, handler) as one, pytest.raises(ContainerError, match="memory"):
            one.start(name="a", image=images[image], memory_limit_bytes=32 << 20, annotations=WASM)
        return
    with pod(cri, handler) as one:
        limited = {"image": images[image], "memory_limit_bytes": 32 << 20, "annotations": WASM}
        within = one.start(name="within", **limited).wait(20)
        beyond = one.start(name="beyond", args=["eat"], **limited).wait(60)

    assert within.exit_code == 0
    assert (beyond.exit_code, beyond.reason) == (137, "OOMKilled")


@pytest.mark.parametrize(
    ("handler", "annotations"),
    [
        ("runc", WASM),
        ("crun", WASM),  # this handler passes no annotations on
        ("crun-wasm", {}),
        ("crun-wasm", {"module.wasm.image/variant": "compact-smart"}),
        ("crun-wasm", {"run.oci.handler/wasm": "wasmedge"}),
    ],
)
def test_a_module_that_is_not_taken_for_one_is_no_executable(cri, images, handler, annotations):
    sandbox = PodSandbox(name="test", annotations=annotations, runtime_handler=handler)
    with cri.run_pod(sandbox) as one:
        container = one.start(name="a", image=images["wasm"], annotations=annotations)
        status = container.wait(20)

        assert status.exit_code != 0
        assert "exec format error" in container.logs().lower()


def test_no_such_image(cri):
    with pod(cri, "runc") as one, pytest.raises(ContainerError, match="localhost/none:1") as caught:
        one.start(name="a", image="localhost/none:1")

    assert "import_image" in caught.value.hint


def test_no_such_program_in_the_image(cri, images):
    with pod(cri, "runc") as one:
        with pytest.raises(ContainerError, match="StartContainer") as caught:
            one.start(name="a", image=images["native"], command=["/none"])
        assert "/none" in caught.value.hint
        assert one.containers == []


def test_no_such_handler(cri):
    with pytest.raises(ContainerError, match="RunPodSandbox") as caught:
        cri.run_pod(PodSandbox(name="a", runtime_handler="gvisor"))

    assert "gvisor" in caught.value.hint


@pytest.mark.parametrize("data", [b"", b"no archive", b"\0" * 4096])
def test_what_is_no_archive(containerd, tmp_path, data):
    path = tmp_path / "image.tar"
    path.write_bytes(data)

    with pytest.raises(ContainerError) as caught:
        containerd.import_image(path)

    assert caught.value.hint


def test_processes_and_their_memory(cri, images):
    with pod(cri, "crun-wasm") as one:
        one.start(name="a", image=images["wasm"], args=["idle"], annotations=WASM)
        one.start(name="b", image=images["wasm"], args=["idle"], annotations=WASM)
        numbers = one.pids

        assert len(numbers) == 2
        for number in numbers:
            assert Path(f"/proc/{number}/mountinfo").read_text() != Path("/proc/self/mountinfo").read_text()
        assert len({one.shim_pid, one.pause_pid, *numbers}) == 4
        shim = Path(f"/proc/{one.shim_pid}/cmdline").read_text()
        assert one.id in shim
        assert Path(f"/proc/{one.pause_pid}/cmdline").read_text().strip("\0") == "/pause"
        assert one.pss > 1 << 20
        assert one.shim_pss > 1 << 20
    assert not any(Path(f"/proc/{number}").exists() for number in numbers)


def test_a_container_is_stopped(cri, images):
    with pod(cri, "crun") as one:
        container = one.start(name="a", image=images["native"], args=["idle"])
        with pytest.raises(ContainerError, match="still running"):
            container.wait(0.1)
        status = container.stop(1)

        assert status.state == "exited"
        container.remove()
        with pytest.raises(ContainerError):
            container.status()


def test_a_limit_that_nothing_keeps_is_refused(containerd, images):
    with Cri(containerd.address, no_memory_limits="for this test") as cri, pod(cri, "runc") as one:
        with pytest.raises(ContainerError) as caught:
            one.start(name="a", image=images["native"], memory_limit_bytes=32 << 20)
        assert caught.value.hint == "for this test"


def test_two_at_once_know_nothing_of_each_other(containerd, cri, images):
    with Containerd() as other, other.cri() as its:
        assert other.folder != containerd.folder
        assert cri.has_image(images["wasm"])
        assert not its.has_image(images["wasm"])


def test_stopped_and_started_again(tmp_path):
    with Containerd() as server:
        server.stop()
        assert not server.running
        server.start()
        with server.cri() as cri, pod(cri, "runc") as one:
            assert one.pause_pid


def test_the_pause_program_sleeps(tmp_path):
    program = tmp_path / "pause"
    program.write_bytes(pause_program())
    program.chmod(0o755)
    with subprocess.Popen([program]) as process:
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.3)
            assert Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "S"
        finally:
            process.kill()


# What is left behind: nothing.


def processes_of(folder):
    """Command lines that name a folder."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdecimal() and int(path.name) != os.getpid():
            try:
                words = (path / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
            if str(folder) in words:
                found.append(words)
    return found


def groups_of(room):
    """cgroups that the room of that number made."""
    done = subprocess.run(
        ["find", "/sys/fs/cgroup", "-name", f"wasm-lab-{room}"], capture_output=True, text=True
    )
    return done.stdout.split()


def room_of(server):
    """The number of the process that makes the namespaces."""
    first = Path(f"/proc/{server.first_process}/status").read_text()
    (between,) = [int(line.split()[1]) for line in first.splitlines() if line.startswith("PPid")]
    status = Path(f"/proc/{between}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid"))


def assert_gone(folder, room, numbers):
    deadline = time.monotonic() + 60
    left = ["not looked yet"]
    while left and time.monotonic() < deadline:
        left = [*processes_of(folder), *groups_of(room)]
        left += [str(number) for number in numbers if Path(f"/proc/{number}").exists()]
        left += [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]
        left += [str(folder)] if Path(folder).exists() else []
        time.sleep(0.05)
    assert left == []


#: A lab with a pod, that tells of itself and then sleeps.
LAB = """\
import sys, time
sys.path.insert(0, {tests!r})
from test_containerd import Containerd, PodSandbox, room_of
with Containerd() as server, server.cri() as cri:
    with cri.run_pod(PodSandbox(name="left", runtime_handler="runc")) as pod:
        print(server.folder, room_of(server), server.first_process, pod.pause_pid, pod.shim_pid, flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_the_lab_is_ended(number):
    text = LAB.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-W", "error", "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as lab:
        told = lab.stdout.readline().split()
        assert len(told) == 5, lab.stderr.read()
        folder, room, *numbers = told
        assert groups_of(room) or not Path("/sys/fs/cgroup").exists()
        lab.send_signal(number)
        lab.communicate(timeout=30)

    assert_gone(folder, room, numbers)


@pytest.mark.parametrize("victim", ["keeper", "room", "first process"])
def test_nothing_but_empty_groups_is_left_when_a_process_of_it_is_killed(victim):
    with Containerd() as server:
        room = room_of(server)
        who = {"keeper": server._keeper.pid, "room": room, "first process": server.first_process}
        first = server.first_process
        os.kill(who[victim], signal.SIGKILL)
        deadline = time.monotonic() + 60
        while Path(f"/proc/{first}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not Path(f"/proc/{first}").exists()
        folder = server.folder
    with Containerd():  # the next one clears up what only those who were killed could have
        pass
    assert groups_of(room) == []
    assert processes_of(folder) == []
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_nothing_is_left_of_one_that_did_not_start(monkeypatch, tmp_path):
    program = tmp_path / "containerd"
    program.write_text("#!/bin/sh\necho no such thing >&2\nexit 7\n")
    program.chmod(0o755)
    server = Containerd()
    real = server._prepare

    def prepare():
        real()
        text = (server.folder / "room.json").read_text()
        (server.folder / "room.json").write_text(
            text.replace('"command": ["', f'"command": ["{program}", "', 1)
        )

    monkeypatch.setattr(server, "_prepare", prepare)
    folders = []
    make = server._make_keeper
    monkeypatch.setattr(server, "_make_keeper", lambda: (make(), folders.append(server.folder)))

    with pytest.raises(ServiceError, match="ended with status 7") as caught:
        server.start()

    assert "no such thing" in caught.value.hint
    (folder,) = folders
    assert not folder.exists()
    assert processes_of(folder) == []


def test_the_machine_own_places_are_not_touched(containerd):
    assert textwrap.dedent(str(containerd.folder)).startswith("/")
    opened = Path("/proc/net/unix").read_text()
    assert containerd.address in opened
    for place in ("/run/crun", "/run/runc"):
        assert not list(Path(place).glob("*")) if Path(place).exists() else True
