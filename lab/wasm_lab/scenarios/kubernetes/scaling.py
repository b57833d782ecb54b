"""Scaling a workload in a cluster, and measuring how long each step takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import ClusterError, UsageError
from wasm_lab.scenarios.kubernetes.cluster import FIELD_MANAGER, TIMEOUT, Cluster
from wasm_lab.scenarios.kubernetes.readiness import readiness
from wasm_lab.scenarios.kubernetes.waiting import pods_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.scenarios.kubernetes.apply import Change

#: Kinds that can be scaled.
SCALED = ("Deployment", "StatefulSet", "ReplicaSet", "SpinApp")

#: Seconds between two looks: what a time of a step may be too long by.
LOOK_S = 0.02


@dataclass(frozen=True)
class Step:
    """One step of scaling."""

    replicas: int
    seconds: float  #: from the request until so many were ready, and no more were there


def scale(
    cluster: Cluster,
    change: Change,
    steps: Sequence[int],
    *,
    timeout_s: float,
    on_step: Callable[[Step], None] = lambda _: None,
) -> list[Step]:
    """Scale a workload to each number of replicas in turn.

    Args:
        cluster: where it is.
        change: the workload, which is ready.
        steps: how many replicas, one number after another.
        timeout_s: seconds for each step.
        on_step: is called after each.

    Raises:
        UsageError: it cannot be scaled.
        ClusterError: a step took too long.
    """
    target = change.target
    if target.kind not in SCALED:
        raise UsageError(f"{target.label} cannot be scaled.", hint=f"These can: {', '.join(SCALED)}.")
    resource = cluster.resource(target.api_version, target.kind)
    done = []
    for replicas in steps:
        began = time.monotonic()
        with cluster.explained(f"scaling {target.label}"):
            resource.patch(
                name=target.name,
                namespace=change.namespace,
                body={"spec": {"replicas": replicas}},
                content_type="application/merge-patch+json",
                field_manager=FIELD_MANAGER,
                _request_timeout=TIMEOUT,
            )
        while True:
            with cluster.explained(f"reading {target.label}"):
                found = resource.get(name=target.name, namespace=change.namespace, _request_timeout=TIMEOUT)
            state = readiness(dict(found.to_dict()))
            # A workload no longer counts a pod that was told to end; it is there, and holds memory, until it has ended.
            pods = len(pods_of(cluster, change)) if state.ready else 0
            spent = time.monotonic() - began
            if state.ready and pods <= replicas:
                break
            if spent > timeout_s:
                said = f"{pods} pods are still there" if state.ready else state.said
                raise ClusterError(
                    f"{target.label} was not at {replicas} replicas within {timeout_s:g} s: {said}.",
                    hint="wasm-lab kube apply on the same files says what its pods lack.",
                )
            time.sleep(LOOK_S)
        step = Step(replicas, spent)
        done.append(step)
        on_step(step)
    return done
