"""From the file to a ``Manifest``, with everything that is wrong on the way."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import ManifestError
from wasm_lab.scenarios.spin.application_table import read_application, read_trigger_settings, read_variables
from wasm_lab.scenarios.spin.checker import Checker, as_toml, kind
from wasm_lab.scenarios.spin.component_table import BELONGS, read_component
from wasm_lab.scenarios.spin.files_present import check_files
from wasm_lab.scenarios.spin.ids import as_id, why_not_an_id
from wasm_lab.scenarios.spin.manifest import Manifest
from wasm_lab.scenarios.spin.problems import Problem
from wasm_lab.scenarios.spin.routes import WELL_KNOWN, RouteError, RouteTable
from wasm_lab.scenarios.spin.toml_text import TomlSyntaxError, parse_toml
from wasm_lab.scenarios.spin.trigger_table import TriggerReader
from wasm_lab.scenarios.spin.version1 import NoWay, as_version2, explain_version1

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.checker import Table
    from wasm_lab.scenarios.spin.manifest import ComponentManifest, Trigger
    from wasm_lab.scenarios.spin.trigger_table import Inline

FILE = "spin.toml"

KEYS = ("spin_manifest_version", "application", "variables", "trigger", "component")

TOP_MENDS = BELONGS | {
    **{
        key: f"In version 2 it stands in the table [application]: put `{key} = …` below that header."
        for key in ("name", "version", "description", "authors")
    },
    "triggers": 'Did you mean `trigger`? Such as [[trigger.http]] with route = "/..." and component = "<id>".',
    "components": "Did you mean `component`? Such as [component.my-id].",
    "app": "Did you mean `application`?",
    "spin_version": "Write spin_manifest_version = 2.",
}


def read_manifest(path: Path, *, sources: bool, profile: str | None) -> Manifest:
    """Read ``path``; see ``load_manifest``."""
    path = path / FILE if path.is_dir() else path
    return parse_manifest(_text(path), path, sources=sources, profile=profile)


def _text(path: Path) -> str:
    shown = shorten(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        hint = f"An application has a file {FILE}; give it, or its folder."
        raise ManifestError(
            f"There is no file {shown}.", problems=[Problem(0, 0, "there is no such file", hint)], hint=hint
        ) from None
    except OSError as error:
        why = f"{shown} cannot be read: {error.strerror or error}."
        raise ManifestError(
            why, problems=[Problem(0, 0, f"cannot be read: {error.strerror or error}")]
        ) from None
    if data.startswith(b"\0asm"):
        raise _no_text(shown, "it is a WebAssembly file, not a manifest", f"Give the {FILE} that names it.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _no_text(shown, "it is UTF-16, and TOML is UTF-8", "Save it again as UTF-8.")
    if b"\0" in data:
        raise _no_text(shown, "it is no text: it holds zero bytes", f"Give a {FILE}.")
    try:
        return data.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[: error.start].rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise _no_text(shown, "it is no UTF-8 text", "Save it again as UTF-8.", line, column) from None


def _no_text(shown: str, why: str, hint: str, line: int = 1, column: int = 1) -> ManifestError:
    return ManifestError(f"{shown}: {why}.", problems=[Problem(line, column, why, hint)], hint=hint)


def shorten(path: Path) -> str:
    """Spell a path relative to the current folder where it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def parse_manifest(text: str, path: Path, *, sources: bool = False, profile: str | None = None) -> Manifest:
    """Read a manifest's text.

    Args:
        text: what stands in the file.
        path: where it lies, or would lie; relative paths start from its folder.
        sources: files that are missing are errors too.
        profile: a build profile whose overrides are applied.

    Raises:
        ManifestError: it is wrong.
    """
    try:
        toml = parse_toml(text)
    except TomlSyntaxError as error:
        raise _failed(path, [error.problem]) from None
    check = Checker(toml)
    values = toml.values
    if not any(key in values for key in (*KEYS, "component_manifest_version", "spin_version", "name")):
        why = "there is nothing of a manifest of the Spin framework in this file"
        hint = "A manifest begins with spin_manifest_version = 2 and [application]; other tools are called spin too."
        check.say((), why, hint)
        raise _failed(path, check.problems)
    if "component_manifest_version" in values and "application" not in values:
        why = "this is the manifest of one component (component.toml), not of an application"
        check.say(("component_manifest_version",), why, f"Give the application's {FILE}.", at_key=True)
        raise _failed(path, check.problems)
    if not _version(check, values, text):
        upgraded = ""
        try:
            upgraded = as_version2(values)
            parse_manifest(upgraded, path)
        except NoWay as reason:
            check.say((), f"the version 2 text cannot be made for you: {reason}", "", "note")
        except ManifestError as error:
            wrong = "\n".join(problem.message for problem in error.problems if problem.level == "error")
            check.say(
                (), "what is wrong in version 1 too is still wrong in the version 2 text", wrong, "note"
            )
        raise _failed(path, check.problems, upgraded)
    manifest = _manifest(check, values, path.resolve(), profile)
    if sources:
        check_files(check, manifest)
    problems = sorted(check.problems, key=lambda problem: (problem.line, problem.column))
    if any(problem.level == "error" for problem in problems):
        raise _failed(path, problems)
    return replace(manifest, notes=tuple(problems))


