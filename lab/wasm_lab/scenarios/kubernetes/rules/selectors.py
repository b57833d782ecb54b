"""Selectors and the labels they look for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import Path, is_builtin, mapping, mappings, pod_of, within
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to, distance

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
            *document.place(path if "matchLabels" in selector else path[:-1], key=True),
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


#: Labels that controllers give to pods, which therefore stand in no template.
_GIVEN = (
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-completion-index",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
)

#: Values of labels that programs give to one of their own pods, such as the one that leads.
_ROLES = "active leader main master primary read-only read-write replica secondary slave standby true false".split()

#: Keys under which one or the other writes a program's name.
_NAMING = (
    "app",
    "app.kubernetes.io/component",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/name",
    "application",
    "component",
    "k8s-app",
    "name",
    "run",
    "service",
    "tier",
)

#: Takes away what separates the parts of a word.
_PLAIN = str.maketrans("", "", "-_.")

#: What finds pods by their labels, and where it says which.
_FINDERS: dict[tuple[str, str], Path] = {
    ("v1", "Service"): ("spec", "selector"),
    ("policy/v1", "PodDisruptionBudget"): ("spec", "selector", "matchLabels"),
    ("networking.k8s.io/v1", "NetworkPolicy"): ("spec", "podSelector", "matchLabels"),
}


@dataclass(frozen=True, slots=True)
class _Found:
    """Something with labels that makes pods."""

    document: Document
    labels: dict[str, Any]
    path: Path
    selector: dict[str, Any]  #: its own; where that differs from the labels, `own_pods` has said so


def services(documents: Sequence[Document]) -> Iterator[Problem]:
    """A Service that finds no pod, although there are pods that it is plainly meant for.

    For a PodDisruptionBudget or a NetworkPolicy, which may wait for pods to come, that is only a warning.
    """
    pods: dict[str, list[_Found]] = {}
    for document in documents:
        if (found := _labelled(document)) is not None:
            pods.setdefault(document.namespace, []).append(found)
    for (api_version, kind), path in _FINDERS.items():
        finders = [each for each in documents if (each.api_version, each.kind) == (api_version, kind)]
        selectors = [(finder, _selector(finder, path)) for finder in finders]
        yield from _lost([(finder, selector) for finder, selector in selectors if selector], path, pods)


def _labelled(document: Document) -> _Found | None:
    """What pods of an object have; those of a custom resource, too, where it has a template as a Deployment has."""
    if pod := pod_of(document):
        own = mapping(document.get("spec", "selector", "matchLabels"))
        return _Found(document, pod.labels, (*pod.path, "metadata", "labels"), own)
    path: Path = ("spec", "template", "metadata", "labels")
    labels = document.get(*path)
    return (
        _Found(document, labels, path, {}) if isinstance(labels, dict) and not is_builtin(document) else None
    )


def _selector(finder: Document, path: Path) -> dict[str, str]:
    """What labels something looks for; nothing where that depends on more than the files say."""
    selector = mapping(finder.get(*path))
    if finder.text("spec", "type") == "ExternalName" or finder.get(*path[:-1], "matchExpressions"):
        return {}
    if not all(isinstance(value, str) for value in selector.values()):
        return {}
    return {key: value for key, value in selector.items() if key not in _GIVEN}


def _lost(
    finders: Sequence[tuple[Document, dict[str, str]]], path: Path, pods: dict[str, list[_Found]]
) -> Iterator[Problem]:
    """Of what finds pods in one way, all that finds none."""
    by_label: dict[tuple[str, str, str], list[tuple[int, _Found]]] = {}
    for namespace, found in pods.items():
        for each in found:
            for key, value in {*_words(each.labels), *_words(each.selector)}:
                by_label.setdefault((namespace, key, value), []).append((id(each), each))
    served: set[int] = set()
    lost: list[tuple[Document, dict[str, str]]] = []
    for finder, selector in finders:
        candidates = min(
            (by_label.get((finder.namespace, key, value), []) for key, value in selector.items()), key=len
        )
        hits = {
            number
            for number, each in candidates
            if within(selector, each.labels) or within(selector, each.selector)
        }
        served |= hits
        if not hits:
            lost.append((finder, selector))
    real = {namespace: [each for each in found if pod_of(each.document)] for namespace, found in pods.items()}
    for finder, selector in lost:
        near = sorted(real.get(finder.namespace, ()), key=lambda each: each.document.file != finder.file)
        free = [each for each in near if id(each) not in served]
        for each in free:
            if keys := _slips(selector, each.labels) or _of_that_name(finder, selector, each):
                yield _meant_for(finder, path, selector, keys[0], each)
                break
        else:
            beside = [each for each in near if each.document.file == finder.file]
            # One whose file's pods are all found by others is likely meant for pods of other files.
            if beside and finder.kind == "Service" and not any(id(each) in served for each in beside):
                yield _finds_nothing(finder, selector, beside[0].document, beside[0].labels)


def _words(labels: dict[str, Any]) -> list[tuple[str, str]]:
    return [(key, value) for key, value in labels.items() if isinstance(value, str)]


def _slips(selector: dict[str, str], labels: dict[str, Any]) -> list[str]:
    """The keys by which a selector misses labels, where each is a slip of the pen; none where one is not."""
    missed = [key for key, value in selector.items() if labels.get(key) != value]
    return missed if all(_slip(key, selector[key], labels) for key in missed) else []


def _slip(key: str, value: str, labels: dict[str, Any]) -> bool:
    """Whether labels have nearly that key, or nearly that value."""
    if key in labels:
        return _miswritten(value, str(labels[key]))
    same = [each for each, given in labels.items() if given == value]
    return bool(close_to(key, same)) or (key in _NAMING and any(each in _NAMING for each in same))


def _miswritten(word: str, meant: str) -> bool:
    """Whether two words differ by a slip: not web-1 and web-2, app-a and app-b, hello-api and hello-app.

    Example:
        >>> _miswritten("webb", "web"), _miswritten("Web_app", "web-app"), _miswritten("web-1", "web-2")
        (True, True, False)
    """
    if word.translate(_PLAIN).lower() == meant.translate(_PLAIN).lower():
        return True
    if min(len(word), len(meant)) < 3 or abs(len(word) - len(meant)) > 1 or distance(word, meant) != 1:
        return False
    if re.sub(r"\d+", "", word) == re.sub(r"\d+", "", meant):
        return False
    parts = zip(*(re.split(r"[-_./]", each) for each in (word, meant)), strict=False)
    # A part that is very short, or differs in its last letter, may tell one of several from the others.
    return not any(
        one != other and (min(len(one), len(other)) < 3 or one[:-1] == other[:-1]) for one, other in parts
    )


def _of_that_name(finder: Document, selector: dict[str, str], found: _Found) -> list[str]:
    """The keys by which a selector misses the pods of the object that has its own name.

    None where a running program might add just the labels that are missing, as databases label their leader.
    """
    if not finder.name or finder.name != found.document.name:
        return []
    if (not found.labels and found.document.kind != "Pod") or found.document.kind in ("Job", "CronJob"):
        return []  # a part of a manifest, such as a patch; or what only prepares something
    missed = [key for key, value in selector.items() if found.labels.get(key) != value]
    added = [key for key in missed if key not in found.labels and selector[key].lower() in _ROLES]
    return [] if added == missed else missed


def _meant_for(finder: Document, path: Path, selector: dict[str, str], key: str, found: _Found) -> Problem:
    """That something finds no pod, beside pods that it is plainly meant for."""
    document, labels = found.document, found.labels
    near = key if key in labels else next((each for each in labels if labels[each] == selector[key]), "")
    line = document.place([*found.path, near] if near else found.path, key=True)[0]
    where = f"line {line}" if document.file == finder.file else f"{document.file}:{line}"
    has = f"`{near}: {labels[near]}`" if near else f"no label `{key}`"
    return Problem(
        finder.file,
        *finder.place([*path, key]),
        f"the {finder.kind} `{finder.name}` finds no pod: it looks for `{key}: {selector[key]}`, and the pods of "
        f"{document.kind} `{document.name}` have {has} ({where}).",
        "Write the same label in both places.",
        "error" if finder.kind == "Service" else "warning",
        path=".".join([*map(str, path), key]),
    )


def _finds_nothing(
    service: Document, selector: dict[str, str], nearest: Document, labels: dict[str, Any]
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
