"""Version 1 of the manifest: what differs, and the same application in version 2."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.checker import as_toml
from wasm_lab.scenarios.spin.ids import as_id, why_not_an_id
from wasm_lab.scenarios.spin.outbound import RuleError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.scenarios.spin.checker import Checker, Table

#: Keys of a version 1 component that version 2 has too, in the order in which they are written.
SAME = (
    "source",
    "description",
    "environment",
    "files",
    "exclude_files",
    "key_value_stores",
    "sqlite_databases",
    "ai_models",
)
OTHER = ("id", "trigger", "config", "allowed_http_hosts", "allowed_outbound_hosts", "build")
TOP = ("name", "version", "description", "authors")


class NoWay(Exception):
    """The version 1 file is itself wrong, so nothing can be made of it; says what is wrong."""


def outbound_for_http_hosts(hosts: Sequence[str]) -> list[str]:
    """Write version 1's ``allowed_http_hosts`` as entries of ``allowed_outbound_hosts``.

    Raises:
        RuleError: an entry is no host.

    Example:
        >>> outbound_for_http_hosts(["example.com:8080"])
        ['http://example.com:8080', 'https://example.com:8080']
    """
    if "insecure:allow-all" in hosts:
        return ["http://*:*", "https://*:*", "http://self"]
    found = []
    for text in hosts:
        match = re.fullmatch(r"(?:(https?)://)?(\[[0-9A-Fa-f:.]+\]|[^/:\s]+)(:[0-9]{1,5})?(/.*)?", text)
        if match is None:
            raise RuleError(f"`{text}` is no host or host:port", 'Such as "api.example.com".')
        if match[4] and match[4] != "/":
            raise RuleError(
                f"`{text}` has a path: an entry is a host only", f'Write "{match[2]}{match[3] or ""}".'
            )
        if match[2] == "self":
            found.append("http://self")
        else:
            found += [f"{scheme}://{match[2]}{match[3] or ''}" for scheme in ("http", "https")]
    return found


def explain_version1(check: Checker, values: Table) -> None:
    """Note each place of a version 1 file that is written otherwise in version 2."""
    key = "spin_version" if "spin_version" in values else "spin_manifest_version"
    check.say(
        (key,),
        "this is a version 1 manifest, of Spin 1; the lab reads version 2",
        "Write spin_manifest_version = 2, and the rest as below.",
        at_key=True,
    )
    moved = [name for name in TOP if name in values]
    if moved:
        names = ", ".join(f"`{name}`" for name in moved)
        lines = "\n".join(f"{name} = {as_toml(values[name])}" for name in moved)
        check.say(
            (moved[0],), f"in version 2 [application] holds {names}", f"[application]\n{lines}", at_key=True
        )
    trigger = values.get("trigger")
    kind = str(trigger.get("type", "http")) if isinstance(trigger, Mapping) else "http"
    if isinstance(trigger, Mapping):
        why = "in version 2 the application has no trigger of its own: each route or channel is one"
        check.say(("trigger",), why, f"Write one [[trigger.{kind}]] for each component.", at_key=True)
    components = values.get("component")
    for number, component in enumerate(components if isinstance(components, list) else []):
        if isinstance(component, Mapping):
            name = _new_id(component.get("id", f"component-{number + 1}"))
            why = "in version 2 a component has its id in its header, and its trigger apart from it"
            hint = f"[component.{name}]\nand [[trigger.{kind}]] with component = {as_toml(name)}"
            check.say(("component", number), why, hint, at_key=True)


def _new_id(old: object) -> str:
    name = str(old)
    return as_id(name) if why_not_an_id(name) else name


def as_version2(values: Table) -> str:
    """Write a version 1 manifest as version 2; comments of the original are lost.

    Raises:
        NoWay: it is wrong as version 1 too.
    """
    trigger = values.get("trigger")
    if not isinstance(trigger, Mapping) or not isinstance(trigger.get("type"), str):
        raise NoWay('`trigger = { type = "http" }` is missing')
    components = values.get("component", [])
    if not isinstance(components, list) or not all(isinstance(entry, Mapping) for entry in components):
        raise NoWay("`component` must be written [[component]]")
    if not isinstance(values.get("name"), str):
        raise NoWay("`name` is missing")
    kind = trigger["type"]
    base = str(trigger.get("base", "/")) if kind == "http" else "/"
    settings = {
        key: value for key, value in trigger.items() if key != "type" and (kind, key) != ("http", "base")
    }
    lines = ["spin_manifest_version = 2", "", "[application]"]
    lines += [f"{key} = {as_toml(values[key])}" for key in TOP if key in values]
    if settings:
        lines += ["", f"[application.trigger.{kind}]", *_pairs(settings)]
    if isinstance(values.get("variables"), Mapping):
        lines += ["", "[variables]", *_pairs(values["variables"])]
    for component in components:
        lines += _component(component, kind, base)
    return "\n".join(lines) + "\n"


def _pairs(table: Table) -> list[str]:
    return [f"{key} = {as_toml(value)}" for key, value in table.items()]


def _component(component: Table, kind: str, base: str) -> list[str]:
    old = component.get("id")
    if not isinstance(old, str) or "source" not in component:
        raise NoWay("a component has no `id` or no `source`")
    unknown = sorted(set(component) - set(SAME) - set(OTHER))
    if unknown:
        raise NoWay(f"the component `{old}` has the unknown key `{unknown[0]}`")
    name = _new_id(old)
    trigger = component.get("trigger", {})
    if not isinstance(trigger, Mapping):
        raise NoWay(f"the trigger of the component `{old}` is no table")
    lines = ["", f"[[trigger.{kind}]]", f"component = {as_toml(name)}"]
    for key, value in trigger.items():
        if (
            key == "executor"
            and isinstance(value, Mapping)
            and value.get("type") not in ("spin", "http", "wagi")
        ):
            continue  # of a Spin before 1.0
        based = (
            base.rstrip("/") + "/" + value.lstrip("/") if key == "route" and isinstance(value, str) else value
        )
        lines.append(f"{key} = {as_toml(based)}")
    lines += ["", f"[component.{name}]"]
    lines += [f"{key} = {as_toml(component[key])}" for key in SAME if key in component]
    if isinstance(component.get("config"), Mapping):
        lines.append(f"variables = {as_toml(component['config'])}")
    lines += _hosts(component, old)
    if isinstance(component.get("build"), Mapping):
        lines += ["", f"[component.{name}.build]", *_pairs(component["build"])]
    return lines


def _hosts(component: Table, name: str) -> list[str]:
    given: Any = component.get("allowed_outbound_hosts")
    try:
        hosts = outbound_for_http_hosts(component.get("allowed_http_hosts", []))
    except (RuleError, TypeError) as error:
        raise NoWay(f"allowed_http_hosts of the component `{name}`: {error}") from None
    if isinstance(given, list):
        return [f"allowed_outbound_hosts = {as_toml([*given, *hosts])}"]
    note = '# Version 1 allowed every Redis, MySQL and PostgreSQL server: add those you use, as "redis://host:6379".'
    return [note, f"allowed_outbound_hosts = {as_toml(hosts)}"]
