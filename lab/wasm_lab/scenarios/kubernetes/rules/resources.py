"""Amounts of memory and processors: what is asked for, and what can never work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import Path, mapping, mappings, pod_of
from wasm_lab.scenarios.kubernetes.problems import Problem, Severity
from wasm_lab.scenarios.kubernetes.quantities import CPU_MANY, CPU_MOST, MEMORY_LEAST, amount
from wasm_lab.scenarios.kubernetes.words import close_to, field_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from wasm_lab.scenarios.kubernetes.documents import Document


#: What containers have of a node. Everything else has a domain before a slash (nvidia.com/gpu), which is not
#: checked. Source: IsStandardContainerResourceName and its like in the API server's pkg/apis/core/helper.
OF_CONTAINERS = ("cpu", "memory", "ephemeral-storage", "hugepages-")
OF_PODS = ("cpu", "memory", "hugepages-", "pids")  #: pids is KEP-6063, still off by default
OF_QUOTAS = (
    *OF_CONTAINERS,
    *(f"{part}.{name}" for part in ("requests", "limits") for name in ("cpu", "memory", "ephemeral-storage")),
    "requests.storage",
    "requests.hugepages-",
    "pods",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
)

#: Parts of a LimitRange that are amounts; maxLimitRequestRatio has the same names, and is none.
_LIMITS = ("min", "max", "default", "defaultRequest")


def resources(document: Document) -> Iterator[Problem]:
    """The resources of each container, of a pod as a whole, and of a SpinApp; then those of other kinds."""
    pod = pod_of(document)
    if pod is not None:
        for container in pod.containers:
            yield from _required(document, (*container.path, "resources"), OF_CONTAINERS)
        yield from _required(document, (*pod.path, "spec", "resources"), OF_PODS)
        yield from _volumes(document, (*pod.path, "spec", "volumes"))
    elif document.kind == "SpinApp":
        yield from _required(document, ("spec", "resources"), OF_CONTAINERS)
    match document.api_version, document.kind:
        case "node.k8s.io/v1", "RuntimeClass":
            yield from _listed(document, ("overhead", "podFixed"), OF_CONTAINERS)
        case "v1", "ResourceQuota":
            yield from _listed(document, ("spec", "hard"), OF_QUOTAS)
        case "v1", "LimitRange":
            for index, limit in mappings(document.get("spec", "limits")):
                names = (
                    OF_CONTAINERS if limit.get("type") in ("Container", "Pod") else (*OF_QUOTAS, "storage")
                )
                for part in _LIMITS:
                    yield from _listed(document, ("spec", "limits", index, part), names)
                ratios: Path = ("spec", "limits", index, "maxLimitRequestRatio")
                for name in mapping(document.get(*ratios)):
                    yield from _name(document, [*ratios, name], names)
        case "v1", "PersistentVolumeClaim":
            yield from _listed(document, ("spec", "resources", "requests"))
        case "v1", "PersistentVolume":
            yield from _listed(document, ("spec", "capacity"))
        case "apps/v1", "StatefulSet":
            for index, _ in mappings(document.get("spec", "volumeClaimTemplates")):
                path = ("spec", "volumeClaimTemplates", index, "spec", "resources", "requests")
                yield from _listed(document, path)


def _required(document: Document, path: Path, names: tuple[str, ...]) -> Iterator[Problem]:
    """``limits`` and ``requests``, each for itself and against each other."""
    found = mapping(document.get(*path))
    limits, requests = mapping(found.get("limits")), mapping(found.get("requests"))
    for part, amounts in (("limits", limits), ("requests", requests)):
        for name, value in amounts.items():
            yield from _name(document, [*path, part, name], names)
            yield from _alone(document, [*path, part, name], part, name, value)
    for name, value in requests.items():
        asked, most = amount(value), amount(limits.get(name))
        if asked is not None and most is not None and asked > most:
            place = [*path, "requests", name]
            limit_line = document.place([*path, "limits", name])[0]
            yield Problem(
                document.file,
                *document.place(place),
                f"`{field_path(place)}` asks for {value}, more than the limit {limits[name]} (line {limit_line}).",
                "A request is reserved, a limit never passed: write a request that is at most the limit.",
                path=field_path(place),
            )


def _listed(document: Document, path: Path, names: tuple[str, ...] = ()) -> Iterator[Problem]:
    """Amounts that belong to no container: their names, where those are bounded, and their units."""
    for name, value in mapping(document.get(*path)).items():
        if names:
            yield from _name(document, [*path, name], names)
        if name.rpartition(".")[2] in ("memory", "storage", "ephemeral-storage"):
            yield from _whole(document, [*path, name], value)


def _volumes(document: Document, path: Path) -> Iterator[Problem]:
    for index, volume in mappings(document.get(*path)):
        limit = mapping(volume.get("emptyDir")).get("sizeLimit")
        yield from _whole(document, [*path, index, "emptyDir", "sizeLimit"], limit)
        claim: Path = ("ephemeral", "volumeClaimTemplate", "spec", "resources", "requests")
        yield from _listed(document, (*path, index, *claim))


def _name(document: Document, path: list[str | int], names: tuple[str, ...]) -> Iterator[Problem]:
    """That a name without a domain is one of those that are known; one that ends with a hyphen begins a name."""
    name = str(path[-1])
    if "/" in name or name in names or any(each.endswith("-") and name.startswith(each) for each in names):
        return
    near = close_to(name, names) if name.lower() != "gpu" else ""
    if near:
        hint = f"Did you mean `{near}`?"
    elif name == "storage" and "ephemeral-storage" in names:
        hint = "The room for files that a container writes is `ephemeral-storage`; a claim's is `storage`."
    else:
        hint = "It is one of " + ", ".join(f"{each}…" if each.endswith("-") else each for each in names[:12])
        hint += "; a device's name has a domain, such as nvidia.com/gpu."
    whole = field_path(path)
    yield Problem(
        document.file,
        *document.place(path, key=True),
        f"`{whole}`: `{name}` is no resource that may stand there.",
        hint,
        path=whole,
    )


def _whole(document: Document, path: list[str | int], value: Any) -> Iterator[Problem]:
    """That bytes are whole and not less than none."""
    found = amount(value)
    if found is None:
        return
    whole, text = field_path(path), str(value)
    if found < 0:
        message, hint = f"is {text}: an amount cannot be less than nothing.", ""
    elif found.denominator != 1:
        message = f"is {text}, which is {_decimal(found)} bytes: m is a thousandth."
        hint = (
            f"Write {text.rstrip('m')}Mi for units of 1024 x 1024 bytes."
            if text.endswith("m")
            else "Bytes come whole."
        )
    else:
        return
    yield Problem(document.file, *document.place(path), f"`{whole}` {message}", hint, path=whole)


def _alone(document: Document, path: list[str | int], part: str, name: str, value: Any) -> Iterator[Problem]:
    found = amount(value)
    if found is None:
        return

    def say(message: str, hint: str, severity: Severity = "error") -> Problem:
        whole = field_path(path)
        return Problem(
            document.file, *document.place(path), f"`{whole}` {message}", hint, severity, path=whole
        )

    text = str(value)
    if found < 0:
        yield say(f"is {text}: an amount cannot be less than nothing.", "")
    elif name in ("memory", "ephemeral-storage") and found.denominator != 1:
        yield from _whole(document, path, value)
    elif name == "memory" and 0 < found < MEMORY_LEAST:
        unit = f"Write {text}Mi, if MiB are meant." if text.isdigit() else f"Did you mean {_larger(text)}?"
        yield say(
            f"is {text}, which is {int(found):,} bytes: no container starts in so little.",
            unit,
            "error" if part == "limits" else "warning",
        )
    elif name == "cpu" and found >= CPU_MOST:
        yield say(
            f"is {text}, which is {int(found):,} processors.",
            "Mi and Gi are units of memory; for processors: 500m is half a one, 2 are two.",
        )
    elif name == "cpu" and found >= CPU_MANY and text.isdigit():
        yield say(
            f"is {text}: as many processors.",
            f"Write {text}m, if thousandths of a processor are meant.",
            "warning",
        )
    elif name == "cpu" and (found * 1000).denominator != 1:
        yield say(
            f"is {text}, which is finer than a thousandth of a processor, the smallest part there is.",
            f"Write {int(found * 1000) + 1}m.",
            "warning",
        )


def _decimal(value: Fraction) -> str:
    return f"{float(value):.6g}"


def _larger(text: str) -> str:
    number = text.rstrip("iKkMG")
    return f"{number}Mi"
