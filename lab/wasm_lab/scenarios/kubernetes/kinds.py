"""Whether a cluster knows what an object says that it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.scenarios.kubernetes.problems import Problem, Severity
from wasm_lab.scenarios.kubernetes.removed import Removed, removed
from wasm_lab.scenarios.kubernetes.schemas import schemas, versions_with
from wasm_lab.scenarios.kubernetes.versions import known_versions, said
from wasm_lab.scenarios.kubernetes.words import close_to, distance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.scenarios.kubernetes.crds import Definitions
    from wasm_lab.scenarios.kubernetes.documents import Document

#: What is said of a custom resource whose definition is not known.
UNCHECKED = "its fields are not checked"

#: Groups that once were the API server's own and no version with schemas has.
GONE = ("extensions", "settings.k8s.io", "auditregistration.k8s.io")

#: Groups that programs read from files, and no cluster ever gets.
OF_FILES = {
    "kustomize.config.k8s.io": "kustomize",
    "kind.x-k8s.io": "kind",
    "kubeadm.k8s.io": "kubeadm",
    "kubelet.config.k8s.io": "the kubelet",
    "kubeproxy.config.k8s.io": "kube-proxy",
    "kubescheduler.config.k8s.io": "the scheduler",
    "apiserver.config.k8s.io": "the API server",
    "apiserver.k8s.io": "the API server",
    "audit.k8s.io": "the API server",
    "apidiscovery.k8s.io": "the API server",
    "client.authentication.k8s.io": "kubectl",
    "admission.k8s.io": "webhooks",
    "imagepolicy.k8s.io": "webhooks",
    "k3d.io": "k3d",
    "descheduler": "the descheduler",
    "skaffold": "Skaffold",
}


#: Kinds of the API's own conversation.
ANSWERS = "Status APIGroup APIGroupList APIResourceList APIVersions Table PartialObjectMetadata DeleteOptions".split()


def unknown_kind(document: Document, versions: Sequence[str], custom: Definitions) -> Problem:
    """Why an object's apiVersion and kind are known to none of the versions."""
    api_version, kind = document.api_version, document.kind
    group, _, version = api_version.rpartition("/")
    builtin = {name.rpartition("/")[0] for name, _ in schemas(versions[-1]).kinds} | set(GONE)
    if gone := removed(api_version, kind):
        return _gone(document, gone)
    own = "." not in group or group.endswith(".k8s.io")  # no version has anybody else's
    if elsewhere := versions_with(api_version, kind) if own else ():
        return _say(
            document,
            "apiVersion",
            f"{api_version} {kind} is not in {said(tuple(versions))}; it is in {said(elsewhere)}.",
            _served(kind, versions),
        )
    if api_version == "v1" and kind == "Config":
        return _say(document, "kind", "a kubeconfig: a file for kubectl, which no cluster gets.", "", "note")
    if (
        api_version == "v1"
        and kind == "Policy"
        and {"predicates", "priorities", "extenders"} & document.value.keys()
    ):
        return _say(
            document,
            "kind",
            "a policy for the scheduler: a file for --policy-config-file, which no cluster gets.",
            "Kubernetes 1.23 removed that option; KubeSchedulerConfiguration takes its place.",
            "note",
        )
    if api_version in ("v1", "meta.k8s.io/v1") and kind in ANSWERS:
        return _say(document, "kind", f"{kind} is what an API server answers, no object that one can create.")
    if program := OF_FILES.get(group):
        return _say(
            document, "apiVersion", f"a file for {program}, which no cluster gets.", _of_files(group), "note"
        )
    if group in builtin:
        return _of_builtin(document, group, version, versions)
    if group in custom.groups:
        known = custom.groups[group]
        if api_version in {name for name, _ in known}:
            close = close_to(kind, [name for _, name in known])
            return _say(
                document,
                "kind",
                f"{group} has no kind `{kind}`.",
                f"Did you mean `{close}`?"
                if close
                else "It has: " + ", ".join(sorted({n for _, n in known})) + ".",
            )
        return _say(
            document,
            "apiVersion",
            f"{group} has no version `{version}`.",
            "It has: " + ", ".join(sorted({name for name, _ in known})) + ".",
        )
    if "." not in group:
        near = _near(document, group, versions)
        return _say(
            document,
            "apiVersion",
            f"unknown apiVersion `{api_version}`: Kubernetes has no group `{group}`; a custom one has a dot."
            if group
            else f"unknown apiVersion `{api_version}`.",
            near or "For a Deployment it is apps/v1, for a Service v1.",
        )
    # A name with a dot may be anybody's, and many projects end theirs with k8s.io (autoscaling.k8s.io, metrics.k8s.io).
    # One that differs by a letter from a known one, for a kind that is known, is a slip. Not so the x- of
    # experiments (scheduling.x-k8s.io).
    own_kind = any(each == kind for _, each in schemas(versions[-1]).kinds)
    known_groups = [name for name in [*builtin, *custom.groups] if "." in name]
    near_groups = [
        name
        for name in known_groups
        if distance(group, name) <= 2
        and not group.endswith(".x-k8s.io")
        and (own_kind or close_to(kind, _kinds_of(name, versions, custom)))
    ]
    if near_groups:
        return _say(
            document,
            "apiVersion",
            f"unknown apiVersion `{api_version}`: there is no group `{group}`.",
            f"Did you mean {near_groups[0]}/{version}?",
        )
    if group == "core.spinoperator.dev":
        return _say(
            document,
            "apiVersion",
            "core.spinoperator.dev is the name that SpinKube had before its release 0.4.",
            "Now it is core.spinkube.dev/v1alpha1.",
            "warning",
        )
    served = sorted(_versions_of(kind, versions, custom))
    homes = {name.rpartition("/")[0] for name in served}
    if (own_kind and re.fullmatch(r"[a-z]+\.k8s\.io", group)) or _invented(document, group, homes):
        return _say(
            document,
            "apiVersion",
            f"unknown apiVersion `{api_version}`: there is no group `{group}`.",
            f"{kind} is in {' and '.join(served)}." if served else _near(document, group, versions),
        )
    return _say(
        document,
        "apiVersion",
        f"{api_version} {kind} is no kind of Kubernetes itself: {UNCHECKED}.",
        "Give its definition with --schema FILE, or validate it together with the file that has it.",
        "note",
    )


