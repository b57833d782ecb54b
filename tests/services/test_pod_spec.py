"""What a pod's specification asks of a node."""

from __future__ import annotations

import pytest

from wasm_lab.services.kubernetes.pod_box import is_latest, rfc3339
from wasm_lab.services.kubernetes.pod_spec import ConfigMistake, bytes_of, not_kept, program_of, refusals

POD = {
    "metadata": {"name": "a", "namespace": "n", "uid": "u", "labels": {"app": "x"}},
    "spec": {"nodeName": "wasm-lab"},
    "status": {"podIP": "192.0.2.2"},
}


def values(kind: str, name: str):
    return {("ConfigMap", "m"): {"k": "v"}, ("Secret", "s"): {"p": "q"}}.get((kind, name))


def program(**container):
    return program_of({"name": "c", "image": "i", **container}, POD, values)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("64Mi", 64 << 20),
        ("1Gi", 1 << 30),
        ("500M", 500_000_000),
        ("1024", 1024),
        ("1.5Gi", 3 << 29),
        ("128e6", 128_000_000),
        (7, 7),
    ],
)
def test_quantities(text, expected):
    assert bytes_of(text) == expected


@pytest.mark.parametrize("text", ["64MB", "64mi", "", "Mi", "1 Gi"])
def test_what_is_no_quantity(text):
    with pytest.raises(ConfigMistake):
        bytes_of(text)


def test_the_environment_is_worked_out_in_its_order():
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)-$(NONE)-$$(A)"},
        {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "p"}}},
        {"name": "F", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x", "optional": True}}},
    ]
    made = program(env=env, envFrom=[{"prefix": "X_", "configMapRef": {"name": "m"}}], args=["--a=$(A)"])
    expected = {"X_k": "v", "A": "1", "B": "1-$(NONE)-$(A)", "C": "x", "D": "192.0.2.2", "E": "q"}
    assert made.env == expected
    assert made.args == ("--a=1",)


@pytest.mark.parametrize(
    "source",
    [
        {"configMapKeyRef": {"name": "none", "key": "k"}},
        {"configMapKeyRef": {"name": "m", "key": "none"}},
        {"fieldRef": {"fieldPath": "spec.secret"}},
        {"resourceFieldRef": {"resource": "limits.memory"}},
    ],
)
def test_a_value_that_cannot_be_had_is_refused(source):
    with pytest.raises(ConfigMistake):
        program(env=[{"name": "A", "valueFrom": source}])


def test_what_this_node_lacks_is_refused_and_not_left_out():
    spec = {
        "volumes": [{"name": "data", "emptyDir": {}}, {"name": "kube-api-access-x1", "projected": {}}],
        "initContainers": [{"name": "side", "restartPolicy": "Always"}],
        "containers": [{"name": "c", "livenessProbe": {"grpc": {"port": 1}}, "lifecycle": {"preStop": {}}}],
    }
    said = refusals({"spec": spec})
    assert len(said) == 4
    assert any("data" in one for one in said)
    assert not any("kube-api-access" in one for one in said)


def test_what_is_passed_over_is_said():
    limits = {"limits": {"cpu": "1", "memory": "1Mi"}}
    assert not_kept(
        {"spec": {"securityContext": {"runAsUser": 1}, "containers": [{"resources": limits}]}}
    ) == ["limits of CPU", "securityContext"]
    assert not_kept({"spec": {"containers": [{}]}}) == []


@pytest.mark.parametrize(
    ("image", "latest"),
    [
        ("a", True),
        ("a:latest", True),
        ("host:5000/a", True),
        ("a:1", False),
        ("host:5000/a:1", False),
        ("a@sha256:0", False),
    ],
)
def test_which_images_are_fetched_always(image, latest):
    assert is_latest(image) is latest


def test_times_are_those_of_the_api():
    assert rfc3339(1_000_000_000_900_000_000) == "2001-09-09T01:46:40Z"
