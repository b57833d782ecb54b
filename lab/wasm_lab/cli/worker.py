"""``wasm-lab worker``: run Cloudflare Workers in workerd, and export them for wrangler."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.options import worker_options

if TYPE_CHECKING:
    from collections.abc import Callable

    from wasm_lab.artifact import Artifact
    from wasm_lab.scenarios.edge import LiveWorker, Worker

_FILE = click.Path(exists=True, path_type=Path)

#: Seconds between two looks at the log.
_LOOK_S = 0.1


def _made_of(command: Callable[..., Any]) -> Callable[..., Any]:
    """The file and the options that make a worker."""
    wasm = click.option(
        "--wasm",
        multiple=True,
        metavar="NAME=FILE",
        help='A .rs or .wasm file that the worker imports as "NAME" or "./NAME.wasm"; may be repeated.',
    )
    file = click.argument("file", type=_FILE)
    return file(wasm(worker_options(command)))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def worker() -> None:
    """Run Cloudflare Workers in their own engine, workerd, and export them for a real deployment.

    A worker is an ES module: export default { async fetch(request, env, ctx) { … } }. With --wasm it
    calls the public functions of a Rust file. Outgoing requests are refused unless --allow-host names
    their host.
    """


RUN = """\b
Examples:
  wasm-lab worker run hello.js
  wasm-lab worker run resize.js --wasm kernels=resize.rs --get /640x480
  wasm-lab worker run counter.js --kv COUNTS --var GREETING=hello
  wasm-lab worker run legacy.js --wasm module=lib.wasm
  wasm-lab worker run deploy/
"""


@worker.command(epilog=RUN)
@_made_of
@click.option(
    "--get",
    "paths",
    multiple=True,
    metavar="PATH",
    help="Ask for this path, print the answer's body, and end; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="With --get: print a record for each answer.")
def run(file: Path, paths: tuple[str, ...], as_json: bool, **options: Any) -> int:
    """Run the worker in FILE until Ctrl-C; what it tells on the console is shown as it comes.

    FILE is JavaScript, or a wrangler.jsonc or wrangler.toml, or the folder of one: then its variables, KV
    namespaces, modules and .dev.vars are taken from there.

    Exit status 1 when it cannot be started, or when an answer to --get has a status of 400 or more.
    """
    from wasm_lab.errors import UsageError
    from wasm_lab.scenarios.edge import run_worker

    if as_json and not paths:
        raise UsageError("--json goes with --get.", hint="Such as --get / --json.")
    with run_worker(_worker(file, options)) as live:
        if paths:
            return _ask(live, paths, as_json)
        click.echo(f"{live.worker.name} answers at {live.url} until Ctrl-C.", err=True)
        return _follow(live)


def _ask(live: LiveWorker, paths: tuple[str, ...], as_json: bool) -> int:
    records: list[dict[str, Any]] = []
    for path in paths:
        begun = time.perf_counter()
        answer = live.get(path)
        took_s = time.perf_counter() - begun
        if not as_json:
            sys.stdout.buffer.write(answer.content)
            if sys.stdout.isatty() and not answer.content.endswith(b"\n"):
                click.echo()
        records.append(
            {
                "path": path,
                "status": answer.status_code,
                "headers": dict(answer.headers),
                "body": answer.text,
                "duration_ms": round(1000 * took_s, 3),
            }
        )
    sys.stdout.flush()
    if as_json:
        click.echo(json.dumps(records, indent=2, ensure_ascii=False))
    click.echo(live.log, err=True, nl=False)
    return 0 if all(record["status"] < 400 for record in records) else 1


def _follow(live: LiveWorker) -> int:
    """Pass the log on, until the worker ends or the user says so."""
    from wasm_lab.errors import ServiceError

    shown = 0

    def tell() -> None:
        nonlocal shown
        log = live.log
        click.echo(log[shown:], nl=False)
        shown = len(log)

    try:
        while live.running:
            tell()
            time.sleep(_LOOK_S)
    finally:
        tell()  # what came last, also before Ctrl-C
    raise ServiceError(f"workerd ended, and the worker {live.worker.name} with it.")


EXPORT = """\b
Examples:
  wasm-lab worker export counter.js --kv COUNTS --out deploy/
  wasm-lab worker export resize.js --wasm kernels=resize.rs --out deploy/ --toml
"""


@worker.command(epilog=EXPORT)
@_made_of
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Where to write; a new or empty folder, or one of an earlier export.",
)
@click.option("--toml", is_flag=True, help="Write wrangler.toml.  [default: wrangler.jsonc]")
def export(file: Path, out: Path, toml: bool, **options: Any) -> int:
    """Write the worker in FILE with its glue, its Wasm and a wrangler configuration.

    The lab is no cloud: nothing is sent. The commands that deploy it are printed; they take an
    account at Cloudflare. Secrets are named and not written.
    """
    from wasm_lab.scenarios.edge.wrangler import commands
    from wasm_lab.scenarios.edge.wrangler import export as write

    made = _worker(file, options)
    for path in write(made, out, toml=toml):
        click.echo(path)
    click.echo("\nThe lab has sent nothing. These commands deploy it:\n", err=True)
    for command in commands(made, out):
        click.echo(f"  {command}", err=True)
    return 0


@worker.command()
def install() -> int:
    """Get workerd from npm into the lab's own folder (160 MB), unless there is one. It takes Node.js."""
    from wasm_lab.toolchains.workerd import ensure_workerd

    found = ensure_workerd(lambda line: click.echo(line, err=True))
    click.echo(f"{found.program} ({found.version})")
    return 0


def _worker(file: Path, options: dict[str, Any]) -> Worker:
    from wasm_lab.errors import UsageError
    from wasm_lab.options import bindings_from, worker_settings
    from wasm_lab.scenarios.edge import Worker
    from wasm_lab.scenarios.edge.project import find_project, load_project

    artifacts = _artifacts(options["wasm"])
    bindings = bindings_from(options, Path())
    project = find_project(file)
    if project is not None:
        return load_project(project, artifacts=artifacts, bindings=bindings, **worker_settings(options))
    if file.is_dir():
        raise UsageError(f"{file} holds no wrangler.jsonc and no wrangler.toml.")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text (byte {error.start}), so it is no JavaScript.") from None
    return Worker.of(
        file.stem,
        text,
        folder=file.parent,
        artifacts=artifacts,
        wasm=tuple(artifacts) if _is_script(text) else (),
        bindings=bindings,
        label=str(file),
        **worker_settings(options),
    )


def _is_script(text: str) -> bool:
    """In the older syntax a worker imports nothing, so it gets all that was named."""
    return "export" not in text


def _artifacts(words: tuple[str, ...]) -> dict[str, Artifact]:
    from wasm_lab.cli.show import show_warnings
    from wasm_lab.errors import UsageError
    from wasm_lab.files import artifact_of
    from wasm_lab.session import default_session
    from wasm_lab.source import DEFAULT_EDITION, Profile, Target
    from wasm_lab.views.progress import terminal_progress

    found = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or not name or not path or "/" in name:
            raise UsageError(f"--wasm takes NAME=FILE, not {word!r}.", hint="Such as --wasm tools=tools.rs.")
        options = {
            "profile": Profile.RELEASE.value,
            "target": Target.WASIP1.value,
            "edition": DEFAULT_EDITION,
        }
        with terminal_progress() as progress:
            found[name] = artifact_of(default_session(), Path(path), options, progress=progress)
        show_warnings(found[name])
    return found
