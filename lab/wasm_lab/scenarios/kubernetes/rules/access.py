"""Roles, who has them, and what they may: fields that must be there and go together.

Source: the API reference of rbac.authorization.k8s.io/v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import mapping, mappings
from wasm_lab.scenarios.kubernetes.rules.containers import Path, say
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.problems import Problem

GROUP = "rbac.authorization.k8s.io"
_KINDS = ("ServiceAccount", "User", "Group")


def access(document: Document) -> Iterator[Problem]:
    """Roles and bindings."""
    if document.api_version != f"{GROUP}/v1":
        return
    if document.kind in ("Role", "ClusterRole"):
        yield from _rules(document)
    elif document.kind in ("RoleBinding", "ClusterRoleBinding"):
        yield from _role(document)
        for index, subject in mappings(document.get("subjects")):
            yield from _subject(document, ("subjects", index), subject)


def _rules(document: Document) -> Iterator[Problem]:
    for index, rule in mappings(document.get("rules")):
        path: Path = ("rules", index)
        misspelt = {close_to(key, ("verbs", "resources", "apiGroups", "nonResourceURLs")) for key in rule}
        for field, say_what in (
            ("verbs", "what may be done, such as [get, list, watch]"),
            ("apiGroups", 'whose resources these are; the core\'s own group is [""]'),
            ("resources", "of what, such as [pods]"),
        ):
            if rule.get("nonResourceURLs") if field != "verbs" else field not in rule:
                continue  # without verbs it does not even fit the schema
            if not rule.get(field) and (field in rule or field not in misspelt):
                yield say(document, path, f"a rule without `{field}`.", f"Add `{field}`: {say_what}.")


def _role(document: Document) -> Iterator[Problem]:
    role = document.get("roleRef")
    if not isinstance(role, dict):
        return
    allowed = ("Role", "ClusterRole") if document.kind == "RoleBinding" else ("ClusterRole",)
    yield from _one(document, ("roleRef", "kind"), role.get("kind"), allowed)
    yield from _one(document, ("roleRef", "apiGroup"), role.get("apiGroup") or GROUP, (GROUP,))
    if role.get("name") == "":
        yield say(document, ("roleRef", "name"), "the role has no name.")


def _subject(document: Document, path: Path, subject: dict[str, Any]) -> Iterator[Problem]:
    kind = subject.get("kind")
    yield from _one(document, (*path, "kind"), kind, _KINDS)
    if kind == "ServiceAccount":
        yield from _one(document, (*path, "apiGroup"), subject.get("apiGroup") or "", ("",))
        # The subjects of a RoleBinding are in its own namespace where they name none.
        misspelt = any(key != "namespace" and close_to(key, ["namespace"]) for key in subject)
        if document.kind == "ClusterRoleBinding" and not subject.get("namespace") and not misspelt:
            yield say(
                document,
                path,
                f"the ServiceAccount {shown(subject.get('name'))} has no namespace, which a subject must have.",
                "Add namespace: default, or where it is.",
            )
    elif kind in _KINDS:
        yield from _one(document, (*path, "apiGroup"), subject.get("apiGroup") or GROUP, (GROUP,))


def _one(document: Document, path: Path, value: Any, allowed: tuple[str, ...]) -> Iterator[Problem]:
    if isinstance(value, str) and value not in allowed:
        named = " or ".join(each or '""' for each in allowed)
        near = close_to(value, allowed)
        yield say(
            document,
            path,
            f"`{path[-1]}` is {shown(value)}, and must be {named}.",
            f"Did you mean {near}?" if near else "",
        )


def storage(document: Document) -> Iterator[Problem]:
    """Claims of volumes: how much, and how it is used."""
    claims: list[Path] = []
    if document.api_version == "v1" and document.kind == "PersistentVolumeClaim":
        claims = [()]
    elif document.api_version == "apps/v1" and document.kind == "StatefulSet":
        found = mappings(document.get("spec", "volumeClaimTemplates"))
        claims = [("spec", "volumeClaimTemplates", index) for index, _ in found]
    for claim in claims:
        spec = document.get(*claim, "spec")
        if not isinstance(spec, dict):
            continue
        path: Path = (*claim, "spec")
        if not spec.get("accessModes") and "accessModes" not in _meant(spec, ("accessModes",)):
            yield say(
                document, path, "the claim has no accessModes.", "Add accessModes: [ReadWriteOnce]", key=True
            )
        resources = mapping(spec.get("resources"))
        requests = mapping(resources.get("requests"))
        if (
            "storage" not in requests
            and not _meant(spec, ("resources",))
            and not _meant(resources, ("requests",))
        ):
            near = close_to("storage", requests)
            yield say(
                document,
                (*path, "resources", "requests"),
                "the claim does not say how much it wants.",
                f"Is `{near}` meant to be `storage`?"
                if near
                else "Add resources: {requests: {storage: 1Gi}}",
            )


def _meant(given: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """Names for which a misspelt key stands, which the schema reports."""
    return [known for key in given if key not in names and (known := close_to(key, names))]
