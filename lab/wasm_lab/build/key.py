"""Names for results: a digest of everything that changes what a compiler makes."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from wasm_lab._version import __version__
from wasm_lab.build.nearby import may_name_files
from wasm_lab.build.unit import DECIDING_VARIABLES

if TYPE_CHECKING:
    from wasm_lab.build.unit import Unit
    from wasm_lab.toolchains.rust import RustToolchain

#: Raise when the same inputs begin to give another result, or the form of an entry changes.
FORMAT = 2


def digest(*parts: Any) -> str:
    """A SHA-256 in hexadecimal over values that JSON can hold, in their order."""
    text = json.dumps([FORMAT, __version__, *parts], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def toolchain_parts(toolchain: RustToolchain) -> list[str]:
    """What of a compiler changes its results: its whole version, and which installation it is."""
    return [toolchain.verbose, str(toolchain.sysroot), str(toolchain.linker or "")]


def unit_key(unit: Unit, toolchain: RustToolchain, *dependencies: str) -> str:
    """The key of what rustc makes of ``unit``.

    ``dependencies`` are the keys of what it is compiled against. Files that the code includes
    are not known before it is compiled: they are noted in the entry and compared on reading.
    """
    return digest(
        unit.flags(),
        unit.label,
        unit.root,
        dict(unit.files),
        str(unit.folder) if may_name_files(unit.root) else "",
        # Procedural macros read variables without telling rustc; other code does so by env!, which it notes.
        dict(unit.env) if dependencies else {},
        "walled" if unit.walled else {name: os.environ.get(name) for name in DECIDING_VARIABLES},
        toolchain_parts(toolchain),
        dependencies,
    )
