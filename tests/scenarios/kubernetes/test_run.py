"""Pods of a manifest on this machine, without an API server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import wasmtime
import yaml

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.kubernetes.given import Target
from wasm_lab.scenarios.kubernetes.local import local_plan

#: Writes a word and sleeps for an hour.
SLEEPER = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\40\\00\\00\\00\\06\\00\\00\\00")
  (data (i32.const 64) "awake\\0a")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (i32.store (i32.const 216) (i32.const 1))
    (i64.store (i32.const 224) (i64.const 3600000000000))
    (drop (call $poll (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 40)))))"""

#: Ends at once.
ENDING = '(module (memory (export "memory") 1) (func (export "_start") HOW))'

CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "wasm"},
    "handler": "crun",
}

LAB = (sys.executable, "-c", "from wasm_lab.cli import main; main()", "kube", "run")


def template(image: str = "localhost/a:1", **spec):
    return {
        "metadata": {"labels": {"app": "a"}, "annotations": {"module.wasm.image/variant": "compat-smart"}},
        "spec": {
            "runtimeClassName": "wasm",
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": image}],
            **spec,
        },
    }


def deployment(**spec):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template(**spec)},
    }


def job(image: str):
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "once"},
        "spec": {"template": template(image, restartPolicy="Never")},
    }


def targets(*bodies) -> list[Target]:
    return [
        Target(one["apiVersion"], one["kind"], one["metadata"]["name"], "", one, "a.yaml:1") for one in bodies
    ]


class TestPlan:
    """What of a manifest runs here; nothing is started."""

    def test_the_handler_of_the_runtime_class_is_the_one_with_a_wasm_engine(self):
        plan = local_plan(targets(CLASS, deployment()), ("crun-wasm", "crun", "runc"), {})
        assert [(one.handler, one.replicas) for one in plan.workloads] == [("crun-wasm", 2)]

    def test_a_class_that_the_files_lack_is_refused_as_a_cluster_would(self):
        with pytest.raises(UsageError, match="RuntimeClass 'wasm'") as caught:
            local_plan(targets(deployment()), ("crun-wasm",), {})
        assert "403" in caught.value.hint

    def test_a_handler_that_is_not_here_is_refused_with_those_that_are(self):
        with pytest.raises(UsageError, match="'spin'") as caught:
            local_plan(targets({**CLASS, "handler": "spin"}, deployment()), ("crun-wasm", "runc"), {})
        assert "crun-wasm, runc" in caught.value.hint

    def test_a_spin_app_is_sent_where_it_can_run(self):
        app = {
            "apiVersion": "core.spinkube.dev/v1alpha1",
            "kind": "SpinApp",
            "metadata": {"name": "a"},
            "spec": {},
        }
        with pytest.raises(UsageError) as caught:
            local_plan(targets(app), ("crun-wasm",), {})
        assert "spin up" in caught.value.hint

    def test_imported_images_are_never_fetched(self):
        plan = local_plan(targets(CLASS, deployment()), ("crun-wasm",), {"localhost/a:1": "localhost/b:2"})
        (container,) = plan.workloads[0].template["spec"]["containers"]
        assert (container["image"], container["imagePullPolicy"]) == ("localhost/b:2", "Never")

    def test_what_only_a_cluster_uses_is_passed_over_and_said(self):
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
        assert local_plan(targets(CLASS, deployment(), service), ("crun-wasm",), {}).passed_over == (
            "Service s",
        )

    def test_files_without_pods_are_refused(self):
        with pytest.raises(UsageError, match="nothing that runs"):
            local_plan(targets(CLASS), ("crun-wasm",), {})


@pytest.fixture(scope="module")
def modules(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("modules")
    texts = {
        "sleeper": SLEEPER,
        "well": ENDING.replace("HOW", "nop"),
        "badly": ENDING.replace("HOW", "unreachable"),
    }
    for name, text in texts.items():
        (folder / f"{name}.wasm").write_bytes(bytes(wasmtime.wat2wasm(text)))
    return folder


@pytest.fixture
def root():
    if os.geteuid() != 0:
        pytest.skip("only root can run containers")


def manifest(folder: Path, *bodies) -> str:
    path = folder / "all.yaml"
    path.write_text(yaml.safe_dump_all(bodies))
    return str(path)


@pytest.mark.slow
def test_scaling_is_measured(root, modules, tmp_path):
    words = [manifest(tmp_path, CLASS, deployment()), "--image", f"localhost/a:1={modules / 'sleeper.wasm'}"]
    done = subprocess.run(
        [*LAB, *words, "--replicas", "1,3,1", "--json"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert [step["replicas"] for step in record["steps"]] == [1, 3, 1]
    assert len(record["pods"]) == 3
    assert {one["handler"] for one in record["pods"]} == {"crun-wasm"}
    one, three, again = (step["pss_bytes"] for step in record["steps"])
    assert three > one > 1_000_000
    assert again < three
    for pod in record["pods"]:
        assert 0 < pod["runtime_ms"] <= pod["start_ms"]
    assert done.stderr.count("| awake") == 3


@pytest.mark.slow
def test_interrupting_ends_everything(root, modules, tmp_path):
    words = [manifest(tmp_path, CLASS, deployment()), "--image", f"localhost/a:1={modules / 'sleeper.wasm'}"]
    running = subprocess.Popen([*LAB, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert running.stdout is not None
    lines = [running.stdout.readline() for _ in range(2)]
    assert sorted(lines) == ["a-1/main | awake\n", "a-2/main | awake\n"]
    mine = psutil.Process(running.pid).children(recursive=True)
    assert any("containerd" in one.name() for one in mine)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 130
    running.stdout.close()
    _, alive = psutil.wait_procs(mine, timeout=60)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize(("image", "status"), [("well", 0), ("badly", 1)])
def test_a_job_that_traps_has_failed(root, modules, tmp_path, image, status):
    words = [
        manifest(tmp_path, CLASS, job("localhost/j:1")),
        "--image",
        f"localhost/j:1={modules / image}.wasm",
    ]
    done = subprocess.run([*LAB, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stderr


@pytest.mark.slow
def test_an_image_that_is_not_there_is_explained(root, tmp_path):
    never = {"containers": [{"name": "main", "image": "localhost/none:1", "imagePullPolicy": "Never"}]}
    began = time.monotonic()
    done = subprocess.run(
        [*LAB, manifest(tmp_path, CLASS, deployment(**never))], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "ErrImageNeverPull" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 55  # it does not wait for what cannot come


def test_it_says_what_it_needs(monkeypatch):
    from wasm_lab.scenarios.kubernetes.run import LocalRun
    from wasm_lab.toolchains import containerd

    monkeypatch.setattr(containerd, "find_containerd", lambda: None)
    assert "containerd" in LocalRun.missing()
