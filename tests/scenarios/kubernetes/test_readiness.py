"""When objects are ready and what troubles pods, on objects as clusters give them."""

from __future__ import annotations

import pytest

from wasm_lab.scenarios.kubernetes.readiness import readiness
from wasm_lab.scenarios.kubernetes.trouble import creation_troubles, pod_troubles


def deployment(wanted: int = 2, seen: int = 1, **status):
    return {
        "kind": "Deployment",
        "metadata": {"generation": 1},
        "spec": {"replicas": wanted},
        "status": {"observedGeneration": seen, **status},
    }


@pytest.mark.parametrize(
    ("found", "ready"),
    [
        (deployment(seen=0), False),
        (deployment(), False),
        (deployment(replicas=2, updatedReplicas=2, readyReplicas=1), False),
        (deployment(replicas=2, updatedReplicas=2, readyReplicas=2), True),
        (deployment(replicas=3, updatedReplicas=2, readyReplicas=3), False),  # an old one still runs
        (deployment(wanted=0), True),
        (deployment(wanted=0, replicas=1, updatedReplicas=1, readyReplicas=1), False),
        ({"kind": "ConfigMap", "metadata": {}}, True),
        ({"kind": "Pod", "metadata": {}, "status": {"phase": "Running"}}, False),
        ({"kind": "Pod", "metadata": {}, "status": {"phase": "Succeeded"}}, True),
        (
            {
                "kind": "Pod",
                "metadata": {},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
            },
            True,
        ),
        ({"kind": "Job", "metadata": {}, "status": {"succeeded": 1}}, False),
        (
            {
                "kind": "Job",
                "metadata": {},
                "status": {"conditions": [{"type": "Complete", "status": "True"}]},
            },
            True,
        ),
        ({"kind": "SpinApp", "metadata": {}, "spec": {"replicas": 2}, "status": {"readyReplicas": 2}}, True),
        ({"kind": "SpinApp", "metadata": {}, "spec": {"replicas": 2}}, False),
        (
            {
                "kind": "DaemonSet",
                "metadata": {"generation": 2},
                "status": {"observedGeneration": 2, "desiredNumberScheduled": 1},
            },
            False,
        ),
    ],
)
def test_readiness(found, ready):
    assert readiness(found).ready is ready


def test_what_will_never_be_ready_says_so():
    late = deployment(
        conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "late"}]
    )
    assert readiness(late).failed == "late"
    failed = {
        "kind": "Job",
        "metadata": {},
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]},
    }
    assert "DeadlineExceeded" in readiness(failed).failed


def pod(*, waiting: dict | None = None, last: dict | None = None, **status):
    state = {
        "name": "main",
        "state": {"waiting": waiting} if waiting else {"running": {}},
        "lastState": {"terminated": last} if last else {},
    }
    return {"metadata": {"name": "a"}, "status": {"phase": "Pending", "containerStatuses": [state], **status}}


@pytest.mark.parametrize(
    "reason",
    [
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
    ],
)
def test_each_reason_has_a_meaning(reason):
    (found,) = pod_troubles(pod(waiting={"reason": reason, "message": "said"}))
    assert (found.reason, found.message) == (reason, "main: said")
    assert found.meaning


def test_a_crash_for_want_of_memory_is_called_so():
    crashed = pod(waiting={"reason": "CrashLoopBackOff"}, last={"exitCode": 137, "reason": "OOMKilled"})
    (found,) = pod_troubles(crashed)
    assert found.reason == "OOMKilled"
    assert "memory" in found.meaning


def test_a_native_runtime_with_a_module_is_recognised():
    last = {"exitCode": 128, "reason": "StartError", "message": "exec /hello.wasm: exec format error"}
    (found,) = pod_troubles(pod(waiting={"reason": "CrashLoopBackOff"}, last=last))
    assert "Wasm engine" in found.meaning


def test_a_handler_that_the_node_lacks_is_named():
    event = {
        "type": "Warning",
        "reason": "FailedCreatePodSandBox",
        "message": 'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "spin" is configured',
    }
    (found,) = pod_troubles(pod(waiting={"reason": "ContainerCreating"}), [event])
    assert "'spin'" in found.meaning


def test_pods_that_admission_refuses():
    event = {
        "type": "Warning",
        "reason": "FailedCreate",
        "message": 'pods "a" is forbidden: pod rejected: RuntimeClass "x" not found',
    }
    (found,) = creation_troubles("ReplicaSet a", [event, event])
    assert "403" in found.meaning


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", "nodeSelector"),
        ("0/1 nodes are available: 1 Insufficient memory.", "requests"),
        ("0/1 nodes are available: 1 node(s) had untolerated taint(s).", "toleration"),
        ("no nodes available to schedule pods", "no node"),
    ],
)
def test_why_a_pod_has_no_node(said, word):
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
    (found,) = pod_troubles(
        {"metadata": {"name": "a"}, "status": {"phase": "Pending", "conditions": [condition]}}
    )
    assert word in found.meaning


def test_a_pod_that_runs_has_no_troubles():
    assert pod_troubles(pod(phase="Running")) == []
