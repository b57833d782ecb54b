"""Rust bindings of a WIT world, made by wit-bindgen.

wit-bindgen runs as a WebAssembly program in the lab's own sandbox: it comes with the lab
(``components/generator``), so nothing is downloaded or built for the first cell. The macro of the
crate ``wit-bindgen`` makes the same text at every compile; here it is made once and kept in the cache.
"""

from __future__ import annotations

import functools
import hashlib
from importlib import resources

from wasm_lab.artifact import Artifact
from wasm_lab.build.cache import default_cache
from wasm_lab.build.world_crate import FLAGS_CRATE, RUNTIME_PATH
from wasm_lab.capabilities import Capabilities
from wasm_lab.errors import WitError
from wasm_lab.runtimes import get_runtime
from wasm_lab.source import Bindings

CACHE_KIND = "bindings"

#: Of wit-bindgen, as in ``generator/Cargo.toml``.
VERSION = "0.61.1"


def rust_bindings(resolved: str, world: str, modules: tuple[str, ...] = ()) -> Bindings:
    """The bindings of a world.

    Args:
        resolved: a WIT text with all the packages that it uses, nested in it.
        world: the full name, such as ``acme:calc/calc@1.0.0``.
        modules: those whose names the code may use as they are.

    Raises:
        WitError: wit-bindgen refused the world; the message is what it said. Or it needs WASI 0.3.
    """
    program = _generator()
    key = hashlib.sha256("\0".join((program.sha256, world, resolved)).encode()).hexdigest()
    cache = default_cache()
    kept = cache.get(CACHE_KIND, key)
    if kept is None:
        short = f"%{world.partition('@')[0].rpartition('/')[2]}"  # % lets it be a word of WIT
        capabilities = Capabilities(
            args=(short, RUNTIME_PATH, f"::{FLAGS_CRATE}"), stdin=resolved.encode(), deadline_s=60
        )
        run = get_runtime("wasmtime").run(program, capabilities)
        if not run.ok:
            said = (run.stderr.decode(errors="replace").strip() or str(run.trap)).partition("\n")[0]
            raise WitError(
                f"wit-bindgen {VERSION} makes no Rust bindings of {world}: {said.removesuffix('.')}."
            )
        kept = run.stdout
        cache.put(CACHE_KIND, key, kept)
    rust = kept.decode()
    if f"{RUNTIME_PATH}::async_support" in rust:
        raise WitError(
            f"The world {world} has async functions, streams or futures, which is WASI 0.3.",
            hint="What runs here is WASI 0.2: functions that are not async, and no stream or future.",
        )
    return Bindings(world, rust, modules)


def needs_flags(bindings: Bindings) -> bool:
    """Whether the bindings use the crate ``bitflags``, as a WIT type ``flags`` does."""
    return f"::{FLAGS_CRATE}::" in bindings.rust


@functools.cache
def _generator() -> Artifact:
    wasm = resources.files("wasm_lab.components.generator").joinpath("bindings.wasm").read_bytes()
    return Artifact(wasm=wasm, label=f"wit-bindgen {VERSION}")
