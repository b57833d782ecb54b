"""``wasm-lab container run`` and ``measure``: images in a real container runtime."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import INTERRUPTED, TIMED_OUT
from wasm_lab.options import build_options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from wasm_lab.scenarios.containers.image import Image
    from wasm_lab.scenarios.containers.running import ContainerRun
    from wasm_lab.services.cri import LogLine

RUN = """\b
Examples:
  wasm-lab container run hello.rs
  wasm-lab container run --memory 32Mi hello.wasm one two
  wasm-lab container run --runtime-handler runc hello.tar
  wasm-lab container run --annotation module.wasm.image/variant=compat hello.wasm
  wasm-lab container run --json --timeout 5s idle.tar
"""

MEASURE = """\b
Examples:
  wasm-lab container measure --quick
  wasm-lab container measure wasm native node
  wasm-lab container measure --rounds 30 --save samples.jsonl
  wasm-lab container measure --processes --json
"""

_COUNT = click.IntRange(min=1)


@click.command(context_settings={"allow_interspersed_args": False}, epilog=RUN)
@click.option("--memory", metavar="SIZE", help="What the container may take before it is killed: 32Mi.")
@click.option(
    "--runtime-handler",
    "handler",
    type=click.Choice(["crun-wasm", "crun", "runc"]),
    help="What runs it.  [default: crun-wasm for a module, else crun or runc]",
)
@click.option(
    "--annotation",
    "annotations",
    multiple=True,
    metavar="KEY=VALUE",
    help="Of pod and container, in place of what crun needs for a module; may be repeated.",
)
@click.option(
    "-e", "--env", "environment", multiple=True, metavar="NAME=VALUE", help="A variable of the program."
)
@click.option("--timeout", metavar="TIME", help="End it after this, such as 10s.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole run as JSON, its output in it.")
@build_options
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def run(file: Path, args: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Run FILE as a container: an OCI image archive (.tar), WebAssembly, or a source that is built first.

    A private containerd is started for it, with crun and WasmEdge or runc beneath, and ends with it. It
    takes root and Linux; the machine's own containers are not touched. The container shares the network
    of the machine. The exit status is that of its program, 137 when it was killed for its memory, and
    124 after --timeout.
    """
    from wasm_lab.capabilities import parse_duration
    from wasm_lab.cli.container import _pairs
    from wasm_lab.scenarios.containers.running import quantity, run_container

    given = {
        name: options.pop(name) for name in ("memory", "handler", "annotations", "environment", "timeout")
    }
    memory = quantity(given["memory"]) if given["memory"] else None
    timeout_s = parse_duration(given["timeout"]) if given["timeout"] else None
    annotations = _pairs(given["annotations"], "--annotation", "module.wasm.image/variant=compat-smart")
    environment = _pairs(given["environment"], "--env", "LOG=debug")
    _refuse_early(given["handler"])
    done = run_container(
        _image(file, options),
        handler=given["handler"] or "",
        args=args,
        env=environment,
        memory_limit_bytes=memory,
        annotations=annotations or None,
        timeout_s=timeout_s,
        on_line=None if as_json else _write,
    )
    if as_json:
        from wasm_lab.views.containers import run_record

        click.echo(json.dumps(run_record(done), indent=2, ensure_ascii=False))
    elif done.killed_for_memory:
        click.echo(f"killed: it took more than {given['memory']} ({done.memory_wall})", err=True)
    elif done.timed_out:
        click.echo(f"ended: it ran longer than --timeout {given['timeout']}", err=True)
    if done.output_exceeded:
        click.echo("ended: it wrote more than the lab keeps of a container", err=True)
    return _status(done)


def _refuse_early(handler: str | None) -> None:
    """Before anything is built for it: say that no container can run here."""
    from wasm_lab.errors import ServiceError
    from wasm_lab.services import Containerd

    why = Containerd.missing_handler(handler) if handler else Containerd.missing()
    if why:
        raise ServiceError("No container can run here.", hint=why)


def _image(file: Path, options: dict[str, Any]) -> Image | Path:
    if file.suffix == ".tar" or file.is_dir():
        return file
    from wasm_lab.cli.build import built
    from wasm_lab.cli.container import _name_of
    from wasm_lab.scenarios.containers.image import wasm_image
    from wasm_lab.session import Session

    image = wasm_image(built(Session(), file, options), f"localhost/{_name_of(file)}")
    for remark in image.remarks:
        click.echo(f"note: {remark}", err=True)
    return image


def _write(line: LogLine) -> None:
    click.echo(line.text, nl=False, err=line.stream == "stderr")


def _status(done: ContainerRun) -> int:
    return TIMED_OUT if done.timed_out else done.status.exit_code


def _complete(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from wasm_lab.scenarios.containers.fellows import FELLOWS

    return [CompletionItem(one.name, help=one.title) for one in FELLOWS if one.name.startswith(start)]


@click.command(epilog=MEASURE)
@click.option("--quick", is_flag=True, help="Five rounds and small crowds: about half a minute.")
@click.option("--rounds", type=_COUNT, metavar="N", help="Starts of each.  [default: 10]")
@click.option("--crowd", metavar="N,N…", help="How many idle together, to weigh one more.  [default: 2,6]")
@click.option("--seed", type=int, help="Draws another order.")
@click.option("--processes", is_flag=True, help="Start bare processes, even where containers can run.")
@click.option("--json", "as_json", is_flag=True, help="Print summaries and ratios as JSON.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all samples as .jsonl or .csv.",
)
@click.argument("forms", nargs=-1, shell_complete=_complete)
def measure(forms: tuple[str, ...], **options: Any) -> int:
    """Start one program as containers over and over, in turns: as Wasm, natively, in Python and in Node.

    FORMS are wasm, wasm-compiled, native, python and node; without them all that can be had here. Measured
    are the start, from the request to the program's own first words; the memory of each container and of its
    shim; and what one further idle container takes. Our times stand beside the container runtime's own.
    Where no container can run, the same programs are measured as bare processes, and the report says so.
    All takes about two minutes. Ctrl-C ends it earlier and keeps what was measured; the exit status is then 130.
    """
    from wasm_lab.measure.store import check_suffix
    from wasm_lab.scenarios.containers.measuring import measure_containers
    from wasm_lab.views.containers import container_progress, report_record, report_tables
    from wasm_lab.views.tables import print_table

    plan = _plan(options)
    if options["save"]:
        check_suffix(options["save"])
    with container_progress() as watcher:
        report = measure_containers(forms, plan, processes=options["processes"], watcher=watcher)
    if options["as_json"]:
        click.echo(json.dumps(report_record(report), indent=2, ensure_ascii=False))
    else:
        print_table(report_tables(report), sys.stdout)
    if options["save"]:
        report.measurements.save(options["save"])
    return INTERRUPTED if report.interrupted else 0


def _plan(options: dict[str, Any]) -> Any:
    from dataclasses import replace

    from wasm_lab.errors import UsageError
    from wasm_lab.scenarios.containers.measuring import QUICK, Plan

    given = {name: options[name] for name in ("rounds", "seed") if options[name] is not None}
    if options["crowd"]:
        try:
            given["crowd"] = tuple(int(word) for word in options["crowd"].split(","))
        except ValueError:
            raise UsageError(
                f"--crowd {options['crowd']!r} is no list of numbers.", hint="For example: --crowd 2,6."
            ) from None
    return replace(QUICK if options["quick"] else Plan(), **given)
