"""Guests composed with the front, which serves most of their host calls inside the sandbox.

Composing takes two steps. `_framed` writes a component around the guest and the glue, with the guest's
own imports: it begins with the same types and imports as the guest, so that no type must be
understood, and ends with the few definitions of ours. Then wasm-tools connects that with the front.
The binary format is that of the component model (``design/mvp/Binary.md`` in its repository).
"""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.sections import leb128
from wasm_lab.build.wasm_tools import ToolError, wasm_tools

if TYPE_CHECKING:
    from wasm_lab.scenarios.spin.componentize import Guest

#: Kind of the cache entries (see `wasm_lab.build.cache`).
CACHE_KIND = "fronted"

#: What the composed component exports, and what it imports of the host.
RUN, HOST = "run", "wasm-lab:front/host"

#: The version that the front's interfaces have; they serve every 0.2 version before it.
VERSION = "0.2.12"

_START, _TYPES = "wasm-lab:front/start", "wasi:http/types"

#: What the front provides.
PROVIDED = frozenset(
    (
        "wasi:io/error",
        "wasi:io/poll",
        "wasi:io/streams",
        "wasi:clocks/monotonic-clock",
        "wasi:cli/stdin",
        "wasi:cli/stdout",
        "wasi:cli/stderr",
        "wasi:filesystem/types",
        "wasi:filesystem/preopens",
        _TYPES,
    )
)

#: Beginnings of what has nothing to do with the front's streams, and stays with Python.
APART = (
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/terminal-",
    "wasi:clocks/wall-clock",
    "wasi:random/",
    "wasi:keyvalue/",
    "wasi:config/",
    "fermyon:spin/",
    "spin:postgres/",
    "spin:sqlite/",
)

_ALIAS, _TYPE, _IMPORT, _COMPONENT, _INSTANCE, _EXPORT = 6, 7, 10, 4, 5, 11
_SORT_FUNC, _SORT_TYPE, _SORT_INSTANCE = b"\x01", b"\x03", b"\x05"
_PREAMBLE = b"\0asm\x0d\0\x01\0"


class _Unlike(Exception):
    """The guest is not laid out as components for wasi:http are."""


def fronted(guest: Guest, handler: str, *, has_files: bool) -> bytes | None:
    """The guest composed with the front; None when it needs more than the front has. Cached by content.

    Args:
        guest: the component.
        handler: the full name of the interface that answers requests.
        has_files: whether its manifest shows it any files.
    """
    for name in guest.imports:
        base, _, version = name.partition("@")
        if base in PROVIDED:
            if has_files and base.startswith("wasi:filesystem/"):
                return None
            if not version.startswith("0.2.") or "-" in version or int(version[4:]) > int(VERSION[4:]):
                return None
        elif not base.startswith(APART):
            return None
    front, glue = _part("front.wasm"), _part("glue.wasm")
    content = hashlib.sha256()
    for part in (front, glue, guest.wasm, handler.encode()):
        content.update(hashlib.sha256(part).digest())
    cache, key = default_cache(), content.hexdigest()
    made = cache.get(CACHE_KIND, key)
    if made is None:
        try:
            made = _connected(*_framed(guest.wasm, glue, handler), front)
        except (_Unlike, ToolError):
            return None
        cache.put(CACHE_KIND, key, made)
    return made


@functools.cache
def _part(name: str) -> bytes:
    return (resources.files("wasm_lab.scenarios.spin") / "front" / name).read_bytes()


def _connected(framed: bytes, imported: list[str], front: bytes) -> bytes:
    """The framed guest, with what it imports taken from the front where that has it."""
    wanted = {_START: _START} | {
        name: f"{base}@{VERSION}" for name in imported if (base := name.partition("@")[0]) in PROVIDED
    }
    plan = {
        "dependencies": {"front": "front.wasm"},
        "instantiations": {
            "root": {
                "arguments": {
                    name: {"instance": "front", "export": export} for name, export in wanted.items()
                }
            }
        },
    }
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as name:
        folder = Path(name)
        (folder / "front.wasm").write_bytes(front)
        (folder / "framed.wasm").write_bytes(framed)
        (folder / "plan.yml").write_text(json.dumps(plan))  # JSON is YAML
        words = ["compose", "--quiet", "--config", str(folder / "plan.yml"), str(folder / "framed.wasm")]
        return wasm_tools(words, b"")


