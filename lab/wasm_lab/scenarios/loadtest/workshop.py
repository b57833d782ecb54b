"""The workshop: what stacks are built in, and where what was built is kept.

What was built lies in the user's cache under a name made of all that went into it, so that an
unchanged stack is not built again and may be deleted at any moment.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wasm_lab.build.cache import default_cache
from wasm_lab.build.key import digest
from wasm_lab.build.process import run_tool
from wasm_lab.errors import BuildError
from wasm_lab.twins.ready import samples_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from filelock import BaseFileLock

    from wasm_lab.build.progress import Progress

KIND = "loadtest"

#: Lines of a failed tool's words that an error shows.
SHOWN_LINES = 12


@dataclass(frozen=True)
class Workshop:
    """Builds stacks.

    Args:
        progress: told what is being done.
    """

    progress: Progress | None = None

    def say(self, what: str, done: int = 0, total: int = 0) -> None:
        if self.progress:
            self.progress(what, done, total)

    def made(
        self, name: str, sources: Sequence[str], parts: Sequence[str], make: Callable[[Path], None]
    ) -> Path:
        """A folder of the cache in which ``make`` worked on copies of the sources, now or earlier.

        Args:
            name: what is made, for messages.
            sources: folders of ``wasm_samples/loadtest``, each copied under its name.
            parts: what else decides the result, such as a compiler's version.
            make: called with the folder; what it raises leaves nothing behind.

        Raises:
            BuildError: the cache cannot be written, or what ``make`` raises.
        """
        origin = samples_folder() / KIND
        key = digest(KIND, name, {each: _contents(origin / each) for each in sources}, list(parts))
        cache = default_cache()
        try:
            folder = cache.folder(KIND, key)
            if (folder / "complete").exists():
                return folder
            with self._held(cache.lock(KIND, key), name):
                folder = cache.folder(KIND, key)
                if (folder / "complete").exists():
                    return folder
                _empty(folder)
                for each in sources:
                    shutil.copytree(origin / each, folder / each)
                try:
                    make(folder)
                except BaseException:
                    _empty(folder)
                    raise
                (folder / "complete").touch()
        except OSError as error:
            raise BuildError(
                f"{name} is built in {cache.root}, and that failed: {error.strerror or error}.",
                hint="Make room there, or set WASM_LAB_CACHE to a folder that can be written.",
            ) from error
        return folder

    def _held(self, lock: BaseFileLock, name: str) -> Any:
        from filelock import Timeout

        try:
            return lock.acquire(timeout=0)
        except Timeout:
            self.say(f"{name}: waiting for another process that builds it")
            return lock.acquire(timeout=-1)

    def run(self, what: str, command: Sequence[str | Path], folder: Path, **environment: str) -> None:
        """Run a tool to its end, telling its lines as they come.

        Raises:
            BuildError: it failed; with the last of what it said.
            KeyboardInterrupt: the user interrupted; the tool and its children have been stopped.
        """
        self.say(what)
        try:
            done = run_tool(command, cwd=folder, env={**os.environ, **environment})
        except OSError as error:
            raise BuildError(f"{what}: {command[0]} does not start ({error.strerror or error}).") from error
        if done.status:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-SHOWN_LINES:])
            raise BuildError(f"{what} failed with status {done.status}. It said:\n{said}")


def _contents(folder: Path) -> dict[str, str]:
    """Every file of a folder with its content, of source files only: what is built lies elsewhere."""
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not {"node_modules", "target"} & set(file.relative_to(folder).parts)
    }


def _empty(folder: Path) -> None:
    for item in folder.iterdir():
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink()
