"""Reading ``[application]`` and ``[variables]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from wasm_lab.scenarios.spin.checker import as_toml, kind
from wasm_lab.scenarios.spin.component_table import BELONGS, check_targets, check_tool, is_semver
from wasm_lab.scenarios.spin.ids import as_id, why_not_an_id
from wasm_lab.scenarios.spin.manifest import Variable

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.checker import Checker, Table

APPLICATION_MENDS = BELONGS | {
    "id": "Did you mean `name`?",
    "author": 'Did you mean `authors`? Such as authors = ["Jane Doe <jane@example.com>"].',
    "component": "Components are not below [application]: write [component.<id>].",
    "variables": "Variables are not below [application]: write [variables].",
    "triggers": "Did you mean `trigger`?",
}


def read_application(check: Checker, values: Table) -> Table:
    """Read ``[application]`` itself; gives the table."""
    example = '[application] with name = "my-app" and version = "0.1.0".'
    if check.missing(values, (), "application", "an application has a name", f"Write {example}"):
        return {}
    application = check.table(values, (), "application", f"Write {example}")
    place = ("application",)
    keys = ("name", "version", "description", "authors", "targets", "trigger", "tool")
    check.known(application, place, keys, APPLICATION_MENDS)
    check.missing(application, place, "name", "an application has a name", 'Such as name = "my-app".')
    check_targets(check, application, place)
    check_tool(check, application, place)
    version = application.get("version")
    if isinstance(version, str) and version and not is_semver(version):
        why = f"the version {as_toml(version)} is no semantic version; registries refuse it"
        check.say((*place, "version"), why, 'Three numbers: version = "1.2.3".', "note")
    return application


def read_trigger_settings(check: Checker, application: Table) -> Table:
    """Read ``[application.trigger]``: settings of the application for each kind of trigger."""
    place = ("application", "trigger")
    settings = check.table(application, ("application",), "trigger", "Such as [application.trigger.redis].")
    for name, table in settings.items():
        if name == "type" and isinstance(table, str):
            why = "a trigger below [application] is version 1's form: in version 2 each route is an entry of its own"
            hint = f'Take it out, and write [[trigger.{table}]] with route = "/..." and component = "<id>".'
            check.say((*place, name), why, hint, at_key=True)
        elif isinstance(table, list):
            why = f"[[application.trigger.{name}]] is no place for triggers: below [application] stand settings only"
            check.say((*place, name), why, f"Write [[trigger.{name}]].", at_key=True)
        elif not isinstance(table, Mapping):
            if "type" not in settings:
                hint = (
                    f"Such as [application.trigger.http] with {name} = {as_toml(table)}."
                    if name == "base"
                    else ""
                )
                check.say(
                    (*place, name),
                    f"`application.trigger.{name}` must be a table, and is {kind(table)}",
                    hint,
                )
        elif name == "http":
            mends = {
                key: f"It belongs to the trigger: [[trigger.http]] with {key} = …."
                for key in ("route", "component")
            }
            check.known(table, (*place, name), ("base",), mends)
            if check.text(table, (*place, name), "base", "/") != "/":
                why = "Spin from version 3.5 on refuses a `base`; the lab still puts it before every route"
                check.say((*place, name, "base"), why, "Write it in each route instead.", "note", at_key=True)
        elif name == "redis":
            mends = {
                key: f"It belongs to the trigger: [[trigger.redis]] with {key} = …."
                for key in ("channel", "component")
            }
            check.known(table, (*place, name), ("address",), mends)
            check.missing(
                table,
                (*place, name),
                "address",
                "the table has this one key",
                'Such as "redis://localhost:6379".',
            )
            check.text(table, (*place, name), "address")
    return settings


def read_variables(check: Checker, values: Table) -> dict[str, Variable]:
    """Read ``[variables]``."""
    found = {}
    for name, table in check.table(
        values, (), "variables", 'Such as [variables] name = { default = "…" }.'
    ).items():
        place = ("variables", name)
        if why := why_not_an_id(name, "_", lower=True):
            check.say(
                place,
                f"`{name}` is no name of a variable: {why}",
                f"Such as `{as_id(name, '_')}`.",
                at_key=True,
            )
        if not isinstance(table, Mapping):
            why = f"the variable `{name}` must be a table, and is {kind(table)}"
            check.say(place, why, f'Write {name} = {{ default = "…" }}.')
            found[name] = Variable(name=name, line=check.line(place))
            continue
        mends = {"value": "Did you mean `default`?", "type": "Every variable is text; leave `type` out."}
        check.known(table, place, ("default", "required", "secret", "description"), mends)
        required, secret = check.flag(table, place, "required"), check.flag(table, place, "secret")
        default = (
            check.text(table, place, "default", hint='Put it in quotes: default = "…"')
            if "default" in table
            else None
        )
        if required and default is not None:
            why = f"the variable `{name}` is required and has a default, which exclude each other"
            check.say((*place, "default"), why, "Leave out one of the two.", at_key=True)
        elif not required and "default" not in table:
            why = f"the variable `{name}` has no default and is not required"
            check.say(
                place,
                why,
                f'Write {name} = {{ default = "…" }}, or {name} = {{ required = true }}.',
                at_key=True,
            )
        found[name] = Variable(
            name=name,
            default=default,
            required=required,
            secret=secret,
            description=check.text(table, place, "description"),
            line=check.line(place),
        )
    return found
