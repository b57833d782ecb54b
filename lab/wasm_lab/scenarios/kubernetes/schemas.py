"""The schemas of one version of Kubernetes: which kinds there are, and a compiled validator for each.

A version is one file of 1.8 MB with a definition for each type. A validator is made of only those that a kind
reaches, when the first object of that kind comes; it is shared between versions whose definitions are equal.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import ToolchainError
from wasm_lab.scenarios.kubernetes.quantities import PATTERN
from wasm_lab.scenarios.kubernetes.versions import INSTALL, known_versions, schemas_folder

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Definitions that are stricter here, or read better in messages. The published one of a quantity takes any
#: text; the grammar is only in its description. That of a number or name is satisfied twice by null.
OWN: dict[str, dict[str, Any]] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "anyOf": [{"type": ["number", "null"]}, {"type": "string", "pattern": PATTERN}]
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": ["string", "integer", "null"]},
}


@dataclass(frozen=True, slots=True)
class Checker:
    """What an object of one kind must be."""

    schema: dict[str, Any]
    validator: Draft202012Validator
    fills: bool = False  #: whether an API server fills in the schema's defaults before it checks

    def filled(self, value: Any) -> Any:
        """The object as an API server checks it: with the defaults of a custom resource's definition."""
        return with_defaults(value, self.schema) if self.fills else value

    def part(self, path: list[str | int]) -> dict[str, Any]:
        """The part of the schema at a path that a validator gave, references followed on the way."""
        node: Any = self.schema
        for step in path:
            node = node[step]
            node = self.follow(node) if isinstance(node, dict) else node
        return node if isinstance(node, dict) else {}

    def follow(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = self.schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
        return node


class Schemas:
    """Every kind of one version."""

    def __init__(self, version: str) -> None:
        self.version = version

    @functools.cached_property
    def _definitions(self) -> dict[str, dict[str, Any]]:
        folders = sorted(schemas_folder().glob(f"v{self.version}.*-local-strict"))
        with (folders[-1] / "_definitions.json").open("rb") as stream:
            definitions: dict[str, dict[str, Any]] = json.load(stream)["$defs"]
        return definitions

    @functools.cached_property
    def kinds(self) -> dict[tuple[str, str], str]:
        """The name of the definition by apiVersion and kind."""
        found = {}
        for name, definition in self._definitions.items():
            for entry in definition.get("x-kubernetes-group-version-kind", ()):
                group = f"{entry['group']}/" if entry["group"] else ""
                # Types of the API's own calls (DeleteOptions and so on) name every group; they are no objects.
                if ".meta.v1." not in name:
                    found[(group + entry["version"], entry["kind"])] = name
        return found

    def checker(self, api_version: str, kind: str) -> Checker | None:
        """What an object of a kind must be; None where this version has no such kind."""
        name = self.kinds.get((api_version, kind))
        return self._compiled(name) if name else None

    @functools.cache  # noqa: B019  # one for each version, for as long as the process lives
    def _compiled(self, name: str) -> Checker:
        return compiled({"$ref": f"#/$defs/{name}"}, self.closure([name]))

    def closure(self, names: list[str]) -> dict[str, Any]:
        """The definitions that some reach, without their descriptions."""
        taken: dict[str, Any] = {}
        todo = [*names]
        while todo:
            name = todo.pop()
            if name not in taken:
                taken[name] = OWN.get(name) or _lean(self._definitions[name], todo)
        return taken


def _lean(node: Any, names: list[str]) -> Any:
    """A definition without its texts; the names it refers to are added to ``names``."""
    if isinstance(node, dict):
        lean: dict[str, Any] = {}
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                name = value.rsplit("/", 1)[1]
                names.append(name)
                lean[key] = f"#/$defs/{name}"
            elif key == "description" and isinstance(value, str):
                continue
            elif key == "format" and value == "int32":
                lean |= {"minimum": -(2**31), "maximum": 2**31 - 1}
            else:
                lean[key] = _lean(value, names)
        return lean
    return [_lean(each, names) for each in node] if isinstance(node, list) else node


def with_defaults(value: Any, schema: Any) -> Any:
    """A value with the defaults of its schema where nothing stands.

    Source: "Defaulting" in kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/
    custom-resource-definitions; a default may itself hold fields with defaults.

    Example:
        >>> with_defaults({"b": 2}, {"properties": {"a": {"default": 1}}})
        {'b': 2, 'a': 1}
    """
    if not isinstance(schema, dict):
        return value
    if isinstance(value, list):
        return [with_defaults(each, schema.get("items")) for each in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    more = schema.get("additionalProperties")
    made = {key: with_defaults(each, known.get(key, more)) for key, each in value.items()}
    for key, below in known.items():
        if made.get(key) is None and isinstance(below, dict) and "default" in below:
            made[key] = with_defaults(below["default"], below)
    return made


_MADE: dict[bytes, Checker] = {}


def compiled(schema: dict[str, Any], definitions: dict[str, Any]) -> Checker:
    """A validator, made once for each different schema.

    Raises:
        ToolchainError: ``jsonschema-rs`` is not installed.
    """
    try:
        from jsonschema_rs import Draft202012Validator
    except ImportError as error:
        raise ToolchainError(
            "The checker of schemas, jsonschema-rs, is not installed.", hint=INSTALL
        ) from error
    whole = {"$schema": _DIALECT, **schema, "$defs": definitions}
    key = hashlib.blake2b(json.dumps(whole, sort_keys=True).encode()).digest()
    if key not in _MADE:
        _MADE[key] = Checker(whole, Draft202012Validator(whole))
    return _MADE[key]


@functools.cache
def schemas(version: str) -> Schemas:
    """The schemas of a minor version, such as ``1.37``."""
    return Schemas(version)


def versions_with(api_version: str, kind: str) -> tuple[str, ...]:
    """Every version that has a kind, among all that are known. Slow at first: it reads every version's file."""
    return tuple(version for version in known_versions() if (api_version, kind) in schemas(version).kinds)
