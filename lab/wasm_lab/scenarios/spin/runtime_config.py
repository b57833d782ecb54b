"""Spin's runtime configuration (``runtime-config.toml``): which stores and services stand behind the labels.

The manifest says what a component may use; this file says what that is on this machine. Its form is
Spin's own, so the same file serves ``spin up --runtime-config-file``::

    [key_value_store.default]
    type = "redis"
    url = "redis://:secret@127.0.0.1:6379"

    [key_value_store.sessions]
    type = "spin"            # a SQLite file
    path = "sessions.db"

    [sqlite_database.default]
    type = "spin"
    path = "notes.db"

    [llm_compute]
    type = "remote_http"
    url = "http://127.0.0.1:8000"
    auth_token = "secret"
    api_type = "open_ai"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wasm_lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The label that every application has without a runtime configuration.
DEFAULT = "default"

#: Tables of Spin's that have no meaning here, or belong to others who read the file.
PASSED_OVER = ("variables_provider", "variable_provider", "config_provider", "outbound_http", "client_tls")


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A SQLite file; None: the application's own, in its state folder."""

    path: Path | None = None


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A Redis server; its address holds a password and is never shown."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChatServer:
    """A server that answers as OpenAI's does (``/v1/chat/completions``, ``/v1/embeddings``)."""

    url: str
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeConfig:
    """What stands behind the labels of an application.

    Example:
        >>> RuntimeConfig().key_value_stores
        mappingproxy({'default': SqliteFile(path=None)})
    """

    key_value_stores: Mapping[str, SqliteFile | RedisServer] = field(
        default_factory=lambda: MappingProxyType({DEFAULT: SqliteFile()})
    )
    sqlite_databases: Mapping[str, SqliteFile] = field(
        default_factory=lambda: MappingProxyType({DEFAULT: SqliteFile()})
    )
    llm: ChatServer | None = None


def load_runtime_config(path: str | Path) -> RuntimeConfig:
    """Read a ``runtime-config.toml``. Relative paths in it start from its own folder.

    Raises:
        UsageError: it is missing, no TOML, or names what the lab does not have; with what it has.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no TOML: {error}.") from None
    known = ("key_value_store", "sqlite_database", "llm_compute", "state_dir", *PASSED_OVER)
    unknown = [name for name in data if name not in known]
    if unknown:
        raise UsageError(
            f"{path}: `{unknown[0]}` is no table of a runtime configuration.",
            hint=f"There are {', '.join(known[:3])}.",
        )
    stores = {
        label: _store(path, f"key_value_store.{label}", table)
        for label, table in _tables(path, data, "key_value_store")
    }
    databases = {
        label: _sqlite(path, f"sqlite_database.{label}", table)
        for label, table in _tables(path, data, "sqlite_database")
    }
    return RuntimeConfig(
        key_value_stores=MappingProxyType({DEFAULT: SqliteFile(), **stores}),
        sqlite_databases=MappingProxyType({DEFAULT: SqliteFile(), **databases}),
        llm=_llm(path, data["llm_compute"]) if "llm_compute" in data else None,
    )


def _tables(path: Path, data: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    group = data.get(name, {})
    if not isinstance(group, dict) or not all(isinstance(table, dict) for table in group.values()):
        raise UsageError(f"{path}: `{name}` has no label.", hint=f"Write [{name}.default].")
    return list(group.items())


def _store(path: Path, name: str, table: dict[str, Any]) -> SqliteFile | RedisServer:
    if table.get("type") == "redis":
        url = _text(path, name, table, "url")
        if urlsplit(url).scheme not in ("redis", "rediss"):
            raise UsageError(
                f"{path}: the url of [{name}] is no Redis address.", hint="Such as redis://127.0.0.1:6379."
            )
        return RedisServer(url)
    return _sqlite(path, name, table, also="redis")


def _sqlite(path: Path, name: str, table: dict[str, Any], also: str = "") -> SqliteFile:
    kind = table.get("type")
    if kind != "spin":
        has = f'"spin" and "{also}"' if also else '"spin"'
        raise UsageError(
            f"{path}: [{name}] has type {kind!r}, which this host does not have.",
            hint=f'It has {has}: "spin" is a SQLite file of this machine.',
        )
    file = table.get("path")
    return SqliteFile(None if file is None else (path.parent / str(file)).absolute())


def _llm(path: Path, table: dict[str, Any]) -> ChatServer:
    if table.get("type") != "remote_http" or table.get("api_type", "open_ai") != "open_ai":
        raise UsageError(
            f"{path}: [llm_compute] names a provider that this host does not have.",
            hint='It has type = "remote_http" with api_type = "open_ai": a server that answers as OpenAI\'s does.',
        )
    url = _text(path, "llm_compute", table, "url")
    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"{path}: the url of [llm_compute] is no HTTP address.")
    return ChatServer(url.rstrip("/"), str(table.get("auth_token", "")))


def _text(path: Path, name: str, table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{path}: [{name}] has no `{key}`.", hint=f'Write {key} = "…" under [{name}].')
    return value
