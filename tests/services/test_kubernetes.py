"""The control plane of Kubernetes: a real one, asked with the official client."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wasm_lab.errors import ServiceError
from wasm_lab.services.kubernetes.api_server import ApiServer
from wasm_lab.toolchains import control_plane


@pytest.fixture(scope="module")
def api():
    with ApiServer() as running:
        yield running


def client(api: ApiServer, kubeconfig=None):
    from kubernetes import config

    return config.new_client_from_config(str(kubeconfig or api.kubeconfig))


def test_it_says_what_is_missing_and_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("WASM_LAB_TOOLS", str(tmp_path))
    assert control_plane.kubernetes_version() in ApiServer.missing()
    with pytest.raises(ServiceError) as caught:
        ApiServer().start()
    assert "test_tools.py" in caught.value.hint or "Go" in caught.value.hint


def test_every_module_is_pinned_and_none_has_an_address():
    text = (control_plane.SOURCES / "go.mod").read_text()
    assert "://" not in text
    replaced = [line for line in text.splitlines() if "=> k8s.io/" in line]
    version = "v0." + control_plane.kubernetes_version().split(".", 1)[1]
    assert replaced
    assert all(line.endswith(version) for line in replaced)


@pytest.mark.slow
def test_tokens_stand_in_files_that_only_their_owner_reads(api):
    for path in (api.kubeconfig, api.node_kubeconfig, api.folder / "tokens.csv", api.folder / "accounts.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(api.folder.stat().st_mode) == 0o700


@pytest.mark.slow
def test_nobody_comes_in_without_a_token(api):
    from kubernetes import client as kubernetes_client

    stranger = client(api)
    stranger.configuration.api_key = {}
    stranger.configuration.api_key_prefix = {}
    with pytest.raises(kubernetes_client.ApiException) as caught:
        kubernetes_client.CoreV1Api(stranger).list_namespace()
    assert caught.value.status in {401, 403}


@pytest.mark.slow
def test_the_node_may_do_what_a_kubelet_may_and_no_more(api):
    from kubernetes import client as kubernetes_client

    node = kubernetes_client.CoreV1Api(client(api, api.node_kubeconfig))
    with pytest.raises(kubernetes_client.ApiException) as caught:
        node.list_namespaced_secret("kube-system")
    assert caught.value.status == 403


@pytest.mark.slow
def test_a_deployment_becomes_pods_by_the_real_controllers(api):
    from kubernetes import client as kubernetes_client

    template = {
        "metadata": {"labels": {"app": "a"}},
        "spec": {"containers": [{"name": "a", "image": "localhost/a:1"}]},
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": template},
    }
    connected = client(api)
    kubernetes_client.AppsV1Api(connected).create_namespaced_deployment("default", deployment)
    core = kubernetes_client.CoreV1Api(connected)
    deadline = time.monotonic() + 60
    pods = []
    while time.monotonic() < deadline:
        pods = core.list_namespaced_pod("default", label_selector="app=a").items
        conditions = [one.status.conditions or [] for one in pods]
        if len(pods) == 2 and all(conditions):
            break
        time.sleep(0.1)
    reasons = {condition.reason for each in conditions for condition in each}
    assert reasons == {"Unschedulable"}  # the scheduler looked, and there is no node


@pytest.mark.slow
def test_it_starts_again_with_its_data(api):
    from kubernetes import client as kubernetes_client

    core = kubernetes_client.CoreV1Api(client(api))
    core.create_namespace({"metadata": {"name": "kept"}})
    api.stop()
    assert not api.running
    api.start()
    assert core.read_namespace("kept").metadata.name == "kept"


@pytest.mark.slow
def test_nothing_is_left_of_it_when_the_lab_is_killed():
    import psutil

    text = (
        "import time\nfrom wasm_lab.services.kubernetes.api_server import ApiServer\n"
        "with ApiServer() as api:\n    print(api.port, api.folder, flush=True)\n    time.sleep(100)\n"
    )
    lab = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    port, _, folder = lab.stdout.readline().strip().partition(" ")
    parts = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    started = [one for one in psutil.Process(lab.pid).children(recursive=True) if one.cmdline()[0] in parts]
    assert sorted(one.cmdline()[0] for one in started) == sorted(parts)
    assert any(f"--secure-port={port}" in one.cmdline() for one in started)
    lab.kill()
    lab.wait()
    lab.stdout.close()
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive
    deadline = time.monotonic() + 60
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(folder).exists()
