"""Objects that name each other, and objects that are there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import is_builtin, mapping, mappings, pod_of, within
from wasm_lab.scenarios.kubernetes.rules.containers import port_names, say
from wasm_lab.scenarios.kubernetes.words import close_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.problems import Problem

_FIXED = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


def twice(documents: Sequence[Document]) -> Iterator[Problem]:
    """The same object twice in a file; a selector that differs is an error, because it cannot change."""
    first: dict[tuple[str, ...], Document] = {}
    for document in documents:
        if not document.name:
            continue
        group = document.api_version.rpartition("/")[0]
        key = (document.file, group, document.kind, document.namespace, document.name)
        other = first.setdefault(key, document)
        if other is document:
            continue
        selector, before = document.get("spec", "selector"), other.get("spec", "selector")
        if document.kind in _FIXED and selector and before and selector != before:
            yield say(
                document,
                ("spec", "selector"),
                f"the selector of {document.kind} `{document.name}` differs from that in line "
                f"{other.place(['spec', 'selector'], key=True)[0]}: it cannot change once the object is there.",
                "Give one of them another name; or delete the object before it is made anew.",
                key=True,
            )
        else:
            yield say(
                document,
                ("metadata", "name"),
                f"{document.kind} `{document.name}` is in this file twice; the first begins in line {other.line}.",
                "The one that is applied last wins: give it another name, or remove one.",
                "warning",
            )


def target_ports(documents: Sequence[Document]) -> Iterator[Problem]:
    """A Service whose named target port none of its pods has."""
    pods = [(document.namespace, pod) for document in documents if (pod := pod_of(document)) is not None]
    for service in documents:
        selector = mapping(service.get("spec", "selector"))
        if service.kind != "Service" or not is_builtin(service) or not selector:
            continue
        found = [
            pod for namespace, pod in pods if namespace == service.namespace and within(selector, pod.labels)
        ]
        named = {name for pod in found for container in pod.containers for name in port_names(container)}
        for index, port in mappings(service.get("spec", "ports")):
            target = port.get("targetPort")
            if found and isinstance(target, str) and not target.isdigit() and target not in named:
                near = close_to(target, named)
                yield say(
                    service,
                    ("spec", "ports", index, "targetPort"),
                    f"the Service sends to the port `{target}`, and no container that it finds has one of that name.",
                    f"Did you mean `{near}`?" if near else f"Name a port of the container so: name: {target}",
                    "warning",
                )


def backends(documents: Sequence[Document]) -> Iterator[Problem]:
    """An Ingress that names a port which its Service, in these files, does not have."""
    services = {
        (document.namespace, document.name): document
        for document in documents
        if document.kind == "Service" and is_builtin(document)
    }
    for ingress in documents:
        if ingress.kind != "Ingress" or ingress.api_version != "networking.k8s.io/v1":
            continue
        for path, backend in _backends(ingress):
            service = services.get((ingress.namespace, str(backend.get("name"))))
            if service is None:
                continue
            ports = [port for _, port in mappings(service.get("spec", "ports"))]
            asked = mapping(backend.get("port"))
            for field, key in (("number", "port"), ("name", "name")):
                value = asked.get(field)
                if value is not None and ports and value not in [port.get(key) for port in ports]:
                    has = ", ".join(str(port.get(key)) for port in ports if port.get(key))
                    yield say(
                        ingress,
                        (*path, "port", field),
                        f"the Service `{service.name}` has no port {value}.",
                        f"It has {has}." if has else "",
                        "warning",
                    )


def _backends(ingress: Document) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    path: tuple[str | int, ...] = ("spec", "defaultBackend", "service")
    if found := mapping(ingress.get(*path)):
        yield path, found
    for number, rule in mappings(ingress.get("spec", "rules")):
        for index, _ in mappings(mapping(rule.get("http")).get("paths")):
            path = ("spec", "rules", number, "http", "paths", index, "backend", "service")
            if found := mapping(ingress.get(*path)):
                yield path, found
