"""Manifests for a Wasm program, for each of the three ways in which Kubernetes runs one.

``crun``: the node's runtime crun, built with a Wasm engine, sees an annotation of the pod.
``runwasi``: a shim of containerd runs the Wasm; a RuntimeClass names its handler.
``spinkube``: an operator makes the pods from a ``SpinApp``; a shim of containerd runs them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from wasm_lab.errors import UsageError
from wasm_lab.scenarios.kubernetes.quantities import CPU_MANY, MEMORY_LEAST, amount
from wasm_lab.scenarios.kubernetes.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Way: TypeAlias = Literal["crun", "runwasi", "spinkube"]
WAYS: tuple[Way, ...] = ("crun", "runwasi", "spinkube")

#: What nodes call the runtimes in the installation guides of each project.
HANDLERS: dict[Way, str] = {"crun": "crun", "runwasi": "wasmtime", "spinkube": "spin"}

_REFERENCE = re.compile(
    r"(?:[a-z0-9.-]+(?::[0-9]+)?/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?"
)
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to run, and how."""

    image: str
    name: str
    way: Way
    replicas: int = 1
    memory: str = "32Mi"  #: the limit, and what is reserved
    cpu: str = "100m"  #: what is reserved; ten times as much is the limit
    port: int | None = 8080  #: None: it answers no requests
    probe: str = "/"  #: the path that answers when the program is well
    handler: str = ""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    variables: tuple[str, ...] = ()  #: SpinKube: variables whose values come from a Secret of the same name
    notes: tuple[str, ...] = ()  #: what the reader should know of the program, above everything


def render(
    source: str | Path,
    *,
    way: Way | None = None,
    image: str = "",
    name: str = "",
    replicas: int = 1,
    memory: str = "32Mi",
    cpu: str = "100m",
    port: int | None = 8080,
    probe: str = "/",
    handler: str = "",
    node_selector: Mapping[str, str] | None = None,
) -> str:
    """Manifests as YAML, with comments that say why each part is there. The same text for the same arguments.

    Args:
        source: an image's reference; or the path of a Wasm file or a ``spin.toml``, whose image is named after it.
        way: ``crun``, ``runwasi`` or ``spinkube``; by default what fits the source.
        image: the image's reference, where ``source`` is a file.
        name: of the objects; by default the image's last part.
        replicas: how many pods.
        memory, cpu: as Kubernetes writes them. Memory is reserved and is the limit; of the CPU ten times the
            reserved part is the limit.
        port: at which the program listens in its pod; None for no Service and no probes.
        probe: the path that the probes ask.
        handler: the name of the runtime in the node's configuration.
        node_selector: labels of the nodes that have the runtime.

    Raises:
        UsageError: a value is none that Kubernetes takes, or the way does not fit the file.

    Example:
        >>> render("ghcr.io/me/hello:1", way="crun", port=None).splitlines()[-1].strip()
        'memory: 32Mi'
    """
    from wasm_lab.scenarios.kubernetes.sources import look_at

    seen = look_at(source, image=image)
    wanted = Wanted(
        image=seen.image,
        name=name or seen.name,
        way=way or seen.way,
        replicas=replicas,
        memory=memory,
        cpu=cpu,
        port=port,
        probe=probe,
        handler=handler,
        node_selector=dict(node_selector or {}),
        variables=seen.variables,
        notes=seen.notes_for(way or seen.way),
    )
    return render_wanted(wanted)


def render_wanted(wanted: Wanted) -> str:
    """As `render`, from what is wanted.

    Raises:
        UsageError: a value is none that Kubernetes takes.
    """
    check(wanted)
    from wasm_lab.scenarios.kubernetes.ways import OBJECTS

    head = "".join(f"# {line}\n" for note in wanted.notes for line in note.splitlines())
    return head + "---\n".join(yaml_text(each) for each in OBJECTS[wanted.way](wanted))


def check(wanted: Wanted) -> None:
    """Refuse what an API server would.

    Raises:
        UsageError: which value, and what it must be.
    """
    if wanted.way not in WAYS:
        raise UsageError(
            f"`{wanted.way}` is no way to run Wasm on Kubernetes.", hint=f"There are {', '.join(WAYS)}."
        )
    if not _REFERENCE.fullmatch(wanted.image):
        raise UsageError(
            f"`{wanted.image}` is no reference of an image.", hint="Such as ghcr.io/me/hello:1.0.0."
        )
    for what, word in (("name", wanted.name), ("handler", wanted.handler or "x")):
        if not _NAME.fullmatch(word) or (what == "name" and word[0].isdigit()):
            raise UsageError(
                f"`{word}` is no {what} that Kubernetes takes.",
                hint="Small letters, digits and hyphens, at most 63, a letter first; such as hello-1.",
            )
    _check_amounts(wanted)
    if wanted.port is not None and not 1 <= wanted.port <= 65535:
        raise UsageError(f"{wanted.port} is no port.", hint="1 to 65535.")
    if wanted.replicas < 0:
        raise UsageError("There cannot be less than no replicas.")
    if not wanted.probe.startswith("/"):
        raise UsageError(f"The probe's path `{wanted.probe}` must begin with a slash.")


def _check_amounts(wanted: Wanted) -> None:
    """Refuse what `validate` would not let pass."""
    found = {}
    for what, word in (("memory", wanted.memory), ("cpu", wanted.cpu)):
        value = amount(word)
        if value is None or value <= 0:
            from wasm_lab.scenarios.kubernetes.quantities import explained

            why, hint = explained(word)
            raise UsageError(f"`{word}` is no amount of {what}.{why}", hint=hint)
        found[what] = value
    if found["memory"] < MEMORY_LEAST or found["memory"].denominator != 1:
        raise UsageError(
            f"{wanted.memory} of memory is {float(found['memory']):.6g} bytes: no container starts in that.",
            hint="Mi counts MiB; m is a thousandth. Such as 32Mi.",
        )
    if found["cpu"] >= CPU_MANY:
        raise UsageError(
            f"{wanted.cpu} of the CPU is {float(found['cpu']):.6g} processors.",
            hint="M, Mi and Gi are units of memory. For processors: 500m is half a one, 2 are two.",
        )
    if (found["cpu"] * 1000).denominator != 1:
        raise UsageError(
            f"{wanted.cpu} of the CPU is finer than a thousandth of a processor, the smallest part there is.",
            hint=f"Such as {int(found['cpu'] * 1000) + 1}m.",
        )
