"""Images of Wasm modules, and of native programs beside them, made without a container engine.

There are two forms of an image of a module:

compat
    An ordinary image with one layer that holds the module as a file. Every registry, containerd,
    crun (with WasmEdge) and runwasi's shims take it.
artifact
    The module itself is the layer, and the configuration says what it imports and exports: the
    "Wasm OCI Artifact layout" of the CNCF's TAG Runtime, which wkg, wasmCloud and runwasi's shims take.

Nothing of this machine is in an image but the files that were given, so the same files make the
same bytes.
"""

from __future__ import annotations

import platform as machine
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from wasm_lab.artifact import Artifact
from wasm_lab.errors import UsageError
from wasm_lab.scenarios.containers import layout
from wasm_lab.scenarios.containers.layers import Blob, Entry, Layer, moment, tar_layer, timestamp
from wasm_lab.scenarios.containers.names import Name, parse_name

__all__ = ["FORMS", "Blob", "Entry", "Image", "Layer", "Platform", "Sizes", "files_image", "wasm_image"]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
WASM_CONFIG = "application/vnd.wasm.config.v0+json"
WASM_LAYER = "application/wasm"

FORMS = ("compat", "artifact")

#: What crun looks for. ``compat-smart`` makes it ask whether the program is a Wasm file, so that the native
#: pause container of the same pod still runs; ``compat`` would take every container of the pod for Wasm.
VARIANT = "module.wasm.image/variant"
COMPAT_SMART = "compat-smart"

TITLE = "org.opencontainers.image.title"
CREATED = "org.opencontainers.image.created"

#: Names of processors that images use, which are those of Go, by those of the kernel.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "arm",
    "i686": "386",
}


class Sizes(NamedTuple):
    """Bytes of an image's layers."""

    compressed: int  #: what a registry holds and a node downloads
    uncompressed: int  #: what lies on the node's disk


class Platform(NamedTuple):
    """For which machines an image says that it is."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image for one platform.

    Example:
        >>> from wasm_lab.artifact import CORE_PREAMBLE
        >>> image = wasm_image(CORE_PREAMBLE, "localhost/empty:1", platform="linux/amd64")
        >>> image.name, str(image.platform), len(image.layers)
        ('localhost/empty:1', 'linux/amd64', 1)
    """

    name: str  #: complete, with registry and tag
    form: str  #: ``compat``, ``artifact`` or ``files``
    platform: Platform
    layers: tuple[Layer, ...]
    config: Blob
    manifest: Blob
    index: bytes  #: what index.json holds
    seconds: int  #: the time of everything in it, since 1970
    remarks: tuple[str, ...] = ()  #: what a user of it should know

    @property
    def digest(self) -> str:
        """The digest of the manifest: what registries and runtimes know the image by."""
        return self.manifest.digest

    @property
    def size_bytes(self) -> Sizes:
        """The bytes of its layers, compressed and uncompressed."""
        return Sizes(
            sum(layer.size_bytes for layer in self.layers),
            sum(layer.uncompressed_bytes for layer in self.layers),
        )

    def write_archive(self, path: Path) -> None:
        """Write the image as one tar file, which `ctr images import`, skopeo and podman read.

        Raises:
            UsageError: it cannot be written.
        """
        layout.write_archive(path, self._blobs(), self.index, seconds=self.seconds)

    def write_layout(self, folder: Path) -> None:
        """Write the image as a folder, or add it to one that is an OCI layout.

        Raises:
            UsageError: the folder holds something else, or cannot be written.
        """
        layout.write_layout(folder, self._blobs(), self.index)

    def _blobs(self) -> list[Blob]:
        return [*self.layers, self.config, self.manifest]


