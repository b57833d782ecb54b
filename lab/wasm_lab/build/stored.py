"""A compiled crate as the cache holds it: the bytes, the compiler's messages, what it read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.unit import compiler_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wasm_lab.build.cache import Cache
    from wasm_lab.build.rustc import Compiled


@dataclass(frozen=True, slots=True)
class Stored:
    """What one compile gave: its output and the JSON lines of its warnings."""

    output: bytes
    messages: str


def load(cache: Cache, kind: str, key: str, env: Mapping[str, str]) -> Stored | None:
    """The compile kept under ``key``, if nothing that it read has changed since.

    Args:
        env: variables set for the compiler over those of this process.
    """
    data = cache.get(kind, key)
    if data is None:
        return None
    head, _, output = data.partition(b"\n")
    header = json.loads(head)  # the cache has checked that these are the bytes that were written
    if any(file_digest(path) != was for path, was in header["inputs"].items()):
        return None
    seen = {**compiler_environment(), **env}
    if any(seen.get(name) != was for name, was in header["variables"]):
        return None
    return Stored(output, header["messages"])


def keep(cache: Cache, kind: str, key: str, compiled: Compiled) -> Stored:
    """Put a successful compile into the cache and give it back in the form that `load` gives."""
    assert compiled.output is not None, "only a compile that succeeded is kept"
    header = {
        "messages": compiled.finished.stderr,
        "inputs": {path: file_digest(path) for path in compiled.inputs},
        "variables": compiled.variables,
    }
    cache.put(kind, key, json.dumps(header).encode() + b"\n" + compiled.output)
    return Stored(compiled.output, compiled.finished.stderr)


def file_digest(path: str) -> str | None:
    """The SHA-256 of a file in hexadecimal; None when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
