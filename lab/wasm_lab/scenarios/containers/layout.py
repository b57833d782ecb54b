"""Writing an image: one tar file, or a folder. Both hold the same files (image-spec, image-layout.md)."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.containers.layers import header

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wasm_lab.scenarios.containers.layers import Blob

#: The tag, by which skopeo finds an image in a layout; and the whole name, which containerd gives it.
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"
LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'


def plain_json(value: Any) -> bytes:
    """JSON that is always the same for the same value.

    Raises:
        UsageError: a text is not Unicode, as words of a command line may be.

    Example:
        >>> plain_json({"b": 1, "a": [2]})
        b'{"a":[2],"b":1}'
    """
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        wrong = error.object[max(0, error.start - 20) : error.end + 20]
        raise UsageError(f"{wrong!a} is not UTF-8, and an image holds only that.") from None


def write_archive(path: Path, blobs: Iterable[Blob], index: bytes, *, seconds: int) -> None:
    """Write one tar file, complete or not at all.

    Raises:
        UsageError: it cannot be written.
    """
    from boltons.fileutils import atomic_save

    files = {"blobs/": b"", "blobs/sha256/": b"", "index.json": index, "oci-layout": LAYOUT_FILE}
    files |= {_place(blob): blob.data for blob in blobs}
    try:
        with (
            atomic_save(str(path), overwrite=True, rm_part_on_exc=True) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name, data in sorted(files.items()):
                mode = 0o755 if name.endswith("/") else 0o644
                tar.addfile(header(name, len(data), mode=mode, seconds=seconds), io.BytesIO(data))
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_layout(folder: Path, blobs: Iterable[Blob], index: bytes) -> None:
    """Write a folder, or add to one that is a layout already; an image of the same name is replaced there.

    The index comes last, so that whoever reads meanwhile finds the old image or the new one.

    Raises:
        UsageError: the folder holds something else, or cannot be written.
    """
    try:
        merged = _merged(folder, index)
        (folder / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
        for blob in blobs:
            _save(folder / _place(blob), blob.data)
        _save(folder / "oci-layout", LAYOUT_FILE)
        _save(folder / "index.json", merged)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or error}.") from error


def _place(blob: Blob) -> str:
    return "blobs/" + blob.digest.replace(":", "/")


def _save(path: Path, data: bytes) -> None:
    from boltons.fileutils import atomic_save

    if path.exists() and path.read_bytes() == data:
        return
    with atomic_save(str(path), overwrite=True, rm_part_on_exc=True) as stream:
        stream.write(data)


def _merged(folder: Path, index: bytes) -> bytes:
    """The index with what the folder has of other names before it."""
    if not folder.exists() or not any(folder.iterdir()):
        return index
    hint = "Give a new folder, or one that `wasm-lab container build` or skopeo wrote."
    if not (folder / "oci-layout").is_file():
        raise UsageError(f"{folder} holds other things, and is no OCI layout.", hint=hint)
    ours = json.loads(index)
    mine = ours["manifests"][0]["annotations"]
    kept = []
    try:
        for one in json.loads((folder / "index.json").read_bytes())["manifests"]:
            theirs = one.get("annotations") or {}
            if theirs.get(REF_NAME) != mine[REF_NAME]:
                kept.append(one)
                continue
            name = theirs.get(CONTAINERD_NAME, mine[CONTAINERD_NAME])
            if name != mine[CONTAINERD_NAME]:
                tag = mine[REF_NAME]
                raise UsageError(
                    f"{folder} holds {name}, and tools know images of a layout by their tag, {tag!r}.",
                    hint="Give another folder, or another tag.",
                )
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{folder} is a damaged layout: its index.json has no images.", hint=hint) from error
    return plain_json({**ours, "manifests": kept + ours["manifests"]})