def _failed(path: Path, problems: list[Problem], upgraded: str = "") -> ManifestError:
    problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
    errors = [problem for problem in problems if problem.level == "error"]
    count = "1 mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
    shown = shorten(path)
    listed = "\n".join(f"{shown}:{problem}" for problem in errors)
    hint = f"The same in version 2:\n\n{upgraded}" if upgraded else ""
    error = ManifestError(f"{shown} has {count}:\n{listed}", problems=problems, hint=hint)
    error.version2 = upgraded
    return error


def _version(check: Checker, values: Table, text: str) -> bool:
    """Note what is wrong with the version; gives whether the rest can be read as version 2."""
    version = values.get("spin_manifest_version")
    if version == 2 and not isinstance(version, bool | float):
        return True
    trigger = values.get("trigger")
    looks_old = isinstance(values.get("component"), list) or (
        isinstance(trigger, Mapping) and isinstance(trigger.get("type"), str)
    )
    if version in ("1", 1) or (
        version is None
        and (values.get("spin_version") in ("1", 1) or (looks_old and "application" not in values))
    ):
        explain_version1(check, values)
        return False
    place = ("spin_manifest_version",)
    if version is None:
        first = next(
            (number for number, line in enumerate(text.split("\n"), 1) if re.match(r"\s*[^#\s]", line)), 1
        )
        hint = "Write spin_manifest_version = 2 as the first line, above every [table]."
        nested = next(
            (key for key, value in values.items() if isinstance(value, Mapping) and place[0] in value), None
        )
        if nested:
            why = f"`spin_manifest_version` stands in [{nested}], and must stand above every [table]"
            check.say((nested, place[0]), why, "Move it to the first line.", at_key=True)
        else:
            check.problems.append(Problem(first, 1, "`spin_manifest_version` is missing at the top", hint))
    elif version == "2":
        check.say(
            place,
            "`spin_manifest_version` must be the number 2, and is text",
            "Write spin_manifest_version = 2, without quotes.",
        )
    else:
        shown = as_toml(version) if isinstance(version, str | int | float) else kind(version)
        check.say(place, f"there is no version {shown} of the manifest", "Write spin_manifest_version = 2.")
    return True


def _manifest(check: Checker, values: Table, path: Path, profile: str | None) -> Manifest:
    check.known(values, (), KEYS, TOP_MENDS)
    application = read_application(check, values)
    globals_ = read_trigger_settings(check, application)
    variables = read_variables(check, values)
    check.variables = frozenset(variables)
    components = _component_tables(check, values)
    read: dict[str, ComponentManifest] = {}
    for name, table in components.items():
        if isinstance(table, Mapping):
            read[name] = read_component(
                check, table, ("component", name), name, folder=path.parent, profile=profile
            )
        else:
            why = f"a component must be a table, and is {kind(table)}"
            check.say(("component", name), why, f'Write [component.{name}] and below it source = "…".')

    def inline(table: Table, place: tuple[str | int, ...]) -> str:
        number = 1
        while (name := f"inline-component{number}") in components or name in read:
            number += 1
        read[name] = read_component(check, table, place, name, folder=path.parent, profile=profile)
        return name

    if profile and not any(
        isinstance(table, Mapping) and profile in table.get("profile", {}) for table in components.values()
    ):
        hint = "Write [component.<id>.profile.NAME], or ask for another."
        check.say(("component",), f"no component has a profile `{profile}`", hint, at_key=True)
    triggers = _triggers(check, values, globals_, set(components), inline)
    address = globals_.get("redis", {})
    if isinstance(address, Mapping) and isinstance(address.get("address"), str):
        check.template(address["address"], ("application", "trigger", "redis", "address"))
    http = globals_.get("http", {})
    base = http.get("base", "/") if isinstance(http, Mapping) else "/"
    manifest = Manifest(
        name=check.text(application, ("application",), "name"),
        path=path,
        version=check.text(application, ("application",), "version"),
        description=check.text(application, ("application",), "description"),
        authors=check.texts(application, ("application",), "authors"),
        base=base if isinstance(base, str) else "/",
        variables=variables,
        triggers=tuple(triggers),
        components=read,
    )
    _routes(check, manifest, values)
    _dependencies_exist(check, manifest)
    return manifest


