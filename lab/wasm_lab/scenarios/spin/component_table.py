"""Reading ``[component.<id>]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.checker import as_toml, kind
from wasm_lab.scenarios.spin.dependency_table import check_dependencies
from wasm_lab.scenarios.spin.ids import as_id, why_not_an_id
from wasm_lab.scenarios.spin.manifest import (
    Build,
    ComponentManifest,
    FileMount,
    LocalSource,
    RegistrySource,
    RemoteSource,
)
from wasm_lab.scenarios.spin.outbound import RuleError, parse_rule
from wasm_lab.scenarios.spin.templates import TemplateError, names_in
from wasm_lab.scenarios.spin.version1 import outbound_for_http_hosts

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from wasm_lab.scenarios.spin.checker import Checker, Table
    from wasm_lab.scenarios.spin.manifest import Source
    from wasm_lab.scenarios.spin.toml_text import Path

#: The keys of a component.
KEYS = frozenset(
    "source description variables environment files exclude_files allowed_http_hosts allowed_outbound_hosts "
    "key_value_stores sqlite_databases ai_models targets build tool dependencies_inherit_configuration "
    "dependencies profile blob_containers".split()
)

#: What is said of a component's key that stands elsewhere.
BELONGS = dict.fromkeys(
    KEYS - {"description", "targets", "tool", "variables"}, "It belongs to a component: [component.<id>]."
)

#: Usual wrong keys, and where the writer meant to go.
MENDS = {
    "id": "In version 2 the id stands in the header: [component.my-id].",
    "name": "A component's name is its id, which stands in the header: [component.my-id].",
    "trigger": 'In version 2 the trigger stands apart: [[trigger.http]] with route = "/..." and component = "<id>".',
    "route": 'The route belongs to the trigger: [[trigger.http]] with route = "/..." and component = "<id>".',
    "channel": 'The channel belongs to the trigger: [[trigger.redis]] with channel = "…" and component = "<id>".',
    "config": 'In version 2 this is `variables`: variables = { name = "{{ name }}" }.',
    "env": 'Did you mean `environment`? Such as environment = { NAME = "value" }.',
    "command": 'The build command stands in a table of its own: [component.<id>.build] with command = "…".',
    "workdir": "This belongs to [component.<id>.build].",
    "watch": "This belongs to [component.<id>.build].",
    "executor": "The executor belongs to the trigger: [[trigger.http]].",
    "kv_stores": 'Did you mean `key_value_stores`? Such as key_value_stores = ["default"].',
    "databases": 'Did you mean `sqlite_databases`? Such as sqlite_databases = ["default"].',
    "allowed_hosts": 'Did you mean `allowed_outbound_hosts`? Such as ["https://api.example.com"].',
    "outbound_hosts": 'Did you mean `allowed_outbound_hosts`? Such as ["https://api.example.com"].',
    "mount": 'Did you mean `files`? Such as files = [{ source = "assets", destination = "/" }].',
}


def read_component(
    check: Checker, table: Table, path: Path, component_id: str, *, folder: FilePath, profile: str | None
) -> ComponentManifest:
    """Read one component and note what is wrong with it.

    Args:
        check: notes the problems.
        table: the component's own table.
        path: where it stands.
        component_id: its id.
        folder: what relative paths start from.
        profile: the build profile whose overrides are applied.
    """
    check.components[component_id] = path
    check.known(table, path, KEYS, MENDS)
    overrides = _profile(check, table, path, profile)
    source = _source(check, table, path, folder)
    variables = check.text_table(table, path, "variables")
    for name, text in variables.items():
        if why := why_not_an_id(name, "_", lower=True):
            check.say(
                (*path, "variables", name),
                f"`{name}` is no name of a variable: {why}",
                f"Such as `{as_id(name, '_')}`.",
                at_key=True,
            )
        check.template(text, (*path, "variables", name))
    environment = check.text_table(table, path, "environment")
    for name, text in environment.items():
        _literal_braces(check, text, (*path, "environment", name))
    build = _build(check, table, path, folder)
    check_dependencies(check, table, path)
    if check.texts(table, path, "blob_containers"):
        why = "`blob_containers` is of a Spin that is not released, and the lab's host has no such stores"
        check.say((*path, "blob_containers"), why, "", "note", at_key=True)
    check.flag(table, path, "dependencies_inherit_configuration")
    check_targets(check, table, path)
    check_tool(check, table, path)
    if "source" in overrides:
        source = _source(check, overrides, (*path, "profile", str(profile)), folder) or source
    if "environment" in overrides:
        environment |= {
            key: value for key, value in overrides["environment"].items() if isinstance(value, str)
        }
    if build and isinstance(overrides.get("build"), Mapping) and "command" in overrides["build"]:
        command = overrides["build"]["command"]
        commands = (command,) if isinstance(command, str) else tuple(map(str, command))
        build = Build(commands=commands, workdir=build.workdir, watch=build.watch)
    return ComponentManifest(
        id=component_id,
        source=source or LocalSource(path=folder, written=""),
        description=check.text(table, path, "description"),
        variables=variables,
        environment=environment,
        files=_files(check, table, path),
        exclude_files=check.texts(table, path, "exclude_files"),
        allowed_outbound_hosts=_outbound(check, table, path),
        key_value_stores=_labels(check, table, path, "key_value_stores"),
        sqlite_databases=_labels(check, table, path, "sqlite_databases"),
        ai_models=check.texts(table, path, "ai_models"),
        build=build,
        dependencies=dict(table["dependencies"]) if isinstance(table.get("dependencies"), Mapping) else {},
        tool=dict(table["tool"]) if isinstance(table.get("tool"), Mapping) else {},
        line=check.line(path),
    )


def _source(check: Checker, table: Table, path: Path, folder: FilePath) -> Source | None:
    if check.missing(
        table, path, "source", "a component is a Wasm file", 'Such as source = "target/app.wasm".'
    ):
        return None
    value = table["source"]
    path = (*path, "source")
    if isinstance(value, str):
        if not value:
            check.say(path, "`source` is empty", 'Such as source = "target/app.wasm".')
        return LocalSource(path=folder / value, written=value)
    forms = 'Either "a/file.wasm", or { url = "…", digest = "sha256:…" }, or { registry, package, version }.'
    if not isinstance(value, Mapping):
        check.say(path, f"`source` must be a path or a table, and is {kind(value)}", forms)
        return None
    if "url" in value or "digest" in value:
        check.known(value, path, ("url", "digest"))
        complete = [
            not check.missing(
                value, path, key, "a file from the network has an address and a checksum", forms
            )
            for key in ("url", "digest")
        ]
        if not all(complete):
            return None
        digest = check.text(value, path, "digest")
        if not digest.startswith("sha256:"):
            check.say(
                (*path, "digest"),
                "`digest` must begin with sha256:",
                'Such as digest = "sha256:<64 digits>".',
            )
        elif not re.fullmatch(r"sha256:[0-9a-fA-F]{64}", digest):
            why = (
                f"`digest` is no SHA-256: behind sha256: stand 64 hexadecimal digits, here {len(digest) - 7}"
            )
            check.say((*path, "digest"), why, "`sha256sum FILE` prints them.")
        return RemoteSource(url=check.text(value, path, "url"), digest=digest)
    if "package" in value or "registry" in value or "version" in value:
        check.known(value, path, ("registry", "package", "version"))
        for key in ("package", "version"):
            check.missing(value, path, key, "a file from a registry has a package and a version", forms)
        package, version = check.text(value, path, "package"), check.text(value, path, "version")
        if package and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*:[A-Za-z][A-Za-z0-9-]*", package):
            check.say((*path, "package"), f"`{package}` is no package", 'Such as package = "namespace:name".')
        if version and not is_semver(version):
            why = f"`{version}` is no exact version"
            check.say((*path, "version"), why, 'Three numbers: version = "1.2.3".')
        registry = check.text(value, path, "registry") or None
        return RegistrySource(package=package, version=version, registry=registry)
    check.say(path, "`source` is a table of no known form", forms)
    return None


def is_semver(text: str) -> bool:
    """Say whether a text is a semantic version such as 1.2.3 or 1.0.0-rc.1+5."""
    return bool(re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", text))


def _literal_braces(check: Checker, text: str, path: Path) -> None:
    try:
        templated = bool(names_in(text))
    except TemplateError:
        templated = True
    if templated:
        check.say(
            path,
            "Spin fills in no variables in `environment`: the component sees the braces themselves",
            "Use `variables`, and read them by the variables interface.",
            "note",
        )


def _files(check: Checker, table: Table, path: Path) -> tuple[FileMount, ...]:
    value = table.get("files", [])
    path = (*path, "files")
    if not isinstance(value, list):
        entry = as_toml(value) if isinstance(value, str | Mapping) else '"assets/*"'
        check.say(path, f"`files` must be a list, and is {kind(value)}", f"Write files = [{entry}].")
        return ()
    mounts = []
    for number, entry in enumerate(value):
        place = (*path, number)
        if isinstance(entry, str):
            if re.search(r"(^|/)\.\.?$", entry):
                why = f"the pattern {entry!r} ends in a folder, which a pattern cannot name"
                check.say(place, why, 'Write a pattern such as "assets/**/*", or { source, destination }.')
            mounts.append(FileMount(source=entry))
        elif isinstance(entry, Mapping):
            check.known(entry, place, ("source", "destination"))
            example = 'Such as { source = "assets", destination = "/" }.'
            complete = [
                not check.missing(entry, place, key, "a folder has a place in the guest", example)
                for key in ("source", "destination")
            ]
            if all(complete):
                source, to = check.text(entry, place, "source"), check.text(entry, place, "destination")
                mounts.append(FileMount(source=source, destination=to))
        else:
            why = f"an entry of `files` must be a pattern or {{ source, destination }}, and is {kind(entry)}"
            check.say(place, why)
    return tuple(mounts)


def _outbound(check: Checker, table: Table, path: Path) -> tuple[str, ...]:
    key = "allowed_outbound_hosts"
    hosts = list(check.texts(table, path, key))
    for number, text in enumerate(hosts):
        place = (*path, key, number)
        try:
            templated = bool(names_in(text))
        except TemplateError:
            templated = True
        if templated:
            check.template(text, place)
            continue
        try:
            parse_rule(text)
        except RuleError as error:
            check.say(place, str(error), error.hint)
    if "allowed_http_hosts" in table:
        old = check.texts(table, path, "allowed_http_hosts")
        place = (*path, "allowed_http_hosts")
        try:
            new = outbound_for_http_hosts(old)
        except RuleError as error:
            check.say(place, str(error), error.hint)
        else:
            mend = f"Write allowed_outbound_hosts = {as_toml(hosts + new)}."
            check.say(
                place, "`allowed_http_hosts` is of version 1, and deprecated", mend, "note", at_key=True
            )
            hosts += new
    return tuple(hosts)


def _labels(check: Checker, table: Table, path: Path, key: str) -> tuple[str, ...]:
    labels = check.texts(table, path, key)
    for number, label in enumerate(labels):
        if why_not_an_id(label, "-") and why_not_an_id(label, "_"):
            why = why_not_an_id(label, "_" if "_" in label else "-")
            check.say(
                (*path, key, number), f"{label!r} is no label: {why}", f"Such as {as_toml(as_id(label))}."
            )
    return labels


def _build(check: Checker, table: Table, path: Path, folder: FilePath) -> Build | None:
    if "build" not in table:
        return None
    if isinstance(table["build"], str):
        hint = f"Write [component.<id>.build] and below it command = {as_toml(table['build'])}."
        check.say((*path, "build"), "`build` must be a table, and is text", hint)
        return None
    build = check.table(table, path, "build")
    path = (*path, "build")
    check.known(build, path, ("command", "workdir", "watch"), {"commands": "Did you mean `command`?"})
    commands = _commands(check, build, path)
    workdir = folder / check.text(build, path, "workdir", ".")
    return (
        Build(commands=commands, workdir=workdir, watch=check.texts(build, path, "watch"))
        if commands
        else None
    )


def _commands(check: Checker, build: Table, path: Path) -> tuple[str, ...]:
    example = 'Such as command = "cargo build --target wasm32-wasip1 --release".'
    if check.missing(build, path, "command", "a build is a command", example):
        return ()
    value: Any = build["command"]
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return check.texts(build, path, "command")
    check.say((*path, "command"), f"`command` must be text or a list of texts, and is {kind(value)}", example)
    return ()


def _profile(check: Checker, table: Table, path: Path, profile: str | None) -> Table:
    profiles = check.table(table, path, "profile", "Such as [component.<id>.profile.debug].")
    for name, overrides in profiles.items():
        place = (*path, "profile", name)
        if not isinstance(overrides, Mapping):
            check.say(place, f"a profile must be a table, and is {kind(overrides)}")
            continue
        check.known(overrides, place, ("source", "environment", "dependencies", "build"))
        check.text_table(overrides, place, "environment")
        check_dependencies(check, overrides, place)
        if "build" in overrides:
            build = check.table(overrides, place, "build")
            check.known(build, (*place, "build"), ("command",))
            _commands(check, build, (*place, "build"))
    chosen = profiles.get(profile or "", {})
    return chosen if isinstance(chosen, Mapping) else {}


def check_targets(check: Checker, table: Table, path: Path) -> None:
    """Check ``targets``: environments that the application is meant for."""
    targets = table.get("targets", [])
    path = (*path, "targets")
    if not isinstance(targets, list):
        check.say(
            path, f"`targets` must be a list, and is {kind(targets)}", 'Such as targets = ["spin-up:3.3"].'
        )
        return
    forms = ({"url"}, {"path"}, {"registry", "id"})
    for number, target in enumerate(targets):
        if not (isinstance(target, str) or (isinstance(target, Mapping) and set(target) in forms)):
            why = "a target must be text, { url }, { path } or { registry, id }"
            check.say((*path, number), why, 'Such as "spin-up:3.3".')


def check_tool(check: Checker, table: Table, path: Path) -> None:
    """Check ``tool``: tables for tools, which Spin does not read."""
    for name, settings in check.table(table, path, "tool").items():
        if not isinstance(settings, Mapping):
            check.say((*path, "tool", name), f"`tool.{name}` must be a table, and is {kind(settings)}")
