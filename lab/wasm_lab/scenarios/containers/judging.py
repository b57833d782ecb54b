"""What an image is, and whether it can run where it says it can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wasm_lab.artifact import COMPONENT_PREAMBLE, CORE_PREAMBLE
from wasm_lab.scenarios.containers import image as forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.containers.contents import Contents
    from wasm_lab.scenarios.containers.fields import Fields
    from wasm_lab.scenarios.containers.findings import LayerFound

    Say = Callable[..., None]

#: What Spin pushes: its application is a layer, and its configuration an ordinary one (spin's crates/oci).
SPIN_APPLICATION = "application/vnd.fermyon.spin.application.v1+config"

#: Layers that hold a module, by those who used each before the TAG Runtime's guide.
WASM_LAYERS = (
    forms.WASM_LAYER,
    "application/vnd.wasm.content.layer.v1+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm",
    "application/vnd.bytecodealliance.wasm.component.layer.v0+json",
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An image that was read."""

    config: Fields
    config_type: str
    layers: list[LayerFound]
    contents: list[Contents | None]  #: of each layer; None for one that is damaged
    annotations: dict[str, str]

    @property
    def where(self) -> str:
        return self.config.where.removesuffix(", configuration")


def wanted_file(config: Fields, config_type: str) -> list[str]:
    """The file that is started, without its first slash; none where nothing says."""
    if config_type == forms.WASM_CONFIG:
        return []
    command = _command(config)
    if not command or not command[0]:
        return []
    # runwasi takes what is after # for the function to call.
    path = command[0].partition("#")[0]
    return [path.removeprefix("./").lstrip("/")]


def _command(config: Fields) -> list[str]:
    run = config.object("config", needed=False)
    return run.texts("Entrypoint") + run.texts("Cmd") if run is not None else []


def judge(image: Opened, say: Say) -> str:
    """The form of an image, with findings on what would go wrong when it is run.

    Gives ``compat``, ``artifact``, ``spin``, ``native`` or ``other``.
    """
    config_type, where = image.config_type, image.where
    for number, inside in enumerate(image.contents):
        if inside is None:
            continue
        for message in inside.wrong:
            say("error", where, f"Layer {number}: {message}.")
        if inside.unread:
            say("note", where, f"Layer {number} was not read to its end: {inside.unread}.")
    if config_type == forms.WASM_CONFIG:
        _artifact(image, say)
        return "artifact"
    if any(layer.media_type == SPIN_APPLICATION for layer in image.layers):
        return "spin"
    if not config_type.endswith((".image.config.v1+json", ".container.image.v1+json")):
        say(
            "note",
            where,
            f"Its configuration, {config_type[:100]!a}, is of a kind that is not known here.",
        )
        return "other"
    _diff_ids(image, say)
    return _rootfs(image, say)


def _artifact(image: Opened, say: Say) -> None:
    config, layers, contents, where = image.config, image.layers, image.contents, image.where
    if config.texts("layerDigests") != [layer.digest for layer in layers]:
        say("error", where, "The `layerDigests` of its configuration are not the digests of its layers.")
    if len(layers) != 1:
        say("error", where, f"It has {len(layers)} layers; this version of the form has one.")
    system, processor = config.text("os"), config.text("architecture")
    if processor != "wasm" or system not in ("wasip1", "wasip2"):
        say("error", where, f"It is for {system}/{processor}; the form knows wasip1/wasm and wasip2/wasm.")
    for layer, inside in zip(layers, contents, strict=True):
        start = inside.starts.get("", b"") if inside else b""
        if inside is None:
            continue  # said already: it is damaged
        if layer.media_type != forms.WASM_LAYER:
            say(
                "error",
                where,
                f"Its layer is {layer.media_type[:100]!a}, and has to be {forms.WASM_LAYER}.",
            )
        if start not in (CORE_PREAMBLE, COMPONENT_PREAMBLE):
            say("error", where, "Its layer is no WebAssembly.")
        elif (start == COMPONENT_PREAMBLE) != (system == "wasip2"):
            kind, meant = (
                ("component", "wasip2") if start == COMPONENT_PREAMBLE else ("core module", "wasip1")
            )
            say("error", where, f"Its layer is a {kind}, which is {meant}, and it says {system}.")
    if system == "wasip2" and config.object("component", needed=False) is None:
        say(
            "error",
            where,
            "It is a component, and its configuration has no `component` (imports and exports).",
        )


