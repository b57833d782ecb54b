"""``wasm-lab kube apply`` and ``delete``: objects in the cluster of the user's kubeconfig."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wasm_lab.cli import INTERRUPTED
from wasm_lab.cli.kube_files import FilesCommand, files_argument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wasm_lab.scenarios.kubernetes.apply import Applied, Change
    from wasm_lab.scenarios.kubernetes.cluster import Cluster
    from wasm_lab.scenarios.kubernetes.removing import Removal
    from wasm_lab.scenarios.kubernetes.scaling import Step
    from wasm_lab.scenarios.kubernetes.waiting import Wait


def _at_cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which cluster is meant."""
    for option in (
        click.option(
            "--kubeconfig",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="The kubeconfig.  [default: KUBECONFIG, else ~/.kube/config]",
        ),
        click.option(
            "--context", default="", metavar="NAME", help="The context in it.  [default: its current one]"
        ),
        click.option(
            "-n",
            "--namespace",
            default="",
            metavar="NAME",
            help="For objects whose file names none.  [default: the context's]",
        ),
        click.option(
            "--timeout",
            "timeout_s",
            type=click.FloatRange(min=0, min_open=True),
            default=120.0,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait.",
        ),
        click.option("--dry-run", is_flag=True, help="Only ask the cluster what would be done."),
        click.option("--json", "as_json", is_flag=True, help="Print what was done as a JSON object."),
    ):
        command = option(command)
    return command


class ReplicaSteps(click.ParamType):  # type: ignore[type-arg]  # older clicks have no argument for it
    """``3`` or ``1,10,1``."""

    name = "N[,N…]"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            steps = tuple(int(word) for word in str(value).split(","))
        except ValueError:
            steps = ()
        if not steps or not all(0 <= step <= 1000 for step in steps):
            self.fail("numbers from 0 to 1000, with commas between: 3, or 1,10,1", param, ctx)
        return steps


APPLY = """\b
Examples:
  wasm-lab kube apply hello.yaml --dry-run
  wasm-lab kube apply deploy/ --context kind-wasm --namespace demo
  wasm-lab kube apply hello.yaml --replicas 1,10,1 --rm --json
  wasm-lab kube render ghcr.io/me/hello:1 | wasm-lab kube apply -
"""


@click.command(cls=FilesCommand, epilog=APPLY)
@_at_cluster
@click.option(
    "--rm",
    "remove_after",
    is_flag=True,
    help="Afterwards delete what this command created, also when it fails.",
)
@click.option(
    "--replicas",
    "steps",
    type=ReplicaSteps(),
    metavar="N[,N…]",
    help="When all is ready, scale to each of these numbers and say how long it took.",
)
@files_argument
def apply(
    *,
    files: tuple[str, ...],
    kubeconfig: Path | None,
    context: str,
    namespace: str,
    timeout_s: float,
    dry_run: bool,
    as_json: bool,
    remove_after: bool,
    steps: tuple[int, ...] | None,
) -> int:
    """Apply manifests to the cluster of your kubeconfig, and wait until all is ready.

    FILES are manifests, folders, patterns, or - for the standard input. They are checked without the cluster first,
    then by the cluster without changing anything; what would be changed, and where, is shown before it is done.
    A cluster that is not plainly a local one is asked about, or must be named by --context. Exit status 1 when
    something is refused or does not get ready, with the reason, events and last log lines.
    """
    from wasm_lab.scenarios.kubernetes.apply import plan
    from wasm_lab.scenarios.kubernetes.cluster import connect
    from wasm_lab.scenarios.kubernetes.given import checked_targets

    targets, warnings = checked_targets(files, sys.stdin.buffer)
    for problem in warnings:
        _say(str(problem))
    cluster = connect(kubeconfig, context, namespace)
    changes = plan(cluster, targets)
    _say(f"To {cluster.where} (Kubernetes {cluster.version}):")
    for change in changes:
        _say(f"  {change.action:9} {change.where}{f' ({change.note})' if change.note else ''}")
    session = _Session(cluster, as_json)
    if dry_run:
        _say("Nothing was changed: this was a dry run.")
        session.print({"dry_run": True, "objects": [_plain_change(one) for one in changes]})
        return 0
    _agree(cluster, context)
    try:
        status = session.carry_out(changes, timeout_s, steps or ())
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        status = INTERRUPTED
    except BaseException:
        session.clean_up(remove_after, timeout_s)
        raise
    left = session.clean_up(remove_after, timeout_s)
    session.print({"dry_run": False, **session.record, "removed": remove_after and not left})
    return status or (1 if left else 0)


