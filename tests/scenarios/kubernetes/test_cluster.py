"""apply and delete against a real API server, whose pods run as real Wasm on this machine's node."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import wasmtime
import yaml

from wasm_lab.errors import ClusterError
from wasm_lab.scenarios.containers.image import wasm_image
from wasm_lab.scenarios.kubernetes import waiting
from wasm_lab.scenarios.kubernetes.apply import apply, plan
from wasm_lab.scenarios.kubernetes.cluster import Cluster, connect
from wasm_lab.scenarios.kubernetes.given import Target, checked_targets
from wasm_lab.scenarios.kubernetes.removing import plan_removal, remove
from wasm_lab.scenarios.kubernetes.scaling import scale
from wasm_lab.scenarios.kubernetes.waiting import pods_of, wait_ready
from wasm_lab.services import Containerd
from wasm_lab.services.kubernetes.api_server import ApiServer
from wasm_lab.services.kubernetes.node import Node

pytestmark = pytest.mark.slow

#: Says hello, then sleeps for an hour (or ends with a status, when told one).
SLEEPER = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\40\\00\\00\\00\\10\\00\\00\\00")
  (data (i32.const 64) "hello from wasm\\0a")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
    (i32.store (i32.const 216) (i32.const 1))
    (i64.store (i32.const 224) (i64.const 3600000000000))
    (drop (call $poll (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 40)))))"""

FAILING = SLEEPER.split('(func (export "_start")', maxsplit=1)[0] + (
    '(func (export "_start") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))) unreachable))'
)

#: Writes its environment, one variable after another, and sleeps.
ENVIRONMENT = SLEEPER.replace(
    '(memory (export "memory") 1)',
    """(import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
  (memory (export "memory") 2)""",
).replace(
    '(func (export "_start")',
    """(func (export "_start")
    (drop (call $sizes (i32.const 400) (i32.const 404)))
    (drop (call $get (i32.const 1024) (i32.const 32768)))
    (i32.store (i32.const 408) (i32.const 32768))
    (i32.store (i32.const 412) (i32.load (i32.const 404)))
    (drop (call $write (i32.const 1) (i32.const 408) (i32.const 1) (i32.const 32)))""",
)

#: Takes 64 MiB and writes to every page of it.
HUNGRY = SLEEPER.replace(
    '(func (export "_start")',
    """(func (export "_start") (local $i i32)
    (drop (memory.grow (i32.const 1024)))
    (loop $more
      (i32.store (i32.mul (local.get $i) (i32.const 4096)) (i32.const 1))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $i) (i32.const 16384))))""",
)

#: Sleeps for a thousandth of a second.
SHORT = SLEEPER.replace("3600000000000", "1000000")

LAB = (sys.executable, "-c", "from wasm_lab.cli import main; main()")

CLASS = {
    "apiVersion": "node.k8s.io/v1",
    "kind": "RuntimeClass",
    "metadata": {"name": "wasm"},
    "handler": "crun-wasm",
}


def deployment(name: str, **changed):
    spec = {
        "runtimeClassName": "wasm",
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "localhost/sleeper:1", "imagePullPolicy": "Never"}],
        **changed,
    }
    metadata = {"labels": {"app": name}, "annotations": {"module.wasm.image/variant": "compat-smart"}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": metadata, "spec": spec},
        },
    }


def container(**changed):
    return [{"name": "main", "image": "localhost/sleeper:1", "imagePullPolicy": "Never", **changed}]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """An API server, and a node beneath it where this is root."""
    folder = tmp_path_factory.mktemp("images")
    with ApiServer() as api:
        if os.geteuid() != 0:
            yield api, None
            return
        with Containerd() as containerd:
            for name, text in (
                ("sleeper", SLEEPER),
                ("failing", FAILING),
                ("environment", ENVIRONMENT),
                ("hungry", HUNGRY),
                ("short", SHORT),
            ):
                archive = folder / f"{name}.tar"
                wasm_image(bytes(wasmtime.wat2wasm(text)), name=f"localhost/{name}:1").write_archive(archive)
                containerd.import_image(archive)
            with Node(
                api.node_kubeconfig,
                containerd.cri(),
                handlers=containerd.handlers,
                identity=api.node_identity,
            ) as node:
                yield api, node


