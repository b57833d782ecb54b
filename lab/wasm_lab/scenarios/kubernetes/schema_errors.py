"""What a validator of schemas says, in words that name the mistake and its mend."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import mapping
from wasm_lab.scenarios.kubernetes.problems import Problem
from wasm_lab.scenarios.kubernetes.quantities import PATTERN
from wasm_lab.scenarios.kubernetes.quantities import explained as quantity_explained
from wasm_lab.scenarios.kubernetes.scalars import shown
from wasm_lab.scenarios.kubernetes.words import close_to, field_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema_rs import ValidationError

    from wasm_lab.scenarios.kubernetes.documents import Document
    from wasm_lab.scenarios.kubernetes.schemas import Checker

#: Fields that the schemas require and the API server fills in with nothing.
LENIENT = (
    ("CSIDriver", "spec"),
    ("DeviceClass", "spec"),
    ("LimitRange", "spec.limits"),
    ("ResourceClaim", "spec"),
    ("ResourceClaimTemplate", "spec.spec"),
)

_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping (`key: value` lines)",
    "array": "a list (lines that begin with `- `)",
}

#: Why a field must be there, where its name does not say it.
WHY_REQUIRED = {
    "selector": "Without it the object does not know which pods are its own.",
    "handler": "It names the configuration of the node's container runtime that runs the pods; without it a "
    "RuntimeClass chooses nothing.",
    "template": "It says what each pod is.",
    "containers": "A pod runs at least one container.",
    "containerPort": "",
    "serviceName": "",
}


def explain(document: Document, checker: Checker) -> Iterator[Problem]:
    """Every way in which an object differs from its schema."""
    value = checker.filled(document.value)
    if checker.validator.is_valid(value):
        lean = checker.filled(_without_nothing(value))
        if lean != value and not checker.validator.is_valid(lean):
            yield from _emptied(document, checker)
        return
    for error in checker.validator.iter_errors(value):
        yield from _explained(document, checker, error)
    yield from _emptied(document, checker)


def _emptied(document: Document, checker: Checker) -> Iterator[Problem]:
    """Fields that must be there, and are, with nothing in them: an API server drops those."""
    told = list(checker.validator.iter_errors(checker.filled(document.value)))
    there = [(list(error.instance_path), _required(error)) for error in told]
    for error in checker.validator.iter_errors(checker.filled(_without_nothing(document.value))):
        path = list(error.instance_path)
        field = _required(error)
        if (
            field
            and (path, field) not in there
            and [*path, field] not in [list(each.instance_path) for each in told]
        ):
            yield _missing(document, path, field)


def _required(error: Any) -> str:
    """The field that an error finds missing; empty for other errors."""
    return str(error.kind.property) if error.kind.name == "required" else ""


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(each) for key, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


def _explained(document: Document, checker: Checker, error: ValidationError) -> Iterator[Problem]:
    path = list(error.instance_path)
    kind: Any = error.kind
    name = kind.name
    if name == "additionalProperties":
        for field in kind.unexpected:
            yield _unknown(document, checker, error, path, field)
    elif name == "required":
        given = document.get(*path) or {}
        fields = checker.part([*error.schema_path][:-1]).get("properties", {})
        misspelt = [key for key in given if key not in fields and close_to(key, fields) == kind.property]
        if not misspelt:  # else the unknown field is the mistake, and is told
            yield _missing(document, path, kind.property)
    elif name == "type":
        types = [str(each) for each in kind.types] if hasattr(kind, "types") else []
        yield _wrong_type(document, path, types, error.instance)
    elif name in ("oneOf", "anyOf"):
        node = checker.part([*error.schema_path][:-1])
        patterns = [option.get("pattern") for option in node.get(name, ()) if isinstance(option, dict)]
        if PATTERN in patterns and isinstance(error.instance, str):
            yield _no_quantity(document, path, error.instance)
            return
        types = [
            each
            for option in node.get(name, ())
            for each in ([option["type"]] if isinstance(option.get("type"), str) else option.get("type", []))
        ]
        yield _wrong_type(document, path, types, error.instance)
    elif name == "enum":
        yield _none_of(document, path, list(kind.options), error.instance)
    elif name == "pattern" and "[KMGTPE]i" in kind.pattern:
        yield _no_quantity(document, path, str(error.instance))
    elif name in ("minimum", "maximum"):
        bound = "at least" if name == "minimum" else "at most"
        message = f"`{field_path(path)}` is {shown(error.instance)}, and must be {bound} "
        yield Problem(document.file, *document.place(path), f"{message}{kind.limit}.", path=field_path(path))
    else:
        yield Problem(
            document.file,
            *document.place(path),
            f"`{field_path(path)}`: {error.message}.",
            path=field_path(path),
        )


def _unknown(
    document: Document, checker: Checker, error: ValidationError, path: list[str | int], field: str
) -> Problem:
    node = checker.part([*error.schema_path][:-1])
    fields = list(node.get("properties", ()))
    place = document.place([*path, field], key=True)
    where = f"`{field_path(path)}`" if path else document.kind
    message = f"unknown field `{field}`: {where} has none of that name."
    close = close_to(field, fields)
    if close and close not in (document.get(*path) or {}):
        hint = f"Did you mean `{close}`?"
    elif home := _home(document, checker, error, path, field):
        hint = f"`{field}` is a field of `{home}`: look at the indentation."
    elif close:
        hint = f"Did you mean `{close}`? It is there already, in line {document.place([*path, close], key=True)[0]}."
    elif len(fields) <= 14 and fields:
        hint = f"Fields are: {', '.join(sorted(fields))}."
    else:
        hint = "Remove it: an API server drops it silently, or refuses the object."
    return Problem(document.file, *place, message, hint, path=field_path([*path, field]))


def _home(
    document: Document, checker: Checker, error: ValidationError, path: list[str | int], field: str
) -> str:
    """Where a field belongs: below a key beside it that has nothing; or else one level up, down, or beside."""
    here = checker.part([*error.schema_path][:-1])
    for name, value in mapping(document.get(*path)).items():
        empty = checker.follow(here.get("properties", {}).get(name, {})) if value is None else {}
        if field in empty.get("properties", ()):
            return field_path([*path, name])
    level = [(field_path(path), here)]
    for _ in range(3):
        level = [inner for outer in level for inner in _below(checker, *outer)]
        for where, node in level:
            if field in node.get("properties", ()):
                return where
    for up in range(1, len(path) + 1):
        above = _schema_at(checker, path[:-up])
        if field in above.get("properties", ()):
            return field_path(path[:-up]) or document.kind
        for name in ("spec", "template", "metadata"):
            beside = checker.follow(above.get("properties", {}).get(name, {}))
            if field in beside.get("properties", ()):
                return field_path([*path[:-up], name])
    return ""


def _below(checker: Checker, where: str, node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The mappings one level down, with their paths."""
    for name, below in node.get("properties", {}).items():
        inner = checker.follow(below)
        listed = isinstance(inner.get("items"), dict)
        inner = checker.follow(inner["items"]) if listed else inner
        if name not in ("status", "managedFields", "metadata"):
            yield f"{where}.{name}".lstrip(".") + ("[]" if listed else ""), inner


