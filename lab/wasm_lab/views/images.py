"""OCI images as text and as data: what was built, and what was found in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from wasm_lab.views.plain import plain
from wasm_lab.views.tables import Stack, size

if TYPE_CHECKING:
    from wasm_lab.scenarios.containers.findings import ImageFound, Report
    from wasm_lab.scenarios.containers.image import Image
    from wasm_lab.scenarios.containers.sizes import Size


def shown(text: str) -> str:
    """Text of an image that somebody made, without anything that a terminal would obey.

    Example:
        >>> shown("a\\x1b[31m")
        'a\\\\x1b[31m'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def image_record(image: Image) -> dict[str, Any]:
    """An image that was built, as plain data."""
    layers = [
        {
            "title": layer.title,
            "media_type": layer.media_type,
            "digest": layer.digest,
            "size_bytes": layer.size_bytes,
            "uncompressed_bytes": layer.uncompressed_bytes,
        }
        for layer in image.layers
    ]
    return {
        "name": image.name,
        "digest": image.digest,
        "form": image.form,
        "platform": str(image.platform),
        "size_bytes": image.size_bytes.compressed,
        "uncompressed_bytes": image.size_bytes.uncompressed,
        "layers": layers,
        "remarks": list(image.remarks),
    }


def report_record(report: Report) -> dict[str, Any]:
    """What was found, as plain data."""
    return {"sound": report.sound, **plain(report)}


def report_tables(report: Report) -> Stack:
    """Each image of a report: its name, digest, how it starts, annotations and layers."""
    return Stack(*(part for image in report.images for part in _image(image)))


def _image(image: ImageFound) -> list[Any]:
    run = image.config.get("config")
    run = run if isinstance(run, dict) else {}
    rows = {
        "digest": image.digest,
        "form": image.form,
        "platform": image.platform,
        "created": image.config.get("created"),
        "starts": _command(run),
        "environment": ", ".join(map(str, run.get("Env") or [])),
        **{key: image.annotations[key] for key in sorted(image.annotations)},
        **_interfaces(image),
    }
    head = Table(
        title=Text(shown(image.name or "an image without a name")), title_justify="left", show_header=False
    )
    head.add_column("what", overflow="fold")
    head.add_column("value", overflow="fold")
    for key, value in rows.items():
        if value:
            head.add_row(Text(shown(key)), Text(shown(str(value))))
    return [head, _layers(image)]


def _command(run: dict[str, Any]) -> str:
    words: list[Any] = []
    for key in ("Entrypoint", "Cmd"):
        part = run.get(key)
        words += part if isinstance(part, list) else []
    return " ".join(map(str, words))


def _interfaces(image: ImageFound) -> dict[str, str]:
    component = image.config.get("component")
    found = {}
    for key in ("imports", "exports"):
        names = component.get(key) if isinstance(component, dict) else None
        if isinstance(names, list):
            found[key] = ", ".join(map(str, names)) or "nothing"
    return found


def _layers(image: ImageFound) -> Table:
    table = Table(title=f"layers: {len(image.layers)}", title_justify="left")
    table.add_column("title", overflow="fold")
    table.add_column("media type", overflow="fold")
    for column in ("size", "uncompressed", "files"):
        table.add_column(column, justify="right")
    table.add_column("digest", overflow="fold")
    for layer in image.layers:
        table.add_row(
            Text(shown(layer.title)),
            Text(shown(layer.media_type)),
            size(layer.size_bytes),
            "" if layer.uncompressed_bytes is None else size(layer.uncompressed_bytes),
            "" if layer.files is None else str(layer.files),
            Text(shown(layer.digest)),
        )
    return table


#: What the figures of `sizes` are, for whoever compares them with others.
SIZES_ARE = (
    "Each image is the least that runs one small program: the program, and of this machine's own files what it "
    "loads. There is no shell, no package manager and no system beneath, so an official image is larger: "
    "docs/containers.md has published sizes of some. Python and Node bring their engine in the image; a module "
    "needs one on every machine that runs it."
)


def sizes_record(sizes: list[Size]) -> list[dict[str, Any]]:
    """A comparison of sizes as plain data."""
    return [
        {
            "name": each.name,
            "title": each.title,
            "compressed_bytes": each.compressed,
            "uncompressed_bytes": each.uncompressed,
            "layers": plain(each.layers),
        }
        if not each.missing
        else {"name": each.name, "title": each.title, "missing": each.missing}
        for each in sizes
    ]


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} ×" if ratio >= 100 else f"{ratio:.3g} ×"


def sizes_table(sizes: list[Size]) -> Stack:
    """Each image, its layers below it, and what it is against the Wasm image."""
    table = Table(title="sizes of images", title_justify="left", caption=SIZES_ARE, caption_justify="left")
    table.add_column("image")
    for column in ("compressed", "uncompressed", "files", "Wasm = 1"):
        table.add_column(column, justify="right")
    least = next((each.compressed for each in sizes if each.name == "wasm"), 0)
    for each in sizes:
        if each.missing:
            table.add_row(Text(each.title), Text("not available here"), "", "", "")
            continue
        ratio = _times(each.compressed / least) if least else ""
        files = sum(layer.files or 0 for layer in each.layers) or 1
        table.add_row(Text(each.title), size(each.compressed), size(each.uncompressed), str(files), ratio)
        for layer in each.layers if len(each.layers) > 1 else ():
            uncompressed = size(layer.uncompressed_bytes or 0)
            table.add_row(
                Text(f"  {layer.title}", "dim"), size(layer.size_bytes), uncompressed, str(layer.files), ""
            )
    missing = [Text(f"{each.title}: {each.missing}") for each in sizes if each.missing]
    return Stack(table, *missing)
