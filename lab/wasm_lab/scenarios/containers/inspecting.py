"""Looking into an image that somebody else made, and saying what is wrong with it.

Every digest is computed again from the bytes. What the image says of itself is shown, not believed.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from wasm_lab.scenarios.containers import image as forms
from wasm_lab.scenarios.containers.contents import Contents, look_into
from wasm_lab.scenarios.containers.fields import Fields
from wasm_lab.scenarios.containers.findings import ImageFound, LayerFound, Report
from wasm_lab.scenarios.containers.judging import Opened, judge, wanted_file
from wasm_lab.scenarios.containers.layout import CONTAINERD_NAME, REF_NAME
from wasm_lab.scenarios.containers.stores import Store, StoreError, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Bytes of a manifest or configuration beyond which registries and containerd refuse it (distribution-spec).
_LARGEST_JSON = 4 << 20

_DIGEST = re.compile(r"[a-z0-9]+(?:[+._-][a-z0-9]+)*:[A-Za-z0-9=_-]+")

#: How many hexadecimal digits each algorithm of descriptor.md has.
_ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}

_INDEXES = (forms.INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = (forms.MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
_CONFIGS = (forms.CONFIG, "application/vnd.docker.container.image.v1+json")

#: An index may hold another one. More of them than this are made to waste time.
_DEEPEST = 4
_MOST_IMAGES = 1000


def inspect_image(path: Path, on_layer: Callable[[str, int], None] = lambda *_: None) -> Report:
    """Read an archive or folder, check every digest, and explain what is wrong.

    Args:
        path: a tar file, or the folder of an OCI layout.
        on_layer: told the digest and the size in bytes of each layer before it is read.

    Raises:
        UsageError: it cannot be read, or is neither a tar file nor a folder.
    """
    report = Report(str(path))
    with open_store(path) as store:
        _Inspector(store, report, on_layer).all()
    return report


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


class _Inspector:
    def __init__(self, store: Store, report: Report, on_layer: Callable[[str, int], None]) -> None:
        self._on_layer = on_layer
        self._store = store
        self._report = report
        self._say = report.say
        self._used: set[str] = set()

    def all(self) -> None:
        if "oci-layout" not in self._store.sizes and "manifest.json" in self._store.sizes:
            hint = "Make one of it: skopeo copy docker-archive:FILE oci-archive:image.tar"
            self._say("error", "oci-layout", "This is what `docker save` writes, no OCI layout.", hint)
            return
        for name, what in sorted(self._store.odd.items()):
            self._say("error", name, f"It is {what}, and only an ordinary file is read.")
        if (layout := self._json("oci-layout")) is not None:
            version = layout.text("imageLayoutVersion")
            if version and version != "1.0.0":
                self._say("error", "oci-layout", f"Its version is {version!r}; there is only 1.0.0.")
        if (index := self._json("index.json")) is not None:
            self._index(index, depth=1)
        unused = sorted(set(self._store.sizes) - self._used - {"manifest.json"})
        if unused and self._report.sound:
            total = sum(self._store.sizes[name] for name in unused)
            self._say("note", "blobs", f"{len(unused)} blobs ({total} bytes) belong to no image here.")

    # Finding the bytes ---------------------------------------------------------------------

    def _json(self, name: str, where: str = "") -> Fields | None:
        """A JSON object; None, and a finding, where there is none."""
        where = where or name
        try:
            data = self._store.small(name, _LARGEST_JSON)
            value = json.loads(data, parse_constant=_refuse)  # NaN is no JSON
        except StoreError as error:
            hint = "Is this an OCI layout? It has oci-layout, index.json and blobs/." if where == name else ""
            self._say("error", where, f"{error}.", hint)
            return None
        except (ValueError, RecursionError) as error:
            self._say("error", where, f"{name} is no JSON: {error}.")
            return None
        self._used.add(name)
        if not isinstance(value, dict):
            self._say("error", where, f"{name} is no JSON object.")
            return None
        return Fields(value, where, self._report.say)

    def _blob(self, descriptor: Fields, what: str) -> str:
        """The file of a descriptor, when it is there and of the size that is said; else nothing."""
        digest = descriptor.text("digest")
        size = descriptor.number("size")
        if not digest:
            return ""
        algorithm, _, encoded = digest.partition(":")
        if not _DIGEST.fullmatch(digest) or len(encoded) != _ALGORITHMS.get(algorithm, len(encoded)):
            self._say("error", descriptor.where, f"{digest[:100]!a} is no digest.")
            return ""
        name = f"blobs/{algorithm}/{encoded}"
        if name not in self._store.sizes:
            why = self._store.odd.get(name, "not here")
            hint = "The archive is not whole. Copy the image again, with all its blobs."
            self._say(
                "error", descriptor.where, f"Its {what} {digest} is {why}.", hint if why == "not here" else ""
            )
            return ""
        self._used.add(name)
        if size is not None and size != self._store.sizes[name]:
            there = self._store.sizes[name]
            self._say("error", descriptor.where, f"Its {what} has {there} bytes, and {size} are said.")
            return ""
        return name

    def _checked(self, descriptor: Fields, what: str) -> str:
        """As `_blob`, when its bytes have the digest that is said."""
        name = self._blob(descriptor, what)
        algorithm, _, encoded = name.removeprefix("blobs/").partition("/")
        if not name or algorithm not in _ALGORITHMS:
            if name:
                self._say("warning", descriptor.where, f"Its digest is of {algorithm}, and was not checked.")
            return name
        with self._store.open(name) as stream:
            computed = hashlib.file_digest(stream, algorithm).hexdigest()  # type: ignore[arg-type]
        if computed == encoded:
            return name
        message = f"Its {what} is damaged: the bytes have the digest {algorithm}:{computed}."
        self._say("error", descriptor.where, message, "Copy or build the image again.")
        return ""

    # What they say ----------------------------------------------------------------------------

    def _index(self, index: Fields, depth: int) -> None:
        self._version(index)
        entries = index.objects("manifests")
        if not entries and entries is not None:
            self._say("error", index.where, "It names no image.")
        for entry in entries or ():
            if len(self._report.images) >= _MOST_IMAGES:
                self._say("warning", index.where, f"Only the first {_MOST_IMAGES} images were looked at.")
                return
            kind = entry.text("mediaType")
            if kind in _INDEXES:
                name = self._checked(entry, "index") if depth < _DEEPEST else ""
                if depth >= _DEEPEST:
                    self._say("error", entry.where, f"Indexes lie in each other more than {_DEEPEST} deep.")
                elif name and (inner := self._json(name, entry.where)) is not None:
                    self._index(inner, depth + 1)
            elif kind in _MANIFESTS:
                self._image(entry)
            elif kind:
                self._say("note", entry.where, f"{kind[:100]!a} is no image, and was not looked at.")

    def _version(self, fields: Fields) -> None:
        version = fields.number("schemaVersion")
        if version is not None and version != 2:
            hint = "Version 1 is Docker's first form; no runtime takes it today." if version == 1 else ""
            self._say("error", fields.where, f"Its schemaVersion is {version}, and has to be 2.", hint)

    def _image(self, entry: Fields) -> None:
        named = entry.texts_by_name("annotations")
        name = named.get(CONTAINERD_NAME) or named.get(REF_NAME) or ""
        file = self._checked(entry, "manifest")
        manifest = self._json(file, name or entry.where) if file else None
        if manifest is None:
            return
        where = manifest.where
        if CONTAINERD_NAME not in named and entry.where.startswith("index.json"):
            self._say(
                "note",
                where,
                f"Nothing says the whole name of the image, so containerd has none for it ({CONTAINERD_NAME}).",
                "Import it with: ctr images import --base-name NAME FILE",
            )
        self._version(manifest)
        described = manifest.object("config")
        layers = manifest.objects("layers")
        if described is None or layers is None:
            return
        config_type = described.text("mediaType")
        config_file = self._checked(described, "configuration")
        config = self._json(config_file, f"{where}, configuration") if config_file.strip() else None
        if config is None:
            return
        annotations = manifest.texts_by_name("annotations")
        wanted = wanted_file(config, config_type)
        contents: list[Contents | None] = []
        found = []
        for layer in layers:
            kind = layer.text("mediaType")
            self._on_layer(layer.text("digest"), layer.number("size") or 0)
            blob = self._checked(layer, "layer")
            inside = None
            if blob and ".tar" in kind:
                with self._store.open(blob) as stream:
                    inside = look_into(stream, kind, wanted)
            start = b""
            if blob and not inside:
                with self._store.open(blob) as stream:
                    start = stream.read(8)
                inside = Contents(starts={"": start})
            contents.append(inside)
            found.append(_layer(layer, kind, inside))
        form = judge(Opened(config, config_type, found, contents, annotations), self._report.say)
        platform = f"{config.text('os')}/{config.text('architecture')}"
        self._compare_platform(entry, platform, where)
        self._report.images.append(
            ImageFound(
                name=name,
                digest=entry.text("digest"),
                form=form,
                platform=platform,
                config_media_type=config_type,
                config=config.value,
                annotations=annotations,
                layers=tuple(found),
            )
        )

    def _compare_platform(self, entry: Fields, platform: str, where: str) -> None:
        said = entry.object("platform", needed=False)
        if said is None:
            return
        other = f"{said.text('os')}/{said.text('architecture')}"
        if other != platform:
            message = f"The index says {other}, the configuration {platform}."
            self._say("warning", where, message, "Tools that choose by platform may not take it.")


def _layer(layer: Fields, kind: str, inside: Contents | None) -> LayerFound:
    tar = inside is not None and ".tar" in kind
    size = layer.number("size") or 0
    return LayerFound(
        digest=layer.text("digest"),
        media_type=kind,
        size_bytes=size,
        title=layer.texts_by_name("annotations").get(forms.TITLE, ""),
        uncompressed_bytes=(inside.uncompressed_bytes if inside and inside.diff_id else None)
        if tar
        else size,
        files=inside.files if inside and tar else None,
    )