def _component_tables(check: Checker, values: Table) -> Table:
    components = values.get("component", {})
    if isinstance(components, list):
        for number, table in enumerate(components):
            name = str(table.get("id", "my-id")) if isinstance(table, Mapping) else "my-id"
            why = "[[component]] is version 1's form: in version 2 the id stands in the header"
            check.say(
                ("component", number), why, f"Write [component.{as_id(name)}] without `id`.", at_key=True
            )
        return {}
    if not isinstance(components, Mapping):
        check.say(
            ("component",),
            f"`component` must be a table, and is {kind(components)}",
            "Write [component.<id>].",
        )
        return {}
    if "source" in components and not isinstance(components["source"], Mapping):
        why = "[component] lacks the component's id"
        check.say(
            ("component",), why, "Write [component.my-id], and the same id in the trigger.", at_key=True
        )
        return {}
    for name in components:
        if why := why_not_an_id(name):
            check.say(
                ("component", name),
                f"`{name}` is no id of a component: {why}",
                f"Such as `{as_id(name)}`.",
                at_key=True,
            )
    return components


def _triggers(
    check: Checker, values: Table, globals_: Table, known: set[str], inline: Inline
) -> list[Trigger]:
    example = 'Such as [[trigger.http]] with route = "/..." and component = "<id>".'
    if "trigger" not in values:
        if not any(isinstance(value, str | list) for value in globals_.values()):
            first = next(iter(known), "<id>")
            hint = f'Such as [[trigger.http]] with route = "/..." and component = "{first}".'
            check.missing(values, (), "trigger", "nothing would ever start a component", hint)
        return []
    triggers = check.table(values, (), "trigger", example)
    if isinstance(values.get("component"), list):
        known = known | {
            str(table["id"]) for table in values["component"] if isinstance(table, Mapping) and "id" in table
        }
    if not triggers and isinstance(values["trigger"], Mapping):
        check.say(
            ("trigger",), "there is no trigger: nothing would ever start a component", example, at_key=True
        )
    return TriggerReader(check, globals_, known, inline).read(triggers)


def _routes(check: Checker, manifest: Manifest, values: Table) -> None:
    """Note routes that can never be reached."""
    try:
        table = RouteTable(manifest.http_triggers, manifest.base)
    except RouteError:
        return  # said already, with its place
    places = {
        trigger.id: ("trigger", "http", number, "route")
        for number, trigger in enumerate(manifest.http_triggers)
    }
    lines = {trigger.id: check.line(places[trigger.id]) for trigger in manifest.http_triggers}
    for hidden, shown in table.shadowed:
        why = (
            f'the route "{hidden.route}" in line {lines[hidden.id]} never answers: '
            f'"{shown.route}" in line {lines[shown.id]} takes its requests'
        )
        later = max(hidden, shown, key=lambda trigger: lines[trigger.id])
        hint = "Give one of the two another route, or take it out. Spin itself starts, and says no more than this."
        check.say(places[later.id], why, hint, "warning")
    for based, trigger in table.routes:
        if based.startswith(WELL_KNOWN):
            why = f"Spin answers everything below {WELL_KNOWN} itself: this route never answers"
            check.say(places[trigger.id], why, "Use another path.", "warning")
        if "..." in (trigger.route or "").removesuffix("/..."):
            why = f'"..." is a wildcard only as the whole last part: "{trigger.route}" matches the dots themselves'
            check.say(places[trigger.id], why, "Write /... at the end, or :name for one part.", "warning")


def _dependencies_exist(check: Checker, manifest: Manifest) -> None:
    """A dependency on a component of the application names one, which has no rights of its own."""
    rights = "ai_models allowed_outbound_hosts dependencies files key_value_stores sqlite_databases variables".split()
    for component in manifest.components.values():
        for name, value in component.dependencies.items():
            if not isinstance(value, Mapping) or not isinstance(value.get("component"), str):
                continue
            place = (*check.components[component.id], "dependencies", name, "component")
            other = manifest.components.get(value["component"])
            if other is None:
                check.say(
                    place,
                    f"there is no component `{value['component']}`",
                    f"Define it: [component.{value['component']}].",
                )
                continue
            held = [right for right in rights if getattr(other, right)]
            if held:
                why = (
                    f"`{other.id}` cannot be a dependency: it has {', '.join(held)}, "
                    "and a dependency has no rights of its own"
                )
                check.say(place, why, f"Take them out of [component.{other.id}].")
