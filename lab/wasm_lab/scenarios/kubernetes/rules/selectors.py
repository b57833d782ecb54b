"""Selectors and the labels they look for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import is_builtin, mapping, mappings, pod_of, within
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.pods import Pod

_OWNERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


def own_pods(document: Document) -> Iterator[Problem]:
    """A workload's selector must match the labels of its own template."""
    pod = pod_of(document)
    if pod is None or document.kind not in (*_OWNERS, "ReplicationController"):
        return
    path: tuple[str, ...] = ("spec", "selector")
    selector = document.get(*path)
    if document.kind == "ReplicationController" and not selector and not pod.labels:
        yield Problem(
            document.file,
            *document.place(["spec", "template"], key=True),
            "neither a selector nor labels of the template: a ReplicationController takes the one from the other.",
            "Add labels to spec.template.metadata, such as app: …",
            path="spec.selector",
        )
    if not isinstance(selector, dict):
        return
    wanted = mapping(selector.get("matchLabels")) if document.kind in _OWNERS else selector
    path = (*path, "matchLabels") if document.kind in _OWNERS else path
    expressions = selector.get("matchExpressions") if document.kind in _OWNERS else None
    if document.kind in _OWNERS and not wanted and not expressions:
        yield Problem(
            document.file,
            *document.place(["spec", "selector"], key=True),
            f"the selector of the {document.kind} is empty; an API server refuses that.",
            "Name labels of the template: selector: {matchLabels: {app: …}}",
            path="spec.selector",
        )
    labels = pod.labels
    for key, value in wanted.items():
        if labels.get(key) != value and isinstance(value, str):
            yield _mismatch(document, [*path, key], value, pod)
    for number, expression in mappings(expressions):
        if not _fits(expression, labels):
            yield Problem(
                document.file,
                *document.place([*path[:-1], "matchExpressions", number]),
                f"the template's labels do not fit this condition, so the {document.kind} would not own its pods.",
                "Its labels are: "
                + (", ".join(f"{k}: {shown(v)}" for k, v in labels.items()) or "none")
                + ".",
                path="spec.selector.matchExpressions",
            )


def _mismatch(
    document: Document,
    path: list[str],
    value: str,
    pod: Pod,
) -> Problem:
    key, labels = path[-1], pod.labels
    where = [*pod.path, "metadata", "labels"]
    line = document.place([*where, key] if key in labels else where, key=True)[0]
    if key in labels:
        has = f"the template's label `{key}` is {shown(labels[key])} (line {line})"
        hint = "Write the same in both places."
    elif near := close_to(key, labels):
        has = f"the template has no label `{key}`, but `{near}` (line {document.place([*where, near], key=True)[0]})"
        hint = "Write the same in both places."
    else:
        has = f"the template has no label `{key}`"
        hint = f"Add `{key}: {value}` to {'.'.join(map(str, where))}."
    return Problem(
        document.file,
        *document.place(path),
        f"the selector looks for `{key}: {value}`, and {has}: a {document.kind} must select its own pods.",
        hint,
        path=".".join(map(str, path)),
    )


def _fits(expression: dict[str, Any], labels: dict[str, Any]) -> bool:
    key, values = expression.get("key"), expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return labels.get(str(key)) in (values if isinstance(values, list) else [])
        case "NotIn":
            return labels.get(str(key)) not in (values if isinstance(values, list) else [])
        case "Exists":
            return str(key) in labels
        case "DoesNotExist":
            return str(key) not in labels
    return True


def services(documents: Sequence[Document]) -> Iterator[Problem]:
    """A Service that finds no pod, although its file has workloads in its namespace."""
    pods = [(document, pod) for document in documents if (pod := pod_of(document)) is not None]
    for service in documents:
        if service.kind != "Service" or not is_builtin(service):
            continue
        selector = mapping(service.get("spec", "selector"))
        if not selector:
            continue
        near = [
            (document, pod)
            for document, pod in pods
            if document.file == service.file and document.namespace == service.namespace
        ]
        found = [
            pod
            for document, pod in pods
            if document.namespace == service.namespace and within(selector, pod.labels)
        ]
        if near and not found and not any(_served(pod, document, documents) for document, pod in near):
            yield _finds_nothing(service, selector, near[0][0], near[0][1].labels)


def _served(pod: Pod, document: Document, documents: Sequence[Document]) -> bool:
    """Whether a Service finds a pod: then one that finds none is likely meant for pods of other files."""
    services = [each for each in documents if each.kind == "Service" and each.namespace == document.namespace]
    selectors = [mapping(service.get("spec", "selector")) for service in services]
    return any(selector and within(selector, pod.labels) for selector in selectors)


def _finds_nothing(
    service: Document, selector: dict[str, Any], nearest: Document, labels: dict[str, Any]
) -> Problem:
    key = next((key for key, value in selector.items() if labels.get(key) != value), "")
    has = ", ".join(f"{k}: {shown(v)}" for k, v in labels.items()) or "none"
    return Problem(
        service.file,
        *service.place(["spec", "selector", key]),
        f"the Service `{service.name}` finds no pod of these files: none has the label `{key}: {selector[key]}`.",
        f"The labels of {nearest.kind} `{nearest.name}` are {has}.",
        "warning",
        path=f"spec.selector.{key}",
    )
