"""``spin doctor``: whether an application can be built and run here, and what is missing."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wasm_lab.errors import LoadError, ManifestError, UsageError
from wasm_lab.scenarios.spin.build import environment_for_builds
from wasm_lab.scenarios.spin.componentize import HANDLERS, componentize
from wasm_lab.scenarios.spin.engine import find_spin
from wasm_lab.scenarios.spin.hosted import not_hosted
from wasm_lab.scenarios.spin.manifest import (
    HttpTrigger,
    LocalSource,
    OtherTrigger,
    RedisTrigger,
    load_manifest,
)
from wasm_lab.scenarios.spin.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

from wasm_lab.scenarios.spin.manifest import ComponentManifest, Manifest


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str  #: such as ``manifest`` or ``component hello``
    state: Literal["good", "wrong", "note"]
    message: str
    hint: str = ""


def examine(path: Path) -> list[Finding]:
    """Look at an application, its files, its variables and the tools that it wants. Runs nothing of it."""
    try:
        manifest = load_manifest(path)
    except ManifestError as error:
        return [Finding("manifest", "wrong", error.message, error.hint)]
    findings = [Finding("manifest", "good", f"{manifest.name}: version 2, {_counted(manifest)}")]
    for problem in manifest.notes:
        state: Literal["wrong", "note"] = "wrong" if problem.level == "warning" else "note"
        findings.append(Finding(f"line {problem.line}", state, problem.message, problem.hint))
    for component in manifest.components.values():
        findings += _component(manifest, component)
    findings += _variables(manifest)
    findings += _engine(manifest)
    return findings


def _counted(manifest: Manifest) -> str:
    components, triggers = len(manifest.components), len(manifest.triggers)
    return f"{components} component{'s' * (components != 1)}, {triggers} trigger{'s' * (triggers != 1)}"


def _component(manifest: Manifest, component: ComponentManifest) -> Iterator[Finding]:
    about = f"component {component.id}"
    triggers = [trigger for trigger in manifest.triggers if trigger.component == component.id]
    around = [
        value
        for trigger in manifest.http_triggers
        for entries in trigger.dependencies.values()
        for value in entries
    ]
    others = [value for other in manifest.components.values() for value in other.dependencies.values()]
    used = any(
        isinstance(value, dict) and value.get("component") == component.id for value in around + others
    )
    if not triggers and not used:
        yield Finding(about, "note", "no trigger starts it", "Name it in a trigger, or take it out.")
    for command in component.build.commands if component.build else ():
        program = _program(command)
        if program and not shutil.which(program, path=environment_for_builds()["PATH"]):
            yield Finding(
                about, "wrong", f"its build needs `{program}`, which is not on PATH", f"It runs: {command}"
            )
    if component.build and not component.build.workdir.is_dir():
        yield Finding(about, "wrong", f"its build folder {component.build.workdir.name!r} is missing")
    if not isinstance(component.source, LocalSource):
        yield Finding(
            about, "note", "its file comes from the network; the lab's host runs files that lie here"
        )
        return
    if not component.source.path.is_file():
        hint = "wasm-lab spin build" if component.build else "Build it, or mend `source`."
        yield Finding(about, "wrong", f"{component.source.written!r} is missing", hint)
        return
    try:
        guest = componentize(component.source.path.read_bytes(), component.source.written)
        kinds = {_kind(trigger) for trigger in triggers} & set(HANDLERS)
        handlers = [guest.handler(kind) for kind in sorted(kinds)]
    except LoadError as error:
        yield Finding(about, "wrong", error.message, error.hint)
        return
    made = "a module, made a component" if guest.adapted else "a component"
    exports = f", exports {', '.join(handlers)}" if handlers else ""
    yield Finding(about, "good", f"{component.source.written}: {made}{exports}")


def _kind(trigger: HttpTrigger | RedisTrigger | OtherTrigger) -> str:
    if isinstance(trigger, OtherTrigger):
        return trigger.kind
    return "http" if isinstance(trigger, HttpTrigger) else "redis"


def _program(command: str) -> str:
    """The program that a line of shell begins with; empty where that cannot be told."""
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    words = [word for word in words if "=" not in word.partition("/")[0]] or [""]
    return "" if words[0] in ("cd", "export", "set", "source", ".", "exit", "test", "[") else words[0]


def _variables(manifest: Manifest) -> Iterator[Finding]:
    try:
        variables = Variables(manifest)
    except UsageError as error:
        yield Finding("variables", "wrong", error.message, error.hint)
        return
    for name, shown in variables.shown().items():
        if name in variables.missing():
            hint = (
                f"Set SPIN_VARIABLE_{name.upper()}, or write it into .env, or give --variable {name}=VALUE."
            )
            yield Finding(f"variable {name}", "wrong", "required, and has no value here", hint)
        else:
            yield Finding(f"variable {name}", "good", shown)


def _engine(manifest: Manifest) -> Iterator[Finding]:
    found = find_spin()
    here = f"Spin {found[1]} is here" if found else "Spin is not here"
    missing = not_hosted(manifest)
    for reason in missing:
        hint = "wasm-lab spin up --engine spin" if found else "Install Spin, and run it by --engine spin."
        yield Finding("engine", "note", f"the lab's own host has no {reason}; {here}", hint)
    if not missing:
        yield Finding("engine", "good", f"the lab's own host; {here}")
