"""What each plugin may touch and use: read from a TOML file, or given as Capabilities.

    [defaults]                       # for plugins without a table, and what tables leave out
    timeout = "500ms"

    [plugin.image-resize]
    memory = "256MiB"
    dir-ro = ["./icons::/icons"]
    env = { QUALITY = "high" }

The host names this file; it is never looked for among the plugins, because whoever may put a plugin
into the folder must not grant it anything.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from wasm_lab.capabilities import (
    MIB,
    Capabilities,
    ClockMode,
    RandomMode,
    parse_clock,
    parse_directory,
    parse_duration,
    parse_random,
    parse_size,
)
from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: What a plugin gets unless told otherwise: no files, no variables, no network, a clock that stands still
#: and the same randomness each time, so that its answer depends on its input alone.
PLUGIN_DEFAULTS = Capabilities(
    clock=ClockMode.FROZEN,
    random=RandomMode.SEEDED,
    memory_bytes=64 * MIB,
    deadline_s=1.0,
    output_bytes=MIB // 4,
)


@dataclass(frozen=True)
class Settings:
    """Capabilities for each plugin by its name.

    Example:
        >>> settings = Settings({"image-resize": Capabilities(deadline_s=5.0)})
        >>> settings.of("image-resize").deadline_s, settings.of("markdown").deadline_s
        (5.0, 1.0)
    """

    plugins: Mapping[str, Capabilities] = field(default_factory=dict)
    defaults: Capabilities = PLUGIN_DEFAULTS

    def of(self, name: str) -> Capabilities:
        """What the plugin of that name may do."""
        return self.plugins.get(name, self.defaults)


def read_settings(path: Path) -> Settings:
    """Settings from a TOML file; folders in it count from where it lies.

    Raises:
        UsageError: it cannot be read, or something in it is unknown or wrong; the message names the table.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}.") from None
    unknown = set(tables) - {"defaults", "plugin"}
    plugins = tables.get("plugin", {})
    if unknown or not isinstance(plugins, dict):
        name = next(iter(unknown), "plugin")
        raise UsageError(
            f"{path}: {name!r} is no table of plugin settings.",
            hint="Tables are [defaults] and [plugin.NAME], with the name of the file without .wasm.",
        )
    defaults = _capabilities(tables.get("defaults", {}), PLUGIN_DEFAULTS, f"{path}, [defaults]", path.parent)
    return Settings(
        {
            name: _capabilities(table, defaults, f"{path}, [plugin.{name}]", path.parent)
            for name, table in plugins.items()
        },
        defaults,
    )


def _capabilities(table: object, base: Capabilities, where: str, folder: Path) -> Capabilities:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is no table.")
    changes: dict[str, Any] = {}
    for key, value in table.items():
        reader = _KEYS.get(key)
        if reader is None:
            raise UsageError(f"{where}: there is no setting {key!r}.", hint=f"There are {', '.join(_KEYS)}.")
        try:
            changes |= reader(value, folder)
        except UsageError as error:
            raise UsageError(f"{where}, {key}: {error.message}", hint=error.hint) from None
    if folders := (*changes.pop("dirs_ro", ()), *changes.pop("dirs_rw", ())):
        changes["dirs"] = folders
    return replace(base, **changes)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{value!r} is no text.", hint='Write it in quotes, such as "64MiB" or "500ms".')
    return value


def _variables(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise UsageError(f"{value!r} is no table of texts.", hint='Write { NAME = "value" }.')
    return dict(value)


def _folders(value: object, folder: Path, *, writable: bool) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise UsageError(f"{value!r} is no list.", hint='Write ["HOST::GUEST"].')
    return tuple(parse_directory(str(folder / _text(each)), writable=writable) for each in value)


def _clock(value: object, _folder: Path) -> dict[str, Any]:
    mode, frozen_ns = parse_clock(_text(value))
    return {"clock": mode, "frozen_ns": frozen_ns}


def _random(value: object, _folder: Path) -> dict[str, Any]:
    mode, seed = parse_random(_text(value))
    return {"random": mode, "seed": seed}


_KEYS: dict[str, Callable[[Any, Path], dict[str, Any]]] = {
    "memory": lambda value, _: {"memory_bytes": parse_size(_text(value))},
    "timeout": lambda value, _: {"deadline_s": parse_duration(_text(value))},
    "max-output": lambda value, _: {"output_bytes": parse_size(_text(value))},
    "env": lambda value, _: {"env": _variables(value)},
    "dir": lambda value, folder: {"dirs_rw": _folders(value, folder, writable=True)},
    "dir-ro": lambda value, folder: {"dirs_ro": _folders(value, folder, writable=False)},
    "clock": _clock,
    "random": _random,
}