class _Session:
    """One `apply`: what it did so far, so that it can be told and undone whenever it ends."""

    def __init__(self, cluster: Cluster, as_json: bool) -> None:
        self.cluster, self.as_json = cluster, as_json
        self.applied: list[Applied] = []
        self.record: dict[str, Any] = {"objects": [], "steps": []}

    def carry_out(self, changes: Sequence[Change], timeout_s: float, steps: Sequence[int]) -> int:
        from wasm_lab.scenarios.kubernetes.apply import apply as apply_objects
        from wasm_lab.scenarios.kubernetes.scaling import SCALED, scale
        from wasm_lab.scenarios.kubernetes.waiting import wait_ready

        for one in apply_objects(self.cluster, changes):
            self.applied.append(one)
            self.record["objects"].append(_plain_change(one.change))
        told: set[str] = set()
        with _progress() as show:

            def on_step(waits: list[Wait]) -> None:
                ready = sum(wait.ready for wait in waits)
                busy = next((wait for wait in waits if not wait.ready), None)
                if busy is not None:
                    show(f"{busy.change.where}: {busy.state.said}", ready, len(waits))
                for wait in waits:
                    for trouble in wait.troubles:
                        line = f"{trouble.about}: {trouble.reason}"
                        if line not in told:
                            rewrite = "\r\x1b[K" if sys.stderr.isatty() else ""  # over the progress line
                            _say(f"{rewrite}  {line}: {trouble.message}")
                        told.add(line)

            waits = wait_ready(
                self.cluster, [one.change for one in self.applied], timeout_s=timeout_s, on_step=on_step
            )
        self.record["objects"] = [_plain_wait(wait) for wait in waits]
        for wait in waits:
            _show_wait(wait)
        if not all(wait.ready for wait in waits):
            return 1
        for wait in waits:
            if steps and wait.change.target.kind in SCALED:
                label = wait.change.target.label
                done = scale(
                    self.cluster,
                    wait.change,
                    steps,
                    timeout_s=timeout_s,
                    on_step=functools.partial(_show_step, label),
                )
                self.record["steps"] += [
                    {"object": label, "replicas": one.replicas, "seconds": round(one.seconds, 3)}
                    for one in done
                ]
        return 0

    def clean_up(self, wanted: bool, timeout_s: float) -> list[Removal]:
        """Delete what was created, where that is wanted; gives, and tells, what could not be."""
        from wasm_lab.scenarios.kubernetes.removing import removal_of, remove

        created = [one for one in self.applied if one.created]
        if not wanted:
            ready = [one for one in self.record["objects"] if one.get("ready")]
            if created and len(ready) < len(self.record["objects"]):
                _say(f"Left as it is: {', '.join(one.change.where for one in created)}.")
                _say("wasm-lab kube delete with the same files removes it.")
            return []
        removals = removal_of(self.cluster, self.applied)
        _say(f"Deleting what was created: {', '.join(one.where for one in removals) or 'nothing'}.")
        try:
            left = remove(self.cluster, removals, timeout_s=timeout_s)
        except KeyboardInterrupt:
            still = [one.where for one in removals if one.state == "deleting"]
            _say(f"Interrupted. Perhaps not deleted: {', '.join(still)}.")
            raise
        _show_left(self.cluster, left)
        return left

    def print(self, record: dict[str, Any]) -> None:
        if self.as_json:
            place = {key: getattr(self.cluster, key) for key in ("context", "server", "namespace", "version")}
            click.echo(json.dumps({**place, **record}, indent=2, ensure_ascii=False))


DELETE = """\b
Examples:
  wasm-lab kube delete hello.yaml
  wasm-lab kube delete deploy/ --context kind-wasm --namespace demo --timeout 60
"""


