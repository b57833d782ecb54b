"""``wasm-lab build``: a source file to a .wasm file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli.show import show_warnings
from wasm_lab.errors import UsageError
from wasm_lab.options import build_options

if TYPE_CHECKING:
    from wasm_lab.artifact import Artifact
    from wasm_lab.session import Session

EXAMPLES = """\b
Examples:
  wasm-lab build hello.rs
  wasm-lab build --profile size --output small.wasm hello.rs
  wasm-lab build --target wasm32-wasip2 --json hello.rs
  wasm-lab build --profile size hello.c
  wasm-lab build --world calc --wit calc.wit calc.py
"""


@click.command(epilog=EXAMPLES)
@build_options
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="[default: FILE with .wasm]"
)
@click.option("--world", help="Implement this world of the --wit file, as a component (.rs, .py, .js).")
@click.option(
    "--wit", type=click.Path(exists=True, path_type=Path), help="The contract: a .wit file or folder."
)
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def build(file: Path, output: Path | None, as_json: bool, **options: Any) -> int:
    """Compile FILE (.rs, .c, .cpp, .zig, .go, .py, .js, or .wat text) to WebAssembly."""
    from boltons.fileutils import atomic_save

    from wasm_lab.session import Session
    from wasm_lab.views.amounts import duration, size

    if file.suffix == ".wasm":
        raise UsageError(f"{file} is WebAssembly already.", hint="wasm-lab inspect shows what is in it.")
    artifact = built(Session(), file, options)
    path = output or file.with_suffix(".wasm")
    try:
        with atomic_save(str(path), overwrite=True) as stream:
            stream.write(artifact.wasm)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
    if as_json:
        record = {
            "output": str(path),
            "size_bytes": artifact.size_bytes,
            "sha256": artifact.sha256,
            "component": artifact.is_component,
            "compiler": artifact.compiler,
            "cached": artifact.cached,
            "steps": {step.name: step.duration_ns for step in artifact.steps},
        }
        click.echo(json.dumps(record, indent=2))
    else:
        took = duration(sum(step.duration_ns for step in artifact.steps))
        how = "from the cache" if artifact.cached else took
        click.echo(f"{path}: {size(artifact.size_bytes)}, {how}, sha256 {artifact.sha256}")
    return 0


def built(session: Session, file: Path, options: dict[str, Any]) -> Artifact:
    """The artifact of a file, with progress and warnings on standard error."""
    from wasm_lab.files import artifact_of

    if file.suffix in (".wasm", ".wat"):
        return artifact_of(session, file, options)
    from wasm_lab.views.progress import terminal_progress

    with terminal_progress() as progress:
        artifact = artifact_of(session, file, options, progress=progress)
    show_warnings(artifact)
    return artifact
