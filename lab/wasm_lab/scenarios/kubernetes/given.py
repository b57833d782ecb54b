"""What a user gives to be run, applied or deleted: read once, checked without a cluster first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import KubeManifestError, UsageError
from wasm_lab.scenarios.kubernetes.documents import decode, load_documents, read_text
from wasm_lab.scenarios.kubernetes.files import manifests
from wasm_lab.scenarios.kubernetes.foreign import foreign
from wasm_lab.scenarios.kubernetes.validating import validate_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.problems import Problem

#: Kinds in the order in which others need them; deleting goes the other way round.
ORDER = (
    "Namespace",
    "CustomResourceDefinition",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "IngressClass",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "SpinAppExecutor",
)

#: What refuses or changes everything that comes after it goes in last.
LAST = (
    "HorizontalPodAutoscaler",
    "Ingress",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
)


@dataclass(frozen=True)
class Target:
    """One object that a file names."""

    api_version: str
    kind: str
    name: str
    namespace: str  #: as the file says it; empty where it says none
    body: dict[str, Any] = field(repr=False)
    place: str  #: file and line

    @property
    def label(self) -> str:
        """Such as ``Deployment hello``."""
        return f"{self.kind} {self.name}"


def checked_targets(
    words: Sequence[str], stdin: BinaryIO | None = None, *, versions: Sequence[str] = ()
) -> tuple[list[Target], list[Problem]]:
    """The objects of files, folders, patterns and ``-``, in the order to apply; and the warnings about them.

    Raises:
        KubeManifestError: a file is wrong; ``problems`` holds every mistake with its line.
        UsageError: they name no object, one twice, or one without a name.
    """
    texts: list[tuple[str, str]] = []
    named: dict[str, bool] = {}
    for word in dict.fromkeys(words):
        if word == "-":
            texts.append(("<stdin>", decode(stdin.read() if stdin else b"", "<stdin>")))
            named["<stdin>"] = True
            continue
        for meant in manifests([word]):
            texts.append((str(meant.path), read_text(meant.path)))
            named[str(meant.path)] = meant.named
    found = {name for name, by_user in named.items() if not by_user}
    problems = [
        one for each in validate_texts(texts, versions=versions, found=found) for one in each.problems
    ]
    errors = [one for one in problems if one.severity == "error"]
    if errors:
        listed = "\n".join(str(one) for one in errors)
        raise KubeManifestError(f"Nothing was done: the manifests are wrong.\n{listed}", problems=errors)
    documents = [
        document
        for name, text in texts
        for document in load_documents(text, file=name)
        if foreign(document, named=named[name]) is None
    ]
    targets = in_order([_target(document) for document in documents])
    if not targets:
        raise UsageError("The files hold no object of Kubernetes.", hint="An object has apiVersion and kind.")
    return targets, [one for one in problems if one.severity == "warning"]


def in_order(targets: list[Target]) -> list[Target]:
    """The same in the order to apply; what is alike keeps the order of the files."""

    def rank(target: Target) -> int:
        if target.kind in ORDER:
            return ORDER.index(target.kind)
        return len(ORDER) + (1 + LAST.index(target.kind) if target.kind in LAST else 0)

    return sorted(targets, key=rank)


def _target(document: Document) -> Target:
    place = f"{document.file}:{document.line}" if document.file else f"line {document.line}"
    if not document.name:
        raise UsageError(
            f"{place}: this {document.kind} has no metadata.name.",
            hint="An object whose name the cluster makes (generateName) can only be created, not applied.",
        )
    return Target(
        document.api_version, document.kind, document.name, document.namespace, document.value, place
    )
