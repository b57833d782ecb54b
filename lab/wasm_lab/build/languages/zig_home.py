"""Where Zig works: its program, and its cache in the lab's own folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.languages.making import compiler_environment
from wasm_lab.toolchains.zig import ensure_zig

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.build.progress import Progress
    from wasm_lab.toolchains.zig import Zig


@dataclass(frozen=True, slots=True)
class ZigHome:
    """A Zig and the folder of what it makes once and uses again: the C library, its runtime."""

    zig: Zig
    cache: Path

    def environment(self, folder: Path) -> dict[str, str]:
        """The whole environment of Zig when it works in ``folder``."""
        return compiler_environment(
            ZIG_GLOBAL_CACHE_DIR=str(self.cache),
            ZIG_LOCAL_CACHE_DIR=str(folder / "zig-cache"),
            HOME=str(folder),
        )

    @property
    def writes(self) -> list[Path]:
        return [self.cache]

    @property
    def executes(self) -> list[Path]:
        return [self.zig.program.resolve().parent, self.zig.library]


def home(progress: Progress | None) -> ZigHome:
    """The Zig that is here, got from PyPI if there is none.

    Raises:
        ToolchainError: there is none and it could not be got.
    """
    zig = ensure_zig(lambda line: progress(line, 0, 0) if progress else None)
    return ZigHome(zig, default_cache().folder("zig", re.sub(r"\W", "_", zig.version)))