def _framed(guest: bytes, glue: bytes, handler: str) -> tuple[bytes, list[str]]:
    """A component around the guest and the glue, and the names of the instances that the guest imports."""
    beginning, types, instances = _beginning(guest)
    http = next((i for i, name in enumerate(instances) if name.partition("@")[0] == _TYPES), None)
    if http is None:
        raise _Unlike
    request, outparam, start_type = types, types + 1, types + 2
    start = len(instances)
    answering, handling, running = start + 1, start + 2, start + 3
    start_of = b"\x42" + _vector(
        b"\x02\x03\x02\x01" + _leb(request),
        b"\x02\x03\x02\x01" + _leb(outparam),
        *_getter("request", resource=0, first_type=2),
        *_getter("outparam", resource=1, first_type=4),
    )
    arguments = [_argument(name, number) for number, name in enumerate(instances) if name]
    parts = [
        _PREAMBLE,
        beginning,
        _section(
            _ALIAS, *[_alias(_SORT_TYPE, http, name) for name in ("incoming-request", "response-outparam")]
        ),
        _section(_TYPE, start_of),
        _section(_IMPORT, b"\x00" + _name(_START) + b"\x05" + _leb(start_type)),
        _raw_section(_COMPONENT, guest),
        _raw_section(_COMPONENT, glue),
        _section(_INSTANCE, _instantiation(0, arguments)),
        _section(_ALIAS, _alias(_SORT_INSTANCE, answering, handler)),
        _section(
            _INSTANCE,
            _instantiation(
                1, [_argument("types", http), _argument("start", start), _argument("handler", handling)]
            ),
        ),
        _section(_ALIAS, _alias(_SORT_FUNC, running, RUN)),
        _section(_EXPORT, b"\x00" + _name(RUN) + _SORT_FUNC + _leb(0) + b"\x00"),
    ]
    return b"".join(parts), [name for name in instances if name]


def _beginning(component: bytes) -> tuple[bytes, int, list[str]]:
    """The sections of types and imports, how many types they define, and the names of instances."""
    at, types = len(_PREAMBLE), 0
    instances: list[str] = []
    while at < len(component) and component[at] in (_ALIAS, _TYPE, _IMPORT):
        number = component[at]
        size, body = leb128(component, at + 1)
        count, here = leb128(component, body)
        if number == _TYPE:
            types += count
        elif number == _ALIAS:
            for _ in range(count):
                sort, target = component[here], component[here + 1]
                if sort not in (3, 5) or target != 0:
                    raise _Unlike
                _, here = leb128(component, here + 2)
                length, here = leb128(component, here)
                here += length
                if sort == 3:
                    types += 1
                else:
                    instances.append("")
        else:
            for _ in range(count):
                if component[here] not in (0, 1):
                    raise _Unlike
                length, here = leb128(component, here + 1)
                name = component[here : here + length].decode()
                here += length
                if component[here] != 5:  # no instance
                    raise _Unlike
                _, here = leb128(component, here + 1)
                instances.append(name)
        at = body + size
        if number != _TYPE and here != at:
            raise _Unlike
    return component[len(_PREAMBLE) : at], types, instances


def _leb(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _vector(*items: bytes) -> bytes:
    return _leb(len(items)) + b"".join(items)


def _name(text: str) -> bytes:
    data = text.encode()
    return _leb(len(data)) + data


def _raw_section(number: int, body: bytes) -> bytes:
    return bytes([number]) + _leb(len(body)) + body


def _section(number: int, *items: bytes) -> bytes:
    return _raw_section(number, _vector(*items))


def _alias(sort: bytes, instance: int, name: str) -> bytes:
    return sort + b"\x00" + _leb(instance) + _name(name)


def _argument(name: str, instance: int) -> bytes:
    return _name(name) + _SORT_INSTANCE + _leb(instance)


def _instantiation(component: int, arguments: list[bytes]) -> bytes:
    return b"\x00" + _leb(component) + _vector(*arguments)


def _getter(name: str, *, resource: int, first_type: int) -> tuple[bytes, bytes, bytes]:
    """In an instance type: ``name: func() -> own<resource>``; defines two types."""
    return (
        b"\x01\x69" + _leb(resource),
        b"\x01\x40\x00\x00" + _leb(first_type),
        b"\x04\x00" + _name(name) + _SORT_FUNC + _leb(first_type + 1),
    )
