"""Which engines there are here, by the names that a comparison uses."""

from __future__ import annotations

import platform
from importlib import metadata, util

from wasm_lab.errors import ToolchainError, UnsupportedError, UsageError
from wasm_lab.toolchains.node import find_node, node_missing
from wasm_lab.toolchains.wasmedge import find_wasmedge, wasmedge_missing

#: In the order in which they are listed and drawn.
PLACES = ("wasmtime", "wasmer", "wasmedge", "wasmedge-aot", "node", "native", "javascript", "python")

GUARDS = ("none", "epochs", "fuel", "audit")

_WASMER_MISSING = (
    "wasmer-sdk is not installed: pip install 'wasm-lab[wasmer]'. It has wheels for Linux (glibc) and macOS."
)


def places() -> dict[str, str]:
    """Every place where code can be timed, to why it cannot be here; empty where it can.

    Example:
        >>> places()["python"]
        ''
    """
    return {name: missing(name) for name in PLACES}


def missing(place: str) -> str:
    """Why ``place`` is not usable here and how to get it; empty when it is.

    Raises:
        UsageError: there is no such place.
    """
    match place:
        case "wasmtime":
            return "" if util.find_spec("wasmtime") else "wasmtime is not installed: pip install wasmtime."
        case "native":
            return _native_missing()
        case "node" | "javascript":
            return node_missing()
        case "python":
            return ""
        case "wasmer":
            return "" if util.find_spec("wasmer_sdk") else _WASMER_MISSING
        case "wasmedge" | "wasmedge-aot":
            return _wasmedge_missing(place)
    raise UsageError(f"No place is named {place!r}.", hint=f"Places: {', '.join(PLACES)}.")


def require(place: str) -> None:
    """Raise UnsupportedError when ``place`` is not usable here, UsageError when there is none."""
    why = missing(place)
    if why:
        raise UnsupportedError(why)


def version(place: str) -> str:
    """The version of the engine of a usable place."""
    match place:
        case "node" | "javascript":
            engine = find_node()
            return engine.version if engine else ""
        case "python":
            return platform.python_version()
        case "native":
            return _rust_version()
        case "wasmedge" | "wasmedge-aot":
            edge = find_wasmedge()
            return edge.version if edge else ""
    return metadata.version("wasmer-sdk" if place == "wasmer" else place)


def _wasmedge_missing(place: str) -> str:
    why = wasmedge_missing()
    engine = find_wasmedge()
    if engine is not None and place == "wasmedge-aot" and not engine.can_compile:
        return "The WasmEdge here was built without its compiler."
    return why


def _native_missing() -> str:
    from wasm_lab.toolchains.host_linker import for_host
    from wasm_lab.toolchains.rust import find_rust

    try:
        for_host(find_rust())
    except ToolchainError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _rust_version() -> str:
    from wasm_lab.toolchains.rust import find_rust

    return find_rust().version.removeprefix("rustc ").partition(" ")[0]
