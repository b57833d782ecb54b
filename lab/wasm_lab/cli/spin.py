"""``wasm-lab spin``: build, run, check and deploy applications of the Spin framework."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.scenarios.spin.problems import Problem

_FILE = click.Path(path_type=Path)

#: Folders in which no application is looked for.
PASSED_OVER = {".git", "node_modules", "target", ".spin", ".venv"}


def _from(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that every command of Spin has."""
    option = click.option(
        "-f",
        "--from",
        "file",
        type=_FILE,
        default=".",
        metavar="FILE",
        help="A spin.toml or its folder.  [default: .]",
    )
    return option(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def spin() -> None:
    """Build, run and check applications of the Spin framework, from an ordinary spin.toml.

    The lab hosts them itself, with nothing else installed. With --engine spin the real Spin runs
    the same file.
    """


VALIDATE = """\b
Examples:
  wasm-lab spin validate
  wasm-lab spin validate --no-sources app/spin.toml other/spin.toml
  wasm-lab spin validate --json apps/
"""


@spin.command(epilog=VALIDATE)
@click.option("--no-sources", is_flag=True, help="Do not ask for the files that the manifest names.")
@click.option("--json", "as_json", is_flag=True, help="Print one record for each file, as a JSON array.")
@click.argument("files", nargs=-1, type=_FILE)
def validate(files: tuple[Path, ...], no_sources: bool, as_json: bool) -> int:
    """Check manifests: each mistake with its line, its reason and its mend.

    FILES are manifests or folders; a folder without spin.toml means every one below it. A file of
    version 1 is explained, and written as version 2. Exit status 1 when any file is wrong.
    """
    checked = [_checked(path, sources=not no_sources) for path in _manifests(files or (Path(),))]
    if as_json:
        click.echo(json.dumps(checked, indent=2, ensure_ascii=False))
    else:
        for record in checked:
            _show(record)
    return 0 if all(record["valid"] for record in checked) else 1


def _manifests(paths: tuple[Path, ...]) -> list[Path]:
    """The files that are meant, each once."""
    found: dict[Path, None] = {}
    for path in paths:
        own = path / "spin.toml"
        below = [path]
        if path.is_dir():
            below = [own] if own.exists() else sorted(_below(path)) or [own]
        found.update(dict.fromkeys(below))
    return list(found)


def _below(folder: Path) -> list[Path]:
    files = folder.rglob("spin.toml")
    return [file for file in files if not PASSED_OVER & set(file.relative_to(folder).parts[:-1])]


def _checked(path: Path, *, sources: bool) -> dict[str, Any]:
    from wasm_lab.errors import ManifestError
    from wasm_lab.scenarios.spin.manifest import load_manifest

    record: dict[str, Any] = {"file": str(path)}
    try:
        manifest = load_manifest(path, sources=sources)
    except ManifestError as error:
        record |= {"valid": False, "problems": [_plain(problem) for problem in error.problems]}
        return record | ({"version2": error.version2} if error.version2 else {})
    # A route that never answers is no reason for Spin not to start, and yet the file is wrong.
    valid = not any(problem.level == "warning" for problem in manifest.notes)
    counted = {
        "name": manifest.name,
        "components": len(manifest.components),
        "triggers": len(manifest.triggers),
    }
    return record | {"valid": valid, **counted, "problems": [_plain(problem) for problem in manifest.notes]}


def _plain(problem: Problem) -> dict[str, Any]:
    keys = ("line", "column", "level", "message", "hint")
    return {key: getattr(problem, key) for key in keys if getattr(problem, key)}


def _show(record: dict[str, Any]) -> None:
    from wasm_lab.views.colour import wants_colour

    colour = wants_colour(sys.stdout)
    colours = {"error": "red", "warning": "yellow", "note": "cyan"}
    for problem in record["problems"]:
        place = f":{problem['line']}:{problem['column']}" if "line" in problem else ""
        level = click.style(problem["level"], fg=colours[problem["level"]], bold=True)
        click.echo(f"{record['file']}{place}: {level}: {problem['message']}", color=colour)
        for line in problem.get("hint", "").splitlines():
            click.echo(f"    {line}", color=colour)
    if "version2" in record:
        click.echo(f"{record['file']}: the same in version 2:\n\n{record['version2']}", color=colour)
    if record["valid"]:
        counted = f"components: {record['components']}, triggers: {record['triggers']}"
        click.echo(f"{record['file']}: {click.style('right', fg='green')} ({counted})", color=colour)


BUILD = """\b
Examples:
  wasm-lab spin build
  wasm-lab spin build --from app/ --component-id hello
  wasm-lab spin build --up
"""


@spin.command(epilog=BUILD)
@_from
@click.option(
    "-c", "--component-id", "only", multiple=True, metavar="ID", help="Build only this one; may be repeated."
)
@click.option("-u", "--up", "then_up", is_flag=True, help="Run the application afterwards.")
def build(file: Path, only: tuple[str, ...], then_up: bool) -> int:
    """Run the build command of each component.

    What the commands write is shown as it comes. Ctrl-C ends the command that runs, and what it
    started. Exit status 1 when a command fails.
    """
    from wasm_lab.scenarios.spin.build import build_application
    from wasm_lab.scenarios.spin.manifest import load_manifest

    manifest = load_manifest(file)
    build_application(manifest, only, _say)
    if then_up:
        context = click.get_current_context()
        status: int = context.invoke(up, file=file)
        return status
    return 0


def _say(line: str) -> None:
    click.echo(line, err=True)


UP = """\b
Examples:
  wasm-lab spin up
  wasm-lab spin up --build --listen 127.0.0.1:8080
  wasm-lab spin up --from app/ --variable greeting=hello --workers 4
  wasm-lab spin up --engine spin
"""


@spin.command(epilog=UP)
@_from
@click.option(
    "--listen",
    default="127.0.0.1:3000",
    show_default=True,
    metavar="IP:PORT",
    help="Where to answer; port 0 finds one.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    help="Processes that answer.  [default: one for each core]",
)
@click.option(
    "-e",
    "--env",
    "environment",
    multiple=True,
    metavar="NAME=VALUE",
    help="An environment variable for every component.",
)
@click.option(
    "--variable",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="A value for a variable; NAME=@FILE or @FILE.json, @FILE.toml as in Spin.",
)
@click.option(
    "--runtime-config-file",
    "runtime_config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Spin's runtime configuration: stores, databases, models.",
)
@click.option(
    "--state-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where stores and databases lie.  [default: .spin beside the manifest]",
)
@click.option("--build", "build_first", is_flag=True, help="Run the build commands before.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show what components write.")
@click.option(
    "--engine",
    type=click.Choice(["embedded", "spin"]),
    default="embedded",
    show_default=True,
    help="The lab's own host, or the real Spin on PATH.",
)
def up(file: Path, build_first: bool, engine: str, **given: Any) -> int:
    """Run an application until Ctrl-C.

    A variable's value comes from --variable, else from the environment (SPIN_VARIABLE_NAME), else
    from .env beside the manifest, else from its default.
    """
    from wasm_lab.errors import UsageError
    from wasm_lab.scenarios.spin.manifest import load_manifest

    if engine == "spin":
        from wasm_lab.scenarios.spin.engine import run_real_spin, up_arguments

        if given.pop("workers") is not None:
            raise UsageError("Spin answers in one process: --workers is of the lab's own host.")
        return run_real_spin(up_arguments(file, build=build_first, **given))
    from wasm_lab.scenarios.spin.hosted import check_hosted, with_local_files
    from wasm_lab.scenarios.spin.up import serve
    from wasm_lab.scenarios.spin.variables import given_variables

    if build_first:
        from wasm_lab.scenarios.spin.build import build_application

        build_application(load_manifest(file), (), _say)
    manifest = load_manifest(file, sources=True)
    check_hosted(manifest)
    manifest = with_local_files(manifest, _say)
    for problem in manifest.notes:
        if problem.level == "warning":
            _say(f"{file}:{problem}")
    given |= {
        "variables": given_variables(given["variables"], Path()),
        "environment": _pairs(given["environment"]),
    }
    status: int = serve(manifest, **given)
    return status


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    from wasm_lab.errors import UsageError

    for word in words:
        if not word.partition("=")[1] or word.startswith("="):
            raise UsageError("--env takes NAME=VALUE.", hint="Such as --env LOG=debug.")
    return {name: value for name, _, value in (word.partition("=") for word in words)}


DOCTOR = """\b
Examples:
  wasm-lab spin doctor
  wasm-lab spin doctor --from app/spin.toml --json
"""


@spin.command(epilog=DOCTOR)
@_from
@click.option("--json", "as_json", is_flag=True, help="Print the findings as a JSON array.")
def doctor(file: Path, as_json: bool) -> int:
    """Say whether an application can be built and run here, and what is missing.

    Looks at the manifest, each component's file and what it was made for, build tools and
    variables; runs nothing. Exit status 1 when something is wrong.
    """
    from dataclasses import asdict

    from wasm_lab.scenarios.spin.doctor import examine
    from wasm_lab.views.colour import wants_colour

    findings = examine(file)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        colours = {"good": "green", "wrong": "red", "note": "cyan"}
        for finding in findings:
            state = click.style(
                f"{finding.state:5}", fg=colours[finding.state], bold=finding.state == "wrong"
            )
            click.echo(f"{state} {finding.about}: {finding.message}", color=wants_colour(sys.stdout))
            for line in finding.hint.splitlines():
                click.echo(f"      {line}")
    return 1 if any(finding.state == "wrong" for finding in findings) else 0


DEPLOY = """\b
Examples:
  wasm-lab spin deploy
  wasm-lab spin deploy --image ghcr.io/me/my-app:1.0.0 --out my-app.yaml
"""


@spin.command(epilog=DEPLOY)
@_from
@click.option(
    "--image",
    default="",
    metavar="REFERENCE",
    help="The image.  [default: name and version at localhost:5000]",
)
@click.option("--replicas", type=click.IntRange(min=1), default=2, show_default=True, help="How many pods.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the SpinApp there.  [default: print it]",
)
def deploy(file: Path, image: str, replicas: int, out: Path | None) -> int:
    """Write the SpinApp manifest for SpinKube, and say the commands that take the application there.

    The lab is no cloud: nothing is built, pushed or sent by this. `spin deploy` of Spin itself
    needs an account at a provider; a cluster of your own needs what is printed here.
    """
    from wasm_lab.scenarios.spin.deploy import plan_deployment
    from wasm_lab.scenarios.spin.manifest import load_manifest

    plan = plan_deployment(load_manifest(file), image, replicas=replicas, file=str(out) if out else "")
    if out is None:
        click.echo(plan.yaml)
    else:
        from boltons.fileutils import atomic_save

        from wasm_lab.errors import UsageError

        try:
            with atomic_save(str(out), overwrite=True) as stream:
                stream.write(plan.yaml.encode())
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}.") from error
        _say(f"Written: {out}")
    _say("The lab is no cloud, and has sent nothing. These commands deploy it to a cluster with SpinKube:\n")
    for command in plan.commands:
        _say(f"  {command}")
    return 0
