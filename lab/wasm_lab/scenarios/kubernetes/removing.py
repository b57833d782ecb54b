"""Deleting objects from a cluster, and waiting until they are gone."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wasm_lab.errors import ClusterError
from wasm_lab.scenarios.kubernetes.cluster import TIMEOUT, Cluster, message_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.scenarios.kubernetes.apply import Applied
    from wasm_lab.scenarios.kubernetes.given import Target

#: Seconds between two looks.
LOOK_S = 0.1


@dataclass
class Removal:
    """One object on its way out."""

    target: Target
    namespace: str
    resource: Any
    uid: str = ""  #: of the object that is meant; one of the same name made later is another
    state: Literal["deleting", "gone", "absent", "unknown kind"] = "deleting"

    @property
    def where(self) -> str:
        """Namespace and object, such as ``default/Deployment hello``."""
        return f"{self.namespace}/{self.target.label}" if self.namespace else self.target.label


def plan_removal(cluster: Cluster, targets: Sequence[Target]) -> list[Removal]:
    """What deleting would delete, in its order; deletes nothing. What is not there is marked so.

    Raises:
        ClusterError: the cluster cannot be asked.
    """
    found = []
    for target in reversed(targets):
        try:
            resource = cluster.resource(target.api_version, target.kind)
        except ClusterError as error:
            if "knows no" not in error.message:
                raise
            found.append(Removal(target, target.namespace, None, state="unknown kind"))
            continue
        namespace = (target.namespace or cluster.namespace) if resource.namespaced else ""
        removal = Removal(target, namespace, resource)
        removal.uid = _uid(cluster, removal)
        if not removal.uid:
            removal.state = "absent"
        found.append(removal)
    return found


def removal_of(cluster: Cluster, applied: Sequence[Applied]) -> list[Removal]:
    """The same for what was applied and had not been there before, and only while it is still that object."""
    found = []
    for one in reversed(applied):
        if one.created:
            target = one.change.target
            resource = cluster.resource(target.api_version, target.kind)
            found.append(Removal(target, one.change.namespace, resource, one.uid))
    return found


def remove(
    cluster: Cluster,
    removals: Sequence[Removal],
    *,
    timeout_s: float,
    on_step: Callable[[Removal], None] = lambda _: None,
) -> list[Removal]:
    """Delete objects, with what they own first (foreground), and wait until they are gone.

    Args:
        cluster: where.
        removals: of `plan_removal` or `removal_of`.
        timeout_s: seconds until they must be gone.
        on_step: is called with each that is gone.

    Gives those that were not gone in time.

    Raises:
        ClusterError: the cluster refused.
    """
    from kubernetes.client.exceptions import ApiException

    deadline = time.monotonic() + timeout_s
    left = [one for one in removals if one.state == "deleting"]
    for removal in left:
        body = {"propagationPolicy": "Foreground", "preconditions": {"uid": removal.uid}}
        try:
            with cluster.explained(f"deleting {removal.target.label}"):
                removal.resource.delete(
                    name=removal.target.name,
                    namespace=removal.namespace or None,
                    body=body,
                    _request_timeout=TIMEOUT,
                )
        except ApiException as error:
            if error.status != 404 and "uid" not in message_of(error).lower():
                raise ClusterError(f"{removal.where} cannot be deleted: {message_of(error)}") from None
    while left:
        for removal in list(left):
            if _uid(cluster, removal) != removal.uid:
                removal.state = "gone"
                left.remove(removal)
                on_step(removal)
        if not left or time.monotonic() > deadline:
            break
        time.sleep(LOOK_S)
    return left


def why_not_gone(cluster: Cluster, removal: Removal) -> str:
    """What holds an object that is being deleted."""
    found = _read(cluster, removal)
    finalizers = [
        name for name in (found.get("metadata") or {}).get("finalizers") or [] if name != "foregroundDeletion"
    ]
    if finalizers:
        return f"it has finalizers ({', '.join(finalizers)}): what set them must take them off."
    if removal.target.kind == "Namespace":
        said = [one.get("message", "") for one in (found.get("status") or {}).get("conditions") or []]
        return " ".join(said) or "what is in it is still being deleted."
    return "what it owns is still ending: a pod has terminationGracePeriodSeconds (30 by default) for that."


def _uid(cluster: Cluster, removal: Removal) -> str:
    return str((_read(cluster, removal).get("metadata") or {}).get("uid") or "")


def _read(cluster: Cluster, removal: Removal) -> dict[str, Any]:
    from kubernetes.client.exceptions import ApiException

    try:
        with cluster.explained(f"reading {removal.target.label}"):
            found = removal.resource.get(
                name=removal.target.name, namespace=removal.namespace or None, _request_timeout=TIMEOUT
            )
    except ApiException as error:
        if error.status == 404:
            return {}
        raise
    return dict(found.to_dict())