@click.command(cls=FilesCommand, epilog=DELETE)
@_at_cluster
@files_argument
def delete(
    *,
    files: tuple[str, ...],
    kubeconfig: Path | None,
    context: str,
    namespace: str,
    timeout_s: float,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Delete what manifests name, and nothing else, and wait until it is gone.

    What is not there is no mistake. Exit status 1 when something is not gone in time.
    """
    from wasm_lab.scenarios.kubernetes.cluster import connect
    from wasm_lab.scenarios.kubernetes.given import checked_targets
    from wasm_lab.scenarios.kubernetes.removing import plan_removal, remove

    targets, _ = checked_targets(files, sys.stdin.buffer)
    cluster = connect(kubeconfig, context, namespace)
    removals = plan_removal(cluster, targets)
    _say(f"From {cluster.where} (Kubernetes {cluster.version}):")
    words = {"deleting": "delete", "absent": "not there", "unknown kind": "no such kind there"}
    for one in removals:
        _say(f"  {words[one.state]:9} {one.where}")
    left: list[Removal] = []
    if dry_run:
        _say("Nothing was deleted: this was a dry run.")
    elif any(one.state == "deleting" for one in removals):
        _agree(cluster, context)
        try:
            left = remove(
                cluster, removals, timeout_s=timeout_s, on_step=lambda one: _say(f"  gone      {one.where}")
            )
        except KeyboardInterrupt:
            still = [one.where for one in removals if one.state == "deleting"]
            click.echo(
                f"Interrupted. Still being deleted, by the cluster itself: {', '.join(still)}.", err=True
            )
            return INTERRUPTED
        _show_left(cluster, left)
    if as_json:
        objects = [
            {"kind": one.target.kind, "name": one.target.name, "namespace": one.namespace, "state": one.state}
            for one in removals
        ]
        place = {key: getattr(cluster, key) for key in ("context", "server", "namespace", "version")}
        click.echo(
            json.dumps({**place, "dry_run": dry_run, "objects": objects}, indent=2, ensure_ascii=False)
        )
    return 1 if left else 0


def _agree(cluster: Cluster, named: str) -> None:
    """Have the user say that this cluster is meant, unless it is a local one or was named."""
    from wasm_lab.errors import UsageError

    if cluster.is_local or named:
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm(f"{cluster.server} is not on this machine. Go on?", abort=True, err=True)
        return
    raise UsageError(
        f"{cluster.server} is not on this machine, and nobody can be asked whether it is meant. Nothing was changed.",
        hint=f"Name it: --context {cluster.context}",
    )


def _plain_change(change: Change) -> dict[str, Any]:
    target = change.target
    return {"kind": target.kind, "name": target.name, "namespace": change.namespace, "action": change.action}


def _plain_wait(wait: Wait) -> dict[str, Any]:
    record = _plain_change(wait.change) | {"ready": wait.ready, "state": wait.state.said}
    if wait.ready_s is not None:
        return record | {"ready_s": round(wait.ready_s, 3)}
    troubles = [
        {"about": one.about, "reason": one.reason, "message": one.message, "meaning": one.meaning}
        for one in wait.troubles
    ]
    pods = [{"name": one.name, "events": list(one.events), "log": one.log} for one in wait.pods]
    return record | {"gave_up": wait.gave_up, "troubles": troubles, "pods": pods}


def _show_wait(wait: Wait) -> None:
    from wasm_lab.views.colour import wants_colour

    colour = wants_colour(sys.stderr)
    if wait.ready:
        after = f" after {wait.ready_s:.1f} s" if wait.ready_s else ""
        said = click.style("ready", fg="green")
        click.echo(f"{wait.change.where}: {said}{after} ({wait.state.said})", err=True, color=colour)
        return
    said = click.style("not ready", fg="red", bold=True)
    why = f"; {wait.gave_up}" if wait.gave_up else ""
    click.echo(f"{wait.change.where}: {said} ({wait.state.said}{why})", err=True, color=colour)
    seen: set[tuple[str, str]] = set()
    for one in wait.troubles:
        if (one.reason, one.meaning) in seen:
            continue  # ten pods have the same trouble
        seen.add((one.reason, one.meaning))
        _say(f"  {one.about}: {one.reason}: {one.message}")
        if one.meaning:
            _say(f"    {one.meaning}")
    for pod in wait.pods[:1]:
        if pod.events:
            _say(f"  The last events of {pod.name}:")
            for line in pod.events:
                _say(f"    {line}")
        if pod.log:
            _say(f"  Its last lines:\n{_indented(pod.log)}")


def _show_step(label: str, step: Step) -> None:
    _say(f"{label}: {step.replicas} replicas after {step.seconds:.2f} s")


def _show_left(cluster: Cluster, left: Sequence[Removal]) -> None:
    from wasm_lab.scenarios.kubernetes.removing import why_not_gone

    for one in left:
        _say(f"{one.where} is not gone yet: {why_not_gone(cluster, one)}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def _progress() -> Any:
    from contextlib import contextmanager

    from wasm_lab.views.progress import terminal_progress

    @contextmanager
    def shown() -> Any:
        with terminal_progress() as progress:
            yield progress or (lambda _what, _done, _total: None)

    return shown()


def _say(line: str) -> None:
    click.echo(line, err=True)
