"""Every way in which a cluster cannot be reached, in plain words and without a cluster."""

from __future__ import annotations

import json
import socket
import stat
from pathlib import Path

import pytest

from wasm_lab.errors import ClusterError, UsageError
from wasm_lab.scenarios.kubernetes.cluster import Cluster, connect


def kubeconfig(
    folder: Path, *, server: str = "https://127.0.0.1:9", user: dict | None = None, name: str = "here"
) -> Path:
    path = folder / "config"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "c", "cluster": {"server": server, "insecure-skip-tls-verify": True}}],
                "users": [{"name": "u", "user": user or {"token": "t"}}],
                "contexts": [{"name": name, "context": {"cluster": "c", "user": "u", "namespace": "mine"}}],
                "current-context": name,
            }
        )
    )
    return path


def refused(path: Path | None = None, **how) -> str:
    with pytest.raises(ClusterError) as caught:
        connect(path, **how)
    return str(caught.value)


def test_no_kubeconfig_at_all(monkeypatch, tmp_path):
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    said = refused()
    assert "KUBECONFIG is not set" in said
    assert "kube recipe" in said


def test_kubeconfig_names_a_file_that_is_not_there(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")
    assert "/nowhere/config, which does not exist" in refused()


def test_the_given_file_is_not_there(tmp_path):
    assert "does not exist" in refused(tmp_path / "none")


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "clusters: 3", '{"contexts": null}'])
def test_a_file_that_is_no_kubeconfig(tmp_path, text):
    path = tmp_path / "config"
    path.write_text(text)
    assert str(path) in refused(path)


def test_no_such_context_names_those_that_there_are(tmp_path):
    with pytest.raises(UsageError) as caught:
        connect(kubeconfig(tmp_path), context="elsewhere")
    assert "here" in caught.value.hint


def test_nothing_listens(tmp_path):
    said = refused(kubeconfig(tmp_path))
    assert "nothing listens there" in said
    assert "k3d cluster start" in said


def test_no_such_host(tmp_path):
    assert "there is no host" in refused(kubeconfig(tmp_path, server="https://cluster.invalid:6443"))


def test_something_that_speaks_no_tls(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        import threading

        def answer():
            for _ in range(4):
                try:
                    talk, _ = server.accept()
                except OSError:
                    return
                talk.recv(10)
                talk.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                talk.close()

        threading.Thread(target=answer, daemon=True).start()
        port = server.getsockname()[1]
        said = refused(kubeconfig(tmp_path, server=f"https://127.0.0.1:{port}"))
    assert f"127.0.0.1:{port}" in said


def plugin(command: str, **more) -> dict:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": command,
            "interactiveMode": "Never",
            **more,
        }
    }


def test_a_missing_credential_program_is_named_with_how_to_get_it(tmp_path):
    path = kubeconfig(
        tmp_path, user=plugin("cloud-auth-that-is-not-here", installHint="Get it from your cloud.")
    )
    said = refused(path)
    assert "cloud-auth-that-is-not-here" in said
    assert "Get it from your cloud." in said


def test_a_failing_credential_program_is_not_passed_over(tmp_path):
    script = tmp_path / "login"
    script.write_text("#!/bin/sh\necho 'your session is over' >&2\nexit 3\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    said = refused(kubeconfig(tmp_path, user=plugin(str(script))))
    assert "your session is over" in said
    assert "Log in again" in said


@pytest.mark.parametrize(
    ("context", "server", "local"),
    [
        ("kind-a", "https://10.0.0.1:6443", True),
        ("mine", "https://127.0.0.1:6443", True),
        ("mine", "https://localhost:6443", True),
        ("prod", "https://api.example.com", False),
        ("mykind-a", "https://10.0.0.1", False),
        ("mine", "https://localhost.example.com", False),
    ],
)
def test_which_cluster_is_plainly_local(context, server, local):
    assert Cluster(context, server, "default", "v1", None, None).is_local is local