def wasm_image(
    module: Artifact | bytes,
    name: str,
    *,
    form: str = "compat",
    platform: str = "",
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """An image of a module or component.

    Args:
        module: what the image is to run. What the lab built goes in without its debug information.
        name: of the image, such as ``localhost/hello:1``; short names mean what they mean to Docker.
        form: ``compat`` or ``artifact``.
        platform: of the compat form, as ``OS/ARCHITECTURE``; by default Linux on this machine's processor,
            because nodes of a cluster ask for their own. ``wasi/wasm`` is what Docker's Wasm shims ask for.
        arguments: what the program is given after its name, unless whoever starts it says otherwise.
        environment: variables of the program.
        annotations: of the manifest, over those that the lab gives.

    Raises:
        UsageError: the name, form, platform, a variable or an annotation cannot be; the artifact form has no
            place for a platform, arguments or variables.
        LoadError: the bytes are no module or component.

    Example:
        >>> from wasm_lab.artifact import CORE_PREAMBLE
        >>> wasm_image(CORE_PREAMBLE, "localhost/empty:1", form="artifact").layers[0].media_type
        'application/wasm'
    """
    from wasm_lab.build.foreign import check_binary
    from wasm_lab.build.wasm_tools import without_debug

    artifact = module if isinstance(module, Artifact) else Artifact(wasm=module, label="the module")
    check_binary(artifact.wasm, artifact.label)
    if artifact.source is not None:  # built here; a file made elsewhere stays as it is
        artifact = replace(artifact, wasm=without_debug(artifact.wasm))
    full_name = parse_name(name)
    title = f"{PurePosixPath(full_name.path).name}.wasm"
    if form == "artifact":
        if platform or arguments or environment:
            raise UsageError(
                "The artifact form holds a module and nothing on how it is started: "
                "no platform, arguments or variables.",
                hint="Say them where it is run (a pod's args and env), or take --form compat.",
            )
        return _artifact_image(artifact, full_name, title, annotations or {})
    if form != "compat":
        raise UsageError(f"There is no form {form!r}.", hint=f"The forms: {', '.join(FORMS)}.")
    remarks: tuple[str, ...] = ()
    if artifact.is_component:
        remarks = (
            "It is a component: runwasi's shim of wasmtime runs it; crun with WasmEdge runs core modules only.",
        )
    return _rootfs_image(
        full_name,
        form="compat",
        layers=[[Entry(f"/{title}", artifact.wasm, 0o755)]],
        titles=[title],
        platform=_platform(platform),
        entrypoint=(f"/{title}",),
        arguments=arguments,
        environment=environment or {},
        annotations={TITLE: title, VARIANT: COMPAT_SMART, **(annotations or {})},
        remarks=remarks,
    )


def files_image(
    files: Iterable[Entry] | Mapping[str, Iterable[Entry]],
    name: str,
    *,
    entrypoint: Sequence[str],
    platform: str = "",
    arguments: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Image:
    """An image of files of this machine: what native programs, Python and Node are compared in.

    Args:
        files: what the image holds; a mapping makes a layer for each key, which is its title.
        name, platform, arguments, environment, annotations: as for `wasm_image`.
        entrypoint: the program and its first arguments.

    Raises:
        UsageError: as for `wasm_image`; or a file cannot be read, a path is wrong or comes twice.

    Example:
        >>> image = files_image([Entry("/hello", b"#!", 0o755)], "localhost/hello:1", entrypoint=["/hello"])
        >>> image.form, image.layers[0].title
        ('files', 'files')
    """
    from collections.abc import Mapping as Table

    by_title = dict(files) if isinstance(files, Table) else {"files": files}
    return _rootfs_image(
        parse_name(name),
        form="files",
        layers=list(by_title.values()),
        titles=list(by_title),
        platform=_platform(platform),
        entrypoint=entrypoint,
        arguments=arguments,
        environment=environment or {},
        annotations={TITLE: parse_name(name).path.rpartition("/")[2], **(annotations or {})},
    )


def _platform(text: str) -> Platform:
    if not text:
        kernel = machine.machine().lower()
        return Platform("linux", _ARCHITECTURES.get(kernel, kernel))
    system, slash, architecture = text.partition("/")
    if not (slash and system and architecture) or "/" in architecture:
        raise UsageError(f"{text!r} is no platform.", hint="Such as linux/amd64, linux/arm64 or wasi/wasm.")
    return Platform(system, architecture)


def _rootfs_image(
    name: Name,
    *,
    form: str,
    layers: Sequence[Iterable[Entry]],
    titles: Sequence[str],
    platform: Platform,
    entrypoint: Sequence[str],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    annotations: Mapping[str, str],
    remarks: tuple[str, ...] = (),
) -> Image:
    """An image as image-spec's config.md describes it."""
    for variable in environment:
        if not variable or "=" in variable or "\0" in variable + environment[variable]:
            raise UsageError(f"{variable!r} cannot be the name of a variable.")
    if any("\0" in word for word in (*entrypoint, *arguments)):
        raise UsageError("No program can be given a word with a NUL in it.")
    seconds = moment()
    made = tuple(
        tar_layer(entries, title=title, seconds=seconds)
        for entries, title in zip(layers, titles, strict=True)
    )
    run: dict[str, Any] = {"Entrypoint": list(entrypoint), "WorkingDir": "/"}
    if arguments:
        run["Cmd"] = list(arguments)
    if environment:
        run["Env"] = [f"{key}={value}" for key, value in environment.items()]
    created = timestamp(seconds)
    config = {
        "architecture": platform.architecture,
        "config": run,
        "created": created,
        "history": [{"created": created, "created_by": f"wasm-lab: {layer.title}"} for layer in made],
        "os": platform.os,
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in made]},
    }
    return _assemble(
        name,
        form=form,
        platform=platform,
        layers=made,
        config_type=CONFIG,
        config=config,
        annotations=annotations,
        seconds=seconds,
        remarks=remarks,
    )


