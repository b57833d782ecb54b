"""The runtime configuration: Spin's own form, and what is said of what this host does not have."""

from __future__ import annotations

import pytest

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.runtime_config import (
    ChatServer,
    RedisServer,
    RuntimeConfig,
    SqliteFile,
    load_runtime_config,
)


def write(tmp_path, text):
    path = tmp_path / "runtime-config.toml"
    path.write_text(text)
    return path


def test_every_table_of_it(tmp_path):
    config = load_runtime_config(
        write(
            tmp_path,
            """
            state_dir = "elsewhere"
            [[config_provider]]
            type = "vault"
            [key_value_store.default]
            type = "redis"
            url = "redis://:geheim@localhost"
            [key_value_store.sessions]
            type = "spin"
            path = "sessions.db"
            [sqlite_database.notes]
            type = "spin"
            path = "/data/notes.db"
            [llm_compute]
            type = "remote_http"
            url = "http://localhost:8000/"
            auth_token = "geheim"
            """,
        )
    )
    assert config.key_value_stores["default"] == RedisServer("redis://:geheim@localhost")
    assert config.key_value_stores["sessions"] == SqliteFile(tmp_path / "sessions.db")
    assert config.sqlite_databases["default"] == SqliteFile()
    assert str(config.sqlite_databases["notes"].path) == "/data/notes.db"
    assert config.llm == ChatServer("http://localhost:8000", "geheim")
    assert "geheim" not in repr(config)


def test_without_one_there_is_a_default_of_each():
    config = RuntimeConfig()
    assert list(config.key_value_stores) == list(config.sqlite_databases) == ["default"]
    assert config.llm is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[key_value_stores.default]\ntype='spin'", "`key_value_stores` is no table"),
        ("[key_value_store.default]\ntype='azure_cosmos'", r"type 'azure_cosmos'"),
        ("[key_value_store.default]\ntype='redis'", "has no `url`"),
        ("[key_value_store.default]\ntype='redis'\nurl='http://x'", "no Redis address"),
        ("[key_value_store]\ntype='redis'", "has no label"),
        ("[sqlite_database.default]\ntype='libsql'", "type 'libsql'"),
        ("[llm_compute]\ntype='spin'", "does not have"),
        ("[llm_compute]\ntype='remote_http'\nurl='ftp://x'", "no HTTP address"),
        ("[llm_compute", "is no TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, says):
    with pytest.raises(UsageError, match=says):
        load_runtime_config(write(tmp_path, text))


def test_a_missing_file_is_said_to_be(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        load_runtime_config(tmp_path / "none.toml")
