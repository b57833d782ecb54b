"""Taking values out of a parsed manifest, and noting what is wrong with each at its place."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.spin.problems import Level, Problem
from wasm_lab.scenarios.spin.templates import TemplateError, names_in
from wasm_lab.scenarios.spin.toml_text import spell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.scenarios.spin.toml_text import Path, Toml

Table = Mapping[str, Any]


def kind(value: object) -> str:
    """Name the type of a TOML value."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return "a date or time"


def as_toml(value: object) -> str:
    """Spell a value as TOML does on one line."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{spell((key,))} = {as_toml(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(as_toml(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _alike(key: str, known: Iterable[str]) -> list[str]:
    """The known key that a wrong one was meant to be, if any."""
    return difflib.get_close_matches(key.lower().replace("-", "_"), list(known), 1, 0.7)


class Checker:
    """Collects the problems of one manifest."""

    def __init__(self, toml: Toml) -> None:
        self.toml = toml
        self.problems: list[Problem] = []
        self.variables: frozenset[str] = frozenset()  #: what templates may name
        self.components: dict[str, Path] = {}  #: where each component stands; inline ones in their trigger

    def say(
        self, path: Path, message: str, hint: str = "", level: Level = "error", *, at_key: bool = False
    ) -> None:
        """Note a problem at the value (or key) at ``path``."""
        line, column = self.toml.key(path) if at_key else self.toml.value(path)
        self.problems.append(Problem(line, column, message, hint, level))

    def line(self, path: Path) -> int:
        """The line in which the key at ``path`` stands."""
        return self.toml.key(path)[0]

    def known(
        self, table: Table, path: Path, keys: Iterable[str], mends: Mapping[str, str] | None = None
    ) -> None:
        """Every key of ``table`` must be one of ``keys``; ``mends`` has a hint for usual wrong ones."""
        known = sorted(keys)
        for key in table:
            if key in known:
                continue
            where = f"in [{spell(path)}]" if path else "at the top"
            alike = _alike(key, known)
            if mends and key in mends:
                hint = mends[key]
            elif alike:
                hint = f"Did you mean `{alike[0]}`?"
            else:
                hint = f"Spin knows here: {', '.join(known)}."
            self.say((*path, key), f"unknown key `{key}` {where}", hint, at_key=True)

    def missing(self, table: Table, path: Path, key: str, why: str, hint: str) -> bool:
        """Note that ``key`` is missing; gives whether it is."""
        if key in table:
            return False
        if any(_alike(given, (key,)) for given in table):
            return True  # said of the key that is nearly this one
        self.say(
            path, f"`{key}` is missing{f' in [{spell(path)}]' if path else ''}: {why}", hint, at_key=True
        )
        return True

    def table(self, table: Table, path: Path, key: str, hint: str = "") -> Table:
        """The table under ``key``; an empty one where there is none or it is none."""
        value = table.get(key, {})
        if isinstance(value, Mapping):
            return value
        self.say((*path, key), f"`{key}` must be a table, and is {kind(value)}", hint)
        return {}

    def text(self, table: Table, path: Path, key: str, default: str = "", hint: str = "") -> str:
        """The text under ``key``."""
        value = table.get(key, default)
        if isinstance(value, str):
            return value
        if not hint and isinstance(value, int | float):
            hint = f'Put it in quotes: {key} = "{as_toml(value)}"'
        self.say((*path, key), f"`{key}` must be text in quotes, and is {kind(value)}", hint)
        return default

    def flag(self, table: Table, path: Path, key: str) -> bool:
        """The truth value under ``key``."""
        value = table.get(key, False)
        if isinstance(value, bool):
            return value
        hint = (
            f"Write {key} = {value.lower()}, without quotes."
            if str(value).lower() in ("true", "false")
            else ""
        )
        self.say((*path, key), f"`{key}` must be true or false, and is {kind(value)}", hint)
        return False

    def texts(self, table: Table, path: Path, key: str) -> tuple[str, ...]:
        """The list of texts under ``key``; what is no text is left out."""
        value = table.get(key, [])
        path = (*path, key)
        if isinstance(value, str):
            self.say(path, f"`{key}` must be a list, and is text", f"Write {key} = [{as_toml(value)}].")
            return (value,)
        if isinstance(value, Mapping):
            names = [name for name in value if value[name] is not False]
            hint = f"Write {key} = {as_toml(names)}." if names else f'Such as {key} = ["default"].'
            self.say(path, f"`{key}` must be a list, and is a table", hint, at_key=True)
            return tuple(names)
        if not isinstance(value, list):
            self.say(path, f"`{key}` must be a list, and is {kind(value)}", f'Such as {key} = ["default"].')
            return ()
        for number, entry in enumerate(value):
            if not isinstance(entry, str):
                names = (
                    [item for item in entry.values() if isinstance(item, str)]
                    if isinstance(entry, Mapping)
                    else []
                )
                hint = f"Write {key} = {as_toml(names[:1])}." if names else ""
                self.say(
                    (*path, number), f"an entry of `{key}` must be text in quotes, and is {kind(entry)}", hint
                )
        return tuple(entry for entry in value if isinstance(entry, str))

    def text_table(self, table: Table, path: Path, key: str) -> dict[str, str]:
        """The table under ``key`` whose values are texts."""
        path_ = (*path, key)
        found = {}
        for name, value in self.table(table, path, key, f'Such as {key} = {{ NAME = "value" }}.').items():
            if isinstance(value, str):
                found[name] = value
                continue
            hint = ""
            if isinstance(value, int | float):
                hint = f'Put it in quotes: {name} = "{as_toml(value)}"'
            elif isinstance(value, Mapping):
                inner = value.get("default", f"{{{{ {name} }}}}")
                hint = f"Such as {name} = {as_toml(inner)}." if isinstance(inner, str) else ""
            self.say((*path_, name), f"`{key}.{name}` must be text in quotes, and is {kind(value)}", hint)
        return found

    def template(self, text: str, path: Path) -> bool:
        """Check what a template asks for; gives whether it is right."""
        try:
            names = names_in(text)
        except TemplateError as error:
            self.say(path, f"{error} in {text!r}", "A variable is written {{ name }}.")
            return False
        for name in names:
            if name in self.variables:
                continue
            alike = _alike(name, self.variables)
            hint = f"Did you mean `{alike[0]}`? " if alike else ""
            hint += f'Or declare it: [variables] {name or "name"} = {{ default = "…" }}, or {{ required = true }}.'
            self.say(path, f"the variable `{name}` is not declared in [variables]", hint)
        return all(name in self.variables for name in names)
