"""A core module that wit-bindgen made becomes a component."""

from __future__ import annotations

import functools
import hashlib
import re
import tempfile
from importlib import resources
from pathlib import Path

from wasm_lab.artifact import CORE_PREAMBLE
from wasm_lab.build.cache import default_cache
from wasm_lab.build.wasm_tools import ToolError, tools_version, wasm_tools
from wasm_lab.errors import LoadError

#: The adapter from WASI 0.1 to 0.2; where it comes from stands in ``adapters/README.md``.
ADAPTER = "wasi_snapshot_preview1.reactor.wasm"
ADAPTER_VERSION = "50.0.1"
ADAPTER_SHA256 = "6d52112df28f0caee9018f911f279f94f848230b2f0ed02138290363e925671f"

#: Kind of the cache entries (see `wasm_lab.build.cache`), and the form of what is in them.
CACHE_KIND = "component"
_FORM = 3


def adapted(wasm: bytes, label: str = "The module") -> bytes:
    """The component that a core module was made to become; cached by content.

    Args:
        wasm: a module for WASI 0.1 with the WIT that it was built for in its custom sections, as
            wit-bindgen and so spin-sdk leave it; or a component, which is returned as it is.
        label: names it in messages.

    Raises:
        LoadError: no component can be made of it.

    Example:
        >>> from wasm_lab.build.wasm_tools import assemble
        >>> component = assemble("(component)")
        >>> adapted(component) == component
        True
    """
    if not wasm.startswith(CORE_PREAMBLE):
        return wasm
    made_by = f"{_FORM} {ADAPTER_SHA256} {tools_version()}"
    key = hashlib.sha256(hashlib.sha256(wasm).digest() + made_by.encode()).hexdigest()
    cache = default_cache()
    component = cache.get(CACHE_KIND, key)
    if component is None:
        component = _adapt(wasm, label)
        cache.put(CACHE_KIND, key, component)
    return component


def _adapt(wasm: bytes, label: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="wasm-lab-") as folder:
        adapter = Path(folder) / "adapter.wasm"
        adapter.write_bytes(adapter_bytes())
        try:
            return wasm_tools(["component", "new", "--adapt", f"wasi_snapshot_preview1={adapter}"], wasm)
        except ToolError as error:
            said = re.sub(r"^.*?Caused by:\s*", "", str(error), flags=re.DOTALL)
            said = re.sub(
                r"thread 'main'.* panicked at \S+\s*|\s*(stack backtrace|note):.*", "", said, flags=re.DOTALL
            )
            reason = " ".join(re.sub(r"^\s*\d+: ", "", line).strip() for line in said.splitlines())
            raise LoadError(
                f"{label} cannot be made a component: {reason}.",
                hint="A module that becomes a component comes from wit-bindgen, or from spin-sdk, which writes "
                "into it what it imports and exports. A plain module runs with `wasm-lab run`.",
            ) from None


@functools.cache
def adapter_bytes() -> bytes:
    """The adapter that comes with the lab."""
    return (resources.files("wasm_lab.components") / "adapters" / ADAPTER).read_bytes()
