"""Amounts of memory and processors: what is asked for, and what can never work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wasm_lab.scenarios.kubernetes.pods import mapping, pod_of
from wasm_lab.scenarios.kubernetes.problems import Problem, Severity
from wasm_lab.scenarios.kubernetes.quantities import amount
from wasm_lab.scenarios.kubernetes.words import field_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from wasm_lab.scenarios.kubernetes.documents import Document

#: No process fits less: the kernel counts memory in pages, and starting one takes some hundred.
MEMORY_LEAST = 256 * 1024

#: More processors than any machine has.
CPU_MOST = 10_000


def resources(document: Document) -> Iterator[Problem]:
    """The resources of each container, of a pod as a whole, and of a SpinApp."""
    pod = pod_of(document)
    places: list[list[str | int]] = []
    if pod is not None:
        places = [[*container.path, "resources"] for container in pod.containers]
        places.append([*pod.path, "spec", "resources"])
    elif document.kind == "SpinApp":
        places = [["spec", "resources"]]
    for path in places:
        found = mapping(document.get(*path))
        limits, requests = mapping(found.get("limits")), mapping(found.get("requests"))
        for part, amounts in (("limits", limits), ("requests", requests)):
            for name, value in amounts.items():
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
        yield say(
            f"is {text}, which is {_decimal(found)} bytes: m is a thousandth.",
            f"Write {text.rstrip('m')}Mi for units of 1024 x 1024 bytes."
            if text.endswith("m")
            else "Bytes come whole.",
        )
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
    elif name == "cpu" and found >= 100 and text.isdigit():
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
