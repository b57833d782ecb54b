"""Finding the programs of Redis and PostgreSQL: on PATH, or where ``scripts/test_tools.py`` unpacked them."""

from __future__ import annotations

import shutil
from pathlib import Path

from wasm_lab.toolchains import places

HOW_REDIS = "sudo apt install redis-server · sudo dnf install valkey · brew install redis"
HOW_POSTGRES = "sudo apt install postgresql · sudo dnf install postgresql-server · brew install postgresql"

#: Names of the server; Valkey is Redis under its free licence, and speaks the same protocol.
REDIS_NAMES = ("redis-server", "valkey-server")

#: Where systems keep PostgreSQL's programs off PATH, several versions beside each other.
POSTGRES_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql*/bin",
    "usr/local/opt/postgresql*/bin",
)


def find_redis() -> Path | None:
    """The ``redis-server`` or ``valkey-server`` of this machine; None when there is none."""
    own = places.tools_folder() / "redis-server" / "bin" / "redis-server"
    found = next((hit for hit in map(shutil.which, REDIS_NAMES) if hit), None)
    return Path(found) if found else own if own.exists() else None


def find_postgres() -> Path | None:
    """The folder with ``postgres`` and ``initdb``, of the newest version; None when there is none."""
    found = shutil.which("postgres")
    if found and shutil.which("initdb", path=str(Path(found).parent)):
        return Path(found).parent
    own = places.tools_folder() / "postgresql" / "bin"
    folders = [folder for pattern in POSTGRES_FOLDERS for folder in Path("/").glob(pattern)]
    whole = [folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()]
    if whole:
        return max(whole, key=lambda folder: [int(part) for part in _version(folder)])
    return own if (own / "initdb").exists() else None


def redis_missing() -> str:
    """Why no Redis can be started here and how to get it; empty when one can."""
    return "" if find_redis() else f"No redis-server is here. To get it: {HOW_REDIS}."


def postgres_missing() -> str:
    """Why no PostgreSQL can be started here and how to get it; empty when one can."""
    return "" if find_postgres() else f"No PostgreSQL server is here. To get it: {HOW_POSTGRES}."


def _version(folder: Path) -> list[str]:
    """The digits of the version in a folder's name: ``/usr/lib/postgresql/15/bin`` gives 15."""
    digits = "".join(letter if letter.isdigit() else " " for letter in folder.parent.name).split()
    return digits or ["0"]