def _schema_at(checker: Checker, path: list[str | int]) -> dict[str, Any]:
    """The schema of the value at a path of the object."""
    node = checker.follow(checker.schema)
    for step in path:
        properties = node.get("properties", {})
        if isinstance(step, int):
            below = node.get("items", {})
        else:
            below = properties.get(step) or node.get("additionalProperties", {})
        node = checker.follow(below) if isinstance(below, dict) else {}
    return node


def _missing(document: Document, path: list[str | int], field: str) -> Problem:
    above = field_path(path)
    whole = field_path([*path, field])
    empty = field in mapping(document.get(*path))
    place = document.place([*path, field] if empty else path, key=True)
    there = f"`{above}`" if path else document.kind or "the object"
    why = WHY_REQUIRED.get(field, "")
    hint = f"Add `{field}:` below {there}."
    if empty:
        hint = "Nothing stands below it: is the next line indented too little?"
    if field == "selector" and (labels := mapping(document.get(*path, "template", "metadata", "labels"))):
        text = ", ".join(f"{key}: {shown(value)}" for key, value in list(labels.items())[:3])
        hint = f"Add, with the labels of the template: selector: {{matchLabels: {{{text}}}}}"
    elif field == "handler":
        hint = (
            "Such as `handler: crun`, or spin, or wasmtime: the name in the node's containerd configuration."
        )
        if document.get("spec", "handler") is not None:
            hint = "It stands below spec here; in node.k8s.io/v1 it stands at the top: move it there."
    return Problem(
        document.file,
        *place,
        f"{there} has {'nothing in its' if empty else 'no'} `{field}`, which it must have.{' ' + why if why else ''}",
        hint,
        "warning" if (document.kind, whole) in LENIENT else "error",
        path=whole,
    )


