"""``wasm-lab container run`` and ``measure`` as commands. Containers take root."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wasm_lab.toolchains.containerd import not_root

PROGRAM = Path(sys.executable).with_name("wasm-lab")

TALKER = """\
fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    println!("{}", words.join(" "));
    eprintln!("aside");
    match words.first().map(String::as_str) {
        Some("idle") => loop { std::thread::sleep(std::time::Duration::from_secs(60)) },
        Some("hoard") => { let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]); } }
        _ => {}
    }
}
"""

root = pytest.mark.skipif(bool(not_root()), reason=not_root())


@pytest.fixture
def talker(tmp_path):
    path = tmp_path / "talker.rs"
    path.write_text(TALKER)
    return path


@pytest.fixture
def nothing_here(monkeypatch, tmp_path):
    """A machine without containerd, for the command too."""
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("words", [(), ("--runtime-handler", "crun-wasm")])
def test_without_containerd_it_says_how_to_get_it(wasm_lab, nothing_here, talker, words):
    if any((Path(folder) / "containerd").exists() for folder in ("/usr/bin", "/usr/local/bin")):
        pytest.skip("containerd is installed where no PATH hides it")
    done = wasm_lab("container", "run", *words, talker)

    assert done.returncode == 1
    assert "No container can run here." in done.stderr
    assert "sudo apt install containerd" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "--memory", "32m"), "thousandth"),
        (("run", "--memory", "lots"), "is no size"),
        (("run", "--annotation", "nothing"), "NAME=VALUE"),
        (("run", "--timeout", "soon"), "soon"),
        (("run", "--runtime-handler", "gvisor"), "gvisor"),
    ],
)
def test_wrong_usage(wasm_lab, talker, words, said):
    done = wasm_lab("container", *words, talker)

    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("perl",), "perl"),
        (("--crowd", "many"), "many"),
        (("--crowd", "3,1"), "upwards"),
        (("--save", "samples.txt"), "samples.txt"),
    ],
)
def test_wrong_usage_of_measure(wasm_lab, words, said):
    done = wasm_lab("container", "measure", *words)

    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.slow
def test_processes_are_measured_where_nothing_else_can_be(wasm_lab, nothing_here, tmp_path):
    saved = tmp_path / "samples.jsonl"
    done = wasm_lab(
        "container",
        "measure",
        "python",
        "--processes",
        "--rounds",
        "2",
        "--crowd",
        "1,2",
        "--json",
        "--save",
        saved,
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["kind"] == "processes"
    (crowd, _) = report["crowds"]
    assert crowd["each_bytes"] > 1e6
    samples = [json.loads(line) for line in saved.read_text().splitlines()]
    assert {sample["runtime"] for sample in samples} == {"a process"}


@pytest.mark.slow
@root
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("hello", "there"), 0, "aside\n"),
        (("hoard",), 137, "killed: it took more than 32Mi (cgroup v"),
        (("idle",), 124, "aside"),
    ],
)
def test_a_source_is_run_in_a_container(wasm_lab, talker, words, status, said):
    done = wasm_lab(
        "container", "run", "--memory", "32Mi", "--timeout", "15s" if status != 124 else "1s", talker, *words
    )

    assert done.returncode == status, done.stderr
    assert done.stdout.startswith(" ".join(words) + "\n")
    assert said in done.stderr


@pytest.mark.slow
@root
def test_a_run_as_data(wasm_lab, talker):
    done = wasm_lab("container", "run", "--json", "--runtime-handler", "runc", talker)

    assert done.returncode == 1
    run = json.loads(done.stdout)
    assert run["handler"] == "runc"
    assert "exec format error" in run["text"]
    assert run["status"]["exit_code"] == 1


@pytest.mark.slow
@root
def test_an_interrupt_ends_the_container_and_all_around_it(talker):
    before = set(Path("/tmp").glob("wasm-lab-*"))
    command = [PROGRAM, "container", "run", talker, "idle"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as lab:
        assert lab.stdout.readline() == "idle\n"
        children = Path(f"/proc/{lab.pid}/task/{lab.pid}/children").read_text().split()
        assert children
        lab.send_signal(signal.SIGINT)
        _, said = lab.communicate(timeout=30)

    assert lab.returncode == 130
    assert "Interrupted" in said
    deadline = time.monotonic() + 60
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    left = [
        path for path in set(Path("/tmp").glob("wasm-lab-*")) - before if (path / "containerd.sock").exists()
    ]
    assert not [path for path in left if str(path) in Path("/proc/mounts").read_text()]
