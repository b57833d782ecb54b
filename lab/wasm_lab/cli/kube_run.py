"""``wasm-lab kube run`` and ``recipe``: pods on this machine, and clusters to be had."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import INTERRUPTED
from wasm_lab.cli.kube_cluster import ReplicaSteps
from wasm_lab.cli.kube_files import FilesCommand, files_argument

if TYPE_CHECKING:
    from wasm_lab.scenarios.kubernetes.run import LocalRun, PodStart, ScaleStep

RUN = """\b
Examples:
  sudo wasm-lab kube run hello.yaml --image localhost/hello:1=hello.wasm
  sudo wasm-lab kube run hello.yaml --image localhost/hello:1=hello.tar --replicas 3
  sudo wasm-lab kube run hello.yaml --image localhost/hello:1=hello.tar --replicas 1,10,1 --json
"""


@click.command(cls=FilesCommand, epilog=RUN)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=FILE",
    help="An OCI archive (.tar) or a Wasm module for an image of that name; may be repeated.",
)
@click.option(
    "--replicas",
    "steps",
    type=ReplicaSteps(),
    metavar="N[,N…]",
    help="How many pods of each Deployment; with several numbers each step is measured, and then all ends.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How long pods may take to be ready.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was measured as a JSON object, at the end.")
@files_argument
def run(
    *,
    files: tuple[str, ...],
    images: tuple[str, ...],
    steps: tuple[int, ...] | None,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Run a manifest's pods on this machine, without a cluster.

    A containerd of the lab's own runs them through CRI, the interface that a node's kubelet uses, under the runtime
    that their RuntimeClass names. What they write is shown as it comes; Ctrl-C ends them and removes all. It needs
    root and containerd. Exit status 1 when a pod does not get ready, or ends with an error.
    """
    from wasm_lab.errors import ServiceError
    from wasm_lab.scenarios.kubernetes.given import checked_targets
    from wasm_lab.scenarios.kubernetes.run import LocalRun

    targets, _ = checked_targets(files, sys.stdin.buffer)
    why = LocalRun.missing()
    if why:
        raise ServiceError("Pods cannot run on this machine.", hint=why)
    lock = threading.Lock()

    def on_line(pod: str, container: str, text: str) -> None:
        with lock:
            click.echo(f"{pod}/{container} | {text}", err=as_json)

    def say(line: str) -> None:
        with lock:
            click.echo(line, err=True)

    record: dict[str, Any] = {"pods": [], "steps": []}
    status = 0
    with LocalRun(targets, _images(images), on_line=on_line, on_note=say) as running:
        try:
            status = _carry_out(running, steps or (), timeout_s, record, say)
        except KeyboardInterrupt:
            say("Interrupted: ending the pods.")
            status = INTERRUPTED
    if as_json:
        click.echo(json.dumps(record, indent=2))
    return status


def _carry_out(
    running: LocalRun, steps: tuple[int, ...], timeout_s: float, record: dict[str, Any], say: Any
) -> int:
    measured = len(steps) > 1
    told: dict[str, PodStart] = {}

    def tell() -> None:
        for one in running.starts():
            if one.pod not in told:
                told[one.pod] = one
                say(
                    f"{one.pod}: started under {one.handler or 'the default runtime'} after {one.start_ms:.0f} ms "
                    f"({one.runtime_ms:.0f} ms by the runtime's own clock)"
                )
        record["pods"] = [_plain_start(one) for one in told.values()]

    def on_step(step: ScaleStep) -> None:
        tell()
        record["steps"].append(_plain_step(step))
        say(
            f"{step.workload}: {step.replicas} replicas after {step.seconds:.2f} s, "
            f"{step.pss_bytes / 1e6:.1f} MB, and {step.shim_pss_bytes / 1e6:.1f} MB of shims"
        )

    # With several steps the first is one as well: from nothing.
    running.start(replicas=0 if measured else steps[0] if steps else None, timeout_s=timeout_s)
    tell()
    if measured:
        running.scale(steps, timeout_s=timeout_s, on_step=on_step)
        return 0
    return 0 if running.wait() else 1


def _plain_start(one: PodStart) -> dict[str, Any]:
    return {
        "pod": one.pod,
        "handler": one.handler,
        "start_ms": round(one.start_ms, 2),
        "runtime_ms": round(one.runtime_ms, 2),
        "difference_ms": round(one.difference_ms, 2),
    }


def _plain_step(one: ScaleStep) -> dict[str, Any]:
    return {
        "workload": one.workload,
        "replicas": one.replicas,
        "seconds": round(one.seconds, 3),
        "pss_bytes": one.pss_bytes,
        "shim_pss_bytes": one.shim_pss_bytes,
    }


def _images(words: tuple[str, ...]) -> dict[str, Path]:
    from wasm_lab.errors import UsageError

    for word in words:
        if "=" not in word or word.startswith("=") or word.endswith("="):
            raise UsageError("--image takes NAME=FILE.", hint="Such as --image localhost/hello:1=hello.wasm.")
    return {name: Path(file) for name, _, file in (word.partition("=") for word in words)}


RECIPE = """\b
Examples:
  wasm-lab kube recipe kind
  wasm-lab kube recipe k3d > wasm-k3d.sh
"""


@click.command(epilog=RECIPE)
@click.argument("name", type=click.Choice(["kind", "k3d"]))
def recipe(name: str) -> None:
    """Print a script that makes a cluster on this machine whose nodes run Wasm.

    kind: with runwasi's shim for Wasmtime. k3d: with SpinKube. Both need docker. Nothing is run by this command.
    """
    from wasm_lab.scenarios.kubernetes.recipes import recipe as text

    click.echo(text(name), nl=False)
