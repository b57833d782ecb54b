"""The Spin applications that come with the samples, built through the lab's cache."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.twins.ready import samples_folder

if TYPE_CHECKING:
    from pathlib import Path

    from wasm_lab.build import Progress

MANIFEST = "spin.toml"


def sample_names() -> tuple[str, ...]:
    """The names of the sample applications.

    Example:
        >>> "counter" in sample_names()
        True
    """
    return tuple(sorted(path.parent.name for path in _folder().glob(f"*/{MANIFEST}")))


def build_sample(name: str, into: Path, *, progress: Progress | None = None) -> Path:
    """Copy a sample application to a folder and build each of its components there.

    The samples share one set of dependencies, which takes more than a minute to build once; an
    application that was built before takes milliseconds.

    Args:
        name: one of `sample_names`.
        into: where to put it; a folder of the application's name is made there, or written over.

    Returns:
        The path of its ``spin.toml``; each ``source`` in it lies beside it.

    Raises:
        UsageError: there is no such sample.
        BuildError: a component could not be built.
    """
    from wasm_lab.build import build
    from wasm_lab.cells import parse_cell

    if name not in sample_names():
        raise UsageError(
            f"There is no sample application {name}.", hint=f"There are {', '.join(sample_names())}."
        )
    here = into / name
    shutil.copytree(_folder() / name, here, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.wasm"))
    for file in sorted(here.glob("*.rs")):
        source = parse_cell(file.read_text(encoding="utf-8"), label=file.name)
        file.with_suffix(".wasm").write_bytes(build(source, progress=progress).wasm)
    return here / MANIFEST


def _folder() -> Path:
    return samples_folder() / "spin"
