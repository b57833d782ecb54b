"""``wasm-lab container``: OCI images of Wasm modules, made and read without a container engine."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import container_run
from wasm_lab.options import build_options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wasm_lab.scenarios.containers.findings import Problem
    from wasm_lab.scenarios.containers.image import Image

_FILE = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def container() -> None:
    """Make OCI images of Wasm modules, look into images, compare them, run and measure them.

    An image is a tar file or a folder, and no container engine is needed but for run and measure.
    """


BUILD = """\b
Examples:
  wasm-lab container build hello.rs
  wasm-lab container build hello.wasm -t localhost/hello:1 -o hello.tar --arg --loud --env LOG=debug
  wasm-lab container build service.wasm -t ghcr.io/me/service:1 --form artifact -o layout/
  wasm-lab container build hello.rs -t hello --platform wasi/wasm
\b
What takes an image: ctr images import hello.tar, podman load --input hello.tar,
skopeo copy oci-archive:hello.tar docker://REGISTRY/NAME:TAG (see docs/containers.md).
"""


@container.command(epilog=BUILD)
@click.option(
    "-t", "--tag", "name", metavar="NAME", help="Name and tag.  [default: localhost/ and FILE's name]"
)
@click.option(
    "-o",
    "--output",
    type=_FILE,
    metavar="PATH",
    help="A tar file, or without .tar the folder of an OCI layout.  [default: FILE with .tar]",
)
@click.option(
    "--form",
    type=click.Choice(["compat", "artifact"]),
    default="compat",
    show_default=True,
    help="An ordinary image with the module as a file, or the CNCF's Wasm OCI artifact.",
)
@click.option(
    "--platform",
    default="",
    metavar="OS/ARCH",
    help="Of the compat form.  [default: linux and this machine's processor]",
)
@click.option("--arg", "arguments", multiple=True, metavar="WORD", help="An argument; may be repeated.")
@click.option(
    "-e", "--env", "environment", multiple=True, metavar="NAME=VALUE", help="A variable of the program."
)
@click.option(
    "--annotation", "annotations", multiple=True, metavar="KEY=VALUE", help="An annotation of the image."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
@build_options
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def build(file: Path, name: str | None, output: Path | None, as_json: bool, **options: Any) -> int:
    """Make an image of FILE: WebAssembly, or a source that is built first.

    The same FILE makes the same bytes. SOURCE_DATE_EPOCH gives the time that the image carries;
    without it, that is the beginning of 1970.
    """
    from time import perf_counter_ns

    from wasm_lab.cli.build import built
    from wasm_lab.scenarios.containers.image import wasm_image
    from wasm_lab.session import Session

    path = output or file.with_suffix(".tar")
    _check_output(path)
    source = "org.opencontainers.image.source=https://…"
    given = {
        "form": options.pop("form"),
        "platform": options.pop("platform"),
        "arguments": options.pop("arguments"),
        "environment": _pairs(options.pop("environment"), "--env", "LOG=debug"),
        "annotations": _pairs(options.pop("annotations"), "--annotation", source),
    }
    artifact = built(Session(), file, options)
    began = perf_counter_ns()
    image = wasm_image(artifact, name or f"localhost/{_name_of(file)}", **given)
    _write(image, path)
    took_ns = perf_counter_ns() - began
    for remark in image.remarks:
        click.echo(f"note: {remark}", err=True)
    if as_json:
        from wasm_lab.views.images import image_record

        record = {"output": str(path), **image_record(image), "duration_ns": took_ns}
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
        return 0
    from wasm_lab.views.amounts import duration, size

    sizes = image.size_bytes
    click.echo(
        f"{path}: {image.name} for {image.platform}, {size(sizes.compressed)} "
        f"({size(sizes.uncompressed)} uncompressed), {duration(took_ns)}\n{image.digest}"
    )
    return 0


def _check_output(path: Path) -> None:
    from wasm_lab.errors import UsageError

    if path.suffix in (".gz", ".tgz", ".zst"):
        raise UsageError(
            f"{path}: archives of images are not compressed; their layers are.", hint="Give a name with .tar."
        )


def _write(image: Image, path: Path) -> None:
    if path.suffix == ".tar" and not path.is_dir():
        image.write_archive(path)
    else:
        image.write_layout(path)


def _name_of(file: Path) -> str:
    """The part of a file's name that may stand in the name of an image."""
    return re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-") or "module"


def _pairs(words: Iterable[str], option: str, example: str) -> dict[str, str]:
    from wasm_lab.errors import UsageError

    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise UsageError(
                f"{option} takes NAME=VALUE, and not {word!r}.", hint=f"Such as {option} {example}."
            )
        found[key] = value
    return found


INSPECT = """\b
Examples:
  wasm-lab container inspect hello.tar
  wasm-lab container inspect layout/ --json
  skopeo copy docker://docker.io/library/busybox oci-archive:busybox.tar && wasm-lab container inspect busybox.tar
"""


@container.command(epilog=INSPECT)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def inspect(path: Path, as_json: bool) -> int:
    """Look into an image: PATH is a tar file or the folder of an OCI layout.

    Every digest is computed again. Nothing is unpacked, and no link is followed. Exit status 1 when
    something is wrong.
    """
    from wasm_lab.scenarios.containers.inspecting import inspect_image
    from wasm_lab.views.images import report_record, report_tables
    from wasm_lab.views.tables import print_table

    report = inspect_image(path, _reading)
    if as_json:
        click.echo(json.dumps(report_record(report), indent=2))
    else:
        print_table(report_tables(report), sys.stdout)
        for problem in report.problems:
            _show(problem)
    return 0 if report.sound else 1


#: Bytes of a layer that takes about a second to hash and uncompress.
_LARGE = 20 << 20


def _reading(digest: str, size_bytes: int) -> None:
    if size_bytes > _LARGE and sys.stderr.isatty():
        from wasm_lab.views.amounts import size
        from wasm_lab.views.images import shown

        click.echo(f"reading {size(size_bytes)}: {shown(digest[:80])}", err=True)


def _show(problem: Problem) -> None:
    from wasm_lab.views.colour import wants_colour
    from wasm_lab.views.images import shown

    colour = wants_colour(sys.stdout)
    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    level = click.style(problem.level, fg=colours[problem.level], bold=True)
    click.echo(f"{level}: {shown(problem.where)}: {shown(problem.message)}", color=colour)
    if problem.hint:
        click.echo(f"    {problem.hint}", color=colour)


container.add_command(container_run.run)
container.add_command(container_run.measure)


SIZES = """\b
Examples:
  wasm-lab container sizes
  wasm-lab container sizes --json
"""


@container.command(epilog=SIZES)
@click.option("--json", "as_json", is_flag=True, help="Print the sizes as JSON.")
def sizes(as_json: bool) -> int:
    """Compare images of one program: Wasm, native, Python, Node.

    Each is the least that runs, made of this machine's own files. The first time takes some
    seconds: Python's library and Node are compressed.
    """
    from wasm_lab.scenarios.containers.sizes import compare_sizes
    from wasm_lab.views.images import sizes_record, sizes_table
    from wasm_lab.views.tables import print_table

    found = compare_sizes(lambda title: click.echo(f"building: {title}", err=True))
    if as_json:
        click.echo(json.dumps(sizes_record(found), indent=2))
    else:
        print_table(sizes_table(found), sys.stdout)
    return 0
