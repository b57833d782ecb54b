"""Where the lab keeps what it remembers and what it installs.

``WASM_LAB_CACHE`` moves the cache, ``WASM_LAB_TOOLCHAIN`` the folder of the lab's own
Rust toolchain. Without them both lie where the operating system wants them (on Linux
``~/.cache/wasm-lab`` and ``~/.local/share/wasm-lab/rust``).
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

EXE = ".exe" if os.name == "nt" else ""


def memory_folder() -> Path:
    """The folder of remembered probe results; it may not exist yet, and may be deleted."""
    root = os.environ.get("WASM_LAB_CACHE")
    if not root:
        import platformdirs

        root = platformdirs.user_cache_dir("wasm-lab", appauthor=False)
    return Path(root) / "toolchains"


def own_folder() -> Path:
    """The folder into which the lab installs its own Rust toolchain; it may not exist."""
    own = os.environ.get("WASM_LAB_TOOLCHAIN")
    if own:
        return Path(own).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("wasm-lab", appauthor=False)) / "rust"


def own_rustup_home() -> Path:
    """``RUSTUP_HOME`` of the lab's own toolchain."""
    return own_folder() / "rustup"


def own_cargo_home() -> Path:
    """``CARGO_HOME`` of the lab's own rustup; the crates that cells use do not go there."""
    return own_folder() / "cargo"


def user_rustup_home() -> Path:
    """The user's own ``RUSTUP_HOME`` (rustup's default is ``~/.rustup``)."""
    return Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")


def user_cargo_home() -> Path:
    """The user's own ``CARGO_HOME`` (cargo's default is ``~/.cargo``)."""
    return Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")


def programs_on_path(name: str) -> list[Path]:
    """Every program of that name on ``PATH``, first come first; not only the first.

    Takes the bare name, without ``.exe``.
    """
    found: list[Path] = []
    for folder in dict.fromkeys(os.environ.get("PATH", "").split(os.pathsep)):
        hit = shutil.which(name, path=folder) if folder else None
        if hit:
            found.append(Path(hit))
    return found


def program_beside_python(name: str) -> Path | None:
    """A program installed by pip next to this Python (``.venv/bin/NAME``), if there is one."""
    path = Path(sys.executable).parent / f"{name}{EXE}"
    return path if path.exists() else None


def tools_folder() -> Path:
    """The folder for tools that scripts unpack for the lab alone; it may not exist.

    ``$WASM_LAB_TOOLS``, else ``tools`` in the user's cache folder, wherever the build cache is.
    """
    own = os.environ.get("WASM_LAB_TOOLS")
    if own:
        return Path(own).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("wasm-lab", appauthor=False)) / "tools"