@pytest.fixture(scope="module")
def node(place) -> Node:
    if place[1] is None:
        pytest.skip("only root can run containers")
    return place[1]


@pytest.fixture(scope="module")
def cluster(place) -> Cluster:
    return connect(place[0].kubeconfig)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(waiting, "PATIENCE_S", 1.0)


@pytest.fixture
def namespace(cluster, request):
    """A namespace of the test's own, deleted afterwards."""
    from kubernetes import client

    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60]
    core = client.CoreV1Api(cluster.api)
    core.create_namespace({"metadata": {"name": name}})
    yield name
    core.delete_namespace(name, body={"gracePeriodSeconds": 0})


def targets(*bodies, namespace: str) -> list[Target]:
    found = []
    for body in bodies:
        cluster_wide = body["kind"] in {"RuntimeClass", "Namespace", "CustomResourceDefinition"}
        found.append(
            Target(
                body["apiVersion"],
                body["kind"],
                body["metadata"]["name"],
                "" if cluster_wide else namespace,
                body,
                "a.yaml:1",
            )
        )
    return found


def applied(cluster, *bodies, namespace: str):
    return list(apply(cluster, plan(cluster, targets(*bodies, namespace=namespace))))


def waited(cluster, *bodies, namespace: str, timeout_s: float = 40):
    done = applied(cluster, *bodies, namespace=namespace)
    return wait_ready(cluster, [one.change for one in done], timeout_s=timeout_s)


def write(folder: Path, *bodies) -> Path:
    path = folder / "all.yaml"
    path.write_text(yaml.safe_dump_all(bodies))
    return path


def command(place, *words: str, **options):
    environment = {**os.environ, "KUBECONFIG": str(place[0].kubeconfig)}
    return subprocess.run(
        [*LAB, "kube", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        **options,
    )


class TestRunning:
    def test_pods_run_as_real_wasm_are_scaled_and_leave_nothing(self, cluster, node, namespace):
        waits = waited(cluster, CLASS, deployment("hello"), namespace=namespace)
        assert [wait.gave_up for wait in waits] == ["", ""]
        mine = [one for one in node.runners.values() if one.pod["metadata"]["namespace"] == namespace]
        assert [one.sandbox.containers[0].logs() for one in mine] == ["hello from wasm\n"]
        assert mine[0].sandbox.pss > 1_000_000  # an engine and a module, in memory
        steps = scale(cluster, waits[1].change, [4, 1], timeout_s=60)
        assert [step.replicas for step in steps] == [4, 1]
        assert len(pods_of(cluster, waits[1].change)) == 1  # none that is still ending
        left = remove(
            cluster, plan_removal(cluster, targets(deployment("hello"), namespace=namespace)), timeout_s=30
        )
        assert left == []
        assert not [one for one in node.runners.values() if one.pod["metadata"]["namespace"] == namespace]

    def test_configmaps_downward_fields_and_arguments_reach_the_program(self, cluster, node, namespace):
        values = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "values"},
            "data": {"key": "from map"},
        }
        env = [
            {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "values", "key": "key"}}},
            {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "C", "value": "$(A)!"},
        ]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "env"},
            "spec": {
                "containers": [
                    {
                        "name": "main",
                        "image": "localhost/environment:1",
                        "env": env,
                        "imagePullPolicy": "Never",
                    }
                ],
                "runtimeClassName": "wasm",
                "terminationGracePeriodSeconds": 1,
            },
        }
        pod["metadata"]["annotations"] = {"module.wasm.image/variant": "compat-smart"}
        waits = waited(cluster, CLASS, values, pod, namespace=namespace)
        assert all(wait.ready for wait in waits)
        (runner,) = [one for one in node.runners.values() if one.pod["metadata"]["namespace"] == namespace]
        environment = runner.sandbox.containers[0].logs().split("\0")
        assert {"A=from map", "B=env", "C=from map!"} <= set(environment)

    def job(self, image: str, **spec):
        template = deployment("x", restartPolicy="Never", containers=container(image=image))["spec"][
            "template"
        ]
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "once"},
            "spec": {"template": template, **spec},
        }

    def test_a_job_is_ready_when_it_has_ended_well(self, cluster, node, namespace):
        (_, wait) = waited(cluster, CLASS, self.job("localhost/short:1"), namespace=namespace)
        assert (wait.ready, wait.state.said) == (True, "1 of 1 ended well")

    def test_a_job_has_failed_when_its_controller_gives_up(self, cluster, node, namespace):
        job = self.job("localhost/failing:1", backoffLimit=0)
        (_, wait) = waited(cluster, CLASS, job, namespace=namespace)
        assert not wait.ready
        assert "BackoffLimitExceeded" in wait.gave_up
        assert "unreachable" in wait.pods[0].log


