"""Where Zig works: its program, its cache in the lab's own folder, and its C library, made once for a user."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.build.cache import default_cache
from wasm_lab.build.languages.making import compiler_environment
from wasm_lab.toolchains.zig import ensure_zig

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wasm_lab.build.progress import Progress
    from wasm_lab.toolchains.zig import Zig


@dataclass(frozen=True, slots=True)
class ZigHome:
    """The folders of a Zig."""

    zig: Zig
    cache: Path  #: what it makes once and uses again: the C library, the standard library

    def environment(self, folder: Path) -> dict[str, str]:
        """The whole environment of Zig when it works in ``folder``."""
        return compiler_environment(
            ZIG_GLOBAL_CACHE_DIR=str(self.cache),
            ZIG_LOCAL_CACHE_DIR=str(folder / "zig-cache"),
            HOME=str(folder),
        )

    def reads(self, folder: str) -> list[Path]:
        """What it may read beside its own: the folder of the file that is compiled."""
        return [Path(folder)] if folder else []

    @property
    def writes(self) -> list[Path]:
        return [self.cache]

    @property
    def executes(self) -> list[Path]:
        return [self.zig.program.resolve().parent, self.zig.library]


def zig(progress: Progress | None) -> Zig:
    """The Zig that is here, got from PyPI if there is none."""
    return ensure_zig(lambda line: progress(line, 0, 0) if progress else None)


@contextlib.contextmanager
def ready(zig: Zig, language: str, progress: Progress | None) -> Iterator[ZigHome]:
    """Zig with its library made."""
    del language, progress
    yield ZigHome(zig, default_cache().folder("zig", zig.version.replace(".", "_").replace("+", "_")))
