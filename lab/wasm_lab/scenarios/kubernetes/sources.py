"""What a manifest is made for: an image, a Wasm file, or a Spin application."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.spin.deploy import kubernetes_name

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.rendering import Way

#: An image that was built on this machine and is pushed nowhere.
LOCAL = "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of the program."""

    image: str
    name: str
    way: Way
    notes: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    is_component: bool | None = None

    def notes_for(self, way: Way) -> tuple[str, ...]:
        """What the reader should know, where the program goes this way."""
        if way == "crun" and self.is_component:
            return (
                *self.notes,
                "This file is a component. crun's engines (WasmEdge, wasmtime by its C interface) take core modules:\n"
                "build it for wasm32-wasip1, or go by a shim: --way runwasi.",
            )
        return self.notes


def look_at(source: str | Path, *, image: str = "") -> Seen:
    """What a source is: a path that ends in ``.wasm`` or ``.toml`` or is there as a file; else an image.

    Raises:
        UsageError: the file is missing or no Wasm.
        ManifestError: the ``spin.toml`` is wrong.
    """
    path = Path(source)
    if isinstance(source, str) and path.suffix not in (".wasm", ".wat", ".toml") and not path.is_file():
        return Seen(image=source, name=_name_of(source), way="crun")
    if path.suffix == ".toml" or path.is_dir():
        return _spin(path, image)
    try:
        with path.open("rb") as stream:
            data = stream.read(8)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}.") from error
    if data[:4] != b"\0asm":
        raise UsageError(
            f"{path} is no Wasm: it does not begin with \\0asm.", hint="Give a .wasm file or an image."
        )
    component = data[4:8] != b"\x01\0\0\0"
    name = kubernetes_name(path.stem)
    what = "component" if component else "core module"
    # Not :latest, which nodes ask a registry for each time, and would not find there.
    image = image or f"{LOCAL}/{name}:1"
    return Seen(
        image=image,
        name=_name_of(image),
        way="runwasi" if component else "crun",
        notes=(f"For {path.name}, a {what}. The image: wasm-lab container build {path.name} --tag {image}",),
        is_component=component,
    )


def _spin(path: Path, image: str) -> Seen:
    from wasm_lab.scenarios.spin.deploy import plan_deployment
    from wasm_lab.scenarios.spin.manifest import load_manifest

    manifest = load_manifest(path, sources=False)
    plan = plan_deployment(manifest, image)
    named = [entry["name"] for entry in plan.app["spec"].get("variables", ())]
    return Seen(
        image=plan.image,
        name=plan.app["metadata"]["name"],
        way="spinkube",
        notes=(f"For the Spin application {manifest.name}. The image: {plan.commands[0]}", *plan.notes),
        variables=tuple(named),
        is_component=True,
    )


def _name_of(image: str) -> str:
    """The last part of a reference, as a name."""
    last = re.split(r"[@:]", image.rpartition("/")[2])[0]
    name = kubernetes_name(last)
    return name if name[0].isalpha() else f"app-{name}"[:63]