class TestProbes:
    """Programs that listen are native ones here: WASI of version 1 has no sockets that crun's engine shares."""

    def test_a_pod_is_ready_when_its_probe_answers_and_restarted_when_it_stops(
        self, cluster, node, namespace, tmp_path
    ):
        import http.server
        import threading

        class Answers(http.server.BaseHTTPRequestHandler):
            status = 503

            def do_GET(self):
                self.send_response(Answers.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        # All pods share the machine's network, so that this server is what the pod's own would be.
        with http.server.ThreadingHTTPServer((node.address, 0), Answers) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            port = server.server_address[1]
            ask = {"httpGet": {"port": "web", "path": "/ready"}, "periodSeconds": 1, "failureThreshold": 1}
            probed = container(
                ports=[{"name": "web", "containerPort": port}],
                readinessProbe=ask,
                livenessProbe={**ask, "failureThreshold": 4},
            )
            done = applied(cluster, CLASS, deployment("a", containers=probed), namespace=namespace)
            (_, wait) = wait_ready(cluster, [one.change for one in done], timeout_s=2.5)
            assert not wait.ready
            assert any("503" in line for line in wait.pods[0].events), wait.pods
            Answers.status = 200
            (_, wait) = wait_ready(cluster, [one.change for one in done], timeout_s=20)
            assert wait.ready
            Answers.status = 500
            (runner,) = [
                one for one in node.runners.values() if one.pod["metadata"]["namespace"] == namespace
            ]
            deadline = time.monotonic() + 60
            while not runner.boxes[0].restarts and time.monotonic() < deadline:
                time.sleep(0.1)
            assert runner.boxes[0].restarts
            server.shutdown()


class TestFailures:
    """Each way to fail, with the reason in the words of Kubernetes and in plain ones."""

    def trouble(self, cluster, namespace, *bodies, timeout_s: float = 8, reason: str):
        waits = waited(cluster, *bodies, namespace=namespace, timeout_s=timeout_s)
        wait = waits[-1]
        assert not wait.ready
        assert wait.gave_up
        assert reason in {one.reason for one in wait.troubles}, wait.troubles
        (found, *_) = [one for one in wait.troubles if one.reason == reason]
        assert found.meaning
        return found, wait

    def test_no_such_runtime_class(self, cluster, place, namespace):
        found, _ = self.trouble(
            cluster,
            namespace,
            deployment("a", runtimeClassName="nowhere"),
            timeout_s=4,
            reason="FailedCreate",
        )
        assert "403" in found.meaning
        assert "nowhere" in found.message

    def test_a_pod_without_its_runtime_class_is_refused_at_once(self, cluster, place, namespace):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "a"},
            "spec": {"runtimeClassName": "nowhere", "containers": container()},
        }
        with pytest.raises(ClusterError, match="RuntimeClass") as caught:
            plan(cluster, targets(pod, namespace=namespace))
        assert "render" in caught.value.hint

    def test_a_handler_that_the_node_does_not_have(self, cluster, node, namespace):
        other = {**CLASS, "metadata": {"name": "other"}, "handler": "wasmtime-v9"}
        found, wait = self.trouble(
            cluster,
            namespace,
            other,
            deployment("a", runtimeClassName="other"),
            reason="FailedCreatePodSandBox",
        )
        assert "wasmtime-v9" in found.meaning
        assert any("FailedCreatePodSandBox" in line for line in wait.pods[0].events)

    def test_an_image_that_is_not_there(self, cluster, node, namespace):
        found, _ = self.trouble(
            cluster,
            namespace,
            CLASS,
            deployment("a", containers=container(image="localhost/none:1")),
            reason="ErrImageNeverPull",
        )
        assert "kind load" in found.meaning

    def test_an_image_that_cannot_be_fetched(self, cluster, node, namespace):
        gone = container(image="127.0.0.1:9/none:1", imagePullPolicy="IfNotPresent")
        waits = waited(cluster, CLASS, deployment("a", containers=gone), namespace=namespace, timeout_s=8)
        reasons = {one.reason for one in waits[-1].troubles}
        assert reasons & {"ErrImagePull", "ImagePullBackOff"}

    def test_a_program_that_crashes_shows_what_it_wrote(self, cluster, node, namespace):
        crashes = container(image="localhost/failing:1")
        _, wait = self.trouble(
            cluster, namespace, CLASS, deployment("a", containers=crashes), reason="CrashLoopBackOff"
        )
        assert "hello from wasm\n" in wait.pods[0].log
        assert "unreachable" in wait.pods[0].log

    def test_a_module_under_a_runtime_for_native_programs(self, cluster, node, namespace):
        native = {**CLASS, "metadata": {"name": "native"}, "handler": "runc"}
        found, _ = self.trouble(
            cluster, namespace, native, deployment("a", runtimeClassName="native"), reason="CrashLoopBackOff"
        )
        assert "native programs" in found.meaning

    def test_no_node_has_the_label(self, cluster, node, namespace):
        found, _ = self.trouble(
            cluster,
            namespace,
            CLASS,
            deployment("a", nodeSelector={"disk": "gold"}),
            timeout_s=4,
            reason="Unschedulable",
        )
        assert "nodeSelector" in found.meaning

    def test_more_memory_than_the_limit(self, cluster, node, namespace):
        small = container(image="localhost/hungry:1", resources={"limits": {"memory": "32Mi"}})
        waits = waited(cluster, CLASS, deployment("a", containers=small), namespace=namespace, timeout_s=12)
        reasons = {one.reason for one in waits[-1].troubles}
        assert reasons & {"OOMKilled", "CrashLoopBackOff", "CreateContainerError"}, waits[-1].troubles

    def test_a_wrong_port_is_told_by_its_field(self, cluster, place, namespace):
        wrong = deployment("a", containers=container(ports=[{"containerPort": 70000}]))
        with pytest.raises(ClusterError, match="wrong") as caught:
            plan(cluster, targets(wrong, namespace=namespace))
        assert "containerPort" in caught.value.hint

    def test_fields_of_another_manager_are_left_alone(self, cluster, place, namespace):
        resource = cluster.resource("v1", "ConfigMap")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "theirs"}}
        cluster.dynamic.server_side_apply(
            resource, body=body, namespace=namespace, field_manager="other-tool"
        )
        with pytest.raises(ClusterError, match="other-tool"):
            plan(cluster, targets({**body, "data": {"key": "mine"}}, namespace=namespace))


