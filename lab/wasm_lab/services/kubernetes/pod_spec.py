"""What a pod's specification asks of a node: programs, environments, limits, and what the lab's node lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: The volume that admission adds to every pod, for a program that asks the API. No Wasm module reads it.
TOKEN_VOLUME = "kube-api-access-"

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")


class ConfigMistake(Exception):
    """A container names what is not there, or what this node cannot give; a reason of Kubernetes' own."""

    def __init__(self, message: str, reason: str = "CreateContainerConfigError") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Program:
    """What one container runs."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: Mapping[str, str]
    memory_limit_bytes: int | None


def program_of(
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    values: Callable[[str, str], Mapping[str, str] | None],
) -> Program:
    """A container of a pod, with its environment worked out.

    Args:
        container: from ``spec.containers``.
        pod: the whole pod, for fields that the environment refers to; ``status`` with addresses.
        values: gives the texts of a ``ConfigMap`` or ``Secret`` by kind and name, None where there is none.

    Raises:
        ConfigMistake: a value cannot be had.
    """
    env = _environment(container, pod, values)
    limits = (container.get("resources") or {}).get("limits") or {}
    return Program(
        name=container["name"],
        image=container["image"],
        command=tuple(_expand(word, env) for word in container.get("command") or ()),
        args=tuple(_expand(word, env) for word in container.get("args") or ()),
        env=env,
        memory_limit_bytes=bytes_of(limits["memory"]) if "memory" in limits else None,
    )


def refusals(pod: Mapping[str, Any]) -> list[str]:
    """What a pod asks for that this node cannot give, so that it must not run."""
    spec = pod.get("spec") or {}
    found = [
        f"volume {volume.get('name')}: this node mounts no volumes"
        for volume in spec.get("volumes") or []
        if not str(volume.get("name", "")).startswith(TOKEN_VOLUME)
    ]
    found += [
        f"init container {one['name']}: this node has no sidecars (restartPolicy of an init container)"
        for one in spec.get("initContainers") or []
        if one.get("restartPolicy")
    ]
    for one in spec.get("containers") or []:
        for probe in PROBES:
            if "grpc" in (one.get(probe) or {}):
                found.append(f"container {one['name']}: this node has no gRPC probes")
        if one.get("lifecycle"):
            found.append(f"container {one['name']}: this node runs no lifecycle hooks")
    return found


def not_kept(pod: Mapping[str, Any]) -> list[str]:
    """What a pod asks for that this node passes over: it runs, and whoever runs it should know."""
    spec = pod.get("spec") or {}
    parts = spec.get("containers") or []
    found = []
    if any("cpu" in ((one.get("resources") or {}).get("limits") or {}) for one in parts):
        found.append("limits of CPU")
    if any(one.get("securityContext") for one in (spec, *parts)):
        found.append("securityContext")
    return found


PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

_UNITS = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY = {f"{letter}i": 1024**power for power, letter in enumerate("KMGTPE", 1)}


def bytes_of(quantity: str | float) -> int:
    """A quantity of Kubernetes in bytes.

    >>> bytes_of("64Mi"), bytes_of("1e3"), bytes_of("128M")
    (67108864, 1000, 128000000)
    """
    match = re.fullmatch(r"([+-]?[0-9.]+(?:[eE][+-]?\d+)?)([A-Za-z]*)", str(quantity).strip())
    if match is None or match[2] not in {**_UNITS, **_BINARY}:
        raise ConfigMistake(f"{quantity!r} is no quantity of memory: write it as 64Mi")
    return int(float(match[1]) * {**_UNITS, **_BINARY}[match[2]])


def _environment(
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    values: Callable[[str, str], Mapping[str, str] | None],
) -> dict[str, str]:
    env: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if key in source:
                found = _texts(kind, source[key], values)
                env |= {source.get("prefix", "") + name: value for name, value in found.items()}
    for entry in container.get("env") or []:
        if "valueFrom" in entry:
            value = _value_from(entry["valueFrom"], pod, values)
            if value is not None:
                env[entry["name"]] = value
        else:
            env[entry["name"]] = _expand(str(entry.get("value") or ""), env)
    return env


def _value_from(
    source: Mapping[str, Any], pod: Mapping[str, Any], values: Callable[[str, str], Mapping[str, str] | None]
) -> str | None:
    if "fieldRef" in source:
        return _field(str(source["fieldRef"].get("fieldPath", "")), pod)
    for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if key in source:
            wanted = source[key]
            found = _texts(kind, wanted, values)
            if wanted["key"] not in found:
                if wanted.get("optional"):
                    return None
                raise ConfigMistake(f"{kind} {wanted['name']} has no key {wanted['key']}")
            return found[wanted["key"]]
    raise ConfigMistake(f"this node does not know valueFrom.{next(iter(source), '')}")


def _texts(
    kind: str, wanted: Mapping[str, Any], values: Callable[[str, str], Mapping[str, str] | None]
) -> Mapping[str, str]:
    found = values(kind, str(wanted.get("name", "")))
    if found is None and not wanted.get("optional"):
        raise ConfigMistake(f"{kind.lower()} {str(wanted.get('name'))!r} not found")
    return found or {}


def _field(path: str, pod: Mapping[str, Any]) -> str:
    match = re.fullmatch(r"metadata\.(labels|annotations)\['([^']+)'\]", path)
    if match:
        return str(((pod.get("metadata") or {}).get(match[1]) or {}).get(match[2], ""))
    known = {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
    }
    if path not in {*known, "status.hostIP", "status.podIP"}:
        raise ConfigMistake(f"this node does not know fieldPath {path}")
    part, name = path.split(".")
    return str((pod.get(part) or {}).get(name, ""))


def _expand(text: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` replaced by the variable, as the API documents it: unknown ones stay, ``$$`` is one ``$``."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else env.get(match[2], match[0])

    return _REFERENCE.sub(value, text)
