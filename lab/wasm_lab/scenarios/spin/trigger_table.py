"""Reading ``[[trigger.<kind>]]``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.checker import as_toml, kind
from wasm_lab.scenarios.spin.component_table import BELONGS
from wasm_lab.scenarios.spin.dependency_table import check_dependency
from wasm_lab.scenarios.spin.ids import why_not_an_id
from wasm_lab.scenarios.spin.manifest import HttpTrigger, OtherTrigger, RedisTrigger
from wasm_lab.scenarios.spin.routes import RouteError, parse_route

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.checker import Checker, Table
    from wasm_lab.scenarios.spin.manifest import Trigger
    from wasm_lab.scenarios.spin.toml_text import Path

    #: Reads a component that stands in a trigger, at a path; gives the id it gets.
    Inline = Callable[[Table, Path], str]

#: What every trigger may have.
COMMON = ("id", "component", "components", "dependencies")

HTTP_MENDS = BELONGS | {
    "path": "Did you mean `route`?",
    "base": 'The base is of the whole application: [application.trigger.http] with base = "/…".',
    "method": "A route answers all methods; the component looks at the request.",
    "private": "Write route = { private = true }.",
    "source": "The file belongs to the component: [component.<id>].",
}


class TriggerReader:
    """Reads the triggers of one manifest, and gives each an id as Spin does."""

    def __init__(self, check: Checker, globals_: Table, known: set[str], inline: Inline) -> None:
        self._check = check
        self._globals = globals_
        self._known = known
        self._inline = inline
        self._ids: set[str] = set()

    def read(self, triggers: Table) -> list[Trigger]:
        """Read everything under ``[trigger]``."""
        check = self._check
        for tables in triggers.values():
            if isinstance(tables, list):
                given = (table.get("id") for table in tables if isinstance(table, Mapping))
                self._ids |= {name for name in given if isinstance(name, str)}
        found: list[Trigger] = []
        for name, tables in triggers.items():
            path = ("trigger", name)
            if name == "type" and isinstance(tables, str):
                why = (
                    "`trigger = { type = … }` is version 1's: in version 2 each route is an entry of its own"
                )
                hint = f'Write [[trigger.{tables}]] with route = "/..." and component = "<id>".'
                check.say(path, why, hint, at_key=True)
            elif isinstance(tables, Mapping):
                why = f"[trigger.{name}] must be a list of tables: an application may have many triggers"
                check.say(path, why, f"Write two brackets: [[trigger.{name}]].", at_key=True)
                found.append(self._trigger(name, tables, path, 1))
            elif not isinstance(tables, list):
                why = f"`trigger.{name}` must be a list of tables, and is {kind(tables)}"
                check.say(path, why, f"Write [[trigger.{name}]] and its keys below.")
            else:
                for number, table in enumerate(tables):
                    if isinstance(table, Mapping):
                        found.append(self._trigger(name, table, (*path, number), number + 1))
                    else:
                        check.say((*path, number), f"a trigger must be a table, and is {kind(table)}")
        return found

    def _trigger(self, name: str, table: Table, path: Path, number: int) -> Trigger:
        check = self._check
        component = self._component(table, path)
        trigger_id = check.text(table, path, "id") or self._new_id(component, name, number)
        if name == "http":
            return self._http(table, path, trigger_id, component)
        if name == "redis":
            return self._redis(table, path, trigger_id, component)
        if number == 1:
            why = f"the lab's host does not run `{name}` triggers; it runs http and redis"
            check.say(
                path,
                why,
                "With Spin and its trigger plugin: wasm-lab spin up --engine spin.",
                "note",
                at_key=True,
            )
        config = {key: value for key, value in table.items() if key not in COMMON}
        return OtherTrigger(
            id=trigger_id, kind=name, component=component, config=config, line=check.line(path)
        )

    def _new_id(self, component: str, name: str, number: int) -> str:
        wanted = f"{component}-{name}-trigger" if component else f"{name}-trigger{number}"
        while wanted in self._ids:
            wanted, number = f"{name}-trigger{number}", number + 1
        self._ids.add(wanted)
        return wanted

    def _component(self, table: Table, path: Path) -> str:
        """The id of the trigger's component; empty where there is none."""
        components = self._check.table(table, path, "components")
        for role, specs in components.items():
            for spec in specs if isinstance(specs, list) else [specs]:
                self._spec(spec, (*path, "components", role))
        self._dependencies(table, path)
        if "component" not in table:
            return ""
        return self._spec(table["component"], (*path, "component"))

    def _dependencies(self, table: Table, path: Path) -> None:
        """Components that a trigger puts around its own, such as middleware."""
        check = self._check
        for role, entries in check.table(table, path, "dependencies").items():
            place = (*path, "dependencies", role)
            if not isinstance(entries, list):
                why = f"`dependencies.{role}` must be a list of tables, and is {kind(entries)}"
                check.say(place, why, 'Such as [{ component = "my-middleware" }].')
                continue
            for number, entry in enumerate(entries):
                check_dependency(check, entry, (*place, number))
                name = entry.get("component") if isinstance(entry, Mapping) else None
                if isinstance(name, str) and name not in self._known:
                    at = (*place, number, "component")
                    check.say(at, f"there is no component `{name}`", _alike(name, self._known))

    def _spec(self, spec: Any, path: Path) -> str:
        check = self._check
        if isinstance(spec, Mapping):
            return self._inline(spec, path)
        if not isinstance(spec, str):
            why = f"`component` must be the id of a component or a table, and is {kind(spec)}"
            check.say(path, why, 'Such as component = "my-component".')
            return ""
        if spec in self._known:
            return spec
        if why := why_not_an_id(spec):
            check.say(path, f"`{spec}` is no id of a component: {why}", _alike(spec, self._known))
        else:
            check.say(path, f"there is no component `{spec}`", _alike(spec, self._known))
        return spec

    def _http(self, table: Table, path: Path, trigger_id: str, component: str) -> HttpTrigger:
        check = self._check
        check.known(table, path, (*COMMON, "route", "executor", "static_response"), HTTP_MENDS)
        if "component" in table and "static_response" in table:
            why = "the trigger has both a component and a static response, and can have one"
            check.say((*path, "static_response"), why, at_key=True)
        elif "component" not in table and "static_response" not in table:
            check.missing(table, path, "component", "what answers?", 'Such as component = "my-id".')
        static = check.table(table, path, "static_response") if "static_response" in table else None
        return HttpTrigger(
            id=trigger_id,
            component=component,
            route=self._route(table, path),
            static_response=static,
            executor=self._executor(table, path),
            dependencies=dict(check.table(table, path, "dependencies")),
            line=check.line(path),
        )

    def _route(self, table: Table, path: Path) -> str | None:
        check = self._check
        example = 'Such as route = "/hello", "/user/:id", "/..." for everything, or { private = true }.'
        if check.missing(table, path, "route", "which paths does it answer?", example):
            return "/..."
        route, place = table["route"], (*path, "route")
        if isinstance(route, str):
            try:
                parse_route(route)
            except RouteError as error:
                check.say(place, f"{as_toml(route)} is no route: {error}", error.hint)
            if route and not route.startswith("/"):
                check.say(
                    place, f'the route "{route}" is taken as "/{route}"', "A route begins with /.", "note"
                )
            return route
        if isinstance(route, Mapping):
            check.known(route, place, ("private",))
            if not check.flag(route, place, "private"):
                check.say(place, "a route that is a table must be { private = true }", example)
            return None
        check.say(place, f"`route` must be text or {{ private = true }}, and is {kind(route)}", example)
        return "/..."

    def _executor(self, table: Table, path: Path) -> str:
        check = self._check
        executor = check.table(table, path, "executor", 'Such as executor = { type = "spin" }.')
        path = (*path, "executor")
        if "executor" in table:
            check.missing(executor, path, "type", "how is the component called?", 'Such as type = "spin".')
        type_ = check.text(executor, path, "type", "spin")
        if type_ == "wagi":
            check.known(executor, path, ("type", "argv", "entrypoint"))
            why = "the lab's host does not run Wagi programs"
            check.say(path, why, "With Spin installed: wasm-lab spin up --engine spin.", "note")
            return "wagi"
        check.known(executor, path, ("type",))
        if type_ == "wasip3-unstable":
            why = "this executor is of Spin 3.4 and 3.5, for guests of WASI 0.3, which the lab's host does not run"
            check.say(path, why, "With Spin 4 leave it out; here build with spin-sdk 5.2.", "note")
            return type_
        if type_ not in ("spin", "http"):
            check.say((*path, "type"), f"there is no executor `{type_}`", 'It is "spin", "http" or "wagi".')
        return "http"

    def _redis(self, table: Table, path: Path, trigger_id: str, component: str) -> RedisTrigger:
        check = self._check
        check.known(
            table, path, (*COMMON, "channel", "address"), BELONGS | {"route": "Did you mean `channel`?"}
        )
        check.missing(table, path, "component", "what gets the messages?", 'Such as component = "my-id".')
        if "channel" not in table:
            check.say(
                path, "`channel` is missing in [[trigger.redis]]", 'Such as channel = "orders".', at_key=True
            )
        for key in ("channel", "address"):
            check.template(check.text(table, path, key), (*path, key))
        common = self._globals.get("redis", {})
        address = table.get("address", common.get("address") if isinstance(common, Mapping) else None)
        if address is None:
            why = "the Redis trigger has no address, neither its own nor [application.trigger.redis]'s"
            check.say(
                path,
                why,
                'Such as [application.trigger.redis] with address = "redis://localhost:6379".',
                at_key=True,
            )
        channel = table.get("channel", "")
        return RedisTrigger(
            id=trigger_id,
            component=component,
            channel=channel if isinstance(channel, str) else "",
            address=address if isinstance(address, str) else "",
            line=check.line(path),
        )


def _alike(name: str, known: set[str]) -> str:
    import difflib

    if not known:
        return f"Define it: [component.{name}]."
    alike = difflib.get_close_matches(name.lower().replace("_", "-"), known, 1, 0.6)
    if alike:
        return f"Did you mean `{alike[0]}`?"
    return f"There are: {', '.join(sorted(known))}. Or define it: [component.{name}]."
