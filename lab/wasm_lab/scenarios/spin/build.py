"""``spin build``: each component's own build command."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wasm_lab.errors import BuildError, UsageError
from wasm_lab.scenarios.spin.manifest import LocalSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wasm_lab.scenarios.spin.manifest import Build, ComponentManifest, Manifest

#: How long a build that was interrupted may take to end, in seconds.
GRACE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What became of one component."""

    component: str
    commands: tuple[str, ...]  #: empty: it has no build command
    duration_s: float


def build_application(
    manifest: Manifest, only: Sequence[str] = (), say: Callable[[str], None] = lambda line: None
) -> list[Built]:
    """Run the build command of each component, one after the other, in its folder.

    What the commands write goes to this process's own standard output and error. A component comes after
    the components that it depends on, otherwise in the order of the file.

    Args:
        manifest: the application.
        only: ids of components; all when empty.
        say: gets a line before each command and one after each component.

    Raises:
        UsageError: there is no such component, or a folder is missing.
        BuildError: a command failed, or left no file at `source`.
        KeyboardInterrupt: after the command that ran was interrupted and ended.
    """
    unknown = [name for name in only if name not in manifest.components]
    if unknown:
        raise UsageError(
            f"There is no component `{unknown[0]}`.", hint=f"There are: {', '.join(manifest.components)}."
        )
    chosen = [component for component in in_build_order(manifest) if not only or component.id in only]
    return [_build(component, component.build, say) for component in chosen]


def in_build_order(manifest: Manifest) -> list[ComponentManifest]:
    """The components, each behind those that it depends on."""
    order: dict[str, ComponentManifest] = {}
    entered: set[str] = set()

    def visit(component: ComponentManifest) -> None:
        if component.id in entered:
            return  # also the end of a circle, which composition will refuse
        entered.add(component.id)
        for dependency in component.dependencies.values():
            name = dependency.get("component") if isinstance(dependency, dict) else None
            if isinstance(name, str) and name in manifest.components:
                visit(manifest.components[name])
        order[component.id] = component

    for component in manifest.components.values():
        visit(component)
    return list(order.values())


def _build(component: ComponentManifest, build: Build | None, say: Callable[[str], None]) -> Built:
    if build is None:
        say(f"{component.id}: no build command")
        return Built(component=component.id, commands=(), duration_s=0.0)
    if not build.workdir.is_dir():
        raise UsageError(
            f"The folder {str(build.workdir)!r}, in which `{component.id}` is built, is missing.",
            hint=f"Mend `workdir` in [component.{component.id}.build].",
        )
    began = time.monotonic()
    for command in build.commands:
        say(f"{component.id}: {command}")
        status = run_command(command, build.workdir, environment_for_builds())
        if status:
            how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
            hint = "Its own messages stand above."
            if status == 127:
                hint = "127 means that the shell did not find a program of the command."
            raise BuildError(f"The build of `{component.id}` failed: `{command}` {how}.", hint=hint)
    if isinstance(component.source, LocalSource) and not component.source.path.is_file():
        raise BuildError(
            f"The build of `{component.id}` ended well, but {component.source.written!r} is not there.",
            hint=f"Mend `source` in [component.{component.id}], or the command, so that they mean the same file.",
        )
    took = time.monotonic() - began
    say(f"{component.id}: built in {took:.1f} s")
    return Built(component=component.id, commands=build.commands, duration_s=took)


def environment_for_builds() -> dict[str, str]:
    """The environment of a build command: this one, and the folder of ``wasm-lab`` behind PATH."""
    folders = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    return {**os.environ, "PATH": os.pathsep.join(folders)}


def run_command(command: str, folder: Path, environment: Mapping[str, str]) -> int:
    """Run a line of shell in a folder; gives its exit status.

    An interrupt reaches everything that the line started: it gets a session of its own, which is
    interrupted, and killed when it does not end.
    """
    process = subprocess.Popen(  # noqa: S602 - a build command is a line of shell, as in Spin
        command, shell=True, cwd=folder, env=environment, start_new_session=True, stdin=subprocess.DEVNULL
    )
    try:
        return process.wait()
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the session, and kill what is left of it; a second interrupt kills at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
