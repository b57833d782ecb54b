"""Documents that are no objects of Kubernetes: what they are, and what to do with them."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from wasm_lab.scenarios.kubernetes.kustomize import FILES
from wasm_lab.scenarios.kubernetes.problems import Problem, Severity

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.documents import Document

_PATCH = {"op", "path"}


def is_template(name: str, text: str) -> bool:
    """Whether a file is one of a Helm chart's templates."""
    parts = PurePath(name).parts
    return "{{" in text and ("templates" in parts or "charts" in parts)


def template(name: str) -> Problem:
    """The note for a chart's template that was found below a folder."""
    return Problem(
        name,
        0,
        0,
        "a template of a Helm chart, no manifest yet.",
        "helm template CHART | wasm-lab kube validate -",
        "note",
    )


def foreign(document: Document, *, named: bool = True) -> Problem | None:
    """Why a document is no object; None where it is one.

    ``named``: whether a user named its file. Below a folder, what is plainly no manifest is only noted.
    """
    value = document.value
    if _is_kustomization(document) and not (isinstance(value, dict) and "apiVersion" in value):
        return _say(
            document,
            "a kustomization: kustomize makes manifests of it, which can be checked.",
            "kubectl kustomize FOLDER | wasm-lab kube validate -",
            "note",
        )
    if not named and not (isinstance(value, dict) and {"apiVersion", "kind", "metadata"} & value.keys()):
        return _say(document, "no manifest: neither apiVersion nor kind; passed over.", severity="note")
    if isinstance(value, list):
        if value and all(isinstance(each, dict) and each.keys() >= _PATCH for each in value):
            return _say(document, "a JSON patch (as kustomize takes them), not an object.", severity="note")
        return _say(
            document,
            "a list, and an object of Kubernetes is a mapping with apiVersion, kind and metadata.",
            "Separate objects by a line of three dashes; or make it the items of a `kind: List`.",
        )
    if not isinstance(value, dict):
        return _say(
            document,
            "plain text, and an object of Kubernetes is a mapping with apiVersion, kind and metadata.",
            "Is this the right file?",
        )
    if isinstance(value.get("apiVersion"), str) and isinstance(value.get("kind"), str):
        return None
    name = PurePath(document.file).name
    if name == "Chart.yaml" or (name.startswith("values") and "kind" not in value):
        return _say(
            document,
            "part of a Helm chart, no manifest.",
            "helm template CHART | wasm-lab kube validate -",
            "note",
        )
    for marks, what in (
        ({"services", "version"}, "a file of Docker Compose"),
        ({"on", "jobs"}, "a workflow of GitHub"),
        ({"true", "jobs"}, "a workflow of GitHub"),
        ({"steps"}, "a build description"),
    ):
        if marks <= value.keys() and "kind" not in value:
            return _say(document, f"{what}, no manifest.", "", "note")
    return _lacking(document)


def _is_kustomization(document: Document) -> bool:
    value = document.value
    if not isinstance(value, dict):
        return False
    return PurePath(document.file).name in FILES or {"resources", "patches"} <= value.keys()


def _lacking(document: Document) -> Problem:
    value = document.value
    lacking = [field for field in ("apiVersion", "kind") if not value.get(field)]
    wrong = [
        field for field in ("apiVersion", "kind") if field in value and not isinstance(value[field], str)
    ]
    if wrong and value[wrong[0]] is not None:
        return Problem(
            document.file,
            *document.place([wrong[0]]),
            f"`{wrong[0]}` must be text.",
            "Write it in quotes.",
            path=wrong[0],
        )
    from wasm_lab.scenarios.kubernetes.words import close_to

    near = close_to(lacking[0], value)
    empty = [field for field in lacking if field in value]
    if empty:
        place = document.place([empty[0]], key=True)
    elif near and near not in ("apiVersion", "kind"):
        place = document.place([near], key=True)
    else:
        place = document.place()
    return Problem(
        document.file,
        *place,
        "no object of Kubernetes: it has "
        + " and ".join(f"{'nothing in its' if field in empty else 'no'} `{field}`" for field in lacking)
        + ".",
        f"Is `{near}` meant to be `{lacking[0]}`?"
        if near and near != lacking[0]
        else "Each object begins with both, such as `apiVersion: apps/v1` and `kind: Deployment`.",
        path=lacking[0],
    )


def _say(document: Document, message: str, hint: str = "", severity: Severity = "error") -> Problem:
    return Problem(document.file, *document.place(), message, hint, severity)
