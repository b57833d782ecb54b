"""The same program as an image of Wasm, native, Python and Node: how large each is, and what is in it.

Each image is the least that runs: the program, and of this machine's own files what it loads. There
is no shell, no package manager and no system beneath. Official images have those, and are larger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.errors import BuildError, ToolchainError, UnsupportedError
from wasm_lab.scenarios.containers import fellows
from wasm_lab.scenarios.containers.fellows import Fellow
from wasm_lab.scenarios.containers.image import Entry, Image, files_image, wasm_image
from wasm_lab.scenarios.containers.inspecting import inspect_image
from wasm_lab.scenarios.containers.static import static_program
from wasm_lab.toolchains.rust import find_rust
from wasm_lab.toolchains.wasmedge import find_wasmedge, wasmedge_missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wasm_lab.scenarios.containers.findings import LayerFound


@dataclass(frozen=True, kw_only=True)
class Size:
    """One image of the comparison."""

    name: str  #: such as ``python``
    title: str  #: as a table has it
    layers: tuple[LayerFound, ...] = ()
    missing: str = ""  #: why there is none here, and how to get it

    @property
    def compressed(self) -> int:
        """Bytes that a registry holds and a node downloads."""
        return sum(layer.size_bytes for layer in self.layers)

    @property
    def uncompressed(self) -> int:
        """Bytes on the disk of a node, with what a tar adds."""
        return sum(layer.uncompressed_bytes or 0 for layer in self.layers)


def compare_sizes(on_step: Callable[[str], None] = lambda _: None, leave_out: str = "") -> list[Size]:
    """Build the images and read them again; Python's, Node's and the engine's take some seconds the first time.

    Args:
        leave_out: the name of one that is not to be built.
        on_step: told the title of each before it is built.

    Raises:
        BuildError: the program does not build.
    """
    found = []
    for fellow in _SUBJECTS:
        if fellow.name == leave_out:
            continue
        on_step(fellow.title)
        name, title = fellow.name, fellow.title
        try:
            why = fellow.missing()
            layers = () if why else _layers(fellows.archive(fellow).path)
            found.append(Size(name=name, title=title, layers=layers, missing=why))
        except (UnsupportedError, ToolchainError) as error:
            found.append(Size(name=name, title=title, missing=str(error)))
    return found


def _layers(path: Path) -> tuple[LayerFound, ...]:
    """What the file holds, with every digest checked."""
    report = inspect_image(path)
    if not report.sound:
        raise BuildError(f"The image {path} is damaged: {report.problems[0].message}", hint="Run it again.")
    return report.images[0].layers


def _artifact() -> Image:
    return wasm_image(fellows.module(), "localhost/wasm-lab/idle:1", form="artifact")


def _static() -> Image:
    layers = {"program": [Entry("/idle", static_program(fellows.RUST), 0o755)]}
    return files_image(layers, "localhost/wasm-lab/idle-static:1", entrypoint=["/idle"])


def _with_engine() -> Image:
    """The module with an engine in the image, which then runs like any other program."""
    found = find_wasmedge()
    if found is None:
        raise UnsupportedError(wasmedge_missing())
    program, lister = fellows.unwrapped(found.program)
    layers = {
        "libraries": fellows.libraries_of([str(program)], lister),
        "WasmEdge": [Entry("/usr/bin/wasmedge", program, 0o755)],
        "program": [Entry("/idle.wasm", fellows.module())],
    }
    start = ["/usr/bin/wasmedge", "/idle.wasm"]
    return files_image(layers, "localhost/wasm-lab/idle-engine:1", entrypoint=start)


def _decided_by() -> tuple[str, ...]:
    engine = find_wasmedge()
    return find_rust().version, f"{engine.version} {engine.program}" if engine else ""


def _nothing() -> str:
    return ""


#: Images beside those that are started and measured; none of these is.
_FURTHER = (
    Fellow("wasm-artifact", "Wasm, as an artifact", "rust", _artifact, _nothing, _decided_by),
    Fellow(
        "wasm-with-engine",
        "Wasm, with WasmEdge in the image",
        "rust",
        _with_engine,
        wasmedge_missing,
        _decided_by,
    ),
    Fellow("native-static", "native, in one file", "rust", _static, _nothing, _decided_by),
)

_BY_NAME = {fellow.name: fellow for fellow in (*fellows.FELLOWS, *_FURTHER)}

_SUBJECTS = tuple(
    _BY_NAME[name]
    for name in (
        "wasm",
        "wasm-artifact",
        "wasm-compiled",
        "wasm-with-engine",
        "native-static",
        "native",
        "python",
        "node",
    )
)
