"""wasm-lab: test what is claimed of Rust and WebAssembly by running it."""

from wasm_lab._version import __version__

__all__ = ["__version__"]
