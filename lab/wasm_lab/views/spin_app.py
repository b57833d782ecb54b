"""A Spin application to look at: its routes, what its components may use, what is wrong with its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from wasm_lab.views.tables import Stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wasm_lab.scenarios.spin.live import LiveApp
    from wasm_lab.scenarios.spin.manifest import ComponentManifest, Manifest
    from wasm_lab.scenarios.spin.problems import Problem


def app_stack(app: LiveApp, name: str) -> Stack:
    """The routes of an application in the order in which they are tried, and how to ask it."""
    lines = [Text(str(note)) for note in app.manifest.notes]
    paths = [trigger.route for trigger in app.manifest.http_triggers if trigger.route]
    example = next((path for path in paths if ":" not in path and "..." not in path), "/")
    ask = f'answers {app.state}: {name}.get("{example}") · {name}.log · {name}.stop()'
    return Stack(routes_table(app.manifest), *lines, Text(ask, style="dim"))


def routes_table(manifest: Manifest) -> Table:
    """One row for each trigger: what starts which component, and what that may use."""
    from wasm_lab.scenarios.spin.routes import RouteTable

    table = Table(title=f"Spin application {manifest.name}", title_justify="left")
    for heading in ("trigger", "component", "may use"):
        table.add_column(heading, overflow="fold")
    for route, trigger in RouteTable(manifest.http_triggers, manifest.base).routes:
        table.add_row(Text(route), Text(trigger.component), Text(_rights(manifest, trigger.component)))
    for private in manifest.http_triggers:
        if private.private:
            place = f"only from within, http://{private.component}.spin.internal"
            table.add_row(Text(place), Text(private.component), Text(_rights(manifest, private.component)))
    for redis in manifest.redis_triggers:
        place = f"messages of the Redis channel {redis.channel}"
        table.add_row(Text(place), Text(redis.component), Text(_rights(manifest, redis.component)))
    return table


def _rights(manifest: Manifest, name: str) -> str:
    component = manifest.components.get(name)
    return "\n".join(_rights_of(component)) if component else ""


def _rights_of(component: ComponentManifest) -> list[str]:
    listed = {
        "hosts": component.allowed_outbound_hosts,
        "key-value stores": component.key_value_stores,
        "databases": component.sqlite_databases,
        "models": component.ai_models,
        "variables": tuple(component.variables),
        "environment": tuple(component.environment),
        "files": tuple(mount.destination or mount.source for mount in component.files),
    }
    return [f"{what}: {', '.join(names)}" for what, names in listed.items() if names] or ["nothing"]


def problems_text(problems: Sequence[Problem], text: str, *, label: str, first_line: int) -> str:
    """Every mistake with the line that it is in, as compilers show them.

    Args:
        text: of the manifest; its first line is line `first_line` of what `label` names.
    """
    errors = [problem for problem in problems if problem.level == "error"]
    shown = [f"{len(errors)} mistake{'' if len(errors) == 1 else 's'}"]
    lines = text.split("\n")
    for problem in problems:
        place = f"{label}:{problem.line}:{problem.column}: " if problem.line else ""
        shown.append(f"\n{place}{problem.level}: {problem.message}")
        number = problem.line - first_line
        if problem.line and 0 <= number < len(lines):
            margin = " " * len(str(problem.line))
            shown.append(f" {problem.line} | {lines[number]}")
            shown.append(f" {margin} | {' ' * (problem.column - 1)}^")
        shown += [f" {line}" for line in problem.hint.splitlines()]
    return "\n".join(shown)
