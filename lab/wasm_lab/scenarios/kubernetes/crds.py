"""Custom resources: SpinKube's, and those whose definitions are given or stand in the same files."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import mapping
from wasm_lab.scenarios.kubernetes.schemas import Checker, compiled, schemas

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.scenarios.kubernetes.documents import Document

_KEPT = {
    "type",
    "enum",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "multipleOf",
    "required",
}
_LOGIC = ("allOf", "anyOf", "oneOf")


class Definitions:
    """Schemas of custom resources by apiVersion and kind."""

    def __init__(self) -> None:
        self._schemas: dict[tuple[str, str], dict[str, Any]] = {}
        self._checkers: dict[tuple[str, str, str], Checker] = {}
        self._spinkube()

    @property
    def groups(self) -> dict[str, list[tuple[str, str]]]:
        """Every group with what it has."""
        found: dict[str, list[tuple[str, str]]] = {}
        for key in self._schemas:
            found.setdefault(key[0].rpartition("/")[0], []).append(key)
        return found

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._schemas

    def checker(self, api_version: str, kind: str, version: str) -> Checker | None:
        """What an object must be, with Kubernetes' own types as of a version."""
        schema = self._schemas.get((api_version, kind))
        if schema is None:
            return None
        key = (api_version, kind, version)
        if key not in self._checkers:
            names = [ref.rsplit("/", 1)[1] for ref in _refs(schema)]
            made = compiled(schema, schemas(version).closure([*dict.fromkeys(names)]))
            self._checkers[key] = replace(made, fills=True)
        return self._checkers[key]

    def add(self, documents: Iterable[Document]) -> int:
        """Take the definitions that stand in documents; gives how many there were."""
        count = 0
        for document in documents:
            if document.kind != "CustomResourceDefinition" or not isinstance(document.value, dict):
                continue
            group, kind = document.text("spec", "group"), document.text("spec", "names", "kind")
            versions = document.get("spec", "versions")
            for version in versions if isinstance(versions, list) else []:
                schema = _schema_of(version)
                if schema is not None and group and kind:
                    self._schemas[(f"{group}/{mapping(version).get('name')}", kind)] = _object(schema)
                    count += 1
        return count

    def _spinkube(self) -> None:
        from importlib.resources import files

        text = files("wasm_lab.scenarios.kubernetes").joinpath("spinkube.json").read_text("utf-8")
        for entry in json.loads(text)["kinds"]:
            self._schemas[(entry["apiVersion"], entry["kind"])] = entry["schema"]


def _schema_of(version: Any) -> dict[str, Any] | None:
    schema = mapping(mapping(mapping(version).get("schema")).get("openAPIV3Schema"))
    try:
        compiled(strict(schema), {})
    except ValueError:  # no schema at all, which the check of the definition itself says
        return None
    return schema or None


_META = {"$ref": "#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}


def _object(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a whole object: metadata is Kubernetes' own."""
    whole = strict(schema)
    properties = whole.setdefault("properties", {})
    properties |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _META}
    return whole


def strict(schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """A schema of a definition as JSON Schema that refuses unknown fields, as an API server's strict check does."""
    if depth > 100:
        return {}
    made: dict[str, Any] = {key: value for key, value in schema.items() if key in {*_KEPT, "default"}}
    for bound in ("Minimum", "Maximum"):  # OpenAPI 3.0 has a flag where JSON Schema has a number
        if isinstance(made.get(f"exclusive{bound}"), bool) and made.pop(f"exclusive{bound}"):
            made[f"exclusive{bound}"] = made.pop(bound.lower(), 0)
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    for word in _LOGIC:
        if isinstance(schema.get(word), list) and not schema.get("x-kubernetes-int-or-string"):
            # Inside these, schemas only restrict: what fields there are, is said outside.
            made[word] = [_restriction(each) for each in schema[word] if isinstance(each, dict)]
    if isinstance(schema.get("not"), dict):
        made["not"] = _restriction(schema["not"])
    if isinstance(schema.get("items"), dict):
        made["items"] = strict(schema["items"], depth + 1)
    properties = schema.get("properties")
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get(
        "x-kubernetes-embedded-resource"
    )
    if isinstance(properties, dict):
        made["properties"] = {
            name: strict(below, depth + 1) for name, below in properties.items() if isinstance(below, dict)
        }
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        made["additionalProperties"] = strict(more, depth + 1)
    elif isinstance(properties, dict) and not open_ended and more is not True:
        made["additionalProperties"] = False
    if isinstance(made.get("type"), str) and schema.get("nullable"):
        made["type"] = [made["type"], "null"]
    elif isinstance(made.get("type"), str) and depth:
        # null for a field with a default, or for one that is not required, is dropped by the server.
        made["type"] = [made["type"], "null"]
    if "enum" in made and isinstance(made["enum"], list) and depth:
        made["enum"] = [*made["enum"], None]
    return made


def _restriction(schema: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: value for key, value in schema.items() if key in _KEPT}
    for word in _LOGIC:
        if isinstance(schema.get(word), list):
            kept[word] = [_restriction(each) for each in schema[word] if isinstance(each, dict)]
    if isinstance(schema.get("not"), dict):
        kept["not"] = _restriction(schema["not"])
    if isinstance(schema.get("properties"), dict):
        kept["properties"] = {
            k: _restriction(v) for k, v in schema["properties"].items() if isinstance(v, dict)
        }
    if isinstance(schema.get("items"), dict):
        kept["items"] = _restriction(schema["items"])
    return kept


def _refs(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _refs(value)]
    return [ref for each in node for ref in _refs(each)] if isinstance(node, list) else []