def _diff_ids(image: Opened, say: Say) -> None:
    config, layers, contents, where = image.config, image.layers, image.contents, image.where
    rootfs = config.object("rootfs")
    if rootfs is None:
        return
    said = rootfs.texts("diff_ids")
    if len(said) != len(layers):
        # runwasi's images with Wasm layers have fewer; containerd unpacks only the others.
        level = "note" if any(layer.media_type in WASM_LAYERS for layer in layers) else "error"
        say(level, where, f"It has {len(layers)} layers and {len(said)} `diff_ids`.")
        return
    for number, (inside, diff_id) in enumerate(zip(contents, said, strict=True)):
        if inside and inside.diff_id and inside.diff_id != diff_id:
            say(
                "error",
                where,
                f"Layer {number} is not what the configuration says: uncompressed it is {inside.diff_id}.",
                "containerd refuses to unpack it.",
            )


def _rootfs(image: Opened, say: Say) -> str:
    config, layers, contents, where = image.config, image.layers, image.contents, image.where
    system, processor = config.text("os"), config.text("architecture")
    wasm_layer = any(layer.media_type in WASM_LAYERS for layer in layers)
    command = _command(config)
    start = b""
    for inside in contents:
        for name in wanted_file(config, forms.CONFIG):
            start = inside.starts.get(name, start) if inside else start
    is_wasm = start in (CORE_PREAMBLE, COMPONENT_PREAMBLE)
    meant = is_wasm or wasm_layer or processor.startswith("wasm") or forms.VARIANT in image.annotations
    if not command:
        say("note", where, "It has no entry point: whoever runs it has to say what is started.")
    elif not start and "/" in command[0] and all(inside and inside.diff_id for inside in contents):
        level = "warning" if wasm_layer else "error"
        say(level, where, f"Its entry point {command[0][:200]!a} is in no layer.")
    if not meant:
        return "native"
    if start and not is_wasm and not start.startswith(b"("):
        what = "a native program" if start.startswith(b"\x7fELF") else "no WebAssembly"
        say("error", where, f"It is said to be Wasm, and its entry point {command[0][:200]!a} is {what}.")
    if is_wasm and not wasm_layer:
        _for_crun(command[0], start, image, say)
    if processor == "wasm32":
        hint = "Build it for wasi/wasm: wasm-lab container build --platform wasi/wasm …"
        say(
            "warning",
            where,
            f"{system}/wasm32 is what Docker's first preview took; since then it is wasm.",
            hint,
        )
    return "compat"


def _for_crun(program: str, start: bytes, image: Opened, say: Say) -> None:
    variant, where = image.annotations.get(forms.VARIANT), image.where
    if start == COMPONENT_PREAMBLE:
        say(
            "note",
            where,
            "It is a component: runwasi's shim of wasmtime runs it; crun with WasmEdge does not.",
        )
    if variant is None:
        say(
            "note",
            where,
            f"It has no annotation {forms.VARIANT}, by which podman and CRI-O tell crun that it is Wasm.",
            f"Add {forms.VARIANT}={forms.COMPAT_SMART}. Under containerd it is the pod that needs it.",
        )
    elif variant not in ("compat", forms.COMPAT_SMART):
        say(
            "warning",
            where,
            f"crun knows no {forms.VARIANT} {variant[:50]!a}.",
            f"Use {forms.COMPAT_SMART}.",
        )
    elif variant == forms.COMPAT_SMART and not program.endswith((".wasm", ".wat")):
        say(
            "warning",
            where,
            f"Its entry point {program[:200]!a} does not end in .wasm or .wat, so crun takes it for native.",
            "Rename it.",
        )
