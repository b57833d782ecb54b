"""``wasm-lab kube``: manifests for Wasm on Kubernetes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import kube_cluster, kube_run
from wasm_lab.cli.kube_files import FilesCommand, files_argument

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.problems import Problem
    from wasm_lab.scenarios.kubernetes.validating import Checked

_FILE = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def kube() -> None:
    """Write, check and run manifests of Kubernetes for Wasm programs."""


kube.add_command(kube_run.run)
kube.add_command(kube_run.recipe)
kube.add_command(kube_cluster.apply)
kube.add_command(kube_cluster.delete)


RENDER = """\b
Examples:
  wasm-lab kube render ghcr.io/me/hello:1.0.0
  wasm-lab kube render hello.wasm --way runwasi --handler wasmedge --memory 64Mi
  wasm-lab kube render app/spin.toml --image ghcr.io/me/app:1.0.0 --out app.yaml
"""


@kube.command(epilog=RENDER)
@click.option(
    "--way",
    type=click.Choice(["crun", "runwasi", "spinkube"]),
    help="How the node runs Wasm.  [default: crun; runwasi for a component, spinkube for a spin.toml]",
)
@click.option("--image", default="", metavar="REFERENCE", help="The image, where a file is given.")
@click.option("--name", default="", metavar="NAME", help="Of the objects.  [default: after the image]")
@click.option("--replicas", type=click.IntRange(min=0), default=1, show_default=True, help="How many pods.")
@click.option(
    "--memory", default="32Mi", show_default=True, metavar="AMOUNT", help="Reserved, and the limit."
)
@click.option(
    "--cpu",
    default="100m",
    show_default=True,
    metavar="AMOUNT",
    help="Reserved; the limit is ten times that.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where the program listens; 0 for no Service and no probes.",
)
@click.option("--probe", default="/", show_default=True, metavar="PATH", help="What the probes ask for.")
@click.option("--handler", default="", metavar="NAME", help="The runtime's name in the node's configuration.")
@click.option(
    "--node-selector",
    "selector",
    multiple=True,
    metavar="KEY=VALUE",
    help="A label of the nodes that have the runtime.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write to a file."
)
@click.argument("source")
def render(source: str, selector: tuple[str, ...], port: int, out: Path | None, **given: Any) -> int:
    """Write the manifests for a program: RuntimeClass, Deployment and Service, or SpinApp.

    SOURCE is an image's reference, a Wasm file or a spin.toml. Each part has a comment that says why it is there.
    """
    from wasm_lab.scenarios.kubernetes.rendering import render as rendered

    text = rendered(source, port=port or None, node_selector=_pairs(selector), **given)
    if out is None:
        click.echo(text, nl=False)
        return 0
    from boltons.fileutils import atomic_save

    from wasm_lab.errors import UsageError

    try:
        with atomic_save(str(out), overwrite=True) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}.") from error
    click.echo(f"Written: {out}", err=True)
    return 0


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    from wasm_lab.errors import UsageError

    for word in words:
        if word.startswith("=") or "=" not in word:
            raise UsageError("--node-selector takes KEY=VALUE.", hint="Such as --node-selector wasm=true.")
    return {key: value for key, _, value in (word.partition("=") for word in words)}


VALIDATE = """\b
Examples:
  wasm-lab kube validate deploy.yaml service.yaml
  wasm-lab kube validate deploy/ --kubernetes-version 1.34-1.37
  helm template chart/ | wasm-lab kube validate -
  wasm-lab kube validate --schema crds.yaml --json app.yaml
"""


@kube.command(cls=FilesCommand, epilog=VALIDATE)
@click.option(
    "--kubernetes-version",
    "versions",
    multiple=True,
    metavar="VERSION",
    help="A version, a range (1.34-1.37) or all; may be repeated.  [default: the three newest]",
)
@click.option(
    "--schema",
    "given",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="A CustomResourceDefinition to check by; may be repeated.",
)
@click.option("--strict", is_flag=True, help="Warnings, too, make a file wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print one record for each file, as a JSON array.")
@files_argument
def validate(
    files: tuple[str, ...], versions: tuple[str, ...], given: tuple[Path, ...], strict: bool, as_json: bool
) -> int:
    """Check manifests without a cluster: each mistake with its line, its reason and its mend.

    FILES are manifests, folders with manifests, patterns, or - for the standard input. They are checked against the
    schemas of several versions of Kubernetes, unknown fields included, and against each other. Exit status 1 when
    any file is wrong.
    """
    from wasm_lab.scenarios.kubernetes.validating import validate_given

    checked = validate_given(files, versions=versions, given=given, stdin=sys.stdin.buffer)
    if as_json:
        click.echo(json.dumps([_record(each, strict) for each in checked], indent=2, ensure_ascii=False))
    else:
        _show(checked, strict)
    return 0 if all(_valid(each, strict) for each in checked) else 1


def _valid(checked: Checked, strict: bool) -> bool:
    return checked.valid and not (strict and any(each.severity == "warning" for each in checked.problems))


def _record(checked: Checked, strict: bool) -> dict[str, Any]:
    problems = [_plain(problem) for problem in checked.problems]
    return {
        "file": checked.file,
        "valid": _valid(checked, strict),
        "objects": checked.objects,
        "problems": problems,
    }


def _plain(problem: Problem) -> dict[str, Any]:
    keys = ("line", "column", "severity", "path", "message", "hint", "versions")
    return {key: getattr(problem, key) for key in keys if getattr(problem, key)}


def _show(checked: list[Checked], strict: bool) -> None:
    from wasm_lab.views.colour import wants_colour

    colour = wants_colour(sys.stdout)
    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    for result in checked:
        for problem in result.problems:
            level = click.style(problem.severity, fg=colours[problem.severity], bold=True)
            click.echo(f"{problem.place or result.file}: {level}: {problem.message}", color=colour)
            for line in problem.hint.splitlines():
                click.echo(f"    {line}", color=colour)
        if _valid(result, strict) and result.objects:
            say = click.style("right", fg="green")
            click.echo(f"{result.file}: {say} (objects: {result.objects})", color=colour)
    wrong = sum(not _valid(result, strict) for result in checked)
    if len(checked) > 1:
        click.echo(f"{len(checked)} files, {wrong} wrong.", err=True)
