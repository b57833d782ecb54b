"""A cell that calls wit-bindgen's macro itself: its text stays as it is, and the macro finds the WIT."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from boltons.fileutils import atomic_save

from wasm_lab.build.cache import default_cache
from wasm_lab.errors import UsageError
from wasm_lab.source import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.components.text import WitText
    from wasm_lab.source import Source

CACHE_KIND = "wit-folder"

#: The release of wit-bindgen for such cells, and what of it they need.
WIT_BINDGEN = {
    "version": "0.61",
    "default-features": False,
    "features": ["macros", "realloc", "std", "bitflags"],
}

_MACRO = re.compile(r"\b(?:wit_bindgen\s*::\s*)?generate!\s*[({\[](.*?)[)}\]]\s*;", re.DOTALL)


def calls_generate(code: str) -> bool:
    """Whether code calls ``generate!`` itself.

    Example:
        >>> calls_generate('wit_bindgen::generate!({ world: "calc" });')
        True
    """
    return _MACRO.search(code) is not None


def with_wit_folder(source: Source, text: WitText, folder: Path) -> Source:
    """The source with a crate folder in which the macro finds the text, under the path that it names.

    A macro with a text of its own, or with a path that ``folder`` has, is left alone.

    Args:
        text: what defines the world.
        folder: the notebook's.
    """
    dependencies = {"wit-bindgen": WIT_BINDGEN, **source.dependencies}
    source = replace(source, kind=Kind.FUNCTIONS, dependencies=dependencies)
    found = _MACRO.search(source.code)
    words = found[1] if found else ""
    named = re.search(r'\bpath\s*:\s*"([^"]+)"|\bin\s+"([^"]+)"', words)
    path = (named[1] or named[2]) if named else "wit"
    if re.search(r"\binline\s*:", words) or (folder / path).exists():
        return source
    return replace(source, folder=str(_crate_folder(text.package.text, path)))


def _crate_folder(resolved: str, path: str) -> Path:
    """A folder of the cache with one text under ``path``, which may begin with ``..``."""
    key = hashlib.sha256("\0".join((path, resolved)).encode()).hexdigest()
    root = default_cache().folder(CACHE_KIND, key)
    crate = root / "a" / "b"
    crate.mkdir(parents=True, exist_ok=True)
    target = crate / path
    file = target if path.endswith(".wit") else target / "world.wit"
    if not file.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            f"generate! names {path}, which is not there.",
            hint="Leave out path:, and it finds the %%wit cell.",
        )
    if not file.exists() or file.read_text(encoding="utf-8") != resolved:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_save(str(file), overwrite=True) as stream:
            stream.write(resolved.encode())
    return crate