class TestChanges:
    def test_the_plan_says_what_would_happen_and_changes_nothing(self, cluster, place, namespace):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "1"}}
        (first,) = plan(cluster, targets(body, namespace=namespace))
        assert first.action == "create"
        assert [one.action for one in plan(cluster, targets(body, namespace=namespace))] == ["create"]
        applied(cluster, body, namespace=namespace)
        assert [one.action for one in plan(cluster, targets(body, namespace=namespace))] == ["unchanged"]
        other = {**body, "data": {"key": "2"}}
        assert [one.action for one in plan(cluster, targets(other, namespace=namespace))] == ["change"]

    def test_a_definition_and_its_objects_in_one_go(self, cluster, place, namespace):
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.lab.example.com"},
            "spec": {
                "group": "lab.example.com",
                "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "x-kubernetes-preserve-unknown-fields": True,
                            }
                        },
                    }
                ],
            },
        }
        thing = {
            "apiVersion": "lab.example.com/v1",
            "kind": "Thing",
            "metadata": {"name": "a"},
            "spec": {"n": 1},
        }
        both = targets(crd, thing, namespace=namespace)
        changes = plan(cluster, both)
        assert [one.action for one in changes] == ["create", "unknown"]
        assert [one.created for one in apply(cluster, changes)] == [True, True]
        # Its objects go with it. Deleted by itself, the object would wait until the garbage collector has
        # found the new kind, which it looks for every 30 seconds.
        assert remove(cluster, plan_removal(cluster, both[:1]), timeout_s=20) == []
        cluster.forget_resources()
        assert [one.state for one in plan_removal(cluster, both)] == ["unknown kind", "absent"]

    def test_a_spin_app_is_waited_for_by_what_its_operator_says(self, cluster, place, namespace):
        """There is no operator here: the test says in its place what it would."""
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        version = {
            "name": "v1alpha1",
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": anything},
        }
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "spinapps.core.spinkube.dev"},
            "spec": {
                "group": "core.spinkube.dev",
                "scope": "Namespaced",
                "names": {"plural": "spinapps", "kind": "SpinApp"},
                "versions": [version],
            },
        }
        app = {
            "apiVersion": "core.spinkube.dev/v1alpha1",
            "kind": "SpinApp",
            "metadata": {"name": "a"},
            "spec": {"replicas": 2},
        }
        changes = [one.change for one in applied(cluster, crd, app, namespace=namespace)]
        try:
            (_, wait) = wait_ready(cluster, changes, timeout_s=2)
            assert (wait.ready, wait.state.said) == (False, "0 of 2 ready")
            cluster.resource("core.spinkube.dev/v1alpha1", "SpinApp").status.patch(
                name="a",
                namespace=namespace,
                body={"status": {"readyReplicas": 2}},
                content_type="application/merge-patch+json",
            )
            (_, wait) = wait_ready(cluster, changes, timeout_s=20)
            assert wait.ready
        finally:
            assert (
                remove(cluster, plan_removal(cluster, targets(crd, namespace=namespace)), timeout_s=20) == []
            )
            cluster.forget_resources()

    def test_what_is_not_there_is_no_mistake_to_delete(self, cluster, place, namespace):
        found = plan_removal(cluster, targets(deployment("never-was"), namespace=namespace))
        assert [one.state for one in found] == ["absent"]
        assert remove(cluster, found, timeout_s=1) == []

    def test_an_object_that_was_made_anew_is_not_deleted_in_the_place_of_the_old(
        self, cluster, place, namespace
    ):
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        applied(cluster, body, namespace=namespace)
        (removal,) = plan_removal(cluster, targets(body, namespace=namespace))
        resource = cluster.resource("v1", "ConfigMap")
        resource.delete(name="a", namespace=namespace)
        applied(cluster, body, namespace=namespace)
        remove(cluster, [removal], timeout_s=5)
        assert resource.get(name="a", namespace=namespace)


