"""Names, labels and annotations: what letters they may have.

Source: kubernetes.io/docs/concepts/overview/working-with-objects/names and …/labels.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import mapping, pod_of
from wasm_lab.scenarios.kubernetes.rules.containers import Path, say
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.problems import Problem

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS_LABEL = re.compile(_LABEL)
_SUBDOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"
_VALUE = re.compile(rf"({_WORD})?")
_KEY = re.compile(rf"({_LABEL}(\.{_LABEL})*/)?(?P<name>{_WORD})")

#: Kinds whose names are parts of host names.
_LABELS = {"Service", "Namespace"}

#: Kinds whose names may be anything that fits into a URL (RBAC), or have rules of their own.
_FREE = {
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "APIService",
    "CustomResourceDefinition",
    "Event",
    "IPAddress",
    "CertificateSigningRequest",
    "ComponentStatus",
    "FlowSchema",
    "PriorityLevelConfiguration",
}

#: Kinds that are asked for, and need no name.
_NAMELESS = re.compile(r".*(Review|List)|Binding|Eviction|TokenRequest|Scale")


def names(document: Document) -> Iterator[Problem]:
    """The object's own name, its labels, and those of its pods."""
    if not isinstance(document.value, dict):
        return
    yield from _own(document)
    pod = pod_of(document)
    places: list[Path] = [("metadata",)]
    if pod is not None and pod.path:
        places.append((*pod.path, "metadata"))
    for path in places:
        yield from _pairs(document, (*path, "labels"))
        for key in mapping(document.get(*path, "annotations")):
            yield from _key(document, (*path, "annotations"), key)


def _own(document: Document) -> Iterator[Problem]:
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        misspelt = any(close_to(key, ["metadata"]) for key in document.value)
        if not _NAMELESS.fullmatch(document.kind) and metadata is None and not misspelt:
            yield say(
                document,
                (),
                f"the {document.kind} has no metadata, and so no name.",
                "Add metadata: {name: …}",
            )
        return
    name = metadata.get("name")
    if name is None or name == "":
        if (
            not metadata.get("generateName")
            and not _NAMELESS.fullmatch(document.kind)
            and "name" not in _close(metadata)
        ):
            yield say(
                document, ("metadata",), f"the {document.kind} has no name.", "Add metadata.name.", key=True
            )
    elif isinstance(name, str) and document.kind not in _FREE:
        yield from _name(document, name)
    namespace = metadata.get("namespace")
    if (
        isinstance(namespace, str)
        and namespace
        and (not _DNS_LABEL.fullmatch(namespace) or len(namespace) > 63)
    ):
        yield say(
            document,
            ("metadata", "namespace"),
            f"the namespace {shown(namespace)} {_rule(63)}.",
            _like(namespace),
        )


def _close(metadata: dict[str, Any]) -> list[str]:
    """Names for which a misspelt key stands, which the schema reports."""
    return [known for key in metadata if (known := close_to(key, ["name", "generateName"])) and key != known]


def _name(document: Document, name: str) -> Iterator[Problem]:
    path = ("metadata", "name")
    label = document.kind in _LABELS and "/" not in document.api_version
    form, most = (_DNS_LABEL, 63) if label else (_SUBDOMAIN, 253)
    if len(name) > most:
        yield say(
            document, path, f"the name has {len(name)} letters; a {document.kind} may have at most {most}."
        )
    elif not form.fullmatch(name):
        yield say(document, path, f"the name {shown(name)} {_rule(most, dots=not label)}.", _like(name))
    elif label and document.kind == "Service" and name[0].isdigit():
        yield say(
            document,
            path,
            f"the Service's name {shown(name)} begins with a digit, which older versions of Kubernetes refuse.",
            "Begin it with a letter.",
            "warning",
        )


def _rule(most: int, *, dots: bool = False) -> str:
    signs = "hyphens and dots" if dots else "hyphens"
    return f"must be small letters, digits and {signs}, with a letter or digit at both ends, at most {most}"


def _like(name: str) -> str:
    made = re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")
    return f"Such as {made}." if made else ""


def _pairs(document: Document, path: Path) -> Iterator[Problem]:
    for key, value in mapping(document.get(*path)).items():
        yield from _key(document, path, key)
        if isinstance(value, str) and (len(value) > 63 or not _VALUE.fullmatch(value)):
            yield say(
                document,
                (*path, key),
                f"the label's value {shown(value)} must be letters, digits, `-`, `_` and `.`, with a letter or digit "
                "at both ends, at most 63.",
                "Free text belongs into annotations.",
            )


def _key(document: Document, path: Path, key: str) -> Iterator[Problem]:
    match = _KEY.fullmatch(key)
    if match is None and path[-1] == "annotations":
        match = _KEY.fullmatch(key.lower())
    if match is None or len(match["name"]) > 63:
        yield say(
            document,
            (*path, key),
            f"{shown(key)} is no key of {path[-1]}: a name of at most 63 letters, digits, `-`, `_` and `.`, "
            "if need be after a domain and a slash.",
            key=True,
        )