def _wrong_type(document: Document, path: list[str | int], types: list[str], value: Any) -> Problem:
    wanted = [_NAMES.get(each, each) for each in dict.fromkeys(types) if each != "null"]
    node = document.node.at(path)
    says = _kind_of(value)
    message = f"`{field_path(path)}` must be {' or '.join(wanted) or 'something else'}, and is {says}."
    return Problem(
        document.file,
        *document.place(path),
        message,
        _type_mend(types, value, node.raw, node.quoted, path),
        path=field_path(path),
    )


def _kind_of(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"{shown(value)}, which is no text"
    if isinstance(value, int | float):
        return f"the number {shown(value)}"
    if isinstance(value, str):
        return f"the text {shown(value)}"
    return f"a list: {shown(value)}" if isinstance(value, list) else f"a mapping: {shown(value)}"


def _type_mend(types: list[str], value: Any, raw: str, quoted: bool, path: list[str | int]) -> str:
    if "string" in types and isinstance(value, bool):
        if raw.lower() in ("true", "false"):
            return f'Write it in quotes: "{raw}".'
        return (
            f'Write it in quotes: "{raw}". In YAML 1.1, which Kubernetes reads, {raw} means {shown(value)}.'
        )
    if "string" in types and isinstance(value, int | float):
        return f'Write it in quotes: "{raw}".'
    if isinstance(value, str) and quoted and types:
        if {"integer", "number"} & {*types} and re.fullmatch(r"-?\d+(\.\d+)?", value):
            return f"Write it without quotes: {value}"
        if "boolean" in types and value.lower() in ("true", "false", "yes", "no", "on", "off"):
            return f"Write it without quotes: {'true' if value.lower() in ('true', 'yes', 'on') else 'false'}"
    if "array" in types and value is not None and not isinstance(value, list):
        return "Put a dash before it: `- …`; one entry, too, is a list."
    if "object" in types and isinstance(value, list):
        if value and all(isinstance(each, dict) and len(each) == 1 for each in value):
            return "Remove the dashes: these are keys of one mapping."
        if value and isinstance(value[0], str) and "=" in value[0]:
            key, _, given = value[0].partition("=")
            return f"Write `{key}: {given}`, not `- {key}={given}`."
        return "Remove the dashes."
    if "object" in types and isinstance(value, str) and ":" in value:
        return "A space must stand after the colon: `key: value`."
    if value is None and path:
        return "Nothing stands below it: is the next line indented too little?"
    return ""


def _no_quantity(document: Document, path: list[str | int], value: str) -> Problem:
    why, hint = quantity_explained(value)
    return Problem(
        document.file,
        *document.place(path),
        f"`{field_path(path)}` is {shown(value)}, which is no quantity.{why}",
        hint,
        path=field_path(path),
    )


def _none_of(document: Document, path: list[str | int], options: list[Any], value: Any) -> Problem:
    close = close_to(str(value), [str(each) for each in options if each is not None])
    listed = ", ".join(str(each) for each in options if each is not None)
    return Problem(
        document.file,
        *document.place(path),
        f"`{field_path(path)}` is {shown(value)}, and must be one of {listed}.",
        f"Did you mean {close}?" if close else "",
        path=field_path(path),
    )
