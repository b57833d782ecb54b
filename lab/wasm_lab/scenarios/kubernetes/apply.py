"""Applying objects to a cluster: first what would happen, then that, and which of it is new."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wasm_lab.errors import ClusterError
from wasm_lab.scenarios.kubernetes.cluster import FIELD_MANAGER, TIMEOUT, Cluster, message_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wasm_lab.scenarios.kubernetes.given import Target

#: Seconds until a new CustomResourceDefinition must be served.
ESTABLISHED_S = 30.0

#: Seconds until a new namespace must have the account that pods run as.
ACCOUNT_S = 10.0

#: What the cluster writes into every object by itself.
OWN = ("managedFields", "resourceVersion", "generation", "creationTimestamp", "uid")


@dataclass(frozen=True)
class Change:
    """What applying one object does, or would do."""

    target: Target
    namespace: str  #: where it lands; empty for what has none
    action: Literal["create", "change", "unchanged", "unknown"]
    note: str = ""  #: why it is unknown

    @property
    def where(self) -> str:
        """Namespace and object, such as ``default/Deployment hello``."""
        return f"{self.namespace}/{self.target.label}" if self.namespace else self.target.label


@dataclass(frozen=True)
class Applied:
    """One object as it is in the cluster now."""

    change: Change
    uid: str

    @property
    def created(self) -> bool:
        """Whether it was not there before."""
        return self.change.action == "create"


def plan(cluster: Cluster, targets: Sequence[Target]) -> list[Change]:
    """What applying would do: the cluster itself says it, and changes nothing (a server-side dry run).

    Raises:
        ClusterError: the cluster would refuse one of them, or does not know its kind.
    """
    new = {target.name for target in targets if target.kind == "Namespace"}
    defined = {_defines(target) for target in targets if target.kind == "CustomResourceDefinition"}
    return [_plan_one(cluster, target, new, defined) for target in targets]


def apply(cluster: Cluster, changes: Sequence[Change]) -> Iterator[Applied]:
    """Apply one object after another, as the field manager ``wasm-lab``; gives each when it is done.

    Raises:
        ClusterError: the cluster refused one; those before it stay as they are.
    """
    for change in changes:
        target = change.target
        resource = cluster.resource(target.api_version, target.kind)
        action = change.action
        if action == "unknown":
            action = "create" if _get(cluster, resource, target, change.namespace) is None else "change"
        made = _send(cluster, resource, target, change.namespace, ())
        yield Applied(Change(target, change.namespace, action), str(made["metadata"]["uid"]))
        if target.kind == "CustomResourceDefinition":
            _until_served(cluster, resource, target)
        if target.kind == "Namespace" and action == "create":
            _until_usable(cluster, target.name)


def _plan_one(cluster: Cluster, target: Target, new: set[str], defined: set[tuple[str, str]]) -> Change:
    try:
        resource = cluster.resource(target.api_version, target.kind)
    except ClusterError:
        if (target.api_version.split("/")[0], target.kind) not in defined:
            raise
        return Change(
            target, target.namespace or cluster.namespace, "unknown", "its definition is applied first"
        )
    namespace = (target.namespace or cluster.namespace) if resource.namespaced else ""
    there = _get(cluster, resource, target, namespace)
    if there is None and namespace in new and _absent(cluster, namespace):
        return Change(
            target, namespace, "create"
        )  # the cluster cannot try it: its namespace is not there yet
    try:
        would = _send(cluster, resource, target, namespace, (("dryRun", "All"),))
    except ClusterError as error:
        raise ClusterError(f"{target.place}: {error.message}", hint=error.hint) from None
    if there is None:
        return Change(target, namespace, "create")
    return Change(target, namespace, "unchanged" if _essence(there) == _essence(would) else "change")


def _get(cluster: Cluster, resource: Any, target: Target, namespace: str) -> dict[str, Any] | None:
    from kubernetes.client.exceptions import ApiException

    try:
        with cluster.explained(f"reading {target.label}"):
            found = resource.get(name=target.name, namespace=namespace or None, _request_timeout=TIMEOUT)
    except ApiException as error:
        if error.status == 404:
            return None
        raise
    return dict(found.to_dict())


def _send(
    cluster: Cluster, resource: Any, target: Target, namespace: str, more: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """A server-side apply; unknown fields are refused, as the offline check does."""
    from kubernetes.client.exceptions import ApiException

    doing = f"{'trying' if more else 'applying'} {target.label}"
    deadline = time.monotonic() + ACCOUNT_S
    while True:
        try:
            with cluster.explained(doing):
                made = cluster.dynamic.server_side_apply(
                    resource,
                    body=target.body,
                    name=target.name,
                    namespace=namespace or None,
                    field_manager=FIELD_MANAGER,
                    query_params=[("fieldValidation", "Strict"), *more],
                    _request_timeout=TIMEOUT,
                )
            return dict(made.to_dict())
        except ApiException as error:
            raise _conflict(doing, target, error) from None
        except ClusterError as error:
            # A namespace gets its account a moment after it is made, and pods are refused until then.
            early = "serviceaccount" in error.message and "not found" in error.message
            if not early or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _conflict(doing: str, target: Target, error: Any) -> ClusterError:
    said = message_of(error)
    if error.status == 404:
        return ClusterError(f"The cluster refused {doing}: {said}", hint="Is its namespace there?")
    causes = (status_of(error).get("details") or {}).get("causes") or []
    owned = [f"{one.get('field', '')}: {one.get('message', '')}" for one in causes]
    if not owned:
        return ClusterError(
            f"The cluster refused {doing}: {said}", hint="Try again: somebody else changed it."
        )
    managers = (
        ", ".join(dict.fromkeys(re.findall(r'conflict with "([^"]+)"', said + " ".join(owned)))) or "others"
    )
    return ClusterError(
        f"{target.place}: {target.label} has fields that {managers} set, and this file says otherwise. "
        "Nothing of it was changed.",
        hint="\n".join(owned)
        + f"\nTake these fields out of the file, or apply it with the tool that set them ({managers}).",
    )


def _essence(found: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in found.get("metadata", {}).items() if key not in OWN}
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": metadata}


def _defines(target: Target) -> tuple[str, str]:
    spec = target.body.get("spec") or {}
    return str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))


def _absent(cluster: Cluster, namespace: str) -> bool:
    from kubernetes import client
    from kubernetes.client.exceptions import ApiException

    try:
        with cluster.explained("reading the namespace"):
            client.CoreV1Api(cluster.api).read_namespace(namespace, _request_timeout=TIMEOUT)
    except ApiException as error:
        return bool(error.status == 404)
    return False


def _until_served(cluster: Cluster, resource: Any, target: Target) -> None:
    def served() -> bool:
        there = _get(cluster, resource, target, "") or {}
        conditions = (there.get("status") or {}).get("conditions") or []
        return any(one.get("type") == "Established" and one.get("status") == "True" for one in conditions)

    _until(served, ESTABLISHED_S, f"{target.label} was not served")
    cluster.forget_resources()


def _until_usable(cluster: Cluster, namespace: str) -> None:
    _until(lambda: not _absent(cluster, namespace), ACCOUNT_S, f"Namespace {namespace} did not appear")


def _until(done: Callable[[], bool], limit_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + limit_s
    while not done():
        if time.monotonic() > deadline:
            raise ClusterError(f"{otherwise} within {limit_s:.0f} s.")
        time.sleep(0.1)
