"""Reading ``[component.<id>.dependencies]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from wasm_lab.scenarios.spin.checker import kind
from wasm_lab.scenarios.spin.ids import why_not_an_id

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.checker import Checker, Table
    from wasm_lab.scenarios.spin.toml_text import Path

#: Keys that every form of a dependency may have; `environment` is of Spin 3.5, the other of 3.6 and later.
COMMON = ("export", "inherit_configuration", "environment")

#: Each form: the key that tells it, the keys it needs, and those it may have beside COMMON.
FORMS = (
    ("path", ("path",), ()),
    ("url", ("url", "digest"), ()),
    ("component", ("component",), ()),
    ("version", ("version",), ("registry", "package")),
)

EXAMPLE = 'Such as "ns:pkg" = "1.2.3", { version }, { path }, { url, digest } or { component }.'


class Name(NamedTuple):
    """``namespace:package/interface@version``."""

    package: str
    interface: str
    version: str


def check_dependencies(check: Checker, table: Table, path: Path) -> None:
    """Check the dependencies of a component or profile as Spin does."""
    dependencies = check.table(table, path, "dependencies", EXAMPLE)
    if "dependencies_inherit_configuration" in table:
        for name, value in dependencies.items():
            if isinstance(value, Mapping) and "inherit_configuration" in value:
                why = "Spin 4 does not start with both this and `dependencies_inherit_configuration` of the component"
                place: Path = (*path, "dependencies", name, "inherit_configuration")
                check.say(place, why, "Keep one of the two.", "note", at_key=True)
    path = (*path, "dependencies")
    names: dict[str, Name] = {}
    for name, value in dependencies.items():
        place = (*path, name)
        package = _name(check, name, place)
        if package is not None:
            names[name] = package
        check_dependency(
            check, value, place, plain=":" not in name, whole=package is not None and not package.interface
        )
    for (first, one), (second, other) in combinations(names.items(), 2):
        apart_by_version = (
            one.version and other.version and compatible(one.version) != compatible(other.version)
        )
        apart_by_interface = one.interface and other.interface and one.interface != other.interface
        if one.package == other.package and not (apart_by_version or apart_by_interface):
            why = f'the dependencies "{first}" and "{second}" overlap: both may give the same interface'
            hint = "Give them different interfaces, or versions that are not compatible."
            check.say((*path, second), why, hint, at_key=True)


def compatible(version: str) -> tuple[str, ...]:
    """The part of a version that compatible versions share.

    Example:
        >>> compatible("1.2.3"), compatible("0.2.6"), compatible("0.0.1")
        (('1',), ('0', '2'), ('0', '0', '1'))
    """
    base = version.partition("+")[0]
    if "-" in base:
        return (base,)
    major, minor, patch = [*base.split("."), "0", "0"][:3]
    if major != "0":
        return (major,)
    return (major, minor) if minor != "0" else (major, minor, patch)


def _name(check: Checker, name: str, place: Path) -> Name | None:
    if ":" not in name and "/" not in name:
        if why := why_not_an_id(name):
            check.say(place, f"`{name}` is no name of a dependency: {why}", EXAMPLE, at_key=True)
        return None
    match = re.fullmatch(
        r"([A-Za-z][A-Za-z0-9-]*:[A-Za-z][A-Za-z0-9-]*)(?:/([^@/]+))?(?:@(\d+\.\d+\.\d+[0-9A-Za-z.+-]*))?",
        name,
    )
    if match is None or (match[2] and why_not_an_id(match[2])):
        hint = 'Such as "wasi:http", "wasi:http/types" or "wasi:http/types@0.2.0".'
        check.say(place, f"`{name}` is no name of a dependency", hint, at_key=True)
        return None
    return Name(match[1], match[2] or "", match[3] or "")


def check_dependency(
    check: Checker, value: object, place: Path, *, plain: bool = False, whole: bool = False
) -> None:
    """Check one dependency.

    Args:
        check: notes the problems.
        value: a version, or a table in one of the forms.
        place: where it stands.
        plain: its name is no package, so that the table must name one.
        whole: its name is a package without interface.
    """
    name = place[-1]
    if isinstance(value, str):
        if plain:
            hint = 'Such as { package = "ns:pkg", version = "1.2.3" }.'
            check.say(place, f"the dependency `{name}` must say which package it is", hint)
        elif not re.match(r"\s*(\*|[<>=^~]*\s*\d)", value):
            check.say(place, f"`{value}` is no requirement of a version", 'Such as "1.2.3" or ">=1.0, <2".')
        return
    if not isinstance(value, Mapping):
        check.say(place, f"a dependency must be a version or a table, and is {kind(value)}", EXAMPLE)
        return
    form = next((form for form in FORMS if form[0] in value), None)
    if form is None:
        if "digest" in value:
            check.say(place, f"the dependency `{name}` has a digest and no url", EXAMPLE)
        else:
            check.say(place, f"the dependency `{name}` is of no known form", EXAMPLE)
        return
    _, needed, more = form
    check.known(value, place, (*needed, *more, *COMMON))
    for key in needed:
        check.missing(value, place, key, "the dependency cannot be found without it", EXAMPLE)
    for key in (*needed, *more, "export"):
        check.text(value, place, key)
    if form[0] == "version" and plain and "package" not in value:
        hint = 'Add package = "ns:pkg".'
        check.say(place, f"the dependency `{name}` must say which package it is", hint)
    if whole and "export" in value and form[0] in ("path", "version"):
        why = f"`{name}` is a whole package, and an export can satisfy one interface only"
        check.say((*place, "export"), why, f'Name the interface: "{name}/interface", or leave `export` out.')
    inherits = value.get("inherit_configuration", False)
    if not isinstance(inherits, bool) and not (
        isinstance(inherits, list) and all(isinstance(entry, str) for entry in inherits)
    ):
        why = "`inherit_configuration` must be true, false or a list of keys"
        check.say((*place, "inherit_configuration"), why, 'Such as ["ai_models", "allowed_outbound_hosts"].')
    check.text_table(value, place, "environment")
