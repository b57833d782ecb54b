"""Resources by their names and units, in containers and wherever else they stand.

What is right and what is wrong here was asked of an API server.
"""

from __future__ import annotations

import pytest

pytest.importorskip("kubernetes_validate")
pytest.importorskip("jsonschema_rs")

from wasm_lab.scenarios.kubernetes import Problem, validate

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: a\n    image: b\n"
CLAIM = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 500m}}"


def container(limits: str) -> str:
    return f"{POD}    resources:\n      limits: {{{limits}}}\n"


def whole_pod(limits: str) -> str:
    return f"{POD}  resources:\n    limits: {{{limits}}}\n"


def runtime(fixed: str) -> str:
    return (
        "apiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: a}\nhandler: crun\n"
        f"overhead:\n  podFixed: {{{fixed}}}\n"
    )


def quota(hard: str) -> str:
    return f"apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: a}}\nspec:\n  hard: {{{hard}}}\n"


def limit_range(kind: str, part: str) -> str:
    return (
        "apiVersion: v1\nkind: LimitRange\nmetadata: {name: a}\nspec:\n"
        f"  limits:\n  - {{type: {kind}, {part}}}\n"
    )


def wrong(text: str) -> Problem:
    (problem,) = validate(text)
    assert problem.severity == "error"
    return problem


NAMES = [
    (container("memroy: 64Mi"), 9, "`memory`"),
    (container("CPU: 1"), 9, "`cpu`"),
    (container("gpu: 1"), 9, "nvidia.com/gpu"),
    (container("storage: 1Gi"), 9, "`ephemeral-storage`"),
    (whole_pod("memroy: 64Mi"), 9, "`memory`"),
    (whole_pod("ephemeral-storage: 1Gi"), 9, "cpu, memory"),
    (runtime("memroy: 1Mi"), 6, "`memory`"),
    (quota("limits.memroy: 1Gi"), 5, "`limits.memory`"),
    (quota("deployments.apps: 3"), 5, "It is one of"),
    (limit_range("Container", "default: {memroy: 1Gi}"), 6, "`memory`"),
    (limit_range("Container", "default: {storage: 1Gi}"), 6, "`ephemeral-storage`"),
    (limit_range("Container", "maxLimitRequestRatio: {memroy: 2}"), 6, "`memory`"),
    (limit_range("PersistentVolumeClaim", "max: {storge: 1Gi}"), 6, "`storage`"),
]


@pytest.mark.parametrize(("text", "line", "meant"), NAMES)
def test_a_name_without_a_domain_is_a_known_one(text: str, line: int, meant: str) -> None:
    problem = wrong(text)
    assert problem.line == line
    assert "no resource that may stand there" in problem.message
    assert meant in problem.hint


UNITS = [
    container("memory: 64m"),
    runtime("memory: 64m"),
    quota("limits.memory: 64m"),
    quota("requests.storage: 64m"),
    limit_range("Container", "default: {memory: 64m}"),
    limit_range("PersistentVolumeClaim", "max: {storage: 64m}"),
    f"apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: a}}\nspec: {{{CLAIM}}}\n",
    f"{POD}  volumes: [{{name: v, emptyDir: {{sizeLimit: 64m}}}}]\n",
    f"{POD}  volumes: [{{name: v, ephemeral: {{volumeClaimTemplate: {{spec: {{{CLAIM}}}}}}}}}]\n",
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  serviceName: a\n"
    "  selector: {matchLabels: {a: b}}\n  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, "
    f"image: b}}]}}}}\n  volumeClaimTemplates: [{{metadata: {{name: v}}, spec: {{{CLAIM}}}}}]\n",
]


@pytest.mark.parametrize("text", UNITS)
def test_a_thousandth_of_a_byte(text: str) -> None:
    problem = wrong(text)
    assert "m is a thousandth" in problem.message
    assert "Mi for units" in problem.hint
    for right in ("64Mi", "64M", "1Gi", "67108864"):
        assert validate(text.replace("64m", right).replace("500m", right)) == []


@pytest.mark.parametrize(
    "text",
    [
        container("hugepages-2Mi: 4Mi, cpu: 1"),
        container("foo.com/a: 1, nvidia.com/gpu: 1, ephemeral-storage: 1Gi"),
        whole_pod("cpu: 1, memory: 1Gi"),
        whole_pod("pids: 2048"),
        runtime("cpu: 250m, memory: 120Mi, ephemeral-storage: 1Gi"),
        quota("requests.cpu: 500m, count/deployments.apps: 1, requests.nvidia.com/gpu: 4, pods: 1"),
        quota("requests.hugepages-2Mi: 4Mi, services.nodeports: 1, ephemeral-storage: 1Gi, memory: 1Gi"),
        quota("gold.storageclass.storage.k8s.io/requests.storage: 1Gi, requests.storage: 2Gi"),
        limit_range("Container", "maxLimitRequestRatio: {memory: 1.5, cpu: 1500m}"),
        limit_range("openshift.io/Image", "max: {storage: 1Gi}"),
        limit_range("openshift.io/ImageStream", "max: {openshift.io/images: 20}"),
    ],
)
def test_right_names_and_units(text: str) -> None:
    assert validate(text) == []
