"""``wasm-lab plugins``: a folder of plugins from the command line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from wasm_lab.scenarios.plugins.host import PluginHost

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

_settings = click.option(
    "--settings", type=_FILE, metavar="FILE", help="What each plugin may touch and use, as TOML."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")

EXAMPLES = """\b
Examples:
  wasm-lab plugins sample ./plugins markdown json-query
  wasm-lab plugins list ./plugins
  wasm-lab plugins call ./plugins markdown README.md --option flavour=github
  echo '[{"n": 1}, {"n": 5}]' | wasm-lab plugins call ./plugins json-query -O query='.[].n'
  wasm-lab plugins watch ./plugins
"""


@click.group(epilog=EXAMPLES)
def plugins() -> None:
    """Find, check, load and call plugins: components that implement one WIT interface."""


@plugins.command("list")
@_settings
@_json
@click.argument("folder", type=_FOLDER)
def list_(folder: Path, settings: Path | None, as_json: bool) -> int:
    """Show the plugins of FOLDER, and why a file is refused.

    Each is checked against the interface and its version before anything of it runs, then loaded and
    asked to describe itself. The exit status is 1 when a file is refused.

    \b
    Examples:
      wasm-lab plugins list ./plugins
      wasm-lab plugins list --json ./plugins
    """
    from wasm_lab.views.plugins import statuses_table
    from wasm_lab.views.tables import print_table

    with _host(folder, settings) as host:
        statuses = host.statuses
        if as_json:
            _print_json(statuses)
        else:
            print_table(statuses_table(statuses), sys.stdout)
        return 0 if all(status.usable for status in statuses) else 1


@plugins.command()
@click.option(
    "-O", "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option of the plugin."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the result there."
)
@_settings
@click.option(
    "--json", "as_json", is_flag=True, help="Print the record of the call as JSON, its output in it."
)
@click.argument("folder", type=_FOLDER)
@click.argument("name")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path), default="-"
)
def call(
    folder: Path,
    name: str,
    file: Path,
    options: tuple[str, ...],
    **chosen: Any,
) -> int:
    """Give FILE, or standard input, to the plugin NAME of FOLDER; its result goes to standard output.

    What the plugin logs and prints goes to standard error. The exit status is 1 when the plugin says
    that it cannot, 124 after its deadline, and 134 when it trapped.

    \b
    Examples:
      wasm-lab plugins call ./plugins markdown README.md > readme.html
      wasm-lab plugins call ./plugins image-resize photo.png -O width=200 -o small.png
      wasm-lab plugins call ./plugins json-query data.json -O query='map(.name)' --json
    """
    from wasm_lab.cli import FAILED
    from wasm_lab.components import Err
    from wasm_lab.errors import PluginError
    from wasm_lab.scenarios.plugins.host import content

    given, as_json, output = dict(map(_pair, options)), chosen["as_json"], chosen["output"]
    data = _text_or_bytes(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    with _host(folder, chosen["settings"]) as host:
        try:
            result = host.call(name, "apply", content(data), list(given.items())).value
        except Err as error:
            if not as_json:
                raise PluginError(f"{name} could not do it: {host.calls[-1].why}", plugin=name) from error
            result = b""
        record = host.calls[-1]
    if as_json:
        _print_json(record, output=result if record.ok else None)
        return 0 if record.ok else FAILED
    for level, line in record.log:
        click.echo(f"{level}: {line}", err=True)
    packed = result.encode() if isinstance(result, str) else result
    if output is not None:
        output.write_bytes(packed)
    else:
        sys.stdout.buffer.write(packed)
        sys.stdout.buffer.flush()
    return 0


@plugins.command()
@_settings
@_json
@click.argument("folder", type=_FOLDER)
def watch(folder: Path, settings: Path | None, as_json: bool) -> int:
    """Load the plugins of FOLDER again whenever a file changes, and say what came of it.

    A file that cannot be used is told, and the plugin that was loaded before goes on. Ends with Ctrl-C.

    \b
    Examples:
      wasm-lab plugins watch ./plugins
      wasm-lab plugins watch --json ./plugins
    """
    from wasm_lab.scenarios.plugins.host import WATCH_S

    with _host(folder, settings) as host:
        for status in host.statuses:
            told = {"name": status.name, "event": status.state.value, "reason": status.reason}
            _print_change(told, as_json=as_json)
        while True:
            time.sleep(WATCH_S)
            for change in host.refresh():
                told = {"name": change.name, "event": change.event.value, "reason": change.reason}
                _print_change(told, as_json=as_json)


@plugins.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("names", nargs=-1, metavar="[NAME]…")
def sample(folder: Path, names: tuple[str, ...]) -> int:
    """Build sample plugins into FOLDER: those in Rust, or the named ones.

    NAMES are markdown, json-query, image-resize (Rust), image-resize-c, image-resize-js, snooper and the
    hostile ones, such as endless_loop. The first build takes a minute.

    \b
    Examples:
      wasm-lab plugins sample ./plugins
      wasm-lab plugins sample ./plugins markdown endless_loop
    """
    from wasm_lab.scenarios.plugins.samples import GOOD, fill
    from wasm_lab.views.progress import terminal_progress

    with terminal_progress() as progress:
        fill(folder, names or GOOD, progress=progress)
    for name in names or GOOD:
        click.echo(folder / f"{name}.wasm")
    return 0


def _host(folder: Path, settings: Path | None) -> PluginHost:
    from wasm_lab.scenarios.plugins.host import PluginHost
    from wasm_lab.scenarios.plugins.settings import read_settings

    return PluginHost(folder, settings=read_settings(settings) if settings else None)


def _text_or_bytes(data: bytes) -> str | bytes:
    """Text where it is one: it crosses as a whole."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _pair(text: str) -> tuple[str, str]:
    from wasm_lab.errors import UsageError

    name, separator, value = text.partition("=")
    if not separator or not name:
        raise UsageError(f"{text!r} is no option.", hint="Write --option NAME=VALUE.")
    return name, value


def _print_json(what: Any, **more: Any) -> None:
    from wasm_lab.views.plain import plain

    record = plain(what)
    if more:
        record |= plain(more)
    click.echo(json.dumps(record, indent=2, ensure_ascii=False))


def _print_change(told: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        why = f", because {told['reason']}" if told["reason"] else ""
        click.echo(f"{told['name']}: {told['event']}{why}")
    sys.stdout.flush()