#: Kinds whose names no other project is known to use for objects of the same shape. Many are used again: Service by
#: Knative, Job by Volcano, StatefulSet and DaemonSet by OpenKruise, NetworkPolicy by Calico, ClusterRole by OpenShift.
_UNIQUE = ("ConfigMap", "Deployment", "Pod", "ReplicaSet", "RuntimeClass", "SpinApp", "SpinAppExecutor")

#: Domains below which only Kubernetes itself has its kinds; but not projects of its special interest groups.
_OWN_DOMAINS = ("k8s", "k8s.io", "kubernetes.io")
_OF_PROJECTS = (".x-k8s.io", ".sigs.k8s.io", ".incubator.k8s.io")


def _invented(document: Document, group: str, homes: set[str]) -> bool:
    """Whether a group that nobody knows is plainly meant for one of the groups that have the kind."""
    if not homes or group.endswith(_OF_PROJECTS):
        return False
    first, _, rest = group.partition(".")
    return (
        any(home.startswith(f"{group}.") for home in homes)  # rbac.authorization, core.spinkube
        or any(home and group.endswith(f".{home}") for home in homes)  # deployments.apps
        or any(group == domain or group.endswith(f".{domain}") for domain in _OWN_DOMAINS)
        or ("." not in rest and any(first == home.partition(".")[0] for home in homes))  # networking.io
        or (document.kind in _UNIQUE and _of_its_shape(document))
    )