def _artifact_image(artifact: Artifact, name: Name, title: str, annotations: Mapping[str, str]) -> Image:
    """An artifact as the TAG Runtime's guide describes it."""
    seconds = moment()
    plain = Blob(media_type=WASM_LAYER, data=artifact.wasm)
    layer = Layer(
        media_type=WASM_LAYER,
        data=artifact.wasm,
        title=title,
        diff_id=plain.digest,
        uncompressed_bytes=plain.size_bytes,
    )
    config: dict[str, Any] = {
        "architecture": "wasm",
        "created": timestamp(seconds),  # wkg does not read a configuration without it
        "layerDigests": [layer.digest],
        "os": "wasip2" if artifact.is_component else "wasip1",
    }
    if artifact.is_component:
        from wasm_lab.components.wit import read_world

        world = read_world(artifact.wasm, artifact.label)
        config["component"] = {"exports": sorted(world.exports), "imports": sorted(world.imports)}
    remarks = (
        "It holds no entry point: a pod or `ctr run` has to give arguments, the first being any name.",
    )
    return _assemble(
        name,
        form="artifact",
        platform=Platform(config["os"], "wasm"),
        layers=(layer,),
        config_type=WASM_CONFIG,
        config=config,
        annotations={TITLE: title, **annotations},
        seconds=seconds,
        remarks=remarks,
    )


def _assemble(
    name: Name,
    *,
    form: str,
    platform: Platform,
    layers: tuple[Layer, ...],
    config_type: str,
    config: dict[str, Any],
    annotations: Mapping[str, str],
    seconds: int,
    remarks: tuple[str, ...],
) -> Image:
    if "" in annotations:
        raise UsageError("An annotation needs a name.", hint="Such as org.opencontainers.image.source=…")
    described = Blob(media_type=config_type, data=layout.plain_json(config))
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _descriptor(described),
        "layers": [{**_descriptor(layer), "annotations": {TITLE: layer.title}} for layer in layers],
        "annotations": {CREATED: timestamp(seconds), **annotations},
    }
    body = Blob(media_type=MANIFEST, data=layout.plain_json(manifest))
    entry = {
        **_descriptor(body),
        "platform": platform._asdict(),
        "annotations": {layout.CONTAINERD_NAME: str(name), layout.REF_NAME: name.tag},
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    return Image(
        name=str(name),
        form=form,
        platform=platform,
        layers=layers,
        config=described,
        manifest=body,
        index=layout.plain_json(index),
        seconds=seconds,
        remarks=remarks,
    )


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size_bytes}
