"""Source to Artifact in languages other than Rust: one module for each, found by the language's name.

A module gives ``build(source, *, progress) -> Artifact``. The same nouns, cache, steps and diagnostics
as for Rust; what compiles (``zig``, ``go``, ``componentize-py``) differs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from wasm_lab.errors import UnsupportedError
from wasm_lab.source import LANGUAGES

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.build.progress import Progress
    from wasm_lab.source import Source

#: Languages to the modules that build them.
BUILDERS = {"c": "c", "cpp": "c", "zig": "zig", "go": "go", "python": "python", "js": "js"}


def build_language(source: Source, *, progress: Progress | None = None) -> Artifact:
    """Compile ``source``, or take what an earlier compile of the same gave from the cache.

    Raises:
        CompileError, ToolchainError, BuildError: why there is no artifact.
        UnsupportedError: nothing here builds the language.
    """
    name = BUILDERS.get(source.language)
    if name is None:
        raise UnsupportedError(
            f"{source.label} is in {source.language}, which nothing here builds.",
            hint=f"Languages are {', '.join(LANGUAGES)}.",
        )
    module = importlib.import_module(f"wasm_lab.build.languages.{name}")
    artifact: Artifact = module.build(source, progress=progress)
    return artifact