def _of_its_shape(document: Document) -> bool:
    """Whether an object has the parts of Kubernetes' own kind: a Deployment is also one of Amazon's API gateway."""
    spec = document.get("spec")
    if document.kind == "ConfigMap":
        return spec is None
    part = {"Deployment": "template", "ReplicaSet": "template", "Pod": "containers"}.get(document.kind, "")
    return not part or not isinstance(spec, dict) or part in spec


def _versions_of(kind: str, versions: Sequence[str], custom: Definitions) -> set[str]:
    """Every apiVersion that has a kind of Kubernetes' own, as far as it is stable, or of SpinKube."""
    stable = {
        name for name, each in schemas(versions[-1]).kinds if each == kind and re.search(r"\bv\d+$", name)
    }
    spin = {name for name, each in custom.groups.get("core.spinkube.dev", ()) if each == kind}
    return stable | spin


def _kinds_of(group: str, versions: Sequence[str], custom: Definitions) -> set[str]:
    """Every kind of a group."""
    known = [*schemas(versions[-1]).kinds, *custom.groups.get(group, ())]
    return {kind for name, kind in known if name.rpartition("/")[0] == group}


def _gone(document: Document, gone: Removed) -> Problem:
    hint = (
        f"Write apiVersion: {gone.instead}" if gone.instead else "Nothing takes its place under another name."
    )
    return _say(
        document,
        "apiVersion",
        f"{document.api_version} {document.kind} was removed in Kubernetes {gone.since}.",
        f"{hint}. {gone.note}" if gone.note and gone.instead else gone.note or f"{hint}.".replace("..", "."),
    )


def _served(kind: str, versions: Sequence[str]) -> str:
    now = [name for name, each in schemas(versions[-1]).kinds if each == kind]
    return f"Kubernetes {versions[-1]} has it as {' and '.join(sorted(now))}." if now else ""


def _of_builtin(document: Document, group: str, version: str, versions: Sequence[str]) -> Problem:
    kinds = schemas(versions[-1]).kinds
    api_version, kind = document.api_version, document.kind
    own = [each for name, each in kinds if name == api_version]
    if own:
        if others := sorted(name for name, each in kinds if each == kind):
            return _say(
                document,
                "apiVersion",
                f"{api_version} has no kind `{kind}`.",
                f"{kind} is in {' and '.join(others)}.",
            )
        close = close_to(kind, own) or close_to(kind, [each for _, each in kinds])
        return _say(
            document,
            "kind",
            f"{api_version} has no kind `{kind}`.",
            f"Did you mean `{close}`?"
            if close
            else f"kubectl api-resources --api-group={group!r} lists what it has.",
        )
    return _say(
        document,
        "apiVersion",
        f"unknown apiVersion `{api_version}`: {group or 'the core'} has no `{version}` in {said(tuple(versions))}.",
        _near(document, group, versions),
    )


def _near(document: Document, group: str, versions: Sequence[str]) -> str:
    """What was probably meant by an apiVersion."""
    kinds = schemas(versions[-1]).kinds
    by_kind = sorted({name for name, each in kinds if each == document.kind})
    if by_kind:
        return f"{document.kind} is in {' and '.join(by_kind)}."
    close = close_to(document.api_version, {name for name, _ in kinds})
    return f"Did you mean {close}?" if close else ""


def _of_files(group: str) -> str:
    if group == "kustomize.config.k8s.io":
        return "To check what it makes: kubectl kustomize FOLDER | wasm-lab kube validate -"
    return ""


def _say(
    document: Document, field: str, message: str, hint: str = "", severity: Severity = "error"
) -> Problem:
    return Problem(document.file, *document.place([field]), message, hint, severity, path=field)


def since(api_version: str, kind: str) -> str:
    """The first version, among those with schemas, that has a kind; empty for the first of all or none."""
    have = [version for version in known_versions() if (api_version, kind) in schemas(version).kinds]
    return have[0] if have and have[0] != known_versions()[0] else ""
