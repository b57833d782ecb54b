"""From the file to a ``Manifest``."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.manifest import (
    Build,
    ComponentManifest,
    FileMount,
    HttpTrigger,
    LocalSource,
    Manifest,
    OtherTrigger,
    RedisTrigger,
    Trigger,
    Variable,
)

if TYPE_CHECKING:
    from pathlib import Path


def read_manifest(path: Path, *, sources: bool, profile: str | None) -> Manifest:
    """Read ``path``; see ``load_manifest``."""
    path = (path / "spin.toml" if path.is_dir() else path).resolve()
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    application = data["application"]
    globals_ = application.get("trigger", {})
    return Manifest(
        name=application["name"],
        path=path,
        version=application.get("version", ""),
        base=globals_.get("http", {}).get("base", "/"),
        variables={name: Variable(name=name, **value) for name, value in data.get("variables", {}).items()},
        triggers=tuple(_triggers(data["trigger"], globals_)),
        components={
            name: _component(name, table, path.parent) for name, table in data.get("component", {}).items()
        },
    )


def _triggers(data: dict[str, Any], globals_: dict[str, Any]) -> list[Trigger]:
    triggers: list[Trigger] = []
    for kind, tables in data.items():
        for number, table in enumerate(tables, 1):
            component = table.get("component", "")
            name = table.get("id", f"{component}-{kind}-trigger" if component else f"{kind}-trigger{number}")
            if kind == "http":
                route = table["route"]
                triggers.append(
                    HttpTrigger(id=name, component=component, route=route if isinstance(route, str) else None)
                )
            elif kind == "redis":
                address = table.get("address", globals_.get("redis", {}).get("address", ""))
                triggers.append(
                    RedisTrigger(id=name, component=component, channel=table["channel"], address=address)
                )
            else:
                triggers.append(OtherTrigger(id=name, kind=kind, component=component, config=table))
    return triggers


def _component(name: str, table: dict[str, Any], folder: Path) -> ComponentManifest:
    build = table.get("build")
    return ComponentManifest(
        id=name,
        source=LocalSource(path=folder / table["source"], written=table["source"]),
        description=table.get("description", ""),
        variables=table.get("variables", {}),
        environment=table.get("environment", {}),
        files=tuple(
            FileMount(source=entry) if isinstance(entry, str) else FileMount(**entry)
            for entry in table.get("files", ())
        ),
        exclude_files=tuple(table.get("exclude_files", ())),
        allowed_outbound_hosts=tuple(table.get("allowed_outbound_hosts", ())),
        key_value_stores=tuple(table.get("key_value_stores", ())),
        sqlite_databases=tuple(table.get("sqlite_databases", ())),
        ai_models=tuple(table.get("ai_models", ())),
        build=None
        if build is None
        else Build(
            commands=(build["command"],) if isinstance(build["command"], str) else tuple(build["command"]),
            workdir=folder / build.get("workdir", "."),
            watch=tuple(build.get("watch", ())),
        ),
    )
