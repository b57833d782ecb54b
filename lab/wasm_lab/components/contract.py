"""What of a component's WIT its author wrote, and what it may ask of its host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wasm_lab.components.names import version_of

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Interfaces of WASI 0.2, each with the field of `Capabilities` that decides what it gives.
_ASKS = (
    ("wasi:filesystem/", "dirs"),
    ("wasi:sockets/", "hosts"),
    ("wasi:http/outgoing-handler", "hosts"),
    ("wasi:clocks/", "clock"),
    ("wasi:random/", "random"),
    ("wasi:cli/environment", "args"),
    ("wasi:cli/environment", "env"),
)


def own_text(text: str) -> str:
    """A WIT text without the packages of WASI that are nested in it.

    Args:
        text: as wasm-tools prints it: the package itself, then each that it uses, in braces.

    Example:
        >>> print(own_text("package a:b;\\n\\nworld w {\\n}\\npackage wasi:io@0.2.0 {\\n  x\\n}\\n"))
        package a:b;
        <BLANKLINE>
        world w {
        }
    """
    return re.sub(r"^package wasi:[^\n]*\{\n.*?^\}\n*", "", text, flags=re.MULTILINE | re.DOTALL).rstrip()


def asked_of_host(imports: Iterable[str]) -> dict[str, list[str]]:
    """Each capability that a component's imports can use, to the interfaces that tell of it.

    Example:
        >>> asked_of_host(["wasi:clocks/wall-clock@0.2.6", "acme:calc/log"])
        {'clock': ['wasi:clocks/wall-clock']}
    """
    asked: dict[str, list[str]] = {}
    for name in imports:
        base = version_of(name)[0]
        for start, capability in _ASKS:
            if base.startswith(start):
                asked.setdefault(capability, []).append(base)
    return asked
