"""Where pods are described in objects of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.scenarios.kubernetes.documents import Document

Path = tuple[str | int, ...]

#: Where an object of a kind keeps its pod, by kind. An empty path: the object is the pod.
TEMPLATES: dict[str, Path] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "ReplicationController": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}

_GROUPS = ("v1", "apps/", "batch/", "extensions/")


def is_builtin(document: Document) -> bool:
    """Whether the kind's name is Kubernetes' own (Knative, too, has a Service, and Volcano a Job)."""
    return document.api_version.startswith(_GROUPS)


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod, with its path in the document."""

    path: Path
    value: dict[str, Any]
    initial: bool

    @property
    def name(self) -> str:
        name = self.value.get("name")
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod or a template of pods, with its path in the document."""

    document: Document
    path: Path  #: of the part that has metadata and spec

    @property
    def spec(self) -> dict[str, Any]:
        return mapping(self.document.get(*self.path, "spec"))

    @property
    def labels(self) -> dict[str, Any]:
        return mapping(self.document.get(*self.path, "metadata", "labels"))

    @property
    def annotations(self) -> dict[str, Any]:
        return mapping(self.document.get(*self.path, "metadata", "annotations"))

    @property
    def containers(self) -> Iterator[Container]:
        for field in ("initContainers", "containers", "ephemeralContainers"):
            found = self.spec.get(field)
            for number, value in enumerate(found if isinstance(found, list) else ()):
                if isinstance(value, dict):
                    yield Container((*self.path, "spec", field, number), value, field == "initContainers")


def pod_of(document: Document) -> Pod | None:
    """The pod that an object describes; None where it describes none."""
    path = TEMPLATES.get(document.kind) if is_builtin(document) else None
    return Pod(document, path) if path is not None and isinstance(document.get(*path), dict) else None


def mapping(value: Any) -> dict[str, Any]:
    """A mapping, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[tuple[int, dict[str, Any]]]:
    """The mappings of a list with their numbers."""
    return (
        [(number, each) for number, each in enumerate(value) if isinstance(each, dict)]
        if isinstance(value, list)
        else []
    )


def within(selector: dict[str, Any], labels: dict[str, Any]) -> bool:
    """Whether labels have all that a selector looks for."""
    return all(labels.get(key) == value for key, value in selector.items())