class TestConnecting:
    """What a real server says to those it does not let in."""

    def config(self, place, folder: Path, **changed) -> Path:
        config = json.loads(place[0].kubeconfig.read_text())
        config["users"][0]["user"] |= changed.get("user", {})
        config["clusters"][0]["cluster"] |= changed.get("cluster", {})
        path = folder / "config"
        path.write_text(json.dumps(config))
        return path

    def test_a_token_that_is_no_longer_known(self, place, tmp_path):
        with pytest.raises(ClusterError, match="does not know the user") as caught:
            connect(self.config(place, tmp_path, user={"token": "expired"}))
        assert "Log in again" in caught.value.hint

    def test_a_certificate_of_another_cluster(self, place, tmp_path):
        other = place[0].folder / "node.crt"
        with pytest.raises(ClusterError, match="not trusted") as caught:
            connect(self.config(place, tmp_path, cluster={"certificate-authority": str(other)}))
        assert "kubeconfig anew" in caught.value.hint

    def test_a_right_that_the_user_lacks(self, place, namespace, tmp_path):
        stranger = connect(self.config(place, tmp_path, user={"token": place[0].tokens["scheduler"]}))
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
        with pytest.raises(ClusterError, match="forbidden") as caught:
            plan(stranger, targets(body, namespace=namespace))
        assert "RBAC" in caught.value.hint

    def test_a_kind_that_the_cluster_does_not_know(self, cluster, namespace):
        app = {
            "apiVersion": "core.spinkube.dev/v1alpha1",
            "kind": "SpinApp",
            "metadata": {"name": "a"},
            "spec": {},
        }
        with pytest.raises(ClusterError, match="knows no SpinApp") as caught:
            plan(cluster, targets(app, namespace=namespace))
        assert "SpinKube" in caught.value.hint

    def test_a_cluster_elsewhere_must_be_named(self, place, namespace, tmp_path, monkeypatch):
        away = self.config(place, tmp_path, cluster={"server": f"https://lab.test:{place[0].port}"})
        path = write(tmp_path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}})
        # The name is one of this machine for the client alone, as /etc/hosts would make it.
        start = (
            "import socket; real = socket.getaddrinfo; "
            "socket.getaddrinfo = lambda host, *more, **how: real('127.0.0.1' if host == 'lab.test' else host, *more, **how); "
            "import urllib3.util.connection; "
            "from wasm_lab.cli import main; main()"
        )
        insecure = json.loads(away.read_text())
        insecure["clusters"][0]["cluster"] = {
            "server": f"https://lab.test:{place[0].port}",
            "certificate-authority": str(place[0].folder / "apiserver.crt"),
            "tls-server-name": "localhost",
        }
        away.write_text(json.dumps(insecure))
        words = [
            sys.executable,
            "-c",
            start,
            "kube",
            "apply",
            str(path),
            "-n",
            namespace,
            "--kubeconfig",
            str(away),
        ]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, done.stderr
        assert "--context wasm-lab" in done.stderr
        named = subprocess.run(
            [*words, "--context", "wasm-lab"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert named.returncode == 0, named.stderr


class TestCommands:
    def test_apply_scale_and_clean_up(self, place, node, namespace, tmp_path):
        path = write(tmp_path, CLASS, deployment("hello"))
        done = command(place, "apply", str(path), "-n", namespace, "--replicas", "1,3,1", "--rm", "--json")
        assert done.returncode == 0, done.stderr
        record = json.loads(done.stdout)
        assert [step["replicas"] for step in record["steps"]] == [1, 3, 1]
        assert record["removed"]
        assert f"namespace {namespace!r}" in done.stderr
        assert (
            command(place, "delete", str(path), "-n", namespace, "--json", "--dry-run").stdout.count(
                '"absent"'
            )
            >= 1
        )

    def test_a_failure_is_explained_and_cleaned_up(self, place, node, namespace, tmp_path):
        path = write(tmp_path, CLASS, deployment("bad", containers=container(image="localhost/none:1")))
        done = command(place, "apply", str(path), "-n", namespace, "--timeout", "20", "--rm")
        assert done.returncode == 1
        assert "ErrImageNeverPull" in done.stderr
        assert "Traceback" not in done.stderr
        assert (
            '"absent"' in command(place, "delete", str(path), "-n", namespace, "--json", "--dry-run").stdout
        )

    def test_a_dry_run_changes_nothing(self, place, namespace, tmp_path):
        path = write(tmp_path, deployment("dry", containers=container()))
        done = command(place, "apply", str(path), "-n", namespace, "--dry-run", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["objects"][0]["action"] == "create"
        assert '"absent"' in command(place, "delete", str(path), "-n", namespace, "--json").stdout

    def test_interrupting_says_what_is_left(self, place, node, namespace, tmp_path):
        path = write(tmp_path, CLASS, deployment("slow", nodeSelector={"disk": "gold"}))
        environment = {**os.environ, "KUBECONFIG": str(place[0].kubeconfig)}
        running = subprocess.Popen(
            [*LAB, "kube", "apply", str(path), "-n", namespace],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        said = []
        for line in running.stderr:
            said.append(line)
            if "Unschedulable" in line:
                running.send_signal(signal.SIGINT)
        running.stderr.close()
        assert running.wait(20) == 130
        assert f"{namespace}/Deployment slow" in said[-2]
        assert "kube delete" in said[-1]
        assert command(place, "delete", str(path), "-n", namespace).returncode == 0

    def test_a_wrong_file_is_refused_before_the_cluster_is_asked(self, tmp_path):
        path = write(tmp_path, deployment("a") | {"spec": {"replcas": 1}})
        done = subprocess.run(
            [*LAB, "kube", "apply", str(path)],
            env={**os.environ, "KUBECONFIG": "/nowhere"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert "replcas" in done.stderr


def test_the_order_is_what_objects_need():
    text = "\n---\n".join(
        yaml.safe_dump(one)
        for one in (
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "s"},
                "spec": {"ports": [{"port": 80}]},
            },
            CLASS,
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "space"}},
        )
    )
    import io

    found, _ = checked_targets(["-"], io.BytesIO(text.encode()))
    assert [one.kind for one in found] == ["Namespace", "RuntimeClass", "Service"]
